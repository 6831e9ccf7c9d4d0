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
from config.values import MAX_ATTEMPT
from gateway import metrics
from gateway.message import compose
from gateway.store.unavailable import PlanChangedError, StoreUnavailableError
from receivers import kinds
from receivers.base import Outcome, Refused, Retry, Sent
from routing.delivery import Delivery, Failed, Rejected, Skip, Told, Verdict, decide_delivery, next_attempt
from routing.incident_records import FIRST, GROWN, PARTLY, RELEASED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.compile import Kind as AddressKind
    from gateway.holds import Holds
    from gateway.leases import Leases
    from gateway.plan import PlanInForce
    from gateway.store.records import Begun, ClaimedDelivery
    from gateway.store.store import Room, Store
    from receivers.base import Receiver
    from routing.delivery import Kind

log = structlog.get_logger()

SENDS_AT_ONCE: Final = 64  # of each kind of receiver: a service that hangs fills its own kind's room only
ATTEMPT_S: Final = MAX_ATTEMPT / 1_000
ASIDE: Final = 60_000
LOOK_AGAIN: Final = 60_000
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
        self._receivers: dict[str, Receiver] = {}
        self._working: dict[asyncio.Task[None], ClaimedDelivery] = {}
        self._under_way: dict[str, ClaimedDelivery] = {}
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
        delivery = _levels(claimed, begun)
        what = next_attempt(delivery)
        if isinstance(what, Skip):
            metrics.deliveries.labels(begun.fields["kind"], "dropped").inc()
            return _skipped(delivery, begun, what)
        if what == "ring" and (wait := self._held_back(begun)):
            if not (begun.ended and delivery.sent and delivery.ends and delivery.updates):
                metrics.deliveries.labels(begun.fields["kind"], "held").inc()
                return _UNCHANGED | {"state": "open", "unknown": delivery.unknown, "retry_in": wait}
            # Only the sound is held back: who saw an alert fire sees it end.
            what, begun = "update", replace(begun, fields=begun.fields | {"reason": PARTLY})
        kind = begun.fields["kind"]
        with metrics.delivery_duration.labels(kind).time():
            outcome = await self._hand_over(claimed, what, begun, unknown=delivery.unknown)
        verdict = decide_delivery(delivery, _plain(outcome, begun.revision), begun.now)
        metrics.deliveries.labels(kind, _OUTCOMES[type(outcome)] if verdict.state != "dead" else "dead").inc()
        _log(what, outcome, verdict, begun.now)
        return _sent(delivery, begun, what, outcome, verdict)

    def _held_back(self, begun: Begun) -> int:
        """For how long a ring has to wait, by what is true now (ms), 0 for not at all.

        Whoever lets the alerts go rings at once (commit.lua); the wait is only for a quiet time's end.
        """
        nothing_new = begun.unheard == 0 and begun.fields.get("reason") in (FIRST, GROWN, RELEASED)
        if begun.held and (begun.firing == 0 or nothing_new):
            return LOOK_AGAIN
        quiet = self._plan.placing.quiet(begun.incident.route, begun.now) if self._plan.placing else None
        if quiet is None:
            return 0
        return max(1, min((quiet.until or begun.now + LOOK_AGAIN) - begun.now, LOOK_AGAIN))

    async def _hand_over(
        self, claimed: ClaimedDelivery, what: Kind, begun: Begun, *, unknown: bool
    ) -> Outcome:
        fields = begun.fields
        kind = cast("AddressKind", fields["kind"])
        try:
            pinned = unpin(kind, orjson.loads(fields["pinned"]))
            config = self._plan.address(fields["receiver"], kind, pinned)
            severities = self._plan.severities
            message = compose(
                what, claimed.id, begun, self._external_url(), self._store, severities=severities
            )
            message = replace(message, route_labels=self._plan.labels_of(message.route))
            memory = orjson.loads(fields.get("memory") or "{}")
            async with asyncio.timeout(ATTEMPT_S):
                return await self.receiver(kind).send(config, message, memory | {"unknown": unknown})
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


