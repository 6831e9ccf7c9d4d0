"""What is wrong with a configuration, and where: one form for every error that a user reads.

`file:line:column: path: what is wrong; expected ...; did you mean ...?` This module finds nothing
itself; `source.py`, `rules.py` and `load.py` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PROBLEMS: Final = 100

Path = tuple[str | int, ...]  # of keys and list positions from the top of the document


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error. `line` and `column` count from 1; `path` is as printed, "" for the document as a whole."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigError(Exception):
    """A configuration is refused as a whole. `problems` holds all that was found, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = sorted(set(problems))
        self.problems = tuple(found[:MAX_PROBLEMS])
        if len(found) > MAX_PROBLEMS:
            last = self.problems[-1]
            more = f"{len(found) - MAX_PROBLEMS} more problems follow; mend these first"
            self.problems += (Problem(last.file, last.line, last.column, "", more),)
        super().__init__("\n".join(map(str, self.problems)))


def show_path(path: Path) -> str:
    """`("route", "routes", 0, "receiver")` as `route.routes[0].receiver`."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        elif part and all(char.isalnum() or char in "_-" for char in part):
            shown += f".{part}" if shown else part
        else:
            shown += f"[{part!r}]"
    return shown


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'receiver'?`, or nothing if no known word is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
