"""Values of a YAML file that is no configuration: each is read with its place, what is wrong is collected.

It knows shapes (text, lists, mappings, durations), not what a file is for. A key without a value is as good
as absent, as in a configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from config.problems import Path, Problem, did_you_mean, show_path
from config.values import quote
from gateway.simulation.times import TimeError, duration, moment

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.document import Node

_TRUTH: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Value:
    """A value and the path to it."""

    path: Path
    node: Node


class Values:
    """Reads values of one file; `problems` are what it found, each a `Problem` with its place."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, at: Value, message: str, *, offset: int = 0) -> None:
        """Something is wrong with a value, `offset` characters into it."""
        node = at.node
        column = node.column + (offset if node.literal else 0)
        self.problems.append(Problem(self.file, node.line, column, show_path(at.path), message))

    def mapping(self, value: Value, known: Collection[str] | None, expected: str) -> dict[str, Value]:
        """The values in a mapping; a key that is not `known` is wrong, with None any may be there."""
        if value.node.kind != "mapping":
            self.wrong(value, f"{_got(value)}; expected {expected}")
            return {}
        found = {}
        for name, (key, below) in value.node.entries.items():
            if known is not None and name not in known:
                message = f"there is no key {name!r} here; expected one of {', '.join(known)}"
                self.wrong(Value((*value.path, name), key), message + did_you_mean(name, known))
            elif below.kind != "nothing":
                found[name] = Value((*value.path, name), below)
        return found

    def items(self, value: Value | None, expected: str) -> list[Value]:
        """The values in a list; none if there is no list."""
        if value is None:
            return []
        if value.node.kind != "list":
            self.wrong(value, f"{_got(value)}; expected {expected}")
            return []
        return [Value((*value.path, index), item) for index, item in enumerate(value.node.items)]

    def one_or_more(self, value: Value | None, expected: str) -> list[Value]:
        """As `items`; a text stands for a list of it alone."""
        if value is not None and value.node.kind == "text":
            return [value]
        return self.items(value, expected)

    def text(self, value: Value | None, expected: str = "text") -> str:
        """A text that is not empty; "" where there is none."""
        if value is None:
            return ""
        if value.node.kind != "text" or not value.node.text:
            self.wrong(value, f"{_got(value)}; expected {expected}")
            return ""
        return value.node.text

    def texts(self, value: Value | None, expected: str) -> dict[str, str]:
        """A mapping of texts, which may be empty."""
        found = {}
        for name, below in self.mapping(value, None, expected).items() if value else ():
            if below.node.kind == "text":
                found[name] = below.node.text
            else:
                self.wrong(below, f"{_got(below)}; expected text")
        return found

    def flag(self, value: Value | None) -> bool:
        """`true` or `false`; false where there is none."""
        if value is None:
            return False
        if value.node.kind != "text" or value.node.text not in _TRUTH:
            self.wrong(value, f"{_got(value)}; expected true or false")
        return _TRUTH.get(value.node.text, False)

    def number(self, value: Value | None) -> int:
        """A whole number from 1; 0 where there is none."""
        text = self.text(value, "a number such as 1").removeprefix("#")
        if value is None or not text:
            return 0
        if not text.isascii() or not text.isdigit() or len(text) > 15 or int(text) < 1:
            self.wrong(value, f"{quote(text)} cannot be here; expected a number such as 1")
            return 0
        return int(text)

    def duration(self, value: Value, *, positive: bool = False) -> int:
        """Milliseconds; 0 where it is wrong."""
        text = self.text(value, "a duration such as 30s, 5m or 1h30m")
        if not text:
            return 0
        try:
            length = duration(text)
        except TimeError as error:
            self.wrong(value, str(error))
            return 0
        if positive and not length:
            self.wrong(value, "cannot be zero; expected a duration longer than 0s")
        return length

    def moment(self, value: Value, zone: str) -> int:
        """Milliseconds since the epoch, by the clocks in `zone` where none is given; 0 where it is wrong."""
        text = self.text(value, "a time such as 2026-12-24T03:00+01:00")
        if not text:
            return 0
        try:
            return moment(text, zone)
        except TimeError as error:
            self.wrong(value, str(error))
            return 0


def _got(value: Value) -> str:
    match value.node.kind:
        case "nothing":
            return "there is no value"
        case "text":
            return f"{quote(value.node.text)} cannot be here" if value.node.text else "there is no value"
        case kind:
            return f"a {kind} cannot be here"
