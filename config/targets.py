"""Whom a policy's targets are: the integrations that tell a receiver, a user, or a team by one of its ways.

What a team lacks comes from `team_defaults`; so does everything where an alert has no team. Connections come
from `global`. A person is told as their contact rules say, each way with its delay. Who stands in where
nobody can be reached says `routing/escalation.py`. Who is on call is not known here: that target is nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.filled import Integration, filled_email, filled_pagerduty, filled_slack, filled_webhook
from config.integrations import EmailConfig, PagerDutyConfig, SlackConfig, WebhookConfig
from config.people import ANY_SEVERITY, WAYS, WaysConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from config.schema import Config, GlobalConfig
    from config.users import UserConfig
    from routing.policies import Target

_NO_TEAM: Final = "no team"


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody who can be told."""

    receivers: Mapping[str, tuple[Integration, ...]]
    teams: Mapping[str, WaysConfig]
    defaults: WaysConfig
    users: Mapping[str, UserConfig]
    glob: GlobalConfig

    def integrations(self, targets: Iterable[Target], team: str, severity: str) -> tuple[Integration, ...]:
        """How these targets are told of an incident of this team, "" for none, and severity.

        Everybody once, even if two targets are the same address: then it is told as soon as either. Ends
        are always shown, whatever `send_resolved` says: who saw it fire sees it end. Empty if none of them
        can be reached.
        """
        found: list[Integration] = []
        for target in targets:
            for one in self._told(target, team, severity):
                at = next((at for at, other in enumerate(found) if other.config == one.config), None)
                if at is None:
                    found.append(one)
                elif one.delay < found[at].delay:
                    found[at] = replace(found[at], delay=one.delay)
        return tuple(found)

    def on_call_of(self, team: str) -> str:
        """The name of the schedule whose on-call a team, or "" for no team, is told by; "" for none."""
        own = self.teams.get(team)
        return (own.on_call if own else "") or self.defaults.on_call

    def schedule_of(self, target: Target, team: str) -> str | None:
        """The schedule whose on-call a target is, "" for a team without one; None for other targets."""
        if target.kind == "schedule":
            return target.name
        return self.on_call_of(team) if (target.kind, target.name) == ("team", "on_call") else None

    def called(self, name: str, severities: Iterable[str]) -> tuple[Integration, ...]:
        """What has this name now: a receiver's integrations, or a target's for each of these severities."""
        if name in self.receivers:
            return self.receivers[name]
        who, colon, way = name.rpartition(": ")
        if colon and who.startswith("user "):
            return tuple(one for one in self._named(who.removeprefix("user ")) if one.receiver == name)
        if not colon or way not in WAYS or not (who == _NO_TEAM or who.startswith("team ")):
            return ()
        team = "" if who == _NO_TEAM else who.removeprefix("team ")
        found = [one for severity in severities for one in self._team(way, team, severity)]
        return tuple(one for one in found if one.receiver == name)

    def _told(self, target: Target, team: str, severity: str) -> Iterator[Integration]:
        match target.kind:
            case "receiver":
                for one in self.receivers.get(target.name, ()):
                    yield replace(one, config=one.config.model_copy(update={"send_resolved": True}))
            case "user":
                yield from self._as_wanted(self._named(target.name), severity)
            case "team":
                yield from self._as_wanted(self._team(target.name, team, severity), severity)

    def _team(self, way: str, team: str, severity: str) -> Iterator[Integration]:
        own = self.teams.get(team)
        name = f"team {team}: {way}" if own else f"{_NO_TEAM}: {way}"
        sources = (own, self.defaults) if own else (self.defaults,)
        ways = next((ways for ways in sources if _has(ways, way, severity)), None)
        if ways is None:
            return
        match way:
            case "slack":
                for index, channel in enumerate(_of_severity(ways.slack_channel, severity) or ()):
                    yield self._slack(name, channel, index)
            case "email":
                yield self._email(name, ways.email)
            case "pagerduty":
                key, file = _keys(ways, severity)
                yield self._pagerduty(name, key, file)
            case "lead" | "manager":
                who = ways.lead if way == "lead" else ways.manager
                if "@" in who:
                    yield self._email(name, who)
                else:
                    yield from (replace(one, receiver=name) for one in self._named(who))

    def _named(self, name: str) -> Iterator[Integration]:
        """Each way of telling a user, whatever their contact rules say."""
        for one in self._ways(name):
            yield replace(one, receiver=f"user {name}: {one.kind}", person=name)

    def _ways(self, name: str) -> Iterator[Integration]:
        known = self.users.get(name)
        if known is None:
            return
        if known.pagerduty or known.pagerduty_file:
            yield self._pagerduty(name, known.pagerduty, known.pagerduty_file)
        if known.slack_id:
            yield self._slack(name, known.slack_id, 0)
        if known.email:
            yield self._email(name, known.email)
        if known.webhook:
            config = WebhookConfig(url=known.webhook, send_resolved=True)
            yield Integration(name, "webhook", 0, filled_webhook(config, self.glob))

    def _as_wanted(self, ways: Iterable[Integration], severity: str) -> Iterator[Integration]:
        """Those of a person's ways that their rules name for a severity, in that order; all if none do."""
        found = tuple(ways)
        known = self.users.get(found[0].person) if found else None
        rules = _of_severity(known.contact, severity) if known else None
        if not rules:
            yield from found
        for rule in rules or ():
            for kind, delay in rule.items():
                yield from (replace(one, delay=delay) for one in found if one.kind == kind)

    def _slack(self, name: str, channel: str, index: int) -> Integration:
        config = SlackConfig(channel=channel, send_resolved=True)
        return Integration(name, "slack", index, filled_slack(config, self.glob))

    def _email(self, name: str, to: str) -> Integration:
        return Integration(name, "email", 0, filled_email(EmailConfig(to=to, send_resolved=True), self.glob))

    def _pagerduty(self, name: str, key: SecretStr | None, file: Path | None) -> Integration:
        config = PagerDutyConfig(routing_key=key, routing_key_file=file)
        return Integration(name, "pagerduty", 0, filled_pagerduty(config, self.glob))


