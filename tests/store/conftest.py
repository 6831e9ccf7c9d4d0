from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog
from world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

ONE_HOOK = """
route:
  receiver: hook
  group_by: [cluster]
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""


@pytest.fixture
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def world(redis_server: str, tmp_path: Path, _quiet: None) -> AsyncIterator[World]:
    """A store of three shards in virtual time, with an engine and a sender that work only when asked to."""
    made = await World.make(redis_server, tmp_path, ONE_HOOK)
    yield made
    await made.close()
