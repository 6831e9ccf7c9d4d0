"""Policies while processes die: every step is heard that must be, and none that an answer spared.

Gateways, their workers and Redis are killed, one or several at once, and stopped for longer than a lease,
while people answer over HTTP. Prints its seed and what the judge saw; `-m long` goes on for minutes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from random import Random

import aiohttp
import pytest
from judge_of_steps import Judge
from plain_policies import Lateness, Span, Story
from processes import Gateway, alive
from random_policies import config, some_policies
from town_of_policies import Sink, Told, wall

pytestmark = pytest.mark.chaos
UNIT = 1_500  # ms
LEASE, SLACK, WIRE = 4_000, 1_500, 1_500
TARGETS = [f"t{number}" for number in range(9)]
STORIES = int(os.environ.get("TOCSIN_STORIES", "2000"))  # of each long test


class Town:
    """Some gateways on one Redis, who is killed in it, and when."""

    def __init__(self, folder, redis, random: Random, seed: int, *workers: int) -> None:
        self.redis, self.random, self.seed = redis, random, seed
        self.sink = Sink(random)
        names = [f"p{number}" for number in range(8)]
        self.policies = some_policies(random, names, TARGETS, UNIT)
        self.path = folder / "tocsin.yaml"
        self.gateways = []
        for at, count in enumerate(workers):
            home = folder / f"home{at}"
            home.mkdir()
            options = ("--redis", redis.url, "--data-dir", str(home), "--workers", str(count))
            self.gateways.append(Gateway(home, self.path, *options))
        self.deaths: list[tuple[float, float]] = []
        self.stalls: list[tuple[float, float]] = []
        self.kills = 0

    async def start(self) -> None:
        await self.sink.start()
        self.path.write_text(config(self.policies, TARGETS, f"{self.sink.url}/hook"))
        for one in self.gateways:
            await one.start()

    async def stop(self) -> None:
        for one in self.gateways:
            one.end()
        await self.sink.stop()

    async def somebody_dies(self) -> None:
        dice, since = self.random.random(), wall()
        one = self.random.choice(self.gateways)
        if dice < 0.2:
            await self._store_dies()
        elif dice < 0.4:
            await self._stalls(self.random.choice([*one.workers(), one.pid]))
        elif dice < 0.6 and (workers := one.workers()):
            one.kill(self.random.choice(workers))
            self.kills += 1
        else:
            several = self.gateways if dice > 0.85 else [one]
            for gateway in several:
                gateway.kill()
                self.kills += 1
            await asyncio.sleep(self.random.uniform(0, 1))
            await asyncio.gather(*(gateway.start() for gateway in several))
        self.deaths.append((since - 200, max(wall(), since + LEASE) + 500))

    async def _store_dies(self) -> None:
        for gateway in self.gateways:
            await gateway.wait_ready()
        self.redis.kill()
        self.kills += 1
        await asyncio.sleep(self.random.uniform(0, 1))
        await self.redis.start()
        for gateway in self.gateways:
            await gateway.wait_ready()
        await asyncio.sleep(4)  # they look again, let others speak first, and wait for leases of before

    async def _stalls(self, pid: int) -> None:
        since = wall()
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self.random.uniform(4.5, 6))
        if alive(pid):
            os.kill(pid, signal.SIGCONT)
        self.stalls.append((since, wall()))

    async def lives(self, stories: int, seconds: float) -> list[Story]:
        """So many stories begin within so many seconds, while one after the other dies."""
        told = [self._story(number) for number in range(stories)]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client:

            async def later(one: Told) -> None:
                await asyncio.sleep(self.random.uniform(0, seconds))
                await one.goes(client)

            stories_told = asyncio.gather(*map(later, told))
            end = time.monotonic() + seconds + 5
            while time.monotonic() < end:
                await asyncio.sleep(self.random.uniform(1.5, 5))
                await self.somebody_dies()
            await asyncio.wait_for(stories_told, 120)
        return [one.story for one in told]

    def _story(self, number: int) -> Told:
        story = Story(f"S{number}", self.random.choice(list(self.policies)), Span(0, 0))
        return Told(self.gateways, self.sink, Random(self.seed + number), story, UNIT)

    async def unfinished(self, within_s: float = 30) -> list[str]:
        """What is not over when all should be, after a while."""
        end = time.monotonic() + within_s
        while True:
            left = []
            for what in ("incidents?status=open", "deliveries?state=open"):
                status, found = await self.gateways[0].get(f"/api/v1/{what}&limit=1000")
                left += (
                    [f"answered {status}"]
                    if status != 200
                    else [str(one) for one in next(iter(found.values()))]
                )
            if not left or time.monotonic() > end:
                return left
            await asyncio.sleep(0.5)


async def told(town: Town, what: str, stories: int, seconds: float) -> None:
    try:
        await town.start()
        lived = await town.lives(stories, seconds)
        left = await town.unfinished()
        complaints = [line for one in town.gateways for line in one.complaints()]
    finally:
        await town.stop()
    judge = Judge(town.policies, Lateness(town.deaths, slack=SLACK), WIRE)
    finding = judge.all(lived, town.sink.heard(town.stalls))
    print(f"\n{what}, TOCSIN_SEED={town.seed}: {town.kills} kills, {len(town.stalls)} stalls\n    {finding}")
    wrong = finding.wrong + left + complaints
    for story in lived:
        if any(line.startswith(f"{story.name} ") for line in finding.wrong):
            zero, heard = story.fired.lo, town.sink.heard(town.stalls)[story.name]
            print(f"{story}\n{town.policies[story.policy]}")
            print("heard:", [(round(one.at - zero), one.who, one.kind) for one in heard])
            print("deaths:", [(round(since - zero), round(until - zero)) for since, until in town.deaths])
            print("stalls:", [(round(since - zero), round(until - zero)) for since, until in town.stalls])
    assert not wrong, "\n".join([f"TOCSIN_SEED={town.seed}", *wrong[:20]])


async def test_policies_are_kept_while_gateways_workers_and_redis_die(folder, redis, random, seed):
    await told(Town(folder, redis, random, seed, 1, 2), "two gateways, one with two workers", 100, 16)


@pytest.mark.long
async def test_policies_are_kept_for_minutes_while_everybody_dies(folder, redis, random, seed):
    town = Town(folder, redis, random, seed, 1, 2, 1)
    await told(town, "three gateways, one with two workers", STORIES, STORIES / 8)
