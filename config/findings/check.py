"""A code and the function that finds it, run over a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from config.findings.code import Code
    from config.findings.finding import Finding
    from config.findings.subject import Subject


class Check(NamedTuple):
    """One kind of finding. `find` yields findings of `code` alone."""

    code: Code
    find: Callable[[Subject], Iterable[Finding]]


def run(checks: Iterable[Check], subject: Subject) -> tuple[Finding, ...]:
    """All that the checks find, in the file's order, each thing once."""
    return tuple(sorted({finding for check in checks for finding in check.find(subject)}))
