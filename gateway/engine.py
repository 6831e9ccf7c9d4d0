"""The engine: claims groups that are due, asks `routing/incident.py` what that means, commits the answer.

It decides nothing and sends nothing. A group whose decision raises is set aside with a growing delay and
holds up nobody else. Lateness, failures and repairs are counted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from contextvars import Context
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from gateway import metrics
from gateway.orders import nothing, orders_of, to_write
from gateway.store.unavailable import PlanChangedError, StoreUnavailableError
from routing.deciding import counted, incident_of, tells, told
from routing.decisions import Line
from routing.events import Due
from routing.incident_records import Status
from routing.recorded import made

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from gateway.book import PlanBook
    from gateway.holds import Holds
    from gateway.leases import Leases
    from gateway.plan import PlanInForce
    from gateway.sender import Sender
    from gateway.store.records import Claim, ClaimedGroup
    from gateway.store.store import Store
    from routing.decisions import Decision
    from routing.incident_records import Incident
    from routing.recorded import Recorded

log = structlog.get_logger()

POLL_S: Final = 0.25
SOON_S: Final = 0.005
TOGETHER_S: Final = 0.01  # little beside the grace that an alert is given
GROUPS_AT_ONCE: Final = 64
SWEEP_EVERY_S: Final = 1.0
FORGET_EVERY_S: Final = 60.0
AWAY_S: Final = 1.0  # how long to wait before asking a store again that was away
LONG_AWAY_S: Final = 2.0  # less than the least that a lease has left when a store goes away
CATCH_UP_S: Final = 2.0  # more than it takes to renew leases and to write down what was sent
LONGEST_ASIDE: Final = 600_000


class Engine:
    """One process's engine, for all shards."""

    def __init__(self, store: Store, plan: PlanInForce, sender: Sender, leases: Leases, holds: Holds) -> None:
        self._store = store
        self._holds = holds
        self._plan = plan
        self._sender = sender
        self._leases = leases
        self._wake = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        # What concerns a whole shard takes no room from groups.
        self._beside: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._set_aside: Counter[str] = Counter()
        sender.freed = self._wake.set
        self.claimed_at = 0.0  # the loop's time of the last claim, 0 for never
        self._claimed_at = 0.0  # the loop's time of the last round of claims
        self.swept_at = 0.0  # the loop's time of the last page that a sweep really looked at, 0 for never

    def wake(self) -> None:
        """Something is due at once."""
        self._wake.set()

    def room(self) -> int:
        """How many more groups can be claimed for this process."""
        return max(0, GROUPS_AT_ONCE - len(self._working))

    def accept(self, groups: Sequence[ClaimedGroup]) -> None:
        """Works on groups that are claimed already (their lease runs)."""
        for group in groups:
            self._leases.hold(group)
            task = asyncio.create_task(self._work(group), context=Context())
            self._working.add(task)
            task.add_done_callback(self._done)

    def _once(self, what: str, shard: int, work: Callable[[int], Coroutine[None, None, None]]) -> None:
        """Does it for a shard unless that is under way here."""
        if (what, shard) not in self._beside:
            task = self._beside[what, shard] = asyncio.create_task(work(shard), context=Context())
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._beside = {what: other for what, other in self._beside.items() if other is not task}
        self._wake.set()
        if task.cancelled() or not (error := task.exception()):
            return
        if isinstance(error, StoreUnavailableError):
            log.warning("engine.store_away", error=str(error))
        else:
            log.error("engine.work_failed", exc_info=error)

    async def run(self) -> None:
        """Claims and works until cancelled."""
        while True:
            try:
                self._wake.clear()
                waits = [await self.cycle(shard) for shard in range(self._store.shards)]
                self._claimed_at = asyncio.get_running_loop().time()
                await self._sleep(waits)
            except PlanChangedError:
                await self._catch_up()
            except StoreUnavailableError as error:
                log.warning("engine.store_away", error=str(error))
                await self._store_is_back()

    async def _store_is_back(self) -> None:
        """Waits until the store answers, and after a long absence until others can have spoken first.

        A lease that ended while nobody could prolong it is no sign of a death: whoever holds it may have sent
        meanwhile and only waits to write that down.
        """
        while True:
            await asyncio.sleep(AWAY_S)
            with contextlib.suppress(StoreUnavailableError):
                await self._store.ping()
                break
        self._holds.sources.forget()
        if asyncio.get_running_loop().time() - self._claimed_at > LONG_AWAY_S:
            await asyncio.sleep(CATCH_UP_S)

    async def _sleep(self, waits: Sequence[float]) -> None:
        wait = min(waits)
        if wait > 0:
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _catch_up(self) -> None:
        try:
            await self._plan.catch_up()
        except StoreUnavailableError as error:
            log.warning("engine.plan_differs", error=str(error))
            await asyncio.sleep(AWAY_S)

    async def cycle(self, shard: int) -> float:
        """Claims once; how many seconds the shard can be left alone, at most `POLL_S`."""
        claim = await self.claim(shard)
        if claim.wait is None or not (self.room() and all(self._sender.room().values())):
            return POLL_S  # or until something that is under way is done
        # What is due already and could not be claimed waits for a target, which is asked again soon.
        return min(POLL_S, max(claim.wait / 1000, 0 if claim.groups or claim.deliveries else SOON_S))

    async def claim(self, shard: int) -> Claim:
        """Claims what is due and there is room for, and begins to work on it."""
        placing = self._plan.current
        claim = await self._store.claim(shard, placing.generation, self.room(), self._sender.room())
        self.claimed_at = asyncio.get_running_loop().time()
        try:
            await self._holds.keep_up(claim.version)
        finally:  # whatever comes of that: what is claimed is ours to do
            self.accept(claim.groups)
            self._sender.accept(claim.deliveries)
        for late in claim.lateness:
            metrics.deadline_lateness.labels("group").observe(late / 1000)
        if claim.moved:
            self.sources_moved(shard)
        if claim.walk:
            self._once("walk", shard, self._holds.walk)
        return claim

    def sources_moved(self, shard: int) -> None:
        """The index of inhibition is to be told; many who move at once are told of together."""
        self._once("sync", shard, self._sync)

    async def _sync(self, shard: int) -> None:
        await asyncio.sleep(TOGETHER_S)
        await self._holds.sources.sync(shard)

    async def _work(self, group: ClaimedGroup) -> None:
        with structlog.contextvars.bound_contextvars(group=group.gid):
            try:
                await self._decide(group)
            except StoreUnavailableError as error:
                log.warning("engine.not_committed", error=str(error))
            except Exception as error:  # noqa: BLE001 - a poisoned incident must not hold up any other
                await self._put_aside(group, error)
            finally:
                self._leases.drop(group)

    async def _decide(self, group: ClaimedGroup) -> None:
        is_due = 0 < group.due <= group.now
        if group.marked or 0 < group.first_look <= group.now or not is_due:
            weighed = await self._holds.weigh(group.shard, group.gid, release=not is_due)
            if not is_due:
                return  # given back; or its lease ends by itself, and somebody looks again
            group, _ = weighed or (group, ())
        book = self._plan.book(group.now)
        incident = incident_of(group, book)
        if incident is None:  # only memories of ended alerts
            await self._store.commit(group.shard, group.gid, nothing(group), {})
            return
        decision, record = self._decided(group, incident, book)
        if self._holds.matter() and (tells(decision) or group.unjudged):
            beginning = incident.status is Status.PENDING
            weighed = await self._holds.weigh(group.shard, group.gid, beginning=beginning)
            decided_from = group.version
            group, lines = weighed or (group, ())
            if group.version != decided_from:  # our lease is lost: somebody else has decided meanwhile
                metrics.decisions.labels("again").inc()
                return
            decision, record = self._decided(group, incident, book)
            if beginning:
                decision = replace(decision, lines=(*decision.lines, *(Line(*line) for line in lines)))
        if decision.incident and decision.incident.open and not decision.incident.number:
            number = await self._store.next_number()
            decision = replace(decision, incident=replace(decision.incident, number=number))
        orders = orders_of(group, decision, book)
        claimed = await self._store.commit(
            group.shard,
            group.gid,
            to_write(
                group,
                decision,
                orders,
                fresh=incident.number == 0,
                dismissed_for=self._store.timing.dismissed_for,
                record=record,
            ),
            self._sender.room(),
        )
        self._set_aside.pop(group.gid, None)
        if claimed is None:
            metrics.decisions.labels("again").inc()
            return
        metrics.decisions.labels("committed").inc()
        for line in decision.lines:
            number = decision.incident.number if decision.incident else 0
            if line.kind == "suppressed" and decision.incident:
                metrics.incidents_suppressed.labels("interval" if decision.incident.firing else "held").inc()
            log.info("incident", what=line.kind, incident=number, route=group.meta.route, text=line.text)
        self._sender.accept(claimed)

    def _decided(self, group: ClaimedGroup, incident: Incident, book: PlanBook) -> tuple[Decision, Recorded]:
        placing = self._plan.current
        quiet = placing.quiet(incident.route, group.now)
        late = group.now - group.due
        event = Due(quiet.why, quiet.until, late) if quiet else Due(late=late)
        group_now = counted(group, incident, placing.plan.severities)
        return made(
            incident,
            event,
            group.due,
            group_now,
            told(group, incident),
            book=book,
            plan=placing.plan.digest,
        )

    async def _put_aside(self, group: ClaimedGroup, error: Exception) -> None:
        metrics.decisions.labels("failed").inc()
        self._set_aside[group.gid] += 1
        delay = min(1_000 << min(self._set_aside[group.gid], 12), LONGEST_ASIDE)
        log.error("incident.set_aside", exc_info=error, delay_ms=delay)  # the route may be unreadable
        try:
            await self._store.release(group.shard, [group.member], delay)
        except StoreUnavailableError:
            log.warning("incident.not_released")  # its lease ends by itself

    async def sweep(self) -> None:
        """Compares a page of records with the deadlines, for each shard in turn, until cancelled."""
        loop, forgot_at = asyncio.get_running_loop(), 0.0
        while True:
            try:
                for shard in range(self._store.shards):
                    _, repaired, _, _ = await self._store.sweep(shard)
                    if repaired:
                        metrics.sweep_repaired.inc(repaired)
                        log.warning("sweep.repaired", shard=shard, deadlines=repaired)
                await self._holds.watch()
                if loop.time() - forgot_at > FORGET_EVERY_S:
                    await self._holds.silence_store.forget()
                    forgot_at = loop.time()
                self.swept_at = loop.time()
                metrics.sweep_last.set_to_current_time()
            except StoreUnavailableError as error:
                log.warning("sweep.store_away", error=str(error))
            await asyncio.sleep(SWEEP_EVERY_S)

    async def settle(self) -> None:
        """Waits until nothing claimed is being decided."""
        while tasks := self._tasks():
            await asyncio.wait(tasks)

    def _tasks(self) -> set[asyncio.Task[None]]:
        return {*self._working, *self._beside.values()}

    async def stop(self, within_s: float) -> None:
        """Lets decisions finish for so long; what remains keeps its lease in `Leases` to be given back."""
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=within_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
