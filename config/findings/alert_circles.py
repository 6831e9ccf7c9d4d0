"""Alerts that Prometheus' rules will send and that inhibit each other in a circle."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from config.findings.alert_inhibition import RULES, judged
from config.findings.check import Check
from config.findings.code import Code, Example
from routing.partial import all_fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.findings.alerts import RuleAlert
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from routing.inhibition import Rule

MAX_LINKS: Final = 50_000  # pairs of alerts that the search for a circle looks at

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
        rules=RULES,
    ),
    instead=Example(
        """
        inhibit_rules:
          - source_matchers: [alertname="SystemDown"]
            target_matchers: [severity="high"]
        """,
        rules=RULES,
    ),
)


def _circles(subject: Subject) -> Iterator[Finding]:
    rules = subject.plan.inhibition.rules
    known = {one.position for one in judged(subject)}
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


CHECKS: Final = (Check(CIRCLE, _circles),)
