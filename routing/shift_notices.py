"""Who is to be told of a shift of theirs, and when: before it begins, when it begins, when it ends.

A shift is a person's own: it goes on where only others change. That everything is said once, and how, is not
decided here. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from routing.calendar import HORIZON
from routing.oncall import by_person, shifts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.oncall import Override, Schedule, Shift

What = Literal["soon", "begins", "ends"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody is to be told something of a shift at a moment."""

    at: int
    what: What
    person: str
    schedule: str
    shift: Shift

    @property
    def endless(self) -> bool:
        """The shift has no end within `HORIZON` of its start."""
        return self.shift.end - self.shift.start >= HORIZON

    @property
    def key(self) -> str:
        """The same for the same news, whatever becomes of the shift's other end."""
        moment = self.shift.end if self.what == "ends" else self.shift.start
        return f"{self.what} {moment} {self.person} {self.schedule}"


def due(
    schedule: Schedule,
    overrides: Iterable[Override],
    leads: Mapping[str, int],
    since: int,
    until: int,
) -> tuple[Notice, ...]:
    """What is to be said after `since` and up to `until`, in the order of time.

    `leads` are those who wish to be told, with how long before a shift begins; 0 for not before it.
    """
    if not leads:
        return ()
    overrides = tuple(overrides)
    last = until + max(leads.values()) + 1
    found = by_person(shifts(schedule, since, last, overrides))
    notices = [
        notice
        for person, own in found.items()
        if person in leads
        for shift in own
        for notice in _of(shift, person, schedule.name, leads[person])
        if since < notice.at <= until
    ]
    whole = [_whole(one, schedule, overrides) if one.shift.end == last else one for one in notices]
    return tuple(sorted(whole, key=lambda one: (one.at, one.person, one.what)))


def _whole(notice: Notice, schedule: Schedule, overrides: Iterable[Override]) -> Notice:
    """With the shift up to its end: it goes on where the question had ended."""
    start = notice.shift.start
    own = by_person(shifts(schedule, start, start + HORIZON, overrides))[notice.person]
    return replace(notice, shift=own[0])


def _of(shift: Shift, person: str, schedule: str, lead: int) -> Iterator[Notice]:
    """All that there is to say of a shift; where one is cut off, nobody had asked."""
    if lead:
        yield Notice(shift.start - lead, "soon", person, schedule, shift)
    yield Notice(shift.start, "begins", person, schedule, shift)
    yield Notice(shift.end, "ends", person, schedule, shift)
