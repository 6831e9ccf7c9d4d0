"""Coverage: which parts of a configuration tests have gone through, and which no test ever reached.

A part is a route, a step of a policy, an inhibition rule, a layer of a schedule, or a route's time intervals.
It is *asserted* if a test reaches it that expects something and that people wrote; *recorded* if only tests
do whose expectations a program wrote down, since they say what is, not what should be; *unasserted* if only
tests do that expect nothing. What a story has reached says `Reached`; nothing is simulated here.

A route whose alerts all go to routes below it is never told itself: it is reached with one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from config.findings.followed import sooner_or_later
from config.problems import show_path
from gateway.simulation.other_times import layer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.findings.subject import PlacedRoute, Subject
    from config.problems import Path
    from routing.oncall import Schedule
    from routing.story import Reached

Kind = Literal["route", "step", "inhibition rule", "layer", "time intervals"]
State = Literal["asserted", "recorded", "unasserted", "never"]
KINDS: Final[tuple[Kind, ...]] = ("route", "step", "inhibition rule", "layer", "time intervals")


@dataclass(frozen=True, slots=True)
class Run:
    """What one test has gone through.

    Attributes:
        asserts: it expects something.
        recorded: what it expects was written down from what happened.
    """

    reached: Reached
    asserts: bool
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a configuration. `line` and `column` count from 1; `path` is as printed in problems.

    `note` says why it can never be reached, where that is certain; else it is "".
    """

    kind: Kind
    name: str
    file: str
    line: int
    column: int
    path: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every part of one configuration, by kind, in the order of the file."""

    file: str
    parts: tuple[Part, ...]

    def count(self, *states: State, kind: Kind | None = None) -> int:
        """How many parts are in one of these states, of one kind or of all."""
        return sum(one.state in states and kind in (None, one.kind) for one in self.parts)

    def percent(self, *states: State) -> float:
        """How many of a hundred parts are in one of these states; 100 where there are no parts."""
        return 100 * self.count(*states) / len(self.parts) if self.parts else 100.0


def coverage(
    subject: Subject, runs: Iterable[Run], schedules: Mapping[str, Schedule] | None = None
) -> Coverage:
    """What of a configuration these tests of it have reached.

    `schedules` are the plan's with what stands in calendars; not given, calendars have nobody.
    """
    reached = _Union(subject, subject.plan.schedules if schedules is None else schedules)
    for run in runs:
        reached.add(run)
    return Coverage(subject.document.file, tuple(_parts(subject, reached)))


# --- what is reached -----------------------------------------------------------------------------------

_Key = tuple[Kind, str, int]
_RANK: Final[dict[State, int]] = {"asserted": 0, "recorded": 1, "unasserted": 2, "never": 3}


class _Union:
    """What all tests have reached together: for each part the best state."""

    def __init__(self, subject: Subject, schedules: Mapping[str, Schedule]) -> None:
        self._schedules = schedules
        self._states: dict[_Key, State] = {}
        self._layers: dict[tuple[str, int], int] = {}
        self._above = {one.route.key: [up.route.key for up in one.lineage[:-1]] for one in subject.routes}

    def add(self, run: Run) -> None:
        state: State = "unasserted" if not run.asserts else "recorded" if run.recorded else "asserted"
        for key in self._keys(run.reached):
            if _RANK[state] < _RANK[self.of(*key)]:
                self._states[key] = state

    def of(self, kind: Kind, name: str, number: int = 0) -> State:
        return self._states.get((kind, name, number), "never")

    def _keys(self, reached: Reached) -> Iterator[_Key]:
        for route in reached.routes:
            yield "route", route, 0
            for above in self._above.get(route, ()):
                yield "route", above, 1  # through it
        for policy, step in reached.steps:
            yield "step", policy, step
        for rule in reached.rules:
            yield "inhibition rule", "", rule
        for route in reached.intervals:
            yield "time intervals", route, 0
        for schedule, at in reached.asked:
            yield "layer", schedule, self._layer(schedule, at)

    def _layer(self, name: str, at: int) -> int:
        """The layer that somebody was on call by; -1 where none was, or an override took its place."""
        if (name, at) not in self._layers:
            schedule = self._schedules.get(name)
            self._layers[name, at] = layer_of(schedule, at) if schedule else -1
        return self._layers[name, at]


# --- the parts -----------------------------------------------------------------------------------------


def _parts(subject: Subject, reached: _Union) -> Iterator[Part]:
    yield from _routes(subject, reached)
    yield from _steps(subject, reached)
    for at, _ in enumerate(subject.plan.inhibition.rules):
        name, state = subject.plan.inhibition.called(at), reached.of("inhibition rule", "", at)
        yield _part(subject, "inhibition rule", name, ("inhibit_rules", at), state)
    yield from _layers(subject, reached)
    yield from _intervals(subject, reached)


def _routes(subject: Subject, reached: _Union) -> Iterator[Part]:
    for placed in subject.routes:
        state = reached.of("route", placed.route.key)
        note = ""
        if state == "never" and placed.route.children and subject.reach.told(placed).never:
            state = reached.of("route", placed.route.key, 1)
        if state == "never" and subject.reach.of(placed).never:
            note = "no alert can come here"
        yield _part(subject, "route", placed.route.key, placed.path, state, note=note)


def _steps(subject: Subject, reached: _Union) -> Iterator[Part]:
    followed: Mapping[str, tuple[PlacedRoute, ...]] | None = None
    for at, policy in enumerate(subject.config.escalation_policies):
        for position in range(len(policy.steps)):
            state, note = reached.of("step", policy.name, position + 1), ""
            if state == "never":
                followed = sooner_or_later(subject) if followed is None else followed
                note = "" if policy.name in followed else "no alert can come to this policy"
            name = f"{policy.name}, step {position + 1}"
            yield _part(
                subject, "step", name, ("escalation_policies", at, "steps", position), state, note=note
            )


def _layers(subject: Subject, reached: _Union) -> Iterator[Part]:
    for at, schedule in enumerate(subject.config.schedules):
        for position, layer in enumerate(schedule.layers):
            name = f"{schedule.name}, layer {layer.name or position + 1}"
            state = reached.of("layer", schedule.name, position)
            note = ""
            if state == "never" and layer.ical is not None and not layer.people:
                note = "its calendar has an address, which only the service reads"
            yield _part(subject, "layer", name, ("schedules", at, "layers", position), state, note=note)


def _intervals(subject: Subject, reached: _Union) -> Iterator[Part]:
    for placed in subject.routes:
        for key in ("mute_time_intervals", "active_time_intervals"):
            if names := getattr(placed.section, key):
                name = f"{placed.route.key}, {key} {', '.join(names)}"
                state = reached.of("time intervals", placed.route.key)
                yield _part(subject, "time intervals", name, (*placed.path, key), state)
                break  # a story does not say which of the two it was


def _part(subject: Subject, kind: Kind, name: str, path: Path, state: State, *, note: str = "") -> Part:
    node = subject.document.at(path)
    return Part(kind, name, subject.document.file, node.line, node.column, show_path(path), state, note)
