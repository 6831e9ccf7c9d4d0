"""The rows of a story, as every report shows them: in order, and each repeat only once.

A row is somebody being told, or a line of an incident's timeline. Rows that say the same again and again, as
often apart each time, are one row that says how often; what happens to many incidents at once is one row too.
How a row looks is the reports'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from config.values import show_duration
from routing.whom import BY

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from routing.story import Line, Notification, Story

T = TypeVar("T")

ALSO_EXPLAINED: Final = frozenset(
    ("step", "passed", "skipped", "released", "repeated", "grown", "partly", "severity")
)
"""Kinds of lines that only say why somebody is told, or not: not shown unless asked for."""

KEPT_FROM: Final = ("suppressed", "held", "closed", "passed", "skipped", "not_told", "guard", "beat")
"""Kinds of lines that say why nobody is told."""

_ROUGHLY: Final = 1_000  # ms by which repeats may be early or late and are as often apart even so
_FEWEST: Final = 5  # of what is less, each is worth its row


@dataclass(frozen=True, slots=True)
class Run(Generic[T]):
    """`first`, and the same `more` times again, `every` so many ms, for the last time at `last`."""

    at: int
    first: T
    more: int = 0
    every: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row, for `incidents` (numbers, none where it belongs to none).

    `kind`: a notification's (`ring`, `update`, `end`), or the line's. `who`: whom it tells, "" for a line.
    `words`: what the line says. `why` and `text` are the notification's;
    `why` is "" where a line right above it says so.
    """

    at: int
    incidents: tuple[int, ...]
    kind: str
    who: str = ""
    words: str = ""
    why: str = ""
    text: str = ""
    step: str = ""


# --- words ----------------------------------------------------------------------------------------------


def whom(one: Notification) -> str:
    """The person, receiver or team that it tells."""
    if one.target_kind == "team":
        return f"team {one.target}" if one.target else "nobody's team"
    return one.target


def who(one: Notification) -> str:
    """Whom it tells and by what: `dana by Slack`, `#ops (on-call) by Slack`, `on-call by PagerDuty`."""
    name, way = whom(one), BY.get(one.by, one.by)
    if not one.where or one.target_kind == "user" or one.by in ("pagerduty", "webhook"):
        return f"{name} by {way}"
    return f"{one.where} ({name}) by {way}" if one.by == "slack" else f"{name} by {way} ({one.where})"


