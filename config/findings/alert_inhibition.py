"""What inhibition rules make of the alerts that Prometheus' rules will send."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from config.findings.alerts import named
from config.findings.check import Check
from config.findings.code import Code, Example
from routing.partial import ABSENT, all_fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.findings.alerts import RuleAlert
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path
    from routing.inhibition import Rule

MAX_LINKS: Final = 50_000  # pairs of alerts that the search for a circle looks at

_RULES: Final = """
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
        rules=_RULES,
    ),
    instead=Example(
        """
        inhibit_rules:
          - source_matchers: [alertname="SystemDown"]
            target_matchers: [severity="high"]
            equal: [job]
        """,
        rules=_RULES,
    ),
)


def _idle(subject: Subject) -> Iterator[Finding]:
    for path, rule in _inhibition(subject):
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
        rules=_RULES,
    ),
    instead=Example(
        """
        inhibit_rules:
          - source_matchers: [severity="critical"]
            target_matchers: [severity="high"]
            equal: [job]
        """,
        rules=_RULES,
    ),
)


def _equal(subject: Subject) -> Iterator[Finding]:
    for path, rule in _inhibition(subject):
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
    for path, rule in _inhibition(subject):
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


CIRCLE: Final = Code(
    "TOC612",
    "alerts-inhibit-each-other",
    "warning",
    "Two or more alerts that inhibit each other",
    found="Alerts of the given rules each of which inhibits the next, and the last the first, by name: what "
    "TOC201 says of rules, here with the alerts that exist.",
    bad="When they fire together, Alertmanager tells nobody of any of them. Tocsin tells of one, the worst, "
    "and says why; which one that is, is not what the rules say.",
    example=Example(
        """
        inhibit_rules:
          - source_matchers: [alertname="SystemDown"]
            target_matchers: [severity="high"]
          - source_matchers: [alertname="SystemSlow"]
            target_matchers: ['alertname=~"System.*"']
        """,
        rules=_RULES,
    ),
    instead=Example(
        """
        inhibit_rules:
          - source_matchers: [alertname="SystemDown"]
            target_matchers: [severity="high"]
        """,
        rules=_RULES,
    ),
)


def _circles(subject: Subject) -> Iterator[Finding]:
    rules = subject.plan.inhibition.rules
    known = {path[1] for path, _ in _inhibition(subject)}
    for circle in subject.plan.inhibition.circles if subject.alerts else ():
        links = _links(subject, [(at, rules[at]) for at in circle if at in known])
        if not (found := _shortest(links)):
            continue
        places = [at for _, at, _ in found]
        steps = [f"{one.name} inhibits {other.name}" for one, _, other in found]
        lines = sorted({subject.line(("inhibit_rules", at)) for at in places})
        through = f"line{'s' * (len(lines) > 1)} {' and '.join(map(str, lines))}"
        equal = sorted({label for at in places for label in rules[at].equal})
        when = f" where {', '.join(equal)} {'is' if len(equal) == 1 else 'are'} the same" if equal else ""
        yield subject.finding(
            CIRCLE,
            ("inhibit_rules", max(places)),
            f"{', and '.join(steps)}{when}, through the rules in {through}",
            f'Take one out of the targets, as with alertname!="{found[0][0].name}".',
        )


Link = tuple["RuleAlert", int, "RuleAlert"]  # source, place of the rule, target


def _links(subject: Subject, rules: Sequence[tuple[int, Rule]]) -> dict[RuleAlert, list[Link]]:
    """Which alert certainly inhibits which, if the labels of `equal` have the same value."""
    links: dict[RuleAlert, list[Link]] = {}
    left = MAX_LINKS
    for at, rule in rules:
        sources = [alert for alert in subject.meeting(rule.source) if all_fit(rule.source, alert.labels)]
        targets = [alert for alert in subject.meeting(rule.target) if all_fit(rule.target, alert.labels)]
        also_source = {alert: all_fit(rule.source, alert.labels) for alert in targets}
        also_target = {alert: all_fit(rule.target, alert.labels) for alert in sources}
        for source in sources:
            left -= len(targets)
            if left < 0:
                return links
            for target in targets:
                one_sided = also_source[target] is False or also_target[source] is False
                if one_sided and _may_be_equal(source, target, rule):
                    links.setdefault(source, []).append((source, at, target))
    return links


def _may_be_equal(source: RuleAlert, target: RuleAlert, rule: Rule) -> bool:
    both = (source.labels.of(label) & target.labels.of(label) for label in rule.equal)
    return all(values.only is None or values.only for values in both)


def _shortest(links: dict[RuleAlert, list[Link]]) -> list[Link]:
    """The links of a shortest circle; empty if there is none."""
    best: list[Link] = []
    left = MAX_LINKS
    for start in links:
        came: dict[RuleAlert, Link] = {}
        waiting = deque([start])
        while waiting and start not in came:
            here = waiting.popleft()
            left -= len(links.get(here, ()))
            if left < 0:
                return best
            for link in links.get(here, ()):
                if link[2] not in came:
                    came[link[2]] = link
                    waiting.append(link[2])
        if start in came:
            way = [came[start]]
            while way[-1][0] is not start:
                way.append(came[way[-1][0]])
            if not best or len(way) < len(best):
                best = way[::-1]
        if len(best) == 2:
            break
    return best


def _inhibition(subject: Subject) -> Iterator[tuple[Path, Rule]]:
    """The inhibition rules whose matchers are known, if there are alerts to judge them by."""
    if subject.alerts is None or not subject.alerts.all:
        return
    for at, rule in enumerate(subject.plan.inhibition.rules):
        if not subject.stands_in(("inhibit_rules", at)):
            yield ("inhibit_rules", at), rule


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
    Check(CIRCLE, _circles),
)
