"""The plan in force: which configuration this process works by, and where each alert belongs under it.

A configuration is loaded as a whole or not at all. Its digest stands in the store with a generation; a
process that holds another one neither claims nor takes in until it has loaded what is in force. After a
change, every open group is looked through once: alerts that fire in a group where they no longer belong are
remembered, so that their end still reaches it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from config.compile import compile_plan
from config.load import ConfigError, load
from gateway import metrics
from gateway.store import keys, reading
from gateway.store.store import Generations, Store, Timing
from gateway.store.unavailable import PlanChangedError
from routing.tree import group_labels, match, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from config.compile import Integration, Plan
    from config.integrations import IntegrationConfig
    from config.schema import Config

log = structlog.get_logger()

_MEMO_SIZE: Final = 200_000


@dataclass(frozen=True, slots=True)
class Placement:
    """A group that an alert belongs to; `meta` is what the group keeps of the plan when it opens."""

    shard: int
    gid: str
    meta: str
    group_wait: int
    group_interval: int


class Placing:
    """One plan with the generations under which it is in force, and what it says of each alert."""

    def __init__(
        self, plan: Plan, shards: int, generations: Generations, strays: Mapping[str, tuple[Placement, ...]]
    ) -> None:
        """`strays`: alert key -> groups in which it fires although it belongs to others now."""
        self.plan = plan
        self.generations = generations
        self._shards = shards
        self._strays = strays
        self._by_labels = lru_cache(maxsize=_MEMO_SIZE)(self._place)
        self._group: Callable[..., Placement] = lru_cache(maxsize=_MEMO_SIZE)(self._placement)
        self._routes = {id(route): route for route in walk(plan.root)}

    def places(self, key: str, labels: Mapping[str, str], *, resolved: bool) -> tuple[Placement, ...]:
        """The groups that an alert goes to: those that it matches, and at its end those that hold it too."""
        places = self._by_labels(_Labels(key, labels))
        if resolved and key in self._strays:
            return places + self._strays[key]
        return places

    def _place(self, alert: _Labels) -> tuple[Placement, ...]:
        return tuple(
            self._group(id(route), tuple(sorted(group_labels(route, alert.labels).items())))
            for route in match(self.plan.root, alert.labels)
        )

    def _placement(self, route_id: int, labels: tuple[tuple[str, str], ...]) -> Placement:
        route = self._routes[route_id]
        gid = group_id(route.key, labels)
        meta = {
            "route": route.key,
            "receiver": route.receiver,
            "labels": dict(labels),
            "group_wait": route.group_wait,
            "group_interval": route.group_interval,
            "repeat_interval": route.repeat_interval,
        }
        return Placement(
            keys.shard_of(gid, self._shards),
            gid,
            orjson.dumps(meta).decode(),
            route.group_wait,
            route.group_interval,
        )

    def integrations(self, receiver: str) -> tuple[Integration, ...]:
        """Of a receiver; of the root's where it is gone from the configuration: somebody must be told."""
        found = self.plan.receivers.get(receiver)
        return found if found is not None else self.plan.receivers[self.plan.root.receiver]

    def address(self, receiver: str, kind: str, pinned: IntegrationConfig) -> IntegrationConfig:
        """The pinned address with today's credentials, where the configuration still has that address."""
        for integration in self.plan.receivers.get(receiver, ()):
            if integration.kind == kind and _address(integration.config) == _address(pinned):
                return integration.config
        return pinned


_ADDRESS: Final = (
    *("routing_key", "routing_key_file", "channel", "api_url", "api_url_file"),
    *("to", "smarthost", "url", "url_file"),
)


def _address(config: IntegrationConfig) -> tuple[object, ...]:
    return tuple(getattr(config, name, None) for name in _ADDRESS)


class _Labels:
    """Labels that are hashed by the alert's key, which is made from all of them."""

    __slots__ = ("key", "labels")

    def __init__(self, key: str, labels: Mapping[str, str]) -> None:
        self.key = key
        self.labels = labels

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Labels) and self.key == other.key


def group_id(route_key: str, labels: tuple[tuple[str, str], ...]) -> str:
    """The group's identity: 16 hex digits, BLAKE2b over the route's key and the sorted group labels."""
    digest = blake2b(route_key.encode(), digest_size=8)
    for name, value in labels:
        digest.update(f"\0{len(name)}:{name}{len(value)}:{value}".encode())
    return digest.hexdigest()


def timing_of(config: Config) -> Timing:
    """The durations that the store's scripts are handed."""
    return Timing(
        reorder=config.dedup.reorder,
        confirm=config.dedup.confirm,
        stale_after=config.dedup.stale_after,
        resolve_timeout=config.global_.resolve_timeout,
        retention=config.redis.retention,
    )


class PlanInForce:
    """Loads the configuration, puts it in force, and keeps up with what others have put in force."""

    def __init__(self, path: Path, config: Config, store: Store) -> None:
        """`config` was just loaded from `path`; `start` puts it in force."""
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

    async def start(self) -> None:
        """Puts the configuration in force that was just loaded."""
        async with self._turn:
            await self._adopt(self._plan, loaded=True)

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
            if self.placing and await self._store.adopt_plan(self.placing.plan.digest, loaded=False) == (
                self.placing.generations
            ):
                return  # somebody here has caught up meanwhile
            try:
                plan = await self._read()
            except ConfigError as error:
                log.warning("config.refused", problems=[str(problem) for problem in error.problems])
                raise PlanChangedError from error
            await self._adopt(plan, loaded=False)

    async def _read(self) -> Plan:
        return compile_plan(await asyncio.to_thread(load, self._path))

    async def _adopt(self, plan: Plan, *, loaded: bool) -> None:
        generations = await self._store.adopt_plan(plan.digest, loaded=loaded)
        if generations is None:
            self.placing = None
            raise PlanChangedError
        # From here on nobody takes in alerts under an older plan, so what strays is known for good.
        bare = Placing(plan, self._store.shards, generations, {})
        strays: dict[str, tuple[Placement, ...]] = {}
        async for gid, key, labels in reading.firing_alerts(self._store):
            if all(place.gid != gid for place in bare.places(key, labels, resolved=False)):
                stray = Placement(keys.shard_of(gid, self._store.shards), gid, "", 0, 1)
                strays[key] = (*strays.get(key, ()), stray)
        self._plan = plan
        self.placing = Placing(plan, self._store.shards, generations, strays)
        metrics.config_ok.set(1)
        metrics.config_loaded.set_to_current_time()
        log.info("config.loaded", digest=plan.digest[:12], strays=len(strays), changed=loaded)