def _levels(claimed: ClaimedDelivery, begun: Begun) -> Delivery:
    fields = begun.fields

    def level(name: str) -> int:
        return int(float(fields.get(name) or 0))

    return Delivery(
        id=claimed.id,
        wanted=level("wanted"),
        sent=level("sent"),
        ring_wanted=level("ring_wanted"),
        ring_sent=level("ring_sent"),
        final=level("final"),
        unknown=level("unknown") == 1,
        ends=fields.get("ends") == "1",
        updates=fields.get("updates") == "1",
        attempt=claimed.attempt,
        tries=level("tries"),
        failing_since=level("failing_since"),
    )


def _plain(outcome: Outcome, revision: int) -> Told | Failed | Rejected:
    match outcome:
        case Sent():
            return Told(revision)
        case Retry(reason, after, closes_target, unknown, _):
            return Failed(reason, after, closes_target, unknown)
        case Refused(reason):
            return Rejected(reason)


_UNCHANGED: Final = {
    "sent": 0, "ring_sent": 0, "rung": 0, "memory": "", "unknown": False, "tries": 0, "failing_since": 0,
    "retry_in": 0, "closed_for": 0, "error": "", "told": False, "answered": False, "lines": [],
}  # fmt: skip


def _skipped(delivery: Delivery, begun: Begun, skip: Skip) -> dict[str, Any]:
    lines = [["skipped", skip.why, _where(begun)]] if skip.why else []
    return _UNCHANGED | {
        "state": "done" if delivery.final else "open",
        "sent": begun.revision,
        "ring_sent": delivery.ring_wanted,
        "lines": lines,
    }


def _sent(delivery: Delivery, begun: Begun, what: Kind, outcome: Outcome, verdict: Verdict) -> dict[str, Any]:
    # Counted from when the store learns of it: an attempt that took its whole time limit is no pause.
    closed_for = (verdict.target_closed_until or begun.now) - begun.now
    fields: dict[str, Any] = {"state": verdict.state, "closed_for": closed_for}
    line = verdict.line
    match outcome:
        case Sent(memory, note):
            heard = delivery.ring_wanted if what in ("ring", "end") else 0
            fields |= {"sent": begun.revision, "ring_sent": heard, "told": True, "answered": True}
            fields["memory"] = _memory(memory)
            fields |= {"rung": begun.revision if what == "ring" else 0}
            reason = begun.fields.get("reason", "")
            line = f"{_SAID[what]} ({reason})" + (f"; {note}" if note else "")
        case Retry(reason, _, _, unknown, memory):
            fields |= {
                "tries": delivery.tries + 1,
                "failing_since": delivery.failing_since or begun.now,
                "retry_in": (verdict.retry_at or begun.now) - begun.now,
                "unknown": unknown or delivery.unknown,
                "error": reason,
                "memory": "" if memory is None else _memory(memory),
            }
        case Refused(reason):
            fields |= {
                "error": reason,
                "tries": delivery.tries + 1,
                "unknown": delivery.unknown,
                "answered": True,
            }
    kind = "told" if isinstance(outcome, Sent) else "not_told"
    return _UNCHANGED | fields | {"lines": [[kind, line, _where(begun)]] if line else []}


_SAID: Final = {"ring": "told", "update": "message brought up to date", "end": "told of the end"}


def _memory(memory: Mapping[str, Any]) -> str:
    return orjson.dumps({name: value for name, value in memory.items() if name != "unknown"}).decode()


def _where(begun: Begun) -> str:
    """Whom a line is about: the receiver and its target."""
    return f"{begun.fields['receiver']}, {begun.fields['where']}"


def _log(what: Kind, outcome: Outcome, verdict: Verdict, now: int) -> None:
    match outcome:
        case Sent(_, note):
            log.info("delivery.sent", what=what, note=note)
        case Retry(reason, _, _, unknown, _) if verdict.state == "open":
            pause = (verdict.retry_at or now) - now
            log.warning("delivery.failed", what=what, reason=reason, unknown=unknown, retry_in_ms=pause)
        case Retry(reason, _, _, _, _) | Refused(reason):
            log.error("delivery.dead", what=what, reason=reason)
