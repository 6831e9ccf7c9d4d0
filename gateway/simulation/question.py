"""Conjunctions of matchers and trees of routes, as what they still ask when some labels are known.

Each is a number, equal ones the same, so that what is left after a label can be compared and looked up. Only
what `label_values.py` tells apart is asked: a condition is a mask of values. Labels are given in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.simulation.treatments import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.simulation.label_values import LabelValues
    from gateway.simulation.treatments import Conjunction

    Children = tuple[tuple[int, bool, int], ...]  # (conjunction, continue, tree)
    Pairs = tuple[tuple[int, int], ...]  # (label, mask of values), by label

TRUE: Final = 0  # a conjunction of nothing
FALSE: Final = -1
NOBODY: Final = -1  # told where no child is


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
