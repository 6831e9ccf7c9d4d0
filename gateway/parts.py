"""The parts of a service that run beside its requests: each a task of its own, begun again if it breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

log = structlog.get_logger()

AGAIN_S: Final = 1.0
CANCEL_AGAIN_S: Final = 0.2


class Parts:
    """What runs in one process, by name."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """From now on `work` is done, until it is stopped."""
        self._tasks[name] = asyncio.create_task(_keep(name, work), name=name)

    async def stop(self, *names: str) -> None:
        """Ends these parts, all of them where none is named, and waits until they have ended."""
        await _end([task for name, task in self._tasks.items() if not names or name in names])


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancels until all have ended.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, through which redis-py writes, swallows a
    cancellation that comes in the moment in which what it waits for is done.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)


async def _keep(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """A part that should never end is begun again: without it nobody is told, and nobody would know."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("service.part_failed", part=name)
        await asyncio.sleep(AGAIN_S)
