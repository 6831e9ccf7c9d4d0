"""Rotations: people who take turns, by the clock on the wall.

It says who of a rotation is on duty at a moment, and how long that holds at least; layers and overrides
are put on top of it by `oncall.py`.

A shift change is a start: it comes when the clock first shows it, and whose shift ends goes then. So a change
in a repeated hour comes once, and of changes in a skipped hour only the last takes effect. Turns are counted
whether or not a restriction lets somebody serve them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from routing.wall_clock import DAY, FOREVER, clock, moment, seconds

if TYPE_CHECKING:
    from datetime import datetime

    from routing.calendar import Range

People = tuple[str, ...]
Unit = Literal["elapsed_hours", "wall_hours", "days", "weeks"]

_SECONDS: Final[dict[Unit, int]] = {
    "elapsed_hours": 3600,
    "wall_hours": 3600,
    "days": DAY,
    "weeks": 7 * DAY,
}


@dataclass(frozen=True, slots=True)
class Restriction:
    """A part of the week, by the clock on the wall.

    Attributes:
        weekdays: on which it begins; 0 is Sunday, both ends belong to a range. Empty for every day.
        start: minute of the day.
        end: minute of the day, excluded, up to 1440; not after `start`, it is one of the next day.
    """

    weekdays: tuple[Range, ...] = ()
    start: int = 0
    end: int = 1440


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns.

    Attributes:
        people: who is on duty, turn by turn: names of users, several if they serve together. An empty turn
            is nobody's.
        start: what the clock shows (a datetime without a zone) when the first turn begins; its time of day
            and its weekday are those of the shift changes. Before it, nobody is on duty.
        every: how many units a turn lasts, at least 1.
        unit: `wall_hours` keep to the same times of the day all year; a turn of `elapsed_hours` always lasts
            equally long, and its times move when the clocks change.
        restrictions: somebody is on duty only within one of them; empty for always.
    """

    people: tuple[People, ...]
    start: datetime
    every: int = 1
    unit: Unit = "weeks"
    restrictions: tuple[Restriction, ...] = ()


def on_duty(rotation: Rotation, location: str, at: int) -> tuple[People, int]:
    """Who is on duty at this moment, by the clocks at the location, and until when that holds at least.

    Both moments are milliseconds; the second is later than the first, and may be `FOREVER`.
    """
    first = seconds(rotation.start)
    begin = moment(location, first)
    if at < begin:
        return (), begin
    if not rotation.people:
        return (), FOREVER
    shown = clock(location, at)
    within, until = _within(rotation.restrictions, location, at, shown // DAY)
    if not within:
        return (), until
    if len(rotation.people) == 1:
        return rotation.people[0], until
    length = rotation.every * _SECONDS[rotation.unit]
    if rotation.unit == "elapsed_hours":
        number = (at - begin) // (length * 1000)
        end = begin + (number + 1) * length * 1000
    else:
        number = (shown - first) // length
        # A clock that was put back shows an earlier time than the change that has come already.
        while (end := moment(location, first + (number + 1) * length)) <= at:
            number += 1
    return rotation.people[number % len(rotation.people)], min(until, end)


def _within(restrictions: tuple[Restriction, ...], location: str, at: int, today: int) -> tuple[bool, int]:
    """Whether one of them contains the moment, and until when that holds at least."""
    if not restrictions:
        return True, FOREVER
    near = windows(restrictions, location, today)
    if ends := [end for start, end in near if start <= at < end]:
        return True, max(ends)
    starts = [start for start, end in near if at < start < end]
    return False, min(starts, default=moment(location, (today + 2) * DAY))


@lru_cache(maxsize=8192)  # a day is asked about more than once, and so are all moments of it
def windows(restrictions: tuple[Restriction, ...], location: str, today: int) -> tuple[tuple[int, int], ...]:
    """From when to when somebody serves about this day, in no order.

    From the day before yesterday on: where clocks are put back over midnight, yesterday ends twice.
    """
    return tuple(
        _window(restriction, location, day)
        for day in range(today - 2, today + 3)
        for restriction in restrictions
        if _begins_on(restriction, day)
    )


def _begins_on(restriction: Restriction, day: int) -> bool:
    weekday = (day + 4) % 7  # 1970 began on a Thursday
    return not restriction.weekdays or any(begin <= weekday <= end for begin, end in restriction.weekdays)


def _window(restriction: Restriction, location: str, day: int) -> tuple[int, int]:
    """From when to when it lasts if it begins on this day; both the same where clocks skip all of it."""
    end = restriction.end + (1440 if restriction.end <= restriction.start else 0)
    return (
        moment(location, day * DAY + restriction.start * 60),
        moment(location, day * DAY + end * 60, last=True),
    )
