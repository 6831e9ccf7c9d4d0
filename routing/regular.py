"""Regular expressions as sets of texts: is there one that these all match and those do not?

`matchers.py` asks RE2 about one text; here expressions are compared with each other. Each becomes Glushkov's
automaton (a state for each character of the expression, sets of states as bits), and the automata are walked
together until a text is found or none is left. An expression that is not understood, or whose counts explode,
has none: the caller must not conclude anything from that.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from routing.regex_tree import LAST, READABLE, Chars, Choice, Ranges, Repeat, Row, Tree, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_POSITIONS: Final = 4_000  # characters of an expression, counted repeats written out
MAX_STEPS: Final = 100_000  # of all automata walked together


class Undecided(Exception):  # noqa: N818 - it is no error
    """The automata are too large to say."""


class _NoAutomaton(Exception):  # noqa: N818 - it is no error
    """It would have too many states, or the expression has an anchor in the middle."""


class Automaton:
    """One expression. Bit n of a state set is position n of the expression; `START` is before all."""

    def __init__(self, tree: Tree) -> None:
        self.chars: list[Ranges] = []
        self.follow: list[int] = []
        self.nullable, self.first, self.last = self._add(tree)
        self._steps: dict[tuple[int, int], int] = {}
        self._next: dict[int, tuple[int, ...] | None] = {}
        self._having: dict[int, int] = {}

    def _add(self, tree: Tree) -> tuple[bool, int, int]:
        """(matches the empty text, positions that can be first, that can be last)."""
        match tree:
            case Chars(ranges):
                if len(self.chars) >= MAX_POSITIONS:
                    raise _NoAutomaton
                self.chars.append(ranges)
                self.follow.append(0)
                bit = 1 << (len(self.chars) - 1)
                return False, bit, bit
            case Row(parts):
                return self._row(parts)
            case Choice(options):
                found = [self._add(option) for option in options]
                return (
                    any(one[0] for one in found),
                    _union(one[1] for one in found),
                    _union(o[2] for o in found),
                )
            case Repeat(what, least, most):
                return self._repeat(what, least, most)
            case _:
                raise _NoAutomaton

    def _row(self, parts: Sequence[Tree]) -> tuple[bool, int, int]:
        whole = (True, 0, 0)
        for part in parts:
            whole = self._joined(whole, self._add(part))
        return whole

    def _joined(self, left: tuple[bool, int, int], right: tuple[bool, int, int]) -> tuple[bool, int, int]:
        for position in _bits(left[2]):
            self.follow[position] |= right[1]
        first = left[1] | right[1] if left[0] else left[1]
        last = right[2] | left[2] if right[0] else right[2]
        return left[0] and right[0], first, last

    def _repeat(self, what: Tree, least: int, most: int | None) -> tuple[bool, int, int]:
        whole = (True, 0, 0)
        for _ in range(least if most is None else most):
            nullable, first, last = self._add(what)
            optional = most is not None and _ >= least
            whole = self._joined(whole, (nullable or optional, first, last))
        if most is None:
            nullable, first, last = self._add(what)
            for position in _bits(last):
                self.follow[position] |= first
            whole = self._joined(whole, (True, first, last))
        return whole

    def _after(self, states: int) -> int:
        return self.first if states == START else _union(self.follow[at] for at in _bits(states))

    def next_chars(self, states: int) -> tuple[int, ...] | None:
        """The characters that lead on from these states, if all are written out; None where a class does."""
        if states not in self._next:
            ranges = {one for at in _bits(self._after(states)) for one in self.chars[at]}
            single = all(low == high for low, high in ranges)
            self._next[states] = tuple(sorted(low for low, _ in ranges)) if single else None
        return self._next[states]

    def step(self, states: int, char: int) -> int:
        """The states after one more character; `states` is START or what a step gave."""
        key = (states, char)
        found = self._steps.get(key)
        if found is None:
            after = self._after(states)
            if char not in self._having:
                self._having[char] = _union(
                    1 << at
                    for at, ranges in enumerate(self.chars)
                    if any(low <= char <= high for low, high in ranges)
                )
            found = self._steps[key] = after & self._having[char]
        return found

    def accepts(self, states: int) -> bool:
        """Whether the text read so far matches."""
        return self.nullable if states == START else bool(states & self.last)

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        states = START
        for char in text:
            states = self.step(states, ord(char))
        return self.accepts(states)


START: Final = -1


def _union(sets: Iterable[int]) -> int:
    whole = 0
    for one in sets:
        whole |= one
    return whole


def _bits(states: int) -> list[int]:
    found = []
    while states:
        low = states & -states
        found.append(low.bit_length() - 1)
        states ^= low
    return found


@lru_cache(maxsize=4_096)
def automaton(pattern: str) -> Automaton | None:
    """The automaton of an expression that RE2 takes; None where it is not understood."""
    tree = parse(pattern)
    try:
        return Automaton(tree) if tree else None
    except (_NoAutomaton, RecursionError):
        return None


@lru_cache(maxsize=4_096)
def exactly(text: str) -> Automaton | None:
    """The automaton of one text; None where it is too long."""
    try:
        return Automaton(Row(tuple(Chars(((ord(char), ord(char)),)) for char in text)))
    except _NoAutomaton:
        return None


def common(matching: Sequence[Automaton], missing: Sequence[Automaton], steps: int = MAX_STEPS) -> str | None:
    """A shortest text that all of `matching` match and none of `missing`; None if there is none.

    `steps` says how long to look for it; one costs up to 20 µs.

    Raises:
        Undecided: it would take too long to say.
    """
    automata = (*matching, *missing)
    alphabet = _alphabet(automata)
    begin = tuple(START for _ in automata)
    came: dict[tuple[int, ...], tuple[tuple[int, ...], int] | None] = {begin: None}
    waiting = deque([begin])
    left = steps
    count = len(matching)
    while waiting:
        here = waiting.popleft()
        if all(one.accepts(states) == (at < count) for at, (one, states) in enumerate(zip(automata, here))):  # noqa: B905
            return _text(here, came)
        chars = _leading_on(here, matching) or alphabet
        left -= len(chars)
        if left < 0:
            raise Undecided
        for char in chars:
            there = tuple([one.step(states, char) for one, states in zip(automata, here)])  # noqa: B905
            if there in came or 0 in there[:count]:
                continue
            came[there] = (here, char)
            waiting.append(there)
    return None


def _leading_on(here: tuple[int, ...], matching: Sequence[Automaton]) -> Sequence[int]:
    """The few characters that can come next, where one of the automata says which; else none."""
    for one, states in zip(matching, here):  # noqa: B905 - `here` goes on with those that must not match
        if chars := one.next_chars(states):
            return chars
    return ()


def _text(end: tuple[int, ...], came: dict[tuple[int, ...], tuple[tuple[int, ...], int] | None]) -> str:
    chars: list[str] = []
    step = came[end]
    while step is not None:
        end, char = step
        chars.append(chr(char))
        step = came[end]
    return "".join(reversed(chars))


def _alphabet(automata: Sequence[Automaton]) -> list[int]:
    """One character of each kind that the expressions tell apart, readable ones first."""
    starts = {0, 0xD800, 0xE000}
    for one in automata:
        for ranges in set(one.chars):
            for low, high in ranges:
                starts |= {low, high + 1}
    edges = sorted(start for start in starts if start <= LAST)
    found = []
    for low, after in zip(edges, [*edges[1:], LAST + 1], strict=True):
        if 0xD800 <= low < 0xE000:
            continue  # surrogates are no characters
        found.append(next((char for char in READABLE if low <= char < after), low))
    order = {char: at for at, char in enumerate(READABLE)}
    return sorted(found, key=lambda char: (order.get(char, len(order)), char < 32, char))
