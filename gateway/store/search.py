"""Incidents found by what they are, the newest first; nothing here changes anything.

The records are looked through in pages, of each shard at most `MOST` that are open and as many that are not:
what is rare among hundreds of thousands is not worth an answer that never comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from gateway.store import keys
from routing.incident_records import Incident, Status, from_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.store import Store

PAGE: Final = 500
MOST: Final = 20_000
OPEN: Final = frozenset((Status.TRIGGERED, Status.ACKNOWLEDGED))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents; what is empty is not asked for.

    Attributes:
        person: the user who has acknowledged it, or has been told of it in person.
    """

    statuses: frozenset[Status] = frozenset(Status)
    team: str = ""
    severity: str = ""
    person: str = ""


async def search(store: Store, wanted: Wanted, limit: int) -> list[Incident]:
    """At most `limit` of them, the highest number first. Raises `StoreUnavailableError`."""
    found: list[Incident] = []
    sets = [name for name in ("unresolved", "resolved") if _has(name, wanted.statuses)]
    for shard in range(store.shards):
        for name in sets:
            here = 0
            async for incident in _newest(store, shard, name):
                if await _meets(store, shard, incident, wanted):
                    found.append(incident)
                    here += 1
                    if here == limit:
                        break
    return sorted(found, key=lambda incident: incident.number, reverse=True)[:limit]


def _has(name: str, statuses: frozenset[Status]) -> bool:
    return Status.RESOLVED in statuses if name == "resolved" else bool(statuses - {Status.RESOLVED})


async def _newest(store: Store, shard: int, name: str) -> AsyncIterator[Incident]:
    at = keys.prefix(shard)
    for start in range(0, MOST, PAGE):
        numbers = await store.read("ZREVRANGE", f"{at}:{name}", start, start + PAGE - 1)
        if not numbers:
            return
        for doc in await store.read("MGET", *(f"{at}:i:{number}" for number in numbers)):
            if doc:
                yield from_record(orjson.loads(doc))


async def _meets(store: Store, shard: int, incident: Incident, wanted: Wanted) -> bool:
    if incident.status not in wanted.statuses:
        return False
    if wanted.team and incident.team != wanted.team:
        return False
    if wanted.severity and incident.severity != wanted.severity:
        return False
    if not wanted.person or (incident.ack and incident.ack.by == wanted.person):
        return True
    at = keys.prefix(shard)
    deliveries = await store.read("SMEMBERS", f"{at}:id:{incident.number}")
    told = await store.together(("HGET", f"{at}:d:{did}", "person") for did in deliveries)
    return wanted.person in told