def offset(ms: int) -> str:
    """From the beginning: `+5:00`, `+1:05:00`, `+2d 1:05:00`; seconds that are not whole are cut."""
    sign, seconds = ("-", -ms // 1000) if ms < 0 else ("+", ms // 1000)
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    clock = f"{hours}:{minutes:02}:{rest:02}" if hours or days else f"{minutes}:{rest:02}"
    return f"{sign}{days}d {clock}" if days else f"{sign}{clock}"


def reason(row: Row) -> str:
    """Why, and by which step; the step is named only where the reason does not name it."""
    number = row.step.rpartition(", ")[2]
    step = "" if number and number in row.why else row.step
    return "; ".join(part for part in (step, row.why) if part)


def local(at: int, zone: tzinfo) -> datetime:
    """The moment by the clock there."""
    return datetime.fromtimestamp(at / 1000, zone)


def spaced(ms: int) -> str:
    """How often something comes: `4h5m`, whole seconds."""
    return show_duration(max(round(ms / 1000), 1) * 1000)


def numbers(incidents: Sequence[int]) -> str:
    """`#1`, `#1, #3`, `#1-#40 (40)`: all of them if they are few."""
    if len(incidents) <= 3:
        return ", ".join(f"#{number}" for number in incidents)
    return f"#{incidents[0]}-#{incidents[-1]} ({len(incidents)})"


# --- rows -----------------------------------------------------------------------------------------------


def rows(story: Story, *, explain: bool, messages: bool) -> list[Run[Row]]:
    """What a person reads, in order. `explain`: with every decision; `messages`: different texts differ."""
    shown = [
        _line(line) for line in story.lines if line.kind != "told" and (explain or not _only_explains(line))
    ]
    above = {(row.at, row.incidents, row.words) for row in shown}
    rung = _at_once(
        replace(row, why="") if (row.at, row.incidents, row.why) in above else row
        for row in (_told(one, messages=messages) for one in story.notifications)
    )
    ordered = sorted([*shown, *rung], key=lambda row: (row.at, bool(row.who)))
    return _together(runs((row.at, _same(row), row) for row in ordered))


def told(story: Story) -> list[Run[Notification]]:
    """For pictures: who is told, each apart, and repeats as runs."""
    return runs(
        (one.at, (one.incident, one.kind, one.target_kind, one.target, one.by, one.where, one.step), one)
        for one in story.notifications
    )


def news(story: Story) -> list[Row]:
    """For pictures: what happens beside that somebody is told, without what only explains."""
    return [_line(line) for line in story.lines if line.kind != "told" and not _only_explains(line)]


def _only_explains(line: Line) -> bool:
    """That a step reached nobody is news: without it, the next one seems to come early for nothing."""
    return line.kind in ALSO_EXPLAINED and not (line.kind == "passed" and " tells nobody: " in line.text)


def in_several_policies(story: Story) -> frozenset[int]:
    """The incidents that steps of several policies tell of, so that a number alone does not name a step."""
    policies: dict[int, set[str]] = {}
    for one in story.notifications:
        if one.step:
            policies.setdefault(one.incident, set()).add(one.policy)
    return frozenset(number for number, names in policies.items() if len(names) > 1)


def _line(line: Line) -> Row:
    words = line.text
    if line.target and line.target not in words:
        words += f" — {line.target}"
    return Row(line.at, (line.incident,) if line.incident else (), line.kind, words=words)


def _told(one: Notification, *, messages: bool) -> Row:
    step = f"{one.policy}, step {one.step}" if one.step else ""
    text = one.text if messages else ""
    return Row(one.at, (one.incident,), one.kind, who(one), why=one.why, text=text, step=step)


def _at_once(told: Iterable[Row]) -> Iterator[Row]:
    """Messages that make no sound and are brought up to date together are one row."""
    merged: dict[Hashable, Row] = {}
    for place, row in enumerate(told):
        alone = place if row.kind == "ring" or row.text else -1
        key = (row.at, row.incidents, row.kind, row.why, alone)
        first = merged.setdefault(key, row)
        if first is not row:
            merged[key] = replace(first, who=f"{first.who}, {row.who}")
    yield from merged.values()


def _same(row: Row) -> Hashable:
    return (row.incidents, row.kind, row.who, row.words, row.step)


def runs(items: Iterable[tuple[int, Hashable, T]]) -> list[Run[T]]:
    """Items (when, what makes them the same, what) in order, of which those evenly repeated are one run."""
    known = list(items)
    places: dict[Hashable, list[int]] = {}
    for place, (_, same, _) in enumerate(known):
        places.setdefault(same, []).append(place)
    found: list[tuple[int, Run[T]]] = []
    for alike in places.values():
        times = [known[place][0] for place in alike]
        begin = 0
        while begin < len(alike):
            length = _evenly(times, begin)
            at, _, first = known[alike[begin]]
            run = Run(at, first)
            if length > 1:
                run = Run(at, first, length - 1, times[begin + 1] - at, times[begin + length - 1])
            found.append((alike[begin], run))
            begin += length
    return [run for _, run in sorted(found, key=lambda one: one[0])]


def _evenly(times: Sequence[int], begin: int) -> int:
    """How many from `begin` on are as far apart as the first two; 1 where that is no row of repeats."""
    end, every = begin + 1, 0
    while end < len(times):
        gap = times[end] - times[end - 1]
        every = every or gap
        if gap < _ROUGHLY or abs(gap - every) > _ROUGHLY:
            break
        end += 1
    return end - begin if end - begin >= _FEWEST else 1


def _together(found: Iterable[Run[Row]]) -> list[Run[Row]]:
    """Rows of one second that differ in their incident alone, as one, where the first of them stands."""
    merged: dict[Hashable, Run[Row]] = {}
    for run in found:
        row = run.first
        key = (replace(row, at=row.at // 1000, incidents=()), run.more, run.last // 1000)
        first = merged.setdefault(key, run)
        incidents = tuple(sorted({*first.first.incidents, *row.incidents}))
        merged[key] = replace(first, first=replace(first.first, incidents=incidents))
    return list(merged.values())
