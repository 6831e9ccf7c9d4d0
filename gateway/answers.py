"""Answers: what somebody says to an incident reaches the one machine that decides, whatever way it came.

The incident is loaded, `routing/incident.py` decides, and the decision is committed against the version that
it was made from; where somebody else was quicker, it is made again. Incidents of the same policy that share
an alert are acknowledged together.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from gateway import metrics
from gateway.orders import orders_of, to_write
from gateway.store import reading
from gateway.store.unavailable import PlanChangedError, StoreUnavailableError
from routing.alerts import alert_key
from routing.answering import A_MOMENT, RELATED_AT_MOST, refusal
from routing.deciding import besides, counted, told
from routing.events import (
    Acknowledged,
    Escalated,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.recorded import made

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.plan import PlanInForce
    from gateway.sender import Sender
    from gateway.store.records import ClaimedGroup
    from gateway.store.store import Store
    from routing.events import Answer
    from routing.incident_records import Ack, Incident
    from routing.policies import Target

log = structlog.get_logger()

TRIES: Final = 50
PAUSE_S: Final = 0.02


class NoSuchIncidentError(LookupError):
    """There is no incident with this number (any more)."""

    def __init__(self, number: int) -> None:
        super().__init__(f"There is no incident #{number}, or it is older than the retention.")


class AnswerError(ValueError):
    """The answer makes no sense here; the text says why, for whoever gave it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer: `said` is one sentence for the person who gave it."""

    number: int
    said: str
    changed: bool
    incident: Incident


class Answers:
    """One process's ear for people."""

    def __init__(
        self, store: Store, plan: PlanInForce, sender: Sender, wake: Callable[[], None] = lambda: None
    ) -> None:
        """`wake` is called when something is due at once."""
        self._store = store
        self._plan = plan
        self._sender = sender
        self._wake = wake

    async def give(self, number: int, answer: Answer) -> Answered:
        """Gives an answer to an incident.

        Raises:
            NoSuchIncidentError: nothing is known of the number.
            AnswerError: it makes no sense: an unknown target, an empty note.
            StoreUnavailableError: the store is away; nothing has changed.
        """
        group, before, after = await self._decide(number, answer)
        if isinstance(answer, Acknowledged) and before.open and before.policy:
            try:
                await self._related(group, before, answer)
            except StoreUnavailableError as error:  # what was asked for is acknowledged already
                log.warning("incident.related_not_found", incident=number, error=str(error))
        self._wake()
        differs = after != replace(before, considered=after.considered)
        changed = differs or (isinstance(answer, Noted | ResponderAdded) and before.open)
        said = _said(before, after, answer, group.now, changed=changed)
        metrics.answers.labels(type(answer).__name__.lower(), answer.via, str(changed).lower()).inc()
        log.info("incident.answered", incident=number, by=answer.by, via=answer.via, said=said)
        return Answered(number, said, changed, after)

    async def _decide(self, number: int, answer: Answer) -> tuple[ClaimedGroup, Incident, Incident]:
        for _ in range(TRIES):
            found = await reading.incident(self._store, number)
            if found is None:
                raise NoSuchIncidentError(number)
            shard, incident = found
            if not incident.gid:
                raise AnswerError(f"#{number} is of a version that kept no answers: wait for its next news.")
            group = await self._store.view(shard, incident.gid)
            present = group.incident
            try:
                book = self._plan.book()
            except PlanChangedError:
                raise StoreUnavailableError("the configuration is being changed; try again") from None
            if why := refusal(answer, book):
                raise AnswerError(why)
            if present is None or present.number != number:
                return group, incident, incident  # the group has gone on: this one is long over
            known = counted(group, present, self._plan.severities)
            decision, record = made(
                present,
                answer,
                group.now,
                known,
                told(group, present),
                book=book,
                plan=self._plan.last.digest,
            )
            after = decision.incident or present
            if after == present and not decision.lines:
                return group, present, present
            written = to_write(
                group,
                besides(group, decision),
                orders_of(group, decision, book),
                fresh=False,
                dismissed_for=self._store.timing.dismissed_for,
                record=record,
            )
            claimed = await self._store.commit(shard, incident.gid, written, self._sender.room())
            if claimed is not None:
                self._sender.accept(claimed)
                return group, present, after
            await asyncio.sleep(PAUSE_S)  # somebody was quicker
        raise StoreUnavailableError(f"#{number} changes all the time; try again")

    async def _related(self, group: ClaimedGroup, incident: Incident, answer: Acknowledged) -> None:
        """Who has one of two incidents with the same alert and policy in hand has both."""
        placing, seen = self._plan.current, {group.gid}
        looked = 0
        async for page in reading.alerts(self._store, group.gid, "f", 0, reading.EVER):
            for alert in page:
                for place in placing.placed(alert_key(alert.labels), alert.labels).places:
                    if place.gid in seen:
                        continue
                    seen.add(place.gid)
                    await self._too(place.shard, place.gid, incident.policy, answer)
            looked += len(page)
            if looked >= RELATED_AT_MOST:
                return

    async def _too(self, shard: int, gid: str, policy: str, answer: Acknowledged) -> None:
        """One that cannot be read keeps nobody from having the others."""
        try:
            other = (await self._store.view(shard, gid)).incident
            if other and other.open and other.policy == policy:
                await self._decide(other.number, answer)
        except (LookupError, ValueError, TypeError) as error:
            log.warning("incident.related_not_answered", group=gid, error=repr(error))


def _said(before: Incident, after: Incident, answer: Answer, now: int, *, changed: bool) -> str:
    """One sentence for the person who answered."""
    name = f"#{before.number}"
    if not before.open and not isinstance(answer, Noted):
        return f"{name} was resolved at {_time(before.resolved_at)}: nothing changes."
    match answer:
        case Acknowledged():
            return _who_has(name, after.ack, answer.by, changed=changed)
        case Unacknowledged():
            back = "given back: its policy starts again" if before.policy else "given back"
            return f"{name} is {back}." if changed else f"Nobody has {name} in hand."
        case Resolved():
            return f"{name} is resolved."
        case Escalated():
            if changed:
                return f"{name}: the next step comes now."
            if now - before.escalated_at < A_MOMENT:
                return f"The next step of {name} came a moment ago already."
            return f"{name} has no further step."
        case Reassigned(target=target, policy=policy):
            return f"{name} is reassigned to {_named(target) if target else f'policy {policy}'}."
        case ResponderAdded(target=target):
            return f"{name}: {_named(target)} is told too."
        case Noted():
            return f"Noted in {name}."


def _who_has(name: str, ack: Ack | None, by: str, *, changed: bool) -> str:
    if ack is None:
        return f"{name} is not acknowledged."
    if changed:
        until = f" until {_time(ack.until, ack.at)}" if ack.until else ""
        return f"You have it now: {name} is acknowledged{until}."
    if ack.by != by:
        return f"{ack.by} acknowledged {name} at {_time(ack.at)} already."
    return f"You have {name} already, since {_time(ack.at)}."


def _named(target: Target) -> str:
    return f"{target.kind} {target.name}"


def _time(at: int, now: int = 0) -> str:
    """`15:10 UTC`; with the date where that is not the day of `now`."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    other_day = now and moment.date() != datetime.fromtimestamp(now / 1000, UTC).date()
    return moment.strftime("%Y-%m-%d %H:%M UTC" if other_day else "%H:%M UTC")
