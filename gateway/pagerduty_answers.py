"""What people did in PagerDuty, as answers to our incidents.

Works on the events that were kept (`store/pagerduty.py`), each until it is done: an acknowledgement there is
one here, so is a resolve; that an acknowledgement is no more there (PagerDuty's own time-out, or somebody
passed it on) is PagerDuty's own affair, and only a line in the timeline.

An event counts only for the ring that it is about: its key is the newest that the delivery has opened, or one
that is on its way, and it happened after that ring. So a late one never touches the group's next incident.
It decides nothing else: what an answer changes is decided by `routing/answering.py`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson
import structlog

from gateway import metrics
from gateway.answers import AnswerError, NoSuchIncidentError
from gateway.message import DEDUP_KEY
from gateway.pagerduty_rest import PagerDutyRest, RestError
from gateway.store import reading
from gateway.store.pagerduty import RETENTION, Events
from gateway.store.unavailable import StoreUnavailableError
from receivers.pagerduty_keys import Opened, ring_of
from routing.events import Acknowledged, Noted, Resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.schema import Config
    from gateway.answers import Answers
    from gateway.store.pagerduty import Event
    from gateway.store.store import Store
    from routing.events import Answer
    from routing.incident_records import Incident

log = structlog.get_logger()

VIA: Final = "PagerDuty"
BY_ITSELF: Final = "by itself"
POLL_S: Final = 2.0
WORK_S: Final = 10.0  # for one event; less than its lease
BASE: Final = DEDUP_KEY.format(gid="")


class Concerned(NamedTuple):
    """An incident of ours that an event is about, and the delivery; "" where several have the same key."""

    shard: int
    number: int
    delivery: str
    acknowledged: bool


class PagerDutyAnswers:
    """One process's worker on PagerDuty's events."""

    def __init__(self, store: Store, answers: Answers, config: Callable[[], Config]) -> None:
        self.events = Events(store)
        self._store = store
        self._answers = answers
        self._config = config
        self._rest = PagerDutyRest(lambda: config().pagerduty)
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something to work on."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            while True:
                self._wake.clear()
                try:
                    while await self.work():
                        pass
                except StoreUnavailableError as error:
                    log.warning("pagerduty.store_away", error=str(error))
                await self._sleep()
        finally:
            await self._rest.close()

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def work(self) -> bool:
        """Works on the event that is due first; whether there was one."""
        claimed = await self.events.claim(1)
        for event in claimed:
            with structlog.contextvars.bound_contextvars(event_id=event.id, what=event.kind):
                await self._work_on(event)
        return bool(claimed)

    async def _work_on(self, event: Event) -> None:
        try:
            async with asyncio.timeout(WORK_S):
                answered = await self._answer(event)
        except Exception as error:
            # Whatever it was, PagerDuty has been told that we have it.
            if await self._store.now() - event.at > RETENTION:
                log.exception("pagerduty.given_up")
                metrics.pagerduty_events.labels("given_up").inc()
                await self.events.done(event)
                return
            expected = isinstance(error, StoreUnavailableError | RestError | TimeoutError)
            log.warning("pagerduty.later", error=str(error) or repr(error), exc_info=not expected)
            await self.events.again(event)
            return
        log.info("pagerduty.worked_on", incidents=answered)
        metrics.pagerduty_events.labels("answered" if answered else "without_incident").inc()
        await self.events.done(event)

    async def _answer(self, event: Event) -> list[int]:
        """Gives the answer to every incident that it is about; their numbers."""
        concerned: list[int] = []
        by = ""
        for key in await self._keys(event):
            for one in await self._concerned(key, event.at):
                by = by or await self._who(event)
                if one.delivery and event.kind != "resolved":
                    theirs = key if event.kind == "acknowledged" else ""
                    await self.events.theirs(one.shard, one.delivery, theirs)
                if event.kind != "unacknowledged" or one.acknowledged:
                    await self._give(one, event, by)
                concerned.append(one.number)
        return concerned

    async def _give(self, one: Concerned, event: Event, by: str) -> None:
        answer: Answer
        match event.kind:
            case "acknowledged":
                answer = Acknowledged(by, VIA, delivery=one.delivery)
            case "resolved":  # its end is sent there too: it closes a ring that was on its way
                answer = Resolved(by, VIA)
            case "unacknowledged":
                answer = Noted(by, VIA if event.name else BY_ITSELF, "it is no longer acknowledged there")
        try:
            await self._answers.give(one.number, answer)
        except (NoSuchIncidentError, AnswerError) as error:
            log.info("pagerduty.not_given", incident=one.number, reason=str(error))

    async def _keys(self, event: Event) -> tuple[str, ...]:
        """Under which of our keys the incident over there was triggered."""
        own = (event.key,) if event.key.startswith(BASE) else ()
        if not self._config().pagerduty.reads:
            if not event.key:
                log.warning(
                    "pagerduty.no_key", advice="set pagerduty.api_token, to read what webhooks leave out"
                )
            return own
        try:
            found = await self._rest.alert_keys(event.incident)
        except RestError as error:
            if not own:
                raise
            log.warning("pagerduty.not_read", error=str(error))
            return own
        return tuple(dict.fromkeys((*own, *(key for key in found if key.startswith(BASE)))))

    async def _concerned(self, key: str, at: int) -> list[Concerned]:
        base, _ = ring_of(key)
        found = await reading.incident_of_group(self._store, base.removeprefix(BASE))
        if found is None or not found[1].open:
            return []
        shard, incident = found
        of_key = [
            fields
            for fields in await reading.deliveries_of(self._store, shard, incident.number)
            if fields.get("kind") == "pagerduty" and is_about(fields, incident, key, at)
        ]
        if not of_key:
            return []
        delivery = of_key[0]["id"] if len(of_key) == 1 else ""
        return [Concerned(shard, incident.number, delivery, incident.ack is not None)]

    async def _who(self, event: Event) -> str:
        """The user's name; else how PagerDuty calls them."""
        users = self._config().users
        if event.person and self._config().pagerduty.reads:
            try:
                email = (await self._rest.email(event.person)).casefold()
            except RestError as error:
                log.warning("pagerduty.not_read", error=str(error))
            else:
                for user in users:
                    if email and user.email.strip().casefold() == email:
                        return user.name
        for user in users:
            if event.name and user.name.casefold() == event.name.casefold():
                return user.name
        return event.name or "PagerDuty"


def is_about(fields: Mapping[str, str], incident: Incident, key: str, at: int) -> bool:
    """Whether what happened at `at` to what is open under `key` is about this delivery's present ring.

    `at` is by PagerDuty's clock. For a key that no other incident can have had lately, the two clocks need
    not agree; the first ring's key is the same for all incidents of a group.
    """
    opened = Opened.remembered(orjson.loads(fields.get("memory") or "{}"), key)
    _, ring = ring_of(key)
    if opened.incident == incident.number and opened.key == key:
        return at >= (opened.since if ring < 2 else incident.triggered_at)
    if not opened.ring < ring <= int(fields.get("ring_wanted") or 0):
        return False
    return at >= (opened.tried_at if opened.tried == ring else incident.triggered_at)
