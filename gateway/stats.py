"""What statistics are made of: the incidents of a time, and when people were rung because of each.

It reads in pages, so that a month of incidents is never in memory at once; `routing/stats.py` adds up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.store import keys
from routing.attempts import rang
from routing.incident_records import from_record
from routing.stats import Page
from routing.whom import whom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from gateway.store.store import Store
    from routing.incident_records import Incident

PAGE: Final = 50
_OF_DELIVERY: Final = ("receiver", "where", "kind", "person")


async def triggered(store: Store, since: int, until: int) -> AsyncIterator[tuple[Incident, tuple[Page, ...]]]:
    """Every incident that was triggered between these moments (ms), with the pages of it.

    Raises:
        StoreUnavailableError: Redis cannot be asked now.
    """
    for shard in range(store.shards):
        seen: set[str] = set()  # one that ends meanwhile stands in both sets
        for name, first in (("unresolved", "-inf"), ("resolved", str(since))):
            async for numbers in _pages(store, f"{keys.prefix(shard)}:{name}", first):
                fresh = [number for number in numbers if number not in seen]
                seen.update(fresh)
                found = [
                    one for one in await _records(store, shard, fresh) if since <= one.triggered_at < until
                ]
                if not found:
                    continue
                for incident, (lines, paged) in zip(found, await _told(store, shard, found), strict=True):
                    await asyncio.sleep(0)  # a timeline can be long, and others have their turn
                    yield incident, tuple(_rung(map(orjson.loads, lines), paged))


async def _pages(store: Store, key: str, first: str) -> AsyncIterator[Sequence[str]]:
    start = 0
    while numbers := await store.read("ZRANGEBYSCORE", key, first, "+inf", "LIMIT", start, PAGE):
        yield numbers
        start += PAGE


async def _records(store: Store, shard: int, numbers: Sequence[str]) -> list[Incident]:
    if not numbers:
        return []
    docs = await store.read("MGET", *(f"{keys.prefix(shard)}:i:{number}" for number in numbers))
    return [from_record(orjson.loads(doc)) for doc in docs if doc]


async def _told(
    store: Store, shard: int, found: Sequence[Incident]
) -> list[tuple[Sequence[str], dict[str, str]]]:
    """Of each its timeline, and whom it pages: the target of a line -> the person, "" for PagerDuty."""
    at = keys.prefix(shard)
    lines = await store.together(("LRANGE", f"{at}:l:{one.number}", 0, -1) for one in found)
    ids = await store.together(("SMEMBERS", f"{at}:id:{one.number}") for one in found)
    each = [(place, did) for place, dids in enumerate(ids) for did in dids]
    fields = await store.together(("HMGET", f"{at}:d:{did}", *_OF_DELIVERY) for _, did in each)
    paged: list[dict[str, str]] = [{} for _ in found]
    for (place, _), (receiver, where, kind, person) in zip(each, fields, strict=True):
        if person or kind == "pagerduty":
            paged[place][whom(kind, receiver, where, person or "")] = person or ""
    return list(zip(lines, paged, strict=True))


def _rung(lines: Iterable[dict[str, Any]], paged: dict[str, str]) -> Iterable[Page]:
    for line in lines:
        target = line.get("target", "")
        if target in paged and rang(line["kind"], line["text"]):
            yield Page(int(line["at"]), paged[target])
