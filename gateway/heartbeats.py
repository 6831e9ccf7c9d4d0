"""Heartbeats at work: beats are taken out of what comes in, and what is missing comes in as an alert.

That alert goes through the intake as if somebody had sent it, so routes, silences and policies are all its
own. Everything here may be done twice and by several processes at once: what is missing stands in the store
before anybody is told, and stays there until its end has been taken in; and whoever looks ends an alert that
fires without reason, so that a process which was stopped in between cannot leave one behind.

When a heartbeat is missing decides `routing/heartbeats.py`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

import structlog

from gateway import metrics
from gateway.intake import Receipt
from gateway.store.heartbeats import HeartbeatStore, Kept
from gateway.store.unavailable import StoreUnavailableError
from routing.heartbeats import Missing, State, due_at, missing, over_since, state

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from gateway.intake import Intake
    from gateway.placing import Placing
    from gateway.plan import PlanInForce
    from gateway.store.heartbeats import Look
    from gateway.store.store import Store
    from routing.alerts import Arrival
    from routing.heartbeats import Heartbeat, Pulse

log = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0
TELL_AGAIN: Final = 60_000
"""Milliseconds after which what is still missing is taken in again, as every sender of alerts does."""


class HeartbeatWatch:
    """One process's ear for heartbeats; it stands before the intake."""

    def __init__(self, store: Store, plan: PlanInForce, intake: Intake) -> None:
        self._store = store
        self._records = HeartbeatStore(store)
        self._plan = plan
        self._intake = intake
        self._told: dict[str, tuple[Missing, int]] = {}  # heartbeat -> what was told of it here, and when
        self._ended: tuple[Placing | None, set[str]] = None, set()
        self._listening_since = 0

    async def take(self, arrivals: Sequence[Arrival]) -> Receipt:
        """Takes them in; those that are beats, and their ends, are not routed and count as recorded.

        Raises:
            StoreUnavailableError: as `Intake.take`.
        """
        placing = self._plan.current
        if not placing.plan.heartbeats.take_alerts:
            return await self._intake.take(arrivals)
        beaten: dict[str, None] = {}
        others: list[Arrival] = []
        swallowed = 0
        for arrival in arrivals:
            names = placing.beats(arrival.key, arrival.labels)
            if not names:
                others.append(arrival)
                continue
            swallowed += 1
            metrics.heartbeat_alerts.labels(arrival.status).inc()
            if arrival.status == "firing":
                beaten |= dict.fromkeys(names)
            others += self._left_behind(placing, arrival)
        if beaten:
            await self._records.beat(list(beaten))
            metrics.heartbeats_heard.labels("alert").inc(len(beaten))
        receipt = await self._intake.take(others) if others else Receipt(0, 0, 0, 0)
        return replace(receipt, recorded=receipt.recorded + swallowed)

    def _left_behind(self, placing: Placing, arrival: Arrival) -> list[Arrival]:
        """The end of the alert in groups to which it was routed before it became a beat; told once."""
        if self._ended[0] is not placing:
            self._ended = placing, set()
        if arrival.key in self._ended[1] or not placing.strays(arrival.key):
            return []
        self._ended[1].add(arrival.key)
        return [arrival._replace(status="resolved", ends_at=None, until=None)]

    async def beat(self, name: str) -> int:
        """A heartbeat has beaten: durable when the time is answered. Raises `StoreUnavailableError`."""
        at = await self._records.beat([name])
        metrics.heartbeats_heard.labels("http").inc()
        return at

    async def kept(self) -> dict[str, Kept]:
        """What is kept of each. Raises `StoreUnavailableError`."""
        return await self._records.all()

    def due(self, heartbeat: Heartbeat, pulse: Pulse) -> int:
        """When it is missing unless a beat comes before, as far as is known here."""
        return due_at(heartbeat, pulse, self._listening_since, self._store.timing.resolve_timeout)

    async def run(self) -> None:
        """Looks again and again until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailableError as error:
                log.debug("heartbeats.not_looked", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Finds what is missing, and tells of it and of its end.

        Raises:
            StoreUnavailableError: it is to be done again.
        """
        placing = self._plan.current
        configured = placing.plan.heartbeats
        look = await self._records.look(placing.generation, [one.name for one in configured])
        self._listening_since = look.listening_since
        kept = await self._open(placing, look)
        telling: dict[str, Missing] = {}
        over: dict[str, tuple[Kept, Pulse]] = {}
        ends = await self._left_behind_by_others(placing, kept)
        for name, one in kept.items():
            missed = one.pulse.missing
            if missed is None:
                continue
            if (ended := over_since(configured.find(name), one.pulse, look.now)) is not None:
                self._told.pop(name, None)
                over[name] = one, replace(one.pulse, missing=None)
                ends.append(missed.ends(ended))
            elif self._is_news(name, missed, look.now):
                telling[name] = missed
        if arrivals := [*ends, *(missed.fires() for missed in telling.values())]:
            await self._intake.take(arrivals)
        self._told |= {name: (missed, look.now) for name, missed in telling.items()}
        for name in await self._records.change(over):
            log.info("heartbeat.back", heartbeat=name)
        _measure(placing, kept, over)

    async def _open(self, placing: Placing, look: Look) -> dict[str, Kept]:
        """The records, after what is missing has been written into them."""
        found: dict[str, tuple[Kept, Missing]] = {}
        for heartbeat in placing.plan.heartbeats:
            one = look.kept[heartbeat.name]
            patience = self._store.timing.resolve_timeout
            missed = missing(heartbeat, one.pulse, look.now, look.listening_since, patience)
            if missed:
                found[heartbeat.name] = one, missed
        if not found:
            return look.kept
        changes = {name: (one, replace(one.pulse, missing=missed)) for name, (one, missed) in found.items()}
        for name in await self._records.change(changes):
            log.warning("heartbeat.missing", heartbeat=name, since=found[name][1].since)
        return await self._records.all()  # a beat may have come meanwhile, or another process was first

    def _is_news(self, name: str, missed: Missing, now: int) -> bool:
        """Whether it is to be taken in, for the first time by this process or again."""
        told = self._told.get(name)
        return told is None or told[0] != missed or now - told[1] >= TELL_AGAIN

    async def _left_behind_by_others(self, placing: Placing, kept: Mapping[str, Kept]) -> list[Arrival]:
        """The ends of alerts that fire although their heartbeat has beaten since.

        Another process may have been kept from telling of it until after its end had been told.
        """
        asked = []
        for heartbeat in placing.plan.heartbeats:
            one = kept.get(heartbeat.name)
            if one and one.pulse.last and not one.pulse.missing:
                pulse = one.pulse
                end = Missing(pulse.last, heartbeat.labels, heartbeat.annotations).ends(pulse.last)
                asked += [(place, end) for place in placing.placed(end.key, end.labels).places]
        began = await self._records.firing([(place.shard, place.gid, end.key) for place, end in asked])
        return [end for (_, end), since in zip(asked, began, strict=True) if 0 < since <= end.starts_at]


def _measure(placing: Placing, kept: Mapping[str, Kept], over: Container[str]) -> None:
    states: Counter[State] = Counter()
    for heartbeat in placing.plan.heartbeats:
        one = kept.get(heartbeat.name)
        found = state(one.pulse if one else None)
        states["alive" if heartbeat.name in over else found] += 1
    for each in get_args(State):
        metrics.heartbeats.labels(each).set(states[each])
