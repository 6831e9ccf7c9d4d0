"""The index of inhibition in Redis: which firing alerts are filed under which slot, and whom that concerns.

A shard's own records say which of its alerts are sources (`sources`, written in the same step that takes the
alert in), and which of those have moved since the index was told (`moved`). Here the index is told, and the
groups that the news concerns are marked, to be judged anew. Everything can be done twice, by several
processes, and again after one of them died in the middle: what has moved is settled last.

The index is only a hint. Before a source counts, its own record is asked: one that has ended, or that another
configuration filed, holds nobody, and is taken out.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.store import keys, reading
from routing.inhibition import Source
from routing.inhibition_index import score

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from config.compile import Plan
    from gateway.store.arguments import Generation
    from gateway.store.store import Store
    from routing.inhibition import Ask, Slot

PAGE: Final = 200
AGAIN: Final = 8  # how often an answer is asked for anew because it had sources that are gone
REGISTERED_S: Final = 7 * 86_400  # every judgement renews it
REMEMBERED: Final = 200_000  # of what this process has registered
SPACE: Final = 2  # ms between groups that are marked together


def written(slots: Iterable[Slot]) -> str:
    """Where an alert is filed as a source, for the scripts: names with spaces between, "" for none."""
    return " ".join([_side(slot.key, two_sided=slot.two_sided) for slot in slots])


class _Entry(NamedTuple):
    """What a shard's record says of a source (see `source_fires` in group.lua)."""

    fires: bool
    rank: int
    starts_at: int
    filed: tuple[str, ...]


def _entry(record: str | None) -> _Entry:
    if not record:
        return _Entry(fires=False, rank=0, starts_at=0, filed=())
    fires, rank, starts_at, *filed = record.split(" ")
    return _Entry(fires == "1", int(rank), int(starts_at), tuple(filed))


def _side(key: str, *, two_sided: bool) -> str:
    return f"{key}/{2 if two_sided else 1}"


def _waiting(slot_key: str) -> str:
    return f"{keys.slot(slot_key)}:w"


def _filed(side: str) -> str:
    key, _, number = side.rpartition("/")
    return f"{keys.slot(key)}:{number}"


