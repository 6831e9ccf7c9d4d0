"""A summary as a page that stands alone: bars by hour, day and person, of one configuration or of two.

What the bars show stands in tables below them too, for who does not see them. What is counted says
`summary.py`, the frame is `page.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from gateway.simulation.page import bars, page, shown
from gateway.simulation.summary import WEEKDAYS, Person
from gateway.simulation.summary_text import days, facts, people, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.simulation.summary import Summary

_BARS: Final = 120  # of one picture; who comes after them stands in the table only
_ROWS: Final = 1_000

_Columns = dict[str, list[int]]  # a row's name, and its number in each column


def html(
    summary: Summary,
    title: str,
    other: Summary | None = None,
    names: tuple[str, str] = ("the old", "the new"),
) -> str:
    """The page; with `other`, both are shown beside each other, under their `names`."""
    both = [summary] if other is None else [summary, other]
    heads = [""] if other is None else list(names)
    said = list(facts(summary)) if other is None else [sentence(summary, other, names)]
    who = list(dict.fromkeys(name for one in both for name, _ in people(one)))
    persons = [[one.people.get(name, Person()) for one in both] for name in who]
    hours = {f"{hour:02}": [one.by_hour[hour] for one in both] for hour in range(24)}
    weekdays = {name: [one.by_weekday[at] for one in both] for at, name in enumerate(WEEKDAYS)}
    pages = {name: [one.pages for one in each] for name, each in zip(who, persons, strict=True)}
    woken = {name: [one.woken for one in each] for name, each in zip(who, persons, strict=True)}
    return page(
        title,
        *(Markup("<p>{}</p>").format(shown(line)) for line in said),
        *_part("Pages by hour of the day", heads, hours),
        *_part("Pages by weekday", heads, weekdays),
        *_part("Pages by day", heads, days(*both)),
        *_part("Pages by person", heads, pages),
        *_part("How often people are woken", heads, woken),
        *_part("Pages by team", heads, _counts([one.teams for one in both])),
        *_part("Rings by receiver", heads, _counts([one.receivers for one in both])),
        Markup('<p class="soft">{}</p>').format(
            "A page is a ring that reaches a person, or PagerDuty. The clock is theirs who are paged. Night "
            "is from 22 to 7; a person is woken by a page at night, unless by one of the hour before already."
        ),
    )


def _counts(counts: Sequence[Mapping[str, int]]) -> _Columns:
    names = {name: sum(one.get(name, 0) for one in counts) for each in counts for name in each}
    ordered = sorted(names, key=lambda name: (-names[name], name))
    return {name or "(none)": [one.get(name, 0) for one in counts] for name in ordered}


def _part(title: str, heads: Sequence[str], columns: _Columns) -> list[Markup]:
    """A picture and its table; nothing where there is nothing to see."""
    if not any(any(row) for row in columns.values()):
        return []
    first = list(columns)[:_BARS]
    series = {head: [columns[name][at] for name in first] for at, head in enumerate(heads)}
    return [Markup("<h2>{}</h2>").format(title), bars(title, first, series), _table(heads, columns)]


def _table(heads: Sequence[str], columns: _Columns) -> Markup:
    top = Markup("").join(Markup("<th>{}</th>").format(shown(head)) for head in ("", *heads))
    rows = Markup("\n").join(
        Markup("<tr><td>{}</td>{}</tr>").format(
            shown(name), Markup("").join(Markup("<td>{}</td>").format(value) for value in row)
        )
        for name, row in list(columns.items())[:_ROWS]
    )
    return Markup("<details><summary>Numbers</summary><table><tr>{}</tr>\n{}</table></details>").format(
        top, rows
    )
