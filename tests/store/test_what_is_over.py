"""What is over leaves nothing behind, and what is not over is not forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, World

from gateway.store import keys, reading
from receivers.base import Refused, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SHORT = """
route: {receiver: hook, group_by: [cluster]}
redis: {retention: 1h}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""


@pytest.fixture
async def world(redis_server: str, tmp_path: Path, _quiet: None) -> AsyncIterator[World]:
    made = await World.make(redis_server, tmp_path, SHORT, shards=1)
    yield made
    await made.close()


async def swept(world: World) -> int:
    """How many incidents a sweep has forgotten."""
    return (await world.store.sweep(0))[2]


async def resolved(world: World, *, told: bool = True) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    if not told:
        world.recorder.answer = lambda _: Retry("no answer")
    await world.take(world.ends("A"))
    await world.until(7 * MINUTE)


async def oldest(world: World) -> int:
    return (await reading.waiting(world.store))[2]


async def test_an_incident_whose_end_is_still_to_be_told_outlives_its_retention(world: World) -> None:
    await resolved(world, told=False)
    await world.until(2 * HOUR)
    assert (await swept(world), await oldest(world) > 0) == (0, True)
    world.recorder.answer = lambda _: Sent()
    await world.until(3 * HOUR)
    assert [(kind, ended) for _, kind, _, ended in world.story()] == [("ring", ""), ("end", "A")]
    assert (await swept(world), await reading.incident(world.store, 1)) == (1, None)


async def test_an_incident_whose_end_nobody_can_be_told_is_forgotten(world: World) -> None:
    world.recorder.answer = lambda _: Refused("no such address")
    await resolved(world)
    await world.until(2 * HOUR)
    assert (await swept(world), await reading.incident(world.store, 1)) == (1, None)
    assert await reading.waiting(world.store) == (0, 0, 0)


@pytest.mark.parametrize("answer", [Sent(), Refused("no such address")], ids=["sent", "dead"])
async def test_what_is_told_or_dead_is_not_waiting(world: World, answer: Sent | Refused) -> None:
    world.recorder.answer = lambda _: answer
    await resolved(world)
    assert await oldest(world) == 0


@pytest.mark.parametrize("answer", [Sent(), Refused("no such address")], ids=["done", "dead"])
async def test_a_finished_delivery_that_is_given_back_is_not_waiting_either(
    world: World, answer: Sent | Refused
) -> None:
    world.recorder.answer = lambda _: answer
    await resolved(world)
    before = [fields["state"] for fields in await reading.deliveries(world.store, "all", 9)]
    await world.store.release(0, ["d:1.0"])
    await world.until(HOUR)
    assert [fields["state"] for fields in await reading.deliveries(world.store, "all", 9)] == before
    assert (await oldest(world), "d:1.0" in await world.due()) == (0, False)


async def test_a_deleted_delivery_is_given_back_and_prolonged_without_harm_to_others(world: World) -> None:
    await world.take(world.fires("A", cluster="a"), world.fires("A", cluster="b"))
    await world.pass_to(30_000)
    world.sender._closing = True
    await world.engine.claim(0)
    await world.engine.settle()
    (claim,) = await world.claims()
    gone, kept = claim.deliveries
    await world.redis.delete(f"{keys.prefix(0)}:d:{gone.id}")
    lost, prolonged = await world.store.renew(0, [(d.member, d.lease) for d in (gone, kept)])
    assert (lost, prolonged > 0) == (0, True)
    await world.store.release(0, [gone.member, kept.member])
    world.sender._closing = False
    await world.until(MINUTE)
    assert len(world.notes) == 1
    assert await world.redis.keys(f"{keys.prefix(0)}:d:*") == [f"{keys.prefix(0)}:d:{kept.id}"]


async def test_a_claim_of_a_deleted_delivery_leaves_nothing_waiting(world: World) -> None:
    await resolved(world, told=False)
    await world.redis.delete(f"{keys.prefix(0)}:d:1.0")
    await world.until(20 * MINUTE)
    assert (await oldest(world), "d:1.0" in await world.due()) == (0, False)
