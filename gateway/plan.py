"""The plan in force: which configuration this process works by.

A configuration is loaded as a whole or not at all. Its digest stands in the store with a generation; a
process that holds another one neither claims nor takes in until it has loaded what is in force. After a
change, every open group is looked through once: alerts that fire in a group where they no longer belong are
remembered, so that their end still reaches it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from config.compile import compile_plan
from config.load import ConfigError, load
from gateway import adoption as adopting
from gateway import metrics
from gateway.book import NOBODY_ON_CALL, PlanBook
from gateway.placing import Placing
from gateway.sources import Anew
from gateway.store import reading
from gateway.store.arguments import Timing
from gateway.store.unavailable import PlanChangedError
from routing.adoption import Adoption

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.compile import Plan
    from config.integrations import IntegrationConfig
    from config.schema import Config
    from gateway.book import Rota
    from gateway.store.store import Store
    from routing.severity import Severities

log = structlog.get_logger()


def timing_of(config: Config) -> Timing:
    """The durations that the store's scripts are handed."""
    return Timing(
        reorder=config.dedup.reorder,
        confirm=config.dedup.confirm,
        stale_after=config.dedup.stale_after,
        resolve_timeout=config.global_.resolve_timeout,
        retention=config.redis.retention,
        dismissed_for=config.dedup.dismissed_for,
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
        self.rota: Rota = NOBODY_ON_CALL

    @property
    def current(self) -> Placing:
        """What to work by.

        Raises:
            PlanChangedError: nothing is in force here (yet, or any more).
        """
        if self.placing is None:
            raise PlanChangedError
        return self.placing

    def book(self, now: int = 0) -> PlanBook:
        """What a decision is made by, at `now` or later. Raises `PlanChangedError` as `current` does."""
        return PlanBook(self.current, self.rota, now)

    def address(self, receiver: str, kind: str, pinned: IntegrationConfig) -> IntegrationConfig:
        """See `Placing.address`; what was pinned where nothing is in force here."""
        return self.placing.address(receiver, kind, pinned) if self.placing else pinned

    def labels_of(self, route_key: str) -> dict[str, str]:
        """See `Placing.labels_of`; none where nothing is in force here."""
        return self.placing.labels_of(route_key) if self.placing else {}

    @property
    def last(self) -> Plan:
        """The plan in force here; the last one where nothing is."""
        return self._plan

    @property
    def severities(self) -> Severities:
        """Those of the plan; of the last one where nothing is in force here."""
        return self._plan.severities

    @property
    def config(self) -> Config:
        """What the plan was made of; of the last one where nothing is in force here."""
        return self._plan.config

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
        before, settled = await adopting.aliases(self._store, generation)
        bare = Placing(plan, self._store.shards, generation, {})
        adoption = Adoption(bare, generation, before)
        anew = Anew(self._store, plan, generation)
        await anew.begin()
        async for gid, key, labels, held in reading.firing_alerts(self._store):
            adoption.look_at(gid, key, labels)
            await anew.look_at(gid, key, labels, held)
        await anew.done()
        found = before if settled else await adopting.settle(self._store, adoption, generation)
        strays = adopting.strays(self._store, adoption, found)
        placing = Placing(plan, self._store.shards, generation, strays, found)
        book = PlanBook(placing, self.rota)
        await adopting.carry_over(self._store, adoption, found, book, placing)
        self._plan = plan
        self.placing = placing
        self._adopted(plan.config)
        metrics.config_ok.set(1)
        metrics.config_loaded.set_to_current_time()
        log.info("config.loaded", digest=plan.digest[:12], strays=len(strays))
