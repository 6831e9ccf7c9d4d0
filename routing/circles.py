"""Inhibition rules that can make alerts silence each other, found when a configuration is loaded.

This module judges rules, not alerts: could there be alerts of which each inhibits the next, through these
rules, and the last the first? It never misses a set of rules that real alerts could use so (`judge.py` walks
the alerts of no other), and reports none whose matchers exclude each other as far as `together.py` sees.
It does not say that such alerts exist.

In a circle every alert is the target of one rule and a source of the next. So both rules' matchers hold for
it; along the `equal` labels also those of the alerts before and after it; and whatever holds for all that
could come before, or after. A rule drops out if its two alerts would both meet both of its sides, which its
semantics forbids; for that reason one rule alone never makes a circle. All this until nothing more is learnt.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from routing.matchers import Matcher, Operator
from routing.together import Together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from routing.together import Known

    Written = tuple[Sequence[Matcher], Sequence[Matcher], Sequence[str]]  # source, target, equal

MAX_LINKS: Final = 20_000
MAX_ROUNDS: Final = 200

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
    return _Search(rules).circles()


class _Search:
    """What is known of each rule in a circle, and what is still to be looked at."""

    def __init__(self, rules: Sequence[Written]) -> None:
        self._together = Together()
        self._pairs = [_Pair(rule, _by_name(rule[0]), _by_name(rule[1])) for rule in rules]
        for pair in self._pairs:
            self._share(pair)

    def circles(self) -> list[tuple[int, ...]]:
        settled: list[tuple[int, ...]] = []
        waiting = [list(range(len(self._pairs)))]
        rounds = 0
        while waiting:
            places = [place for place in waiting.pop() if self._can_be(self._pairs[place])]
            group = [self._pairs[place] for place in places]
            after = self._together.masks([pair.target for pair in group], [pair.source for pair in group])
            before = _turned(after)
            for part in _strong(after, before):
                rounds += 1
                whole = len(part) == len(group) and sum(map(int.bit_count, after)) <= MAX_LINKS
                if len(part) < len(group) or (
                    whole and rounds <= MAX_ROUNDS and self._learn(group, after, before)
                ):
                    waiting.append([places[at] for at in part])
                else:
                    settled.append(tuple(places[at] for at in part))
        return sorted(settled)

    def _can_be(self, pair: _Pair) -> bool:
        """Whether the rule can connect two alerts at all, by what is known of them."""
        for known in (pair.source, pair.target):
            if any(self._together.excluded(matchers) for matchers in known.values()):
                return False
        source, target, _ = pair.rule
        return bool(self._open(pair.target, source) or self._open(pair.source, target))

    def _open(self, known: Known, matchers: Iterable[Matcher]) -> list[Matcher]:
        """Those of the matchers that do not follow from what is known."""
        return [m for m in matchers if not self._together.implied(known.get(m.name, frozenset()), m)]

    def _add(self, known: Known, more: Iterable[Matcher]) -> bool:
        """Adds to what is known; whether any of it is new."""
        new = self._open(known, more)
        for matcher in new:
            known[matcher.name] = known.get(matcher.name, frozenset()) | {matcher}
        return bool(new)

    def _learn(self, group: list[_Pair], after: list[int], before: list[int]) -> bool:
        """One round of learning, in a group where each can be reached from each; whether anything is new."""
        grown = False
        for at, pair in enumerate(group):
            source, target, _ = pair.rule
            grown |= self._add(
                pair.source, self._common([group[other].target for other in _bits(before[at])])
            )
            grown |= self._add(pair.target, self._common([group[other].source for other in _bits(after[at])]))
            grown |= self._add(pair.target, self._refused(pair.source, target, pair.target, source))
            grown |= self._add(pair.source, self._refused(pair.target, source, pair.source, target))
            grown |= self._share(pair)
        return grown

    def _share(self, pair: _Pair) -> bool:
        """Source and target agree in the `equal` labels: what holds for one of them holds for the other."""
        grown = False
        for name in pair.rule[2]:
            grown |= self._add(pair.source, pair.target.get(name, ()))
            grown |= self._add(pair.target, pair.source.get(name, ()))
        return grown

    def _common(self, all_known: list[Known]) -> Iterator[Matcher]:
        """The matchers that follow from each of several pieces of knowledge."""
        for name in set.intersection(*(set(known) for known in all_known)):
            each = {known[name] for known in all_known}
            for matcher in frozenset.union(*each):
                if all(self._together.implied(matchers, matcher) for matchers in each):
                    yield matcher

    def _refused(
        self, one: Known, other_side: Sequence[Matcher], known: Known, side: Sequence[Matcher]
    ) -> list[Matcher]:
        """What one alert of a pair cannot be since the other meets both sides of the rule."""
        if self._open(one, other_side):
            return []
        left = self._open(known, side)
        return [Matcher(m.name, _OPPOSITE[m.op], m.value) for m in left] if len(left) == 1 else []


def _by_name(matchers: Iterable[Matcher]) -> Known:
    names: dict[str, frozenset[Matcher]] = defaultdict(frozenset)
    for matcher in matchers:
        names[matcher.name] |= {matcher}
    return dict(names)


def _turned(after: list[int]) -> list[int]:
    """Which come before each, from which come after."""
    before = [0] * len(after)
    for at, mask in enumerate(after):
        for other in _bits(mask):
            before[other] |= 1 << at
    return before


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


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
