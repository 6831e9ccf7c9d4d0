"""What two configurations do with an alert, as far as it can differ: in terms that can be compared.

A treatment says, for each route that an alert reaches, all that decides who is told of it and when: timers, a
receiver with its integrations, or a policy's steps with those whom they tell. Two alerts with one treatment
are told alike, under whatever route. What only changes texts and colours counts as a difference here: whether
it changes anything for people shows the simulation.

Equal things get equal numbers, whichever of the configurations they stand in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from routing.matchers import Matcher, matches_all
from routing.policies import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.compile import Plan
    from routing.policies import Policy, Step
    from routing.tree import Route

    Conjunction = tuple[Matcher, ...]
    Treatment = tuple[Any, ...]

BEAT: Final[tuple[Any, ...]] = ("beat",)
"""The alert is a sign of life: nobody is told."""

NEVER: Final = Matcher("", "!=", "")
"""A condition that no alert meets: no label has an empty name."""

_ASKED_LATER: Final = ("severity", "team")  # what `when` asks of the incident and not of its labels


class Numbers:
    """A number for each thing, the same for equal ones of one kind and name."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[tuple[object, int]]] = {}
        self._next = 0

    def of(self, kind: str, name: str, thing: object) -> int:
        """The number of a thing, which need not be hashable."""
        bucket = self._known.setdefault((kind, name), [])
        for other, number in bucket:
            if other is thing or other == thing:
                return number
        self._next += 1
        bucket.append((thing, self._next))
        return self._next


