"""An end that arrives late still shows its alerts, whatever became of their group meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

from receivers.base import Message, Outcome, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

HOOK = """
route: {receiver: hook, group_by: [cluster]}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""
DAY = 24 * HOUR


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """One shard. The first incident was told of; its end waits, since the service fails for it alone."""
    world = await make_world(HOOK, shards=1)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    fail_first(world)
    await world.take(world.ends("A"))
    await world.until(6 * MINUTE)
    return world


def fail_first(world: World) -> None:
    def answer(message: Message) -> Outcome:
        return Retry("no answer") if message.incident == 1 else Sent()

    world.recorder.answer = answer


def told(world: World) -> list[tuple[int, str, str, str]]:
    """(incident, kind, firing, ended) of what was told after the first ring."""
    shown = [
        (n.message.incident, n.kind, "".join(sorted(n.firing)), "".join(sorted(n.ended))) for n in world.notes
    ]
    return shown[1:]


async def nothing_is_left(world: World) -> None:
    """In the end no record of the group is left."""
    await world.until(world.now - world.began + 31 * DAY)
    await world.store.sweep(0)
    await world.until(world.now - world.began + 2 * DAY)
    left = [key async for key in world.redis.scan_iter("t:{0}:[gscfexd]*:*") if ":closed" not in key]
    assert left == []


async def test_the_next_incidents_ticks_leave_what_the_last_end_has_to_show(world: World) -> None:
    await world.take(world.fires("B"))
    await world.until(7 * MINUTE)
    await world.take(world.fires("C"))
    await world.until(13 * MINUTE)
    world.recorder.answer = lambda _: Sent()
    await world.until(20 * MINUTE)
    assert told(world) == [(2, "ring", "B", ""), (2, "ring", "BC", ""), (1, "end", "", "A")]
    await world.take(world.ends("B", at=6 * MINUTE), world.ends("C", at=7 * MINUTE))
    await world.until(HOUR)
    assert told(world)[3:] == [(2, "end", "", "BC")]
    await nothing_is_left(world)


async def flap(world: World) -> None:
    """B fires and ends before anybody is told: no incident."""
    await world.take(world.fires("B"))
    await world.until(6 * MINUTE + 10 * SECOND)
    await world.take(world.ends("B", at=6 * MINUTE))
    await world.until(8 * MINUTE)


async def test_what_closes_without_a_number_leaves_it_too(world: World) -> None:
    await flap(world)
    world.recorder.answer = lambda _: Sent()
    await world.until(20 * MINUTE)
    assert told(world) == [(1, "end", "", "A")]


async def test_what_closed_without_a_number_behind_a_late_end_is_forgotten_in_the_end(world: World) -> None:
    await flap(world)
    world.recorder.answer = lambda _: Sent()
    await world.until(20 * MINUTE)
    await nothing_is_left(world)


async def test_the_next_incidents_end_leaves_it_too_and_is_forgotten_in_the_end(world: World) -> None:
    await world.take(world.fires("B"))
    await world.until(8 * MINUTE)
    await world.take(world.ends("B", at=6 * MINUTE))
    await world.until(HOUR)
    world.recorder.answer = lambda _: Sent()
    await world.until(2 * HOUR)
    assert told(world) == [(2, "ring", "B", ""), (2, "end", "", "B"), (1, "end", "", "A")]
    await nothing_is_left(world)


async def test_an_alert_that_returns_after_a_flap_goes_on_with_the_last_incident(
    make_world: MakeWorld,
) -> None:
    world = await make_world(HOOK, shards=1)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(12 * MINUTE)
    await flap_at(world, 12 * MINUTE)
    await world.take(world.fires("A", at=0, until=2 * HOUR))  # its end was not one
    await world.until(20 * MINUTE)
    assert told(world) == [(1, "end", "", "A"), (1, "ring", "A", "")]


async def flap_at(world: World, at: int) -> None:
    await world.take(world.fires("B"))
    await world.until(at + 10 * SECOND)
    await world.take(world.ends("B", at=at))
    await world.until(at + MINUTE)
