"""Which checks are wanted: `--select TOC1,TOC204 --ignore TOC105`.

A choice is the beginning of a code. Where several fit a code, the longest counts; of two equal ones, the one
that ignores. Without any to select, all are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.findings.check import Check

PREFIX = "TOC"


def chosen(checks: Iterable[Check], select: Sequence[str], ignore: Sequence[str]) -> tuple[Check, ...]:
    """The checks that are wanted.

    Raises:
        ValueError: a choice fits no code.
    """
    known = tuple(checks)
    wanted, unwanted = _choices(known, select or [PREFIX]), _choices(known, ignore)
    return tuple(
        check for check in known if _longest(check.code.id, wanted) > _longest(check.code.id, unwanted)
    )


def _choices(checks: Sequence[Check], texts: Iterable[str]) -> list[str]:
    choices = [part.strip().upper() for text in texts for part in text.split(",") if part.strip()]
    ids = [check.code.id for check in checks]
    for choice in choices:
        if not any(code.startswith(choice) for code in ids):
            expected = "expected a code such as TOC101, or its beginning: TOC1"
            raise ValueError(f"no finding has the code {choice!r}; {expected}{did_you_mean(choice, ids)}")
    return choices


def _longest(code: str, choices: Iterable[str]) -> int:
    return max((len(choice) for choice in choices if code.startswith(choice)), default=-1)
