"""Holds while processes die: nobody who must be told is lost, and nobody is paged for what is held.

Gateways and the store are killed while alerts inhibit each other, also in a circle, while silences come and
go, and at a route that is muted. Every test prints its seed and what it saw. `-m long` goes on for minutes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from conftest import KEY
from judge_of_holds import Judge
from town_of_holds import TrafficWithHolds, config
from wire import STEPS_OF_HOLDING, sprung

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from processes import Gateway

pytestmark = pytest.mark.chaos
ROUNDS = int(os.environ.get("TOCSIN_ROUNDS", "8"))  # of each long test
KILLING_S = 8.0  # of each round


class Story:
    """One town with holds: rounds of killing, with a rest after each; then all that holds is let go."""

    def __init__(self, town, gateways: list[Gateway], redis_url: str, redis=None) -> None:
        self.town, self.gateways, self.redis = town, gateways, redis
        first, *others = (one.url for one in gateways)
        self.traffic = TrafficWithHolds(first, town.random, others=tuple(others))
        self.judge = Judge(gateways, self.traffic, town.pagerduty, redis_url)
        self.configure(mute="always")

    def configure(self, *, mute: str) -> None:
        self.town.config.write_text(config(KEY, self.town.pagerduty.enqueue_url, mute=mute))

    async def start(self) -> None:
        for one in self.gateways:
            await one.start()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Everything changes meanwhile; then nothing does, and all must be right."""
        self.traffic.stopping.clear()
        task = asyncio.create_task(self.traffic.run())
        try:
            yield
            self.traffic.stopping.set()
            await asyncio.wait_for(task, 60)
        finally:
            task.cancel()
        await self.rests("killed")

    async def round(self, *, calm_s: float) -> None:
        """Some seconds of kills, then some without."""
        end = time.monotonic() + KILLING_S
        async with self.changing():
            while time.monotonic() < end:
                await asyncio.sleep(self.town.random.uniform(0.1, 1.0))
                await self.somebody_dies()
            for one in self.gateways:
                await one.wait_ready()
            await asyncio.sleep(calm_s)

    async def somebody_dies(self) -> None:
        random, one = self.town.random, self.town.random.choice(self.gateways)
        dice = random.random()
        if dice < 0.3:
            await self.store_dies(one)
        elif dice < 0.6 and (workers := one.workers()):
            one.kill(random.choice(workers))
        else:
            one.kill()
            await asyncio.sleep(random.uniform(0, 0.5))
            await one.start(ready=random.random() < 0.8)

    async def store_dies(self, one: Gateway) -> None:
        for gateway in self.gateways:  # one that starts without its store ends and says so
            await gateway.wait_ready()
        self.judge.store_kills.append(time.monotonic())
        if self.redis is not None:
            self.redis.kill()
            await asyncio.sleep(self.town.random.uniform(0, 0.5))
            await self.redis.start()
        elif (store := one.store()) is not None:  # else it is about to be started
            os.kill(store, signal.SIGKILL)

    async def rests(self, after: str) -> None:
        began = time.monotonic()
        finding = await self.judge.at_rest()
        print(f"    {after}: at rest within {time.monotonic() - began:.1f} s, {finding}")
        self.fails(finding.wrong)

    async def let_go(self) -> None:
        """What holds ends, one kind after the other; whoever still fires must be told each time."""
        await self.traffic.expire_all()
        await self.rests("silences expired")
        await self.traffic.end(self.traffic.firing("source"))
        await self.rests("sources ended")
        await self.traffic.end(self.traffic.firing("red", "green"))
        await self.rests("circles broken")
        self.judge.muted_until = time.monotonic()
        self.configure(mute="never")
        for one in self.gateways:
            one.signal(signal.SIGHUP)
        await self.rests("unmuted")
        await self.traffic.end(self.traffic.firing())
        await self.rests("all over")

    async def ends(self, what: str) -> None:
        finding = await self.judge.of_all()
        kills = f"{len(self.judge.deaths)} kills, {len(self.judge.store_kills)} of them of the store"
        silences = f"{len(self.traffic.silences)} silences"
        print(f"{what}, TOCSIN_SEED={self.town.seed}: {kills}, {self.traffic.accepted} bodies, {silences}")
        print(f"    {finding}")
        self.fails(finding.wrong)

    def fails(self, wrong: list[str]) -> None:
        assert not wrong, "\n".join([f"TOCSIN_SEED={self.town.seed}", *wrong[:20]])


async def told(story: Story, what: str, rounds: int = 1, calm_s: float = 2.0) -> None:
    print()
    await story.start()
    for _ in range(rounds):
        await story.round(calm_s=calm_s)
    await story.let_go()
    await story.ends(what)


def two_processes(town, redis) -> Story:
    """Two of `tocsin serve` on one redis-server."""
    one = town.gateway("--redis", redis.url)
    other = town.gateway("--redis", redis.url, "--data-dir", str(town.folder / "other"))
    other.log = town.folder / "other.log"
    return Story(town, [one, other], redis.url, redis)


def two_workers(town) -> Story:
    """One with two workers, on its embedded store."""
    one = town.gateway("--workers", "2")
    return Story(town, [one], one.store_url())


async def test_two_processes_and_their_redis_die(town, redis):
    await told(two_processes(town, redis), "holds, two processes on redis-server")


async def test_two_workers_and_their_embedded_store_die(town):
    await told(two_workers(town), "holds, two workers on the embedded store")


@pytest.mark.long
async def test_two_processes_and_their_redis_die_again_and_again(town, redis):
    await told(two_processes(town, redis), "holds, two processes on redis-server", ROUNDS, calm_s=10)


@pytest.mark.long
async def test_two_workers_and_their_embedded_store_die_again_and_again(town):
    await told(two_workers(town), "holds, two workers on the embedded store", ROUNDS, calm_s=10)


@pytest.mark.long
async def test_one_process_is_killed_before_and_after_each_step_of_holding(town, redis, wire):
    one = town.gateway("--redis", wire.url)
    story = Story(town, [one], redis.url)
    await story.start()
    async with story.changing():
        for step in STEPS_OF_HOLDING:
            for when in ("before", "after"):
                await sprung(wire.set(step, when))
                one.kill()
                await one.start()
        await asyncio.sleep(5)
    await story.let_go()
    await story.ends("each step of holding, one process")
