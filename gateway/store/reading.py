"""What people and the sender read: incidents, timelines, deliveries, the alerts of a group, in pages.

Nothing here changes anything. Times are milliseconds; the HTTP API turns them into text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import orjson

from gateway.store import keys
from gateway.store.records import stored_alerts
from routing.incident_records import Incident, from_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from gateway.store.store import Store
    from routing.stored import StoredAlert


PAGE: Final = 500
EVER: Final = 1 << 52


class Firing(NamedTuple):
    """An alert that fires; `held` is what holds it back, as it is stored, "" for nothing."""

    gid: str
    key: str
    labels: dict[str, str]
    held: str

    @property
    def held_by(self) -> str:
        """What kind of thing holds it: silence, inhibition, release, grace; "" for nothing."""
        return str(orjson.loads(self.held)["by"]) if self.held else ""


async def firing_alerts(store: Store) -> AsyncIterator[Firing]:
    """Every alert that fires, held or not, of every group."""
    for shard in range(store.shards):
        async for page in firing_pages(store, shard):
            for alert in page:
                yield alert


async def firing_pages(store: Store, shard: int) -> AsyncIterator[list[Firing]]:
    """Every alert of a shard that fires, in pages."""
    at = keys.prefix(shard)
    async for gids in _groups(store, at):
        firing = await store.together(("ZRANGE", f"{at}:f:{gid}", 0, -1) for gid in gids)
        held = await store.together(("HGETALL", f"{at}:h:{gid}") for gid in gids)
        all_of = [
            (gid, [(key, "") for key in free] + list(_pairs(by)))
            for gid, free, by in zip(gids, firing, held, strict=True)
        ]
        wanted = [
            (gid, found[start : start + PAGE])
            for gid, found in all_of
            for start in range(0, len(found), PAGE)
        ]
        contents = await store.together(
            ("HMGET", f"{at}:c:{gid}", *(key for key, _ in page)) for gid, page in wanted
        )
        for (gid, page), texts in zip(wanted, contents, strict=True):
            yield [
                Firing(gid, key, labels, by)
                for (key, by), text in zip(page, texts, strict=True)
                if (labels := labels_of(text)) is not None
            ]


def labels_of(content: str | None) -> dict[str, str] | None:
    """An alert's labels, None where it is gone or cannot be read: it must not keep others waiting."""
    if not content:
        return None
    try:
        labels: dict[str, str] = orjson.loads(content)[0]
    except (ValueError, LookupError, TypeError):
        import structlog  # noqa: PLC0415 - who only simulates does not wait for it

        structlog.get_logger().warning("alert.unreadable", record=content[:200])
        return None
    return labels


def _pairs(answer: Any) -> Iterable[tuple[str, str]]:
    """A hash, as either protocol of Redis answers it."""
    return answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)


async def _groups(store: Store, at: str) -> AsyncIterator[list[str]]:
    """Pages, so that a start does not take a round trip for each group."""
    cursor, first = 0, True
    while cursor or first:
        first = False
        cursor, found = await store.read("SSCAN", f"{at}:groups", cursor, "COUNT", PAGE)
        yield list(found)


async def _ranges(store: Store, key: str, low: int, high: int) -> list[list[str]]:
    found = await store.read("ZRANGEBYSCORE", key, low, high)
    return [found[at : at + PAGE] for at in range(0, len(found), PAGE)]


async def held(store: Store, gid: str, limit: int) -> list[tuple[StoredAlert, str]]:
    """Alerts of a group that fire and are held, at most `limit`, each with by what, as it is stored."""
    at = keys.prefix(keys.shard_of(gid, store.shards))
    pairs = list(_pairs(await store.read("HGETALL", f"{at}:h:{gid}")))[:limit]
    if not pairs:
        return []
    states = await store.read("HMGET", f"{at}:s:{gid}", *(key for key, _ in pairs))
    contents = await store.read("HMGET", f"{at}:c:{gid}", *(key for key, _ in pairs))
    there = [
        (state, content, by)
        for (_, by), state, content in zip(pairs, states, contents, strict=True)
        if state and content
    ]
    alerts = stored_alerts([state for state, _, _ in there], [content for _, content, _ in there])
    return list(zip(alerts, (by for _, _, by in there), strict=True))


async def alerts(
    store: Store, gid: str, which: Literal["f", "e"], low: int, high: int
) -> AsyncIterator[tuple[StoredAlert, ...]]:
    """Pages of a group's firing (`f`) or ended (`e`) alerts of revisions `low` to `high`."""
    at = keys.prefix(keys.shard_of(gid, store.shards))
    for alert_keys in await _ranges(store, f"{at}:{which}:{gid}", low, high):
        states = await store.read("HMGET", f"{at}:s:{gid}", *alert_keys)
        contents = await store.read("HMGET", f"{at}:c:{gid}", *alert_keys)
        yield stored_alerts(states, contents)


