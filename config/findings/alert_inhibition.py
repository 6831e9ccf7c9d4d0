"""What inhibition rules make of the alerts that Prometheus' rules will send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings.alerts import named
from config.findings.check import Check
from config.findings.code import Code, Example
from routing.partial import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.findings.alerts import RuleAlert
    from config.findings.finding import Finding
    from config.findings.subject import PlacedRule, Subject

RULES: Final = """
    groups:
      - name: example
        rules:
          - alert: SystemDown
            expr: sum by (job) (up) == 0
            labels: {severity: critical}
          - alert: SystemSlow
            expr: sum by (job) (rate(latency_seconds_sum[5m])) > 1
            labels: {severity: high}
    """

IDLE: Final = Code(
    "TOC609",
    "inhibition-without-alert",
    "warning",
    "An inhibition rule that no rule's alerts can meet",
    found="An inhibition rule whose source or target matchers no alert of the given rules can meet.",
    bad="It never inhibits: alerts that should be kept quiet will page. Often a name was changed in a rule "
    "file.",
    example=Example(
        """
        inhibit_rules:
          - source_matchers: [alertname="SystemOffline"]
            target_matchers: [severity="high"]
            equal: [job]
        """,
        rules=RULES,
    ),
    instead=Example(
        """
        inhibit_rules:
          - source_matchers: [alertname="SystemDown"]
            target_matchers: [severity="high"]
            equal: [job]
        """,
        rules=RULES,
    ),
)


def _idle(subject: Subject) -> Iterator[Finding]:
    for _, rule, path in judged(subject):
        for side, matchers in (("source", rule.source), ("target", rule.target)):
            if not subject.meeting(matchers):
                shown = "" if subject.filled_in(path) else f", {', '.join(map(str, matchers))}"
                keys = (f"{side}_matchers", f"{side}_match", f"{side}_match_re")
                written = [key for key in keys if key in subject.document.at(path).entries]
                yield subject.finding(
                    IDLE,
                    (*path, written[0]) if written else path,
                    f"no alert of the rules can be a {side} of this rule{shown}: it never inhibits",
                    "Correct the matcher, or take the rule out.",
                    key=True,
                )


EQUAL: Final = Code(
    "TOC610",
    "inhibition-equal-absent",
    "warning",
    "A label in `equal` that the alerts do not have",
    found="An inhibition rule with a label in `equal` that no source has, or no target, or neither side.",
    bad="If one side has it and the other has not, the two never are equal: the rule never inhibits. If "
    "neither has it, it is equal for all, as a missing label counts as an empty one: the rule inhibits far "
    "more than is meant.",
    example=Example(
        """
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [instance]
        """,
        rules=RULES,
    ),
    instead=Example(
        """
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [job]
        """,
        rules=RULES,
    ),
)


def _equal(subject: Subject) -> Iterator[Finding]:
    for _, rule, path in judged(subject):
        sources, targets = subject.meeting(rule.source), subject.meeting(rule.target)
        if not sources or not targets:
            continue
        for label in dict.fromkeys(rule.equal):
            of_sources, of_targets = _have(sources, label), _have(targets, label)
            reason = ""
            if of_sources == of_targets == "none":
                reason = f"no source and no target has {label}, so it is equal for all of them"
            elif (of_sources, of_targets) == ("none", "all"):
                reason = f"no source has {label}, and all targets have it: the rule never inhibits"
            elif (of_sources, of_targets) == ("all", "none"):
                reason = f"all sources have {label}, and no target has it: the rule never inhibits"
            if reason:
                yield subject.finding(
                    EQUAL,
                    (*path, "equal"),
                    reason,
                    "Name a label that the alerts of both sides have, or let the expressions keep this one: "
                    f"by ({label}).",
                    key=True,
                )


PARTLY: Final = Code(
    "TOC611",
    "inhibition-equal-partly",
    "info",
    "Alerts that an inhibition rule passes by, since they lack a label of `equal`",
    found="Targets of an inhibition rule that do not have a label of `equal` which all its sources have.",
    bad="These alerts are never inhibited by it, although their other labels look as if they were.",
    example=Example(
        """
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [cluster]
        """,
        rules="""
        groups:
          - name: example
            rules:
              - {alert: Down, expr: up == 0, labels: {severity: critical, cluster: a}}
              - {alert: Slow, expr: latency > 1, labels: {severity: high}}
              - {alert: Errors, expr: sum(errors) > 1, labels: {severity: high}}
        """,
    ),
    instead=Example(
        """
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [cluster]
        """,
        rules="""
        groups:
          - name: example
            rules:
              - {alert: Down, expr: up == 0, labels: {severity: critical, cluster: a}}
              - {alert: Slow, expr: latency > 1, labels: {severity: high}}
              - {alert: Errors, expr: sum by (cluster) (errors) > 1, labels: {severity: high}}
        """,
    ),
)


def _partly(subject: Subject) -> Iterator[Finding]:
    for _, rule, path in judged(subject):
        sources, targets = subject.meeting(rule.source), subject.meeting(rule.target)
        for label in dict.fromkeys(rule.equal):
            lacking = [alert for alert in targets if alert.labels.of(label) == ABSENT]
            if sources and _have(sources, label) == "all" and 0 < len(lacking) < len(targets):
                yield subject.finding(
                    PARTLY,
                    (*path, "equal"),
                    f"this rule never inhibits {named(lacking)}, for want of the label {label}",
                    f"If it should, keep the label in the expression: by ({label}).",
                    key=True,
                )


def judged(subject: Subject) -> Sequence[PlacedRule]:
    """The inhibition rules whose matchers are known, if there are alerts to judge them by."""
    return subject.rules if subject.alerts and subject.alerts.all else ()


def _have(alerts: Sequence[RuleAlert], label: str) -> str:
    """Whether `all` certainly have the label, `none` certainly has it, or `some` may."""
    values = [alert.labels.of(label) for alert in alerts]
    if all(one == ABSENT for one in values):
        return "none"
    return "all" if all(one.present for one in values) else "some"


CHECKS: Final = (
    Check(IDLE, _idle),
    Check(EQUAL, _equal),
    Check(PARTLY, _partly),
)
