"""Where each alert belongs under a plan, and whom its group tells: what the plan in force says of one alert.

Pure but for what it remembers. `gateway/plan.py` says which plan that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from gateway.sources import written
from gateway.store import keys
from routing.calendar import Quiet, quiet
from routing.tree import Tree, group_labels, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.compile import Integration, Plan
    from config.integrations import IntegrationConfig
    from gateway.store.arguments import Generation
    from routing.policies import Target
    from routing.tree import Route

_MEMO_SIZE: Final = 200_000
_TOLD_MEMO_SIZE: Final = 4_096  # of these each holds addresses whole, and a team's name is any label's value
NEVER: Final = 100 * 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Placement:
    """A group that an alert belongs to; `meta` is what the group keeps of the plan when it opens."""

    shard: int
    gid: str
    meta: str
    group_wait: int
    group_interval: int


class Placed(NamedTuple):
    """What the plan says of an alert: where it belongs, how bad it is, and its part in inhibition.

    `patience` is how long it is not told of because a rule could inhibit it (ms), `slots` where it is filed
    as a source, "" for nowhere.
    """

    places: tuple[Placement, ...]
    rank: int
    patience: int
    slots: str


class Placing:
    """One plan with the generation under which it is in force, and what it says of each alert."""

    def __init__(
        self,
        plan: Plan,
        shards: int,
        generation: Generation,
        strays: Mapping[str, tuple[Placement, ...]],
        aliases: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`strays`: alert key -> groups in which it fires although it belongs to others now.

        `aliases`: group that alerts belong to -> group that goes on as that one since a change.
        """
        self._aliases = aliases
        self.plan = plan
        self.generation = generation
        self._shards = shards
        self._strays = strays
        self._tree = Tree(plan.root)
        self._by_alert: dict[str, Placed] = {}
        self._routes = {route.key: route for route in walk(plan.root)}
        self._by_group: dict[tuple[object, ...], Placement] = {}
        self._told: dict[tuple[str, str, str, str], tuple[Integration, ...]] = {}
        self._beats: dict[str, tuple[str, ...]] = {}
        self._timed = [route.key for route in self._routes.values() if route.mute or route.active]
        self._quiet_until = (-1, 0)  # for which minute, and what

    def placed(self, key: str, labels: Mapping[str, str]) -> Placed:
        """What the plan says of an alert."""
        found = self._by_alert.get(key)
        if found is None:
            if len(self._by_alert) >= _MEMO_SIZE:
                self._by_alert.clear()
                self._by_group.clear()
            roles = self.plan.inhibition.roles(labels)
            found = self._by_alert[key] = Placed(
                ()
                if self.beats(key, labels)
                else tuple(self._place(route, labels) for route in self._tree.match(labels)),
                self.plan.severities.rank(labels),
                self.plan.inhibit_grace if roles.targets else 0,
                written(roles.sources),
            )
        return found

    def beats(self, key: str, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The heartbeats that an alert is a beat of; such an alert belongs to no group."""
        if not self.plan.heartbeats.take_alerts:
            return ()
        found = self._beats.get(key)
        if found is None:
            if len(self._beats) >= _MEMO_SIZE:
                self._beats.clear()
            found = self._beats[key] = self.plan.heartbeats.beaten_by(labels)
        return found

    def strays(self, key: str) -> tuple[Placement, ...]:
        """The groups in which an alert fires although it belongs to others now: its end goes there too."""
        return self._strays.get(key, ())

    def _place(self, route: Route, labels: Mapping[str, str]) -> Placement:
        # A policy tells a team: alerts of two teams are two incidents, whatever else they are grouped by.
        team = self.plan.team_of(labels, route) if route.policy else ""
        key = (route.key, team, *_values_of_group(route, labels))
        place = self._by_group.get(key)
        if place is None:
            grouped = group_labels(route, labels)
            gid = group_id(f"{route.key}\0{team}" if route.policy else route.key, grouped)
            gid = self._aliases.get(gid, gid)
            meta = {
                "route": route.key,
                "receiver": route.told,
                "labels": grouped,
                "group_wait": route.group_wait,
                "group_interval": route.group_interval,
                "repeat_interval": NEVER if route.policy else route.repeat_interval,
                "team": team,
            }
            place = self._by_group[key] = Placement(
                keys.shard_of(gid, self._shards),
                gid,
                orjson.dumps(meta).decode(),
                route.group_wait,
                route.group_interval,
            )
        return place

    def quiet(self, route_key: str, at: int) -> Quiet | None:
        """Whether the intervals of a route keep it from ringing; never one that is gone from the plan."""
        route = self._routes.get(route_key)
        return quiet(route.mute, route.active, at) if route and (route.mute or route.active) else None

    def labels_of(self, route_key: str) -> dict[str, str]:
        """The labels of a route itself; none of one that is gone from the plan."""
        route = self._routes.get(route_key)
        return dict(route.labels) if route else {}

    def muted(self, labels: Mapping[str, str], at: int) -> bool:
        """Whether everybody who would be told of the alert is kept from it by an interval."""
        return all(self.quiet(route.key, at) for route in self._tree.match(labels))

    def quiet_until(self, at: int) -> int:
        """When the first of the routes that are quiet now may speak again, milliseconds; 0 where none is."""
        minute = at // 60_000
        if self._quiet_until[0] != minute:
            found = [self.quiet(key, at) for key in self._timed]
            ends = [one.until for one in found if one and one.until]
            self._quiet_until = minute, min(ends, default=0)
        return self._quiet_until[1]

    def integrations(self, receiver: str) -> tuple[Integration, ...]:
        """Of a receiver; of the root's where it is gone from the configuration: somebody must be told."""
        found = self.plan.receivers.get(receiver)
        return found if found is not None else self.plan.receivers[self.plan.root.receiver]

    def told(self, target: Target, team: str, severity: str) -> tuple[Integration, ...]:
        """How one target is told (`Directory.integrations`), found once."""
        key = (target.kind, target.name, team, severity)
        found = self._told.get(key)
        if found is None:
            if len(self._told) >= _TOLD_MEMO_SIZE:
                self._told.clear()
            found = self._told[key] = self.plan.directory.integrations((target,), team, severity)
        return found

    def address(self, receiver: str, kind: str, pinned: IntegrationConfig) -> IntegrationConfig:
        """The pinned address with today's credentials, where the configuration still has that address."""
        for integration in self.plan.called(receiver):
            if integration.kind == kind and _address(integration.config) == _address(pinned):
                return integration.config
        return pinned


def _values_of_group(route: Route, labels: Mapping[str, str]) -> Iterable[object]:
    """What tells the route's groups apart; quicker than their identity."""
    return sorted(labels.items()) if route.group_by is None else map(labels.get, route.group_by)


_ADDRESS: Final = (
    *("routing_key", "routing_key_file", "channel", "api_url", "api_url_file"),
    *("to", "smarthost", "url", "url_file"),
)


def _address(config: IntegrationConfig) -> tuple[object, ...]:
    return tuple(getattr(config, name, None) for name in _ADDRESS)


def group_id(route_key: str, labels: Mapping[str, str]) -> str:
    """The group's identity: 16 hex digits, BLAKE2b over the route's key and the sorted group labels."""
    parts = [f"\0{len(name)}:{name}{len(labels[name])}:{labels[name]}" for name in sorted(labels)]
    return blake2b("".join([route_key, *parts]).encode(), digest_size=8).hexdigest()
