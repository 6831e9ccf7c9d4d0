"""Steps of policies that are never carried out, tell nobody, or ask for what no incident has."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.followed import least_severe, sooner_or_later, steps
from config.findings.intervals import no_moment, today
from routing.matchers import matches_all
from routing.satisfiable import can_hold, clash
from routing.teams import LABEL as TEAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.findings.finding import Finding
    from config.findings.followed import PlacedStep
    from config.findings.subject import PlacedRoute, Subject
    from routing.calendar import Period, TimeInterval
    from routing.matchers import Matcher

SEVERITY: Final = "severity"
_OF_THE_INCIDENT: Final = frozenset({SEVERITY, TEAM})  # it has these, whatever it is grouped by

_PAGE: Final = """\
        route:
          receiver: default
          group_by: [alertname, cluster]
          routes:
            - matchers: [severity="critical"]
              policy: page
        escalation_policies:
          - name: page
            steps:
"""

NEVER: Final = Code(
    "TOC313",
    "step-never-carried-out",
    "error",
    "A step of a policy that is never carried out",
    found="A step whose `when` no incident can meet that comes to the policy, or whose `during` lies wholly "
    "in times at which the routes to it are quiet.",
    bad="The step is passed, always. Whom it names is never told, and it looks as if they were.",
    example=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - after: 5m
                when: [cluster="eu", cluster="us"]
                notify: [{receiver: operations}]
"""
    ),
    instead=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - after: 5m
                when: ['cluster=~"eu|us"']
                notify: [{receiver: operations}]
"""
    ),
)


def _never(subject: Subject) -> Iterator[Finding]:
    followed = sooner_or_later(subject)
    for placed in steps(subject):
        routes = followed.get(placed.policy.name, ())
        if not routes or not all(route.sure for route in routes):
            continue
        if placed.step.when and not any(_may_meet(subject, placed.step.when, route) for route in routes):
            yield _unmet(subject, placed)
        elif placed.step.during and all(_quiet_then(subject, placed, route) for route in routes):
            yield subject.finding(
                NEVER,
                (*placed.path, "during"),
                "the routes to this policy are quiet at all times of this step: it tells nobody, ever",
                "Correct the intervals of the step, or those of the route.",
                key=True,
            )


def _unmet(subject: Subject, placed: PlacedStep) -> Finding:
    path = (*placed.path, "when")
    said = "no incident that comes to this policy meets this"
    if (clashing := clash(placed.step.when)) and not subject.filled_in(path):
        said += f": {' and '.join(map(str, clashing))} exclude each other"
    advice = "Correct the matchers, or take the step out."
    return subject.finding(NEVER, path, f"{said}; the step is always passed", advice, key=True)


def _may_meet(subject: Subject, when: tuple[Matcher, ...], route: PlacedRoute) -> bool:
    """Whether an incident of the route can have labels as asked: its severity may rise, its team be any."""
    severity = [matcher for matcher in when if matcher.name == SEVERITY]
    names = subject.plan.severities.names[: least_severe(subject, route) + 1]
    if not any(matches_all(severity, {SEVERITY: name}) for name in names):
        return False
    asked = [matcher for matcher in when if matcher.name not in _OF_THE_INCIDENT]
    missing = [matcher for matcher in asked if not _grouped(matcher, route)]
    there = [matcher for matcher in asked if _grouped(matcher, route)]
    return not clash(when) and matches_all(missing, {}) and can_hold([*there, *route.conditions])


def _grouped(matcher: Matcher, route: PlacedRoute) -> bool:
    """Whether the incidents of the route have the label, where its alerts do."""
    return route.route.group_by is None or matcher.name in route.route.group_by


def _quiet_then(subject: Subject, placed: PlacedStep, route: PlacedRoute) -> bool:
    mute, active = _periods(route.route.mute), _periods(route.route.active)
    asked = (_periods(placed.step.during), *([active] if route.route.active else ()))
    return bool(mute or route.route.active) and no_moment(mute, asked, today(subject))


def _periods(intervals: Iterable[TimeInterval]) -> tuple[Period, ...]:
    return tuple(chain.from_iterable(interval.periods for interval in intervals))


NOT_GROUPED: Final = Code(
    "TOC314",
    "when-not-grouped",
    "warning",
    "A step that asks for a label which incidents do not have",
    found="A `when` with a label by which a route to the policy does not group. An incident has the labels "
    "that its alerts are grouped by, and its `severity` and `team`; any other counts as missing.",
    bad="The step is passed, or carried out, for all incidents alike, whatever the alerts say.",
    example=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - after: 5m
                when: [component="database"]
                notify: [{receiver: database}]
"""
    ),
    instead=Example(
        _PAGE.replace("[alertname, cluster]", "[alertname, cluster, component]")
        + """\
              - notify: [{receiver: default}]
              - after: 5m
                when: [component="database"]
                notify: [{receiver: database}]
"""
    ),
)


def _not_grouped(subject: Subject) -> Iterator[Finding]:
    followed = sooner_or_later(subject)
    for placed in steps(subject):
        for matcher in placed.step.when:
            if matcher.name in _OF_THE_INCIDENT:
                continue
            routes = [one for one in followed.get(placed.policy.name, ()) if not _grouped(matcher, one)]
            if routes:
                path = (*placed.path, "when")
                label = "a label" if subject.filled_in(path) else f"the label {matcher.name!r}"
                line = subject.line(routes[0].path)
                yield subject.finding(
                    NOT_GROUPED,
                    path,
                    f"it asks for {label}, by which the route in line {line} does not group, so that its"
                    " incidents do not have it",
                    "Add the label to group_by there, or ask for another.",
                    key=True,
                )


TELLS_NOBODY: Final = Code(
    "TOC323",
    "step-tells-nobody",
    "warning",
    "A step whose receivers are empty",
    found="A step that tells only receivers with nothing in them.",
    bad="It is passed, and the next step comes at once, to people who expected to be told later. A policy is "
    "no way to drop alerts: a route with an empty receiver is.",
    example=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - {after: 5m, notify: [{receiver: nobody}]}
        receivers:
          - name: nobody
          - name: default
            webhook_configs: [{url: 'http://127.0.0.1:5001/'}]
"""
    ),
    instead=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - {after: 5m, notify: [{receiver: lead}]}
        receivers:
          - name: lead
            webhook_configs: [{url: 'http://127.0.0.1:5002/'}]
          - name: default
            webhook_configs: [{url: 'http://127.0.0.1:5001/'}]
"""
    ),
)


def _tells_nobody(subject: Subject) -> Iterator[Finding]:
    empty = {name for name, integrations in subject.plan.receivers.items() if not integrations}
    for placed in steps(subject):
        targets = placed.step.notify
        if targets and all(to.kind == "receiver" and to.name in empty for to in targets):
            yield subject.finding(
                TELLS_NOBODY,
                (*placed.path, "notify"),
                "nobody is told here: there is nothing in what this step names",
                "Name somebody else, or write into the receiver how to tell them.",
                key=True,
            )


CHECKS: Final = (Check(NEVER, _never), Check(NOT_GROUPED, _not_grouped), Check(TELLS_NOBODY, _tells_nobody))
