from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog
from world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

PLAIN = """
route:
  receiver: hook
  group_by: [cluster]
receivers:
  - name: hook
    webhook_configs: [{url: "http://127.0.0.1:9/"}]
"""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Hours of virtual time would be megabytes of log."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def make_world(redis_server: str, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[World]]]:
    """`await make_world(config, shards)`: a Tocsin in virtual time with Alertmanager's default timers."""
    worlds: list[World] = []

    async def make(config: str = PLAIN, shards: int = 3) -> World:
        worlds.append(await World.make(redis_server, tmp_path, config, shards))
        return worlds[-1]

    yield make
    for world in worlds:
        await world.close()


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world()
