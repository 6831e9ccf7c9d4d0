"""A valid configuration -> the plan that the service works on.

Here inheritance happens: timers and labels from parent routes; what comes from `global` fills in `filled.py`.
Nothing is checked (see `schema.py`, `rules.py`) and nothing is read from outside.

Rules: Alertmanager's `dispatch/route.go` for what a route inherits, its default timers and its key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from config.filled import KINDS, Integration, Kind, integrations_of, pin, plain, unpin
from routing.inhibition import Rules
from routing.matchers import Matcher, in_order, parse_matchers, show
from routing.severity import Severities
from routing.teams import Ownership
from routing.tree import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.schema import Config, RouteConfig
    from routing.policies import Policy

__all__ = ["KINDS", "Integration", "Kind", "Plan", "compile_plan", "pin", "unpin"]

DEFAULT_GROUP_WAIT: Final = 30_000
DEFAULT_GROUP_INTERVAL: Final = 300_000
DEFAULT_REPEAT_INTERVAL: Final = 14_400_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What routing and sending need. `digest` differs when anything in the configuration does.

    `inhibit_grace` and `inhibit_release` are milliseconds.
    """

    root: Route
    receivers: Mapping[str, tuple[Integration, ...]]
    config: Config
    digest: str
    inhibition: Rules = field(default_factory=lambda: Rules(()))
    inhibit_grace: int = 0
    inhibit_release: int = 30_000
    severities: Severities = field(default_factory=Severities)
    ownership: Ownership = field(default_factory=Ownership)
    policies: Mapping[str, Policy] = field(default_factory=dict)

    def team_of(self, labels: Mapping[str, str], route: Route) -> str:
        """Whose an alert is, "" if nobody's: its label's team, else its route's, else that of a rule."""
        return self.ownership.team_of(labels, route.team)

    def first_step(self, policy: str, team: str, severity_rank: int) -> tuple[Integration, ...]:
        """Whom a policy tells first of an incident of this team and severity: always somebody."""
        del policy, team, severity_rank
        return self.receivers[self.root.receiver]


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
    return Plan(
        root=_route(config.route, root, "{}"),
        receivers={
            receiver.name: tuple(integrations_of(receiver, config.global_)) for receiver in config.receivers
        },
        config=config,
        digest=sha256(text.encode()).hexdigest(),
    )


# --- routes --------------------------------------------------------------------------------------------


def _route(section: RouteConfig, parent: Route, path: str) -> Route:
    """`path` is Alertmanager's key of the route, whatever its name; it goes on into the children's."""
    inherited = Route(
        key=section.name or path,
        receiver=section.receiver or parent.receiver,
        group_by=parent.group_by if section.group_by is None else _group_by(section.group_by),
        group_wait=parent.group_wait if section.group_wait is None else section.group_wait,
        group_interval=section.group_interval or parent.group_interval,
        repeat_interval=section.repeat_interval or parent.repeat_interval,
        matchers=_matchers(section),
        continue_=section.continue_,
    )
    seen: dict[str, int] = {}
    children: list[Route] = []
    for child in section.routes:
        below = f"{path}/{show(_matchers(child))}"
        seen[below] = seen.get(below, 0) + 1
        number = f"#{seen[below]}" if seen[below] > 1 else ""
        children.append(_route(child, inherited, below + number))
    return replace(inherited, children=tuple(children))


def _group_by(names: tuple[str, ...]) -> frozenset[str] | None:
    return None if "..." in names else frozenset(names)


def _matchers(section: RouteConfig) -> tuple[Matcher, ...]:
    """All three forms together; a `match_re` is shown anchored, as Alertmanager shows it."""
    equal = (Matcher(name, "=", value) for name, value in section.match.items())
    regex = (Matcher(name, "=~", f"^(?:{value})$") for name, value in section.match_re.items())
    written = (matcher for text in section.matchers for matcher in parse_matchers(text))
    return in_order((*equal, *regex, *written))
