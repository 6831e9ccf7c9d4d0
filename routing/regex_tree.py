r"""Regular expressions read into trees, and what can be told from a tree at a glance.

What is not understood here (flags, `\b`, `\pL`, `[[:alpha:]]`, anchors in the middle) makes no tree: the
caller must not conclude anything from that. Whether an expression is valid at all says RE2.

Rules: RE2's syntax, for the whole of a text, so that `^` at the beginning and `$` at the end say nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]  # code points, both ends included

LAST: Final = 0x10FFFF
_ANY: Final[Ranges] = ((0, 9), (11, LAST))  # all but the line break
_DIGITS: Final[Ranges] = ((48, 57),)
_WORDS: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACES: Final[Ranges] = ((9, 10), (12, 13), (32, 32))
_CLASSES: Final = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
_CONTROLS: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_COUNT: Final = re.compile(r"\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")
_MANY: Final = 8  # texts that may be needed; more are not worth the looking
READABLE: Final = [ord(char) for char in "xyz0_- /.:,XA1"]


class Chars(NamedTuple):
    ranges: Ranges


class Row(NamedTuple):
    parts: tuple[Tree, ...]


class Choice(NamedTuple):
    options: tuple[Tree, ...]


class Repeat(NamedTuple):
    what: Tree
    least: int
    most: int | None


class _Begin(NamedTuple):
    pass


class _End(NamedTuple):
    pass


Tree = Chars | Row | Choice | Repeat | _Begin | _End


class _Unknown(Exception):  # noqa: N818 - it is no error
    """Something in the expression that is not understood here."""


@lru_cache(maxsize=16_384)
def parse(pattern: str) -> Tree | None:
    """The tree of an expression that RE2 takes; None where it is not understood."""
    try:
        return _Parser(pattern).whole()
    except (_Unknown, RecursionError):
        return None


@lru_cache(maxsize=4_096)
def samples(pattern: str) -> tuple[str, ...]:
    """A few short texts that match the expression, one for each of its options; () if none come to mind."""
    tree = parse(pattern)
    if tree is None:
        return ()
    options = tree.options[:_MANY] if isinstance(tree, Choice) else (tree,)
    return tuple(map(_sample, options))


@lru_cache(maxsize=16_384)
def needed(pattern: str) -> tuple[str, ...]:
    """Texts of which at least one stands in whatever the expression matches; () if that is not known."""
    tree = parse(pattern)
    return _needed(tree) if tree else ()


# --- reading -------------------------------------------------------------------------------------------


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> Tree:
        tree = self.choice()
        if self.at < len(self.text):
            raise _Unknown
        return _bare(_bare(tree, _Begin, 0), _End, -1)

    def choice(self) -> Tree:
        options = [self.row()]
        while self.take("|"):
            options.append(self.row())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def row(self) -> Tree:
        parts: list[Tree] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self.repeated(self.one()))
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def one(self) -> Tree:
        char = self.next()
        match char:
            case ".":
                return Chars(_ANY)
            case "^":
                return _Begin()
            case "$":
                return _End()
            case "[":
                return self.char_class()
            case "(":
                return self.group()
            case "\\":
                return Chars(self.escape())
            case "*" | "+" | "?":
                raise _Unknown
            case _:
                return Chars(((ord(char), ord(char)),))

    def repeated(self, what: Tree) -> Tree:
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
        return Repeat(what, least, most)

    def group(self) -> Tree:
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

    def char_class(self) -> Tree:
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
        return Chars(_complement(tuple(ranges)) if negated else tuple(ranges))

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


def _bare(tree: Tree, anchor: type[_Begin | _End], end: int) -> Tree:
    """The tree without the anchor at its beginning (`end` 0) or end (-1), where it says nothing."""
    if isinstance(tree, anchor):
        return Row(())
    if isinstance(tree, Choice):
        return Choice(tuple(_bare(option, anchor, end) for option in tree.options))
    if isinstance(tree, Row) and tree.parts:
        parts = list(tree.parts)
        parts[end] = _bare(parts[end], anchor, end)
        return Row(tuple(parts))
    return tree


def _complement(ranges: Ranges) -> Ranges:
    found: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    if start <= LAST:
        found.append((start, LAST))
    return tuple(found)


# --- what a tree tells ---------------------------------------------------------------------------------


def _sample(tree: Tree) -> str:
    """A text that matches: the first of several options, as few repeats as there may be."""
    match tree:
        case Chars(ranges):
            fitting = (char for char in READABLE if any(low <= char <= high for low, high in ranges))
            return chr(next(fitting, ranges[0][0])) if ranges else ""
        case Row(parts):
            return "".join(map(_sample, parts))
        case Choice(options):
            return _sample(options[0])
        case Repeat(what, least, _):
            return _sample(what) * least
        case _:
            return ""


def _needed(tree: Tree) -> tuple[str, ...]:
    """Texts of which at least one stands in whatever matches; () if nothing is known of that."""
    match tree:
        case Chars(((low, high),)) if low == high:
            return (chr(low),)
        case Row(parts):
            return max([_literal(parts), *map(_needed, parts)], key=_worth, default=())
        case Choice(options):
            each = [_needed(option) for option in options]
            return tuple(text for one in each for text in one) if all(each) and len(each) <= _MANY else ()
        case Repeat(what, least, _) if least:
            return _needed(what)
        case _:
            return ()


def _literal(parts: Iterable[Tree]) -> tuple[str, ...]:
    """The longest run of single characters."""
    found, run = "", ""
    for part in parts:
        single = _needed(part) if isinstance(part, Chars) else ()
        run = run + single[0] if single else ""
        found = max(found, run, key=len)
    return (found,) if found else ()


def _worth(texts: tuple[str, ...]) -> int:
    return min(map(len, texts), default=0)