class Sources:
    """The index, for all processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._registered: set[tuple[str, int, str]] = set()
        self._since = time.monotonic()

    async def register(self, gid: str, opened: int, slot_keys: Collection[str]) -> None:
        """The group has an alert that these slots could inhibit: it is to hear of their news.

        To be done before they are asked: then either the answer has the news, or the news finds the group.
        `opened` tells the group from an earlier one of the same name, which has been struck out.
        """
        if len(self._registered) > REMEMBERED or time.monotonic() - self._since > REGISTERED_S / 7:
            self._registered.clear()
            self._since = time.monotonic()
        new = [key for key in slot_keys if (gid, opened, key) not in self._registered]
        await self._register(gid, new)
        self._registered.update((gid, opened, key) for key in new)

    def forget(self) -> None:
        """The store was away, and may have lost what it was told last."""
        self._registered.clear()

    async def _register(self, gid: str, slot_keys: Collection[str]) -> None:
        # By the time of each, so that groups which are gone do not pile up where a source seldom speaks.
        now = int(time.time())
        await self._store.together(
            command
            for at in map(_waiting, slot_keys)
            for command in (
                ("ZADD", at, now, gid),
                ("ZREMRANGEBYSCORE", at, "-inf", now - REGISTERED_S),
                ("EXPIRE", at, REGISTERED_S),
            )
        )

    async def ask(self, asks: Collection[Ask]) -> dict[Ask, tuple[Source, ...]]:
        """The sources of each slot that is asked for, in order; each of them fires by its own record."""
        found: dict[Ask, tuple[Source, ...]] = {}
        left = list(asks)
        for _ in range(AGAIN):
            filed = await self._store.together(
                ("ZRANGE", _filed(_side(ask.key, two_sided=ask.two_sided)), 0, ask.limit - 1) for ask in left
            )
            known = await self._truth({member for members in filed for member in members})
            gone: list[tuple[str, str]] = []
            again: list[Ask] = []
            for ask, members in zip(left, filed, strict=True):
                side = _side(ask.key, two_sided=ask.two_sided)
                stale = [m for m in members if m not in known or side not in known[m][1]]
                if stale:
                    gone += [(side, member) for member in stale]
                    again.append(ask)
                found[ask] = tuple(known[m][0] for m in members if m not in stale)
            if not again:
                break
            await self._take_out(gone)
            left = again
        return found

    async def _take_out(self, gone: Sequence[tuple[str, str]]) -> None:
        """Sources that have ended leave the index, (side, member); one that fires again comes back."""
        await self._store.together(("ZREM", _filed(side), member) for side, member in gone)
        known = await self._truth({member for _, member in gone})
        await self._store.together(
            ("SADD", f"{self._prefix(member.split('.', 1)[1])}:moved", member)
            for side, member in gone
            if member in known and side in known[member][1]
        )

    async def _truth(self, members: Iterable[str]) -> dict[str, tuple[Source, set[str]]]:
        """What the shards' own records say of those that fire: the source, and where it is filed by now."""
        wanted = sorted(members)
        places = [(m, *m.split(".", 1), self._prefix(m.split(".", 1)[1])) for m in wanted]
        records = await self._store.together(("HGET", f"{at}:sources", m) for m, _, _, at in places)
        contents = await self._store.together(
            ("HGET", f"{at}:c:{gid}", alert) for _, alert, gid, at in places
        )
        found = {}
        for (member, alert, _, _), record, content in zip(places, records, contents, strict=True):
            entry = _entry(record)
            if entry.fires and (labels := reading.labels_of(content)) is not None:
                source = Source(alert, member, entry.rank, entry.starts_at, labels)
                found[member] = (source, set(entry.filed))
        return found

    def _prefix(self, gid: str) -> str:
        return keys.prefix(keys.shard_of(gid, self._store.shards))

    async def sync(self, shard: int) -> None:
        """Tells the index of the shard's sources that have moved, and marks the groups that this concerns.

        All are filed before anybody is told: to tell 100,000 groups takes seconds, and is done once.
        """
        at = keys.prefix(shard)
        while moved := list(await self._store.read("SMEMBERS", f"{at}:moved")):
            pages = [moved[start : start + PAGE] for start in range(0, len(moved), PAGE)]
            concerned: set[str] = set()
            read: list[tuple[str, str]] = []
            for members in pages:
                records = await self._store.read("HMGET", f"{at}:sources", *members)
                rows = [(member, record or "") for member, record in zip(members, records, strict=True)]
                concerned |= await self._file(rows)
                read += rows
            await self._tell(concerned)
            for start in range(0, len(read), PAGE):
                await self._store.settle_sources(shard, read[start : start + PAGE])

    async def _file(self, rows: Sequence[tuple[str, str]]) -> set[str]:
        """Files what fires and takes out what has ended: (member, record). The slots that this concerns."""
        changes: dict[tuple[str, str], list[Any]] = defaultdict(list)  # (command, key) -> arguments
        concerned: set[str] = set()
        for member, record in rows:
            entry = _entry(record)
            for side in entry.filed:
                change = changes["ZADD" if entry.fires else "ZREM", _filed(side)]
                change += (score(entry.rank, entry.starts_at), member) if entry.fires else (member,)
                concerned.add(side.rpartition("/")[0])
        await self._store.together((*change, *arguments) for change, arguments in changes.items())
        return concerned

    async def _tell(self, slot_keys: Collection[str]) -> None:
        """Marks the groups that have registered under the slots."""
        named = list(slot_keys)
        groups = await self._store.together(("ZRANGE", _waiting(key), 0, -1) for key in named)
        slots_of: Mapping[str, list[str]] = defaultdict(list)
        for key, gids in zip(named, groups, strict=True):
            for gid in gids:
                slots_of[gid].append(key)
        gone = await self.mark(list(slots_of))
        for start in range(0, len(gone), PAGE):
            await self._strike_out({gid: slots_of[gid] for gid in gone[start : start + PAGE]})

    async def mark(self, gids: Sequence[str]) -> list[str]:
        """Marks groups to be judged anew; those that are gone come back.

        Of very many the later ones are due a little later, so that they do not hold up what is due meanwhile.
        """
        by_shard: dict[int, list[str]] = defaultdict(list)
        for gid in gids:
            by_shard[keys.shard_of(gid, self._store.shards)].append(gid)
        gone: list[str] = []
        for shard, of_shard in by_shard.items():
            for start in range(0, len(of_shard), PAGE):
                gone += await self._store.mark(shard, of_shard[start : start + PAGE], SPACE * start)
        return gone

    async def _strike_out(self, slots_of: Mapping[str, Sequence[str]]) -> None:
        """Groups that are gone are no longer told; one that is back by the time that is done, is again."""
        await self._store.together(
            ("ZREM", _waiting(key), gid) for gid, slot_keys in slots_of.items() for key in slot_keys
        )
        there = await self._store.together(("EXISTS", f"{self._prefix(gid)}:g:{gid}") for gid in slots_of)
        for gid in [gid for gid, exists in zip(slots_of, there, strict=True) if exists]:
            await self._register(gid, slots_of[gid])
            await self.mark([gid])


