"""A configuration file as a tree of nodes that know where they stand in it.

`source.py` builds it; errors find their place through it. Every scalar is text here: what it means is the
schema's decision, so `channel: 0123` is the text `0123`, and `${SHARDS}` can stand for a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from config.problems import Path, Problem, show_path

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Node:
    """One key or value. `line` and `column` count from 1.

    Attributes:
        text: a scalar's value with variables filled in; "" for others.
        written: a scalar's value before that.
        stands_in: a variable in it has no value, and its name is there instead: what it is, nobody knows.
        literal: `text` stands in the file exactly so from `column` on: positions inside it can be shown.
        size, height: how many nodes and levels it has when its aliases are expanded, itself counted.
        complete: its end has been read.
    """

    kind: Literal["text", "nothing", "list", "mapping"]
    line: int
    column: int
    text: str = ""
    written: str = ""
    stands_in: bool = False
    literal: bool = False
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    size: int = 1
    height: int = 1
    complete: bool = True

    @property
    def filled_in(self) -> bool:
        """Whether a variable stands in it, so that its text may be a secret."""
        return self.text != self.written

    def plain(self) -> Any:
        """As str, None, list and dict."""
        match self.kind:
            case "text":
                return self.text
            case "nothing":
                return None
            case "list":
                return [item.plain() for item in self.items]
            case "mapping":
                return {key: value.plain() for key, (_, value) in self.entries.items()}

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """It and every value below it with its path, parents first; its own path is `path`."""
        yield path, self
        for index, item in enumerate(self.items):
            yield from item.walk((*path, index))
        for key, (_, value) in self.entries.items():
            yield from value.walk((*path, key))


@dataclass(frozen=True, slots=True)
class Document:
    """A file's nodes. `problems` are those that did not prevent reading the rest."""

    file: str
    root: Node
    problems: tuple[Problem, ...]

    def at(self, path: Path, *, key: bool = False) -> Node:
        """The node at `path`, or the nearest above it; with `key`, its key where it has one."""
        here = place = self.root
        for part in path:
            if isinstance(part, int) and part < len(here.items):
                here = place = here.items[part]
            elif isinstance(part, str) and part in here.entries:
                name, here = here.entries[part]
                place = name if key else here
            else:
                break
        return place

    def problem(self, path: Path, message: str, *, key: bool = False, offset: int = 0) -> Problem:
        """A problem of what stands at `path`, `offset` characters into it."""
        node = self.at(path, key=key)
        column = node.column + (offset if node.literal else 0)
        return Problem(self.file, node.line, column, show_path(path), message)

    def walk(self) -> Iterator[tuple[Path, Node]]:
        """Every value with its path, parents first."""
        return self.root.walk()
