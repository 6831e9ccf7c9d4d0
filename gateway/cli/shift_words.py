"""How the command line words shifts: people, times by a schedule's clock, what cannot be relied on."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from gateway.cli import output as out
from gateway.cli import times
from gateway.cli.week import HOURS, NOBODY
from routing.calendar import zone as zone_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LEGEND: Final = f"# on call, ! nobody is; {HOURS} hours each"


def people(names: Iterable[str]) -> Text:
    """Those on call; that nobody is, is seen."""
    text = ", ".join(out.plain(name) for name in names)
    return Text(text) if text else Text(NOBODY, style="bold red")


def until(one: Mapping[str, Any]) -> str:
    """Until when, and who comes then."""
    if not one.get("next"):
        return "no end within 400 days"
    return f"{clock(one['until'], one['time_zone'])}, then {people(one['next']['people']).plain}"


def clock(value: object, location: str) -> str:
    """A time of the API by the clock there: `Mon 2026-11-30 09:00 CET`."""
    moment = times.parse(value)
    return f"{moment.astimezone(zone(location)):%a %Y-%m-%d %H:%M %Z}" if moment else "-"


def zone(location: str) -> tzinfo | None:
    """The time zone there; UTC where the server knows it and this machine does not."""
    try:
        return zone_at(location)
    except (LookupError, ValueError, OSError):
        return UTC


def heading(schedule: str, location: str) -> Text:
    """What stands above a schedule's calendar."""
    return Text.assemble((out.plain(schedule), "bold"), f"  {out.plain(location)}  ({_LEGEND})")


def length(shift: Mapping[str, Any]) -> str:
    """How long a shift is."""
    start, end = times.parse(shift.get("start")), times.parse(shift.get("end"))
    return times.length(end - start) if start and end else "-"


def number(value: object) -> str:
    """A figure of a report, `-` for null."""
    return f"{value:g}" if isinstance(value, int | float) else "-"


def spans(shifts: Iterable[Mapping[str, Any]]) -> list[tuple[datetime, datetime, Sequence[str]]]:
    """Shifts of the API with their times."""
    return [
        (start, end, one["people"])
        for one in shifts
        if (start := times.parse(one["start"])) and (end := times.parse(one["end"]))
    ]


def warn(schedules: Iterable[Mapping[str, Any]]) -> None:
    """What cannot be relied on, to stderr."""
    for one in schedules:
        for said in one.get("warnings") or ():
            out.say(f"{out.plain(one.get('schedule'))}: {out.plain(said)}")
