"""A decision diagram: which answer belongs to which label set, for all label sets at once.

Each node asks for one label, in the same order on every way; edges carry masks of its values
(`label_values.py`); equal parts exist once, and a label that changes nothing is not asked. What the answers,
whole numbers below 0, mean is not known here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from gateway.simulation.label_values import LabelValues

    Edges = tuple[tuple[int, int], ...]  # (mask of values, node or answer)

MAX_CUBES: Final = 400  # ways to one answer that are looked at to describe it

Cube = dict[int, int]
"""Label sets: for some labels, by their place, the mask of values that they may have."""


@dataclass
class Diagram:
    """`nodes` are (place of the label in `labels`, edges); `root` is a node, or an answer."""

    labels: Sequence[LabelValues]
    nodes: list[tuple[int, Edges]] = field(default_factory=list)
    root: int = -1
    _known: dict[tuple[int, Edges], int] = field(default_factory=dict)

    def node(self, label: int, answers: Mapping[int, int]) -> int:
        """The node that asks for a label, by what follows -> mask of values; just that if it is one thing."""
        if len(answers) == 1:
            return next(iter(answers))
        edges = tuple(sorted((mask, to) for to, mask in answers.items()))
        key = (label, edges)
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(key)
        return self._known[key]

    def answer(self, labels: Mapping[str, str]) -> int | None:
        """The answer for a label set; None where a value has nobody to stand for it."""
        at = self.root
        while at >= 0:
            label, edges = self.nodes[at]
            values = self.labels[label]
            place = values.place(labels.get(values.name, ""))
            if place is None:
                return None
            at = next(to for mask, to in edges if mask >> place & 1)
        return at

    def answers(self, known: Mapping[str, int]) -> set[int]:
        """All answers for label sets whose labels have values of these masks; any where none is given."""
        found: set[int] = set()
        seen = {self.root}
        waiting = [self.root]
        while waiting:
            at = waiting.pop()
            if at < 0:
                found.add(at)
                continue
            label, edges = self.nodes[at]
            allowed = known.get(self.labels[label].name, self.labels[label].every)
            for mask, to in edges:
                if mask & allowed and to not in seen:
                    seen.add(to)
                    waiting.append(to)
        return found

    def examples(self) -> dict[int, dict[str, str]]:
        """For each answer a label set that has it, with few labels."""
        came: dict[int, tuple[int, str, str] | None] = {self.root: None}
        waiting = deque([self.root])
        found: dict[int, dict[str, str]] = {}
        while waiting:
            at = waiting.popleft()
            if at < 0:
                found[at] = self._way(at, came)
                continue
            label, edges = self.nodes[at]
            values = self.labels[label]
            for mask, to in edges:
                if to not in came:
                    came[to] = (at, values.name, _best(values, mask))
                    waiting.append(to)
        return found

    def _way(self, at: int, came: Mapping[int, tuple[int, str, str] | None]) -> dict[str, str]:
        labels: dict[str, str] = {}
        step = came[at]
        while step is not None:
            at, name, value = step
            if value:
                labels[name] = value
            step = came[at]
        return labels

    def mapped(self, change: Callable[[int], int]) -> Diagram:
        """The diagram with other answers; parts that are now equal are one."""
        new = Diagram(self.labels)
        made: dict[int, int] = {}
        for number, (label, edges) in enumerate(self.nodes):  # what a node leads to was made before it
            joined: dict[int, int] = {}
            for mask, to in edges:
                there = made[to] if to >= 0 else change(to)
                joined[there] = joined.get(there, 0) | mask
            made[number] = new.node(label, joined)
        new.root = made[self.root] if self.root >= 0 else change(self.root)
        return new

    def cubes(self, answer: int, doubtful: int | None = None) -> list[Cube]:
        """Label sets that together are those with an answer, each said by as few labels as may be.

        At most some; they may overlap, and take in such as have the answer `doubtful`.
        """
        found: list[Cube] = []
        for cube in self._ways(answer):
            wider = self._widened(cube, {answer, doubtful})
            if not any(_within(wider, other) for other in found):
                found = [other for other in found if not _within(other, wider)]
                found.append(wider)
            if len(found) >= MAX_CUBES:
                break
        return _merged(found)

    def _ways(self, answer: int) -> Iterator[Cube]:
        reaching = self._reaching(answer)
        waiting: list[tuple[int, Cube]] = [(self.root, {})]
        count = 0
        while waiting and count < 4 * MAX_CUBES:
            at, cube = waiting.pop()
            if at == answer:
                count += 1
                yield cube
            elif at >= 0:
                label, edges = self.nodes[at]
                waiting += [
                    (to, {**cube, label: mask}) for mask, to in edges if to == answer or to in reaching
                ]

    def _reaching(self, answer: int) -> set[int]:
        found: set[int] = set()
        for number, (_, edges) in enumerate(self.nodes):
            if any(to == answer or to in found for _, to in edges):
                found.add(number)
        return found

    def _widened(self, cube: Cube, allowed: AbstractSet[int | None]) -> Cube:
        """Without the labels that make no difference, and with every value that makes none."""
        for label in sorted(cube, reverse=True):
            without = {other: mask for other, mask in cube.items() if other != label}
            if self._all(without, allowed):
                cube = without
        return cube

    def _all(self, cube: Cube, allowed: AbstractSet[int | None]) -> bool:
        """Whether all label sets of a cube have one of these answers."""
        seen = {self.root}
        waiting = [self.root]
        while waiting:
            at = waiting.pop()
            if at < 0:
                if at not in allowed:
                    return False
                continue
            label, edges = self.nodes[at]
            values = cube.get(label, -1)
            for mask, to in edges:
                if mask & values and to not in seen:
                    seen.add(to)
                    waiting.append(to)
        return True


def _best(values: LabelValues, mask: int) -> str:
    missing = values.place("")
    if missing is not None and mask >> missing & 1:
        return ""
    texts = [text for at, text in enumerate(values.texts) if mask >> at & 1]
    return next((text for text in texts if text in values.common), texts[0])


def _within(cube: Cube, other: Cube) -> bool:
    return all(label in cube and cube[label] & ~mask == 0 for label, mask in other.items())


def _merged(cubes: list[Cube]) -> list[Cube]:
    """Cubes that differ in one label only are one."""
    found = cubes
    while True:
        before = len(found)
        for label in sorted({label for cube in found for label in cube}):
            together: dict[tuple[tuple[int, int], ...], Cube] = {}
            for cube in found:
                mask = cube.get(label, 0)
                rest = tuple(sorted((*((at, of) for at, of in cube.items() if at != label), (-1, not mask))))
                other = together.setdefault(rest, cube)
                if mask:
                    together[rest] = {**other, label: other[label] | mask}
            found = list(together.values())
        if len(found) == before:
            return found
