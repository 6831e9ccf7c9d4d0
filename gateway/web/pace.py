"""How often the same one may come: a bound against what goes round in circles, and against the bored.

Counted in this process alone, in whole stretches of time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

REMEMBERED: Final = 4_096


class Pace:
    """At most `most` in `stretch_s` seconds, for each key."""

    def __init__(self, most: int, stretch_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._stretch = stretch_s
        self._clock = clock
        self._counted: dict[Hashable, tuple[float, int]] = {}

    def wait(self, key: Hashable) -> float:
        """0 where `key` may come now, which counts; else after how many seconds."""
        now = self._clock()
        began, count = self._counted.pop(key, (now, 0))
        if now - began >= self._stretch:
            began, count = now, 0
        self._counted[key] = began, count + 1  # at the end: the others are older
        if len(self._counted) > REMEMBERED:
            del self._counted[next(iter(self._counted))]
        return 0 if count < self._most else self._stretch - (now - began)
