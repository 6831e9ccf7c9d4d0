"""Who is on call at a moment, from when to when, and where nobody is.

It decides from a schedule and its overrides alone. How schedules are written says the configuration; where
overrides and calendars come from, and who is told of a shift change, is not decided here.

Of a schedule's layers the last that has somebody counts. Of a layer, all its rotations and spans count
together, except in a holiday. Overrides come after all layers, one after the other, so that the last one
wins. All moments are milliseconds; what starts at a moment contains it, and what ends there does not.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from routing.calendar import HORIZON
from routing.rotation import People, Rotation, on_duty
from routing.wall_clock import FOREVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to another, and who is on call then."""

    start: int
    end: int
    people: People = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """A time without a change of those on call; without people it is a gap."""

    start: int
    end: int
    people: People


@dataclass(frozen=True)
class Layer:
    """One layer of a schedule.

    Attributes:
        name: as it is shown.
        rotations: people who take turns.
        spans: who is on call besides, at fixed times, as from a calendar.
        holidays: when the spans' people are on call instead of all that; without people, the layer has nobody
            then, and one below it may count.
        time_zone: where its clocks hang; "" for the schedule's.
        valid_from: before it the layer has nobody; None for always valid until then.
        valid_until: from then on the layer has nobody; None for no end.
    """

    name: str = ""
    rotations: tuple[Rotation, ...] = ()
    spans: tuple[Span, ...] = ()
    holidays: tuple[Span, ...] = ()
    time_zone: str = ""
    valid_from: int | None = None
    valid_until: int | None = None

    @cached_property
    def _spans(self) -> _Line:
        return _Line(self.spans)

    @cached_property
    def _holidays(self) -> _Line:
        return _Line(self.holidays)


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else is on call for a while.

    Attributes:
        id: what it is removed by.
        schedule: name of the schedule.
        people: who is on call; nobody if empty.
        instead_of: the only person they replace, while that person is on call; "" for all who are.
        by: who made it.
    """

    id: str
    schedule: str
    start: int
    end: int
    people: People
    instead_of: str = ""
    by: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who is on call when.

    Attributes:
        time_zone: IANA name, where the clocks of its layers hang.
        layers: later ones win where they have somebody.
        overrides: those in the file; any that are given beside them come later, and win.
    """

    name: str
    time_zone: str = "UTC"
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()


def on_call(schedule: Schedule, at: int, overrides: Iterable[Override] = ()) -> People:
    """Who is on call: names without repetition, those of the first rotation first; empty for nobody.

    Overrides of other schedules may be among the given ones, here and below. In their order later ones win.
    """
    return _Walk(schedule, overrides).at(at)[0]


def layer_on_call(schedule: Schedule, at: int) -> tuple[int, People]:
    """Which layer counts, from 0, and whom it has, overrides left aside; (-1, ()) if none has anybody."""
    for position in reversed(range(len(schedule.layers))):
        layer = schedule.layers[position]
        people, _ = _of_layer(layer, layer.time_zone or schedule.time_zone, at)
        if people:
            return position, people
    return -1, ()


def shifts(
    schedule: Schedule, since: int, until: int, overrides: Iterable[Override] = ()
) -> tuple[Shift, ...]:
    """Who is on call from one moment to another: without holes, and two that follow each other differ."""
    return tuple(_shifts(schedule, since, until, overrides))


def gaps(schedule: Schedule, since: int, until: int, overrides: Iterable[Override] = ()) -> tuple[Shift, ...]:
    """When nobody is on call."""
    return tuple(shift for shift in _shifts(schedule, since, until, overrides) if not shift.people)


def next_covered(
    schedule: Schedule, at: int, overrides: Iterable[Override] = (), horizon: int = HORIZON
) -> int | None:
    """The first moment from this one on at which somebody is on call; None if that is beyond the horizon."""
    covered = (shift for shift in _shifts(schedule, at, at + horizon, overrides) if shift.people)
    return next((shift.start for shift in covered), None)


def next_change(
    schedule: Schedule, at: int, overrides: Iterable[Override] = (), horizon: int = HORIZON
) -> int | None:
    """The first later moment at which others are on call, or nobody; None if that is beyond the horizon."""
    changes = _shifts(schedule, at, at + horizon, overrides)
    next(changes, None)
    return next((shift.start for shift in changes), None)


