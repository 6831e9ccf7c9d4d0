"""The index of sources in memory: which firing alerts are filed under which slot.

For the simulator, the tests and the benchmark; the service keeps the same index in its store, by the same
score. It decides nothing. Order as in a sorted set of Redis: by score (rank, then start), then by the text of
the member.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routing.inhibition import Ask, Slot, Source

RANK_WEIGHT: Final = 10_000_000_000_000  # more than any time in milliseconds, for 300 years to come


def score(rank: int, starts_at: int) -> int:
    """Where a source stands in a slot: the worst first, then the oldest. A double is exact to rank 900."""
    return rank * RANK_WEIGHT + starts_at


class Index:
    """Sources by slot and kind."""

    def __init__(self) -> None:
        self._order: dict[tuple[str, bool], list[tuple[int, str]]] = {}
        self._sources: dict[str, tuple[int, Source]] = {}  # by member -> score, source

    def add(self, slots: Iterable[Slot], source: Source) -> None:
        """Files a source under the slots of its part as a source; once more with another score moves it."""
        slots = tuple(slots)
        if source.member in self._sources:
            self.remove(slots, source)
        entry = score(source.rank, source.starts_at), source.member
        self._sources[source.member] = entry[0], source
        for slot in slots:
            insort(self._order.setdefault((slot.key, slot.two_sided), []), entry)

    def remove(self, slots: Iterable[Slot], source: Source) -> None:
        """Takes it out of these slots, by its member; nothing happens where it is not filed."""
        found = self._sources.pop(source.member, None)
        if found is None:
            return
        entry = found[0], source.member
        for slot in slots:
            filed = self._order.get((slot.key, slot.two_sided), [])
            at = bisect_left(filed, entry)
            if filed[at : at + 1] == [entry]:
                del filed[at]

    def answer(self, ask: Ask) -> tuple[Source, ...]:
        """The first of those that are filed there."""
        filed = self._order.get((ask.key, ask.two_sided), ())
        return tuple(self._sources[member][1] for _, member in filed[: ask.limit])
