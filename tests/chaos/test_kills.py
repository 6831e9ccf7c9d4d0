"""SIGKILL at chosen and at random moments: whoever was answered 200 is told, and nobody is paged twice.

Every test prints its seed, how many processes it killed and what repeats that cost. `-m long` kills hundreds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest
from wire import STEPS, sprung

pytestmark = pytest.mark.chaos
KILLS = int(os.environ.get("TOCSIN_KILLS", "150"))  # of each long test


def every_step(random):
    moments = [(step, when) for step in STEPS for when in ("before", "after")]
    random.shuffle(moments)
    return moments


async def killed_while_it_sends(pagerduty, moment, kill):
    """`kill` is called when PagerDuty has an event, before or after it takes it."""
    killed = asyncio.Event()
    setattr(pagerduty, moment, lambda: (kill(), killed.set()))
    await asyncio.wait_for(killed.wait(), 15)


async def test_one_process_is_killed_before_and_after_each_step(town, redis, wire):
    one = town.gateway("--redis", wire.url)
    await one.start()
    async with town.traffic_to(one) as traffic:
        for step, when in every_step(town.random):
            await sprung(wire.set(step, when))
            one.kill()
            await one.start()
            await asyncio.sleep(town.random.uniform(0, 0.5))
        for moment in ("on_request", "on_taken"):
            await killed_while_it_sends(town.pagerduty, moment, one.kill)
            await one.start()
    await town.judge("each step, one process", one, traffic, redis_url=redis.url)


async def test_one_of_two_workers_is_killed_before_and_after_each_step(town, redis, wire):
    both = town.gateway("--redis", wire.url, "--workers", "2")
    await both.start()
    async with town.traffic_to(both) as traffic:
        for number, (step, when) in enumerate(every_step(town.random), 1):
            await sprung(wire.set(step, when))
            both.kills.append(time.monotonic())
            await asyncio.sleep(town.random.uniform(0, 0.5))
            if number % 4 == 0:  # whoever dies often is started again later and later
                both.kill()
                await both.start()
    await town.judge("each step, two workers", both, traffic, redis_url=redis.url)


async def killed_at_random(gateway, random, kills):
    """Its first process, with all that hangs on it, or one of its workers if it has any."""
    for _ in range(kills):
        await asyncio.sleep(random.uniform(0.05, 1.2))
        workers = gateway.workers()
        if len(workers) == 2 and random.random() < 0.5:
            gateway.kill(random.choice(workers))
        else:
            gateway.kill()
            await gateway.start(ready=random.random() < 0.8)  # or killed while it starts
    await gateway.wait_ready()


@pytest.mark.parametrize(("workers", "kills"), [("1", 10), ("2", 8)])
async def test_the_embedded_store_dies_with_its_gateway(town, workers, kills):
    one = town.gateway("--workers", workers)
    await one.start()
    async with town.traffic_to(one) as traffic:
        await killed_at_random(one, town.random, kills)
    await town.judge(f"embedded, {workers} workers", one, traffic)


async def test_the_store_is_killed_under_a_living_gateway(town, redis):
    one = town.gateway("--redis", redis.url)
    await one.start()
    async with town.traffic_to(one) as traffic:
        for _ in range(5):
            await asyncio.sleep(town.random.uniform(0.3, 1.5))
            redis.kill()
            await asyncio.sleep(town.random.uniform(0, 1.0))
            await redis.start()
    what = "redis-server killed 5 times"
    await town.judge(what, one, traffic, redis_url=redis.url, deaths=[], store_killed=True)


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.long), "2"])
async def test_the_embedded_store_is_killed_under_a_living_gateway(town, workers):
    one = town.gateway("--workers", workers)
    await one.start()
    async with town.traffic_to(one) as traffic:
        for _ in range(4):
            await asyncio.sleep(town.random.uniform(0.3, 1.5))
            await one.store_is_there()
            os.kill(one.store(), signal.SIGKILL)
    what = f"embedded store killed 4 times, {workers} workers"
    await town.judge(what, one, traffic, deaths=[], store_killed=True)


async def test_restarts_under_load_lose_and_repeat_nothing(town, redis):
    one = town.gateway("--redis", redis.url)
    await one.start()
    slowest = 0.0
    async with town.traffic_to(one) as traffic:
        for _ in range(5):
            await asyncio.sleep(town.random.uniform(0.2, 1.0))
            slowest = max(slowest, await one.terminate())
            await one.start()
    what = f"restarts, the slowest took {slowest:.2f} s"
    await town.judge(what, one, traffic, redis_url=redis.url, deaths=[])
    assert slowest < 10


@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kept_in", ["redis", "embedded"])
async def test_hundreds_of_kills(town, redis, workers, kept_in):
    url = redis.url if kept_in == "redis" else f"unix://{town.folder}/data/store.sock"
    one = town.gateway("--workers", workers, *(["--redis", url] if kept_in == "redis" else []))
    await one.start()
    async with town.traffic_to(one, groups=40) as traffic:
        await killed_at_random(one, town.random, KILLS)
    await town.judge(f"{kept_in}, {workers} workers", one, traffic, redis_url=url, within_s=60)
