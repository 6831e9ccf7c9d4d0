"""Adoption: after a change of the configuration, open incidents go on where their alerts belong now.

A group that all its firing alerts have left, for one other that does not exist yet, stays what it is: it goes
on as that other one. Which group goes on as which (`Aliases`) is found out once under each generation of the
plan, and kept in the store, so that every process places alerts alike. Other alerts that have left a group
fire there until their end (docs/decisions/strays.md).

`routing/adopting.py` decides what the change means for an incident.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from gateway.orders import orders_of, to_write
from gateway.placing import Placement
from gateway.store import keys
from gateway.store.records import group_meta
from gateway.store.unavailable import StoreUnavailableError
from routing.deciding import besides, counted, told
from routing.events import Adopted
from routing.incident import decide
from routing.tree import POLICY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.book import PlanBook
    from gateway.placing import Placing
    from gateway.store.store import Store
    from routing.incident_records import Incident

log = structlog.get_logger()

TRIES: Final = 20
KEPT: Final = 3
"""Of how many generations it is remembered which group went on as which."""

Aliases = dict[str, str]
"""Group that alerts belong to -> group that they are kept in."""


@dataclass(slots=True)
class _Group:
    """A group with firing alerts: where they belong now.

    `own` says what the plan has of it, None where an alert belongs elsewhere; `others`, to which groups
    all of those belong that have been looked at.
    """

    own: Placement | None
    others: dict[str, Placement]
    gone: list[str] = field(default_factory=list)


class Adoption:
    """One process's part in a change of the configuration: `look_at` each firing alert, then `settle`."""

    def __init__(self, store: Store, bare: Placing, before: Aliases) -> None:
        """`bare` places by the new plan alone; `before` is what has counted until now."""
        self._store = store
        self._bare = bare
        self._before = before
        self._groups: dict[str, _Group] = {}
        self._natural: set[str] = set()

    def look_at(self, gid: str, key: str, labels: Mapping[str, str]) -> None:
        """One alert that fires in a group."""
        placed = self._bare.placed(key, labels).places
        places = {self._before.get(place.gid, place.gid): place for place in placed}
        self._natural.update(places)
        group = self._groups.get(gid)
        if group is None:
            group = self._groups[gid] = _Group(places.get(gid), places)
        else:
            group.others = {one: place for one, place in group.others.items() if one in places}
        if gid in places:
            group.own = group.own or places[gid]
        else:
            group.gone.append(key)

    async def settle(self, *, settled: bool) -> Aliases:
        """Which group goes on as which from now on; the first process that knows says so for all.

        `settled`: it has been said for this generation.
        """
        if settled:
            return self._before
        found = {new: old for new, old in self._before.items() if await self._exists(old)}
        found |= {new: old for new, old in self._before.items() if new in found.values()}
        taken: set[str] = set()
        for gid, group in self._groups.items():
            if group.own is None and gid not in self._natural:
                for one, place in group.others.items():
                    if place.gid not in taken and not await self._exists(one):
                        taken.add(place.gid)
                        self._goes_on(found, gid, place.gid)
                        break
        generation = self._bare.generation
        await self._store.write("HSETNX", keys.ADOPTED, generation, orjson.dumps(found).decode())
        return dict(orjson.loads(await self._store.read("HGET", keys.ADOPTED, generation)))

    def _goes_on(self, found: Aliases, gid: str, new: str) -> None:
        """Should alerts come that belong to the old one by its own name, they are another matter."""
        another = blake2b(f"{gid} {self._bare.generation}".encode(), digest_size=8).hexdigest()
        for name in [gid, *(name for name, old in found.items() if old == gid)]:
            found[name] = another
        found[new] = gid

    async def _exists(self, gid: str) -> bool:
        at = keys.prefix(keys.shard_of(gid, self._store.shards))
        return bool(await self._store.read("EXISTS", f"{at}:g:{gid}"))

    def strays(self, found: Aliases) -> dict[str, tuple[Placement, ...]]:
        """Alert key -> groups in which it fires although it belongs to others now."""
        strays: dict[str, tuple[Placement, ...]] = {}
        for gid, group in self._groups.items():
            if group.gone and not self._goes_on_as(gid, group, found):
                stray = Placement(keys.shard_of(gid, self._store.shards), gid, "", 0, 1)
                for key in group.gone:
                    strays[key] = (*strays.get(key, ()), stray)
        return strays

    def _goes_on_as(self, gid: str, group: _Group, found: Aliases) -> Placement | None:
        return next((place for place in group.others.values() if found.get(place.gid) == gid), None)

    async def carry_over(self, found: Aliases, book: PlanBook, placing: Placing) -> None:
        """Every group's record says by which route it goes on; what its policy says now counts."""
        now_by = {
            gid: group.own or self._goes_on_as(gid, group, found) for gid, group in self._groups.items()
        }
        gids = [gid for gid, place in now_by.items() if place is not None]
        shards = {gid: keys.shard_of(gid, self._store.shards) for gid in gids}
        found_of = await self._store.together(
            ("HMGET", f"{keys.prefix(shards[gid])}:g:{gid}", "meta", "clocked") for gid in gids
        )
        for gid, (text, clocked) in zip(gids, found_of, strict=True):
            place = now_by[gid]
            if place and text:
                at = replace(place, gid=gid, shard=shards[gid])
                await _carry_over_if_it_can(self._store, text, at, book, placing, old=clocked is None)
        for shard in range(self._store.shards):
            await self._store.hurry(shard, [gid for gid in gids if shards[gid] == shard])


def _differ(before: str, after: str) -> bool:
    """Others are told, or by another route. Timers alone stay as they were when the group opened."""
    was, will = group_meta(before), group_meta(after)
    return (was.route, was.receiver, was.team) != (will.route, will.receiver, will.team)


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
        if old or _differ(before, place.meta):
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
        if incident is None or not (_of_before(incident) or _differ(group.meta_text, place.meta)):
            return
        policy = meta.receiver.removeprefix(POLICY) if meta.receiver.startswith(POLICY) else ""
        event = Adopted(
            meta.route, meta.receiver, policy, meta.team, meta.group_interval, meta.repeat_interval
        )
        known = counted(group, incident, placing.plan.severities)
        decision = decide(incident, event, group.now, known, told(group, incident), book=book)
        orders = orders_of(group, decision, book)
        written = to_write(group, besides(group, decision), orders, fresh=False, meta=place.meta)
        if await store.commit(place.shard, place.gid, written, {}) is not None:
            log.info("incident.adopted", incident=incident.number, route=meta.route)
            return
    log.warning("incident.not_adopted", group=place.gid, reason="it changed all the time")
