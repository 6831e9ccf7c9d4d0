"""What is due when, in memory: names by their times. The service keeps the same as a sorted set of Redis."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf


class Deadlines:
    """Each name has one time; the earliest comes first, of equal times the first by name."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []  # with entries that count no longer

    def put(self, name: str, at: float) -> None:
        """From now on it is due then; never, if `at` is infinite."""
        if at == inf:
            self._at.pop(name, None)
        elif self._at.get(name) != at:
            self._at[name] = at
            heappush(self._heap, (at, name))

    def drop(self, name: str) -> None:
        """It is due no longer."""
        self._at.pop(name, None)

    def first(self) -> float:
        """The earliest time; infinite if there is none."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else inf

    def pop(self, now: float) -> str | None:
        """Takes out the first that is due by `now`; None if none is."""
        if self.first() > now:
            return None
        name = heappop(self._heap)[1]
        del self._at[name]
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._at

    def __len__(self) -> int:
        return len(self._at)
