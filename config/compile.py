"""A valid configuration -> the plan that the service works on.

Here inheritance happens: timers and labels from parent routes; what comes from `global` fills in `filled.py`.
Nothing is checked (see `schema.py`, `rules.py`) and nothing is read from outside. Names that nothing has are
left out: where a check has no values for variables, a variable's name stands for one.

Rules: Alertmanager's `dispatch/route.go` for what a route inherits, its default timers and its key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from config import heartbeats
from config.filled import KINDS, Integration, Kind, integrations_of, pin, plain, unpin
from config.intervals import interval
from config.policies import policy
from config.schedules import schedule
from config.targets import Directory
from routing.inhibition import Rule, Rules
from routing.matchers import Matcher, in_order, parse_matchers, show
from routing.severity import LABEL as SEVERITY
from routing.severity import Severities
from routing.teams import Ownership, TeamRule
from routing.tree import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.people import SeveritiesConfig, WaysConfig
    from config.schema import Config, GlobalConfig, InhibitRuleConfig, RouteConfig
    from routing.calendar import TimeInterval
    from routing.heartbeats import Heartbeats
    from routing.oncall import Schedule
    from routing.policies import Policy

__all__ = ["KINDS", "Integration", "Kind", "Plan", "compile_plan", "pin", "unpin"]

DEFAULT_GROUP_WAIT: Final = 30_000
DEFAULT_GROUP_INTERVAL: Final = 300_000
DEFAULT_REPEAT_INTERVAL: Final = 14_400_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What routing and sending need. `digest` differs when anything in the configuration does.

    `inhibit_grace`, 0 where there are no rules, and `inhibit_release` are milliseconds.
    """

    root: Route
    receivers: Mapping[str, tuple[Integration, ...]]
    config: Config
    digest: str
    inhibition: Rules
    inhibit_grace: int
    inhibit_release: int
    severities: Severities
    ownership: Ownership
    policies: Mapping[str, Policy]
    schedules: Mapping[str, Schedule]
    directory: Directory
    heartbeats: Heartbeats

    @property
    def teams(self) -> Mapping[str, WaysConfig]:
        """How each team is told, as written: what it lacks comes from `team_defaults`."""
        return self.directory.teams

    def team_of(self, labels: Mapping[str, str], route: Route) -> str:
        """Whose an alert is, "" if nobody's: its label's team, else its route's, else that of a rule."""
        return self.ownership.team_of(labels, route.team)

    def called(self, name: str) -> tuple[Integration, ...]:
        """What an integration's `receiver` names now, so that a pinned address can have today's secrets."""
        return self.directory.called(name, self.severities.names)


def compile_plan(config: Config) -> Plan:
    """The plan of a configuration that `load` returned."""
    root = Route(
        key="",
        receiver="",
        group_by=frozenset(),
        group_wait=DEFAULT_GROUP_WAIT,
        group_interval=DEFAULT_GROUP_INTERVAL,
        repeat_interval=DEFAULT_REPEAT_INTERVAL,
    )
    text = json.dumps(plain(config.model_dump(by_alias=True)), sort_keys=True)
    intervals = {one.name: interval(one) for one in (*config.mute_time_intervals, *config.time_intervals)}
    glob = _with_way_back(config)
    receivers = {one.name: tuple(integrations_of(one, glob)) for one in config.receivers}
    return Plan(
        root=_route(config.route, root, "{}", intervals),
        receivers=receivers,
        config=config,
        digest=sha256(text.encode()).hexdigest(),
        inhibition=Rules(tuple(map(_inhibit_rule, config.inhibit_rules))),
        inhibit_grace=config.inhibit_grace if config.inhibit_rules else 0,
        inhibit_release=config.inhibit_release,
        severities=_severities(config.severities),
        ownership=Ownership(
            names=frozenset(team.name for team in config.teams),
            rules=tuple(TeamRule(_parsed(rule.matchers), rule.team) for rule in config.team_rules),
        ),
        policies={one.name: policy(one, intervals) for one in config.escalation_policies},
        schedules={one.name: schedule(one) for one in config.schedules},
        directory=Directory(
            receivers=receivers,
            teams={team.name: team for team in config.teams},
            defaults=config.team_defaults,
            users={user.name: user for user in config.users},
            glob=glob,
        ),
        heartbeats=heartbeats.compiled(
            config.heartbeats, config.severities.label if config.severities else SEVERITY
        ),
    )


