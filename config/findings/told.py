"""Who would be told at once of the alerts that rules will make, of each of them; findings are about some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.partial import all_fit
from routing.teams import LABEL as TEAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.findings.alerts import RuleAlert, Sent
    from config.findings.subject import PlacedRoute, Subject


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
    if policy and (team is None or severity is None):
        targets = policy.steps[0].notify
        return tuple(one.name if one.kind == "receiver" else str(one) for one in targets)
    rank = plan.severities.names.index(severity or plan.severities.names[0])
    found = plan.first_step(route.policy, team or "", rank)
    return tuple(dict.fromkeys(one.receiver for one in found))
