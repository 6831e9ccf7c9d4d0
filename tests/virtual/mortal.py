"""Processes in virtual time that die and stall: each a whole `World` of its own, on one Redis with one clock.

A process falls at a chosen step: before or after Redis has done it, or a receiver has taken a message. Who is
killed is gone with all that it had claimed; who is stopped (SIGSTOP) goes on later, by what it knew. A `Town`
lets time pass for all of them, up to the next deadline or the next thing that is planned.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from world import START, Recorder, World

from gateway.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from pathlib import Path
    from random import Random

    from world import Note

    from receivers.base import Message, Outcome

LEASE = 4_000
QUIET = 600_000  # nobody waits for what is forgotten in a day
STEPS = ("claim", "commit", "begin", "sent", "view", "ingest", "send")


class Footing:
    """Whether a process stands. `trap`: the step at which it falls, before or after it is done."""

    def __init__(self) -> None:
        self.trap: tuple[str, str] | None = None
        self.fallen = asyncio.Event()
        self.stands = asyncio.Event()
        self.stands.set()

    async def at(self, step: str, when: str) -> None:
        """Falls where that was wanted; nobody goes on in a process that has fallen."""
        if self.trap == (step, when) and self.stands.is_set():
            self.trap = None
            self.stands.clear()
            self.fallen.set()
        await self.stands.wait()


class MortalStore(Store):
    """The store, with a trap before and after each step."""

    def __init__(self, *how: Any) -> None:
        super().__init__(*how)
        self.footing = Footing()

    async def _run(self, name: str, shard: int, *args: Any) -> Any:
        await self.footing.at(name, "before")
        answer = await super()._run(name, shard, *args)
        await self.footing.at(name, "after")
        return answer


class MortalRecorder(Recorder):
    """What is sent arrives, whoever dies before he hears so."""

    async def send(self, config: Any, message: Message, memory: Mapping[str, Any]) -> Outcome:
        await self.world.store.footing.at("send", "before")
        outcome = await super().send(config, message, memory)
        await self.world.store.footing.at("send", "after")
        return outcome


class Process(World):
    """One process of a town."""

    store_of = MortalStore
    store: MortalStore

    def __init__(self, redis: Redis, path: Path, shards: int) -> None:
        super().__init__(redis, path, shards)
        self.recorder = MortalRecorder(self)
        self.sender._receivers = dict.fromkeys(self.sender._receivers, self.recorder)
        self.stalls_for = 0  # if it falls, 0 for ever
        self.resumes = 0

    @property
    def footing(self) -> Footing:
        return self.store.footing

    async def unless_fallen(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What comes of it; None where the process falls meanwhile. One that only stalls may yet do it."""
        task = asyncio.create_task(work)
        fallen = asyncio.create_task(self.footing.fallen.wait())
        await asyncio.wait({task, fallen}, return_when=asyncio.FIRST_COMPLETED)
        fallen.cancel()
        if task.done():
            return task.result()
        if not self.stalls_for or work.__name__ == "settle":
            task.cancel()
        return None


