"""Alerts of the worst severity that page nobody, where others of their severity do.

A page is what PagerDuty makes; where a webhook is told, nobody here knows whether it pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.followed import everybody
from config.findings.told import told
from routing.policies import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.compile import Integration
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.findings.told import Told
    from routing.tree import Route

MAX_SHOWN: Final = 4  # of those who are told

_RULES: Final = """
    groups:
      - name: system
        rules:
          - alert: SystemDown
            expr: up{job="app"} == 0
            labels: {severity: critical}
          - alert: OutOfMemory
            expr: memory_free_bytes{job="app"} < 1e7
            labels: {severity: critical, team: sre}
    """
_RECEIVERS: Final = """\
        receivers:
          - name: pager
            pagerduty_configs: [{routing_key: "${PAGERDUTY_KEY}"}]
          - name: sre
            email_configs:
              - {to: sre@example.com, from: tocsin@example.com, smarthost: "mail.example.com:587"}
"""

NO_PAGE: Final = Code(
    "TOC613",
    "alert-without-page",
    "warning",
    "An alert of the worst severity that pages nobody",
    found="A rule of the worst severity whose alerts certainly reach no PagerDuty, and no webhook, not in a "
    "later step of a policy either, although PagerDuty is told of others of this severity.",
    bad="Whoever called it critical expects that somebody is woken. Usually an earlier route takes it, such "
    "as one for a team that lacks `continue`, or its receiver lacks PagerDuty.",
    example=Example(
        """\
        route:
          receiver: pager
          routes:
            - matchers: [team="sre"]
              receiver: sre
"""
        + _RECEIVERS,
        rules=_RULES,
    ),
    instead=Example(
        """\
        route:
          receiver: pager
          routes:
            - matchers: [team="sre"]
              receiver: sre
              continue: true
            - matchers: [severity="critical"]
              receiver: pager
"""
        + _RECEIVERS,
        rules=_RULES,
    ),
)


def _no_page(subject: Subject) -> Iterator[Finding]:
    severities = subject.plan.severities
    worst = [one for one in told(subject) if one.severity == severities.names[0]]
    kinds = {one: _kinds(subject, one) for one in worst}
    if not any("pagerduty" in each for each in kinds.values()):
        return
    for one in worst:
        if kinds[one] & {"pagerduty", "webhook"}:
            continue
        names = list(dict.fromkeys(name for way in one.ways for name in way.who))
        shown = ", ".join(names[:MAX_SHOWN]) + (", and others" if len(names) > MAX_SHOWN else "")
        yield one.alert.finding(
            NO_PAGE,
            f"{one.alert.name} is {one.severity} and pages nobody, while others so severe do; told: {shown}",
            "Let it reach a route that pages, or give one of those PagerDuty, or make it less severe.",
            one.alert.label(severities.label),
        )


def _kinds(subject: Subject, one: Told) -> set[str]:
    """The ways in which people may be told of an alert, sooner or later."""
    return {each.kind for way in one.ways for each in _whoever(subject, way.route.route, one.team)}


def _whoever(subject: Subject, route: Route, team: str | None) -> Iterator[Integration]:
    plan = subject.plan
    if not route.policy:
        yield from plan.receivers.get(route.receiver, ())
        return
    teams = [team] if team else ["", *plan.teams]
    severity = plan.severities.names[0]
    waiting, seen = [route.policy], set[str]()
    while waiting:
        name = waiting.pop()
        policy = plan.policies.get(name)
        if name in seen or policy is None:
            continue
        seen.add(name)
        waiting += [step.policy for step in policy.steps if step.policy]
        targets = [anybody for target in everybody(policy) for anybody in _anybody(subject, target)]
        for each in teams:
            found = plan.directory.integrations(targets, each, severity)
            yield from found or plan.receivers.get(plan.root.receiver, ())


def _anybody(subject: Subject, target: Target) -> tuple[Target, ...]:
    """The target; where it is whoever is on call, every user, since an override may be for any of them."""
    if target.kind == "schedule" or target == Target("team", "on_call"):
        return tuple(Target("user", user.name) for user in subject.config.users)
    return (target,)


CHECKS: Final = (Check(NO_PAGE, _no_page),)
