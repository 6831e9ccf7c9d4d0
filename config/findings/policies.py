"""Policies whose steps come together, do not come again, or come only once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.followed import first, steps
from config.values import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.followed import PlacedStep
    from config.findings.subject import Subject

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

SAME_TIME: Final = Code(
    "TOC315",
    "steps-at-the-same-time",
    "warning",
    "Two steps of a policy at the same time",
    found="Two steps with the same `after` and the same conditions.",
    bad="Both are carried out at once. Usually the time of the second was forgotten when it was copied, and "
    "whoever should have some minutes is overtaken.",
    example=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - {after: 5m, notify: [{receiver: lead}]}
              - {after: 5m, notify: [{receiver: manager}]}
"""
    ),
    instead=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - {after: 5m, notify: [{receiver: lead}]}
              - {after: 15m, notify: [{receiver: manager}]}
"""
    ),
)


def _same_time(subject: Subject) -> Iterator[Finding]:
    before: dict[tuple[object, ...], PlacedStep] = {}
    for placed in steps(subject):
        one = placed.step
        if one.policy:
            continue
        key = (placed.policy.name, one.after, one.unless, frozenset(one.when), one.during, one.outside)
        if (other := before.setdefault(key, placed)) is not placed:
            line = subject.line(other.path)
            yield subject.finding(
                SAME_TIME,
                subject.under(placed.path, "after"),
                f"this step is carried out together with the one in line {line}, {show_duration(one.after)}"
                " after the first step was due",
                "Give it another time, or write both as one step.",
            )


NOT_AGAIN: Final = Code(
    "TOC316",
    "first-step-unless-resolved",
    "warning",
    "A first step that does not come again when an acknowledgement ends",
    found="A policy whose first step says `unless: resolved`.",
    bad="When an acknowledgement ends, the policy starts again with those steps that one makes unnecessary. "
    "This one is not among them: nobody is told at once that nobody has the incident any more.",
    example=Example(
        _PAGE
        + """\
              - {unless: resolved, notify: [{receiver: default}]}
              - {after: 15m, notify: [{receiver: lead}]}
"""
    ),
    instead=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - {after: 15m, notify: [{receiver: lead}]}
"""
    ),
)


def _not_again(subject: Subject) -> Iterator[Finding]:
    for placed in steps(subject):
        if not placed.step.after and placed.step.unless == "resolved":
            yield subject.finding(
                NOT_AGAIN,
                (*placed.path, "unless"),
                "this step does not come again when an acknowledgement ends",
                "Take unless out: before anybody can acknowledge, it makes no difference.",
                key=True,
            )


ONLY_ONCE: Final = Code(
    "TOC317",
    "policy-rings-once",
    "info",
    "A policy that tells people once",
    found="A policy of a route with nothing after its first step: no later one, no `every`, no `repeat`.",
    bad="If nobody answers, nobody is told again: a policy has no `repeat_interval`, as a receiver has. That "
    "may be right where nothing is urgent.",
    example=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
"""
    ),
    instead=Example(
        _PAGE
        + """\
              - notify: [{receiver: default}]
              - {after: 15m, notify: [{receiver: lead}]}
"""
    ),
)


def _only_once(subject: Subject) -> Iterator[Finding]:
    followed = first(subject)
    for at, section in enumerate(subject.config.escalation_policies):
        path = ("escalation_policies", at)
        later = any(step.after or step.every for step in section.steps) or section.repeat
        if section.name in followed and not later and not subject.stands_in(path):
            yield subject.finding(
                ONLY_ONCE,
                (*path, "name"),
                f"the policy {subject.name((*path, 'name'))} tells people once, whether they answer or not",
                "Add a step with after, or every, or repeat; or leave it, where nothing is urgent.",
            )


CHECKS: Final = (Check(SAME_TIME, _same_time), Check(NOT_AGAIN, _not_again), Check(ONLY_ONCE, _only_once))