def by_person(shifts: Iterable[Shift]) -> dict[str, tuple[Shift, ...]]:
    """Each person's own shifts, alone; one goes on where only those change who serve with them."""
    own: dict[str, list[Shift]] = {}
    for shift in shifts:
        for person in shift.people:
            theirs = own.setdefault(person, [])
            start = theirs.pop().start if theirs and theirs[-1].end == shift.start else shift.start
            theirs.append(Shift(start, shift.end, (person,)))
    return {person: tuple(theirs) for person, theirs in sorted(own.items())}


def _shifts(schedule: Schedule, since: int, until: int, overrides: Iterable[Override]) -> Iterator[Shift]:
    """One is complete only when the next begins."""
    walk, at, start = _Walk(schedule, overrides), since, since
    people: People | None = None
    while at < until:
        now, end = walk.at(at)
        if people is not None and now != people:
            yield Shift(start, at, people)
            start = at
        people, at = now, end
    if people is not None:
        yield Shift(start, until, people)


class _Walk:
    """Answers for one moment after the other. A layer is asked again only when its last answer is over."""

    def __init__(self, schedule: Schedule, overrides: Iterable[Override]) -> None:
        self._layers = [(layer, layer.time_zone or schedule.time_zone) for layer in reversed(schedule.layers)]
        self._answers: list[tuple[int, People, int]] = [(0, (), 0)] * len(self._layers)
        given = (override for override in overrides if override.schedule == schedule.name)
        self._overrides = (*schedule.overrides, *given)

    def at(self, at: int) -> tuple[People, int]:
        """Who is on call, and until when that holds at least."""
        people, until = self._planned(at)
        for override in self._overrides:
            if override.start <= at < override.end:
                people, until = _replaced(people, override), min(until, override.end)
            elif at < override.start < override.end:
                until = min(until, override.start)
        return people, until

    def _planned(self, at: int) -> tuple[People, int]:
        until = FOREVER
        for number, (layer, location) in enumerate(self._layers):
            since, people, end = self._answers[number]
            if not since <= at < end:
                people, end = _of_layer(layer, location, at)
                self._answers[number] = (at, people, end)
            until = min(until, end)
            if people:
                return people, until
        return (), until


def _replaced(people: People, override: Override) -> People:
    if not override.instead_of:
        return _once(override.people)
    if override.instead_of not in people:
        return people
    at = people.index(override.instead_of)
    return _once((*people[:at], *override.people, *people[at + 1 :]))


def _of_layer(layer: Layer, location: str, at: int) -> tuple[People, int]:
    if layer.valid_from is not None and at < layer.valid_from:
        return (), layer.valid_from
    until = FOREVER if layer.valid_until is None else layer.valid_until
    if at >= until:
        return (), FOREVER
    holiday, end = layer._holidays.at(at)  # noqa: SLF001 - found once for each layer
    until = min(until, end)
    if holiday is not None:
        return holiday, until
    answers = [on_duty(rotation, location, at) for rotation in layer.rotations]
    fixed, end = layer._spans.at(at)  # noqa: SLF001 - as above
    people = [person for on, _ in answers for person in on]
    return _once((*people, *(fixed or ()))), min(until, end, *(end for _, end in answers))


def _once(people: Iterable[str]) -> People:
    return tuple(dict.fromkeys(people))


class _Line:
    """Spans, cut wherever one begins or ends, so that a moment is found among many."""

    def __init__(self, spans: tuple[Span, ...]) -> None:
        edges: dict[int, list[tuple[int, bool]]] = {}
        for number, span in enumerate(spans):
            if span.start < span.end:
                edges.setdefault(span.start, []).append((number, True))
                edges.setdefault(span.end, []).append((number, False))
        self._cuts = sorted(edges)
        self._people: list[People | None] = [None]
        now: set[int] = set()
        for cut in self._cuts:
            for number, begins in edges[cut]:
                (now.add if begins else now.discard)(number)
            people = _once(person for number in sorted(now) for person in spans[number].people)
            self._people.append(people if now else None)

    def at(self, at: int) -> tuple[People | None, int]:
        """The people of all spans there, None without a span, and until when that holds."""
        place = bisect_right(self._cuts, at)
        return self._people[place], self._cuts[place] if place < len(self._cuts) else FOREVER
