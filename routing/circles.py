"""Inhibition rules that can make alerts silence each other, found when a configuration is loaded.

This module judges rules, not alerts: could there be alerts of which each inhibits the next, through these
rules, and the last the first? It never misses a set of rules that real alerts could use so (`judge.py` walks
the alerts of no other), and reports none whose matchers exclude each other as far as `satisfiable.py` sees.
It does not say that such alerts exist.

In a circle every alert is the target of one rule and a source of the next. So both rules' matchers hold for
it; along the `equal` labels also those of the alerts before and after it; and whatever holds for all that
could come before, or after. A rule drops out if its two alerts would both meet both of its sides, which its
semantics forbids; for that reason one rule alone never makes a circle. All this until nothing more is learnt.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import re2

from routing.matchers import Matcher, Operator, compile_regex
from routing.satisfiable import can_hold, implies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Written = tuple[Sequence[Matcher], Sequence[Matcher], Sequence[str]]  # source, target, equal

MAX_LINKS: Final = 20_000
MAX_ROUNDS: Final = 200

Known = dict[str, frozenset[Matcher]]  # by label name; nothing is known of other labels

_OPPOSITE: Final[dict[Operator, Operator]] = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(slots=True)
class _Pair:
    """What is known of the two alerts that one rule connects in a circle; it grows."""

    rule: Written
    source: Known
    target: Known


def find_circles(rules: Sequence[Written]) -> list[tuple[int, ...]]:
    """The sets of rules, by their places, that can form circles; each set in order, and they too.

    Rules with the same content must not be among them twice: two of them would pass for a circle.
    """
    pairs = [_Pair(rule, _by_name(rule[0]), _by_name(rule[1])) for rule in rules]
    for pair in pairs:
        _share(pair)
    settled: list[tuple[int, ...]] = []
    waiting = [list(range(len(rules)))]
    rounds = 0
    while waiting:
        places = [place for place in waiting.pop() if _can_be(pairs[place])]
        group = [pairs[place] for place in places]
        after, before = _links(group)
        for part in _strong(after, before):
            smaller = len(part) < len(group)
            links = sum((after[at] & _mask(part)).bit_count() for at in part)
            rounds += 1
            if smaller or (links <= MAX_LINKS and rounds <= MAX_ROUNDS and _learn(group, after, before)):
                waiting.append([places[at] for at in part])
            else:
                settled.append(tuple(places[at] for at in part))
    return sorted(settled)


def _by_name(matchers: Iterable[Matcher]) -> Known:
    names: dict[str, frozenset[Matcher]] = defaultdict(frozenset)
    for matcher in matchers:
        names[matcher.name] |= {matcher}
    return dict(names)


def _add(known: Known, more: Iterable[Matcher]) -> bool:
    """Adds to what is known; whether any of it is new."""
    new = [matcher for matcher in more if not _implied(known.get(matcher.name, frozenset()), matcher)]
    for matcher in new:
        known[matcher.name] = known.get(matcher.name, frozenset()) | {matcher}
    return bool(new)


def _share(pair: _Pair) -> bool:
    """Source and target agree in the `equal` labels: what holds for one of them holds for the other."""
    grown = False
    for name in pair.rule[2]:
        grown |= _add(pair.source, pair.target.get(name, ()))
        grown |= _add(pair.target, pair.source.get(name, ()))
    return grown


def _can_be(pair: _Pair) -> bool:
    """Whether the rule can connect two alerts at all, by what is known of them."""
    if any(_excluded(matchers) for known in (pair.source, pair.target) for matchers in known.values()):
        return False
    source, target, _ = pair.rule
    return bool(_open(pair.target, source) or _open(pair.source, target))


def _open(known: Known, matchers: Iterable[Matcher]) -> list[Matcher]:
    """Those of the matchers that do not follow from what is known."""
    return [matcher for matcher in matchers if not _implied(known.get(matcher.name, frozenset()), matcher)]


def _learn(group: list[_Pair], after: list[int], before: list[int]) -> bool:
    """One round of learning, in a group of which each rule can follow on each; whether anything is new."""
    grown = False
    for at, pair in enumerate(group):
        grown |= _add(pair.source, _common([group[other].target for other in _bits(before[at])]))
        grown |= _add(pair.target, _common([group[other].source for other in _bits(after[at])]))
        grown |= _add(pair.target, _refused(pair.source, pair.rule[1], pair.target, pair.rule[0]))
        grown |= _add(pair.source, _refused(pair.target, pair.rule[0], pair.source, pair.rule[1]))
        grown |= _share(pair)
    return grown


def _common(all_known: list[Known]) -> Iterator[Matcher]:
    """The matchers that follow from each of several pieces of knowledge."""
    for name in set.intersection(*(set(known) for known in all_known)):
        each = {known[name] for known in all_known}
        for matcher in frozenset.union(*each):
            if all(_implied(matchers, matcher) for matchers in each):
                yield matcher


def _refused(
    one: Known, other_side: Sequence[Matcher], known: Known, side: Sequence[Matcher]
) -> list[Matcher]:
    """What one alert of a pair cannot be since the other meets both sides of the rule."""
    if _open(one, other_side):
        return []
    left = _open(known, side)
    return [Matcher(m.name, _OPPOSITE[m.op], m.value) for m in left] if len(left) == 1 else []


def _links(group: list[_Pair]) -> tuple[list[int], list[int]]:
    """For each rule, as bits: those that can come after it in a circle, and those that can come before."""
    after = _together([pair.target for pair in group], [pair.source for pair in group])
    before = [0] * len(group)
    for at, mask in enumerate(after):
        for other in _bits(mask):
            before[other] |= 1 << at
    return after, before


def _together(left: list[Known], right: list[Known]) -> list[int]:
    """For each on the left, as bits, those on the right that one alert may be at the same time."""
    every = (1 << len(right)) - 1
    masks = [every] * len(left)
    for name in {name for known in left for name in known} & {name for known in right for name in known}:
        same: dict[frozenset[Matcher], int] = defaultdict(int)
        for at, known in enumerate(right):
            if name in known:
                same[known[name]] |= 1 << at
        fits = _Fits(name, same, every)
        for at, known in enumerate(left):
            if name in known:
                masks[at] &= fits.mask(known[name])
    return masks


class _Fits:
    """Of many sets of matchers of one label, those that can be met together with a given set.

    Most of them ask for one value, or differ in how values begin: so not all are compared with all.
    """

    def __init__(self, name: str, same: dict[frozenset[Matcher], int], every: int) -> None:
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
        for other, (low, high), those in self._others:
            if low <= greatest and least <= high and not _excluded(matchers | other):
                mask |= those
        return mask

    def _meets(self, matchers: frozenset[Matcher], value: str) -> bool:
        labels = {self._name: value}
        return all(matcher.matches(labels) for matcher in matchers)


def _value(matchers: frozenset[Matcher]) -> str | None:
    """The one value that matchers ask for (which others of them may refuse: that was seen before)."""
    return next((matcher.value for matcher in matchers if matcher.op == "="), None)


@lru_cache(maxsize=65_536)
def _excluded(matchers: frozenset[Matcher]) -> bool:
    return not can_hold(matchers)


@lru_cache(maxsize=65_536)
def _implied(by: frozenset[Matcher], matcher: Matcher) -> bool:
    return implies(by, (matcher,))


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


def _strong(after: list[int], before: list[int]) -> list[list[int]]:
    """The sets of at least two in which each can be reached from each (Kosaraju's algorithm, on bits)."""
    unseen = (1 << len(after)) - 1
    finished: list[int] = []
    for start in range(len(after)):
        path = [start] if unseen >> start & 1 else []
        while path:
            unseen &= ~(1 << path[-1])
            if onward := after[path[-1]] & unseen:
                path.append((onward & -onward).bit_length() - 1)
            else:
                finished.append(path.pop())
    parts = []
    left = (1 << len(after)) - 1
    for start in reversed(finished):
        if not left >> start & 1:
            continue
        part, reached = 0, 1 << start
        while reached:
            part |= reached
            left &= ~reached
            reached = _union(before[at] for at in _bits(reached)) & left
        if part.bit_count() > 1:
            parts.append(list(_bits(part)))
    return parts


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _mask(places: Iterable[int]) -> int:
    return _union(1 << at for at in places)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
