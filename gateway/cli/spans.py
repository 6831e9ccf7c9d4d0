"""How a span of time is typed: `--for 2h` or `--until TIME`, from now or from `--start TIME`.

A time is written with its zone, since the clock of whoever types may not be the server's; a duration as in
Prometheus. Where a bare `08:00` is taken, it is the next one in the time zone of this machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import typer
from pydantic_core import PydanticCustomError

from config.values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOCK: Final = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def parse(lasts: str, until: str, start: str) -> Callable[[datetime], dict[str, str]]:
    """What was typed after `--for`, `--until` and `--start`, "" for nothing.

    The answer makes `ends_at` and, where one was given, `starts_at` of the API from the server's clock.

    Raises:
        typer.BadParameter: with what was expected.
    """
    if bool(lasts) == bool(until):
        raise typer.BadParameter("give one of them, not both or none", param_hint="'--for' / '--until'")
    begins = _moment(start, "'--start'") if start else None
    ends = _moment(until, "'--until'") if until else None
    length = timedelta(milliseconds=duration(lasts)) if lasts else timedelta()

    def span(now: datetime) -> dict[str, str]:
        try:
            end = ends or (begins or now) + length
        except OverflowError:
            raise typer.BadParameter("it ends after the year 9999", param_hint="'--for'") from None
        return {"ends_at": end.isoformat()} | ({"starts_at": begins.isoformat()} if begins else {})

    return span


def end(lasts: str, until: str) -> dict[str, str]:
    """What was typed after `--for` or `--until`, as the API takes it: `for`, or `until` with its zone.

    Raises:
        typer.BadParameter: with what was expected.
    """
    if bool(lasts) == bool(until):
        raise typer.BadParameter("give one of them, not both or none", param_hint="'--for' / '--until'")
    if lasts:
        duration(lasts)
        return {"for": lasts}
    return {"until": (_next(until) or _moment(until, "'--until'", "08:00, ")).isoformat()}


def _next(text: str) -> datetime | None:
    """When the clock here shows `08:00` next; None where that is not how a time of day is written."""
    if _CLOCK.fullmatch(text) is None:
        return None
    now = datetime.now().astimezone()
    wanted = time.fromisoformat(text.zfill(5))
    days = (now.date() + timedelta(days=ahead) for ahead in range(3))
    # Of the wall's time the zone is asked each day: tomorrow the clocks may have changed.
    return next(at for day in days if (at := datetime.combine(day, wanted).astimezone()) > now)


def duration(text: str) -> int:
    """Milliseconds of what was typed after `--for`. Raises `typer.BadParameter`."""
    try:
        length = parse_duration(text)
    except PydanticCustomError as error:
        raise typer.BadParameter(error.message(), param_hint="'--for'") from None
    if length <= 0:
        raise typer.BadParameter("it must be longer than 0s", param_hint="'--for'")
    return length


def _moment(text: str, option: str, also: str = "") -> datetime:
    expected = f"expected {also}a time with its zone, such as 2026-11-24T18:00Z or 2026-11-24T18:00+01:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; {expected}", param_hint=option) from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no zone; {expected}", param_hint=option)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise typer.BadParameter(
            f"there is no such time as {text!r}; {expected}", param_hint=option
        ) from None
