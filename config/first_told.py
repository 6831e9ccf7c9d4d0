"""Who is told of an alert at once, as far as that is known beforehand: for commands and checks.

By a receiver, all of it. By a policy, whom its steps without `after` name; where none of these can be
reached, whoever is told instead. Who is on call is known only when the time comes. What really happens
decides `routing/escalation.py`, by the same rules.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from routing.matchers import matches_all
from routing.policies import Target
from routing.tree import group_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from config.compile import Plan
    from config.filled import Integration
    from routing.matchers import Matcher
    from routing.tree import Route


class FirstTold(NamedTuple):
    """Integrations, `instead_of` set where they stand in for others; schedules whose on-call is told."""

    integrations: tuple[Integration, ...] = ()
    schedules: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """In words, each once."""
        told = [
            f"{one.receiver} instead of {one.instead_of}" if one.instead_of else one.receiver
            for one in self.integrations
        ]
        told += [f"whoever is on call in {name}" for name in self.schedules]
        return tuple(dict.fromkeys(told))


def told_of(labels: Mapping[str, str], route: Route, plan: Plan) -> FirstTold:
    """Who is told of an alert with these labels by a route that takes it."""
    if not route.policy:
        return FirstTold(plan.receivers.get(route.receiver, ()))
    team, severity = plan.team_of(labels, route), plan.severities.name(plan.severities.rank(labels))
    incident = {**group_labels(route, labels), "severity": severity, "team": team}
    return told_by(route.policy, team, severity, plan, lambda when: matches_all(when, incident))


def told_by(
    policy: str, team: str, severity: str, plan: Plan, meets: Callable[[tuple[Matcher, ...]], bool]
) -> FirstTold:
    """Who is told by a policy of an incident of a team, "" for none; `meets` says which `when` it meets."""
    known = plan.policies.get(policy)
    steps = [step for step in known.steps if meets(step.when)] if known else []
    wanted = [target for step in steps if not step.after for target in step.notify]
    if known and not wanted:
        return FirstTold()
    if found := _reached(wanted, team, severity, plan):
        return found
    instead = [step.notify for step in steps if step.after and step.unless == "acknowledged"]
    instead += [known.fallback] if known else []
    missed = ", ".join(map(str, wanted)) or f"policy: {policy}"
    for targets in (*instead, (Target("receiver", plan.root.receiver),)):
        if found := _reached(targets, team, severity, plan):
            return found._replace(
                integrations=tuple(replace(one, instead_of=missed) for one in found.integrations)
            )
    return FirstTold()


def _reached(targets: Iterable[Target], team: str, severity: str, plan: Plan) -> FirstTold | None:
    """None if none of them can be reached."""
    asked = tuple(targets)
    schedules = [plan.directory.schedule_of(target, team) for target in asked]
    found = FirstTold(
        plan.directory.integrations(asked, team, severity),
        tuple(dict.fromkeys(name for name in schedules if name)),
    )
    return found if any(found) else None
