"""Which matchers exclude each other, and which follow from others, as far as that is certain.

This module judges conditions without alerts: may a label set meet all of these? It answers "no" only where
it is sure: fixed values that differ or that another matcher refuses, lists of values (`a|b|c`) with nothing
left, regular expressions whose matches lie in different ranges (`Api.*`, `Db.*`), an expression and its
opposite. Where it does not see through two expressions it answers "yes, perhaps".

Rules: those of `matchers.py`; a missing label is an empty one, and `.` does not match a line break.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import re2

from routing.matchers import Matcher, compile_regex

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LISTED: Final = 1_000
_RANGE_BYTES: Final = 64
_LEAST: Final = b""
_GREATEST: Final = b"\xff"  # never a byte of UTF-8

_PLAIN = r"(?:[^\\.+*?()|\[\]{}^$]|\\[^A-Za-z0-9])*"
_LIST = re.compile(rf"{_PLAIN}(?:\|{_PLAIN})*", re.DOTALL)
_OUTER = re.compile(r"\((?:\?:)?([^()]*)\)", re.DOTALL)
_CHARACTER = re.compile(r"\\.|.", re.DOTALL)


def contradiction(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """The matchers of one label that no value can meet together; empty where none are seen."""
    by_name: dict[str, set[Matcher]] = {}
    for matcher in matchers:
        by_name.setdefault(matcher.name, set()).add(matcher)
    for together in by_name.values():
        if excluded(frozenset(together)):
            return tuple(sorted(together, key=str))
    return ()


@lru_cache(maxsize=65_536)
def excluded(matchers: frozenset[Matcher]) -> bool:
    """Whether it is certain that no value meets all of these matchers of one label."""
    values = possible(matchers)
    if values is not None:
        return not values
    positive = [matcher for matcher in matchers if matcher.op == "=~"]
    if any(Matcher(matcher.name, "!~", matcher.value) in matchers for matcher in positive):
        return True
    low, high = bounds(matchers)
    return low > high


@lru_cache(maxsize=65_536)
def possible(matchers: frozenset[Matcher]) -> frozenset[str] | None:
    """The values that meet all of these matchers of one label, where some of them list values; else None."""
    lists = [values for matcher in matchers if (values := listed(matcher)) is not None]
    if not lists:
        return None
    values = frozenset.intersection(*lists)
    return frozenset(
        value for value in values if all(matcher.matches({matcher.name: value}) for matcher in matchers)
    )


@lru_cache(maxsize=65_536)
def implied(by: frozenset[Matcher], matcher: Matcher) -> bool:
    """Whether it is certain that what meets all of `by`, matchers of the same label, meets `matcher` too."""
    if matcher in by:
        return True
    values = possible(by)
    if values is not None:
        return all(matcher.matches({matcher.name: value}) for value in values)
    if matcher.op in ("!=", "!~"):  # each value that it refuses is refused already
        refused = (
            {matcher.value} if matcher.op == "!=" else listed(Matcher(matcher.name, "=~", matcher.value))
        )
        return refused is not None and all(
            not all(one.matches({one.name: value}) for one in by) for value in refused
        )
    return False


@lru_cache(maxsize=16_384)
def listed(matcher: Matcher) -> frozenset[str] | None:
    r"""The values that a matcher lists: `="a"`, `=~"a|b"`, `=~"(x\.y|z)"`; None if it is no list."""
    if matcher.op == "=":
        return frozenset({matcher.value})
    if matcher.op != "=~":
        return None
    outer = _OUTER.fullmatch(matcher.value)
    text = outer[1] if outer else matcher.value
    if not _LIST.fullmatch(text) or text.count("|") >= MAX_LISTED:
        return None
    values = [""]
    for character in _CHARACTER.findall(text):
        if character == "|":
            values.append("")
        else:
            values[-1] += character[-1]
    return frozenset(values)


@lru_cache(maxsize=16_384)
def bounds(matchers: frozenset[Matcher]) -> tuple[bytes, bytes]:
    """The least and the greatest text, in UTF-8, that the regular expressions among these may match."""
    low, high = _LEAST, _GREATEST
    for matcher in matchers:
        if matcher.op == "=~":
            least, greatest = _range(matcher.value)
            low, high = max(low, least), min(high, greatest)
    return low, high


@lru_cache(maxsize=16_384)
def _range(pattern: str) -> tuple[bytes, bytes]:
    try:
        low, high = compile_regex(pattern).possiblematchrange(_RANGE_BYTES)
    except re2.error:  # it sees no bounds
        return _LEAST, _GREATEST
    return low, high
