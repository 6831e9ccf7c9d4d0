"""What is still to be decided about an alert of which some labels are known, by one configuration.

A configuration is compiled into what it asks of labels; given the value of one label, less is left. What is
left is a value that can be compared: two configurations with equal remainders treat all alerts alike that are
still possible. Labels are given in the order of `Question.labels`; when all are, `treatment` says the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.simulation.question import FALSE, NOBODY, TRUE
from gateway.simulation.treatments import BEAT
from routing.heartbeats import ALERT
from routing.matchers import Matcher
from routing.teams import LABEL as TEAM
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.simulation.question import Question
    from gateway.simulation.treatments import Conjunction, Treatment, Treatments
    from routing.tree import Route

OPEN: Final = -1  # a severity that is not known yet


class Remaining(NamedTuple):
    """All that one configuration still asks.

    Attributes:
        beats: conjunctions that make the alert a sign of life; None: it is one.
        tree: what is left of the tree of routes.
        team: what the label `team` names, "" for no team that there is; None: not known yet.
        rules: what is left of the rules that give alerts to teams, (conjunction, team).
        rank: of the severity, or OPEN.
        waits: how long it waits if a rule could inhibit it (ms), and the conjunctions that say so.
    """

    beats: tuple[int, ...] | None
    tree: int
    team: str | None
    rules: tuple[tuple[int, str], ...]
    rank: int
    waits: tuple[int, tuple[int, ...]]


class Compiler:
    """One configuration, as what it asks."""

    def __init__(self, side: Treatments, question: Question) -> None:
        self._side = side
        self._question = question
        self._routes: dict[int, Route] = {}  # general -> one of those that are so
        self._policies: dict[int, bool] = {}
        self._team = question.place_of.get(TEAM, -1)
        self._severity = question.place_of[side.plan.severities.label]
        self._names = side.plan.ownership.names if side.plan.policies else frozenset[str]()
        self._teams = frozenset(
            1 << place for place, text in enumerate(question.labels[self._team].texts) if text in self._names
        )
        self._ranks = self._masks_of_ranks()
        self._treatments: dict[Remaining, Treatment] = {}

    @staticmethod
    def asked(side: Treatments) -> Iterator[Conjunction]:
        """Every conjunction that the configuration asks an alert's labels for."""
        plan = side.plan
        for route in walk(plan.root):
            yield route.matchers
            yield from side.conditions(route)
        yield from _beats(side)
        yield from _targets(side)
        if plan.policies:
            yield from (rule.matchers for rule in plan.ownership.rules)
            yield from ((Matcher(TEAM, "=", name),) for name in sorted(plan.ownership.names))

    def start(self) -> Remaining:
        """Nothing is known yet."""
        plan, question = self._side.plan, self._question
        rules = [(question.conjunctions([rule.matchers])[0], rule.team) for rule in plan.ownership.rules]
        beats = question.any_given(question.conjunctions(_beats(self._side)), -1, 0)
        waits = question.any_given(question.conjunctions(_targets(self._side)), -1, 0)
        return self._short(
            Remaining(
                beats,
                question.tree(
                    NOBODY, [(question.conjunctions([plan.root.matchers])[0], False, self._tree(plan.root))]
                ),
                None,
                _until_true(rules),
                OPEN,
                (plan.inhibit_grace, (TRUE,) if waits is None else waits),
            )
        )

    def _tree(self, route: Route) -> int:
        general = self._side.general(route)
        self._routes.setdefault(general, route)
        question = self._question
        conditions = question.conjunctions(self._side.conditions(route))
        children = [
            (question.conjunctions([child.matchers])[0], child.continue_, self._tree(child))
            for child in route.children
        ]
        return question.tree(question.leaf(general, conditions), children)

    def asks(self, left: Remaining, label: int) -> set[int]:
        """The masks by which what is left tells values of a label apart."""
        question = self._question
        if left.beats is None:
            return set()
        found = set(question.asks(left.tree, label))
        some = (*left.beats, *(one for one, _ in left.rules), *left.waits[1])
        found |= {question.mask(one, label) for one in some}
        if label == self._team and left.team is None:
            found |= self._teams
        if label == self._severity and left.rank == OPEN:
            found |= self._ranks
        return found

    def given(self, left: Remaining, label: int, place: int) -> Remaining:
        """What is left when a label has a value."""
        question = self._question
        if left.beats is None:
            return left
        team, rank, rules = left.team, left.rank, left.rules
        value = question.labels[label].texts[place]
        if label == self._team and team is None:
            team = value if value in self._names else ""
        if label == self._severity and rank == OPEN:
            rank = self._side.plan.severities.rank({question.labels[label].name: value})
        waits = question.any_given(left.waits[1], label, place) if left.waits[1] != (TRUE,) else None
        return self._short(
            Remaining(
                question.any_given(left.beats, label, place),
                question.tree_given(left.tree, label, place),
                team,
                _until_true([(question.given(one, label, place), team) for one, team in rules]),
                rank,
                (left.waits[0], (TRUE,) if waits is None else waits),
            )
        )

    def given_all(self, left: Remaining, places: Sequence[int]) -> Remaining:
        """What is left when every label has the value at its place."""
        question = self._question
        if left.beats is None:
            return left
        texts = [values.texts[place] for values, place in zip(question.labels, places, strict=True)]
        said, severity = texts[self._team], question.labels[self._severity].name
        rules = [(TRUE if question.met(one, places) else FALSE, team) for one, team in left.rules]
        return self._short(
            Remaining(
                None if any(question.met(one, places) for one in left.beats) else (),
                question.tree_met(left.tree, places),
                left.team if left.team is not None else (said if said in self._names else ""),
                _until_true(rules),
                left.rank
                if left.rank != OPEN
                else self._side.plan.severities.rank({severity: texts[self._severity]}),
                (left.waits[0], (TRUE,) if any(question.met(one, places) for one in left.waits[1]) else ()),
            )
        )

    def _short(self, left: Remaining) -> Remaining:
        """Without what can make no difference any more."""
        if left.beats is None:
            return Remaining(None, 0, "", (), 0, (0, ()))
        waits = left.waits if left.waits[0] and left.waits[1] else (0, ())
        if not self._has_policy(left.tree):
            return left._replace(team="", rules=(), rank=0, waits=waits)
        return left._replace(rules=() if left.team else left.rules, waits=waits)

    def _has_policy(self, tree: int) -> bool:
        if tree not in self._policies:
            told, children = self._question.trees[tree]
            own = told != NOBODY and bool(self._routes[self._question.told[told][0]].policy)
            self._policies[tree] = own or any(self._has_policy(below) for _, _, below in children)
        return self._policies[tree]

    def treatment(self, left: Remaining) -> Treatment:
        """What is done with the alert, when nothing is left to decide."""
        if left not in self._treatments:
            self._treatments[left] = self._treated(left)
        return self._treatments[left]

    def _treated(self, left: Remaining) -> Treatment:
        if left.beats is None:
            return BEAT
        by_rule = next((team for one, team in left.rules if one == TRUE), "")
        told = []
        for general, conditions in self._question.leaves(left.tree):
            route = self._routes[general]
            of_route = route.team if route.team in self._names else by_rule
            met = [one == TRUE for one in conditions]
            told.append(self._side.of_route(route, left.team or of_route, left.rank, met))
        return self._side.whole(tuple(told), waits=left.waits[1] == (TRUE,))

    def _masks_of_ranks(self) -> frozenset[int]:
        values = self._question.labels[self._severity]
        masks: dict[int, int] = {}
        for place, text in enumerate(values.texts):
            rank = self._side.plan.severities.rank({values.name: text})
            masks[rank] = masks.get(rank, 0) | 1 << place
        return frozenset(masks.values())


def _beats(side: Treatments) -> Iterator[Conjunction]:
    """What makes an alert a sign of life."""
    not_missing = Matcher("alertname", "!=", ALERT)
    yield from ((*one.matchers, not_missing) for one in side.plan.heartbeats if one.matchers)


def _targets(side: Treatments) -> Iterator[Conjunction]:
    """What makes an alert wait, since a rule could inhibit it."""
    if side.plan.inhibit_grace:
        rules = side.plan.inhibition.rules
        yield from (rule.target for rule in rules if set(rule.source) != set(rule.target))


def _until_true(rules: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Rules of which the first that holds counts: without those that fail, and those after one that holds."""
    found: list[tuple[int, str]] = []
    for conjunction, team in rules:
        if conjunction != FALSE:
            found.append((conjunction, team))
        if conjunction == TRUE:
            break
    return tuple(found)
