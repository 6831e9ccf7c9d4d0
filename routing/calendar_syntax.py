"""How time intervals are written: `09:00`, `monday:friday`, `-3:-1`, `june:august`, `Europe/Berlin`.

It reads one range or name at a time and says in plain words what is wrong with it; what the ranges mean is
`calendar.py`'s.

Rules, all of Alertmanager's (`timeinterval/timeinterval.go`): what it takes is taken, even a month 13, which
never comes; what it refuses is refused. No range runs backwards, round a midnight, a week's or a year's end.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from routing.calendar import zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from routing.calendar import Range

__all__ = [
    "CalendarError",
    "parse_days_of_month",
    "parse_location",
    "parse_months",
    "parse_time",
    "parse_times",
    "parse_weekdays",
    "parse_years",
]


class CalendarError(ValueError):
    """An interval is written wrongly; the message says what came and, behind `; expected`, what should."""


_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")
_WEEKDAYS: Final = {
    name: at
    for at, name in enumerate(("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"))
}
_MONTHS: Final = {
    name: at
    for at, name in enumerate(
        (
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december",
        ),
        1,
    )
}  # fmt: skip


def parse_time(text: str) -> int:
    """`09:30` as minutes of the day.

    Raises:
        CalendarError: not HH:MM, or after 24:00.
    """
    if _TIME.fullmatch(text) is None:
        raise CalendarError(f"{_shown(text)} is no time of day; expected HH:MM such as 09:30, at most 24:00")
    return int(text[:2]) * 60 + int(text[3:])


def parse_times(start: str, end: str) -> Range:
    """`09:00` and `17:30` as minutes of the day; the end, which may be `24:00`, is excluded.

    Raises:
        CalendarError: not such times, or the end is not after the start.
    """
    begin, until = parse_time(start), parse_time(end)
    if begin >= until:
        expected = "an end after the start; a night is two ranges, such as 22:00 to 24:00 and 00:00 to 06:00"
        raise CalendarError(f"{end} is not after {start}; expected {expected}")
    return begin, until


def parse_weekdays(text: str) -> Range:
    """`saturday` or `monday:friday`, in any case; 0 is Sunday.

    Raises:
        CalendarError: no such day, or the first is after the last: the week begins on Sunday.
    """
    begin, end = _range(text, _weekday)
    if begin > end:
        advice = (
            "first:last in a week that begins on Sunday; friday:monday is friday:saturday and sunday:monday"
        )
        raise CalendarError(f"{_shown(text)} runs backwards; expected {advice}")
    return begin, end


def _weekday(word: str) -> int:
    if (found := _WEEKDAYS.get(word)) is None:
        expected = "the name of a weekday such as monday, or a range such as monday:friday"
        raise CalendarError(f"{_shown(word)} is no weekday; expected {expected}{_near(word, _WEEKDAYS)}")
    return found


def parse_days_of_month(text: str) -> Range:
    """`15`, `1:7` or, counted from the month's end, `-3:-1`.

    Raises:
        CalendarError: not 1 to 31 or -31 to -1, or the first is after the last, be it in a short month.
    """
    begin, end = _range(text, _day)
    if begin < 0 < end:
        expected = "both counted from the end, such as -7:-1, if the first is"
        raise CalendarError(
            f"{_shown(text)} begins at the month's end and ends at its start; expected {expected}"
        )
    if begin > end and (begin > 0) == (end > 0):
        raise CalendarError(f"{_shown(text)} runs backwards; expected first:last such as 1:7 or -3:-1")
    if begin > 0 > end and begin > 28 + end:
        expected = "a range that a month of 28 days has, as Alertmanager counts, such as 20:-8 or -3:-1"
        raise CalendarError(f"{_shown(text)} runs backwards in a short month; expected {expected}")
    return begin, end


def _day(word: str) -> int:
    day = _number(word, "day of a month", "1 to 31, or -31 to -1 from the month's end, such as 1:7 or -3:-1")
    if day == 0 or abs(day) > 31:
        expected = "1 to 31, or -31 to -1 counted from the month's end"
        raise CalendarError(f"there is no day {day} in a month; expected {expected}")
    return day


def parse_months(text: str) -> Range:
    """`december`, `june:august`, or by number, `6:8`. As in Alertmanager a number may be out of the year.

    Raises:
        CalendarError: no such month, or the first is after the last.
    """
    begin, end = _range(text, _month)
    if begin > end:
        advice = "first:last within a year; november:february is november:december and january:february"
        raise CalendarError(f"{_shown(text)} runs backwards; expected {advice}")
    return begin, end


def _month(word: str) -> int:
    if (found := _MONTHS.get(word)) is not None:
        return found
    return _number(word, "month", "a name such as march, a number, or a range such as june:august", _MONTHS)


def parse_years(text: str) -> Range:
    """`2026` or `2026:2028`.

    Raises:
        CalendarError: no number, or the first is after the last.
    """
    begin, end = _range(text, lambda word: _number(word, "year", "a number such as 2026, or 2026:2028"))
    if begin > end:
        raise CalendarError(f"{_shown(text)} runs backwards; expected first:last such as 2026:2028")
    return begin, end


def parse_location(text: str) -> str:
    """The name of a time zone that this machine knows.

    Raises:
        CalendarError: there is no such zone here.
    """
    try:
        zone(text)
    except (OSError, ValueError, LookupError):  # a folder of zones, a file that is none, no such name
        known = available_timezones()
        expected = (
            "a name such as Europe/Berlin, UTC or Local" if known else "the package tzdata on this machine"
        )
        message = f"{_shown(text)} is no time zone known here; expected {expected}{_near(text, known)}"
        raise CalendarError(message) from None
    return text or "UTC"


def _range(text: str, member: Callable[[str], int]) -> Range:
    first, colon, last = text.lower().partition(":")
    return member(first), member(last if colon else first)


def _number(word: str, what: str, expected: str, names: Iterable[str] = ()) -> int:
    if _NUMBER.fullmatch(word) is None:
        raise CalendarError(f"{_shown(word)} is no {what}; expected {expected}{_near(word, names)}")
    return int(word)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _near(word: str, names: Iterable[str]) -> str:
    known = {name.lower(): name for name in names}
    near = get_close_matches(word[:60].lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {known[near[0]]!r}?" if near else ""
