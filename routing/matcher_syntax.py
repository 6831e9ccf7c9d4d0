r"""The two ways to write matchers: Alertmanager's classic syntax and its UTF-8 syntax.

Each parser turns text into names, operators and values, and says at which character it cannot go on.
What a matcher means, and which of the two counts, is `matchers.py`'s. What comes after "expected" in an error
never quotes the text: where a variable stands for it, only that much is shown.

Rules: classic as `pkg/labels/parse.go` reads it (a name is ASCII and stands bare; a value may be bare and
have spaces; only `\"`, `\n` and `\\` are escapes; one brace may lack its other). UTF-8 as `matcher/parse`
does, from 0.27 on (name and value are each a bare word or one of Go's quoted strings; braces are balanced).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from routing.go_strings import EscapeError, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

Operator = Literal["=", "!=", "=~", "!~"]

_SPACE: Final = " \t\n\f\r"  # what RE2 takes for \s
GO_SPACE: Final = (
    _SPACE + "\v\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
)
RESERVED: Final = re.compile(rf"[{GO_SPACE}{{}}!=~,\\\"'`]")

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OPERATOR: Final = re.compile(r"=~|=|!=|!~")
_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}
_TOKEN: Final = re.compile(
    rf'(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<operator>=~|=|!=|!~)|(?P<mark>[{{}},])'
    rf"|(?P<bare>[^{GO_SPACE}{{}}!=~,\\\"'`]+)",
    re.DOTALL,
)


class MatcherError(ValueError):
    """The text is no matcher. `column` counts characters of the text from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class ClassicNameError(MatcherError):
    """The classic syntax has no such label name; the UTF-8 syntax may."""


class Written(NamedTuple):
    """A matcher as it stands in the text; `column` is where its value begins."""

    name: str
    op: Operator
    value: str
    column: int


# --- classic -------------------------------------------------------------------------------------------


def classic(text: str) -> list[Written]:
    """All matchers of `a="b", c=~d` or `{a="b"}`.

    One leading `{` and one trailing `}` are dropped, each for itself; a comma may end the list.

    Raises:
        MatcherError: with the column of what is wrong.
    """
    start = 1 if text.startswith("{") else 0
    end = len(text) - 1 if len(text) > start and text.endswith("}") else len(text)
    return [classic_one(text[first:last], first) for first, last in _split(text, start, end)]


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
    last = text[first:end].rstrip(GO_SPACE)
    if last:  # the last one is trimmed, and may be nothing but space
        yield end - len(text[first:end].lstrip(GO_SPACE)), first + len(last)


def classic_one(text: str, offset: int = 0) -> Written:
    """One matcher, in which a comma is part of the value; `offset` is where it begins in the whole text.

    Raises:
        MatcherError: with the column of what is wrong.
    """
    at = _skip_space(text, 0)
    if at == len(text):
        raise MatcherError('an empty matcher; expected name="value" between the commas', offset + 1)
    name = _NAME.match(text, at)
    if name is None:
        raise _no_name(text, at, offset)
    at = _skip_space(text, name.end())
    operator = _OPERATOR.match(text, at)
    if operator is None:
        kind = MatcherError if at == len(text) or text[at] in "~<>" or at > name.end() else ClassicNameError
        raise kind(_no_operator(text, at, name.group()), offset + at + 1)
    at = _skip_space(text, operator.end())
    value = _classic_value(text[at:].rstrip(_SPACE), offset + at)
    return Written(name.group(), cast("Operator", operator.group()), value, offset + at + 1)


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _no_name(text: str, at: int, offset: int) -> MatcherError:
    if text[at] in "=!~":
        return MatcherError('a label name is missing; expected name="value"', offset + at + 1)
    message = (
        f"{_excerpt(text[at:])} does not begin with a label name;"
        ' expected name="value" (a name has letters, digits, _ and :, and no digit first)'
    )
    return ClassicNameError(message, offset + at + 1)


def _no_operator(text: str, at: int, name: str) -> str:
    if at == len(text):
        return f'no operator after {name!r}; expected =, !=, =~ or !~, as in name="value"'
    if text[at] in "~<>":
        return f"{text[at]!r} is no operator; expected =, !=, =~ or !~"
    return f"{_excerpt(text[at:])} after {name!r}; expected one of the operators =, !=, =~, !~"


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 30 else text[:29] + "…")


def _classic_value(raw: str, offset: int) -> str:
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


# --- UTF-8 ---------------------------------------------------------------------------------------------


class _Token(NamedTuple):
    kind: str  # quoted, operator, mark, bare; or end
    text: str
    column: int


def utf8(text: str) -> list[Written]:
    """All matchers of `"a.b"="c", é=~d` or `{a="b"}`; none at all are legal, as is a comma at the end.

    Raises:
        MatcherError: with the column of what is wrong.
    """
    tokens = _tokens(text)
    token = next(tokens)
    braced = token[:2] == ("mark", "{")
    if braced:
        token = next(tokens)
    found: list[Written] = []
    while not _closes(token):
        name = _word(token, 'a label name, as in name="value"')
        operator = next(tokens)
        if operator.kind != "operator":
            raise _unexpected(operator, "one of the operators =, !=, =~, !~ after the name")
        token = next(tokens)
        value = _word(token, 'a value (an empty one is "")')
        found.append(Written(name, cast("Operator", operator.text), value, token.column))
        token = next(tokens)
        if not _closes(token):
            if token[:2] != ("mark", ","):
                raise _unexpected(token, "a comma between matchers, or the end of them")
            token = next(tokens)
    _end(token, tokens, braced=braced)
    return found


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens of the text, and an `end` that comes again and again."""
    at = 0
    while True:
        while at < len(text) and text[at] in GO_SPACE:
            at += 1
        if at == len(text):
            yield _Token("end", "", at + 1)
            continue
        token = _TOKEN.match(text, at)
        if token is None:
            raise _no_token(text, at)
        yield _Token(token.lastgroup or "", token.group(), at + 1)
        at = token.end()


def _no_token(text: str, at: int) -> MatcherError:
    if text[at] == '"':
        return MatcherError("the double quote that opens here is not closed", at + 1)
    if text[at] == "!":
        return MatcherError("'!' is no operator; expected != or !~", at + 1)
    if text[at] == "~":
        return MatcherError("'~' is no operator; expected =, !=, =~ or !~", at + 1)
    return MatcherError(f"{text[at]!r} cannot stand here; expected it inside of double quotes", at + 1)


def _closes(token: _Token) -> bool:
    return token.kind == "end" or token[:2] == ("mark", "}")


def _word(token: _Token, expected: str) -> str:
    if token.kind == "bare":
        return token.text
    if token.kind != "quoted":
        raise _unexpected(token, expected)
    try:
        return unquote(token.text[1:-1])
    except EscapeError as error:
        raise MatcherError(str(error), token.column + 1 + error.at) from None


def _unexpected(token: _Token, expected: str) -> MatcherError:
    seen = "it ends here" if token.kind == "end" else f"{_excerpt(token.text)} cannot stand here"
    return MatcherError(f"{seen}; expected {expected}", token.column)


def _end(token: _Token, tokens: Iterator[_Token], *, braced: bool) -> None:
    if braced and token.kind == "end":
        raise _unexpected(token, "} for the { at the beginning")
    if not braced and token.kind != "end":
        raise MatcherError("a } without its {; expected both or neither", token.column)
    if braced and (token := next(tokens)).kind != "end":
        raise _unexpected(token, "nothing after the }")