class Anew:
    """After a change of the configuration: every firing alert is filed as the source that it is now.

    Groups in which a rule may hold something else than before are marked.

    Done by each process that takes the configuration over; where it has been done already, nothing is.
    """

    def __init__(self, store: Store, plan: Plan, generation: Generation) -> None:
        self._store = store
        self._plan = plan
        self._generation = generation
        self._sources = Sources(store)
        self._needed = True
        self._rows: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
        self._concerned: dict[str, None] = {}
        self._filing: set[int] = set()  # shards that have sources of an older configuration

    async def begin(self) -> None:
        """Asks whether it has been done."""
        shards = range(self._store.shards)
        placed = await self._store.together(("HGET", f"{keys.prefix(n)}:holds", "placed") for n in shards)
        self._needed = any(generation != self._generation for generation in placed)
        if self._needed:
            # Should we come to grief, or another plan between us: it has not been done for either.
            await self._note("")
        known = await self._store.together(("EXISTS", f"{keys.prefix(n)}:sources") for n in shards)
        self._filing = {n for n, exists in zip(shards, known, strict=True) if exists}

    async def look_at(self, gid: str, alert: str, labels: Mapping[str, str], held: str) -> None:
        """One alert that fires in a group; `held` is by what, "" for nothing."""
        if not self._needed:
            return
        roles = self._plan.inhibition.roles(labels)
        if roles.targets or held:
            self._concerned[gid] = None
        shard = keys.shard_of(gid, self._store.shards)
        if roles.sources or shard in self._filing:
            rows = self._rows[shard]
            rows.append((gid, alert, written(roles.sources)))
            if len(rows) >= PAGE:
                await self._store.place_sources(shard, self._generation, rows)
                rows.clear()

    async def done(self) -> None:
        """The index is told before anybody is judged by it."""
        if not self._needed:
            return
        for shard, rows in self._rows.items():
            if rows:
                await self._store.place_sources(shard, self._generation, rows)
        for shard in range(self._store.shards):
            await self._sources.sync(shard)
        await self._sources.mark(list(self._concerned))
        await self._note(self._generation)

    async def _note(self, generation: str) -> None:
        await self._store.together(
            ("HSET", f"{keys.prefix(n)}:holds", "placed", generation) for n in range(self._store.shards)
        )