class Town:
    """Processes, what is planned, and what happened: `notes`, `deaths` and `nobody` (from, until; ms)."""

    def __init__(self, url: str, path: Path, random: Random, shards: int = 2) -> None:
        self.url, self.path, self.random, self.shards = url, path, random, shards
        self.up: list[Process] = []
        self.stalled: list[Process] = []
        self.gone: list[Process] = []
        self.notes: list[Note] = []
        self.deaths: list[tuple[float, float]] = []
        self.nobody: list[tuple[float, float]] = []
        self.now = 0
        self._planned: list[tuple[int, int, Callable[[], Awaitable[None]]]] = []
        self._numbers = count()

    async def begin(self, processes: int = 2) -> None:
        first = await World.make(self.url, self.path.parent, self.path.read_text(), self.shards)
        self.watcher = first  # looks, and does nothing
        for _ in range(processes):
            await self.start_one()

    async def start_one(self) -> None:
        if self.nobody and self.now < self.nobody[-1][1]:
            return  # nobody is to be there
        one = Process(Redis.from_url(self.url, decode_responses=True), self.path, self.shards)
        one.now = START + self.now
        one.recorder.notes = self.notes
        await one.plan.start()
        await one.holds.keep_up(0)
        self.up.append(one)

    def plan(self, at: float, what: Callable[[], Awaitable[None]]) -> None:
        """Does it at that time, or now if that is past."""
        heapq.heappush(self._planned, (max(int(at), self.now), next(self._numbers), what))

    def anybody(self) -> Process | None:
        """Somebody who stands."""
        standing = [one for one in self.up if one.footing.stands.is_set()]
        return self.random.choice(standing) if standing else None

    async def run(self) -> None:
        """Until nothing is planned, and nothing due for a while."""
        while True:
            upcoming = await self._settle()
            times = [self._planned[0][0]] if self._planned else []
            times += [one.resumes for one in self.stalled]
            if self.up:
                times += [upcoming] if upcoming else []
            if not self._planned and min(times, default=inf) > self.now + QUIET:
                return
            await self._pass_to(min(times))

    async def _pass_to(self, at: int) -> None:
        self.now = max(at, self.now)
        for one in (self.watcher, *self.up, *self.stalled):
            one.now = START + self.now
        await self.watcher._set_clock()
        for one in [one for one in self.stalled if one.resumes <= self.now]:
            self.stalled.remove(one)
            one.footing.fallen.clear()
            one.footing.stands.set()
            self.up.append(one)

    async def _settle(self) -> int:
        """What is planned for now happens while all work; when somebody is needed next, 0 for never."""
        while True:
            due = []
            while self._planned and self._planned[0][0] <= self.now:
                due.append(heapq.heappop(self._planned)[2])
            at_work = list(self.up)
            works = (one.unless_fallen(one.settle()) for one in at_work)
            *_, upcoming = await asyncio.gather(*(what() for what in due), _all(works))
            for one in at_work:
                await self._see_to(one)
            again = due or any(moment is None for moment in upcoming)
            if not again or not self.up:
                coming = [moment for moment in upcoming if moment]
                return min(coming, default=START) - START

    async def _see_to(self, one: Process) -> None:
        """Whoever has fallen is buried, or put aside; others take over."""
        if not one.footing.fallen.is_set() or one not in self.up:
            return
        self.up.remove(one)
        self.deaths.append((self.now, self.now + max(LEASE, one.stalls_for)))
        if one.stalls_for:
            one.resumes = self.now + one.stalls_for
            self.stalled.append(one)
        else:
            await self._bury(one)
        if not self.up:
            await self.start_one()
        elif not one.stalls_for:
            self.plan(self.now + self.random.randint(0, 3) * 1_000, self.start_one)

    async def _bury(self, one: Process) -> None:
        self.gone.append(one)
        await asyncio.gather(one.engine.stop(0), one.sender.stop(0))

    async def somebody_trips(self) -> None:
        """At the next step of a kind a process falls, for good or for some seconds."""
        one = self.anybody()
        if one is None or one.footing.trap:
            return
        step = self.random.choice(STEPS)
        one.footing.trap = (step, self.random.choice(("before", "after")))
        stalls = self.random.random() < 0.3 and step != "ingest"
        one.stalls_for = self.random.choice((1, 2, 5, 6, 7)) * 1_000 if stalls else 0

    async def all_die(self, away: int) -> None:
        """Nobody is left, for so long (ms)."""
        self.nobody.append((self.now, self.now + away))
        for one in [*self.up, *self.stalled]:
            one.footing.stands.clear()
            one.footing.fallen.set()
            one.stalls_for = 0
            await self._bury(one)
        self.deaths.append((self.now, self.now + LEASE))
        self.up, self.stalled = [], []
        for _ in range(2):
            self.plan(self.now + away, self.start_one)

    async def close(self) -> None:
        for one in (*self.up, *self.stalled, *self.gone):
            await one.close()
        await self.watcher.close()


async def _all(works: Any) -> list[int | None]:
    return list(await asyncio.gather(*works))
