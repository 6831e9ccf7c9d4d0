"""A failed test for people: what was expected in vain, why, and both timelines as one, like a diff.

`-` is who should have been told and was not, `+` who was told and should not have been. Lines may contain
what stands in configurations and test files; whoever prints them makes them safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.values import show_duration
from gateway.simulation.timeline import runs, spaced
from gateway.simulation.told_names import called
from routing.whom import BY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.simulation.testing import Tried
    from gateway.simulation.timeline import Run
    from routing.story import Notification

MAX_ROWS: Final = 60
_TURNS: Final = frozenset(
    ("acknowledged", "unacknowledged", "ack_ended", "resolved", "closed", "reopened", "late")
)


def place(tried: Tried) -> str:
    """`tests.yaml:7:5`: where the test stands."""
    return f"{tried.suite.file}:{tried.case.spot.line}:{tried.case.spot.column}"


def report(tried: Tried) -> Iterator[str]:
    """The lines about one test that failed."""
    yield f"FAIL {place(tried)}: {tried.case.name}"
    for failed in tried.failed:
        yield f"  {tried.suite.file}:{failed.spot.line}:{failed.spot.column}: {failed.message}"
        for reason in failed.reasons:
            yield f"      {reason}"
    yield from timeline(tried)


def timeline(tried: Tried) -> Iterator[str]:
    """Who was told and when, and who was not."""
    rows = [*_actual(tried), *_missing(tried), *_turns(tried)]
    if not rows:
        yield "      nobody was told anything"
        return
    width = max(len(show_duration(at)) for at, _, _ in rows)
    rows.sort(key=lambda row: row[0])
    for at, mark, words in rows[:MAX_ROWS]:
        yield f"    {mark} {show_duration(at).ljust(width)}  {words}"
    if len(rows) > MAX_ROWS:
        yield f"      and {len(rows) - MAX_ROWS} more"


def _actual(tried: Tried) -> Iterator[tuple[int, str, str]]:
    """All that is heard, and what else an expectation is about."""
    expected = (*tried.case.expect, *tried.case.expect_not)
    kinds = {"ring", *(one.kind for one in expected)}
    unwanted = {id(one) for failed in tried.failed for one in failed.unwanted}
    shown = [one for one in tried.story.notifications if one.kind in kinds]
    repeats = runs((one.at, (id(one) in unwanted, _words(one)), one) for one in shown)
    for run in repeats:
        mark = "+" if id(run.first) in unwanted else " "
        yield run.at - tried.story.began, mark, _words(run.first) + _again(run)


def _turns(tried: Tried) -> Iterator[tuple[int, str, str]]:
    """What happens in between."""
    for line in tried.story.lines:
        if line.kind in _TURNS:
            yield line.at - tried.story.began, " ", line.text


def _words(one: Notification) -> str:
    name = called(one)
    known = name.startswith(("slack:", "mail:"))
    way = "" if known else f" by {BY[one.by]}{f' ({one.where})' if one.by in ('slack', 'email') else ''}"
    kind = "" if one.kind == "ring" else f", {one.kind}"
    step = f", step {one.step} of {one.policy}" if one.step else ""
    return f"{name}{way}{kind}{step}"


def _again(run: Run[Notification]) -> str:
    return f" and {run.more} more times, every {spaced(run.every)}" if run.more else ""


def _missing(tried: Tried) -> Iterator[tuple[int, str, str]]:
    rows: Iterable[tuple[int, str, str]] = (
        (one.since, "-", f"{one.name} was expected") for failed in tried.failed for one in failed.missing
    )
    yield from dict.fromkeys(rows)
