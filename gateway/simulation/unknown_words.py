"""Labels of simulated alerts that look mistyped: nearly as a configuration asks for them, but not quite.

Alerts may have any label, so a word that is like none of the configuration's is never doubted.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from routing.satisfiable import listed
from routing.teams import LABEL as TEAM
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.compile import Plan
    from routing.matchers import Matcher

_NEAR = 0.75


def doubts(plan: Plan, alerts: Iterable[Mapping[str, str]]) -> list[str]:
    """A sentence for each label and value that nothing asks for, where it asks for one nearly like it."""
    known = words(plan)
    found: dict[str, None] = {}
    for labels in alerts:
        for name, value in labels.items():
            if name not in known:
                found |= dict.fromkeys(_about_name(name, known.keys() - labels.keys()))
            elif known[name] and value not in known[name]:
                found |= dict.fromkeys(_about_value(name, value, known[name]))
    return list(found)


def words(plan: Plan) -> dict[str, set[str]]:
    """Each label that the configuration asks for, with the values it names; none where any may be.

    Of severities and teams it has lists, whatever else asks for them.
    """
    known = {
        plan.severities.label: {*plan.severities.names, *plan.severities.aliases},
        TEAM: set(plan.ownership.names),
    }
    listed_ones = {name for name, values in known.items() if values}
    open_ended: set[str] = set()
    for matcher in _matchers(plan):
        values = listed(matcher)
        known.setdefault(matcher.name, set()).update(values or ())
        if values is None and matcher.op in ("=~", "!~"):
            open_ended.add(matcher.name)
    for rule in plan.inhibition.rules:
        for name in rule.equal:
            known.setdefault(name, set())
    for route in walk(plan.root):
        for name in route.group_by or ():
            known.setdefault(name, set())
    open_ended -= listed_ones
    return {name: set() if name in open_ended else values for name, values in known.items()}


def _matchers(plan: Plan) -> Iterator[Matcher]:
    for route in walk(plan.root):
        yield from route.matchers
    for rule in plan.inhibition.rules:
        yield from (*rule.source, *rule.target)
    for team in plan.ownership.rules:
        yield from team.matchers
    for policy in plan.policies.values():
        for step in policy.steps:
            yield from step.when


def _about_name(name: str, known: Iterable[str]) -> Iterator[str]:
    if near := get_close_matches(name, list(known), 1, _NEAR):
        yield f"nothing asks for the label {name!r}; did you mean {near[0]!r}?"


def _about_value(name: str, value: str, known: Iterable[str]) -> Iterator[str]:
    if near := get_close_matches(value, list(known), 1, _NEAR):
        yield f"nothing asks for {name}={value!r}; did you mean {near[0]!r}?"
