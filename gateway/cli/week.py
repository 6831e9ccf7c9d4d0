"""A calendar for the terminal: a week in each block, a line for each person, a mark for each three hours.

It fits 80 columns. What a mark stands for is rough: the exact times are listed elsewhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from rich.text import Text

from gateway.cli.output import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

HOURS: Final = 3  # of a mark
MARKS: Final = 24 // HOURS
NAME: Final = 14
NOBODY: Final = "nobody"
_ON, _OFF, _GAP = "#", ".", "!"


def weeks(spans: Sequence[tuple[datetime, datetime, Sequence[str]]], zone: tzinfo | None) -> Iterator[Text]:
    """The lines of the calendar of shifts (start, end, people; nobody: a gap), by the clock at `zone`."""
    if not spans:
        return
    begin, end = spans[0][0].astimezone(zone), spans[-1][1].astimezone(zone)
    monday = begin.date() - timedelta(days=begin.weekday())
    while datetime.combine(monday, datetime.min.time(), zone) < end:
        days = [monday + timedelta(days=n) for n in range(7)]
        heads = "".join(f" {day:%a %d}".ljust(MARKS + 1) for day in days)
        yield Text(f"{monday:%b %Y}".ljust(NAME) + heads.rstrip(), style="bold")
        slots = [
            datetime.combine(day, datetime.min.time(), zone) + timedelta(hours=HOURS * n)
            for day in days
            for n in range(MARKS)
        ]
        yield from _people(spans, slots)
        yield Text("")
        monday += timedelta(days=7)


def _people(
    spans: Sequence[tuple[datetime, datetime, Sequence[str]]], slots: Sequence[datetime]
) -> Iterator[Text]:
    """A line for everybody who is on call in these slots, and one for gaps."""
    lines: dict[str, list[str]] = {}
    first, last = slots[0], slots[-1] + timedelta(hours=HOURS)
    for start, end, people in spans:
        if end <= first or start >= last:
            continue
        for person in people or ("",):
            marks = lines.setdefault(person, [_OFF] * len(slots))
            for at, slot in enumerate(slots):
                if start < slot + timedelta(hours=HOURS) and slot < end:
                    marks[at] = _ON if people else _GAP
    for person in sorted(lines, key=lambda name: (not name, name)):  # gaps come last
        marks = lines[person]
        days = " ".join("".join(marks[n : n + MARKS]) for n in range(0, len(marks), MARKS))
        name = plain(person or NOBODY, NAME - 1).ljust(NAME)
        yield Text(f"{name} {days}", style="" if person else "bold red")
