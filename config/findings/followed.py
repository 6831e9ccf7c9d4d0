"""How incidents come to policies: which routes lead to each, by themselves or by a hand-over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from routing.matchers import Matcher
from routing.satisfiable import find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.findings.subject import PlacedRoute, Subject
    from config.policies import StepConfig
    from config.problems import Path
    from routing.policies import Policy, Step, Target


class PlacedStep(NamedTuple):
    """A step of the plan, and where it is written."""

    path: Path
    section: StepConfig
    step: Step
    policy: Policy


def steps(subject: Subject) -> Iterator[PlacedStep]:
    """Every step whose keys are known, in the order of the file."""
    for at, section in enumerate(subject.config.escalation_policies):
        policy = subject.plan.policies[section.name]
        for position, (written, step) in enumerate(zip(section.steps, policy.steps, strict=True)):
            path = ("escalation_policies", at, "steps", position)
            if not subject.stands_in(path):
                yield PlacedStep(path, written, step, policy)


def everybody(policy: Policy) -> Iterator[Target]:
    """Whom a policy tells in any of its steps, or instead."""
    for step in policy.steps:
        yield from step.notify
    yield from policy.fallback


def first(subject: Subject) -> Mapping[str, tuple[PlacedRoute, ...]]:
    """Policy -> the routes that name it and that alerts may come to, in the order of the file."""
    found: dict[str, tuple[PlacedRoute, ...]] = {}
    for placed in subject.routes:
        name = placed.route.policy
        if name in subject.plan.policies and not subject.reach.told(placed).never:
            found[name] = (*found.get(name, ()), placed)
    return found


def sooner_or_later(subject: Subject) -> Mapping[str, tuple[PlacedRoute, ...]]:
    """As `first`, with the policies that incidents are handed over to."""
    found: dict[str, dict[PlacedRoute, None]] = {}
    for name, routes in first(subject).items():
        for each in _handed_on(subject.plan.policies, name):
            found.setdefault(each, {}).update(dict.fromkeys(routes))
    return {name: tuple(routes) for name, routes in found.items()}


def _handed_on(policies: Mapping[str, Policy], name: str) -> tuple[str, ...]:
    """A policy and all that it may hand over to, in the end."""
    seen = {name: None}
    waiting = [name]
    while waiting:
        for step in policies[waiting.pop()].steps:
            if step.policy in policies and step.policy not in seen:
                seen[step.policy] = None
                waiting.append(step.policy)
    return tuple(seen)


def least_severe(subject: Subject, route: PlacedRoute) -> int:
    """The rank of the least severe alert that may come to a route; the worst has rank 0."""
    severities = subject.plan.severities
    label = severities.label
    words = [*severities.names, *severities.aliases]
    for word in sorted(words, key=lambda word: severities.rank({label: word}), reverse=True):
        if not find([*route.conditions, Matcher(label, "=", word)]).never:
            known = severities.rank({label: word})
            break
    else:
        known = 0
    strange = [Matcher(label, "!=", word) for word in words]
    unknown = severities.rank({}) if not find([*route.conditions, *strange]).never else 0
    return max(known, unknown)
