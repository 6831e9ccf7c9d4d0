"""The calendars that schedules name: which they are, whom they may name, and what a schedule is with them.

It reads those that are files; addresses are read by `calendars.py`, again and again. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from config.schedules import Calendar, calendars
from gateway.ical import MAX_BYTES, CalendarError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from config.compile import Plan
    from config.schedules import ScheduleConfig
    from config.users import UserConfig
    from routing.oncall import Schedule, Span

DAY: Final = 86_400_000
PAST: Final = 100 * DAY
AHEAD: Final = 400 * DAY


@dataclass(frozen=True, slots=True)
class State:
    """How it stands with a calendar: when it was read last, and tried last (0 for never).

    `error` says why the last try failed, "" where it did not; `unknown` is what in it names no user.
    """

    schedule: str
    calendar: Calendar
    read_at: int = 0
    tried_at: int = 0
    error: str = ""
    unknown: tuple[str, ...] = ()


def calendars_of(sections: Iterable[ScheduleConfig]) -> list[tuple[str, Calendar]]:
    """The calendars that these schedules name, with the schedules' names."""
    return [(section.name, calendar) for section in sections for calendar in calendars(section)]


def users_of(users: Iterable[UserConfig]) -> dict[str, str]:
    """By which names calendars may call users, in lower case -> their names."""
    known = list(users)
    addresses = {user.email.lower(): user.name for user in known if user.email}
    return addresses | {user.name.lower(): user.name for user in known}


def with_calendars(
    plan: Plan, named: Iterable[tuple[str, Calendar]], spans: Callable[[Calendar], tuple[Span, ...]]
) -> Mapping[str, Schedule]:
    """The plan's schedules, with the spans of the calendars that they name."""
    filled = dict(plan.schedules)
    for name, calendar in named:
        layers = list(filled[name].layers)
        layer, said = layers[calendar.layer], spans(calendar)
        own = replace(layer, holidays=said) if calendar.holidays else replace(layer, spans=said)
        layers[calendar.layer] = own
        filled[name] = replace(filled[name], layers=tuple(layers))
    return filled


def file_text(calendar: Calendar) -> str:
    """The text of a calendar that is a file.

    Raises:
        CalendarError: with the reason.
    """
    if calendar.file is None:
        raise CalendarError("it has an address, which is read by the service only")
    try:
        with calendar.file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CalendarError(f"the file cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise CalendarError(f"larger than {MAX_BYTES >> 20} MiB")
    return data.decode(errors="replace")
