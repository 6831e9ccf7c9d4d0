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
    for shard in range(store.shards):
        if wanted.statuses - {Status.RESOLVED}:
            found += await _newest(store, shard, "unresolved", wanted, limit)
        if Status.RESOLVED in wanted.statuses:
            found += await _newest(store, shard, "resolved", wanted, limit)
    return sorted(found, key=lambda incident: incident.number, reverse=True)[:limit]


async def _newest(store: Store, shard: int, name: str, wanted: Wanted, limit: int) -> list[Incident]:
    at, found = keys.prefix(shard), []
    for start in range(0, MOST, PAGE):
        numbers = await store.read("ZREVRANGE", f"{at}:{name}", start, start + PAGE - 1)
        docs = await store.read("MGET", *(f"{at}:i:{number}" for number in numbers)) if numbers else ()
        for incident in (from_record(orjson.loads(doc)) for doc in docs if doc):
            if await _meets(store, shard, incident, wanted):
                found.append(incident)
                if len(found) == limit:
                    return found
        if len(numbers) < PAGE:
            break
    return found


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
