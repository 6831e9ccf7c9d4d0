"""A summary as text, as a JSON document, and two of them in a sentence and side by side.

Every line is safe on a terminal. What is counted says `summary.py`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.output import plain
from gateway.simulation.recording import moment
from gateway.simulation.summary import WEEKDAYS, Person
from routing.alerts import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.simulation.summary import Summary

VERSION: Final = 1

_EPOCH: Final = date(1970, 1, 1)
_BAR: Final = 30
_NAMED: Final = 3  # people in a sentence
_SHOWN: Final = 50  # rows of a table
_TIMES: Final = ("never", "once", "twice", "three times", "four times", "five times", "six times")
_MORE_TIMES: Final = ("seven times", "eight times", "nine times")


def text(summary: Summary) -> Iterator[str]:
    """One summary, line by line."""
    if not summary.alerts:
        yield "No alerts arrived."
        return
    yield from facts(summary)
    yield from _rows(("PERSON", "PAGES", "AT NIGHT", "WOKEN"), [
        (name, one.pages, one.at_night, one.woken) for name, one in people(summary)
    ])  # fmt: skip
    yield from _rows(("TEAM", "PAGES"), _most(summary.teams))
    yield from _rows(("RECEIVER", "RINGS"), _most(summary.receivers))
    yield from _bars("HOUR", [f"{hour:02}" for hour in range(24)], summary.by_hour)
    yield from _bars("DAY", WEEKDAYS, summary.by_weekday)


def facts(summary: Summary) -> Iterator[str]:
    """The two sentences that say the most."""
    woken = (
        f"people would have been woken {times(summary.woken)}"
        if summary.woken
        else "nobody would have been woken"
    )
    yield f"{_pages(summary.pages)} in {length(summary)}, {summary.at_night} of them at night: {woken}."
    yield (
        f"{counted(summary.alerts)} arrived from {_at(summary.began)} to {_at(summary.ended)}; "
        f"{_incidents(summary.incidents)}, {summary.rings} rings."
    )


def document(summary: Summary) -> dict[str, Any]:
    """The same as JSON; fields may be added, and none changes its meaning while `summary` says 1."""
    return {
        "summary": VERSION,
        "began": moment(summary.began),
        "ended": moment(summary.ended),
        "alerts": summary.alerts,
        "incidents": summary.incidents,
        "rings": summary.rings,
        "pages": summary.pages,
        "pages_at_night": summary.at_night,
        "woken": summary.woken,
        "people": [
            {"name": name, "pages": one.pages, "pages_at_night": one.at_night, "woken": one.woken}
            for name, one in people(summary)
        ],
        "teams": [{"name": name or None, "pages": pages} for name, pages in _by_count(summary.teams)],
        "receivers": [{"name": name, "rings": rings} for name, rings in _by_count(summary.receivers)],
        "pages_by_day": [{"day": name, "pages": pages} for name, (pages,) in days(summary).items()],
        "pages_by_weekday_and_hour": summary.hours,
    }


def sentence(one: Summary, other: Summary, names: tuple[str, str] = ("the old", "the new")) -> str:
    """What `other` would change, in a sentence: pages, and for whom the nights change most."""
    said = (
        f"With {plain(names[1])} there would have been {_pages(other.pages)} instead of {one.pages} in "
        f"{length(other)}"
    )
    changed = []
    for name in {**one.people, **other.people}:
        before, after = (each.people.get(name, Person()).woken for each in (one, other))
        if before != after:
            changed.append((-abs(after - before), name, after, before))
    for number, (_, name, after, before) in enumerate(sorted(changed)[:_NAMED]):
        been = "would have been woken " if not number else ""
        said += f"{'; ' if not number else ', '}{plain(name)} {been}{times(after)} instead of {times(before)}"
    return f"{said}."


def compared(one: Summary, other: Summary, names: tuple[str, str] = ("the old", "the new")) -> Iterator[str]:
    """Both side by side, the sentence first; only people, teams and receivers for whom something changes."""
    yield sentence(one, other, names)
    heads = tuple(plain(name, 40) for name in names)
    yield from _rows(("", *heads), [
        ("incidents", one.incidents, other.incidents),
        ("rings", one.rings, other.rings),
        ("pages", one.pages, other.pages),
        ("at night", one.at_night, other.at_night),
        ("woken", one.woken, other.woken),
    ])  # fmt: skip
    everybody = sorted({**one.people, **other.people})
    before, after = ([each.people.get(name, Person()) for name in everybody] for each in (one, other))
    rows = [
        (name, f"{old.pages}, woken {old.woken}", f"{new.pages}, woken {new.woken}")
        for name, old, new in zip(everybody, before, after, strict=True)
        if old != new
    ]
    yield from _rows(("PERSON", *heads), rows)
    for title, old, new in (("TEAM", one.teams, other.teams), ("RECEIVER", one.receivers, other.receivers)):
        both = [(name or "-", old[name], new[name]) for name in sorted({**old, **new})]
        yield from _rows((title, *heads), [row for row in both if row[1] != row[2]])


def both(one: Summary, other: Summary, names: tuple[str, str] = ("the old", "the new")) -> dict[str, Any]:
    """Two summaries as JSON."""
    return {
        "sentence": sentence(one, other, names),
        "before": {"name": names[0], **document(one)},
        "after": {"name": names[1], **document(other)},
    }


def people(summary: Summary) -> list[tuple[str, Person]]:
    """Who is woken most comes first."""
    return sorted(summary.people.items(), key=lambda item: (-item[1].woken, -item[1].pages, item[0]))


def days(*summaries: Summary) -> dict[str, list[int]]:
    """Each day from the first page to the last, `2026-11-23`, and its pages in each of them."""
    seen = [day for one in summaries for day in one.days]
    return {
        (_EPOCH + timedelta(days=day)).isoformat(): [one.days[day] for one in summaries]
        for day in (range(min(seen), max(seen) + 1) if seen else ())
    }


def length(summary: Summary) -> str:
    """How long it is: `7 days`, `5 hours`, `1 minute`."""
    span = max(summary.ended - summary.began, 0)
    unit, size = "minute", 60_000
    if span >= 36 * 3_600_000:
        unit, size = "day", 86_400_000
    elif span >= 90 * 60_000:
        unit, size = "hour", 3_600_000
    whole = max(round(span / size), 1)
    return f"{whole} {unit}{'s' * (whole != 1)}"


def times(count: int) -> str:
    """`never`, `once`, `twice`, `nine times`, `12 times`."""
    words = _TIMES + _MORE_TIMES
    return words[count] if count < len(words) else f"{count} times"


def _pages(count: int) -> str:
    return f"{count} page{'s' * (count != 1)}"


def _incidents(count: int) -> str:
    return f"{count} incident{'s' * (count != 1)}"


def _at(at: int) -> str:
    return f"{moment(at)[:16].replace('T', ' ')} UTC"


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _most(counts: Mapping[str, int]) -> list[tuple[object, ...]]:
    return [(name or "-", count) for name, count in _by_count(counts)]


def _rows(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """A table under an empty line; nothing for no rows."""
    if not rows:
        return
    cells = [list(titles), *([plain(cell, 60) for cell in row] for row in rows[:_SHOWN])]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    yield ""
    for first, *rest in cells:
        numbers = (cell.rjust(width) for cell, width in zip(rest, wide[1:], strict=True))
        yield "  ".join((first.ljust(wide[0]), *numbers)).rstrip()
    if len(rows) > _SHOWN:
        yield f"and {len(rows) - _SHOWN} more"


def _bars(title: str, names: Sequence[str], counts: Sequence[int]) -> Iterator[str]:
    if not (highest := max(counts, default=0)):
        return
    wide = len(str(highest))
    yield ""
    yield f"{title.ljust(5)}{'PAGES'.rjust(max(wide, 5))}"
    for name, count in zip(names, counts, strict=True):
        bar = "#" * -(-count * _BAR // highest)
        yield f"{name.ljust(5)}{str(count).rjust(max(wide, 5))}  {bar}".rstrip()
