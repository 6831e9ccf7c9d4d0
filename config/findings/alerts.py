"""The alerts that rule files will make, as checks look at them: what is known of each, and where it would go.

Nothing is found here. What is known of labels says `config/alert_labels.py`, what follows for routes
`routing/partial.py`; both claim nothing that an alert of these rules could disprove.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from config.alert_labels import labels_of
from config.findings.finding import Finding
from config.problems import show_path
from config.rule_files import AlertRule
from routing.at_once import Expressions
from routing.matchers import Matcher
from routing.partial import ANYTHING, PartialLabels, PartialTree, all_fit, one

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.findings.code import Code
    from config.findings.subject import PlacedRoute
    from config.problems import Path, Problem
    from config.rule_files import RuleLabel
    from routing.tree import Route

NAMED: Final = 5  # alerts that one reason names

_UNSURE: Final = Matcher("${}", "=", "?")  # in place of matchers in which a variable has no value


@dataclass(frozen=True, slots=True, eq=False)
class RuleAlert:
    """The alerts of one rule, or of Tocsin's own, which has no expression."""

    rule: AlertRule
    labels: PartialLabels

    @property
    def name(self) -> str:
        """Its `alertname`."""
        return self.rule.name

    def label(self, name: str) -> RuleLabel | None:
        """The label as the rule sets it, if it does."""
        return next((label for label in self.rule.labels if label.name == name), None)

    def known(self) -> dict[str, str]:
        """The labels of which the value is known, without the name."""
        values = ((name, values.only) for name, values in self.labels.known.items() if name != "alertname")
        return {name: text for name, only in values if only and len(only) == 1 for text in only if text}

    def finding(self, code: Code, reason: str, advice: str, label: RuleLabel | None = None) -> Finding:
        """A finding about the rule, or about a label that it sets."""
        rule = self.rule
        place = label or rule
        below = ("labels", label.name) if label else ("alert",)
        path = (*rule.path, *below) if rule.expr else rule.path
        return Finding(rule.file, place.line, place.column, show_path(path), code.id, reason, advice, code)


@dataclass(frozen=True, slots=True)
class Spread:
    """What one label is among all alerts.

    Attributes:
        known: value -> how many alerts may have it, of those whose values are all known.
        unknown: how many may have any value.
        absent: how many certainly do not have it.
    """

    known: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    absent: int = 0


def own_alert(labels: Mapping[str, str], path: Path, place: Problem) -> RuleAlert:
    """An alert that Tocsin itself makes, because of what stands at `path` in the configuration."""
    rule = AlertRule(labels["alertname"], "", "", (), place.file, path, place.line, place.column)
    return RuleAlert(rule, PartialLabels({name: one(value) for name, value in labels.items()}, more=False))