def _of_severity(values: Mapping[str, Any], severity: str) -> Any:
    """What is given for a severity (capitals do not count), else for those that are not named."""
    lowered = {name.lower(): value for name, value in values.items()}
    return lowered.get(severity, lowered.get(ANY_SEVERITY))


def _keys(ways: WaysConfig, severity: str) -> tuple[SecretStr | None, Path | None]:
    return _of_severity(ways.pagerduty, severity), _of_severity(ways.pagerduty_file, severity)


def _has(ways: WaysConfig, way: str, severity: str) -> bool:
    match way:
        case "slack":
            return bool(_of_severity(ways.slack_channel, severity))
        case "pagerduty":
            return any(_keys(ways, severity))
        case _:
            return bool(getattr(ways, way))


class Lack(NamedTuple):
    """A way in which a team cannot be told by itself.

    Attributes:
        team: its position in `teams`; None for `team_defaults`, which alerts without a team have.
        way: `slack`, `email`, `lead`, `manager` or `pagerduty`.
        severities: those for which it lacks it, all of them for ways that do not differ.
        asked: a step of a policy tells teams in this way.
        covered: `team_defaults` stands in for each of these severities.
    """

    team: int | None
    way: str
    severities: tuple[str, ...]
    asked: bool
    covered: bool


def lacking(config: Config, severities: tuple[str, ...]) -> Iterator[Lack]:
    """What each team lacks, in the order of the file; `severities` are the names there are."""
    asked = {
        target.team
        for policy in config.escalation_policies
        for targets in (policy.fallback, *(step.notify for step in policy.steps))
        for target in targets
        if target.team
    }
    teams: list[tuple[int | None, WaysConfig]] = [(None, config.team_defaults), *enumerate(config.teams)]
    for position, team in teams:
        for way in WAYS:
            without = tuple(name for name in severities if not _has(team, way, name))
            if without:
                covered = position is not None and all(
                    _has(config.team_defaults, way, name) for name in without
                )
                yield Lack(position, way, without, way in asked, covered)
