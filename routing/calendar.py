"""Time intervals: when a route is quiet, and until when.

A route names intervals in which it is mute, or outside of which it is not active. This module says whether an
interval contains a moment, and finds the next moment at which a quiet route may speak. It holds nothing back
itself; how intervals are written says `calendar_syntax.py`.

Rules, all of Alertmanager's (`timeinterval/timeinterval.go` and its documentation): an interval contains a
moment if one of its periods does; a period, if each of its fields does that is given; a field, if one of its
ranges does. What counts is the clock on the wall at the period's location: what a clock change skips belongs
to nothing, and what it repeats counts twice. Days counted from the end of a month follow the calendar,
even in a month in which the clocks go forward (Alertmanager until 0.34.0 is a day off).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from routing.go_strings import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

HORIZON: Final = 400 * 86_400_000  # milliseconds that `quiet` looks ahead: a year and some

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Period:
    """One entry of an interval. A field without ranges was not given, and holds at any time.

    A list that is given and empty never holds in Alertmanager: its entry makes no period.

    Attributes:
        times: minutes of the day, the end excluded; 1440 is midnight at the day's end.
        weekdays: 0 is Sunday.
        days_of_month: from 1, or from -1 counted from the month's end.
        months: 1 is January.
        years: as written.
        location: IANA name of a time zone, `UTC`, or `Local` for that of this machine.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str = "UTC"


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A named interval; without periods it contains nothing."""

    name: str
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class Quiet:
    """A route must not speak now.

    Attributes:
        why: which intervals keep it quiet, in words.
        until: the first moment at which none does, milliseconds; None if there is none within `HORIZON`.
    """

    why: str
    until: int | None


def contains(interval: TimeInterval, at: int) -> bool:
    """Whether the moment (milliseconds since the epoch) lies in the interval."""
    return _contains(interval, at // 1000)


def quiet(mute: tuple[TimeInterval, ...], active: tuple[TimeInterval, ...], at: int) -> Quiet | None:
    """Why a route with these intervals must not speak at this moment, and until when; None if it may."""
    if not mute and not active:
        return None
    return _quiet(mute, active, at // 60_000 * 60)


@lru_cache(maxsize=1024)  # all groups of a route ask the same within a minute; nothing changes within one
def _quiet(mute: tuple[TimeInterval, ...], active: tuple[TimeInterval, ...], at: int) -> Quiet | None:
    reasons = []
    if muting := [interval for interval in mute if _contains(interval, at)]:
        reasons.append(f"mute {_names(muting)}")
    if _inactive(active, at):
        reasons.append(f"outside of the active {_names(active)}")
    return Quiet(" and ".join(reasons), _until(mute, active, at)) if reasons else None


def _names(intervals: Iterable[TimeInterval]) -> str:
    names = [quote(interval.name) for interval in intervals]
    return ("interval " if len(names) == 1 else "intervals ") + ", ".join(names)


def _until(mute: tuple[TimeInterval, ...], active: tuple[TimeInterval, ...], at: int) -> int | None:
    """From one moment at which anything may change to the next, until neither kind keeps the route quiet."""
    end = at + HORIZON // 1000
    periods = {period for interval in mute + active for period in interval.periods}
    while (at := min((_next_stop(period, at) for period in periods), default=end)) < end:
        if not (_inactive(active, at) or any(_contains(interval, at) for interval in mute)):
            return at * 1000
    return None


def _inactive(active: tuple[TimeInterval, ...], at: int) -> bool:
    return bool(active) and not any(_contains(interval, at) for interval in active)


# --- one period; from here on moments are seconds ------------------------------------------------------


def _contains(interval: TimeInterval, at: int) -> bool:
    for period in interval.periods:
        wall = _wall(period.location, at)
        minute = wall.hour * 60 + wall.minute
        if (not period.times or _within(period.times, minute, last=1)) and holds_on(period, wall):
            return True
    return False


def holds_on(period: Period, day: date) -> bool:
    """Whether the period holds on this day, at some time of it."""
    return (
        (not period.weekdays or _within(period.weekdays, day.isoweekday() % 7))
        and (not period.days_of_month or _on_day_of_month(period.days_of_month, day))
        and (not period.months or _within(period.months, day.month))
        and (not period.years or _within(period.years, day.year))
    )


def _within(ranges: tuple[Range, ...], value: int, last: int = 0) -> bool:
    return any(begin <= value <= end - last for begin, end in ranges)


def _on_day_of_month(ranges: tuple[Range, ...], day: date) -> bool:
    length = monthrange(day.year, day.month)[1]
    from_end = day.day - length - 1
    return any(
        (from_end if begin < 0 else day.day) >= begin and (from_end if end < 0 else day.day) <= end
        for begin, end in ranges
    )


def _next_stop(period: Period, at: int) -> int:
    """A later moment, not after the next at which the period begins or ceases to hold."""
    wall = _wall(period.location, at)
    if period.years and not _within(period.years, wall.year):
        far = date(wall.year + 1, 1, 1)
    elif period.months and not _within(period.months, wall.month):
        far = date(wall.year + wall.month // 12, wall.month % 12 + 1, 1)
    else:
        far = wall.date()
    days = (far - wall.date()).days - 2  # two days before, whatever the clocks do: they have skipped a day
    if days > 0:
        return at + days * 86_400
    minute = wall.hour * 60 + wall.minute
    cuts = [cut for times in period.times for cut in times if cut > minute] if holds_on(period, wall) else []
    stop = at + (min(cuts, default=1440) - minute) * 60 - wall.second
    return _clock_change(period.location, at, stop) or stop


def _clock_change(location: str, after: int, until: int) -> int | None:
    """When the clocks at the location change, if they do; no zone changes them twice within a day."""
    before = _offset(location, after)
    if _offset(location, until) == before:
        return None
    while until - after > 1:
        middle = (after + until) // 2
        if _offset(location, middle) == before:
            after = middle
        else:
            until = middle
    return until


def _offset(location: str, at: int) -> int:
    """How far the clocks are ahead of UTC, seconds."""
    return int((_wall(location, at) - _EPOCH).total_seconds()) - at


_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what clocks on walls show has no zone


def _wall(location: str, at: int) -> datetime:
    """What the clock on the wall shows there, as a datetime without a zone."""
    return datetime.fromtimestamp(at, zone(location)).replace(tzinfo=None)


@lru_cache(maxsize=1024)
def zone(location: str) -> tzinfo | None:
    """The time zone at a location, None for that of this machine.

    Raises:
        LookupError, ValueError, OSError: this machine knows no such zone.
    """
    if location in ("", "UTC"):
        return UTC
    return None if location == "Local" else ZoneInfo(location)
