"""Redis goes away for a while: who posts is asked to come again, and what was sent is not sent again."""

from __future__ import annotations

import asyncio
import os

import pytest

pytestmark = pytest.mark.chaos
AWAY_S = float(os.environ.get("TOCSIN_AWAY", "6"))  # longer than a lease


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.long), "2"])
async def test_what_was_on_the_wire_when_redis_went_is_not_sent_again(town, redis, workers):
    town.pagerduty.longest = 0.5
    one = town.gateway("--redis", redis.url, "--workers", workers)
    await one.start()
    async with town.traffic_to(one, groups=8) as traffic:
        await asyncio.sleep(town.random.uniform(1, 2))
        redis.kill()
        await asyncio.sleep(AWAY_S)
        await redis.start()
        await asyncio.sleep(1)
    what = f"redis away for {AWAY_S:.0f} s, {workers} workers"
    await town.judge(what, one, traffic, redis_url=redis.url, deaths=[], store_killed=True)
    assert traffic.refused["503"] > 3
