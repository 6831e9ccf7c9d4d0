"""A story as one page with its picture: who is told when, and everything that happens as a table below.

The picture is SVG with a lane for each incident and for each way of telling somebody. It is drawn as far as
it can be read; the table below has the same in words, for those who do not see it, and all of it.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from gateway.simulation.page import page, shown
from gateway.simulation.picture import picture
from gateway.simulation.report_text import why_nobody
from gateway.simulation.timeline import local, numbers, offset, reason, rows, spaced

if TYPE_CHECKING:
    from datetime import tzinfo

    from gateway.simulation.timeline import Row, Run
    from routing.story import Story

MOST_ROWS: Final = 5_000

_LEGEND: Final = Markup(
    """<figcaption>
<svg aria-hidden="true"><circle cx="7" cy="6" r="5" fill="var(--bad)"/></svg> a ring, which is heard &ensp;
<svg aria-hidden="true"><circle cx="7" cy="6" r="4" fill="none" stroke="var(--text)"
 stroke-width="1.5"/></svg> an update, without a sound &ensp;
<svg aria-hidden="true"><rect x="2" y="1" width="9" height="9" fill="none" stroke="var(--good)"
 stroke-width="2"/></svg> the end &ensp;
<svg aria-hidden="true"><rect y="1" width="14" height="10" fill="var(--band)"/></svg> somebody has it in hand.
Long times are drawn shorter than they are.</figcaption>"""
)


def html(story: Story, title: str, zone: tzinfo = UTC, start: int | None = None) -> str:
    """The page, by the clock at `zone`; times since `start` (ms, by default the story's beginning)."""
    start = story.began if start is None else start
    found = rows(story, explain=True, messages=True)
    parts = [_head(story, zone, start), *_picture(story, zone, start), _table(found, zone, start)]
    return page(shown(title), *parts)


def _head(story: Story, zone: tzinfo, start: int) -> Markup:
    begins = Markup("<p>It begins on {}.</p>").format(
        shown(f"{local(start, zone):%A, %-d %B %Y, %H:%M:%S %Z}")
    )
    if not story.notifications:
        reasons = Markup("").join(Markup("<li>{}</li>").format(shown(why)) for why in why_nobody(story))
        begins += Markup("\n<p><strong>Nobody is told.</strong></p>\n<ul>{}</ul>").format(reasons)
    else:
        rings = sum(one.kind == "ring" for one in story.notifications)
        begins += Markup("\n<p>Messages: {}, of which are rings: {}.</p>").format(
            len(story.notifications), rings
        )
    if story.cut:
        begins += Markup("\n<p>The simulation ends at {}; more would follow.</p>").format(
            offset(story.ended - start)
        )
    return begins


def _picture(story: Story, zone: tzinfo, start: int) -> list[Markup]:
    drawn = picture(story, zone, start)
    return [Markup("<figure>{}{}</figure>").format(drawn, _LEGEND)] if drawn else []


def _table(found: list[Run[Row]], zone: tzinfo, start: int) -> Markup:
    if not found:
        return Markup("")
    made = Markup("\n").join(_row(run, zone, start) for run in found[:MOST_ROWS])
    more = Markup("")
    if len(found) > MOST_ROWS:
        more = Markup("\n<p>and {} rows more, which are not shown here.</p>").format(len(found) - MOST_ROWS)
    return Markup(
        "<h2>Timeline</h2>\n<table>\n<thead><tr><th>Time</th><th>After</th><th>Incident</th><th>What happens"
        "</th></tr></thead>\n<tbody>\n{}\n</tbody>\n</table>{}"
    ).format(made, more)


def _row(run: Run[Row], zone: tzinfo, start: int) -> Markup:
    row = run.first
    what = Markup("{}").format(shown(row.words))
    if row.who:
        what = Markup('<span class="{}">{}</span> <bdi>{}</bdi>').format(row.kind, row.kind, shown(row.who))
        what += Markup(' <span class="soft">{}</span>').format(shown(reason(row)))
    if run.more:
        what += f"; repeated every {spaced(run.every)}, {run.more} times more"
        what += f", the last at {offset(run.last - start)}"
    if row.text:
        what += Markup("\n<details><summary>message</summary><pre>{}</pre></details>").format(shown(row.text))
    moment = local(run.at, zone)
    return Markup(
        '<tr><td class="time"><time datetime="{}">{}</time></td><td class="time">{}</td>'
        '<td class="time">{}</td><td>{}</td></tr>'
    ).format(
        moment.isoformat(), f"{moment:%a %H:%M:%S}", offset(run.at - start), numbers(row.incidents), what
    )
