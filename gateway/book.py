"""The book that decisions are made by: the policies in force, and who a target is now.

Who is on call becomes people, people and teams become addresses (`config/targets.py`), and each address is
found again by its place when a delivery is made for it. One book serves one decision.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from config.integrations import EmailConfig
from config.people import WAYS
from config.problems import did_you_mean
from receivers import traits
from routing.clocks import Reached, Way
from routing.policies import Target
from routing.whom import BY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.compile import Integration
    from gateway.placing import Placing
    from receivers.base import Traits
    from routing.incident_records import Incident
    from routing.policies import Policy


class Rota(Protocol):
    """Who is on call (`gateway/oncall.py`)."""

    def people(self, schedule: str, at: int) -> tuple[str, ...]:
        """Names of users; empty where nobody is."""
        ...

    def next_covered(self, schedule: str, at: int) -> int | None:
        """The first moment from `at` on at which somebody is."""
        ...


class _Nobody:
    """Before anybody knows the schedules."""

    def people(self, schedule: str, at: int) -> tuple[str, ...]:
        del schedule, at
        return ()

    def next_covered(self, schedule: str, at: int) -> int | None:
        del schedule, at
        return None


NOBODY_ON_CALL: Final[Rota] = _Nobody()


class PlanBook:
    """`routing.clocks.Book`, by one plan."""

    def __init__(self, placing: Placing, rota: Rota, now: int = 0) -> None:
        """Of times before `now` nobody is asked: what comes late tells who is on call by then."""
        self._now = now
        self._placing = placing
        self._directory = placing.plan.directory
        self._rota = rota
        self._at: dict[str, Integration] = {}

    def at(self, place: str) -> Integration:
        """What tells this place, which was reached before. Raises KeyError for any other."""
        return self._at[place]

    def fields(self, place: str, incident: Incident) -> dict[str, Any]:
        """See `routing.deciding.Addresses`. Raises KeyError as `at` does."""
        integration = self.at(place)
        traits = self._traits(integration)
        return {
            "receiver": integration.receiver,
            "person": integration.person,
            "kind": integration.kind,
            "index": integration.index,
            "target": traits.target,
            "where": traits.where or traits.target,
            "slots": traits.slots,
            # Whom a policy tells sees the end too, whatever is set for a receiver by itself.
            "ends": int(integration.config.send_resolved or traits.edits or bool(incident.policy)),
            "updates": int(traits.updates),
            "edits": int(traits.edits),
        }

    def policy(self, name: str) -> Policy | None:
        """See `Book.policy`."""
        return self._placing.plan.policies.get(name)

    def severity(self, name: str) -> int:
        """See `Book.severity`."""
        severities = self._placing.plan.severities
        return severities.rank({severities.label: name})

    def reach(self, targets: Iterable[Target], incident: Incident, at: int) -> Reached:
        """See `Book.reach`."""
        ways: list[Way] = []
        uncovered: list[str] = []
        covered: list[int] = []
        at = max(at, self._now)
        for target in targets:
            schedule = self._schedule(target, incident.team)
            if schedule is None:
                ways += self._ways(target, "", incident)
                continue
            people, next_at = self._on_call(schedule, at)
            for person in people:
                ways += self._ways(Target("user", person), f" (on call, {schedule})", incident)
            if not people:
                uncovered.append(schedule or f"team {incident.team or 'none'}, which has no schedule")
                covered += [next_at] if next_at else []
        return Reached(_once(ways), tuple(uncovered), min(covered, default=0))

    def _on_call(self, schedule: str, at: int) -> tuple[tuple[str, ...], int | None]:
        """Who is, else when somebody will be. A fault there makes nobody on call: others are told then."""
        if not schedule:
            return (), None
        try:
            people = self._rota.people(schedule, at)
            return people, None if people else self._rota.next_covered(schedule, at)
        except Exception:  # noqa: BLE001 - it is logged with its traceback
            import structlog  # noqa: PLC0415 - a simulation does not wait for what it does not use

            structlog.get_logger().exception("oncall.failed", schedule=schedule)
            return (), None

    def last_resort(self, incident: Incident, at: int) -> Reached:
        """See `Book.last_resort`: the root's receiver."""
        return self.reach((Target("receiver", self._placing.plan.root.receiver),), incident, at)

    def unknown(self, target: Target) -> str:
        """Why a target that a person named cannot be told, "" if it can."""
        directory = self._directory
        known: dict[str, Iterable[str]] = {
            "user": directory.users,
            "receiver": directory.receivers,
            "schedule": self._placing.plan.schedules,
            "team": WAYS,
        }
        names = list(known[target.kind])
        if target.name in names:
            return ""
        return f"There is no {target.kind} {target.name!r}{did_you_mean(target.name, names)}."

    def _schedule(self, target: Target, team: str) -> str | None:
        """The schedule that a target asks, "" for a team's that has none; None for any other target."""
        if target.kind == "schedule":
            return target.name
        if (target.kind, target.name) == ("team", "on_call"):
            return self._directory.on_call_of(team)
        return None

    def _ways(self, target: Target, note: str, incident: Incident) -> Iterator[Way]:
        plain = target.kind == "receiver" and not incident.policy
        if plain:
            found = self._placing.integrations(target.name)
        else:
            found = self._placing.told(target, incident.team, incident.severity)
        for one in found:
            yield Way(self._place(one, twice=plain), self._spoken(one, note), target, one.delay)

    def _spoken(self, one: Integration, note: str) -> str:
        """Who is told, and by what, for people: `dana (on call, weekly) by Slack`, `team db by mail`."""
        channel = getattr(one.config, "channel", "")
        who, way = one.receiver, ""
        if who not in self._directory.receivers:
            who, _, way = who.rpartition(": ")
        if way in ("lead", "manager"):
            who = f"{one.person} ({way} of {who})" if one.person else f"{way} of {who}"
        elif one.person:
            who = f"{one.person}{note}"
        elif channel:
            who = f"{channel} ({who})"
        return f"{who} by {BY[one.kind]}"

    def _traits(self, integration: Integration) -> Traits:
        return traits.of(integration.kind, integration.config)

    def _place(self, integration: Integration, *, twice: bool) -> str:
        """Two integrations with one address are two places if they tell it differently.

        `twice`: even if they do not, as Alertmanager would tell a receiver that has the same one twice.
        """
        traits = self._traits(integration)
        place = first = f"{integration.kind}:{traits.target}"
        if isinstance(integration.config, EmailConfig):  # whose target is a server, whoever reads it
            place = first = f"{first}:{integration.config.to}"
        number = 1
        while (known := self._at.get(place, integration)) is not integration:
            if known.config == integration.config and not twice:
                break
            number += 1
            place = f"{first}#{number}"
        self._at.setdefault(place, integration)
        return place


def _once(ways: Iterable[Way]) -> tuple[Way, ...]:
    """Each place once, as early as any of its ways."""
    found: dict[str, Way] = {}
    for way in ways:
        known = found.get(way.place)
        found[way.place] = replace(known, delay=min(known.delay, way.delay)) if known else way
    return tuple(found.values())
