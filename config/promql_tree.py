"""What an expression in PromQL is made of, as far as it decides which labels the result has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from routing.matchers import Matcher


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar: a literal, or a duration where newer versions take one."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal."""

    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """`up{job="x"}`, with or without a range. The metric's name is no matcher here."""

    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What changes no label: parentheses, a sign, a subquery."""

    inner: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`sum by (a) (x)`. `by` are the labels that stay, `without` those that go; None where not written."""

    operator: str
    args: tuple[Expr, ...]
    by: tuple[str, ...] | None
    without: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`.

    Attributes:
        on, ignoring: the labels that must, or need not, be equal on both sides; None where not written.
        many: the side of which each series may meet the same one of the other side.
        include: the labels that `group_left(...)` takes from the other side.
    """

    operator: str
    left: Expr
    right: Expr
    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] | None = None
    many: Literal["left", "right"] | None = None
    include: tuple[str, ...] = ()


Expr = Number | Text | Selector | Wrapped | Call | Aggregation | Binary
