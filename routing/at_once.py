"""Many matchers asked at once: which of some hundred conditions does an alert meet?

The answer is that of asking each by itself, as `matchers.py` does, and comes in the time of a few: written
values are looked up, RE2 is asked for many expressions together, and what it said of a value is remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import re2

from routing.matchers import REGEX_OPTIONS, compile_regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from routing.matchers import Matcher

WORTH: Final = 8  # expressions from which on a set is quicker than asking each
IN_A_SET: Final = 48  # expressions of one set: more of them make its automaton large
REMEMBERED: Final = 8_192  # values


class Expressions:
    """Regular expressions, each of which has to match the whole of a value."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(dict.fromkeys(patterns))
        self._parts = [
            _Part(self.patterns[at : at + IN_A_SET]) for at in range(0, len(self.patterns), IN_A_SET)
        ]
        self._known: dict[str, tuple[str, ...]] = {}

    def met_by(self, value: str) -> tuple[str, ...]:
        """The expressions that the value meets, in their order."""
        found = self._known.get(value)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            text = value.encode(errors="replace")
            found = self._known[value] = tuple(met for part in self._parts for met in part.met_by(text))
        return found


class _Part:
    """As many expressions as RE2 is asked for in one call."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._set: Any = None
        if len(patterns) >= WORTH:
            self._set = re2.Set.FullMatchSet(REGEX_OPTIONS)
            # One that everything meets: if it is not in an answer, RE2 ran out of memory and did not say so.
            for pattern in ("(?s:.*)", *patterns):
                self._set.Add(pattern.encode())
            self._set.Compile()

    def met_by(self, text: bytes) -> list[str]:
        found = sorted(self._set.Match(text)) if self._set else []
        if found[:1] == [0]:
            return [self._patterns[at - 1] for at in found[1:]]
        return [pattern for pattern in self._patterns if compile_regex(pattern).search(text)]


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
    """All matchers of one label: what a value does not touch is met by the negative ones alone."""

    def __init__(self, matchers: Sequence[tuple[Matcher, int]]) -> None:
        self._negative = 0
        self._by_value: dict[str, int] = {}
        self._by_pattern: dict[str, int] = {}
        for matcher, bit in matchers:
            asked = self._by_value if matcher.op in ("=", "!=") else self._by_pattern
            asked[matcher.value] = asked.get(matcher.value, 0) | bit
            if matcher.op in ("!=", "!~"):
                self._negative |= bit
        self._expressions = Expressions(self._by_pattern)

    def met(self, value: str) -> int:
        """The bits of those that the value meets."""
        found = self._negative ^ self._by_value.get(value, 0)
        for pattern in self._expressions.met_by(value):
            found ^= self._by_pattern[pattern]
        return found
