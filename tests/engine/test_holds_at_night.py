"""What could go wrong with holds while nobody is looking: races, restarts, reloads, news that is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from world import HOUR, MINUTE, SECOND, START, World

from gateway.store import keys
from gateway.store.unavailable import PlanChangedError
from routing.matchers import parse_matchers
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

HEAD = """
route:
  receiver: hook
  group_by: [cluster]
  group_wait: 30s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""
CONFIG = (
    HEAD
    + """
inhibit_rules:
  - name: node
    source_matchers: [alertname="NodeDown"]
    target_matchers: [severity="low"]
    equal: [node]
"""
)
AT_ONCE = CONFIG.replace("30s", "0s")
BY_NAME = AT_ONCE.replace("[cluster]", "[alertname]")


async def silence(world: World, matchers: str, end: int, identity: str = "") -> str:
    wanted = Wanted(parse_matchers(matchers), START + end, "dana", "maintenance", id=identity)
    return (await world.holds.silence_store.put(wanted)).silence.id


async def held(world: World) -> dict[str, int]:
    """How many alerts of each group are held."""
    found = {}
    for at in map(keys.prefix, range(world.store.shards)):
        for gid in await world.redis.smembers(f"{at}:groups"):
            found[gid] = await world.redis.hlen(f"{at}:h:{gid}")
    return found


def told_of(world: World, name: str) -> list[int]:
    return [note.at for note in world.notes if name in note.firing]


async def test_who_was_overtaken_while_it_weighed_begins_no_second_incident(make_world: MakeWorld) -> None:
    world = await make_world(AT_ONCE)
    await world.intake.take([world.fires("Slow", severity="low", node="a")])
    await world.pass_to(3 * SECOND)
    (late,) = [group for claim in await world.claims() for group in claim.groups]
    await world.pass_to(8 * SECOND)  # its lease has ended
    await world.settle()
    world.engine.accept([late])
    await world.until(MINUTE)
    assert [note.message.incident for note in world.notes] == [1]


async def test_who_works_by_an_older_configuration_judges_nobody(
    make_world: MakeWorld, redis_server: str
) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    (gid,) = [gid for gid, count in (await held(world)).items() if count]
    old = World(Redis.from_url(redis_server, decode_responses=True), world.path, world.store.shards)
    await old.plan.start()
    world.path.write_text(HEAD)
    await world.plan.reload()
    with pytest.raises(PlanChangedError):
        await old.holds.weigh(keys.shard_of(gid, world.store.shards), gid)
    await world.until(10 * MINUTE)
    assert told_of(world, "Slow")
    await old.close()


async def test_nobody_is_held_for_ever_by_news_that_was_lost(make_world: MakeWorld) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    await world.redis.delete(*await world.redis.keys("t:{*}:w"))  # as they run out after a week
    await world.take(world.ends("NodeDown", node="a"))
    await world.until(HOUR)
    for shard in range(world.store.shards):
        await world.store.sweep(shard)
    await world.until(HOUR + MINUTE)
    assert told_of(world, "Slow") == [HOUR + 30 * SECOND]


async def test_what_was_judged_lately_is_not_judged_at_every_sweep(make_world: MakeWorld) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(20 * MINUTE)
    before = await world.due()
    for shard in range(world.store.shards):
        await world.store.sweep(shard)
    assert await world.due() == before
