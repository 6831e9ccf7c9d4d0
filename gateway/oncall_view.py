"""Who is on call, as it is shown: the same documents for the API, the command line and whoever else asks.

Made from schedules and overrides alone, so that the command line can answer from a file. A time without a
zone is meant by the clock of each schedule. Times are milliseconds, in documents RFC 3339 in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.schedules import local_time
from config.values import parse_duration
from gateway.api.shapes import moment
from routing import oncall
from routing.calendar import HORIZON
from routing.oncall_report import report
from routing.wall_clock import start_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.users import UserConfig
    from gateway.named_calendars import State
    from routing.oncall import Override, Schedule

LONGEST: Final = HORIZON  # that one question may span
_LATEST: Final = 253_370_764_800_000  # the year 9999


class Next(TypedDict):
    """The next shift change: who is on call from then on, if anybody."""

    start: str | None
    people: list[str]


class OnDuty(TypedDict):
    """Who is on call in a schedule, until when, and who is next (null: nothing changes within a year).

    `warnings` say what cannot be relied on: a calendar that cannot be read, a name in it that is no user.
    """

    schedule: str
    time_zone: str
    people: list[str]
    until: str | None
    next: Next | None
    warnings: list[str]


class OnCallAt(TypedDict):
    """Who is on call at a moment."""

    schedules: list[OnDuty]


class Shift(TypedDict):
    """A time without a change of those on call; without people it is a gap."""

    start: str | None
    end: str | None
    people: list[str]


class Shifts(TypedDict):
    """The shifts of a schedule between two moments, and the gaps between them."""

    schedule: str
    time_zone: str
    start: str | None
    end: str | None
    shifts: list[Shift]


class Load(TypedDict):
    """What one person bears: hours on call, of these at night and at weekends, how many nights and weekends.

    `pages` is how often the person was told of an incident, null where that is not known.
    """

    person: str
    hours: float
    shifts: int
    night_hours: float
    nights: int
    weekend_hours: float
    weekends: int
    pages: int | None


class Report(TypedDict):
    """How on-call time is spread over people between two moments."""

    start: str | None
    end: str | None
    people: list[Load]


class ShownOverride(TypedDict):
    """Others are on call for a while; `instead_of`: only that person is replaced, null for all.

    `source` is `file` where it stands in the configuration, which alone can remove it.
    """

    id: str
    schedule: str
    start: str | None
    end: str | None
    people: list[str]
    instead_of: str | None
    by: str
    comment: str
    source: Literal["file", "store"]
    state: Literal["pending", "active", "ended"]


class TimeError(ValueError):
    """A time or a duration is written wrongly; the message says what was expected."""


def when(text: str, location: str, now: int) -> int:
    """A moment as people write it: `now`, `+2h`, `-28d`, with a zone, or else by the clock at `location`.

    Raises:
        TimeError: it is no such time.
    """
    if text == "now":
        return now
    expected = "expected a time such as 2026-12-24T18:00Z, or by the schedule's clock 2026-12-24 18:00"
    try:
        if text[:1] in ("+", "-"):
            return now + parse_duration(text[1:]) * (1 if text[0] == "+" else -1)
        found = datetime.fromisoformat(text.upper())
        at = int(found.timestamp() * 1_000) if found.tzinfo else start_at(local_time(text), location)
    except (PydanticCustomError, ValueError, OverflowError):
        raise TimeError(f"{text[:40]!r} is no time; {expected}") from None
    if not 0 <= at < _LATEST:
        raise TimeError(f"{text[:40]!r} is too far away; {expected}")
    return at


def span(since: str, until: str, location: str, now: int) -> tuple[int, int]:
    """Two moments, as `when` reads them, the second after the first and at most `LONGEST` later.

    Raises:
        TimeError: they are not.
    """
    begin, end = when(since, location, now), when(until, location, now)
    if end <= begin:
        raise TimeError(f"it ends at {until}, which is not after {since}")
    if end - begin > LONGEST:
        raise TimeError(f"it spans more than {LONGEST // 86_400_000} days; ask for less")
    return begin, end


def on_duty(
    schedule: Schedule, overrides: Sequence[Override], at: int, states: Iterable[State] = ()
) -> OnDuty:
    """Who is on call in a schedule at a moment."""
    change = oncall.next_change(schedule, at, overrides)
    later = oncall.on_call(schedule, change, overrides) if change else ()
    return {
        "schedule": schedule.name,
        "time_zone": schedule.time_zone,
        "people": list(oncall.on_call(schedule, at, overrides)),
        "until": moment(change),
        "next": {"start": moment(change), "people": list(later)} if change else None,
        "warnings": [said for state in states if state.schedule == schedule.name for said in warnings(state)],
    }


def warnings(state: State) -> list[str]:
    """What cannot be relied on in a calendar, in words."""
    found = []
    where = f"the calendar {state.calendar.where}"
    if state.error and state.read_at:
        found.append(f"{where} cannot be read: {state.error}; what it said at {moment(state.read_at)} counts")
    elif state.error:
        found.append(f"{where} cannot be read: {state.error}; it never was, so its layer is empty")
    elif not state.read_at:
        found.append(f"{where} has not been read yet, so its layer is empty")
    if state.unknown:
        found.append(f"{where} names nobody among the users with {', '.join(state.unknown[:5])}")
    return found


def shifts(
    schedule: Schedule, overrides: Iterable[Override], between: tuple[int, int], person: str = ""
) -> Shifts:
    """The shifts of a schedule between two moments, or those of one person in it."""
    since, until = between
    found: Iterable[oncall.Shift] = oncall.shifts(schedule, since, until, overrides)
    if person:
        found = oncall.by_person(found).get(person, ())
    return {
        "schedule": schedule.name,
        "time_zone": schedule.time_zone,
        "start": moment(since),
        "end": moment(until),
        "shifts": [
            {"start": moment(one.start), "end": moment(one.end), "people": list(one.people)} for one in found
        ],
    }


def zones(users: Iterable[UserConfig]) -> dict[str, str]:
    """Where people live, as far as the configuration says so."""
    return {user.name: user.time_zone for user in users if "time_zone" in user.model_fields_set}


def loads(
    schedules: Iterable[Schedule],
    overrides: Iterable[Override],
    between: tuple[int, int],
    living: Mapping[str, str],
    pages: Mapping[str, int] | None = None,
) -> Report:
    """How on-call time is spread between two moments; `living` says where people do (see `zones`)."""
    since, until = between

    def hours(time: int) -> float:
        return round(time / 3_600_000, 2)

    return {
        "start": moment(since),
        "end": moment(until),
        "people": [
            {
                "person": one.person,
                "hours": hours(one.time),
                "shifts": one.shifts,
                "night_hours": hours(one.night_time),
                "nights": one.nights,
                "weekend_hours": hours(one.weekend_time),
                "weekends": one.weekends,
                "pages": None if pages is None else pages.get(one.person, 0),
            }
            for one in report(schedules, since, until, overrides, living)
        ],
    }


def override(one: Override, now: int, source: Literal["file", "store"]) -> ShownOverride:
    """An override; `source` is `file` or `store`."""
    over = one.end <= max(now, one.start)
    return {
        "id": one.id,
        "schedule": one.schedule,
        "start": moment(one.start),
        "end": moment(one.end),
        "people": list(one.people),
        "instead_of": one.instead_of or None,
        "by": one.by,
        "comment": one.comment,
        "source": source,
        "state": "ended" if over else "active" if one.start <= now else "pending",
    }
