"""A finding: something in a valid configuration that will not do what its author meant.

A `Problem` refuses a configuration; a finding does not. Its `reason` says what is so and never contains what
an environment variable was filled in with; its `advice` says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.findings.code import Code


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. `line` and `column` count from 1; `path` is as printed, "" for the file as a whole."""

    file: str
    line: int
    column: int
    path: str
    id: str
    reason: str
    advice: str
    code: Code = field(compare=False, repr=False)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {self.id} {self.code.severity}: {where}{self.reason}"

    @property
    def fails(self) -> bool:
        """Whether the check fails because of it."""
        return self.code.severity != "info"
