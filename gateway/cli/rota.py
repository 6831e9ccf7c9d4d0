"""Who is on call, asked of a file or of a running service: the same documents from both.

A file knows nothing of overrides that people made since, nor of calendars behind addresses, and says so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import quote

import typer

from config.problems import did_you_mean
from gateway import ical
from gateway import oncall_view as view
from gateway.cli.client import Client
from gateway.cli.errors import CommandError
from gateway.cli.routes import plan_of
from gateway.named_calendars import AHEAD, PAST, State, calendars_of, file_text, users_of, with_calendars
from gateway.oncall_view import TimeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.schedules import Calendar
    from routing.oncall import Schedule, Span


class Rota(Protocol):
    """Where answers come from. A name that there is not ends the command; times are written as people do."""

    now: int

    def who(self, names: list[str], at: str) -> list[view.OnDuty]:
        """Who is on call at a moment, in these schedules or in all."""
        ...

    def shifts(self, names: list[str], since: str, until: str, person: str = "") -> list[view.Shifts]:
        """The shifts of these schedules, or of all."""
        ...

    def report(self, names: list[str], since: str, until: str) -> view.Report:
        """How on-call time is spread, in one schedule or in all."""
        ...

    def overrides(self, names: list[str], state: str) -> list[view.ShownOverride]:
        """Overrides that are kept where we ask."""
        ...


def rota(config: Path | None, server: str, token: str) -> Rota:
    """That of a file if there is one, else of a service."""
    return FileRota(config) if config else ServerRota(Client(server, token))


class ServerRota:
    """A running service."""

    def __init__(self, client: Client) -> None:
        self._client = client
        answer = client.get("/schedules")
        self.now = int(answer.at.timestamp() * 1_000)
        self.schedules: dict[str, dict[str, Any]] = {
            str(one.get("schedule")): one for one in answer.body.get("schedules") or []
        }

    def who(self, names: list[str], at: str) -> list[view.OnDuty]:
        wanted = chosen(names, self.schedules)
        found = self._client.get("/oncall", {"at": at}).body.get("schedules") or []
        return [one for one in found if one.get("schedule") in wanted]

    def shifts(self, names: list[str], since: str, until: str, person: str = "") -> list[view.Shifts]:
        query = {"from": since, "to": until} | ({"person": person} if person else {})
        return [
            cast("view.Shifts", self._client.get(f"/schedules/{quote(name, safe='')}/shifts", query).body)
            for name in chosen(names, self.schedules)
        ]

    def report(self, names: list[str], since: str, until: str) -> view.Report:
        one = {"schedule": chosen(names, self.schedules)[0]} if names else {}
        query = {"from": since, "to": until} | one
        return cast("view.Report", self._client.get("/oncall/report", query).body)

    def overrides(self, names: list[str], state: str) -> list[view.ShownOverride]:
        wanted = chosen(names, self.schedules)
        found = self._client.get("/overrides", {"state": state}).body.get("overrides") or []
        return [one for one in found if one.get("schedule") in wanted]


class FileRota:
    """A configuration file, and the calendars in files that it names."""

    def __init__(self, path: Path) -> None:
        plan = plan_of(path)
        self.now = time.time_ns() // 1_000_000
        self._users = plan.config.users
        self._states: list[State] = []
        named = calendars_of(plan.config.schedules)
        said = {calendar: self._read(name, calendar) for name, calendar in named}
        self.schedules = with_calendars(plan, named, said.__getitem__)

    def _read(self, schedule: str, calendar: Calendar) -> tuple[Span, ...]:
        try:
            text = file_text(calendar)
            found = ical.read(text, calendar, self.now - PAST, self.now + AHEAD, users_of(self._users))
        except ical.CalendarError as error:
            self._states.append(State(schedule, calendar, 0, self.now, str(error)))
            return ()
        self._states.append(State(schedule, calendar, self.now, self.now, unknown=found.unknown))
        return found.spans

    def _chosen(self, names: list[str]) -> list[Schedule]:
        return [self.schedules[name] for name in chosen(names, self.schedules)]

    def who(self, names: list[str], at: str) -> list[view.OnDuty]:
        return [
            view.on_duty(one, (), self._when(at, one.time_zone), self._states) for one in self._chosen(names)
        ]

    def shifts(self, names: list[str], since: str, until: str, person: str = "") -> list[view.Shifts]:
        return [
            view.shifts(one, (), self._span(since, until, one.time_zone), person)
            for one in self._chosen(names)
        ]

    def report(self, names: list[str], since: str, until: str) -> view.Report:
        found = self._chosen(names)
        between = self._span(since, until, found[0].time_zone)
        return view.loads(found, (), between, view.zones(self._users))  # a file knows nothing of pages

    def overrides(self, names: list[str], state: str) -> list[view.ShownOverride]:
        found = [view.override(one, self.now, "file") for two in self._chosen(names) for one in two.overrides]
        return [one for one in found if state == "all" or one["state"] != "ended"]

    def _when(self, at: str, location: str) -> int:
        try:
            return view.when(at, location, self.now)
        except TimeError as error:
            raise typer.BadParameter(str(error), param_hint="'--at'") from None

    def _span(self, since: str, until: str, location: str) -> tuple[int, int]:
        try:
            return view.span(since, until, location, self.now)
        except TimeError as error:
            raise typer.BadParameter(str(error), param_hint="'--from' / '--to'") from None


def chosen(names: list[str], known: Mapping[str, Any]) -> list[str]:
    """The schedules that are asked for; all where none is.

    Raises:
        CommandError: there are none.
        typer.BadParameter: one of them is none.
    """
    if not known:
        raise CommandError("no schedule is configured", "Write one under `schedules` of the configuration.")
    for name in names:
        if name not in known:
            near = did_you_mean(name, list(known)).removeprefix("; ")
            raise typer.BadParameter(
                f"there is no schedule {name!r} {near}".rstrip(), param_hint="'SCHEDULE'"
            )
    return names or list(known)
