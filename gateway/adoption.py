"""Adoption: after a change of the configuration, open incidents go on where their alerts belong now.

A group that all its firing alerts have left, for one other that does not exist yet, stays what it is: it goes
on as that other one. Which group goes on as which (`Aliases`) is found out once under each generation of the
plan, and kept in the store, so that every process places alerts alike. Other alerts that have left a group
fire there until their end (docs/decisions/strays.md).

`routing/adoption.py` finds that out, `routing/adopting.py` what the change means for an incident.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from gateway.orders import orders_of, to_write
from gateway.placing import Placement
from gateway.store import keys
from gateway.store.records import group_meta
from gateway.store.unavailable import StoreUnavailableError
from routing.adoption import adopted_by, differs
from routing.deciding import besides, counted, told
from routing.recorded import made
from routing.tree import POLICY

if TYPE_CHECKING:
    from gateway.book import PlanBook
    from gateway.placing import Placing
    from gateway.store.store import Store
    from routing.adoption import Adoption, Aliases
    from routing.incident_records import Incident

log = structlog.get_logger()

TRIES: Final = 20
KEPT: Final = 3
"""Of how many generations it is remembered which group went on as which."""


async def settle(store: Store, adoption: Adoption, generation: str) -> Aliases:
    """Which group goes on as which from now on; the first process that knows says so for all."""
    asked = sorted(adoption.asked())
    there = await store.together(("EXISTS", f"{_at(store, gid)}:g:{gid}") for gid in asked)
    found = adoption.settle({gid for gid, exists in zip(asked, there, strict=True) if exists})
    await store.write("HSETNX", keys.ADOPTED, generation, orjson.dumps(found).decode())
    return dict(orjson.loads(await store.read("HGET", keys.ADOPTED, generation)))


def _at(store: Store, gid: str) -> str:
    return keys.prefix(keys.shard_of(gid, store.shards))


def strays(store: Store, adoption: Adoption, found: Aliases) -> dict[str, tuple[Placement, ...]]:
    """Alert key -> groups in which it fires although it belongs to others now."""
    return {
        key: tuple(Placement(keys.shard_of(gid, store.shards), gid, "", 0, 1) for gid in gids)
        for key, gids in adoption.strays(found).items()
    }


async def carry_over(
    store: Store, adoption: Adoption, found: Aliases, book: PlanBook, placing: Placing
) -> None:
    """Every group's record says by which route it goes on; what its policy says now counts."""
    now_by = adoption.by_now(found)
    records = await store.together(
        ("HMGET", f"{_at(store, gid)}:g:{gid}", "meta", "clocked") for gid in now_by
    )
    shards = {gid: keys.shard_of(gid, store.shards) for gid in now_by}
    for (gid, place), (text, clocked) in zip(now_by.items(), records, strict=True):
        if text:
            at = replace(place, gid=gid, shard=shards[gid])
            await _carry_over_if_it_can(store, text, at, book, placing, old=clocked is None)
    for shard in range(store.shards):
        await store.hurry(shard, [gid for gid in now_by if shards[gid] == shard])


def _of_before(incident: Incident) -> bool:
    """It was written by a version that told the first steps of policies, and nobody after them."""
    return incident.open and not incident.policy and incident.receiver.startswith(POLICY)


async def aliases(store: Store, generation: str) -> tuple[Aliases, bool]:
    """What counts under this generation, and whether that is settled; else what counted before it."""
    found = _pairs(await store.read("HGETALL", keys.ADOPTED))
    if generation in found:
        return dict(orjson.loads(found[generation])), True
    older = sorted(found, key=lambda one: int(one.split(" ")[0]))
    for one in older[:-KEPT]:
        await store.write("HDEL", keys.ADOPTED, one)
    return (dict(orjson.loads(found[older[-1]])) if older else {}), False


def _pairs(answer: dict[str, str] | list[str]) -> dict[str, str]:
    """A hash, as either protocol of Redis answers it."""
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


async def _carry_over_if_it_can(
    store: Store, before: str, place: Placement, book: PlanBook, placing: Placing, *, old: bool
) -> None:
    """One record that cannot be read, or decided about, keeps no configuration from being loaded."""
    try:
        if old or differs(group_meta(before), group_meta(place.meta)):
            await _carry_over(store, place, book, placing)
    except StoreUnavailableError:
        raise
    except Exception:
        log.exception("incident.not_adopted", group=place.gid)


async def _carry_over(store: Store, place: Placement, book: PlanBook, placing: Placing) -> None:
    """The record of a group says under which route it goes on; done once, whoever comes first."""
    for _ in range(TRIES):
        group = await store.view(place.shard, place.gid)
        meta, incident = group_meta(place.meta), group.incident
        if incident is None or not (_of_before(incident) or differs(group.meta, meta)):
            return
        event = adopted_by(meta)
        known = counted(group, incident, placing.plan.severities)
        decision, record = made(
            incident,
            event,
            group.now,
            known,
            told(group, incident),
            book=book,
            plan=placing.plan.digest,
        )
        orders = orders_of(group, decision, book)
        written = to_write(
            group, besides(group, decision), orders, fresh=False, meta=place.meta, record=record
        )
        if await store.commit(place.shard, place.gid, written, {}) is not None:
            log.info("incident.adopted", incident=incident.number, route=meta.route)
            return
    log.warning("incident.not_adopted", group=place.gid, reason="it changed all the time")
