"""The picture of a story, as SVG: time from left to right, a lane for each incident and each way of telling.

Time is not to scale: an hour in which nothing happens is little wider than a minute, so that the first five
minutes can be read beside the seventh day. Every word in it is escaped (`Markup.format`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from gateway.simulation.page import shown
from gateway.simulation.timeline import local, offset, spaced, told, who, whom
from routing.whom import BY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from gateway.simulation.timeline import Run
    from routing.incident_records import Incident
    from routing.story import Notification, Story

MOST_MARKS: Final = 600
MOST_LANES: Final = 40
MOST_INCIDENTS: Final = 8

_LEFT: Final = 200  # for the names of lanes
_HEAD: Final = 26  # for the times above
_FOOT: Final = 24
_LANE: Final = 24
_RIGHT: Final = 48
_LETTERS: Final = 25  # of a name
_LABEL: Final = 64  # room for a time, at least
_LETTER: Final = 7.5

_STATES: Final = {
    "triggered": "triggered",
    "reopened": "triggered",
    "acknowledged": "acknowledged",
    "unacknowledged": "triggered",
    "ack_ended": "triggered",
    "resolved": "",
    "dismissed": "",
}
_BARS: Final = {"triggered": ("none", "var(--bad)"), "acknowledged": ("var(--band)", "var(--hand)")}


@dataclass(frozen=True, slots=True)
class Span:
    """An incident is in one state for a while (ms)."""

    incident: int
    state: str
    since: int
    until: int


def picture(story: Story, zone: tzinfo, start: int) -> Markup | None:
    """The picture, None where there is nothing to draw; times since `start`, by the clock at `zone`."""
    runs = told(story)
    marks = runs[:MOST_MARKS]
    lanes = _lanes(marks)
    some = dict(sorted(story.incidents.items())[:MOST_INCIDENTS])
    spans = [span for number in some for span in _spans(story, number)]
    moments = sorted(
        {at for run in marks for at in (run.at, run.last) if at}
        | {at for span in spans for at in (span.since, span.until)}
    )
    if not moments:
        return None
    places = _scale(moments)
    top = _HEAD + _LANE * len(some)
    wide = _LEFT + max(places.values()) + _RIGHT
    high = top + _LANE * len(lanes) + _FOOT
    drawn: list[Markup] = [
        *_grid(places, zone, start, high),
        *_bars(some, spans, places, high),
        *_names(lanes, top, wide),
        *(
            mark
            for run in marks
            if (lane := _lane(run.first)) in lanes
            for mark in _mark(run, places, top + _LANE * (list(lanes).index(lane) + 0.5), start)
        ),
    ]
    title = f"Who is told when: {len(story.notifications)} messages, {len(lanes)} ways of telling"
    made = Markup(
        '<svg role="img" aria-label="{title}" viewBox="0 0 {wide:.0f} {high}" width="{wide:.0f}"'
        ' height="{high}">'
        "\n{drawn}\n</svg>"
    ).format(title=title, wide=wide, high=high, drawn=Markup("\n").join(drawn))
    return made + _left_out(len(runs) - len(marks), len(story.incidents) - len(some))


def _left_out(marks: int, incidents: int) -> Markup:
    said = [f"{count} {what}" for count, what in ((marks, "messages"), (incidents, "incidents")) if count > 0]
    return (
        Markup("<p class=soft>Not drawn, but in the table: {}.</p>").format(" and ".join(said))
        if said
        else Markup("")
    )


# --- where things are -----------------------------------------------------------------------------------


def _scale(moments: Sequence[int]) -> dict[int, float]:
    """Where each moment is, from the left of the lanes: long gaps are shortened, short ones can be seen."""
    gaps = [0.5 + log2(1 + (later - sooner) / 20_000) for sooner, later in pairwise(moments)]
    room = min(max(900.0, len(gaps) * 14.0), 4_000.0)
    each = room / max(sum(gaps), 4.0)
    places, at = {moments[0]: 20.0}, 20.0
    for moment, gap in zip(moments[1:], gaps, strict=True):
        at += gap * each
        places[moment] = at
    return places


def _lane(one: Notification) -> tuple[str, str, str, str]:
    return one.target_kind, one.target, one.by, one.where


def _lanes(marks: Iterable[Run[Notification]]) -> dict[tuple[str, str, str, str], Notification]:
    """The ways of telling, those of one target beside each other, who is told first at the top."""
    found: dict[tuple[str, str, str, str], Notification] = {}
    for run in marks:
        found.setdefault(_lane(run.first), run.first)
    order = list(dict.fromkeys(lane[:2] for lane in found))
    return dict(sorted(found.items(), key=lambda item: order.index(item[0][:2]))[:MOST_LANES])


def _spans(story: Story, number: int) -> Iterator[Span]:
    """The states of an incident, one after the other."""
    state, since = "", 0
    for line in story.lines:
        after = _STATES.get(line.kind, state)
        if line.kind == "severity" and line.text.startswith("the acknowledgement ends"):
            after = "triggered"
        if line.incident != number or after == state:
            continue
        if state:
            yield Span(number, state, since, line.at)
        state, since = after, line.at
    if state:
        yield Span(number, state, since, max(story.ended, since))


# --- what is drawn --------------------------------------------------------------------------------------


def _grid(places: dict[int, float], zone: tzinfo, start: int, high: int) -> Iterator[Markup]:
    """Times above and below, wherever there is room for them."""
    free = -1_000.0
    for moment, x in places.items():
        after = offset(moment - start)
        if x - free < max(_LABEL, _LETTER * len(after) + 8):
            continue
        free = x
        clock = local(moment, zone)
        yield Markup(
            '<line x1="{x:.1f}" x2="{x:.1f}" y1="{y1}" y2="{y2}" stroke="var(--line)"/>'
            '<text x="{x:.1f}" y="14" text-anchor="middle">{after}</text>'
            '<text x="{x:.1f}" y="{foot}" text-anchor="middle" fill="var(--soft)" font-size="11">'
            "{clock}</text>"
        ).format(
            x=_LEFT + x,
            y1=_HEAD - 6,
            y2=high - _FOOT + 4,
            after=after,
            foot=high - 6,
            clock=f"{clock:%a %H:%M}",
        )


def _bars(
    incidents: dict[int, Incident], spans: Sequence[Span], places: dict[int, float], high: int
) -> Iterator[Markup]:
    """A lane for each incident: red while nobody has it, a band while somebody has."""
    tops = {number: _HEAD + _LANE * row for row, number in enumerate(incidents)}
    for number, one in incidents.items():
        about = " ".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
        yield _name(f"#{number} {about}", f"#{number} {about}", tops[number])
    for span in spans:
        fill, line = _BARS[span.state]
        x = _LEFT + places[span.since]
        wide = max(places[span.until] - places[span.since], 2)
        if span.state == "acknowledged" and len(incidents) == 1:
            yield Markup(
                '<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" fill="var(--band)" opacity=".35"/>'
            ).format(x, _HEAD, wide, high - _FOOT - _HEAD)
        yield Markup(
            '<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="10" rx="3" fill="{fill}" stroke="{line}">'
            "<title>#{number} is {state}</title></rect>"
        ).format(
            x=x,
            y=tops[span.incident] + 7,
            wide=wide,
            fill=fill,
            line=line,
            number=span.incident,
            state=span.state,
        )


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _name(name: str, full: str, top: float, letters: int = _LETTERS) -> Markup:
    return Markup('<text x="4" y="{:.1f}"><title>{}</title>{}</text>').format(
        top + _LANE * 0.5 + 4, shown(full), shown(_cut(name, letters))
    )


def _names(lanes: dict[tuple[str, str, str, str], Notification], top: int, wide: float) -> Iterator[Markup]:
    before: tuple[str, ...] = ()
    for row, (lane, one) in enumerate(lanes.items()):
        y = top + _LANE * row
        channel = one.where if one.by == "slack" and one.target_kind != "user" else ""
        way = _cut(channel or BY.get(one.by, one.by), _LETTERS // 2)
        if lane[:2] != before:
            yield Markup('<line x1="0" x2="{:.0f}" y1="{}" y2="{}" stroke="var(--line)"/>').format(wide, y, y)
            yield _name(whom(one), who(one), y, _LETTERS * 3 // 5)
        before = lane[:2]
        yield Markup(
            '<text x="{}" y="{:.1f}" text-anchor="end" fill="var(--soft)" font-size="11">{}</text>'
        ).format(_LEFT + 6, y + _LANE * 0.5 + 4, shown(way))


_SHAPES: Final = {
    "ring": '<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="var(--bad)" stroke="var(--card)"/>',
    "update": '<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="var(--card)" stroke="var(--text)"'
    ' stroke-width="1.5"/>',
    "end": '<rect x="{left:.1f}" y="{top:.1f}" width="9" height="9" fill="var(--card)" stroke="var(--good)"'
    ' stroke-width="2"/>',
}


def _mark(run: Run[Notification], places: dict[int, float], y: float, start: int) -> Iterator[Markup]:
    """A message, and, where it is repeated, a row of dots up to the last of them."""
    one = run.first
    said = f"{offset(run.at - start)} {one.kind} {who(one)}, #{one.incident}"
    said += f", step {one.step}" if one.step else ""
    said += f": {one.why}" if one.why else ""
    ends = [places[run.at]]
    if run.more:
        ends.append(places[run.last])
        said += f"; repeated every {spaced(run.every)}, {run.more} times more"
        yield Markup(
            '<line x1="{:.1f}" x2="{:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--bad)" stroke-width="3"'
            ' stroke-dasharray="0 9" stroke-linecap="round"/>'
            '<text x="{:.1f}" y="{:.1f}" text-anchor="middle" font-size="11">{} times, every {}</text>'
        ).format(
            _LEFT + ends[0],
            _LEFT + ends[1],
            _LEFT + sum(ends) / 2,
            y - 5,
            run.more + 1,
            spaced(run.every),
            y=y,
        )
    for x in ends:
        shape = Markup(_SHAPES[one.kind]).format(x=_LEFT + x, y=y, left=_LEFT + x - 4.5, top=y - 4.5)  # noqa: S704
        yield Markup("<g><title>{}</title>{}</g>").format(shown(said), shape)
