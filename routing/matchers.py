r"""Matchers: `name="value"` with the operators `=`, `!=`, `=~` and `!~`.

This module says what matchers mean and which reading of a text counts; how they are written is
`matcher_syntax.py`'s. It knows nothing of routes or silences, which use it.

Rules, all of Alertmanager's (`pkg/labels`, `matcher/compat`): a missing label is an empty one; a regular
expression is RE2 and must match the whole value; a text is read by both syntaxes, and where they differ, or
only the classic one takes it, that one counts. One difference is meant: `a)|(b`, which Alertmanager accepts
and which then is no longer anchored, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import re2

from routing import matcher_syntax as syntax
from routing.go_strings import quote
from routing.matcher_syntax import MatcherError, Operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    _Parser = Callable[[str], list[syntax.Written]]

__all__ = [
    "MAX_LENGTH",
    "REGEX_OPTIONS",
    "Doubt",
    "Matcher",
    "MatcherError",
    "Operator",
    "compile_regex",
    "from_json",
    "in_order",
    "matches_all",
    "parse_doubting",
    "parse_matcher",
    "parse_matchers",
    "show",
    "to_json",
]

MAX_LENGTH: Final = 16_384

_ORDER: Final = {"=": 0, "!=": 1, "=~": 2, "!~": 3}
_OPERATORS: Final[dict[tuple[bool, bool], Operator]] = {  # (isEqual, isRegex)
    (True, False): "=",
    (False, False): "!=",
    (True, True): "=~",
    (False, True): "!~",
}

REGEX_OPTIONS: Final = re2.Options()
REGEX_OPTIONS.log_errors = False
REGEX_OPTIONS.never_capture = True


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label.

    Raises:
        MatcherError: `value` is not a regular expression where `op` needs one.
    """

    name: str
    op: Operator
    value: str
    _regex: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.op in ("=~", "!~"):
            object.__setattr__(self, "_regex", compile_regex(self.value))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the label set meets the condition; a missing label counts as empty."""
        found = labels.get(self.name, "")
        match self.op:
            case "=":
                return found == self.value
            case "!=":
                return found != self.value
            case "=~":
                return _fits(self._regex, found)
            case "!~":
                return not _fits(self._regex, found)

    def __str__(self) -> str:
        if syntax.RESERVED.search(self.name):
            return f"{quote(self.name)}{self.op}{quote(self.value)}"
        value = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.name}{self.op}"{value}"'


def matches_all(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether the label set meets every condition; none at all is met by everything."""
    return all(matcher.matches(labels) for matcher in matchers)


