"""The store: every atomic step on Redis as one method. Nothing else in Tocsin writes to Redis.

Each method is one script call on one shard; the scripts' own headers state what they touch. A method
raises `StoreUnavailableError` where Redis cannot be asked now, and `PlanChangedError` where a process
works with a configuration that is no longer in force. All times and durations are milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
from redis.exceptions import ReadOnlyError, RedisError

from gateway import metrics
from gateway.store import keys, scripts
from gateway.store.calls import Calls
from gateway.store.records import Claim, ClaimedDelivery, ClaimedGroup, begun, claimed_group
from gateway.store.unavailable import PlanChangedError, SchemaError, StoreUnavailableError
from receivers.base import SHOWN_ALERTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container, Iterable, Sequence

    from redis.asyncio import Redis

    from gateway.store.arguments import Generation, Judged, KeptRow, Room, Timing, Unit
    from gateway.store.calls import Argument
    from gateway.store.records import Counts
    from routing.stored import Begun

LEASE: Final = 4_000
MAX_ALERTS_A_CALL: Final = 1_000
FEW: Final = 8
MANY: Final = 500
"""Up to `FEW` commands share the trips of others; more of them travel by themselves, `MANY` at a time."""
SCHEMA: Final = 1
"""Of all records together; raised when a version of Tocsin can no longer read what an older one wrote."""
UNHEARD: Final = 5_000
"""A gap between two signs of life that is longer than this is a time in which nobody listened."""


class Store:
    """All shards of one Redis."""

    def __init__(self, redis: Redis, shards: int, timing: Timing, preamble: str | None = None) -> None:
        """`preamble` replaces the clock before every script (tests: a clock that they advance, a guard)."""
        self._redis = redis
        self._calls = Calls(redis)
        self.shards = shards
        self.timing = timing
        self._scripts = scripts.load_all(preamble)

    async def read(self, command: str, *args: Argument) -> Any:
        """One reading command of Redis, for `reading.py`."""
        async with self._available("read"):
            return await self._calls(command, *args)

    async def write(self, command: str, *args: Argument) -> Any:
        """One writing command of Redis on a key that no script touches."""
        async with self._available("write"):
            return await self._calls(command, *args)

    async def together(self, commands: Iterable[Sequence[Argument]]) -> list[Any]:
        """Several commands of Redis in few round trips; none of them may depend on another."""
        asked = list(commands)
        async with self._available("together"):
            if len(asked) <= FEW:
                return await asyncio.gather(*(self._calls(*command) for command in asked))
            found: list[Any] = []
            for start in range(0, len(asked), MANY):
                found += await self._calls.all(asked[start : start + MANY])
            return found

    async def _run(self, name: str, shard: int, *args: Argument) -> Any:
        async with self._available(name):
            return await self._scripts[name](self._calls, keys.prefix(shard), *args)

    @asynccontextmanager
    async def _available(self, call: str) -> AsyncIterator[None]:
        """Turns what Redis and its connection can do to us into `StoreUnavailableError`, and measures."""
        started = time.perf_counter()
        try:
            yield
        except (RedisError, OSError, TimeoutError) as error:
            if isinstance(error, ReadOnlyError):  # after a failover: the address may lead elsewhere by now
                await self._redis.connection_pool.disconnect()
            metrics.store_errors.labels(call).inc()
            raise StoreUnavailableError(f"Redis: {str(error) or type(error).__name__}") from error
        finally:
            metrics.store_call_duration.labels(call).observe(time.perf_counter() - started)

    async def adopt_plan(self, digest: str, *, loaded: bool) -> Generation | None:
        """Puts the plan in force in every shard (`loaded`: it was just read), or only asks whether it is.

        None where another one is in force and `loaded` is false. Shards that lost theirs, or were not reached
        when it was put in force, are given the one that is the newest anywhere.

        Raises:
            SchemaError: the records were written by a version that this one does not understand.
        """
        shards = range(self.shards)
        found = [tuple(await self._run("plan", shard, digest, 0, SCHEMA)) for shard in shards]
        generation, in_force = max(found)
        if min(found)[0] < 0:
            raise SchemaError
        if generation and in_force != digest:
            if not loaded:
                return None
            generation += 1
        generation = generation or 1
        for shard in shards:
            if found[shard] != (generation, digest):
                found[shard] = tuple(await self._run("plan", shard, digest, generation, SCHEMA))
        return f"{generation} {digest}" if all(one == (generation, digest) for one in found) else None

    async def ingest(
        self,
        shard: int,
        generation: Generation,
        units: Sequence[Unit],
        room: int,
        asked: Container[int] = (),
    ) -> tuple[list[Counts | None], tuple[ClaimedGroup, ...], int]:
        """Takes in at most `MAX_ALERTS_A_CALL` alerts, durably; claims up to `room` groups.

        The last number says how many sources of inhibition have moved in the shard.

        Of the units whose place is in `asked` only the digest is sent. That is all there is to say if the
        store has answered the same digest before; else it answers None, and they must be sent whole.
        """
        header = orjson.dumps(
            [
                (u.gid, u.digest, "", 0, 0, (), len(u.alerts))
                if place in asked
                else (u.gid, u.digest, u.meta, u.group_wait, u.group_interval, u.alerts, len(u.alerts))
                for place, u in enumerate(units)
            ]
        )
        contents = [c for place, unit in enumerate(units) if place not in asked for c in unit.contents]
        answer = await self._run(
            "ingest",
            shard,
            generation,
            self.timing.as_json,
            LEASE,
            room,
            header,
            *contents,
        )
        if answer[0] == "plan":
            raise PlanChangedError
        _, counts, views, moved = answer
        groups = tuple(claimed_group(shard, row) for row in views)
        return [tuple(row) if row else None for row in counts], groups, moved

    async def claim(self, shard: int, generation: Generation, groups: int, room: Room) -> Claim:
        """Claims what is due: at most so many groups and so many deliveries."""
        answer = await self._run(
            "claim",
            shard,
            generation,
            self.timing.as_json,
            LEASE,
            groups,
            orjson.dumps(room).decode(),
            UNHEARD,
            self.timing.resolve_timeout,
        )
        if answer[0] == "plan":
            raise PlanChangedError
        _, views, deliveries, wait, lateness, moved, walk, version = answer
        return Claim(
            tuple(claimed_group(shard, row) for row in views),
            _claimed(shard, deliveries),
            None if wait < 0 else int(wait),
            tuple(int(late) for late in lateness),
            moved,
            walk == 1,
            version,
        )

    async def commit(
        self, shard: int, gid: str, decision: dict[str, Any], room: Room
    ) -> tuple[ClaimedDelivery, ...] | None:
        """Writes a decision (see commit.lua), None where it was made from an older version of the group."""
        text, free = orjson.dumps(decision).decode(), orjson.dumps(room).decode()
        answer = await self._run("commit", shard, gid, LEASE, free, text)
        return None if answer[0] == "stale" else _claimed(shard, answer[1])

    async def view(self, shard: int, gid: str) -> ClaimedGroup:
        """The group as a decision sees it, without a lease."""
        return claimed_group(shard, await self._run("view", shard, gid))

    async def hurry(self, shard: int, gids: Sequence[str]) -> None:
        """Those of these groups whose incident goes by a policy are looked at at once."""
        for start in range(0, len(gids), MANY):
            await self._run("hurry", shard, *gids[start : start + MANY])

    async def begin(self, claimed: ClaimedDelivery, holds: Literal["", "0", "1"] = "") -> Begun | str | None:
        """The call right before sending; None where the attempt is no longer ours.

        `holds`: whether a rule could hold alerts here; "" not to ask. Else the answer may be a group's id: it
        is to be weighed first.
        """
        answer = await self._run(
            "begin", claimed.shard, claimed.id, claimed.attempt, LEASE, SHOWN_ALERTS, holds
        )
        if answer[0] == "weigh":
            return str(answer[1])
        return None if answer[0] == "lost" else begun(answer)

    async def sent(
        self, claimed: ClaimedDelivery, verdict: dict[str, Any], room: Room
    ) -> tuple[ClaimedDelivery, ...] | None:
        """Writes what became of an attempt (see sent.lua), None where it was no longer ours."""
        text, free = orjson.dumps(verdict).decode(), orjson.dumps(room).decode()
        answer = await self._run("sent", claimed.shard, claimed.id, claimed.attempt, LEASE, free, text)
        return None if answer[0] == "lost" else _claimed(claimed.shard, answer[1])

    async def renew(self, shard: int, held: Sequence[tuple[str, int]]) -> list[int]:
        """Prolongs leases of (member, score); the new scores, 0 for one that is somebody else's now."""
        flat: list[str | int] = [part for pair in held for part in pair]
        return [int(score) for score in await self._run("renew", shard, LEASE, *flat)]

    async def release(self, shard: int, members: Sequence[str], delay: int = 0) -> None:
        """Gives back what is claimed and not begun."""
        if members:
            await self._run("release", shard, delay, *members)

    async def sweep(self, shard: int, *, free_leases: bool = False) -> tuple[int, int, int, bool]:
        """Compares a page of records with the deadlines: looked at, put back, forgotten, a round is done."""
        looked, repaired, forgotten, done = await self._run(
            "sweep", shard, 500, self.timing.retention, int(free_leases)
        )
        return looked, repaired, forgotten, done == 1

    async def revive(self, delivery: str) -> str:
        """Tries a dead letter again: `ok`, `unknown`, or `alive` where it is not dead."""
        answers = [await self._run("revive", shard, delivery) for shard in range(self.shards)]
        return next((str(answer) for answer in answers if answer != "unknown"), "unknown")

    async def link_message(self, delivery: str, channel: str, ts: str, told: str) -> str:
        """Where a delivery's message is in Slack: `linked` now, `known`, another (`other`), or `unknown`."""
        where = (delivery, channel, ts, told)
        answers = [await self._run("link", shard, *where) for shard in range(self.shards)]
        return next((str(answer) for answer in answers if answer != "unknown"), "unknown")

    async def weigh(
        self, shard: int, generation: Generation, gid: str, judged: Judged, *, release: bool
    ) -> ClaimedGroup | None:
        """Writes what was judged of a group's alerts (weigh.lua); None where it was judged by old news."""
        answer = await self._run(
            "weigh",
            shard,
            gid,
            judged.marks,
            judged.version,
            judged.upto,
            int(judged.all),
            judged.looked,
            int(release),
            orjson.dumps(judged.changes),
            orjson.dumps(judged.lines),
            generation,
        )
        if answer[0] == "plan":
            raise PlanChangedError
        return None if answer[0] == "stale" else claimed_group(shard, answer[1])

    async def mark(self, shard: int, gids: Sequence[str], after: int) -> list[str]:
        """What may hold alerts of these groups has changed: they are due in `after` ms.

        Those that are gone come back.
        """
        return list(await self._run("mark", shard, after, *gids))

    async def walk_on(self, shard: int, version: int) -> None:
        """The walk through a shard begins, or goes on, by the silences of `version`."""
        await self._run("walk", shard, "on", version, LEASE)

    async def walk_ended(self, shard: int, version: int, next_at: int) -> bool:
        """It is over; the next one is at `next_at`, 0 for none. False where they have changed meanwhile."""
        return int(await self._run("walk", shard, "end", version, next_at)) == 1

    async def wake_walk(self, version: int) -> None:
        """The silences have changed: nobody judges by older ones, and every shard is walked through."""
        for shard in range(self.shards):
            await self._run("walk", shard, "wake", version, 0)

    async def place_sources(
        self, shard: int, generation: Generation, rows: Sequence[tuple[str, str, str]]
    ) -> None:
        """By the plan in force these alerts are sources: (group, alert, slots, "" for none)."""
        for start in range(0, len(rows), MANY):  # ten thousand at once would keep Redis from others
            flat = (part for row in rows[start : start + MANY] for part in row)
            if int(await self._run("sources", shard, "place", generation, *flat)) < 0:
                raise PlanChangedError

    async def settle_sources(self, shard: int, rows: Iterable[tuple[str, str]]) -> int:
        """The index tells of these: (member, entry as it was read); how many had not changed since."""
        return int(await self._run("sources", shard, "settle", *(part for row in rows for part in row)))

    async def now(self, shard: int = 0) -> int:
        """The store's clock."""
        return int(await self._run("time", shard))

    async def keep(
        self, name: str, now: int, forget: int, most: int, rows: Sequence[KeptRow]
    ) -> tuple[str, int]:
        """All rows or none (see kept.lua): `ok`, `changed` where a record is another by now, or `full`.

        `name` says of what (`keys.py`). With `ok` comes the version that they have since.
        """
        flat = [part for row in rows for part in row]
        async with self._available("kept"):
            script = self._scripts["kept"]
            answer = await script(self._calls, keys.SHARED, name, now, forget, most, *flat)
        return str(answer[0]), int(answer[1]) if len(answer) > 1 else 0

    async def heartbeats(self, shard: int, step: Literal["beat", "change"], *args: str) -> Any:
        """One step on the records of heartbeats (see heartbeats.lua)."""
        return await self._run("heartbeats", shard, step, *args)

    async def look_at_heartbeats(
        self, shard: int, generation: Generation, names: Sequence[str]
    ) -> Sequence[Any]:
        """The time, since when somebody has listened, then names and records; those named are made."""
        answer = await self._run("heartbeats", shard, "look", generation, UNHEARD, *names)
        if answer[0] == "plan":
            raise PlanChangedError
        return list(answer[1:])

    async def pagerduty(self, shard: int, step: str, *args: Argument) -> Any:
        """One step on the events of PagerDuty (see pagerduty.lua)."""
        return await self._run("pagerduty", shard, step, *args)

    async def next_number(self) -> int:
        """The number of the next incident."""
        async with self._available("number"):
            return int(await self._calls("INCR", keys.NUMBER))

    async def ping(self) -> None:
        """Raises `StoreUnavailableError` unless Redis really answers within a second."""
        async with self._available("ping"), asyncio.timeout(1):
            await self._calls("PING")


def _claimed(shard: int, rows: Sequence[Sequence[Any]]) -> tuple[ClaimedDelivery, ...]:
    return tuple(
        ClaimedDelivery(shard, did, int(attempt), int(lease), kind) for did, attempt, lease, kind in rows
    )
