"""Who would be told at once of the alerts that rules will make, of each of them; findings are about some."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.first_told import told_by
from routing.partial import ABSENT, ANYTHING, PartialLabels, all_fit, one
from routing.teams import LABEL as TEAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.alerts import RuleAlert, Sent
    from config.findings.subject import PlacedRoute, Subject
    from routing.matchers import Matcher
    from routing.tree import Route


@dataclass(frozen=True, slots=True)
class Way:
    """One route of an alert.

    Attributes:
        who: the receiver, or whom the policy's first step tells, by the names that people know.
        certain: whatever is not known of the alert's labels, it goes here.
    """

    route: PlacedRoute
    who: tuple[str, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What becomes of a rule's alerts. `severity`, by its name as ranked, and `team` are None if unknown."""

    alert: RuleAlert
    severity: str | None
    team: str | None
    ways: tuple[Way, ...]


def told(subject: Subject) -> Iterator[Told]:
    """Every rule in turn; a route's own team is in its way's names."""
    for sent in subject.sent:
        severity = _severity(subject, sent)
        ways = tuple(
            Way(placed, _who(subject, sent, placed, severity), certain) for placed, certain in sent.routes
        )
        yield Told(sent.alert, severity, _team(subject, sent, ""), ways)


def _severity(subject: Subject, sent: Sent) -> str | None:
    severities = subject.plan.severities
    only = sent.alert.labels.of(severities.label).only
    ranks = {severities.rank({severities.label: value}) for value in only or ()}
    return severities.name(ranks.pop()) if len(ranks) == 1 else None


def _team(subject: Subject, sent: Sent, of_route: str) -> str | None:
    """As `plan.team_of`; None where it depends on what is not known."""
    ownership = subject.plan.ownership
    only = sent.alert.labels.of(TEAM).only
    if only is None:
        return None
    named = {value if value in ownership.names else "" for value in only}
    if len(named) > 1:
        return None
    if (own := named.pop() if named else "") or of_route in ownership.names:
        return own or of_route
    for rule in ownership.rules:
        fit = all_fit(rule.matchers, sent.alert.labels)
        if fit is not False:
            return rule.team if fit else None
    return ""


def _who(subject: Subject, sent: Sent, placed: PlacedRoute, severity: str | None) -> tuple[str, ...]:
    route, plan = placed.route, subject.plan
    if not route.policy:
        return (route.receiver,)
    team = _team(subject, sent, route.team)
    policy = plan.policies.get(route.policy)
    labels = _of_incident(sent.alert.labels, route, severity, team)

    def may_meet(when: tuple[Matcher, ...]) -> bool:
        return all_fit(when, labels) is not False

    if policy and (team is None or severity is None):
        first = [step for step in policy.steps if not step.after and may_meet(step.when)]
        targets = dict.fromkeys(target for step in first for target in step.notify)
        return tuple(one.name if one.kind == "receiver" else str(one) for one in targets)
    found = told_by(route.policy, team or "", severity or plan.severities.names[0], plan, may_meet)
    integrations = tuple(replace(one, instead_of="") for one in found.integrations)
    return found._replace(integrations=integrations).names


def _of_incident(alert: PartialLabels, route: Route, severity: str | None, team: str | None) -> PartialLabels:
    """What is known of the labels that a policy's `when` is asked of."""
    grouped = route.group_by
    known = {name: values for name, values in alert.known.items() if grouped is None or name in grouped}
    for name, value in (("severity", severity), (TEAM, team)):
        known[name] = ANYTHING if value is None else one(value)
    if grouped is None:
        return PartialLabels(known, more=alert.more)
    return PartialLabels(dict.fromkeys(grouped, ANYTHING if alert.more else ABSENT) | known, more=False)
