"""What is still to be decided about an alert of which some labels are known, by one configuration.

A configuration is compiled into what it asks of labels; given the value of one label, less is left. What is
left is a value that can be compared: two configurations with equal remainders treat all alerts alike that are
still possible. Labels are given in the order of `Question.labels`; when all are, `treatment` says the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.simulation.treatments import BEAT, NEVER
from routing.heartbeats import ALERT
from routing.matchers import Matcher
from routing.teams import LABEL as TEAM
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.simulation.label_values import LabelValues
    from gateway.simulation.treatments import Conjunction, Treatment, Treatments
    from routing.tree import Route

    Children = tuple[tuple[int, bool, int], ...]  # (conjunction, continue, tree)
    Pairs = tuple[tuple[int, int], ...]  # (label, mask of values), by label

TRUE: Final = 0  # a conjunction of nothing
FALSE: Final = -1
NOBODY: Final = -1  # told where no child is
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


class Question:
    """Conjunctions and trees by numbers, equal ones by the same."""

    def __init__(self, labels: Sequence[LabelValues]) -> None:
        self.labels = labels
        self.place_of = {values.name: place for place, values in enumerate(labels)}
        self.pairs: list[Pairs] = [()]
        self._conjunctions: dict[Pairs, int] = {(): TRUE}
        self._rest: dict[int, int] = {}
        self.trees: list[tuple[int, Children]] = []
        self._trees: dict[tuple[int, Children], int] = {}
        self.told: list[tuple[int, tuple[int, ...]]] = []
        self._told: dict[tuple[int, tuple[int, ...]], int] = {}
        self._asks: dict[tuple[int, int], frozenset[int]] = {}
        self._given: dict[tuple[int, int, int], int] = {}
        self._index: dict[tuple[int, int], tuple[list[int], dict[int, list[int]]]] = {}
        self.work = 0  # routes that were looked at

    # --- conjunctions

    def conjunctions(self, rows: Iterable[Conjunction]) -> tuple[int, ...]:
        """The numbers of conjunctions of matchers."""
        return tuple(map(self._conjunction, rows))

    def _conjunction(self, matchers: Conjunction) -> int:
        masks: dict[int, int] = {}
        for matcher in matchers:
            if matcher == NEVER:
                return FALSE
            place = self.place_of[matcher.name]
            values = self.labels[place]
            masks[place] = masks.get(place, values.every) & values.masks[matcher]
        if not all(masks.values()):
            return FALSE
        return self._numbered(
            tuple((at, mask) for at, mask in sorted(masks.items()) if mask != self.labels[at].every)
        )

    def _numbered(self, pairs: Pairs) -> int:
        if pairs not in self._conjunctions:
            self._conjunctions[pairs] = len(self.pairs)
            self.pairs.append(pairs)
        return self._conjunctions[pairs]

    def mask(self, conjunction: int, label: int) -> int:
        """The values of a label with which a conjunction may still hold."""
        pairs = self.pairs[conjunction]
        return pairs[0][1] if pairs and pairs[0][0] == label else self.labels[label].every

    def given(self, conjunction: int, label: int, place: int) -> int:
        """What is left of a conjunction when a label has a value."""
        pairs = self.pairs[conjunction]
        if conjunction == FALSE or not pairs or pairs[0][0] != label:
            return conjunction
        return self.rest(conjunction) if pairs[0][1] >> place & 1 else FALSE

    def met(self, conjunction: int, places: Sequence[int]) -> bool:
        """Whether a conjunction holds when every label has the value at its place."""
        return conjunction != FALSE and all(
            mask >> places[label] & 1 for label, mask in self.pairs[conjunction]
        )

    def rest(self, conjunction: int) -> int:
        """A conjunction without what it asks of its first label."""
        if conjunction not in self._rest:
            self._rest[conjunction] = self._numbered(self.pairs[conjunction][1:])
        return self._rest[conjunction]

    def given_each(
        self, rows: tuple[tuple[int, int], ...], label: int, place: int
    ) -> tuple[tuple[int, int], ...]:
        """What is left of numbered conjunctions; those that fail are left out."""
        left = ((number, self.given(one, label, place)) for number, one in rows)
        return tuple((number, one) for number, one in left if one != FALSE)

    def any_given(self, some: tuple[int, ...], label: int, place: int) -> tuple[int, ...] | None:
        """What is left of conjunctions of which one is enough; None if one holds."""
        left = [self.given(one, label, place) for one in some]
        if TRUE in left:
            return None
        return tuple(sorted({one for one in left if one != FALSE}))

    # --- trees

    def leaf(self, general: int, conditions: tuple[int, ...]) -> int:
        """The number of who is told: what a route is, and what its policies' steps ask of labels."""
        key = (general, conditions)
        if key not in self._told:
            self._told[key] = len(self.told)
            self.told.append(key)
        return self._told[key]

    def tree(self, told: int, children: Iterable[tuple[int, bool, int]]) -> int:
        """The number of a tree, without what can make no difference to it."""
        kept: list[tuple[int, bool, int]] = []
        for conjunction, more, tree in children:
            if conjunction != FALSE:
                kept.append((conjunction, more, tree))
                if conjunction == TRUE and not more:
                    break
        if any(conjunction == TRUE for conjunction, _, _ in kept):
            if len(kept) == 1:
                return kept[0][2]
            told = NOBODY
        key = (told, tuple(kept))
        if key not in self._trees:
            self._trees[key] = len(self.trees)
            self.trees.append(key)
        return self._trees[key]

    def asks(self, tree: int, label: int) -> frozenset[int]:
        """The masks by which a tree tells values of a label apart."""
        key = (tree, label)
        if key not in self._asks:
            told, children = self.trees[tree]
            self.work += len(children)
            found: set[int] = set()
            for conjunction in (
                *(self.told[told][1] if told != NOBODY else ()),
                *(one for one, _, _ in children),
            ):
                pairs = self.pairs[conjunction] if conjunction != FALSE else ()
                if pairs and pairs[0][0] == label:
                    found.add(pairs[0][1])
            for _, _, below in children:
                found |= self.asks(below, label)
            self._asks[key] = frozenset(found)
        return self._asks[key]

    def tree_given(self, tree: int, label: int, place: int) -> int:
        """What is left of a tree when a label has a value."""
        if not self.asks(tree, label):
            return tree
        key = (tree, label, place)
        if key not in self._given:
            bit = 1 << place
            told, children = self.trees[tree]
            left = []
            for number in self._possible(tree, label, place):
                self.work += 1
                conjunction, more, below = children[number]
                pairs = self.pairs[conjunction]
                here = conjunction
                if pairs and pairs[0][0] == label:
                    if not pairs[0][1] & bit:
                        continue
                    here = self.rest(conjunction)
                left.append((here, more, self.tree_given(below, label, place)))
            if told != NOBODY:
                general, asked = self.told[told]
                told = self.leaf(general, tuple(self.given(one, label, place) for one in asked))
            self._given[key] = self.tree(told, left)
        return self._given[key]

    def _possible(self, tree: int, label: int, place: int) -> Sequence[int]:
        """The children, by their numbers, that may match when a label has a value: most ask for one value."""
        key = (tree, label)
        if key not in self._index:
            any_value: list[int] = []
            by_place: dict[int, list[int]] = {}
            for number, (conjunction, _, _) in enumerate(self.trees[tree][1]):
                pairs = self.pairs[conjunction]
                mask = pairs[0][1] if pairs and pairs[0][0] == label else 0
                if mask and mask & (mask - 1) == 0:
                    by_place.setdefault(mask.bit_length() - 1, []).append(number)
                else:
                    any_value.append(number)
            self._index[key] = any_value, by_place
        any_value, by_place = self._index[key]
        found = by_place.get(place)
        return sorted([*any_value, *found]) if found else any_value

    def tree_met(self, tree: int, places: Sequence[int]) -> int:
        """What is left of a tree when every label has the value at its place: who is told."""
        told, children = self.trees[tree]
        self.work += len(children)
        left = []
        for conjunction, more, below in children:
            if self.met(conjunction, places):
                left.append((TRUE, more, self.tree_met(below, places)))
                if not more:
                    break
        if told != NOBODY:
            general, asked = self.told[told]
            told = self.leaf(general, tuple(TRUE if self.met(one, places) else FALSE for one in asked))
        return self.tree(told, left)

    def leaves(self, tree: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Who is told, in the tree's order, where nothing is left to decide."""
        told, children = self.trees[tree]
        for _, _, below in children:
            yield from self.leaves(below)
        if not children and told != NOBODY:
            yield self.told[told]


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