class Alerts:
    """The alerts of all rules."""

    def __init__(self, rules: Iterable[AlertRule], external: Mapping[str, str | None] | None = None) -> None:
        self.all = tuple(RuleAlert(rule, labels_of(rule, external)) for rule in rules)
        self._spreads: dict[str, Spread] = {}
        self._meeting: dict[tuple[Matcher, ...], tuple[RuleAlert, ...]] = {}
        self._by_value: dict[str, dict[str | None, list[int]]] = {}
        self._by_expression: dict[tuple[str, str], list[int]] = {}

    def routed(self, swallowed: Iterable[Sequence[Matcher]], more: Iterable[RuleAlert]) -> Alerts:
        """Those that do not certainly meet one of the `swallowed`, and `more`."""
        left = Alerts(())
        conditions = tuple(swallowed)
        kept = (one for one in self.all if not any(all_fit(asked, one.labels) for asked in conditions))
        left.all = (*kept, *more)
        return left

    def expect(self, matchers: Iterable[Matcher]) -> None:
        """Be asked for these soon: their expressions are quicker together than one by one."""
        asked: dict[str, list[str]] = {}
        for matcher in matchers:
            if matcher.op == "=~":
                asked.setdefault(matcher.name, []).append(matcher.value)
        for name, patterns in asked.items():
            expressions = Expressions(patterns)
            filed = self._filed(name)
            met = {pattern: list(filed.get(None, ())) for pattern in expressions.patterns}
            for value, places in filed.items():
                for pattern in () if value is None else expressions.met_by(value):
                    met[pattern] += places
            self._by_expression |= {(name, pattern): places for pattern, places in met.items()}

    def meeting(self, matchers: Sequence[Matcher]) -> tuple[RuleAlert, ...]:
        """The alerts that may meet the matchers, in order."""
        key = tuple(matchers)
        if key not in self._meeting:
            found = (self.all[at] for at in self._candidates(key))
            self._meeting[key] = tuple(one for one in found if all_fit(key, one.labels) is not False)
        return self._meeting[key]

    def _candidates(self, matchers: Sequence[Matcher]) -> Sequence[int]:
        """The places of those that may have what some matcher asks for; the others certainly have not."""
        few: Sequence[int] = range(len(self.all))
        for matcher in matchers:
            places: list[int] | None = None
            if matcher.op == "=":
                filed = self._filed(matcher.name)
                places = [*filed.get(matcher.value, ()), *filed.get(None, ())]
            elif matcher.op == "=~":
                places = self._by_expression.get((matcher.name, matcher.value))
            if places is not None and len(places) < len(few):
                few = places
        return sorted(set(few))

    def _filed(self, name: str) -> dict[str | None, list[int]]:
        """The places of the alerts by the values that a label may have there; None for any."""
        if name not in self._by_value:
            filed = self._by_value[name] = {}
            for at, alert in enumerate(self.all):
                for value in alert.labels.of(name).only or (None,):
                    filed.setdefault(value, []).append(at)
        return self._by_value[name]

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files that the rules stand in."""
        return tuple(dict.fromkeys(alert.rule.file for alert in self.all))

    def spread(self, name: str) -> Spread:
        """What a label is among them."""
        if name not in self._spreads:
            known: Counter[str] = Counter()
            unknown = absent = 0
            for alert in self.all:
                only = alert.labels.of(name).only
                if only is None:
                    unknown += 1
                elif only == {""}:
                    absent += 1
                else:
                    known.update(only - {""})
            self._spreads[name] = Spread(known, unknown, absent)
        return self._spreads[name]


@dataclass(frozen=True, slots=True)
class Sent:
    """Where the alerts of one rule go: routes, in the tree's order, and whether for certain."""

    alert: RuleAlert
    routes: tuple[tuple[PlacedRoute, bool], ...]

    def only(self, placed: PlacedRoute) -> bool:
        """Whether they certainly go to this route alone."""
        return self.routes == ((placed, True),)


def send(alerts: Alerts, routes: Sequence[PlacedRoute]) -> tuple[Sent, ...]:
    """Where each alert goes; `routes` are all of the tree, parents before children."""
    below: dict[PlacedRoute | None, list[PlacedRoute]] = {}
    for placed in routes:
        below.setdefault(placed.parent, []).append(placed)
    copies: dict[int, PlacedRoute] = {}
    root = _copy(routes[0], below, copies)
    tree = PartialTree(root)
    unsure = not all(placed.sure for placed in routes)
    sent: list[Sent] = []
    for alert in alerts.all:
        labels = alert.labels
        if unsure:
            labels = PartialLabels({**labels.known, _UNSURE.name: ANYTHING}, labels.more)
        found = [(copies[id(route)], certain) for route, certain in tree.match(labels)]
        sent.append(Sent(alert, tuple(found)))
    return tuple(sent)


def _copy(
    placed: PlacedRoute,
    below: Mapping[PlacedRoute | None, Sequence[PlacedRoute]],
    copies: dict[int, PlacedRoute],
) -> Route:
    """The route with its children, where nothing is certain of those with variables without values."""
    route = replace(
        placed.route,
        matchers=placed.route.matchers if placed.sure else (_UNSURE,),
        children=tuple(_copy(child, below, copies) for child in below.get(placed, ())),
    )
    copies[id(route)] = placed
    return route


def named(alerts: Iterable[RuleAlert]) -> str:
    """Alerts by name, for people: `A, B and 3 more`."""
    names = list(dict.fromkeys(alert.name for alert in alerts))
    if len(names) <= NAMED:
        return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
