from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import structlog
from redis.asyncio import Redis
from services import Services
from worlds import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drawn import Drawn
    from worlds import Outcome


@pytest.fixture
def judge(redis_server: str, tmp_path: Path) -> Iterator[Callable[[Drawn], Outcome]]:
    """Tells a drawn world by both sides: by services that stay up for the whole test, on one event loop."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    services = Services()
    with asyncio.Runner() as runner:
        redis = Redis.from_url(redis_server, decode_responses=True)
        runner.run(services.start())
        one = Judge(redis, tmp_path, services)
        yield lambda drawn: runner.run(one.judge(drawn))
        runner.run(services.stop())
        runner.run(redis.aclose())
    structlog.reset_defaults()
