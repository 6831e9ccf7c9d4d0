"""Telling: whom one decision rings, each place once, and how it is said.

Who wants it says `escalation.py`; whether it is heard, the delivery's own state. All times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from routing.decisions import Line, Order, Ring
from routing.incident_records import Later
from routing.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routing.clocks import Book, Way
    from routing.incident_records import Incident, Told
    from routing.policies import Unless

TOGETHER: Final = 60_000
"""Who is due by two policies within this time is rung once."""


@dataclass(slots=True)
class Telling:
    """Collects whom one decision rings: each place once, whatever number of steps wants it."""

    now: int
    seq: int
    told: Sequence[Told]
    book: Book
    orders: dict[str, Order] = field(default_factory=dict)
    rings: dict[str, Ring] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    carried: list[tuple[str, int]] = field(default_factory=list)

    def say(self, kind: str, text: str) -> None:
        """A line for the timeline."""
        self.lines.append(Line(kind, text))

    def ring(self, way: Way, reason: str, unless: Unless, by: str, step: int = 0) -> None:
        """This place is to be heard, unless another policy has rung it a moment ago.

        Who is rung by two steps at once is rung once, and spared only by what spares from both.
        """
        known = [one for one in self.told if one.place == way.place and one.state != "dead"]
        if known:
            one = known[-1]
            ordered = self.orders.get(one.id)
            a_moment_ago = one.ring_at > self.now - TOGETHER and one.rung_by != by and one.rung_by and by
            if ordered and ordered.rings:
                self.orders[one.id] = replace(ordered, unless=_weaker(ordered.unless, unless))
            elif one.ring_at != self.now and not a_moment_ago:
                notice = ordered is not None and ordered.notice
                self.orders[one.id] = Order(
                    one.id, self.seq, 1, reason, unless=unless, by=by, step=step, notice=notice
                )
            elif unless == "resolved" and one.ring_wanted > one.ring_sent:  # it is still on its way
                self.orders[one.id] = Order(one.id, self.seq, 0, reason, unless=unless, by=by)
            elif a_moment_ago:
                self.say("passed", f"{way.who} is not rung again: {one.rung_by} did so a moment ago")
        elif (rung := self.rings.get(way.place)) is not None:
            self.rings[way.place] = replace(rung, unless=_weaker(rung.unless, unless))
        else:
            self.rings[way.place] = Ring(way.place, self.seq, reason, unless, by, step)


def _weaker(one: Unless, other: Unless) -> Unless:
    """What spares from both."""
    return "resolved" if "resolved" in (one, other) else "acknowledged"


def ring(
    incident: Incident,
    ways: Iterable[Way],
    telling: Telling,
    reason: str,
    *,
    unless: Unless,
    by: str,
    step: int = 0,
) -> Incident:
    """Each of these is rung, now or after the delay that a person wants."""
    later = list(incident.later)
    for way in ways:
        if way.delay:
            at = telling.now + way.delay
            later.append(Later(at, way.target.kind, way.target.name, way.place, unless, reason, by, step))
        else:
            telling.ring(way, reason, unless, by, step)
    return replace(incident, later=tuple(later))


def name_of(incident: Incident, number: int, step: int) -> str:
    """What a step is called in the timeline: `step 2`, and `critical, step 1` after a hand-over."""
    policy = f"{incident.clocks[number].policy}, " if number else ""
    return f"{policy}step {step + 1}"


def spoken(ms: int) -> str:
    """A time for people: `5 min`, `1 h 30 min`, `4 s`."""
    seconds = round(ms / 1000)
    if seconds < 60:
        return f"{seconds} s"
    days, minutes = seconds // 86_400, seconds % 86_400 // 60
    parts = ((days, "d"), (minutes // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
