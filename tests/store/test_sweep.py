"""The records are the truth and the deadlines an index: whatever is missing from it is put back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from world import HOUR, MINUTE, SECOND, World

from gateway.store import keys, reading
from receivers.base import Message, Outcome, Refused, Retry, Sent

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
route:
  receiver: hook
  group_by: [cluster]
  routes:
    - {matchers: [team="p"], receiver: pager, group_wait: 0s}
    - {matchers: [team="m"], receiver: mail, group_wait: 5s}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
  - name: pager
    pagerduty_configs: [{routing_key: "0123456789abcdef0123456789abcdef"}]
  - name: mail
    email_configs: [{to: a@b.test, from: t@b.test, smarthost: "mail.test:25", send_resolved: true}]
"""


def answer(message: Message) -> Outcome:
    """A pager that is closed for ten minutes, a mail server that is down for two, a web server."""
    since = message.now - message.opened_at
    if message.receiver == "pager" and since < 10 * MINUTE:
        return Retry("slow down", after=MINUTE, closes_target=True)
    if message.receiver == "mail" and since < 2 * MINUTE:
        return Retry("no answer")
    return Sent()


async def swept(world: World) -> int:
    """A whole round of the sweep; how many deadlines it put back."""
    repaired = 0
    for shard in range(world.store.shards):
        done = False
        while not done:
            _, found, _, done = await world.store.sweep(shard)
            repaired += found
    return repaired


async def story(
    url: str, folder: Path, deleted: list[int], at: int
) -> tuple[list[object], set[str], set[str]]:
    """What is told when at `at` some deadlines get lost: those whose number is in `deleted`."""
    async with Redis.from_url(url) as redis:
        await redis.flushall()
    world = await World.make(url, folder, CONFIG)
    world.recorder.answer = answer
    try:
        for n in range(3):
            await world.until(n * 7 * SECOND)
            for team in ("", "p", "m"):
                await world.take(world.fires("A", cluster=str(n), team=team))
        await world.until(at)
        before = await world.due()
        lost = {member for number, member in enumerate(sorted(before)) if number in deleted}
        for shard in range(world.store.shards):
            if lost:
                await world.redis.zrem(f"{keys.prefix(shard)}:due", *lost)
        assert await swept(world) == len(lost)
        after = set(await world.due())
        await world.until(15 * MINUTE)
        await world.take(
            *(world.ends("A", cluster=str(n), team=team) for n in range(3) for team in ("p", "m"))
        )
        await world.until(HOUR)
        told = [(n.at, n.receiver, n.kind, n.message.group_labels["cluster"]) for n in world.notes]
        return sorted(told), set(before), after
    finally:
        await world.close()


@pytest.mark.usefixtures("_quiet")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deleted=st.lists(st.integers(0, 20), unique=True),
    at=st.sampled_from([1, 20, 40, 100, 500]).map(lambda s: s * SECOND),
)
def test_lost_deadlines_come_back_and_the_story_is_the_same(
    redis_server: str, tmp_path: Path, deleted: list[int], at: int
) -> None:
    told, before, after = asyncio.run(story(redis_server, tmp_path, deleted, at))
    untouched, _, _ = asyncio.run(story(redis_server, tmp_path, [], at))
    assert before == after
    assert told == untouched


async def test_the_index_can_be_lost_altogether(world: World) -> None:
    await world.take(*(world.fires("A", cluster=str(n)) for n in range(20)))
    for shard in range(world.store.shards):
        await world.redis.delete(f"{keys.prefix(shard)}:due")
    assert await swept(world) == 20
    await world.until(MINUTE)
    assert len(world.notes) == 20


async def test_what_is_in_order_is_left_alone(world: World) -> None:
    await world.take(*(world.fires("A", cluster=str(n)) for n in range(20)))
    await world.until(MINUTE)
    before = await world.due()
    assert await swept(world) == 0
    assert await world.due() == before


async def test_a_sweep_says_how_much_it_looked_at(world: World) -> None:
    await world.take(*(world.fires("A", cluster=str(n)) for n in range(20)))
    await world.until(10 * SECOND)
    counts = [await world.store.sweep(shard) for shard in range(world.store.shards)]
    assert sum(looked for looked, *_ in counts) == 20
    assert all(done for *_, done in counts)


async def test_a_lost_alert_timer_comes_back_with_its_group(world: World) -> None:
    await world.take(world.fires("A", until=4 * MINUTE))
    await world.until(MINUTE)
    for shard in range(world.store.shards):
        await world.redis.delete(f"{keys.prefix(shard)}:due")
    await swept(world)
    await world.until(6 * MINUTE)
    assert world.story()[-1] == (330.0, "end", "", "A")


async def test_resolved_incidents_are_forgotten_when_their_time_is_over(world: World) -> None:
    await one_incident(world)
    assert await reading.incident(world.store, 1)
    day = 24 * HOUR
    await world.pass_to(330 * SECOND + 30 * day - 1)
    await swept(world)
    assert await reading.incident(world.store, 1)
    await world.pass_to(330 * SECOND + 30 * day)
    await swept(world)
    assert await reading.incident(world.store, 1) is None
    assert await left_of(world, "d:*", "i:*", "l:*", "id:*") == []


async def test_dead_letters_are_forgotten_with_their_incident(world: World) -> None:
    world.recorder.answer = lambda _: Refused("no such address")
    await one_incident(world)
    assert len(await reading.deliveries(world.store, "dead", 9)) == 1
    await world.pass_to(31 * 24 * HOUR)
    await swept(world)
    assert await reading.deliveries(world.store, "dead", 9) == []


async def test_an_open_incident_is_never_forgotten(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.pass_to(400 * 24 * HOUR)
    await swept(world)
    assert await reading.incident(world.store, 1)


async def test_in_the_end_nothing_is_left_of_an_incident(world: World) -> None:
    await one_incident(world)
    await world.until(31 * 24 * HOUR)
    await swept(world)
    await world.until(32 * 24 * HOUR)
    assert (
        await left_of(world, "g:*", "s:*", "c:*", "f:*", "e:*", "x:*", "gd:*", "d:*", "i:*", "due", "groups")
        == []
    )


async def one_incident(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(20 * MINUTE)


async def left_of(world: World, *patterns: str) -> list[str]:
    return [key for pattern in patterns for key in await world.redis.keys(f"t:{{*}}:{pattern}")]
