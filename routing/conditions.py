"""Many conditions asked at once: which of some hundred conjunctions of matchers does an alert meet?

The same answer as asking each matcher, found faster: what a label's value meets of all matchers of that label
is found together (exact values by lookup, regular expressions in sets), kept as the bits of a number, and
remembered by the value. So a value that was never seen costs microseconds, however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import re2

from routing.matchers import REGEX_OPTIONS, anchored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from routing.matchers import Matcher

_REMEMBERED: Final = 8_192  # values of one label
_TOGETHER: Final = 48  # expressions of one set: more of them make its automaton large


class Conditions:
    """Conjunctions of matchers, compiled."""

    def __init__(self, conjunctions: Sequence[Iterable[Matcher]]) -> None:
        matchers = list(dict.fromkeys(matcher for one in conjunctions for matcher in one))
        bit = {matcher: 1 << place for place, matcher in enumerate(matchers)}
        self._needed = [sum({bit[matcher] for matcher in one}) for one in conjunctions]
        names = sorted({matcher.name for matcher in matchers})
        self._labels = [
            (name, _Label([(one, bit[one]) for one in matchers if one.name == name])) for name in names
        ]

    def mask(self, labels: Mapping[str, str]) -> int:
        """Which matchers the label set meets, as a number: the same for all that meet the same."""
        found = 0
        for name, label in self._labels:
            found |= label.met(labels.get(name, ""))
        return found

    def met(self, mask: int) -> list[bool]:
        """For each conjunction whether all of it is met; a missing label counts as empty."""
        return [needed & mask == needed for needed in self._needed]


class _Label:
    """All matchers of one label."""

    def __init__(self, matchers: Sequence[tuple[Matcher, int]]) -> None:
        self._equal: dict[str, int] = {}
        self._unequal: list[tuple[str, int]] = []
        self._negated = 0
        expressions = []
        for matcher, bit in matchers:
            match matcher.op:
                case "=":
                    self._equal[matcher.value] = bit
                case "!=":
                    self._unequal.append((matcher.value, bit))
                case _:
                    expressions.append((matcher, bit))
                    self._negated |= bit if matcher.op == "!~" else 0
        self._sets = [
            _Expressions(expressions[start : start + _TOGETHER])
            for start in range(0, len(expressions), _TOGETHER)
        ]
        self._known: dict[str, int] = {}

    def met(self, value: str) -> int:
        found = self._known.get(value)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[value] = self._asked(value)
        return found

    def _asked(self, value: str) -> int:
        found = self._negated
        for expressions in self._sets:
            found ^= expressions.fit(value)
        found |= self._equal.get(value, 0)
        for other, bit in self._unequal:
            if value != other:
                found |= bit
        return found


class _Expressions:
    """Regular expressions of one label, asked together."""

    def __init__(self, matchers: Sequence[tuple[Matcher, int]]) -> None:
        self._matchers = matchers
        self._set: Any = re2.Set.SearchSet(REGEX_OPTIONS)
        self._bits = {self._set.Add(anchored(matcher.value)): bit for matcher, bit in matchers}
        # A set whose automaton has no room answers like one that nothing fits; this one fits everything.
        self._everything = self._set.Add(b"")
        self._set.Compile()

    def fit(self, value: str) -> int:
        """The bits of those that the whole value fits."""
        found = self._set.Match(value.encode(errors="replace"))
        if self._everything in found:
            return sum(self._bits[place] for place in found if place != self._everything)
        alone = {matcher.name: value for matcher, _ in self._matchers[:1]}
        return sum(bit for matcher, bit in self._matchers if matcher.matches(alone) == (matcher.op == "=~"))
