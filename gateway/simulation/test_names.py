"""Names in a file of tests that its configuration does not have: each is an error, with what was meant.

So a test that was left behind by a change says so, and `expect_not` of a mistyped name is not true for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from config.filled import KINDS
from config.problems import Problem, did_you_mean, show_path
from gateway.simulation.expected_reader import EXPECTED
from gateway.simulation.told_names import Known
from routing.tree import walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from config.compile import Plan
    from gateway.simulation.test_file import Case, Spot, Suite


class _Asked(NamedTuple):
    """A name that has to be one of those that there are of a kind."""

    spot: Spot
    what: str
    name: str
    there: Collection[str]


def unknown(suite: Suite, plan: Plan) -> Iterator[Problem]:
    """What the tests name and the configuration does not have."""
    known = Known(plan)
    routes = frozenset(route.key for route in walk(plan.root))

    def wrong(spot: Spot, message: str) -> Problem:
        return Problem(str(suite.file), spot.line, spot.column, show_path(spot.path), message)

    for case in suite.cases:
        if not (case.expect or case.expect_not or case.silent or case.route or case.inhibited_by):
            yield wrong(case.spot, f"nothing is expected, so it cannot fail; expected {', '.join(EXPECTED)}")
        for expected in (*case.expect, *case.expect_not):
            for name in expected.told:
                if trouble := known.trouble(name):
                    yield wrong(name.spot, trouble)
        for asked in _asked(case, plan, routes):
            if asked.name not in asked.there:
                message = f"the configuration has no {asked.what} {asked.name!r}"
                yield wrong(asked.spot, message + did_you_mean(asked.name, asked.there))


def _asked(case: Case, plan: Plan, routes: Collection[str]) -> Iterator[_Asked]:
    if case.route:
        for name in case.route.names:
            yield _Asked(case.route.spot, "route", name, routes)
    if case.inhibited_by:
        rules = [plan.inhibition.called(place) for place in range(len(plan.inhibition.rules))]
        for name in case.inhibited_by.names:
            yield _Asked(case.inhibited_by.spot, "inhibition rule", name, rules)
    users = plan.directory.users
    for failing in case.failures:
        what = f"service ({', '.join(KINDS)}), receiver or user"
        yield _Asked(failing.spot, what, failing.what, {*KINDS, *plan.receivers, *users})
    for override in case.overrides:
        yield _Asked(override.spot, "schedule", override.schedule, plan.schedules)
        for user in override.users:
            yield _Asked(override.spot, "user", user, users)
