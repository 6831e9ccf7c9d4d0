"""How a span of time is typed: `--for 2h` or `--until TIME`, from now or from `--start TIME`.

A time is written with its zone, since the clock of whoever types may not be the server's; a duration as in
Prometheus.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer
from pydantic_core import PydanticCustomError

from config.values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable


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
    length = timedelta(milliseconds=_duration(lasts)) if lasts else timedelta()

    def span(now: datetime) -> dict[str, str]:
        try:
            end = ends or (begins or now) + length
        except OverflowError:
            raise typer.BadParameter("it ends after the year 9999", param_hint="'--for'") from None
        return {"ends_at": end.isoformat()} | ({"starts_at": begins.isoformat()} if begins else {})

    return span


def _duration(text: str) -> int:
    try:
        length = parse_duration(text)
    except PydanticCustomError as error:
        raise typer.BadParameter(error.message(), param_hint="'--for'") from None
    if length <= 0:
        raise typer.BadParameter("a silence lasts longer than 0s", param_hint="'--for'")
    return length


def _moment(text: str, option: str) -> datetime:
    expected = "expected a time with its zone, such as 2026-11-24T18:00Z or 2026-11-24T18:00+01:00"
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
