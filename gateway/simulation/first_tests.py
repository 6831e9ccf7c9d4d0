"""A first file of tests from a configuration: what it does today, written down as it is.

Of the candidates (`candidates.py`) those of rule files are all kept, of the others those that show something
that none before them did: a route, a step, a rule, somebody who is told, a severity, a team. A test lasts
until the last step has told somebody. Then come tests at other times: for layers of schedules, for time
intervals, and for steps that are bound to them. What a story shows is written down by `recorded_tests.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.simulation.candidates import candidates
from gateway.simulation.other_times import layer_of, when_layer, when_not_quiet, when_quiet
from gateway.simulation.recorded_tests import lines_of, recorded, text
from gateway.simulation.run import LONGEST
from gateway.simulation.test_file import Case, Firing, Spot
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from config.compile import Plan
    from config.findings.subject import Subject
    from gateway.simulation.candidates import Candidate
    from gateway.simulation.recorded_tests import Recorded
    from routing.oncall import Schedule
    from routing.story import Story

    Play = Callable[[Case], Story]

MAX_TESTS: Final = 2_000

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_NOWHERE: Final = Spot(1, 1, ())
_MAX_NAME: Final = 180
_HEADER: Final = """\
# Routing tests of {config}, written by `tocsin test --init`: run them with `tocsin test {file}`.
#
# They are recorded: each says what the configuration does, not what it should do. Read them one by one. Where
# one says what you want, remove its `recorded: true`; from then on it counts as asserted in the coverage.
"""


@dataclass(frozen=True, slots=True)
class FirstTest:
    """A test, and what happens in it."""

    case: Case
    story: Story
    found: Recorded


class FirstTests:
    """The tests of one configuration, found by trying them out.

    `subject` says what there is to be tested, `plan` is its plan, with what calendars say. `play` simulates a
    case; tests begin at the moment `at` (ms), or later.

    Attributes:
        tests: those that were found, at most `MAX_TESTS`.
        left_out: how many there would be more.
    """

    def __init__(self, subject: Subject, plan: Plan, play: Play, at: int) -> None:
        self._plan = plan
        self._play = play
        self._at = at
        known: dict[str, int] = {}
        longest = max((_lasts(plan, name, known) for name in plan.policies), default=0)
        self._longest = min(LONGEST, _HOUR + longest)
        self._shown: set[Hashable] = set()
        self._names: set[str] = set()
        self.tests: list[FirstTest] = []
        self.left_out = 0
        for candidate in candidates(subject):
            self._try(candidate)
        for name, schedule in plan.schedules.items():
            self._at_layers(name, schedule)
        self._within_steps()
        self._at_intervals()

    def _try(self, candidate: Candidate) -> None:
        alerts = tuple(Firing(labels, {}, 0, None, _NOWHERE) for labels in candidate.alerts)
        case = Case(candidate.name, "", 0, self._at, alerts, _NOWHERE, until=self._longest, recorded=True)
        story = self._play(case)
        if candidate.always or self._says(story) - self._shown:
            self._keep(_ending(case, story))

    def _keep(self, case: Case) -> None:
        if len(self.tests) >= MAX_TESTS:
            self.left_out += 1
            return
        name, number = case.name[:_MAX_NAME], 1
        while name in self._names:
            number += 1
            name = f"{case.name[:_MAX_NAME]} ({number})"
        self._names.add(name)
        case = replace(case, name=name, test=name)
        story = self._play(case)
        self._shown |= self._says(story)
        self.tests.append(FirstTest(case, story, recorded(story, case.at, self._plan)))

    def _says(self, story: Story) -> set[Hashable]:
        """All that a story shows."""
        reached = story.reached
        said: set[Hashable] = {("route", key) for key in reached.routes}
        said |= {("step", *step) for step in reached.steps}
        said |= {("rule", rule) for rule in reached.rules}
        said |= {("quiet", key) for key in reached.intervals}
        said |= {("layer", name, self._layer(name, at)) for name, at in reached.asked}
        for one in story.notifications:
            said |= {("severity", one.severity), ("team", one.team)}
            said.add(("told", one.policy, one.step, one.target_kind, one.target, one.where))
        return said

    def _layer(self, name: str, at: int) -> int:
        schedule = self._plan.schedules.get(name)
        return layer_of(schedule, at) if schedule else -1

    # --- at other times ---

    def _at_layers(self, name: str, schedule: Schedule) -> None:
        """Tests in which somebody is on call by the layers that none before asked for."""
        asking = next(
            (
                (one, at)
                for one in self.tests
                for asked, at in sorted(one.story.reached.asked)
                if asked == name
            ),
            None,
        )
        for position, layer in enumerate(schedule.layers):
            if asking is None or ("layer", name, position) in self._shown:
                continue
            (test, asked), wanted = asking, when_layer(schedule, position, self._at)
            if wanted is not None:
                what = f"by layer {layer.name or position + 1} of {name}"
                self._move(test.case, test.case.at + wanted - asked, what, ("layer", name, position))

    def _within_steps(self) -> None:
        """Tests in which the steps are carried out that are bound to time intervals."""
        for policy in self._plan.policies.values():
            for number, step in enumerate(policy.steps, 1):
                part = ("step", policy.name, number)
                test = self._following(policy.name)
                wanted = when_not_quiet((), step.during, self._at + step.after) if step.during else None
                if part not in self._shown and test is not None and wanted is not None:
                    self._move(
                        test.case, wanted - step.after, f"in time of step {number} of {policy.name}", part
                    )

    def _following(self, policy: str) -> FirstTest | None:
        """A test whose alerts follow this policy."""
        routes = {route.key for route in walk(self._plan.root) if route.policy == policy}
        return next(
            (
                one
                for one in self.tests
                if routes & one.story.reached.routes or any(n == policy for n, _ in one.story.reached.steps)
            ),
            None,
        )

    def _at_intervals(self) -> None:
        """Tests in which the routes with time intervals are quiet, and in which they are not."""
        for route in walk(self._plan.root):
            test = next((one for one in self.tests if route.key in one.story.reached.routes), None)
            if not (route.mute or route.active) or test is None:
                continue
            quiet = ("quiet", route.key)
            if quiet in self._shown:
                wanted = when_not_quiet(route.mute, route.active, self._at)
            else:
                wanted = when_quiet(route.mute, route.active, self._at)
            if wanted is not None and quiet in self._shown:
                self._move(test.case, wanted, "while it is not quiet", None)
            elif wanted is not None:
                self._move(test.case, wanted, "while it is quiet", quiet)

    def _move(self, case: Case, at: int, why: str, part: Hashable | None) -> None:
        """The same test at another time, where it shows `part` then, or with None anything new."""
        moved = replace(
            case,
            name=f"{case.test}, {why}",
            at=at,
            until=self._longest,
            alerts=tuple(replace(one, fires=None) for one in case.alerts),
        )
        story = self._play(moved)
        if part in self._says(story) or (part is None and self._says(story) - self._shown):
            self._keep(_ending(moved, story))


def _lasts(plan: Plan, name: str, known: dict[str, int]) -> int:
    """How long a policy goes on (ms), with those that it hands over to; `known` are those of others."""
    if name in known or name not in plan.policies:
        return known.get(name, 0)
    known[name] = 0  # what hands over to itself again ends there
    steps = plan.policies[name].steps
    known[name] = max(step.after + _MINUTE + _lasts(plan, step.policy, known) for step in steps)
    return known[name]


def _ending(case: Case, story: Story) -> Case:
    """The case, with alerts that end when everybody was told who will be."""
    firsts: dict[Hashable, int] = {}
    for one in story.notifications:
        if one.kind == "ring":
            firsts.setdefault((one.policy, one.step, one.target, one.where), one.at)
    last = max(firsts.values(), default=case.at + 4 * _MINUTE) - case.at
    fires = last // _MINUTE * _MINUTE + _MINUTE
    return replace(case, until=None, alerts=tuple(replace(one, fires=fires) for one in case.alerts))


# --- the file --------------------------------------------------------------------------------------------


def lines(found: FirstTests, config: str, file: str, at: int | None) -> Iterator[str]:
    """The file of tests. `config` is the path from its folder; `at` the moment at which most tests begin.

    None for `at`: that of tests that do not say it.
    """
    yield from _HEADER.format(config=config, file=file).splitlines()
    if found.left_out:
        yield f"# {found.left_out} further tests are left out: it has {MAX_TESTS:,} as it is."
    yield ""
    yield f"config: {text(config)}"
    if at is not None:
        yield "defaults:"
        yield f"  at: {_iso(at)}"
    yield "tests:"
    begins = found.tests[0].case.at if found.tests else 0
    for one in found.tests:
        yield from lines_of(one.case, one.found, "" if one.case.at == begins else _iso(one.case.at))


def _iso(at: int) -> str:
    shown = datetime.fromtimestamp(at // 1_000, UTC).isoformat().replace("+00:00", "Z")
    return shown.removesuffix(":00Z") + "Z" if shown.endswith(":00Z") else shown
