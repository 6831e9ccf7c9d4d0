"""What an iCal calendar says: from when to when, and which users; and the calendar of somebody's shifts.

It reads and writes text, in the form of RFC 5545. Whose an event is says its attendees' addresses, else its
title: names of users, or addresses, with commas between. Reading is bounded, since a calendar may come from
anywhere: its size, its events, and how often one of them may recur. Times are milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway import recurrence
from gateway.recurrence import TooOftenError, listed
from routing.oncall import Span
from routing.wall_clock import end_at, start_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.schedules import Calendar
    from routing.oncall import Shift

MAX_BYTES: Final = 2**20
MAX_UNKNOWN: Final = 20
_LINE: Final = 75  # bytes
_BETWEEN_NAMES: Final = re.compile(r"[,;/&+|\n]|\band\b")
_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:]+@[^\s<>()\[\],;:]+")


class CalendarError(ValueError):
    """This is no calendar that can be read; the message says why, and shows nothing that stands in it."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a calendar says of a time: its events' spans, and what in them names no user."""

    spans: tuple[Span, ...]
    unknown: tuple[str, ...] = ()


def read(text: str, calendar: Calendar, since: int, until: int, users: Mapping[str, str]) -> Read:
    """The events in the text of `calendar` between two moments, `until` excluded.

    `users` are names and mail addresses, in lower case, with the names that they stand for.

    Raises:
        CalendarError: it cannot be read, or asks for too much.
    """
    import icalendar  # noqa: PLC0415 - only where a configuration names a calendar
    import recurring_ical_events  # noqa: PLC0415 - as above

    if len(text) > MAX_BYTES:
        raise CalendarError(f"larger than {MAX_BYTES >> 20} MiB")
    if "BEGIN:VCALENDAR" not in text[:10_000].upper():
        raise CalendarError("no iCal calendar: BEGIN:VCALENDAR is missing; is it the address of a page?")
    try:
        document = icalendar.Calendar.from_ical(text)
        events = document.walk("VEVENT")
        begin, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (since, until))
        recurrence.check(events, begin, end)
        return _read(recurring_ical_events.of(document).between(begin, end), calendar, users)
    except TooOftenError as error:
        raise CalendarError(str(error)) from None
    except CalendarError:
        raise
    except Exception as error:  # a library's, of many kinds, for what people may write
        raise CalendarError(f"it cannot be understood ({type(error).__name__})") from error


def _read(found: Iterable[Any], calendar: Calendar, users: Mapping[str, str]) -> Read:
    spans, unknown = [], dict[str, None]()
    for event in found:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        own = calendar.people
        if not calendar.holidays:
            own, others = _people(event, users)
            unknown |= dict.fromkeys(others)
        if own or calendar.holidays:
            start = _moment(event["DTSTART"].dt, calendar.location)
            end = _moment(event["DTEND"].dt, calendar.location, last=True)
            spans.append(Span(start, end, own))
    spans.sort(key=lambda span: (span.start, span.end, span.people))
    return Read(tuple(spans), tuple(unknown)[:MAX_UNKNOWN])


def _moment(when: date | datetime, location: str, *, last: bool = False) -> int:
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001 - a day of the calendar on the wall
    if when.tzinfo is None:
        return end_at(when, location) if last else start_at(when, location)
    return int(when.timestamp()) * 1_000


def _people(event: Any, users: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whose an event is: users by name, and what names none."""
    given = [str(one).lower().removeprefix("mailto:") for one in listed(event.get("ATTENDEE"))]
    if known := tuple(dict.fromkeys(users[one] for one in given if one in users)):
        return known, ()
    title = str(event.get("SUMMARY", ""))
    parts = [part.strip() for part in _BETWEEN_NAMES.split(title) if part.strip()]
    known = tuple(dict.fromkeys(users[part.lower()] for part in parts if part.lower() in users))
    if not known:
        addresses = (found.lower() for found in _ADDRESS.findall(title))
        known = tuple(dict.fromkeys(users[one] for one in addresses if one in users))
        parts = [title] if not known else []
    return known, tuple(part[:80] for part in parts if part.lower() not in users)


# --- out -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A shift as others' calendars show it: `key` stays the same as long as it begins at the same time."""

    key: str
    shift: Shift
    title: str


def write(name: str, entries: Iterable[Entry], now: int) -> str:
    """A calendar with these shifts; gaps do not stand in it."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tocsin//On call//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for entry in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_escaped(entry.key)}-{entry.shift.start}@tocsin",
            f"DTSTAMP:{_stamp(now)}",
            f"DTSTART:{_stamp(entry.shift.start)}",
            f"DTEND:{_stamp(entry.shift.end)}",
            f"SUMMARY:{_escaped(entry.title)}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _stamp(at: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    text = "".join(char for char in text if char.isprintable() or char == "\n")
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Lines of at most `_LINE` bytes; those that go on begin with a space."""
    part, size = "", 0
    for char in line:
        more = len(char.encode(errors="replace"))
        if size + more > _LINE:
            yield part
            part, size = " ", 1
        part, size = part + char, size + more
    yield part
