"""How on-call time is spread over people: hours, nights and weekends of each.

It adds up what `oncall.py` says; how often somebody was told of an incident is not known here. A night is
from 22:00 to 07:00 and a weekend Saturday and Sunday, by the clock where the person lives, or else by that of
the schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from routing.oncall import by_person, shifts
from routing.wall_clock import DAY, clock, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.oncall import Override, Schedule, Shift

_NIGHT: Final = (22 * 3600, 31 * 3600)  # seconds from the day's begin
_WEEKEND: Final = (0, 2 * DAY)


@dataclass(frozen=True, slots=True)
class Load:
    """What one person bears. Times are milliseconds; who is on call in two schedules at once, is so once.

    Attributes:
        shifts: how many, in all schedules; one goes on as long as the person is on call in its schedule.
        nights: how many have on-call time in them, be it a minute; so for weekends.
    """

    person: str
    time: int
    shifts: int
    night_time: int
    nights: int
    weekend_time: int
    weekends: int


def report(
    schedules: Iterable[Schedule],
    since: int,
    until: int,
    overrides: Iterable[Override] = (),
    zones: Mapping[str, str] | None = None,
) -> tuple[Load, ...]:
    """What everybody bears who is on call between these moments, by name.

    Args:
        schedules: one or several.
        since: milliseconds, as `until`; of a shift only the part between them counts.
        until: excluded.
        overrides: of any schedule.
        zones: people's time zones, by name; who has none there, or "", lives by the schedule's.
    """
    overrides = tuple(overrides)
    own: dict[str, list[tuple[Shift, str]]] = {}
    for schedule in schedules:
        for person, theirs in by_person(shifts(schedule, since, until, overrides)).items():
            zone = (zones or {}).get(person) or schedule.time_zone
            own.setdefault(person, []).extend((shift, zone) for shift in theirs)
    return tuple(_load(person, theirs) for person, theirs in sorted(own.items()))


def _load(person: str, own: list[tuple[Shift, str]]) -> Load:
    once = list(_once(own))
    nights = list(_parts(once, _NIGHT, range(7)))
    weekends = list(_parts(once, _WEEKEND, (6,)))
    return Load(
        person,
        sum(end - start for start, end, _ in once),
        len(own),
        sum(time for _, time in nights),
        len({day for day, _ in nights}),
        sum(time for _, time in weekends),
        len({day for day, _ in weekends}),
    )


def _once(own: list[tuple[Shift, str]]) -> Iterator[tuple[int, int, str]]:
    """The times without those that an earlier shift covers already."""
    covered: int | None = None
    for shift, zone in sorted(own, key=lambda one: one[0].start):
        start = shift.start if covered is None else max(shift.start, covered)
        if start < shift.end:
            yield start, shift.end, zone
            covered = shift.end


def _parts(
    times: Iterable[tuple[int, int, str]], part: tuple[int, int], weekdays: Iterable[int]
) -> Iterator[tuple[int, int]]:
    """Of each part that begins on one of the weekdays: its day, and how much of the times is in it."""
    wanted = frozenset(weekdays)
    for start, end, zone in times:
        for day in range(clock(zone, start) // DAY - 2, clock(zone, end) // DAY + 2):
            if (day + 4) % 7 not in wanted:
                continue
            begins = moment(zone, day * DAY + part[0])
            ends = moment(zone, day * DAY + part[1], last=True)
            if (time := min(end, ends) - max(start, begins)) > 0:
                yield day, time
