"""The plan in force: which configuration this process works by, and where each alert belongs under it.

A configuration is loaded as a whole or not at all. Its digest stands in the store with a generation; a
process that holds another one neither claims nor takes in until it has loaded what is in force. After a
change, every open group is looked through once: alerts that fire in a group where they no longer belong are
remembered, so that their end still reaches it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson
import structlog

from config.compile import compile_plan
from config.load import ConfigError, load
from gateway import metrics
from gateway.sources import Anew, slots
from gateway.store import keys, reading
from gateway.store.store import Generation, Store, Timing
from gateway.store.unavailable import PlanChangedError
from routing.calendar import Quiet, quiet
from routing.tree import Tree, group_labels, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from config.compile import Integration, Plan
    from config.integrations import IntegrationConfig
    from config.schema import Config
    from routing.severity import Severities
    from routing.tree import Route

log = structlog.get_logger()

_MEMO_SIZE: Final = 200_000
NEVER: Final = 100 * 365 * 86_400_000
POLICY: Final = "policy:"
"""How a group's record, and everything that is shown, tells a policy from a receiver."""


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
        self, plan: Plan, shards: int, generation: Generation, strays: Mapping[str, tuple[Placement, ...]]
    ) -> None:
        """`strays`: alert key -> groups in which it fires although it belongs to others now."""
        self.plan = plan
        self.generation = generation
        self._shards = shards
        self._strays = strays
        self._tree = Tree(plan.root)
        self._by_alert: dict[str, Placed] = {}
        self._routes = {route.key: route for route in walk(plan.root)}
        self._by_group: dict[tuple[object, ...], Placement] = {}

    def placed(self, key: str, labels: Mapping[str, str]) -> Placed:
        """What the plan says of an alert."""
        found = self._by_alert.get(key)
        if found is None:
            if len(self._by_alert) >= _MEMO_SIZE:
                self._by_alert.clear()
                self._by_group.clear()
            roles = self.plan.inhibition.roles(labels)
            found = self._by_alert[key] = Placed(
                tuple(self._place(route, labels) for route in self._tree.match(labels)),
                self.plan.severities.rank(labels),
                self.plan.inhibit_grace if roles.targets else 0,
                slots(roles),
            )
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

    def told_first(self, receiver: str, team: str, rank: int) -> tuple[Integration, ...]:
        """Whom a group of this receiver, or of this policy, tells first."""
        if receiver.startswith(POLICY):
            return self.plan.first_step(receiver.removeprefix(POLICY), team, rank)
        return self.integrations(receiver)

    def integrations(self, receiver: str) -> tuple[Integration, ...]:
        """Of a receiver; of the root's where it is gone from the configuration: somebody must be told."""
        found = self.plan.receivers.get(receiver)
        return found if found is not None else self.plan.receivers[self.plan.root.receiver]

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


def timing_of(config: Config) -> Timing:
    """The durations that the store's scripts are handed."""
    return Timing(
        reorder=config.dedup.reorder,
        confirm=config.dedup.confirm,
        stale_after=config.dedup.stale_after,
        resolve_timeout=config.global_.resolve_timeout,
        retention=config.redis.retention,
        silence_retention=config.silences.retention,
    )


class PlanInForce:
    """Loads the configuration, puts it in force, and keeps up with what others have put in force."""

    def __init__(
        self,
        path: Path,
        config: Config,
        store: Store,
        guard: Callable[[Config], None] = lambda _: None,
        adopted: Callable[[Config], None] = lambda _: None,
    ) -> None:
        """`config` was just loaded from `path`; `start` puts it in force.

        `guard` may refuse a configuration that cannot be used here (by raising `ConfigError`); `adopted` is
        called with each one that is put in force.
        """
        self._guard = guard
        self._adopted = adopted
        self._path = path
        self._store = store
        self._plan = compile_plan(config)
        self._turn = asyncio.Lock()
        self.placing: Placing | None = None

    @property
    def current(self) -> Placing:
        """What to work by.

        Raises:
            PlanChangedError: nothing is in force here (yet, or any more).
        """
        if self.placing is None:
            raise PlanChangedError
        return self.placing

    def address(self, receiver: str, kind: str, pinned: IntegrationConfig) -> IntegrationConfig:
        """See `Placing.address`; what was pinned where nothing is in force here."""
        return self.placing.address(receiver, kind, pinned) if self.placing else pinned

    def labels_of(self, route_key: str) -> dict[str, str]:
        """See `Placing.labels_of`; none where nothing is in force here."""
        return self.placing.labels_of(route_key) if self.placing else {}

    @property
    def severities(self) -> Severities:
        """Those of the plan; of the last one where nothing is in force here."""
        return self._plan.severities

    async def start(self) -> None:
        """Puts the configuration in force, read once more.

        A start takes seconds: what was read at its beginning must not replace what others have loaded since.
        """
        async with self._turn:
            try:
                plan = await self._read()
            except ConfigError:  # broken since then: what was good a moment ago will do
                plan = self._plan
            await self._adopt(plan, loaded=True)

    async def reload(self) -> None:
        """Loads the file anew. On an error the running configuration stays.

        Raises:
            ConfigError: with every error of the file.
        """
        async with self._turn:
            try:
                plan = await self._read()
            except ConfigError:
                metrics.config_ok.set(0)
                raise
            await self._adopt(plan, loaded=True)

    async def catch_up(self) -> None:
        """Another configuration is in force: load it, if the file here holds it by now.

        Raises:
            PlanChangedError: the file here is still another one.
        """
        async with self._turn:
            if mine := self.placing:
                generation = await self._store.adopt_plan(mine.plan.digest, loaded=False)
                if generation == mine.generation:
                    return  # somebody here has caught up meanwhile
                if generation:  # the store had lost it; whatever the file says by now was not asked for
                    await self._adopt(mine.plan, loaded=False)
                    return
            try:
                plan = await self._read()
            except ConfigError as error:
                log.warning("config.refused", problems=[str(problem) for problem in error.problems])
                raise PlanChangedError from error
            await self._adopt(plan, loaded=False)

    async def _read(self) -> Plan:
        config = await asyncio.to_thread(load, self._path)
        self._guard(config)
        return compile_plan(config)

    async def _adopt(self, plan: Plan, *, loaded: bool) -> None:
        generation = await self._store.adopt_plan(plan.digest, loaded=loaded)
        if generation is None:
            self.placing = None
            raise PlanChangedError
        # From here on nobody takes in alerts under an older plan, so what strays is known for good.
        bare = Placing(plan, self._store.shards, generation, {})
        strays: dict[str, tuple[Placement, ...]] = {}
        anew = Anew(self._store, plan, generation)
        await anew.begin()
        async for gid, key, labels, held in reading.firing_alerts(self._store):
            placed = bare.placed(key, labels)
            if all(place.gid != gid for place in placed.places):
                stray = Placement(keys.shard_of(gid, self._store.shards), gid, "", 0, 1)
                strays[key] = (*strays.get(key, ()), stray)
            await anew.look_at(gid, key, labels, held)
        await anew.done()
        self._plan = plan
        self.placing = Placing(plan, self._store.shards, generation, strays)
        self._adopted(plan.config)
        metrics.config_ok.set(1)
        metrics.config_loaded.set_to_current_time()
        log.info("config.loaded", digest=plan.digest[:12], strays=len(strays))
