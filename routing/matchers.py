r"""Matchers: `name="value"` with the operators `=`, `!=`, `=~` and `!~`.

This module parses Alertmanager's classic matcher syntax and says whether a label set matches. It knows
nothing of routes or silences, which use it.

Rules, all of Alertmanager's (`pkg/labels`): a missing label is an empty one; a regular expression is RE2
and must match the whole value; a value may be unquoted, and only `\"`, `\n` and `\\` are escapes. One
difference is meant: `a)|(b`, which Alertmanager accepts and which then is no longer anchored, is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Operator = Literal["=", "!=", "=~", "!~"]

MAX_LENGTH: Final = 16_384

_ORDER: Final = {"=": 0, "!=": 1, "=~": 2, "!~": 3}
_SPACE: Final = " \t\n\f\r"
_GO_SPACE: Final = (
    _SPACE + "\v\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
)
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OPERATOR: Final = re.compile(r"=~|=|!=|!~")
_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}

_REGEX_OPTIONS: Final = re2.Options()
_REGEX_OPTIONS.log_errors = False
_REGEX_OPTIONS.never_capture = True


class MatcherError(ValueError):
    """The text is no matcher. `column` counts characters of the text from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label.

    Raises:
        MatcherError: `value` is not a regular expression where `op` needs one.
    """

    name: str
    op: Operator
    value: str

    def __post_init__(self) -> None:
        if self.op in ("=~", "!~"):
            compile_regex(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the label set meets the condition; a missing label counts as empty."""
        found = labels.get(self.name, "")
        match self.op:
            case "=":
                return found == self.value
            case "!=":
                return found != self.value
            case "=~":
                return _fits(self.value, found)
            case "!~":
                return not _fits(self.value, found)

    def __str__(self) -> str:
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


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Parse `a="b", c=~d` or `{a="b"}`, in the order written.

    One leading `{` and one trailing `}` are dropped, each for itself; a comma may end the list; no
    matchers at all are legal.

    Raises:
        MatcherError: with the column of what is wrong.
    """
    if len(text) > MAX_LENGTH:
        raise MatcherError(f"matchers have at most {MAX_LENGTH} characters; these have {len(text)}", 1)
    start = 1 if text.startswith("{") else 0
    end = len(text) - 1 if len(text) > start and text.endswith("}") else len(text)
    return tuple(_parse_one(text[first:last], first) for first, last in _split(text, start, end))


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each matcher begins and ends: between commas that stand outside of quotes."""
    quoted = escaped = False
    first = start
    for at in range(start, end):
        match text[at]:
            case "," if not quoted:
                yield first, at
                first = at + 1
            case ",":
                pass  # as Alertmanager: it does not end an escape
            case '"':
                quoted, escaped = (quoted, False) if escaped else (not quoted, False)
            case "\\":
                escaped = not escaped
            case _:
                escaped = False
    last = text[first:end].rstrip(_GO_SPACE)
    if last:  # the last one is trimmed, and may be nothing but space
        yield end - len(text[first:end].lstrip(_GO_SPACE)), first + len(last)


def _parse_one(text: str, offset: int) -> Matcher:
    """One matcher; `offset` is where it begins in the whole text."""
    at = _skip_space(text, 0)
    if at == len(text):
        raise MatcherError('an empty matcher; expected name="value" between the commas', offset + 1)
    name = _NAME.match(text, at)
    if name is None:
        raise MatcherError(_no_name(text, at), offset + at + 1)
    at = _skip_space(text, name.end())
    operator = _OPERATOR.match(text, at)
    if operator is None:
        raise MatcherError(_no_operator(text, at, name.group()), offset + at + 1)
    at = _skip_space(text, operator.end())
    value = _unquote(text[at:].rstrip(_SPACE), offset + at)
    try:
        return Matcher(name.group(), cast("Operator", operator.group()), value)
    except MatcherError as error:
        raise MatcherError(str(error), offset + at + 1) from None


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _no_name(text: str, at: int) -> str:
    if text[at] in "=!~":
        return 'a label name is missing; expected name="value"'
    return (
        f"{_excerpt(text[at:])} does not begin with a label name;"
        ' expected name="value" (a name has letters, digits, _ and :, and no digit first)'
    )


def _no_operator(text: str, at: int, name: str) -> str:
    if at == len(text):
        return f'no operator after {name!r}; expected =, !=, =~ or !~, as in {name}="value"'
    if text[at] in "~<>":
        return f"{text[at]!r} is no operator; expected =, !=, =~ or !~"
    return f"{_excerpt(text[at:])} after {name!r}; expected one of the operators =, !=, =~, !~"


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 30 else text[:29] + "…")


def _unquote(raw: str, offset: int) -> str:
    opened = raw.startswith('"')
    body = raw[1:] if opened else raw
    offset += 2 if opened else 1  # from here on, the column of body[0]
    value: list[str] = []
    escaped = False
    for at, char in enumerate(body):
        last = at == len(body) - 1
        if escaped:
            value.append(_ESCAPES.get(char, "\\" + char))
            escaped = False
        elif char == "\\" and not last:
            escaped = True
        elif char == '"' and opened and last:
            return "".join(value)
        elif char == '"':
            raise MatcherError(
                'a double quote inside the value; expected \\" for a quote, or a comma to end the matcher',
                offset + at,
            )
        else:
            value.append(char)
    if opened:
        raise MatcherError("the double quote that opens the value is not closed", offset - 1)
    return "".join(value)


@lru_cache(maxsize=4_096)
def compile_regex(pattern: str) -> Any:
    """RE2 for the whole of a value, as a compiled object whose `search` takes UTF-8 bytes.

    Raises:
        MatcherError: not a regular expression that RE2 takes; the message says why.
    """
    try:
        re2.compile(pattern.encode(), _REGEX_OPTIONS)  # by itself, so that `a)|(b` cannot break out
        return re2.compile(f"^(?:{pattern})$".encode(), _REGEX_OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        raise MatcherError(f"not a regular expression (RE2): {_why(error)}", 1) from None


def _why(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)
    if "invalid perl operator" in text:
        return f"{text}; look-around does not exist in RE2"
    return text


# Few patterns meet few values, again and again: a search costs 2 µs, a look-up 0.1 µs.
@lru_cache(maxsize=16_384)
def _fits(pattern: str, value: str) -> bool:
    return compile_regex(pattern).search(value.encode(errors="replace")) is not None