async def incidents(store: Store, status: Literal["open", "resolved", "all"], limit: int) -> list[Incident]:
    """The newest `limit` incidents, newest first."""
    found: list[Incident] = []
    for shard in range(store.shards):
        at = keys.prefix(shard)
        sets = {"open": ("unresolved",), "resolved": ("resolved",), "all": ("unresolved", "resolved")}[status]
        numbers = [
            number for name in sets for number in await store.read("ZREVRANGE", f"{at}:{name}", 0, limit - 1)
        ]
        docs = await store.read("MGET", *(f"{at}:i:{number}" for number in numbers)) if numbers else []
        found += [from_record(orjson.loads(doc)) for doc in docs if doc]
    return sorted(found, key=lambda incident: incident.number, reverse=True)[:limit]


async def incident(store: Store, number: int) -> tuple[int, Incident] | None:
    """The incident with this number and its shard."""
    for shard in range(store.shards):
        doc = await store.read("GET", f"{keys.prefix(shard)}:i:{number}")
        if doc:
            return shard, from_record(orjson.loads(doc))
    return None


async def incident_of_group(store: Store, gid: str) -> tuple[int, Incident] | None:
    """A group's present or last incident and the shard, None where it never had one."""
    shard = keys.shard_of(gid, store.shards)
    doc = await store.read("HGET", f"{keys.prefix(shard)}:g:{gid}", "doc")
    return (shard, from_record(orjson.loads(doc))) if doc else None


async def timeline(store: Store, shard: int, number: int) -> list[dict[str, Any]]:
    """Its lines, oldest first: {at, kind, text, target, incident}."""
    lines = await store.read("LRANGE", f"{keys.prefix(shard)}:l:{number}", 0, -1)
    return [orjson.loads(line) for line in lines]


async def activity(store: Store, limit: int) -> list[dict[str, Any]]:
    """The newest lines of all incidents, newest first."""
    lines: list[dict[str, Any]] = []
    for shard in range(store.shards):
        found = await store.read("LRANGE", f"{keys.prefix(shard)}:activity", 0, limit - 1)
        lines += map(orjson.loads, found)
    return sorted(lines, key=lambda line: line["at"], reverse=True)[:limit]


async def deliveries_of(store: Store, shard: int, number: int) -> list[dict[str, str]]:
    """Every delivery of an incident, in the order of its receiver's integrations."""
    at = keys.prefix(shard)
    ids = await store.read("SMEMBERS", f"{at}:id:{number}")
    return await _deliveries(store, at, sorted(ids, key=_in_order))


async def deliveries(
    store: Store, state: Literal["open", "dead", "done", "all"], limit: int
) -> list[dict[str, str]]:
    """At most `limit` deliveries, newest incidents first, without their pinned addresses."""
    found: list[dict[str, str]] = []
    for shard in range(store.shards):
        at = keys.prefix(shard)
        if state == "open":
            ids: Iterable[str] = await store.read("SMEMBERS", f"{at}:open")
        elif state == "dead":
            ids = await store.read("ZREVRANGE", f"{at}:dead", 0, limit - 1)
        else:
            ids = await _ids_of_newest(store, at, limit)
        newest = sorted(ids, key=_in_order, reverse=True)[:limit]
        found += [
            fields for fields in await _deliveries(store, at, newest) if state in ("all", fields["state"])
        ]
    return found[:limit]


async def _ids_of_newest(store: Store, at: str, limit: int) -> set[str]:
    numbers = [
        number
        for name in ("unresolved", "resolved")
        for number in await store.read("ZREVRANGE", f"{at}:{name}", 0, limit - 1)
    ]
    return set(await store.read("SUNION", *(f"{at}:id:{n}" for n in numbers))) if numbers else set()


async def delivery(store: Store, did: str) -> dict[str, str] | None:
    """One delivery by its id."""
    for shard in range(store.shards):
        if found := await _deliveries(store, keys.prefix(shard), [did]):
            return found[0]
    return None


async def _deliveries(store: Store, at: str, ids: Sequence[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for did in ids:
        fields = await store.read("HGETALL", f"{at}:d:{did}")
        if fields:
            fields.pop("pinned", None)  # it holds secrets
            found.append({"id": did, **fields})
    return found


async def waiting(store: Store) -> tuple[int, int, int]:
    """Deliveries that are open and dead, and since when the oldest has had something to say, 0 for none."""
    open_, dead, since = 0, 0, 0
    for shard in range(store.shards):
        at = keys.prefix(shard)
        open_ += await store.read("SCARD", f"{at}:open")
        dead += await store.read("ZCARD", f"{at}:dead")
        for _, score in await store.read("ZRANGE", f"{at}:unsent", 0, 0, "WITHSCORES"):
            since = min(since or int(score), int(score))
    return open_, dead, since


async def sources(store: Store) -> int:
    """Alerts that can inhibit others, in all shards."""
    return sum(
        [int(await store.read("HLEN", f"{keys.prefix(shard)}:sources")) for shard in range(store.shards)]
    )


def _in_order(did: str) -> tuple[int, int]:
    number, _, position = did.partition(".")
    return int(number), int(position)
