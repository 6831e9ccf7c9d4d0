"""Redis stalls, and leases end although those who hold them still work: nobody hears twice for that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from world import HOUR, ROOM, SECOND, SENT, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.store.records import ClaimedDelivery, ClaimedGroup
    from receivers.base import Message, Outcome

HOOK = """
route: {receiver: hook, group_by: [cluster]}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""


class Slow:
    """Hands on to the recorder, but only when it is let; it counts what it was handed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.let = asyncio.Event()
        self.handed = 0

    async def send(self, config: Any, message: Message, memory: Mapping[str, Any]) -> Outcome:
        self.handed += 1
        await self.let.wait()
        return await self._world.recorder.send(config, message, memory)

    async def close(self) -> None:
        pass


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world(HOOK, shards=1)


async def sending(world: World) -> Slow:
    """30 s after the start the first ring is under way, and its service takes its time."""
    slow = Slow(world)
    world.sender._receivers["webhook"] = slow
    await world.take(world.fires("A"))
    await world.pass_to(30 * SECOND)
    while not slow.handed:
        await world.engine.claim(0)
        await asyncio.sleep(0.005)
    return slow


async def stalled(world: World) -> None:
    """Ten seconds in which no lease could be prolonged."""
    await world.pass_to(40 * SECOND)
    (claimed,) = (await world.engine.claim(0)).deliveries
    assert claimed.attempt == 2
    await asyncio.sleep(0.05)


async def test_what_is_still_being_sent_is_not_sent_again_by_the_same_process(world: World) -> None:
    slow = await sending(world)
    await stalled(world)
    assert slow.handed == 1
    slow.let.set()
    await world.until(HOUR)
    assert world.story() == [(40.0, "ring", "A", "")]


async def test_its_new_lease_is_prolonged_and_dropped_by_who_still_sends(world: World) -> None:
    slow = await sending(world)
    await stalled(world)
    (score,) = world.leases._held[0].values()
    assert score.score == (await world.redis.zscore("t:{0}:due", "d:1.0"))
    await world.pass_to(42 * SECOND)
    await world.leases._renew(0, {"d:1.0": score.score})
    assert (await world.due())["d:1.0"] == 46 * SECOND
    slow.let.set()
    await world.sender.settle()
    assert len(world.leases) == 0


async def test_what_became_news_during_an_attempt_is_sent_right_after_it(world: World) -> None:
    slow = await sending(world)
    await stalled(world)
    await world.intake.take([world.fires("B")])
    await world.pass_to(330 * SECOND)
    await world.engine.claim(0)
    await world.engine.settle()
    slow.let.set()
    await world.sender.settle()
    assert world.story() == [(330.0, "ring", "A", ""), (330.0, "ring", "AB", "")]


async def begun_and_claimed_again(world: World) -> tuple[ClaimedDelivery, ClaimedDelivery]:
    await world.take(world.fires("A"))
    await world.pass_to(30 * SECOND)
    world.sender._closing = True
    await world.engine.claim(0)
    await world.engine.settle()
    (first,) = (await world.claims())[0].deliveries
    assert await world.store.begin(first)
    await world.pass_to(40 * SECOND)
    (second,) = (await world.claims())[0].deliveries
    return first, second


async def test_an_attempt_that_arrived_counts_until_another_has_begun(world: World) -> None:
    first, second = await begun_and_claimed_again(world)
    assert await world.store.sent(first, SENT, ROOM) == ()
    assert await world.store.begin(second) is None
    world.sender._closing = False
    await world.until(HOUR)
    assert world.story() == []


async def test_an_attempt_no_longer_counts_when_another_has_begun(world: World) -> None:
    first, second = await begun_and_claimed_again(world)
    assert await world.store.begin(second)
    assert await world.store.sent(first, SENT, ROOM) is None
    assert await world.store.sent(second, SENT, ROOM) == ()


async def test_who_is_late_with_a_group_does_not_drop_the_lease_of_its_next_claim(world: World) -> None:
    await world.take(world.fires("A"))
    await world.pass_to(30 * SECOND)
    first = await claimed_group(world)
    await world.pass_to(40 * SECOND)
    second = await claimed_group(world)
    world.leases.hold(first)
    world.leases.hold(second)
    world.leases.drop(first)
    assert [held.score for held in world.leases._held[0].values()] == [second.lease]
    world.leases.drop(second)
    assert len(world.leases) == 0


async def claimed_group(world: World) -> ClaimedGroup:
    (group,) = (await world.claims())[0].groups
    return group
