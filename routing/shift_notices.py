"""Who is to be told of a shift of theirs, and when: before it begins, when it begins, when it ends.

A shift is a person's own: it goes on where only others change. That everything is said once, and how, is not
decided here. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
    return tuple(sorted(notices, key=lambda one: (one.at, one.person, one.what)))


def _of(shift: Shift, person: str, schedule: str, lead: int) -> Iterator[Notice]:
    """All that there is to say of a shift. What is cut at the edge of what was asked for lies outside of it."""
    if lead:
        yield Notice(shift.start - lead, "soon", person, schedule, shift)
    yield Notice(shift.start, "begins", person, schedule, shift)
    yield Notice(shift.end, "ends", person, schedule, shift)
