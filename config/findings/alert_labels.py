"""Labels of the alerts that Prometheus' rules will send: words that nobody knows, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.alert_labels import readable
from config.findings.check import Check
from config.findings.code import Code, Example
from config.problems import did_you_mean
from routing.partial import all_fit
from routing.teams import LABEL as TEAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.alerts import RuleAlert, Sent
    from config.findings.finding import Finding
    from config.findings.subject import PlacedRoute, Subject


def _rule(labels: str, expr: str = "up == 0") -> str:
    return f"""\
        groups:
          - name: example
            rules:
              - alert: InstanceDown
                expr: {expr}
                labels: {labels}
        """


_SEVERITIES: Final = "severities: [critical, high, low]\n"
_TEAMS: Final = "teams:\n  - name: backend\n    email: backend@example.com\n"
_POLICY: Final = f"""\
global: {{smtp_smarthost: "mail.example.com:587", smtp_from: tocsin@example.com}}
{_TEAMS}\
escalation_policies:
  - name: page
    steps:
      - notify: [{{team: email}}]
route:
  receiver: default
  routes:
    - matchers: [severity="critical"]
      policy: page
"""

SEVERITY: Final = Code(
    "TOC604",
    "alert-severity-unknown",
    "warning",
    "A rule with a severity that there is not",
    found="A rule that sets a severity which stands neither among the names of `severities` nor among their "
    "aliases. Without `severities` the usual words are known: critical, high, medium, low, info and others "
    "such as warning, error and page.",
    bad="The alert is ranked as one without severity: in the middle, or as `severities.default` says.",
    example=Example(_SEVERITIES, rules=_rule("{severity: critcal}")),
    instead=Example(_SEVERITIES, rules=_rule("{severity: critical}")),
)


def _severity(subject: Subject) -> Iterator[Finding]:
    severities = subject.plan.severities
    for alert in _alerts(subject):
        only = alert.labels.of(severities.label).only
        unknown = sorted(v for v in only or () if v and not severities.known({severities.label: v}))
        if unknown:
            words = " or ".join(map(repr, unknown))
            yield alert.finding(
                SEVERITY,
                f"the alert {alert.name} has the severity {words}, which nobody knows"
                + did_you_mean(unknown[0].lower(), [*severities.names, *severities.aliases]),
                "Correct it, or add it to severities, as one of them or among their aliases.",
                alert.label(severities.label),
            )


NO_SEVERITY: Final = Code(
    "TOC605",
    "alert-without-severity",
    "warning",
    "A rule that sets no severity",
    found="A rule that does not set the label that says how bad an alert is (`severity`, or what "
    "`severities.label` names), and whose expression does not promise one.",
    bad="The alert is ranked in the middle, or as `severities.default` says, and routes by severity miss it.",
    example=Example(rules=_rule("{}")),
    instead=Example(rules=_rule("{severity: critical}")),
)


def _no_severity(subject: Subject) -> Iterator[Finding]:
    label = subject.plan.severities.label
    for alert in _alerts(subject):
        if not _promised(alert, label):
            yield alert.finding(
                NO_SEVERITY,
                f"the alert {alert.name} has no {label}{_unless_metric(alert, label)}",
                f"Set {label} in the rule's labels.",
            )


TEAM_UNKNOWN: Final = Code(
    "TOC606",
    "alert-team-unknown",
    "warning",
    "A rule with a team that there is not",
    found="A rule that sets the label `team` to what is no name in `teams`.",
    bad="The alert counts as nobody's, unless its route or `team_rules` name a team: policies tell "
    "`team_defaults` of it.",
    example=Example(_TEAMS, rules=_rule("{severity: high, team: backnd}")),
    instead=Example(_TEAMS, rules=_rule("{severity: high, team: backend}")),
)


def _team_unknown(subject: Subject) -> Iterator[Finding]:
    names = [team.name for team in subject.config.teams]
    if not names:
        return
    for alert in _alerts(subject):
        unknown = sorted(v for v in alert.labels.of(TEAM).only or () if v and v not in names)
        if unknown:
            words = " or ".join(map(repr, unknown))
            yield alert.finding(
                TEAM_UNKNOWN,
                f"the alert {alert.name} has the team {words}, which is not in teams"
                + did_you_mean(unknown[0], names),
                "Correct it, or add the team to teams.",
                alert.label(TEAM),
            )


NO_TEAM: Final = Code(
    "TOC607",
    "alert-without-team",
    "warning",
    "An alert that is nobody's, of which a team is to be told",
    found="A rule that does not set the label `team`, whose expression does not promise it, and whose alerts "
    "go to a policy that tells the alert's team; neither the route nor `team_rules` names one.",
    bad="`team_defaults` is told instead, if there is one.",
    example=Example(_POLICY, rules=_rule("{severity: critical}")),
    instead=Example(_POLICY, rules=_rule("{severity: critical, team: backend}")),
)


def _no_team(subject: Subject) -> Iterator[Finding]:
    if not subject.config.teams:
        return
    for sent in subject.sent:
        alert = sent.alert
        if _promised(alert, TEAM) or _by_rules(subject, alert):
            continue
        for placed in _asking_for_teams(subject, sent):
            yield alert.finding(
                NO_TEAM,
                f"the alert {alert.name} has no team{_unless_metric(alert, TEAM)}, and the policy "
                f"{placed.route.policy!r} is to tell it",
                "Set team in the rule's labels, in the route, or by team_rules.",
            )
            break


def _by_rules(subject: Subject, alert: RuleAlert) -> bool:
    """Whether `team_rules` may give the alert a team."""
    rules = subject.plan.ownership.rules
    return any(all_fit(rule.matchers, alert.labels) is not False for rule in rules)


def _asking_for_teams(subject: Subject, sent: Sent) -> Iterator[PlacedRoute]:
    """The routes without a team to which it certainly goes, and whose policy tells the team."""
    for placed, certain in sent.routes:
        policy = subject.plan.policies.get(placed.route.policy)
        targets = [target for step in policy.steps for target in step.notify] if policy else []
        if certain and not placed.route.team and any(target.kind == "team" for target in targets):
            yield placed


UNREAD: Final = Code(
    "TOC608",
    "expression-unread",
    "info",
    "An expression of which nothing is known",
    found="A rule whose expression Tocsin cannot read: it is wrong, which `promtool check rules` says, or of "
    "a newer Prometheus.",
    bad="Of its alerts only the labels that the rule sets are known; the check says less about them.",
    example=Example(rules=_rule("{severity: critical}", expr="sum(up")),
    instead=Example(rules=_rule("{severity: critical}", expr="sum(up) < 3")),
)


def _unread(subject: Subject) -> Iterator[Finding]:
    for alert in _alerts(subject):
        if alert.rule.expr and not readable(alert.rule.expr):
            yield alert.finding(
                UNREAD,
                f"the expression of {alert.name} cannot be read; which labels it gives is not known",
                "If promtool check rules accepts it, nothing has to be done.",
            )


def _alerts(subject: Subject) -> tuple[RuleAlert, ...]:
    return subject.alerts.all if subject.alerts else ()


def _promised(alert: RuleAlert, label: str) -> bool:
    """Whether the rule sets the label, if only by a template, or it comes for certain."""
    set_here = alert.label(label)
    return alert.labels.of(label).present or (set_here is not None and "{{" in set_here.value)


def _unless_metric(alert: RuleAlert, label: str) -> str:
    return "" if alert.labels.of(label).only is not None else ", unless its metric brings one"


CHECKS: Final = (
    Check(SEVERITY, _severity),
    Check(NO_SEVERITY, _no_severity),
    Check(TEAM_UNKNOWN, _team_unknown),
    Check(NO_TEAM, _no_team),
    Check(UNREAD, _unread),
)
