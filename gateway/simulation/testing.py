"""Files of routing tests at work: each configuration is read once, each case is simulated and judged.

Names that a test uses and its configuration does not have are errors of the test file, found before anything
is run. What a story has to show says `expectations.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from time import perf_counter
from typing import TYPE_CHECKING, Final

from config.problems import ConfigError, Problem
from gateway.simulation.expectations import judge
from gateway.simulation.given import one_alert
from gateway.simulation.planned import Planned, planned
from gateway.simulation.run import LONGEST, Failure, simulate
from gateway.simulation.test_names import unknown
from gateway.simulation.test_reader import load_suite
from routing.events import Acknowledged, Escalated, Resolved, Unacknowledged
from routing.oncall import Override
from routing.silences import Silence
from routing.story import Arrived, Said, SilencesChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gateway.simulation.expectations import Failed
    from gateway.simulation.test_file import Case, Response, Suite
    from routing.events import Answer
    from routing.story import Happening, Story

VIA: Final = "simulation"
_PAST_THE_END: Final = 2 * LONGEST


@dataclass(frozen=True, slots=True)
class Loaded:
    """Test files that can be run, and their configurations by `Suite.config`; several may share one."""

    suites: tuple[Suite, ...]
    plans: dict[Path, Planned]

    def plan_of(self, suite: Suite) -> Planned:
        """The configuration of a file of tests."""
        return self.plans[suite.config]


@dataclass(frozen=True, slots=True)
class Tried:
    """One case that was run. `failed` is what was expected in vain; empty: it passed. `seconds` it took."""

    suite: Suite
    case: Case
    story: Story
    failed: tuple[Failed, ...]
    seconds: float


# --- what is run ----------------------------------------------------------------------------------------


def load(files: Iterable[Path]) -> Loaded:
    """The tests in these files, and the configurations that they are about.

    Raises:
        ConfigError: with the problems of all files.
    """
    suites: list[Suite] = []
    problems: list[Problem] = []
    for file in files:
        try:
            suites.append(load_suite(file))
        except ConfigError as error:
            problems += error.problems
    plans: dict[Path, Planned] = {}
    for config in dict.fromkeys(suite.config.resolve() for suite in suites):
        users = [suite for suite in suites if suite.config.resolve() == config]
        times = [case.at for suite in users for case in suite.cases]
        try:
            if not config.exists():
                problems += [_no_config(suite) for suite in users]
                continue
            found = planned(users[0].config, min(times), max(times) + LONGEST)
        except ConfigError as error:
            problems += error.problems
        else:
            plans |= {suite.config: found for suite in users}
            problems += [problem for suite in users for problem in unknown(suite, found.plan)]
    if problems:
        raise ConfigError(problems)
    return Loaded(tuple(suites), plans)


def _no_config(suite: Suite) -> Problem:
    message = f"there is no file {suite.config}; expected the path of a tocsin.yaml, from this file's folder"
    return suite.document.problem(("config",), message)


# --- running ---------------------------------------------------------------------------------------------


def run(loaded: Loaded, wanted: Iterable[tuple[Suite, Case]]) -> Iterator[Tried]:
    """Each of the cases, simulated and judged, one after another."""
    for suite, case in wanted:
        before = perf_counter()
        plan = loaded.plan_of(suite).plan
        story = simulate(
            plan,
            happenings(case),
            began=case.at,
            until=None if case.until is None else case.at + case.until,
            failures=tuple(_failures(case)),
            overrides=tuple(_overrides(case)),
            texts=case.texts,
        )
        failed = judge(case, story, plan.inhibition.called)
        yield Tried(suite, case, story, failed, perf_counter() - before)


def happenings(case: Case) -> list[Happening]:
    """What happens in a case, in order; of one moment silences first, then alerts, then answers."""
    found: list[Happening] = [*_silences(case), *_alerts(case)]
    found += [Said(case.at + one.at, _answer(one, case.at), one.incident) for one in case.answers]
    return sorted(found, key=attrgetter("at"))


def _alerts(case: Case) -> Iterator[Arrived]:
    """Alerts that begin together arrive together, and so do those that end together."""
    each: list[Arrived] = []
    for alert in case.alerts:
        each += one_alert(alert.labels, case.at + alert.at, alert.fires, alert.annotations)
    each.sort(key=attrgetter("at"))
    for at, together in groupby(each, key=attrgetter("at")):
        yield Arrived(at, tuple(copy for one in together for copy in one.arrivals), stays=True)


def _silences(case: Case) -> Iterator[SilencesChanged]:
    ordered = sorted(case.silences, key=attrgetter("at"))
    made: list[Silence] = []
    for number, one in enumerate(ordered, 1):
        starts = case.at + one.at
        ends = starts + (_PAST_THE_END if one.lasts is None else one.lasts)
        made.append(Silence(f"silence-{number}", one.matchers, starts, ends, VIA, "", starts))
        if number == len(ordered) or ordered[number].at > one.at:
            yield SilencesChanged(starts, tuple(made))


def _answer(one: Response, began: int) -> Answer:
    match one.verb:
        case "ack":
            return Acknowledged(one.by, VIA)
        case "snooze":
            return Acknowledged(one.by, VIA, until=began + one.at + one.lasts)
        case "unack":
            return Unacknowledged(one.by, VIA)
        case "resolve":
            return Resolved(one.by, VIA)
        case "escalate":
            return Escalated(one.by, VIA)


def _failures(case: Case) -> Iterator[Failure]:
    for one in case.failures:
        since = case.at + one.at
        until = since + (_PAST_THE_END if one.lasts is None else one.lasts)
        yield Failure(one.what, since, until, one.refused)


def _overrides(case: Case) -> Iterator[Override]:
    for number, one in enumerate(case.overrides, 1):
        start = case.at + one.at
        end = start + (_PAST_THE_END if one.lasts is None else one.lasts)
        yield Override(str(number), one.schedule, start, end, one.users, by=VIA)