class Treatments:
    """What one configuration does with alerts. Those that are compared share their `numbers`."""

    def __init__(self, plan: Plan, numbers: Numbers) -> None:
        self.plan = plan
        self._numbers = numbers
        self._closures: dict[str, tuple[Policy, ...]] = {}
        self._told: dict[tuple[Target, str, str], int] = {}
        self._known: dict[tuple[object, ...], Treatment] = {}
        self._general: dict[str, int] = {}
        self._asked: dict[str, tuple[Conjunction, ...]] = {}
        directory = plan.directory
        people = (directory.users, directory.glob)
        self._people = numbers.of("people", "", people)
        self._teams = numbers.of("teams", "", (directory.teams, directory.defaults))
        self._ownership = numbers.of("ownership", "", plan.ownership)
        self.severities = numbers.of("severities", "", plan.severities)

    def receiver(self, name: str) -> int:
        """The number of all that a receiver is."""
        return self._numbers.of("receiver", name, self.plan.receivers.get(name, ()))

    def closure(self, name: str) -> tuple[Policy, ...]:
        """A policy and all those that it can hand over to, each once."""
        if name not in self._closures:
            found: dict[str, Policy] = {}
            waiting = [name]
            while waiting:
                one = waiting.pop(0)
                if one in found or one not in self.plan.policies:
                    continue
                found[one] = self.plan.policies[one]
                waiting += [step.policy for step in found[one].steps if step.policy]
            self._closures[name] = tuple(found.values())
        return self._closures[name]

    def conditions(self, route: Route) -> tuple[Conjunction, ...]:
        """What the steps of a route's policies ask of an alert's labels, one conjunction for each step.

        A label that does not make the group is no label of the incident, so it counts as missing.
        """
        if route.key not in self._asked:
            self._asked[route.key] = tuple(
                _of_group(route, step.when) for policy in self.closure(route.policy) for step in policy.steps
            )
        return self._asked[route.key]

    def general(self, route: Route) -> int:
        """A number that is the same only if two routes treat every alert alike that both take."""
        if route.key not in self._general:
            self._general[route.key] = self._general_of(route)
        return self._general[route.key]

    def _general_of(self, route: Route) -> int:
        policies = self.closure(route.policy)
        receivers = {
            target.name
            for policy in policies
            for targets in (policy.fallback, *(step.notify for step in policy.steps))
            for target in targets
            if target.kind == "receiver"
        }
        schedules = self.plan.schedules if self._asks_schedules(policies) else {}
        teamed = (self._people, self._teams, self._ownership, self.severities, route.team) if policies else ()
        return self._numbers.of(
            "general",
            route.policy or route.receiver,
            (
                self.timers(route),
                self.receiver(route.receiver) if not route.policy else 0,
                policies,
                tuple((name, self.receiver(name)) for name in sorted(receivers)),
                schedules,
                teamed,
            ),
        )

    def timers(self, route: Route) -> int:
        """A number of all that a route says itself about times and grouping."""
        parts = (route.group_by, route.group_wait, route.group_interval, route.mute, route.active)
        repeat = 0 if route.policy else route.repeat_interval
        return self._numbers.of("timers", "", (*parts, repeat))

    def of_route(self, route: Route, team: str, rank: int, met: Sequence[bool]) -> Treatment:
        """What a route does with an alert of this team and severity.

        `met` says of each of `conditions` whether the alert meets it.
        """
        if not route.policy:
            return ("receiver", route.receiver, self.timers(route), self.receiver(route.receiver))
        key = (self.general(route), route.policy, team, rank, tuple(met))
        if key not in self._known:
            self._known[key] = self._of_policy(route, team, rank, met)
        return self._known[key]

    def _of_policy(self, route: Route, team: str, rank: int, met: Sequence[bool]) -> Treatment:
        policies = self.closure(route.policy)
        severity = self.plan.severities.name(rank)
        raised = {step.severity for policy in policies for step in policy.steps if step.severity}
        asked: set[str] = set()
        found: list[object] = ["policy", self.timers(route)]
        answers = iter(met)
        for policy in policies:
            live = [step for step in policy.steps if next(answers)]
            asked |= {matcher.name for step in live for matcher in step.when} & {*_ASKED_LATER}
            steps = tuple(self._of_step(step, team, severity, raised) for step in live)
            last = tuple(self._of_target(one, team, severity, raised) for one in policy.fallback)
            rest = replace(policy, steps=())
            found.append((policy.name, self._numbers.of("policy", policy.name, rest), steps, last))
        if raised or "severity" in asked:
            found.append((self.severities, rank))
        if "team" in asked:
            found.append(team)
        return tuple(found)

    def _of_step(self, step: Step, team: str, severity: str, raised: set[str]) -> object:
        later = tuple(matcher for matcher in step.when if matcher.name in _ASKED_LATER)
        told = tuple(self._of_target(target, team, severity, raised) for target in step.notify)
        return self._numbers.of("step", "", replace(step, when=later)), told

    def _of_target(self, target: Target, team: str, severity: str, raised: set[str]) -> object:
        directory = self.plan.directory
        if (name := directory.schedule_of(target, team)) is not None:
            schedule = self._numbers.of("schedule", name, self.plan.schedules.get(name))
            return "on call", name, schedule, self._people, severity if self._by_severity() else ""
        return tuple(self._told_by(target, team, one) for one in (severity, *sorted(raised)))

    def _told_by(self, target: Target, team: str, severity: str) -> int:
        key = (target, team if target.kind == "team" else "", severity)
        if key not in self._told:
            ways = self.plan.directory.integrations((target,), team, severity)
            self._told[key] = self._numbers.of("told", f"{target} of {team}", ways)
        return self._told[key]

    def _by_severity(self) -> bool:
        return any(user.contact for user in self.plan.directory.users.values())

    def _asks_schedules(self, policies: Sequence[Policy]) -> bool:
        targets = [
            target
            for policy in policies
            for some in (policy.fallback, *(step.notify for step in policy.steps))
            for target in some
        ]
        return any(one.kind == "schedule" or one == Target("team", "on_call") for one in targets)

    def of_alert(self, routes: Sequence[Route], labels: Mapping[str, str]) -> Treatment:
        """What the configuration does with an alert that reaches these routes."""
        plan = self.plan
        if plan.heartbeats.beaten_by(labels):
            return BEAT
        rank = plan.severities.rank(labels)
        told = tuple(
            self.of_route(
                route,
                plan.team_of(labels, route),
                rank,
                [matches_all(one, labels) for one in self.conditions(route)],
            )
            for route in routes
        )
        return self.whole(told, waits=bool(plan.inhibition.roles(labels).targets))

    def whole(self, told: tuple[Treatment, ...], *, waits: bool) -> Treatment:
        """The treatment of an alert by all its routes; `waits`: a rule could inhibit it, so it waits."""
        return (self.plan.inhibit_grace if waits else 0, *told)


def _of_group(route: Route, when: Conjunction) -> Conjunction:
    """What is asked of the labels that make the group; those that it does not have are missing."""
    found: list[Matcher] = []
    for matcher in when:
        if matcher.name in _ASKED_LATER:
            continue
        if route.group_by is None or matcher.name in route.group_by:
            found.append(matcher)
        elif not matcher.matches({}):
            return (NEVER,)
    return tuple(found)
