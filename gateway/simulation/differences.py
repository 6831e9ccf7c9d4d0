"""What a change of the configuration does: the alerts that matter, simulated by both, put together by effect.

Each alert fires alone, unanswered, and does not end. An inhibition rule that only one configuration has is
tried with one alert more, its source; then only what is told of the first alert counts. Which alerts matter
says `label_sets.py`, what an effect is `effects.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Final

from gateway.simulation.effects import NONE, Effect, Heard, beside, compare, heard
from gateway.simulation.label_sets import SAME, UNKNOWN, Derived, derive
from gateway.simulation.run import LONGEST, simulate
from gateway.simulation.treatments import Numbers, Treatments
from routing.alerts import Arrival, alert_key
from routing.matchers import Matcher, matches_all
from routing.satisfiable import find
from routing.story import Arrived
from routing.tree import Tree, group_labels, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.compile import Plan
    from gateway.simulation.diagram import Diagram
    from gateway.simulation.label_sets import Case, ChangedRule
    from gateway.simulation.treatments import Treatment
    from routing.inhibition import Rule
    from routing.story import Notification, Story
    from routing.tree import Route

_HOUR: Final = 3_600_000
MAX_BESIDE: Final = 1_000  # alerts that are tried with the source of a rule


@dataclass(frozen=True)
class Group:
    """Alerts for which the same is different.

    Attributes:
        diagram, answer: those alerts are the ones that have this answer there.
        rule: of the rules in `Differences.derived`, that beside whose source it is different; None: alone.
        examples: one alert for each way to treat them.
    """

    diagram: Diagram
    answer: int
    effect: Effect
    rule: ChangedRule | None
    examples: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Differences:
    """All of them.

    Attributes:
        groups: the worst first; alerts alone, then beside others.
        cases: how many label sets were looked at.
        unheard: how many of those that are configured otherwise without anybody hearing of it.
        span: how long alerts fire (ms).
        cut: there are more pairs of alerts than were tried.
    """

    at: int
    span: int
    groups: tuple[Group, ...]
    cases: int
    unheard: int
    derived: Derived
    cut: bool


def differences(old: Plan, new: Plan, at: int, occurring: Iterable[Mapping[str, str]] = ()) -> Differences:
    """What is different between two configurations for alerts that fire at `at` (ms since the epoch)."""
    derived = derive(old, new, occurring)
    work = _Comparison(old, new, at, derived)
    found: dict[int | None, dict[int, Effect]] = {}
    unheard = 0
    for answer, case in derived.cases.items():
        effects = work.effects(case)
        unheard += not effects
        for rule, effect in effects.items():
            found.setdefault(rule, {})[answer] = effect
    groups = [group for rule, effects in found.items() for group in _groups(derived, rule, effects)]
    groups.sort(key=lambda one: (not one.effect.lost, one.rule is not None, -len(one.examples)))
    return Differences(at, work.span, tuple(groups), len(derived.cases), unheard, derived, work.cut)


def _groups(derived: Derived, rule: int | None, effects: Mapping[int, Effect]) -> Iterable[Group]:
    """The alerts with effects put together; those without are all the same."""
    together: dict[Effect, list[int]] = {}
    for answer, effect in effects.items():
        together.setdefault(effect, []).append(answer)
    numbers = {effect: UNKNOWN - 1 - number for number, effect in enumerate(together)}
    becomes = {answer: numbers[effect] for answer, effect in effects.items()}
    becomes[UNKNOWN] = UNKNOWN
    diagram = derived.diagram.mapped(lambda answer: becomes.get(answer, SAME))
    for effect, answers in together.items():
        examples = tuple(derived.cases[answer].labels for answer in answers)
        changed = None if rule is None else derived.rules[rule]
        yield Group(diagram, numbers[effect], effect, changed, examples)


class _Comparison:
    """Both configurations at work."""

    def __init__(self, old: Plan, new: Plan, at: int, derived: Derived) -> None:
        self._plans = (old, new)
        self._trees = (Tree(old.root), Tree(new.root))
        self._at = at
        self._rules = derived.rules
        self._asked = {values.name for values in derived.diagram.labels}
        self._heard: dict[tuple[int, Treatment], Heard] = {}
        self._beside: dict[tuple[object, ...], Effect] = {}
        numbers = Numbers()
        self._treatments = (Treatments(old, numbers), Treatments(new, numbers))
        self.span = min(LONGEST, max(_longest(old), _longest(new)))
        self.cut = False

    def effects(self, case: Case) -> Mapping[int | None, Effect]:
        """What is different for the alerts of a case: alone (None), and beside the sources of rules."""
        labels = self._named(case.labels, self._asked)
        treatments = (case.old, case.new)
        alone = NONE
        if case.old != case.new:
            old, new = (self._alone(side, treatments[side], labels) for side in (0, 1))
            alone = self._with_grouping(compare(old, new), old, new, labels)
        found: dict[int | None, Effect] = {None: alone} if alone else {}
        for number in case.rules:
            effect = self._with_source(self._rules[number], labels)
            if effect is not None and effect != replace(alone, grouping=None):
                found[number] = effect
        return found

    def _alone(self, side: int, treatment: Treatment, labels: Mapping[str, str]) -> Heard:
        key = (side, treatment)
        if key not in self._heard:
            self._heard[key] = heard(self._story(side, [labels]).notifications, self._at)
        return self._heard[key]

    def _story(self, side: int, alerts: Sequence[Mapping[str, str]]) -> Story:
        plan = self._plans[side]
        told = {route.key for labels in alerts for route in self._trees[side].match(labels)}
        plan = replace(plan, root=_narrowed(plan.root, told) or plan.root)
        arrived = Arrived(self._at, tuple(_firing(labels, self._at) for labels in alerts), stays=True)
        return simulate(plan, [arrived], began=self._at, until=self._at + self.span)

    def _with_grouping(self, effect: Effect, old: Heard, new: Heard, labels: Mapping[str, str]) -> Effect:
        grouping = tuple(
            " and ".join(dict.fromkeys(_grouped_by(route) for route in tree.match(labels)))
            for tree in self._trees
        )
        if grouping[0] != grouping[1] and old and new:
            return replace(effect, grouping=(grouping[0], grouping[1]))
        return effect

    def _with_source(self, changed: ChangedRule, labels: Mapping[str, str]) -> Effect | None:
        """What is different while a source of a rule fires too; None if none could be found."""
        source = self._source(changed, labels)
        if source is None:
            return None
        alike = tuple(self._pair(side, labels, source) for side in (0, 1))
        if alike not in self._beside:
            if len(self._beside) >= MAX_BESIDE:
                self.cut = True
                return None
            self._beside[alike] = self._together(labels, source)
        return self._beside[alike]

    def _together(self, labels: Mapping[str, str], source: Mapping[str, str]) -> Effect:
        """What is different for an alert while another fires."""
        stories = [self._story(side, [labels, source]) for side in (0, 1)]
        old, new = (heard(self._about(side, stories[side], labels), self._at) for side in (0, 1))
        lost = bool(stories[0].notifications) and not stories[1].notifications
        return beside(old, new, lost=lost)

    def _pair(self, side: int, labels: Mapping[str, str], source: Mapping[str, str]) -> tuple[object, ...]:
        """All that decides what a configuration tells of two alerts: the same for pairs that are alike."""
        plan, tree, treatments = self._plans[side], self._trees[side], self._treatments[side]
        routes = [tree.match(alert) for alert in (labels, source)]
        shared = tuple(
            at
            for at, route in enumerate(routes[0])
            if route in routes[1]
            and group_labels(route, labels) == group_labels(route, source)
            and plan.team_of(labels, route) == plan.team_of(source, route)
        )
        return (
            *(treatments.of_alert(of, alert) for of, alert in zip(routes, (labels, source), strict=True)),
            *(plan.severities.rank(alert) for alert in (labels, source)),
            shared,
            _inhibition(plan, source, labels),
            _inhibition(plan, labels, source),
        )

    def _about(self, side: int, story: Story, labels: Mapping[str, str]) -> Iterable[Notification]:
        """What is told of the groups of one alert."""
        groups = [(route.key, group_labels(route, labels)) for route in self._trees[side].match(labels)]
        own = {
            number
            for number, incident in story.incidents.items()
            if (incident.route, incident.labels) in groups
        }
        return (one for one in story.notifications if one.incident in own)

    def _source(self, changed: ChangedRule, labels: Mapping[str, str]) -> Mapping[str, str] | None:
        """An alert that inhibits another by this rule, and by none of the other configuration."""
        rule = changed.rule
        other = self._plans[not changed.new]
        meeting = [*rule.source, *(Matcher(name, "=", labels.get(name, "")) for name in rule.equal)]
        avoiding = [
            one.source
            for one in other.inhibition.rules
            if set(one.equal) <= set(rule.equal) and _inhibits(one, labels)
        ]
        if matches_all(rule.source, labels):
            avoiding.append(rule.target)
        plan_rules = [one for plan in self._plans for one in plan.inhibition.rules]
        answer = find(meeting, avoiding)
        if answer.labels is None:
            return None
        asked = {one.name for other in plan_rules for one in (*other.source, *other.target)}
        found = self._named(answer.labels, self._asked | asked.union(*(other.equal for other in plan_rules)))
        return found if found != labels else None

    def _named(self, labels: Mapping[str, str], asked: set[str]) -> Mapping[str, str]:
        """The labels with one more that nobody asks for: an alert has a name, or at least a label."""
        if "alertname" not in asked:
            return {"alertname": "Any", **labels}
        return dict(labels) or {
            next(name for name in map("label{}".format, count()) if name not in asked): "any"
        }


def _inhibition(plan: Plan, source: Mapping[str, str], target: Mapping[str, str]) -> frozenset[object]:
    """By which kinds of rules one alert could inhibit another."""
    slots = {slot.key: slot for slot in plan.inhibition.roles(source).sources}
    return frozenset(
        (slots[slot.key].two_sided, slot.two_sided, plan.inhibition.circle_of[slot.rule] is None)
        for slot in plan.inhibition.roles(target).targets
        if slot.key in slots
    )


def _inhibits(rule: Rule, labels: Mapping[str, str]) -> bool:
    return set(rule.source) != set(rule.target) and matches_all(rule.target, labels)


def _firing(labels: Mapping[str, str], at: int) -> Arrival:
    own = dict(labels)
    return Arrival(alert_key(own), own, {}, "firing", at, None, None, "")


def _narrowed(route: Route, told: set[str]) -> Route | None:
    """The tree without the routes that an alert does not reach: they cannot matter, and cost time."""
    children = tuple(kept for child in route.children if (kept := _narrowed(child, told)))
    return replace(route, children=children) if children or route.key in told else None


def _grouped_by(route: Route) -> str:
    if route.group_by is None:
        return "all labels"
    return ", ".join(sorted(route.group_by)) or "nothing"


def _longest(plan: Plan) -> int:
    """How long there is something new: two repeats, or the longest policy, and an hour more (ms)."""
    found = max((2 * route.repeat_interval for route in walk(plan.root) if not route.policy), default=0)
    for policy in plan.policies.values():
        last = max((step.after + 2 * step.every for step in policy.steps), default=0)
        found = max(found, last + policy.repeat * (last + policy.repeat_after))
    return found + _HOUR
