"""A process that stops begins nothing new and gives back what it holds: nobody hears twice of a restart."""

from __future__ import annotations

from world import ROOM, SECOND, START, World

from receivers.base import Retry, Sent


async def test_what_a_stopping_sender_is_handed_is_given_back_unsent(world: World) -> None:
    world.recorder.answer = lambda _: Retry("no answer")
    await world.take(world.fires("A"))
    await world.until(30 * SECOND)
    world.recorder.answer = lambda _: Sent()
    world.now = START + 33 * SECOND
    await world._set_clock()
    shards = range(world.store.shards)
    claims = [await world.store.claim(shard, world.plan.current.generation, 9, ROOM) for shard in shards]
    handed = [delivery for claim in claims for delivery in claim.deliveries]
    await world.sender.stop(1)
    world.sender.accept(handed)
    await world.sender.settle()
    assert (len(handed), world.notes, len(world.leases)) == (1, [], 1)
    await world.leases.give_back()
    again = [await world.store.claim(shard, world.plan.current.generation, 9, ROOM) for shard in shards]
    assert [delivery.id for claim in again for delivery in claim.deliveries] == [handed[0].id]
