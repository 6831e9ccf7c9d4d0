"""Many alerts at one moment: they are read and given up page by page, and none is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

from gateway.store import keys, reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from routing.alerts import Arrival


ONE_HOOK = """
route: {receiver: hook, group_by: [cluster]}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""


async def fill(world: World, clusters: int, alerts: int, until: int | None = None) -> list[Arrival]:
    """So many groups of so many alerts, spread over all shards."""
    fired = [
        world.fires(f"A{n}", until=until, cluster=str(cluster))
        for cluster in range(clusters)
        for n in range(alerts)
    ]
    for at in range(0, len(fired), 1_000):
        await world.intake.take(fired[at : at + 1_000])
    return fired


async def test_every_alert_that_fires_is_read_whatever_the_pages(world: World) -> None:
    fired = await fill(world, 3, 1_100) + await fill(world, 2_400, 1)
    shards = [await world.redis.scard(f"{keys.prefix(n)}:groups") for n in range(world.store.shards)]
    assert min(shards) > reading.PAGE
    read = reading.firing_alerts(world.store)
    found = {(key, labels["cluster"], labels["alertname"]) async for _, key, labels, _ in read}
    assert found == {(a.key, a.labels["cluster"], a.labels["alertname"]) for a in fired}


async def test_alerts_that_ended_are_not_among_them(world: World) -> None:
    await fill(world, 4, 3)
    await world.take(*(world.ends("A1", cluster=str(cluster)) for cluster in range(4)))
    names = [labels["alertname"] async for _, _, labels, _ in reading.firing_alerts(world.store)]
    assert sorted(names) == ["A0"] * 4 + ["A2"] * 4


@pytest.fixture
async def one_shard(redis_server: str, tmp_path: Path, _quiet: None) -> AsyncIterator[World]:
    made = await World.make(redis_server, tmp_path, ONE_HOOK, shards=1)
    yield made
    await made.close()


async def test_deadlines_that_pass_together_are_kept_over_several_claims(one_shard: World) -> None:
    await fill(one_shard, 10, 500, until=2 * MINUTE)
    await one_shard.until(MINUTE)
    await one_shard.pass_to(2 * MINUTE)
    left = []
    for _ in range(3):
        await one_shard.claims()
        left.append(await firing(one_shard))
    assert left == [3_000, 1_000, 0]
    await one_shard.until(HOUR)
    ends = [note for note in one_shard.notes if note.kind == "end"]
    assert (len(ends), sum(note.message.resolved for note in ends)) == (10, 5_000)


async def firing(world: World) -> int:
    gids = await world.redis.smembers("t:{0}:groups")
    return sum([await world.redis.zcard(f"t:{{0}}:f:{gid}") for gid in gids])


async def test_one_group_of_thousands_whose_deadlines_pass_ends_as_a_whole(world: World) -> None:
    await fill(world, 1, 5_000, until=2 * MINUTE)
    await world.until(HOUR)
    assert [(note.kind, note.at) for note in world.notes] == [("ring", 30 * SECOND), ("end", 330 * SECOND)]
    assert (world.notes[-1].message.firing, world.notes[-1].message.resolved) == (0, 5_000)
