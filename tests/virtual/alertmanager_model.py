"""What people are told, by the rules of Alertmanager's documentation, in plain Python.

Alerts go into groups; a group is flushed `group_wait` after it began and then every `group_interval`; a flush
asks of each integration, from what it was told last, whether it is told again (`needs_update`). Where Tocsin
means to differ, the line says `differs`, with its number in docs/decisions/differences.md.

The model knows nothing of Tocsin's code: it is the other of two witnesses. All times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REORDER, CONFIRM = 45_000, 330_000


class Integration(NamedTuple):
    """One way to tell: `ends`, it is told of ends; `updates`, of some ends while others still fire.

    `edits`: it changes a message that people see already (asked in `held_model.py`).
    """

    name: str
    ends: bool
    updates: bool
    edits: bool = False


class Route(NamedTuple):
    key: str
    group_by: tuple[str, ...] | None
    group_wait: int
    group_interval: int
    repeat_interval: int
    integrations: tuple[Integration, ...]


class Copy(NamedTuple):
    """A copy of an alert, as it arrives. `ended` 0: it fires."""

    name: str
    labels: tuple[tuple[str, str], ...]
    start: int
    ended: int


class Told(NamedTuple):
    at: int
    integration: str
    kind: str
    incident: tuple[str, int]  # the group, and the how-manieth of its incidents
    firing: frozenset[str]
    ended: frozenset[str]


@dataclass
class Alert:
    """One alert in one group. `episode` counts those of its beginnings that a flush could tell apart."""

    status: str = ""
    latest_start: int = 0
    ended: int = 0
    ended_seen: int = 0
    episode: int = 0
    present: bool = False  # it takes part in the next flush


@dataclass
class Entry:
    """The notification log of one integration: whom it knows to fire, and since when it was told nothing."""

    firing: set[tuple[str, int]]
    ended: set[tuple[str, int]]
    at: int


@dataclass
class Group:
    route: Route
    name: str
    alerts: dict[str, Alert] = field(default_factory=dict)
    log: dict[str, Entry] = field(default_factory=dict)
    missed: dict[str, set[str]] = field(default_factory=dict)  # ends that an integration has not been shown
    flush_at: int = 0  # 0: there is no such group (any more)
    flushed: bool = False
    opened: int = 0
    incidents: int = 0
    can_go_on: bool = False  # an incident of it was told of
    went_on: bool = False

    def present(self, *statuses: str) -> set[str]:
        return {name for name, alert in self.alerts.items() if alert.present and alert.status in statuses}


class Model:
    """`receive` copies in the order of time, `run` up to a moment; `told` is what came of it."""

    def __init__(self, routes: Callable[[dict[str, str]], Iterable[Route]]) -> None:
        self._routes = routes
        self._groups: dict[tuple[str, tuple[tuple[str, str], ...]], Group] = {}
        self.told: list[Told] = []

    def receive(self, copies: Iterable[Copy], now: int) -> None:
        """One body."""
        self.run(now)
        for copy in copies:
            labels = dict(copy.labels)
            for route in self._routes(labels):
                by = labels if route.group_by is None else route.group_by
                of = tuple(sorted((name, labels[name]) for name in by if name in labels))
                group = self._groups.setdefault((route.key, of), Group(route, f"{route.key} {of}"))
                self._insert(group, copy, now)
        self.run(now)

    def _insert(self, group: Group, copy: Copy, now: int) -> None:
        known = group.alerts.setdefault(copy.name, Alert())
        believed = self._believe(known, copy, now)
        if believed is None:
            return
        if believed == "end":
            known.status, known.ended, known.ended_seen = "resolved", copy.ended, now
            return
        self._fires(group, known, now, goes_on=believed == "on", wait=group.route.group_wait)
        overdue = copy.start + group.route.group_wait < now
        if overdue and not group.flushed:  # it has waited long enough elsewhere
            group.flush_at = min(group.flush_at, now)

    def _believe(self, known: Alert, copy: Copy, now: int) -> str | None:
        """Whether a copy begins an episode, lets one go on, ends it, or (None) is no news (differs: 2, 3)."""
        if copy.ended:
            if known.status == "firing":
                return "end" if copy.ended >= known.latest_start else None
            if not known.status:  # differs 3: an end without a beginning
                known.latest_start, known.ended, known.ended_seen = copy.start, copy.ended, now
            known.status, known.ended = "resolved", max(known.ended, copy.ended)
            return None
        if known.status == "firing":
            known.latest_start = max(known.latest_start, copy.start)
            return None
        if not known.status or copy.start > known.ended:
            known.latest_start = copy.start
            return "new"
        if now - known.ended_seen <= REORDER:  # differs 2: a late copy from the other one of a pair
            known.status = "suspect"
            return None
        return "on"

    def _fires(self, group: Group, alert: Alert, now: int, *, goes_on: bool, wait: int) -> None:
        if not alert.present:  # an end that no flush has seen is none: the alert flapped in between
            alert.episode += 1
        alert.status, alert.present = "firing", True
        resumes = goes_on and group.can_go_on
        if group.flush_at and not (resumes and group.opened == now):
            return
        if group.flush_at:  # what begins in the same body joins what goes on
            group.incidents -= 1 - group.went_on
        group.opened, group.flushed, group.flush_at, group.went_on = now, False, now + wait, resumes
        if resumes:  # differs 4: an incident that was not over goes on without waiting
            group.flush_at = now
        else:
            group.incidents += 1

    def run(self, until: int) -> None:
        """Everything that is due up to and including `until`, in the order of time."""
        while True:
            confirms = [
                (alert.ended_seen + CONFIRM, group, alert)
                for group in self._groups.values()
                for alert in group.alerts.values()
                if alert.status == "suspect"
            ]
            flushes = [group for group in self._groups.values() if group.flush_at]
            due = min([at for at, *_ in confirms] + [group.flush_at for group in flushes], default=until + 1)
            if due > until:
                return
            for at, group, alert in confirms:
                if at == due:  # differs 2: nobody contradicted it
                    self._fires(group, alert, due, goes_on=True, wait=0)
            for group in self._groups.values():
                if group.flush_at == due:
                    self._flush(group, due)

    def _flush(self, group: Group, now: int) -> None:
        firing, ended = group.present("firing"), group.present("resolved", "suspect")
        first = not group.flushed
        group.flushed, group.flush_at = True, now + group.route.group_interval
        for integration in group.route.integrations:
            self._notify(group, integration, now, firing, ended)
        for name in ended:
            group.alerts[name].present = False
        if first:
            group.can_go_on = group.can_go_on or bool(firing)
            if not firing and not group.went_on:
                group.incidents -= 1
        if not firing:  # differs 5: at once, not when Alertmanager's next maintenance finds it empty
            group.flush_at = 0

    def _notify(self, group: Group, to: Integration, now: int, firing: set[str], ended: set[str]) -> None:
        # differs 1: the log holds episodes, not label sets, so a new episode is always told
        fire = {(name, group.alerts[name].episode) for name in firing}
        end = {(name, group.alerts[name].episode) for name in ended}
        missed = (group.missed.pop(to.name, set()) | ended) - firing
        kind = needs_update(group.log.get(to.name), fire, end, now - group.route.repeat_interval, to)
        if kind:
            group.log[to.name] = Entry(fire, end, now)
        if kind and (kind != "end" or to.ends):
            shown = frozenset(missed) if to.ends else frozenset[str]()
            incident = (group.name, group.incidents)
            self.told.append(Told(now, to.name, kind, incident, frozenset(firing), shown))
        elif firing:  # differs 6: ends that were not worth a mail stand in the next one
            group.missed[to.name] = missed


def needs_update(
    entry: Entry | None, fire: set[tuple[str, int]], end: set[tuple[str, int]], repeat: int, to: Integration
) -> str:
    """Alertmanager's decision: "" for none, or what it is to the one who is told."""
    if entry is None:
        return "ring" if fire else ""
    if not fire <= entry.firing:
        return "ring"
    if not fire:
        return "end" if entry.firing else ""
    if to.ends and to.updates and not end <= entry.ended:
        return "update"
    return "ring" if entry.at < repeat else ""
