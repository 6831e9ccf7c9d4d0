"""A story as a mermaid sequence diagram, as Markdown pages draw it.

From Tocsin to whom it tells: a solid arrow is a ring, a dotted one an update or the end, which make no sound.
Every character that could mean something to mermaid is written as its number.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Final

from gateway.cli.output import plain
from gateway.simulation.timeline import local, news, numbers, offset, spaced, told, whom
from routing.whom import BY

if TYPE_CHECKING:
    from datetime import tzinfo

    from gateway.simulation.timeline import Row, Run
    from routing.story import Notification, Story

MOST: Final = 200
"""Arrows and notes; mermaid draws no diagram of much more."""

_ARROWS: Final = {"ring": "->>", "update": "-->>", "end": "-->>"}
_LONGEST: Final = 120
_SPECIAL: Final = re.compile(r"[^\w .,:/=+@&()'-]")


def mermaid(story: Story, zone: tzinfo = UTC, start: int | None = None) -> str:
    """The diagram; times are offsets from `start` (ms, by default the story's beginning)."""
    start = story.began if start is None else start
    every, happens = told(story), news(story)
    runs = every[:MOST]
    names: dict[tuple[str, str], str] = {}
    people: list[str] = []
    for run in runs:
        if names.setdefault(_place(run.first), f"p{len(people)}") == f"p{len(people)}":
            people.append(whom(run.first))
    drawn = [(run.at, 1, _arrow(run, names, start)) for run in runs]
    drawn += [(row.at, 0, _note(row, start)) for row in happens]
    drawn.sort(key=lambda one: one[:2])
    lines = ["sequenceDiagram", "  participant t as Tocsin"]
    lines += [f"  participant p{number} as {_safe(name)}" for number, name in enumerate(people)]
    lines.append(f"  Note over t: {_safe(f'{local(start, zone):%a %d %b %Y %H:%M:%S %Z}')}")
    lines += [line for _, _, line in drawn[:MOST]]
    if (more := len(every) + len(happens) - MOST) > 0:
        lines.append(f"  Note over t: and {more} more, not drawn")
    if not runs:
        lines.append("  Note over t: Nobody is told.")
    if story.cut:
        lines.append(f"  Note over t: {offset(story.ended - start)} the simulation ends, more would follow")
    return "\n".join(lines) + "\n"


def _place(one: Notification) -> tuple[str, str]:
    return one.target_kind, one.target


def _arrow(run: Run[Notification], names: dict[tuple[str, str], str], start: int) -> str:
    one = run.first
    where = f" ({one.where})" if one.where and one.target_kind != "user" else ""
    said = f"{offset(run.at - start)} {one.kind} by {BY.get(one.by, one.by)}{where}"
    if one.step and one.kind == "ring":
        said += f", step {one.step}"
    if run.more:
        said += f", and every {spaced(run.every)}, {run.more} times more"
    return f"  t{_ARROWS[one.kind]}{names[_place(one)]}: {_safe(said)}"


def _note(row: Row, start: int) -> str:
    said = f"{offset(row.at - start)} {numbers(row.incidents)} {row.words}"
    return f"  Note over t: {_safe(said)}"


def _safe(text: str) -> str:
    """One line that is only text to mermaid, which counts `end` and `#` and `;` as its own."""
    coded = _SPECIAL.sub(lambda found: f"#{ord(found[0])};", plain(text, _LONGEST))
    return re.sub(r"\b[eE](?=[nN][dD]\b)", lambda found: f"#{ord(found[0])};", coded)
