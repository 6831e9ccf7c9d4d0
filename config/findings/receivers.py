"""Receivers and policies that nothing leads to, and alerts that lead to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.followed import everybody

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject

RECEIVER: Final = Code(
    "TOC301",
    "receiver-unreached",
    "warning",
    "A receiver that is never told",
    found="A receiver that no alert reaches: no route and no policy names it, or those that do are never "
    "told themselves.",
    bad="Somebody believes to be told, and is not.",
    example=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
        receivers:
          - name: default
            webhook_configs: [{url: 'http://127.0.0.1:5001/'}]
          - name: pager
            webhook_configs: [{url: 'http://127.0.0.1:5002/'}]
          - name: database-team
            webhook_configs: [{url: 'http://127.0.0.1:5003/'}]
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
            - matchers: [team="database"]
              receiver: database-team
        receivers:
          - name: default
            webhook_configs: [{url: 'http://127.0.0.1:5001/'}]
          - name: pager
            webhook_configs: [{url: 'http://127.0.0.1:5002/'}]
          - name: database-team
            webhook_configs: [{url: 'http://127.0.0.1:5003/'}]
        """),
)


def _receivers(subject: Subject) -> Iterator[Finding]:
    told = _told(subject, "receiver")
    policies = subject.plan.policies
    for name in _policies_followed(subject):
        told |= {to.name for to in everybody(policies[name]) if to.kind == "receiver"}
    if policies:
        told.add(subject.plan.root.receiver)  # who is told where a policy reaches nobody
    named = {to.name for one in policies.values() for to in everybody(one)}
    for position, receiver in enumerate(subject.config.receivers):
        if receiver.name in told:
            continue
        path = ("receivers", position, "name")
        why = _why(subject, "receiver", receiver.name, named)
        yield subject.finding(
            RECEIVER,
            path,
            f"the receiver {subject.name(path)} is never told: {why}",
            "Name it in a route that alerts reach, or take it out.",
        )


POLICY: Final = Code(
    "TOC302",
    "policy-unreached",
    "warning",
    "A policy that is never followed",
    found="An escalation policy that no incident follows: no route names it and no other policy hands "
    "over to it, or only such as are never reached themselves.",
    bad="Whoever wrote it believes that it protects something.",
    example=Example("""\
        route:
          receiver: default
        escalation_policies:
          - name: page
            steps:
              - notify: [{receiver: pager}]
        """),
    instead=Example("""\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              policy: page
        escalation_policies:
          - name: page
            steps:
              - notify: [{receiver: pager}]
        """),
)


def _policies(subject: Subject) -> Iterator[Finding]:
    followed = _policies_followed(subject)
    handed = {step.policy for policy in subject.plan.policies.values() for step in policy.steps}
    for position, policy in enumerate(subject.config.escalation_policies):
        if policy.name not in followed:
            path = ("escalation_policies", position, "name")
            why = _why(subject, "policy", policy.name, handed)
            yield subject.finding(
                POLICY,
                path,
                f"the policy {subject.name(path)} is never followed: {why}",
                "Name it in a route that alerts reach, or take it out.",
            )


NOBODY: Final = Code(
    "TOC304",
    "default-tells-nobody",
    "warning",
    "Alerts that no route takes tell nobody",
    found="The receiver of the root route has nothing in it, and alerts come to it that no other route "
    "takes.",
    bad="An alert that nobody thought of, such as a new rule's, is lost without a trace.",
    example=Example("""\
        route:
          receiver: nobody
          routes:
            - matchers: [team="backend"]
              receiver: backend
        receivers:
          - name: nobody
          - name: backend
            webhook_configs: [{url: 'http://127.0.0.1:5001/'}]
        """),
    instead=Example("""\
        route:
          receiver: operations
          routes:
            - matchers: [team="backend"]
              receiver: backend
        receivers:
          - name: operations
            webhook_configs: [{url: 'http://127.0.0.1:5001/'}]
          - name: backend
            webhook_configs: [{url: 'http://127.0.0.1:5002/'}]
        """),
)


def _nobody(subject: Subject) -> Iterator[Finding]:
    root = subject.routes[0]
    if not root.route.receiver or subject.plan.receivers.get(root.route.receiver):
        return
    told = subject.reach.told(root)
    if told.answer.labels is None or not all(route.sure for route in subject.routes):
        return
    path = ("route", "receiver")
    such = f" such as {subject.labels(told.answer.labels)}" if told.answer.labels else ""
    yield subject.finding(
        NOBODY,
        path,
        f"an alert{such} that no other route takes tells nobody: {subject.name(path)} is empty",
        "Give it somebody who looks, or a route that takes what is meant to be dropped.",
    )


def _told(subject: Subject, what: str) -> set[str]:
    """The receivers, or policies, of routes that are told of some alert, as far as is known."""
    found: set[str] = set()
    for route in subject.routes:
        name = getattr(route.route, what)
        if name and name not in found and not subject.reach.told(route).never:
            found.add(name)
    return found


def _policies_followed(subject: Subject) -> set[str]:
    found = _told(subject, "policy")
    waiting = list(found)
    while waiting:
        for step in subject.plan.policies[waiting.pop()].steps:
            if step.policy and step.policy not in found:
                found.add(step.policy)
                waiting.append(step.policy)
    return found


def _why(subject: Subject, what: str, name: str, elsewhere: set[str]) -> str:
    lines = [str(subject.line(one.path)) for one in subject.routes if getattr(one.route, what) == name]
    if len(lines) > 4:
        lines[3:] = ["others"]
    if lines:
        plural = len(lines) > 1
        routes = (
            f"routes in lines {', '.join(lines[:-1])} and {lines[-1]}"
            if plural
            else f"route in line {lines[0]}"
        )
        return f"no alert is left for the {routes}"
    if name in elsewhere:
        return "only a policy names it that is never followed itself"
    return "no route names it" + (" and no policy" if subject.plan.policies else "")


CHECKS: Final = (Check(RECEIVER, _receivers), Check(POLICY, _policies), Check(NOBODY, _nobody))
