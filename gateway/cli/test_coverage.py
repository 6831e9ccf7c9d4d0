"""`tocsin test --coverage`: which parts of each configuration the tests that were run have reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.findings.subject import Subject
from gateway.cli import output as out
from gateway.simulation import coverage_report
from gateway.simulation.coverage import Run, coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.simulation.coverage import Coverage
    from gateway.simulation.testing import Loaded, Tried


def coverage_of(loaded: Loaded, tried: Sequence[Tried]) -> list[Coverage]:
    """Of each configuration, in the order of the tests' files."""
    found = []
    for planned in {id(one): one for one in loaded.plans.values()}.values():
        subject = Subject(planned.document, planned.config, without_env=True)
        runs = [_run(one) for one in tried if loaded.plan_of(one.suite) is planned]
        found.append(coverage(subject, runs, planned.plan.schedules))
    return found


def _run(tried: Tried) -> Run:
    case = tried.case
    expected = [one.recorded for one in (*case.expect, *case.expect_not)]
    expected += [case.recorded for one in (case.silent, case.route, case.inhibited_by) if one is not None]
    return Run(tried.story.reached, asserts=bool(expected), recorded=all(expected))


def enough(found: Sequence[Coverage], percent: float) -> bool:
    """Whether that many of a hundred parts are asserted, of each configuration."""
    return all(one.percent("asserted") >= percent for one in found)


def write(found: Sequence[Coverage]) -> None:
    """For people."""
    for one in found:
        out.write_lines(["", *map(out.plain, coverage_report.text(one))])


def document(found: Sequence[Coverage]) -> dict[str, Any]:
    """For programs: nothing at all where coverage was not asked for."""
    return {"coverage": [coverage_report.document(one) for one in found]} if found else {}
