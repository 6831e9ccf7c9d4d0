"""How times are written where a simulation is described: durations, and moments by a clock on a wall.

A moment is RFC 3339 with `Z` or an offset, or what a clock shows at a given place. What that clock never
shows, or shows twice, is refused: nobody can know which moment was meant. Reads no clock itself.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from pydantic_core import PydanticCustomError

from config.values import parse_duration
from routing.calendar import zone
from routing.calendar_syntax import CalendarError, parse_location
from routing.wall_clock import clock, end_at, seconds, start_at

EARLIEST: Final = 31_536_000_000
"""The year 1971: with milliseconds since 1970, some of the first could be taken for no time at all."""

LATEST: Final = 253_370_764_800_000
"""The year 9999: every moment lies before it."""

_EXPECTED: Final = "expected one such as 2026-12-24T03:00, or with its offset 2026-12-24T03:00+01:00"
_MOMENT: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?P<fraction>[.][0-9]{1,9})? ?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


class TimeError(ValueError):
    """A time is written wrongly, or there is no such time. The text says what was expected."""


def duration(text: str) -> int:
    """Milliseconds of `30s`, `5m` or `1h30m`, as Prometheus writes durations; `0` is one.

    Raises:
        TimeError: it is none.
    """
    try:
        return parse_duration(text.strip())
    except PydanticCustomError as error:
        raise TimeError(error.message()) from None


def moment(text: str, location: str = "UTC") -> int:
    """The moment (ms since the epoch) that is written, by the clock at `location` where it has no offset.

    A day alone begins at midnight.

    Raises:
        TimeError: it is no time, lies outside 1971 to 9998, or the clock there shows it never or twice.
    """
    text = text.strip()
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise TimeError(f"{text[:40]!r} is no time; {_EXPECTED}")
    shown, thousandths = _wall(found, text)
    far = TimeError(f"{text!r} is too far away; expected a time in the years 1971 to 9998")
    if not 1970 <= shown.year <= 9998:
        raise far
    if found["offset"]:
        at = int(shown.replace(tzinfo=_offset(found["offset"], text)).timestamp()) * 1000
    else:
        at = _by_the_clock(shown, location, text)
    if not EARLIEST <= at < LATEST:
        raise far
    return at + thousandths


def place(text: str) -> str:
    """The name of a time zone, checked: `Europe/Berlin` or `UTC`; "" is UTC.

    Raises:
        TimeError: there is no such zone.
    """
    if text == "Local":
        raise TimeError("'Local' is another time zone on each machine; expected one such as Europe/Berlin")
    try:
        return parse_location(text)
    except CalendarError as error:
        raise TimeError(str(error).replace(", UTC or Local", " or UTC")) from None


def _wall(found: re.Match[str], text: str) -> tuple[datetime, int]:
    """What the clock shows, and the milliseconds besides."""
    clock_text = (found["clock"] or "00:00").zfill(5 if (found["clock"] or "").count(":") < 2 else 8)
    try:
        shown = datetime.fromisoformat(f"{found['day']}T{clock_text}")
    except ValueError:
        raise TimeError(f"there is no such time as {text!r}; {_EXPECTED}") from None
    return shown, int((found["fraction"] or ".0")[1:4].ljust(3, "0"))


def _offset(text: str, whole: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise TimeError(f"{whole!r} has no possible offset; {_EXPECTED}")
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if text[0] == "-" else ahead)


def _by_the_clock(shown: datetime, location: str, text: str) -> int:
    first, last = start_at(shown, location), end_at(shown, location)
    if clock(location, first) != seconds(shown):
        raise TimeError(
            f"{text!r} never comes in {location}: the clocks are put forward to {_read(location, first)} "
            f"then; expected another time, or the moment with its offset, such as {_iso(location, first)}"
        )
    if first != last:
        raise TimeError(
            f"{text!r} comes twice in {location}, where the clocks are put back; expected its offset: "
            f"{_iso(location, first)} for the first time, {_iso(location, last)} for the second"
        )
    return first


def _read(location: str, at: int) -> str:
    return f"{_there(location, at):%H:%M}"


def _iso(location: str, at: int) -> str:
    found = _there(location, at)
    return found.isoformat(timespec="seconds" if found.second else "minutes")


def _there(location: str, at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, zone(location)).astimezone(zone(location))
