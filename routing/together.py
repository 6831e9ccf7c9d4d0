"""Which sets of matchers one alert can meet together: many sets against many, in bounded time.

This module asks `satisfiable.py` about matchers of one label, seldom and not for long: values that are
written out are tried, expressions whose matches lie in different ranges are told apart by RE2, answers are
remembered, and if too many stay undecided no more are asked for. Where it does not know, it says "perhaps",
so what it excludes is excluded for certain.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import re2

from routing.matchers import Matcher, compile_regex, matches_all
from routing.satisfiable import UNDECIDED, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Known = dict[str, frozenset[Matcher]]  # by label name; nothing is known of other labels

STEPS: Final = 1_000  # up to 20 ms for one question
MAX_UNDECIDED: Final = 100
MAX_ASKED: Final = 2_000  # questions that written values do not answer; most take some 50 to 100 µs


class Together:
    """Answers about matchers; one for each set of rules that is looked into."""

    def __init__(self) -> None:
        self._impossible: dict[frozenset[Matcher], bool] = {}
        self._follows: dict[tuple[frozenset[Matcher], Matcher], bool] = {}
        self._undecided = 0
        self._asked = 0

    @property
    def tired(self) -> bool:
        """Whether so much was asked already that no more is: all that is left may be."""
        return self._undecided >= MAX_UNDECIDED or self._asked >= MAX_ASKED

    def excluded(self, matchers: frozenset[Matcher]) -> bool:
        """Whether it is certain that no value meets all of these."""
        if (answer := self._impossible.get(matchers)) is None:
            answer = self._impossible[matchers] = self._never(matchers)
        return answer

    def implied(self, by: frozenset[Matcher], matcher: Matcher) -> bool:
        """Whether it is certain that every value that meets all of `by` meets `matcher` too."""
        if matcher in by:
            return True
        if (answer := self._follows.get((by, matcher))) is None:
            answer = self._follows[by, matcher] = self._never(by, matcher)
        return answer

    def _never(self, meeting: frozenset[Matcher], *avoiding: Matcher) -> bool:
        if (value := _value(meeting)) is not None:
            labels = {next(iter(meeting)).name: value}
            return not matches_all(meeting, labels) or (bool(avoiding) and matches_all(avoiding, labels))
        if self.tired:
            return False
        self._asked += 1
        answer = find(meeting, [(matcher,) for matcher in avoiding], steps=STEPS)
        self._undecided += answer == UNDECIDED
        return answer.never

    def masks(self, left: Sequence[Known], right: Sequence[Known]) -> list[int]:
        """For each on the left, as bits, those on the right that it does not exclude.

        No set may contradict itself.
        """
        every = (1 << len(right)) - 1
        masks = [every] * len(left)
        for name in _names(left) & _names(right):
            same: dict[frozenset[Matcher], int] = defaultdict(int)
            for at, known in enumerate(right):
                if name in known:
                    same[known[name]] |= 1 << at
            fits = _Fits(self, name, same, every)
            for at, known in enumerate(left):
                if name in known:
                    masks[at] &= fits.mask(known[name])
        return masks


def _names(all_known: Iterable[Known]) -> set[str]:
    return {name for known in all_known for name in known}


class _Fits:
    """Of many sets of matchers of one label, those that can be met together with a given set.

    Most of them ask for one value, or differ in how values begin: so not all are compared with all.
    """

    def __init__(
        self, together: Together, name: str, same: dict[frozenset[Matcher], int], every: int
    ) -> None:
        self._together = together
        self._name = name
        self._free = every
        self._by_value: dict[str, int] = defaultdict(int)
        self._others: list[tuple[frozenset[Matcher], tuple[bytes, bytes], int]] = []
        for matchers, mask in same.items():
            self._free &= ~mask
            if (value := _value(matchers)) is None:
                self._others.append((matchers, _bounds(matchers), mask))
            else:
                self._by_value[value] |= mask
        self._sorted = sorted((value.encode(errors="replace"), value) for value in self._by_value)
        self._found: dict[frozenset[Matcher], int] = {}

    def mask(self, matchers: frozenset[Matcher]) -> int:
        if (found := self._found.get(matchers)) is None:
            value = _value(matchers)
            found = self._with_others(matchers) if value is None else self._with_value(value)
            self._found[matchers] = found = found | self._free
        return found

    def _with_value(self, value: str) -> int:
        mask = self._by_value.get(value, 0)
        encoded = value.encode(errors="replace")
        for other, (low, high), those in self._others:
            if low <= encoded <= high and self._meets(other, value):
                mask |= those
        return mask

    def _with_others(self, matchers: frozenset[Matcher]) -> int:
        least, greatest = _bounds(matchers)
        mask = 0
        for encoded, value in self._sorted[bisect_left(self._sorted, (least, "")) :]:
            if encoded > greatest:
                break
            if self._meets(matchers, value):
                mask |= self._by_value[value]
        tired = self._together.tired
        for other, (low, high), those in self._others:
            if low <= greatest and least <= high:
                if not tired and self._together.excluded(matchers | other):
                    continue
                mask |= those
                tired = tired or self._together.tired
        return mask

    def _meets(self, matchers: frozenset[Matcher], value: str) -> bool:
        return matches_all(matchers, {self._name: value})


def _value(matchers: frozenset[Matcher]) -> str | None:
    """The value that one of the matchers asks for."""
    return next((matcher.value for matcher in matchers if matcher.op == "="), None)


_LEAST: Final = b""
_GREATEST: Final = b"\xff"  # never a byte of UTF-8


def _bounds(matchers: frozenset[Matcher]) -> tuple[bytes, bytes]:
    """The least and the greatest text, in UTF-8, that the regular expressions among these may match."""
    ranges = [_range(matcher.value) for matcher in matchers if matcher.op == "=~"]
    return max([_LEAST, *(low for low, _ in ranges)]), min([_GREATEST, *(high for _, high in ranges)])


@lru_cache(maxsize=16_384)
def _range(pattern: str) -> tuple[bytes, bytes]:
    try:
        low, high = compile_regex(pattern).possiblematchrange(64)
    except re2.error:  # it sees no bounds
        return _LEAST, _GREATEST
    return low, high
