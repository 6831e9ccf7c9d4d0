"""Hand-overs from one policy to another that do nothing, or less than they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.followed import first, least_severe, sooner_or_later, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.followed import PlacedStep
    from config.findings.subject import Subject

LOOP: Final = Code(
    "TOC318",
    "handover-loop",
    "warning",
    "Policies that hand over to each other in a circle",
    found="A step that hands over to a policy which has handed the incident over to this one, itself or "
    "through others.",
    bad="A policy that runs already is not started again: the step does nothing. Where it was meant to go "
    "round until somebody answers, it ends here.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              policy: page
        escalation_policies:
          - name: page
            steps:
              - notify: [{receiver: default}]
              - {after: 15m, policy: management}
          - name: management
            steps:
              - notify: [{receiver: managers}]
              - {after: 15m, policy: page}
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              policy: page
        escalation_policies:
          - name: page
            repeat: {times: 5, after: 15m}
            steps:
              - notify: [{receiver: default}]
              - {after: 15m, notify: [{receiver: managers}]}
        """),
)


def _loops(subject: Subject) -> Iterator[Finding]:
    handing: dict[str, list[PlacedStep]] = {}
    for placed in steps(subject):
        if placed.step.policy in subject.plan.policies:
            handing.setdefault(placed.policy.name, []).append(placed)
    seen: set[str] = set()
    for name in (*first(subject), *subject.plan.policies):
        yield from _loops_from(subject, name, (), handing, seen)


def _loops_from(
    subject: Subject,
    name: str,
    above: tuple[PlacedStep, ...],
    handing: dict[str, list[PlacedStep]],
    seen: set[str],
) -> Iterator[Finding]:
    """`above`: the steps by which incidents have come to the policy."""
    if name in seen:
        return
    seen.add(name)
    for placed in handing.get(name, ()):
        way = (*above, placed)
        running = next((at for at, one in enumerate(way) if one.policy.name == placed.step.policy), None)
        if running is None:
            yield from _loops_from(subject, placed.step.policy, way, handing, seen)
            continue
        path = (*placed.path, "policy")
        lines = ", ".join(str(subject.line(one.path)) for one in way[running:-1])
        came = (
            "came from there by the step in line"
            if lines.isdigit()
            else "came from there by the steps in lines"
        )
        yield subject.finding(
            LOOP,
            path,
            f"the policy {subject.name(path)} runs already, since the incident {came} {lines}: this step does"
            " nothing",
            "Write repeat: in a policy to go through it again, and take this step out.",
        )


NOT_RAISED: Final = Code(
    "TOC320",
    "handover-raises-nothing",
    "warning",
    "A hand-over with a severity that is no worse",
    found="A step with `severity` where the routes to its policy bring only incidents that are as severe "
    "already, or worse.",
    bad="The severity of an incident never falls: this one has no effect. Where it was meant to rise, an "
    "acknowledgement stays, and people are told in their ways for the old severity.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="high"]
              policy: urgent
        escalation_policies:
          - name: urgent
            steps:
              - notify: [{receiver: default}]
              - {after: 2h, unless: resolved, policy: page, severity: high}
          - name: page
            steps:
              - notify: [{receiver: pager}]
              - {after: 5m, notify: [{receiver: managers}]}
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="high"]
              policy: urgent
        escalation_policies:
          - name: urgent
            steps:
              - notify: [{receiver: default}]
              - {after: 2h, unless: resolved, policy: page, severity: critical}
          - name: page
            steps:
              - notify: [{receiver: pager}]
              - {after: 5m, notify: [{receiver: managers}]}
        """),
)


def _not_raised(subject: Subject) -> Iterator[Finding]:
    severities = subject.plan.severities
    followed = sooner_or_later(subject)
    for placed in steps(subject):
        routes = followed.get(placed.policy.name, ())
        if not placed.step.severity or not routes or not all(route.sure for route in routes):
            continue
        rank = severities.rank({severities.label: placed.step.severity})
        if all(least_severe(subject, route) <= rank for route in routes):
            path = (*placed.path, "severity")
            yield subject.finding(
                NOT_RAISED,
                path,
                f"incidents that come to this policy are {subject.name(path)} already, or worse",
                "Name a worse severity, or leave it out.",
            )


CHECKS: Final = (Check(LOOP, _loops), Check(NOT_RAISED, _not_raised))
