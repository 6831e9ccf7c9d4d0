"""Alerts that a first file of tests may be made of: what rule files make, and an example for each way in.

From rule files comes an alert for each rule and route that it may go to. From the configuration alone come
examples, found by `routing/satisfiable.py`: for each route alerts of each severity and team, for each step
with a condition one that meets it, for each inhibition rule a source and a target. Which of them are kept,
and what is expected of them, says `first_tests.py`; nothing is simulated here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from config.alert_labels import NAME
from config.findings.followed import sooner_or_later, steps
from config.findings.inhibition_cases import chain
from routing.matchers import Matcher, matches_all
from routing.teams import LABEL as TEAM
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from config.findings.alerts import RuleAlert
    from config.findings.subject import PlacedRoute, Subject
    from routing.partial import PartialLabels, Values

MAX_ROUTES: Final = 5  # to which one rule's alerts may go, with a candidate each
MAX_EXAMPLES: Final = 4_000  # of routes, severities and teams together; with more of them, teams are left out

_EXAMPLE: Final = Matcher(NAME, "=", "Example")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Alerts that begin to fire together.

    `always`: it is a test whatever follows from it; others only where something new does.
    """

    name: str
    alerts: tuple[Mapping[str, str], ...]
    always: bool = False


def candidates(subject: Subject) -> Iterator[Candidate]:
    """All of them, those of rule files first, no two alike; a beat of a heartbeat is no alert."""
    beaten_by = subject.plan.heartbeats.beaten_by
    seen: set[tuple[tuple[tuple[str, str], ...], ...]] = set()
    for made in (_of_rules, _of_routes, _of_steps, _of_inhibition):
        for one in made(subject):
            key = tuple(tuple(sorted(labels.items())) for labels in one.alerts)
            if key not in seen and all(one.alerts) and not any(map(beaten_by, one.alerts)):
                seen.add(key)
                yield one


def _of_rules(subject: Subject) -> Iterator[Candidate]:
    asked = sorted({m.name for route in walk(subject.plan.root) for m in route.matchers})
    for sent in subject.sent:
        known = sent.alert.known()
        meeting = tuple(_conditions(sent.alert, asked))
        for placed, _ in sent.routes[:MAX_ROUTES]:
            labels = _told(subject, placed, meeting)
            if labels is not None:
                alert = {NAME: sent.alert.name, **known, **labels}
                more = _shown({name: value for name, value in labels.items() if name not in (NAME, *known)})
                yield Candidate(sent.alert.name + (f" with {more}" if more else ""), (alert,), always=True)


def _conditions(alert: RuleAlert, asked: Iterable[str]) -> Iterator[Matcher]:
    """What is certain of an alert's labels, as far as routes ask for them."""
    labels: PartialLabels = alert.labels
    for name in dict.fromkeys((*asked, *labels.known)):
        yield from _said(name, labels.of(name))


def _said(name: str, values: Values) -> Iterator[Matcher]:
    if values.only is not None and len(values.only) == 1:
        yield Matcher(name, "=", next(iter(values.only)))
    elif values.only is not None:
        yield Matcher(name, "=~", "|".join(re.escape(value) for value in sorted(values.only)))
    elif values.present:
        yield Matcher(name, "!=", "")


def _of_routes(subject: Subject) -> Iterator[Candidate]:
    severities, teams = subject.plan.severities, tuple(sorted(subject.plan.ownership.names))
    if len(subject.routes) * (len(severities.names) + 1) * (len(teams) + 1) > MAX_EXAMPLES:
        teams = ()
    bad = [(Matcher(severities.label, "=", name),) for name in severities.names]
    whose = [(Matcher(TEAM, "=", name),) for name in teams]
    for placed in subject.routes:
        for extra in ((*one, *other) for one in (*bad, ()) for other in (*whose, ())):
            yield from _example(subject, placed, extra)


def _of_steps(subject: Subject) -> Iterator[Candidate]:
    followed = sooner_or_later(subject)
    for one in steps(subject):
        if one.step.when:
            for placed in followed.get(one.policy.name, ()):
                yield from _example(subject, placed, one.step.when)


def _of_inhibition(subject: Subject) -> Iterator[Candidate]:
    for placed in subject.rules:
        rule, case = placed.rule, chain([placed.rule])
        if case.answer.labels is None:
            continue
        source, target = case.alerts()
        if NAME not in rule.equal:
            source = _named(source, "Source", rule.source, rule.target)
            target = _named(target, "Target", rule.target, rule.source)
        name = f"inhibition: {subject.plan.inhibition.called(placed.position)}"
        yield Candidate(name, (source, target))


def _named(
    labels: dict[str, str], name: str, meeting: Iterable[Matcher], avoiding: Iterable[Matcher]
) -> dict[str, str]:
    """With a name, if it has none and may have this one."""
    named = {NAME: name, **labels}
    return named if matches_all(meeting, named) and not matches_all(avoiding, named) else labels


def _example(subject: Subject, placed: PlacedRoute, extra: Sequence[Matcher]) -> Iterator[Candidate]:
    """An alert that the route is told of and that meets `extra`, with a name if any will do."""
    labels = _told(subject, placed, (*extra, _EXAMPLE))
    labels = _told(subject, placed, extra) if labels is None else labels
    if labels is not None:
        shown = _shown({name: value for name, value in labels.items() if (name, value) != (NAME, "Example")})
        yield Candidate(shown or "no labels that a route asks for", (labels,))


def _told(subject: Subject, placed: PlacedRoute, more: Sequence[Matcher]) -> dict[str, str] | None:
    """The labels of an alert that the route itself is told of; None where none is found."""
    reach, meeting = subject.reach, (*placed.conditions, *more)
    found = reach.search(meeting, [*reach.hiders(placed), *reach.takers(placed, meeting)]).answer.labels
    return None if found is None else dict(sorted(found.items(), key=lambda label: (label[0] != NAME, label)))


def _shown(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())
