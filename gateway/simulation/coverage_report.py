"""Coverage for people and for programs. What counts as covered says `coverage.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.simulation.coverage import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.simulation.coverage import Coverage, Part, State

MAX_SHOWN: Final = 50

_REASONS: Final[dict[State, str]] = {
    "never": "no test reaches it",
    "unasserted": "only tests that expect nothing reach it",
    "recorded": "only recorded tests reach it, and nobody says what should be",
}
_PLURALS: Final = {"time intervals": "time intervals"}


def text(coverage: Coverage) -> Iterator[str]:
    """A table of counts, and below it what is not asserted, each with its place and the reason.

    What no test reaches comes first; of each reason at most `MAX_SHOWN` are shown.
    """
    yield f"Coverage of {coverage.file}: {_percent(coverage, 'asserted')} asserted{_besides(coverage)}"
    rows = [
        (_plural(kind), coverage.count("asserted", kind=kind), coverage.count("recorded", kind=kind), total)
        for kind in KINDS
        if (total := sum(one.kind == kind for one in coverage.parts))
    ]
    if rows:
        yield f"  {'':<18}{'ASSERTED':>8}{'RECORDED':>10}{'OF':>6}"
    for name, asserted, recorded, total in rows:
        yield f"  {name:<18}{asserted:>8}{recorded:>10}{total:>6}"
    for state in _REASONS:
        parts = [one for one in coverage.parts if one.state == state]
        for one in parts[:MAX_SHOWN]:
            yield f"{one.file}:{one.line}:{one.column}: {one.kind} {one.name}: {reason(one)}"
        if len(parts) > MAX_SHOWN:
            yield f"and {len(parts) - MAX_SHOWN} more (--output json names all): {_REASONS[state]}"


def reason(part: Part) -> str:
    """Why a part does not count as asserted, in words."""
    return f"{_REASONS[part.state]}: {part.note}" if part.note else _REASONS[part.state]


def document(coverage: Coverage) -> dict[str, Any]:
    """The same as JSON: counts of all and by kind, and every part with its state."""
    return {
        "config": coverage.file,
        "asserted_percent": _rounded(coverage.percent("asserted")),
        "recorded_percent": _rounded(coverage.percent("recorded")),
        "kinds": {
            kind: {
                "total": sum(one.kind == kind for one in coverage.parts),
                "asserted": coverage.count("asserted", kind=kind),
                "recorded": coverage.count("recorded", kind=kind),
                "unasserted": coverage.count("unasserted", kind=kind),
                "never": coverage.count("never", kind=kind),
            }
            for kind in KINDS
        },
        "parts": [
            {
                "kind": one.kind,
                "name": one.name,
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "path": one.path,
                "state": one.state,
                "note": one.note,
            }
            for one in coverage.parts
        ],
    }


def _besides(coverage: Coverage) -> str:
    recorded = coverage.count("recorded")
    return f", {_percent(coverage, 'recorded')} besides only recorded" if recorded else ""


def _percent(coverage: Coverage, state: State) -> str:
    return f"{_rounded(coverage.percent(state))} %"


def _rounded(percent: float) -> float:
    """To a tenth, downwards: what is not all is never shown as 100."""
    return int(percent * 10) / 10


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind}s")
