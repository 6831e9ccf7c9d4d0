r"""Regular expressions as sets of texts: is there one that these all match and those do not?

`matchers.py` asks RE2 about one text; here expressions are compared with each other. Each becomes Glushkov's
automaton (a state for each character of the expression, sets of states as bits), and the automata are walked
together until a text is found or none is left. What is not understood (flags, `\b`, `\pL`, `[[:alpha:]]`,
counts that explode) is `None`: the caller must not conclude anything from it.

Rules: RE2's syntax, for the whole of a text, so that `^` at the beginning and `$` at the end say nothing.
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_POSITIONS: Final = 4_000  # characters of an expression, counted repeats written out
MAX_STEPS: Final = 100_000  # of all automata walked together

Ranges = tuple[tuple[int, int], ...]  # code points, both ends included

_LAST: Final = 0x10FFFF
_ANY: Final[Ranges] = ((0, 9), (11, _LAST))  # all but the line break
_DIGITS: Final[Ranges] = ((48, 57),)
_WORDS: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACES: Final[Ranges] = ((9, 10), (12, 13), (32, 32))
_CLASSES: Final = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
_CONTROLS: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_COUNT: Final = re.compile(r"\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")
_READABLE: Final = [ord(char) for char in "xyz0_- /.:,XA1"]


class Undecided(Exception):  # noqa: N818 - it is no error
    """The automata are too large to say."""


# --- the expression as a tree --------------------------------------------------------------------------


class _Chars(NamedTuple):
    ranges: Ranges


class _Row(NamedTuple):
    parts: tuple[_Tree, ...]


class _Choice(NamedTuple):
    options: tuple[_Tree, ...]


class _Repeat(NamedTuple):
    what: _Tree
    least: int
    most: int | None


class _Begin(NamedTuple):
    pass


class _End(NamedTuple):
    pass


_Tree = _Chars | _Row | _Choice | _Repeat | _Begin | _End


class _Unknown(Exception):  # noqa: N818 - it is no error
    """Something in the expression that is not understood here."""


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> _Tree:
        tree = self.choice()
        if self.at < len(self.text):
            raise _Unknown
        return _bare(_bare(tree, _Begin, 0), _End, -1)

    def choice(self) -> _Tree:
        options = [self.row()]
        while self.take("|"):
            options.append(self.row())
        return options[0] if len(options) == 1 else _Choice(tuple(options))

    def row(self) -> _Tree:
        parts: list[_Tree] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self.repeated(self.one()))
        return parts[0] if len(parts) == 1 else _Row(tuple(parts))

    def one(self) -> _Tree:
        char = self.next()
        match char:
            case ".":
                return _Chars(_ANY)
            case "^":
                return _Begin()
            case "$":
                return _End()
            case "[":
                return self.char_class()
            case "(":
                return self.group()
            case "\\":
                return _Chars(self.escape())
            case "*" | "+" | "?":
                raise _Unknown
            case _:
                return _Chars(((ord(char), ord(char)),))

    def repeated(self, what: _Tree) -> _Tree:
        if self.take("*"):
            least, most = 0, None
        elif self.take("+"):
            least, most = 1, None
        elif self.take("?"):
            least, most = 0, 1
        elif count := _COUNT.match(self.text, self.at):
            self.at = count.end()
            least = int(count[1])
            most = least if count[2] is None else (int(count[3]) if count[3] else None)
        else:
            return what
        self.take("?")  # which of several matches is preferred does not matter
        if self.at < len(self.text) and (self.text[self.at] in "*+?" or _COUNT.match(self.text, self.at)):
            raise _Unknown
        return _Repeat(what, least, most)

    def group(self) -> _Tree:
        if self.take("?"):
            named = re.compile(r"P?<[A-Za-z_][A-Za-z0-9_]*>").match(self.text, self.at)
            if named:
                self.at = named.end()
            elif not self.take(":"):
                raise _Unknown
        tree = self.choice()
        if not self.take(")"):
            raise _Unknown
        return tree

    def escape(self) -> Ranges:
        char = self.next()
        if char.lower() in _CLASSES:
            ranges = _CLASSES[char.lower()]
            return ranges if char.islower() else _complement(ranges)
        if char in _CONTROLS:
            return ((_CONTROLS[char], _CONTROLS[char]),)
        if char.isascii() and not char.isalnum():
            return ((ord(char), ord(char)),)
        raise _Unknown

    def char_class(self) -> _Tree:
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self.take("]"):
            first = False
            if self.text.startswith("[:", self.at):
                raise _Unknown
            low = self.class_part()
            if len(low) > 1 or low[0][0] != low[0][1] or not self.is_range():
                ranges += low
                continue
            self.next()
            high = self.class_part()
            if len(high) > 1 or high[0][0] != high[0][1]:
                raise _Unknown
            ranges.append((low[0][0], high[0][0]))
        return _Chars(_complement(tuple(ranges)) if negated else tuple(ranges))

    def class_part(self) -> Ranges:
        char = self.next()
        return self.escape() if char == "\\" else ((ord(char), ord(char)),)

    def is_range(self) -> bool:
        return self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at)

    def take(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def next(self) -> str:
        if self.at == len(self.text):
            raise _Unknown
        self.at += 1
        return self.text[self.at - 1]


def _bare(tree: _Tree, anchor: type[_Begin | _End], end: int) -> _Tree:
    """The tree without the anchor at its beginning (`end` 0) or end (-1), where it says nothing."""
    if isinstance(tree, anchor):
        return _Row(())
    if isinstance(tree, _Choice):
        return _Choice(tuple(_bare(option, anchor, end) for option in tree.options))
    if isinstance(tree, _Row) and tree.parts:
        parts = list(tree.parts)
        parts[end] = _bare(parts[end], anchor, end)
        return _Row(tuple(parts))
    return tree


def _complement(ranges: Ranges) -> Ranges:
    found: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        found.append((start, _LAST))
    return tuple(found)


# --- the automaton -------------------------------------------------------------------------------------


class Automaton:
    """One expression. Bit n of a state set is position n of the expression; `START` is before all."""

    def __init__(self, tree: _Tree) -> None:
        self.chars: list[Ranges] = []
        self.follow: list[int] = []
        self.nullable, self.first, self.last = self._add(tree)
        self._steps: dict[tuple[int, int], int] = {}
        self._next: dict[int, tuple[int, ...] | None] = {}
        self._having: dict[int, int] = {}

    def _add(self, tree: _Tree) -> tuple[bool, int, int]:
        """(matches the empty text, positions that can be first, that can be last)."""
        match tree:
            case _Chars(ranges):
                if len(self.chars) >= MAX_POSITIONS:
                    raise _Unknown
                self.chars.append(ranges)
                self.follow.append(0)
                bit = 1 << (len(self.chars) - 1)
                return False, bit, bit
            case _Row(parts):
                return self._row(parts)
            case _Choice(options):
                found = [self._add(option) for option in options]
                return (
                    any(one[0] for one in found),
                    _union(one[1] for one in found),
                    _union(o[2] for o in found),
                )
            case _Repeat(what, least, most):
                return self._repeat(what, least, most)
            case _:
                raise _Unknown  # an anchor in the middle

    def _row(self, parts: Sequence[_Tree]) -> tuple[bool, int, int]:
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

    def _repeat(self, what: _Tree, least: int, most: int | None) -> tuple[bool, int, int]:
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
    try:
        return Automaton(_Parser(pattern).whole())
    except (_Unknown, RecursionError):
        return None


@lru_cache(maxsize=4_096)
def exactly(text: str) -> Automaton | None:
    """The automaton of one text; None where it is too long."""
    try:
        return Automaton(_Row(tuple(_Chars(((ord(char), ord(char)),)) for char in text)))
    except _Unknown:
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
    edges = sorted(start for start in starts if start <= _LAST)
    found = []
    for low, after in zip(edges, [*edges[1:], _LAST + 1], strict=True):
        if 0xD800 <= low < 0xE000:
            continue  # surrogates are no characters
        found.append(next((char for char in _READABLE if low <= char < after), low))
    order = {char: at for at, char in enumerate(_READABLE)}
    return sorted(found, key=lambda char: (order.get(char, len(order)), char < 32, char))