def in_order(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """Sorted as Alertmanager sorts and prints them: by name, value, operator."""
    return tuple(sorted(matchers, key=lambda matcher: (matcher.name, matcher.value, _ORDER[matcher.op])))


def show(matchers: Iterable[Matcher]) -> str:
    """As Alertmanager prints a list of matchers: `{a="b",c=~"d"}`."""
    return "{" + ",".join(map(str, matchers)) + "}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A text that the two syntaxes do not read alike; the classic reading counts, as in Alertmanager.

    Attributes:
        kind: `classic` if only the classic syntax takes the text, `disagreement` if both do, differently.
        message: what is so, one line.
        suggestion: the same matchers in a form that both syntaxes read alike.
        column: where the UTF-8 syntax goes wrong; 1 for a disagreement.
    """

    kind: Literal["classic", "disagreement"]
    message: str
    suggestion: str
    column: int


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Parse `a="b", "c.d"=~e` or `{a="b"}`, in the order written; no matchers at all are legal.

    Raises:
        MatcherError: with the column of what is wrong.
    """
    return parse_doubting(text)[0]


def parse_doubting(text: str) -> tuple[tuple[Matcher, ...], Doubt | None]:
    """As `parse_matchers`, and what makes the reading doubtful, for `tocsin check`.

    Raises:
        MatcherError: with the column of what is wrong.
    """
    return _fall_back(text, syntax.classic, syntax.utf8)


def parse_matcher(text: str) -> Matcher:
    """One matcher alone, without braces, as amtool and the API's `filter` take it.

    Raises:
        MatcherError: with the column of what is wrong.
    """
    for at in (0, len(text) - 1) if text else ():
        if text[at] == "{}"[at > 0]:
            raise MatcherError('a brace around one matcher; expected name="value"', at + 1)
    ((matcher,), _) = _fall_back(text, lambda one: [syntax.classic_one(one)], _utf8_one)
    return matcher


def _utf8_one(text: str) -> list[syntax.Written]:
    found = syntax.utf8(text)
    if len(found) != 1:
        raise MatcherError(f"{len(found)} matchers; expected one", 1)
    return found


def _fall_back(text: str, classic: _Parser, utf8: _Parser) -> tuple[tuple[Matcher, ...], Doubt | None]:
    """Both readings of a text; the classic one counts wherever there is one."""
    if len(text) > MAX_LENGTH:
        raise MatcherError(f"matchers have at most {MAX_LENGTH} characters; these have {len(text)}", 1)
    try:
        old = _built(classic(text))
    except MatcherError as trouble:
        try:
            return _built(utf8(text)), None
        except MatcherError as error:
            raise (error if isinstance(trouble, syntax.ClassicNameError) else trouble) from None
    suggestion = ",".join(map(str, old))
    try:
        new = _built(utf8(text))
    except MatcherError as error:
        message = f"only the classic syntax takes this; for the UTF-8 syntax {error}"
        return old, Doubt("classic", message, suggestion, error.column)
    if new == old:
        return old, None
    message = (
        f"the classic syntax reads this as {show(old)}, the UTF-8 syntax as {show(new)}; the former counts"
    )
    return old, Doubt("disagreement", message, suggestion, 1)


def _built(written: list[syntax.Written]) -> tuple[Matcher, ...]:
    return tuple(_build(one) for one in written)


def _build(one: syntax.Written) -> Matcher:
    try:
        return Matcher(one.name, one.op, one.value)
    except MatcherError as error:
        raise MatcherError(str(error), one.column) from None


def from_json(data: object) -> Matcher:
    """A matcher of Alertmanager's API: `{"name": "a", "value": "b", "isRegex": false, "isEqual": true}`.

    Without `isEqual` it is an equal one, without `isRegex` a plain one; other keys are passed over.

    Raises:
        MatcherError: with what was expected.
    """
    if not isinstance(data, dict):
        raise MatcherError("a matcher that is no object; expected name, value, isRegex and isEqual", 1)
    name, value = data.get("name"), data.get("value")
    regex, equal = data.get("isRegex", False), data.get("isEqual", True)
    if not isinstance(name, str) or not name:
        raise MatcherError("a matcher without name; expected the label's name as text", 1)
    if not isinstance(value, str):
        raise MatcherError(f"the matcher of {name!r} has no value; expected text", 1)
    if len(name) + len(value) > MAX_LENGTH:
        raise MatcherError(f"a matcher has at most {MAX_LENGTH} characters; this one has more", 1)
    if not isinstance(regex, bool) or not isinstance(equal, bool):
        raise MatcherError(f"isRegex or isEqual of {name!r} is no truth value; expected true or false", 1)
    return Matcher(name, _OPERATORS[equal, regex], value)


def to_json(matcher: Matcher) -> dict[str, str | bool]:
    """As Alertmanager's API gives a matcher."""
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": matcher.op in ("=~", "!~"),
        "isEqual": matcher.op in ("=", "=~"),
    }


@lru_cache(maxsize=4_096)
def compile_regex(pattern: str) -> Any:
    """RE2 for the whole of a value, as a compiled object whose `search` takes UTF-8 bytes.

    Raises:
        MatcherError: not a regular expression that RE2 takes; the message says why.
    """
    try:
        re2.compile(pattern.encode(), REGEX_OPTIONS)  # by itself, so that `a)|(b` cannot break out
        return re2.compile(f"^(?:{pattern})$".encode(), REGEX_OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        raise MatcherError(f"not a regular expression (RE2): {_why(error)}", 1) from None


def _why(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)
    if "invalid perl operator" in text:
        return f"{text}; look-around does not exist in RE2"
    return text


# Few expressions meet few values, again and again: a search costs 2 µs, a look-up 0.1 µs.
@lru_cache(maxsize=16_384)
def _fits(regex: Any, value: str) -> bool:
    return regex.search(value.encode(errors="replace")) is not None