def _with_way_back(config: Config) -> GlobalConfig:
    """What receivers take from `global`: buttons only where presses of them come back."""
    wanted = config.global_.slack_buttons and config.slack.answers
    return config.global_.model_copy(update={"slack_buttons": wanted})


def _severities(section: SeveritiesConfig | None) -> Severities:
    if section is None:
        return Severities()
    names = tuple(name.lower() for name in section.names)
    aliases = {word.lower(): name.lower() for word, name in section.aliases.items()}
    default = section.default.lower()
    return Severities(
        label=section.label,
        names=names,
        aliases={word: name for word, name in aliases.items() if name in names},
        default=default if default in names else "",
    )


def _inhibit_rule(section: InhibitRuleConfig) -> Rule:
    return Rule(
        name=section.name,
        source=_matchers(section.source_match, section.source_match_re, section.source_matchers),
        target=_matchers(section.target_match, section.target_match_re, section.target_matchers),
        equal=section.equal,
    )


# --- routes --------------------------------------------------------------------------------------------


def _route(section: RouteConfig, parent: Route, path: str, intervals: Mapping[str, TimeInterval]) -> Route:
    """`path` is Alertmanager's key of the route, whatever its name; it goes on into the children's.

    A receiver or a policy replaces whichever of the two the parent has.
    """
    own = bool(section.receiver or section.policy)
    inherited = Route(
        key=section.name or path,
        receiver=section.receiver or ("" if own else parent.receiver),
        policy=section.policy or ("" if own else parent.policy),
        team=section.team or parent.team,
        labels=tuple(sorted((dict(parent.labels) | section.labels).items())),
        mute=tuple(intervals[name] for name in section.mute_time_intervals if name in intervals),
        active=tuple(intervals[name] for name in section.active_time_intervals if name in intervals),
        group_by=parent.group_by if section.group_by is None else _group_by(section.group_by),
        group_wait=parent.group_wait if section.group_wait is None else section.group_wait,
        group_interval=section.group_interval or parent.group_interval,
        repeat_interval=section.repeat_interval or parent.repeat_interval,
        matchers=_asked(section),
        continue_=section.continue_,
    )
    seen: dict[str, int] = {}
    children: list[Route] = []
    for child in section.routes:
        below = f"{path}/{show(_asked(child))}"
        seen[below] = seen.get(below, 0) + 1
        number = f"#{seen[below]}" if seen[below] > 1 else ""
        children.append(_route(child, inherited, below + number, intervals))
    return replace(inherited, children=tuple(children))


def _group_by(names: tuple[str, ...]) -> frozenset[str] | None:
    return None if "..." in names else frozenset(names)


def _asked(section: RouteConfig) -> tuple[Matcher, ...]:
    return _matchers(section.match, section.match_re, section.matchers)


def _matchers(
    equal: Mapping[str, str], regex: Mapping[str, str], written: Iterable[str]
) -> tuple[Matcher, ...]:
    """All three forms together; a `match_re` is shown anchored, as Alertmanager shows it."""
    old = [Matcher(name, "=", value) for name, value in equal.items()]
    old += [Matcher(name, "=~", f"^(?:{value})$") for name, value in regex.items()]
    return in_order((*old, *_parsed(written)))


def _parsed(written: Iterable[str]) -> tuple[Matcher, ...]:
    return tuple(matcher for text in written for matcher in parse_matchers(text))
