"""What a story of weeks comes down to: who would have been paged how often, when, and woken how often.

A ring is a notification that is heard. A page is a ring that reaches a person: one to a user, or to
PagerDuty, which calls somebody (as in `routing/stats.py`); several of one person, about one incident and
within a minute, are one. A person is woken by a page at night, from 22 to 7 by the clock where they live,
unless a page of the hour before has done so already. Its size does not grow with their number.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from gateway.simulation.run import simulate
from routing.stats import Zones
from routing.story import Arrived
from routing.wall_clock import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.compile import Plan
    from gateway.simulation.run import Failure
    from routing.oncall import Override
    from routing.story import Happening, Notification

DAY: Final = 86_400_000
TOGETHER: Final = 60_000
ASLEEP_AGAIN: Final = 3_600_000
NIGHT: Final = (*range(22, 24), *range(7))
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_FOREVER: Final = 1 << 53
_HOUR: Final = 3_600  # seconds, as `clock` counts them
_THURSDAY: Final = 3  # on which 1970 began, counted from Monday


@dataclass(slots=True)
class Person:
    """How often somebody is paged: in all, at night, and woken."""

    pages: int = 0
    at_night: int = 0
    woken: int = 0


@dataclass(slots=True)
class Summary:
    """What was added up between `began` and `ended` (ms).

    Attributes:
        alerts: copies of alerts that arrived.
        incidents: those of which somebody was told.
        rings: all that was heard, posts in channels and mails to teams too.
        people, teams, receivers: pages by user, by the incident's team ("" for none), and rings by receiver.
        hours: pages by weekday from Monday, and hour of the day, where whoever is paged lives.
        days: pages by day, counted from 1970, there.
    """

    began: int = 0
    ended: int = 0
    alerts: int = 0
    incidents: int = 0
    rings: int = 0
    pages: int = 0
    at_night: int = 0
    people: dict[str, Person] = field(default_factory=dict)
    teams: Counter[str] = field(default_factory=Counter)
    receivers: Counter[str] = field(default_factory=Counter)
    hours: list[list[int]] = field(default_factory=lambda: [[0] * 24 for _ in WEEKDAYS])
    days: Counter[int] = field(default_factory=Counter)

    @property
    def woken(self) -> int:
        """How often people are woken."""
        return sum(person.woken for person in self.people.values())

    @property
    def by_hour(self) -> list[int]:
        """Pages by hour of the day."""
        return [sum(day[hour] for day in self.hours) for hour in range(24)]

    @property
    def by_weekday(self) -> list[int]:
        """Pages by weekday."""
        return [sum(day) for day in self.hours]


class Tally:
    """Adds up notifications as they are told, in the order of time."""

    def __init__(self, zones: Zones) -> None:
        self.summary = Summary()
        self._zones = zones
        self._told = bytearray()  # by incident, which are numbered from 1: a byte each
        self._paged: dict[
            tuple[str, str], tuple[int, int]
        ] = {}  # who -> incident and time of their last page

    def add(self, one: Notification) -> None:
        """One that somebody took."""
        found = self.summary
        if not self._was_told(one.incident):
            found.incidents += 1
        if one.kind != "ring":
            return
        found.rings += 1
        if one.target_kind == "receiver":
            found.receivers[one.target] += 1
        person = one.target if one.target_kind == "user" else ""
        if person or one.by == "pagerduty":
            self._page(one, person)

    def _was_told(self, incident: int) -> bool:
        if (missing := incident + 1 - len(self._told)) > 0:
            self._told += bytes(missing)
        told, self._told[incident] = self._told[incident], 1
        return bool(told)

    def _page(self, one: Notification, person: str) -> None:
        found, who = self.summary, (one.target_kind, one.target)
        incident, before = self._paged.get(who, (0, -_FOREVER))
        self._paged[who] = (one.incident, one.at)
        if incident == one.incident and one.at - before < TOGETHER:
            return
        day, second = divmod(clock(self._zones.of(person, one.team), one.at), 24 * _HOUR)
        night = second // _HOUR in NIGHT
        found.pages += 1
        found.at_night += night
        found.teams[one.team] += 1
        found.days[day] += 1
        found.hours[(day + _THURSDAY) % 7][second // _HOUR] += 1
        if person:
            theirs = found.people.setdefault(person, Person())
            theirs.pages += 1
            theirs.at_night += night
            theirs.woken += night and one.at - before >= ASLEEP_AGAIN


def of(
    plan: Plan,
    happenings: Iterable[Happening],
    *,
    zone: str = "UTC",
    failures: Sequence[Failure] = (),
    overrides: Sequence[Override] = (),
) -> Summary:
    """What `happenings` come to by `plan`, up to the last of them; empty if nothing happens.

    `zone`: where those live of whom the plan does not say it. Takes bounded memory, however many there are.
    Raises what reading `happenings` raises.
    """
    tally = Tally(zones_of(plan, zone))
    found = tally.summary
    watched = _watched(happenings, found)
    first = next(watched, None)
    if first is None:
        return found
    found.began = first.at

    with suppress(_OverError):
        simulate(
            plan,
            chain([first], watched),
            began=first.at,
            until=_FOREVER,
            failures=failures,
            overrides=overrides,
            tell=tally.add,
        )
    return found


class _OverError(Exception):
    """The last has happened, and what would follow does not count: it may go on for ever."""


def _watched(happenings: Iterable[Happening], found: Summary) -> Iterator[Happening]:
    for one in happenings:
        if isinstance(one, Arrived):
            found.alerts += len(one.arrivals)
        found.ended = one.at
        yield one
    if found.ended:
        raise _OverError


def zones_of(plan: Plan, default: str) -> Zones:
    """People live where they say; a team, where its on-call schedule's clock hangs."""
    schedules = {team: plan.schedules.get(plan.directory.on_call_of(team)) for team in (*plan.teams, "")}
    return Zones(
        people={user.name: user.time_zone for user in plan.config.users},
        teams={team: schedule.time_zone for team, schedule in schedules.items() if schedule},
        default=default,
    )
