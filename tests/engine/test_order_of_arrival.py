"""A body that is known and comes as its digest keeps its place among those that come with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, World

from gateway.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from routing.alerts import Arrival

HOOK = """
route: {receiver: hook, group_by: [cluster]}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]]) -> World:
    """A and B fire and were told of. We know the body of A, but another process changed the group."""
    world = await make_world(HOOK, shards=1)
    repeat = world.fires("A", at=0)
    await world.take(repeat)
    await world.take(repeat)
    await world.until(MINUTE)
    other = Intake(
        world.store, world.plan, world.engine.accept, world.engine.room, world.engine.sources_moved
    )
    await other.take([world.fires("B")])
    await world.until(10 * MINUTE)
    assert [firing for _, _, firing, _ in world.story()] == ["A", "AB"]
    return world


async def in_one_call(world: World, *bodies: Arrival) -> list[tuple[int, int]]:
    """While a call is under way these arrive, one after the other; (accepted, repeated) of each."""
    first = asyncio.create_task(world.intake.take([world.fires("Z", cluster="z")]))
    await asyncio.sleep(0)
    tasks = []
    for body in bodies:
        tasks.append(asyncio.create_task(world.intake.take([body])))
        await asyncio.sleep(0)
    await first
    return [(receipt.accepted, receipt.repeated) for receipt in await asyncio.gather(*tasks)]


def told_later(world: World) -> list[tuple[float, str, str, str]]:
    return [told for told in world.story()[2:] if told[2] != "Z"]


async def test_a_repeat_does_not_overtake_the_end_that_came_after_it(world: World) -> None:
    repeat, end = world.fires("A", at=0), world.ends("A", at=0)
    assert await in_one_call(world, repeat, end) == [(0, 1), (1, 0)]
    await world.until(3 * HOUR)
    assert told_later(world) == [(630.0, "update", "B", "A")]


async def test_neither_does_an_end_overtake_what_fired_before_it(world: World) -> None:
    again = world.fires("A", at=9 * MINUTE)
    bodies = (world.fires("A", at=0), world.ends("A", at=0), again, world.ends("A", at=9 * MINUTE))
    counts = await in_one_call(world, *bodies)
    assert counts[:2] == [(0, 1), (1, 0)]
    await world.until(3 * HOUR)
    assert told_later(world) == [(630.0, "update", "B", "A")]


async def test_bodies_of_other_groups_do_not_wait(world: World) -> None:
    repeat, other = world.fires("A", at=0), world.fires("Y", cluster="y")
    assert await in_one_call(world, repeat, other) == [(0, 1), (1, 0)]
