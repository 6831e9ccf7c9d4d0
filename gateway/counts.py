"""What only the store knows, counted for `/metrics` every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import structlog

from gateway import metrics
from gateway.store import reading
from gateway.store.unavailable import StoreUnavailableError
from routing.silences import State, state

if TYPE_CHECKING:
    from gateway.holds import Holds
    from gateway.store.store import Store

log = structlog.get_logger()

EVERY_S: Final = 5.0


async def count(store: Store, holds: Holds) -> None:
    """Counts until cancelled."""
    while True:
        try:
            open_, dead, since = await reading.waiting(store)
            metrics.deliveries_waiting.labels("open").set(open_)
            metrics.deliveries_waiting.labels("dead").set(dead)
            metrics.oldest_unsent.set(max(0.0, time.time() - since / 1000) if since else 0)
            metrics.inhibition_sources.set(await reading.sources(store))
            now = await store.now(0)
            states = Counter(state(silence, now) for silence in holds.silences.all)
            for one in State:
                metrics.silences.labels(one.value).set(states[one])
        except StoreUnavailableError as error:
            log.debug("count.store_away", error=str(error))
        await asyncio.sleep(EVERY_S)
