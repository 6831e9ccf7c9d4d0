"""An expression in PromQL -> its structure (`promql_tree.py`).

Numbers, ranges, offsets and timestamps are read over. It is no judge of expressions: some that Prometheus
refuses pass, and what it cannot read, such as the syntax of a later Prometheus, is an error that callers
take as "nothing is known". What the structure means for labels says `alert_labels.py`.

Rules: Prometheus' documentation, querying basics and operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, cast

from config.promql_tree import Aggregation, Binary, Call, Expr, Number, Selector, Text, Wrapped
from routing.go_strings import EscapeError, unquote
from routing.matchers import Matcher, MatcherError, Operator

MAX_LENGTH: Final = 65_536
MAX_DEPTH: Final = 40  # of parentheses and the like
MAX_OPERATORS: Final = 200


class PromQLError(ValueError):
    """The expression cannot be read here; that says nothing about Prometheus."""


AGGREGATIONS: Final = frozenset(
    {"sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "count_values"}
    | {"quantile", "limitk", "limit_ratio"}
)
_BINDS: Final = {
    "or": 1, "and": 2, "unless": 2,
    "==": 3, "!=": 3, "<=": 3, "<": 3, ">=": 3, ">": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6,
}  # fmt: skip
_SIGN_BINDS: Final = 5  # -a ^ b is -(a ^ b)

_TOKEN: Final = re.compile(
    r"""(?:[ \t\r\n]+ | \#[^\n]*)*
    (?: (?P<string>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `[^`]*`)
      | (?P<number>(?:[0-9]+(?:ms|[smhdwy]))+(?![\w.])
          | 0[xX][0-9a-fA-F_]+ | (?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<sign>=~|!~|!=|==|>=|<=|[=<>+\-*/%^@(){}\[\],])
      | (?P<end>\Z))""",
    re.VERBOSE | re.ASCII,
)


def parse(text: str) -> Expr:
    """The structure of an expression.

    Raises:
        PromQLError: it cannot be read, or is too long or too deep.
    """
    if len(text) > MAX_LENGTH:
        raise PromQLError(f"longer than {MAX_LENGTH} characters")
    parser = _Parser(_tokens(text))
    expr = parser.expression(0)
    parser.expect_end()
    return expr


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        part = _TOKEN.match(text, at)
        if part is None:
            raise PromQLError(f"cannot be read from {text[at : at + 20]!r} on")
        kind = str(part.lastgroup)
        found.append(_Token(kind, part[kind]))
        at = part.end()
    return found


class _Parser:
    """Precedence climbing over a list of tokens, the last of which is `end`."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.operators = 0

    # --- tokens ---

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def is_sign(self, sign: str) -> bool:
        return self.next.kind == "sign" and self.next.text == sign

    def is_word(self, *words: str) -> bool:
        return self.next.kind == "word" and self.next.text.lower() in words

    def take(self) -> str:
        text = self.next.text
        self.at += 1
        return text

    def skip(self, sign: str) -> bool:
        if self.is_sign(sign):
            self.at += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.skip(sign):
            raise self.unexpected(repr(sign))

    def expect_end(self) -> None:
        if self.next.kind != "end":
            raise self.unexpected("an operator or the end")

    def unexpected(self, expected: str) -> PromQLError:
        came = repr(self.next.text) if self.next.text else "the end"
        return PromQLError(f"expected {expected}, got {came}")

    def word(self) -> str:
        if self.next.kind != "word":
            raise self.unexpected("a name")
        return self.take()

    # --- expressions ---

    def expression(self, least: int) -> Expr:
        """An expression of operators that bind more tightly than `least`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PromQLError("nested too deep")
        left = self.operand()
        while True:
            binds = self.binding()
            if binds <= least:
                break
            operator = self.take().lower()
            self.operators += 1
            if self.operators > MAX_OPERATORS:
                raise PromQLError("too many operators")
            on, ignoring, many, include = self.modifiers()
            right = self.expression(binds - 1 if operator == "^" else binds)
            left = Binary(operator, left, right, on, ignoring, many, include)
        self.depth -= 1
        return left

    def binding(self) -> int:
        if self.next.kind == "word":
            word = self.next.text.lower()
            return _BINDS.get(word, 0) if word.isalnum() else 0
        return _BINDS.get(self.next.text, 0) if self.next.kind == "sign" else 0

    def modifiers(
        self,
    ) -> tuple[
        tuple[str, ...] | None, tuple[str, ...] | None, Literal["left", "right"] | None, tuple[str, ...]
    ]:
        on = ignoring = None
        many: Literal["left", "right"] | None = None
        include: tuple[str, ...] = ()
        if self.is_word("bool"):
            self.take()
        if self.is_word("on", "ignoring"):
            if self.take().lower() == "on":
                on = self.names()
            else:
                ignoring = self.names()
            if self.is_word("group_left", "group_right"):
                many = "left" if self.take().lower() == "group_left" else "right"
                include = self.names() if self.is_sign("(") else ()
        return on, ignoring, many, include

    def operand(self) -> Expr:
        if self.next.kind == "sign" and self.next.text in "+-":
            self.take()
            return Wrapped(self.expression(_SIGN_BINDS))
        return self.suffixed(self.atom())

    def atom(self) -> Expr:
        token = self.next
        match token.kind:
            case "number":
                self.take()
                return Number()
            case "string":
                return Text(self.string())
            case "word":
                return self.named(self.take())
            case "sign" if token.text == "(":
                self.take()
                inner = self.expression(0)
                self.expect(")")
                return Wrapped(inner)
            case "sign" if token.text == "{":
                return Selector(self.matchers())
            case _:
                raise self.unexpected("an expression")

    def named(self, word: str) -> Expr:
        lower = word.lower()
        if lower in AGGREGATIONS and (self.is_sign("(") or self.is_word("by", "without")):
            return self.aggregation(lower)
        if self.is_sign("("):
            return Call(word, self.arguments())
        if lower in ("inf", "nan"):
            return Number()
        if self.is_sign("{"):
            return Selector(self.matchers())
        return Selector(())

    def aggregation(self, operator: str) -> Expr:
        before = self.grouping()
        args = self.arguments()
        by, without = before if before != (None, None) else self.grouping()
        if not args:
            raise self.unexpected("an argument")
        return Aggregation(operator, args, by, without)

    def grouping(self) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
        if self.is_word("by"):
            self.take()
            return self.names(), None
        if self.is_word("without"):
            self.take()
            return None, self.names()
        return None, None

    def suffixed(self, expr: Expr) -> Expr:
        """With ranges, subqueries, offsets and timestamps read over."""
        while True:
            if self.skip("["):
                subquery = self.range()
                expr = Wrapped(expr) if subquery else expr
            elif self.is_word("offset"):
                self.take()
                self.moment()
            elif self.skip("@"):
                self.moment()
            else:
                return expr

    def range(self) -> bool:
        """Up to the closing bracket; whether it is a subquery's."""
        subquery = False
        while not self.skip("]"):
            if self.next.kind == "end":
                raise self.unexpected("']'")
            subquery = subquery or ":" in self.take()
        return subquery

    def moment(self) -> None:
        """A number or duration with a sign, `start()`, `end()`, or something in parentheses."""
        if self.next.kind == "sign" and self.next.text in "+-":
            self.take()
        if self.next.kind == "number":
            self.take()
        elif self.is_word("start", "end"):
            self.take()
            self.expect("(")
            self.expect(")")
        else:
            raise self.unexpected("a duration or a moment")

    # --- lists ---

    def arguments(self) -> tuple[Expr, ...]:
        self.expect("(")
        args: list[Expr] = []
        while not self.skip(")"):
            args.append(self.expression(0))
            if not self.is_sign(")"):
                self.expect(",")
        return tuple(args)

    def names(self) -> tuple[str, ...]:
        self.expect("(")
        names: list[str] = []
        while not self.skip(")"):
            names.append(self.string() if self.next.kind == "string" else self.word())
            if not self.is_sign(")"):
                self.expect(",")
        return tuple(names)

    def matchers(self) -> tuple[Matcher, ...]:
        self.expect("{")
        found: list[Matcher] = []
        while not self.skip("}"):
            quoted = self.next.kind == "string"
            name = self.string() if quoted else self.word()
            if self.next.kind == "sign" and self.next.text in ("=", "!=", "=~", "!~"):
                found.append(self.matcher(name))
            elif not quoted:
                raise self.unexpected("=, !=, =~ or !~")
            if not self.is_sign("}"):
                self.expect(",")
        return tuple(one for one in found if one.name != "__name__")

    def matcher(self, name: str) -> Matcher:
        operator = cast("Operator", self.take())
        try:
            return Matcher(name, operator, self.string())
        except MatcherError as error:
            raise PromQLError(str(error)) from None

    def string(self) -> str:
        if self.next.kind != "string":
            raise self.unexpected("a text in quotes")
        text = self.take()
        if text.startswith("`"):
            return text[1:-1]
        inner = text[1:-1].replace("\\'", "'") if text.startswith("'") else text[1:-1]
        try:
            return unquote(inner)
        except EscapeError as error:
            raise PromQLError(str(error)) from None
