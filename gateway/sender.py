"""The sender: begins claimed deliveries, hands each to its receiver, and commits what came back.

What an attempt must be and what follows from it is decided in `routing/delivery.py`; how a message looks
is the receiver's. One slow or dead service delays nobody else: every attempt is a task of its own, bounded by
its target's slots in the store and by the room of this process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import Context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import structlog

from config.compile import unpin
from config.schema import EmailConfig
from config.values import MAX_ATTEMPT
from gateway import metrics
from gateway.links import Links
from gateway.message import compose
from gateway.store.unavailable import PlanChangedError, StoreUnavailableError
from receivers import kinds
from receivers.base import Outcome, Refused, Retry, Sent
from routing import attempts
from routing.delivery import Failed, Rejected, Skip, Told, decide_delivery, next_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.compile import Kind as AddressKind
    from gateway.holds import Holds
    from gateway.leases import Leases
    from gateway.plan import PlanInForce
    from gateway.store.arguments import Room
    from gateway.store.records import ClaimedDelivery
    from gateway.store.store import Store
    from receivers.base import Receiver
    from routing.calendar import Quiet
    from routing.delivery import Kind, Verdict
    from routing.stored import Begun

log = structlog.get_logger()

SENDS_AT_ONCE: Final = 64  # of each kind of receiver: a service that hangs fills its own kind's room only
ATTEMPT_S: Final = MAX_ATTEMPT / 1_000
ASIDE: Final = 60_000
WEIGHED_AT_MOST: Final = 3
KEEP_TRYING_S: Final = 30.0  # to commit what is sent already, while the store is away


class Sender:
    """One process's sender."""

    def __init__(
        self,
        store: Store,
        leases: Leases,
        external_url: Callable[[], str],
        plan: PlanInForce,
        holds: Holds,
    ) -> None:
        self._store = store
        self._leases = leases
        self._external_url = external_url
        self._plan = plan
        self._holds = holds
        self._links = Links(store, lambda: plan.config)
        self._receivers: dict[str, Receiver] = {}
        self._working: dict[asyncio.Task[None], ClaimedDelivery] = {}
        self._under_way: dict[str, ClaimedDelivery] = {}
        self._again: dict[str, ClaimedDelivery] = {}
        self._kinds: Counter[str] = Counter()
        self._closing = False
        self.freed: Callable[[], None] = lambda: None
        """Called when there is room again."""

    def room(self) -> Room:
        """How many more deliveries of each kind can be begun."""
        return {
            kind: 0 if self._closing else max(0, SENDS_AT_ONCE - self._kinds[kind]) for kind in kinds.MODULES
        }

    def accept(self, deliveries: Sequence[ClaimedDelivery]) -> None:
        """Sends deliveries that are claimed already (their lease runs); when we stop they are given back."""
        for claimed in deliveries:
            if earlier := self._under_way.get(claimed.id):
                # Its lease ended while the store stalled, and we go on: the claim prolongs what we do.
                self._leases.renewed(earlier, claimed.lease)
                self._again[claimed.id] = claimed
                continue
            self._leases.hold(claimed)
            if self._closing:
                continue
            # In a context of its own: who committed the decision was at work for another incident or request.
            task = asyncio.create_task(self._attempt(claimed), context=Context())
            self._working[task] = self._under_way[claimed.id] = claimed
            self._kinds[claimed.kind] += 1
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        claimed = self._working.pop(task)
        if self._under_way.get(claimed.id) is claimed:
            del self._under_way[claimed.id]
        self._kinds[claimed.kind] -= 1
        if again := self._again.pop(claimed.id, None):
            # Claimed after Redis had that attempt, before we heard so, perhaps; else `begin` finds it lost.
            self.accept([again])
        self.freed()
        if not task.cancelled() and (error := task.exception()):
            log.error("sender.attempt_failed", exc_info=error)

    def receiver(self, kind: str) -> Receiver:
        """The one receiver of a kind in this process."""
        if kind not in self._receivers:
            self._receivers[kind] = kinds.module(kind).create()
        return self._receivers[kind]

    async def _attempt(self, claimed: ClaimedDelivery) -> None:
        with structlog.contextvars.bound_contextvars(delivery=claimed.id):
            try:
                begun = await self._begin(claimed)
            except PlanChangedError:  # for whoever works by the plan in force
                await self._put_aside(claimed, 0)
                return
            except StoreUnavailableError as error:
                self._leases.drop(claimed)
                log.warning("delivery.not_begun", error=str(error))
                return
            except Exception:
                # A record that cannot be read must not be tried without a pause, nor hold up any other.
                log.exception("delivery.set_aside", delay_ms=ASIDE)
                await self._put_aside(claimed, ASIDE)
                return
            if begun is None:
                self._leases.drop(claimed)
                metrics.leases_lost.inc()
                return
            self._leases.renewed(claimed, begun.lease)
            metrics.deadline_lateness.labels("delivery").observe(begun.waited / 1000)
            with structlog.contextvars.bound_contextvars(
                incident=begun.incident.number, receiver=begun.fields["receiver"], kind=begun.fields["kind"]
            ):
                verdict = await self._send(claimed, begun)
                await self._commit(claimed, verdict)

    async def _begin(self, claimed: ClaimedDelivery) -> Begun | None:
        """Holds are asked once more right before sending; an answer that does not come keeps nobody quiet."""
        for _ in range(WEIGHED_AT_MOST):
            begun = await self._store.begin(claimed, "1" if self._holds.matter() else "0")
            if not isinstance(begun, str):
                return begun
            await self._holds.weigh(claimed.shard, begun)
        begun = await self._store.begin(claimed)
        return None if isinstance(begun, str) else begun

    async def _send(self, claimed: ClaimedDelivery, begun: Begun) -> dict[str, Any]:
        delivery = attempts.levels(claimed.id, claimed.attempt, begun)
        what = next_attempt(delivery)
        if isinstance(what, Skip):
            metrics.deliveries.labels(begun.fields["kind"], "dropped").inc()
            return attempts.skipped(delivery, begun, what)
        if what == "ring" and (wait := attempts.held_back(begun, self._quiet(begun))):
            if (reason := attempts.quiet_news(delivery, begun)) is None:
                metrics.deliveries.labels(begun.fields["kind"], "held").inc()
                return attempts.waiting(delivery, wait)
            what, begun = "update", replace(begun, fields={**begun.fields, "reason": reason})
        kind = begun.fields["kind"]
        with metrics.delivery_duration.labels(kind).time():
            outcome = await self._hand_over(claimed, what, begun, unknown=delivery.unknown)
        plain = _plain(outcome, begun.revision)
        verdict = decide_delivery(delivery, plain, begun.now)
        metrics.deliveries.labels(kind, _OUTCOMES[type(outcome)] if verdict.state != "dead" else "dead").inc()
        _log(what, outcome, verdict, begun.now)
        return attempts.sent(delivery, begun, what, plain, verdict)

    def _quiet(self, begun: Begun) -> Quiet | None:
        return self._plan.placing.quiet(begun.incident.route, begun.now) if self._plan.placing else None

    async def _hand_over(
        self, claimed: ClaimedDelivery, what: Kind, begun: Begun, *, unknown: bool
    ) -> Outcome:
        fields = begun.fields
        kind = cast("AddressKind", fields["kind"])
        try:
            pinned = unpin(kind, orjson.loads(fields["pinned"]))
            config = self._plan.address(fields["receiver"], kind, pinned)
            message = compose(
                what,
                claimed.id,
                begun,
                self._external_url(),
                self._store,
                severities=self._plan.severities,
                route_labels=self._plan.labels_of(begun.incident.route),
                book=self._plan.book() if self._plan.placing else None,
            )
            if isinstance(config, EmailConfig) and message.answerable:
                url = await self._links.url(message, config.to)
                message = replace(message, answer_url=url)
            memory = orjson.loads(fields.get("memory") or "{}") | {"unknown": unknown}
            if "theirs" in fields:  # what somebody did over there (pagerduty.lua)
                memory["theirs"] = fields["theirs"]
            async with asyncio.timeout(ATTEMPT_S):
                return await self.receiver(kind).send(config, message, memory)
        except TimeoutError:
            return Retry(f"no answer within {ATTEMPT_S:.0f} s", unknown=True)
        except Exception as error:
            log.exception("receiver.failed")
            return Retry(
                f"a fault in Tocsin's own {kind} receiver ({type(error).__name__}; see the log)", unknown=True
            )

    async def _put_aside(self, claimed: ClaimedDelivery, delay: int) -> None:
        self._leases.drop(claimed)
        try:
            await self._store.release(claimed.shard, [claimed.member], delay)
        except StoreUnavailableError as error:
            log.warning("delivery.not_released", error=str(error))  # its lease ends by itself

    async def _commit(self, claimed: ClaimedDelivery, verdict: Mapping[str, Any]) -> None:
        """Commits, and keeps trying while the store is away: what is sent must not be sent again for that."""
        give_up = asyncio.get_running_loop().time() + KEEP_TRYING_S
        while True:
            try:
                more = await self._store.sent(claimed, dict(verdict), self.room())
            except StoreUnavailableError as error:
                log.warning("delivery.not_committed", error=str(error))
                if asyncio.get_running_loop().time() > give_up:
                    self._leases.drop(claimed)
                    return
                await asyncio.sleep(0.5)
                continue
            self._leases.drop(claimed)
            self._under_way.pop(claimed.id, None)  # it may be among those that come back
            if more is None:
                metrics.leases_lost.inc()
                log.warning("delivery.lost_its_lease")
            else:
                self.accept(more)
            return

    async def settle(self) -> None:
        """Waits until nothing is being sent."""
        while self._working:
            await asyncio.wait(set(self._working))

    async def stop(self, within_s: float) -> None:
        """Begins nothing new, lets attempts finish for so long, then breaks them off and closes receivers."""
        self._closing = True
        if self._working:
            await asyncio.wait(set(self._working), timeout=within_s)
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        for receiver in self._receivers.values():
            await receiver.close()


_OUTCOMES: Final = {Sent: "sent", Retry: "retry", Refused: "refused"}


def _plain(outcome: Outcome, revision: int) -> Told | Failed | Rejected:
    """What came back, as a decision sees it."""
    match outcome:
        case Sent(memory, note):
            return Told(revision, note, _memory(memory))
        case Retry(reason, after, closes_target, unknown, memory):
            kept = "" if memory is None else _memory(memory)
            return Failed(reason, after, closes_target, unknown, kept)
        case Refused(reason):
            return Rejected(reason)


def _memory(memory: Mapping[str, Any]) -> str:
    return orjson.dumps({name: value for name, value in memory.items() if name != "unknown"}).decode()


def _log(what: Kind, outcome: Outcome, verdict: Verdict, now: int) -> None:
    match outcome:
        case Sent(_, note):
            log.info("delivery.sent", what=what, note=note)
        case Retry(reason, _, _, unknown, _) if verdict.state == "open":
            pause = (verdict.retry_at or now) - now
            log.warning("delivery.failed", what=what, reason=reason, unknown=unknown, retry_in_ms=pause)
        case Retry(reason, _, _, _, _) | Refused(reason):
            log.error("delivery.dead", what=what, reason=reason)
