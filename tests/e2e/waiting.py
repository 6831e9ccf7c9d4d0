"""Waiting for what real servers do: for a condition, within a time, and with what was seen if it fails."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 30.0  # seconds; much longer than anything here takes on an idle machine
_PAUSE = 0.02


async def until(
    true: Callable[[], Any],
    what: str,
    seen: Callable[[], object] = lambda: "",
    within: float = PATIENCE,
) -> Any:
    """What `true` returns once it is truthy; or the test fails with `what` was waited for and what is `seen`.

    `true` may be a coroutine function.
    """
    end = time.monotonic() + within
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > end:
            pytest.fail(f"waited {within:g} s for {what}; seen was:\n{seen()}")
        await asyncio.sleep(_PAUSE)


async def stays(holds: Callable[[], object], seconds: float) -> None:
    """Asks `holds`, which asserts, for so long: a time in which what must not happen would have."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        holds()
        await asyncio.sleep(_PAUSE)
