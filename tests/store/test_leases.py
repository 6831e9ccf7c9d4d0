"""A lease is a deadline pushed ahead: what nobody works on any more comes due again by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, START, World

from gateway.store.store import LEASE
from receivers.base import Sent

if TYPE_CHECKING:
    from gateway.store.records import ClaimedDelivery, ClaimedGroup


async def claimed_group(world: World) -> ClaimedGroup:
    await world.take(world.fires("A"))
    await world.pass_to(30 * SECOND)
    return next(group for claim in await world.claims(sends=0) for group in claim.groups)


async def claimed_delivery(world: World) -> ClaimedDelivery:
    group = await claimed_group(world)
    world.sender._closing = True
    world.engine.accept([group])
    await world.engine.settle()
    world.sender._closing = False
    return next(delivery for claim in await world.claims() for delivery in claim.deliveries)


async def test_what_is_claimed_is_not_claimed_again_before_its_lease_is_over(world: World) -> None:
    group = await claimed_group(world)
    await world.pass_to(30 * SECOND + LEASE - 1)
    assert not any(claim.groups for claim in await world.claims())
    await world.pass_to(30 * SECOND + LEASE)
    assert [g.gid for claim in await world.claims() for g in claim.groups] == [group.gid]


async def test_a_group_whose_worker_is_gone_is_told_of_after_the_lease(world: World) -> None:
    await claimed_group(world)
    await world.until(HOUR)
    assert world.story() == [(34.0, "ring", "A", "")]


async def test_ticks_stay_where_they_were_planned_though_a_worker_died(world: World) -> None:
    await claimed_group(world)
    await world.until(MINUTE)
    await world.take(world.fires("B"))
    await world.until(HOUR)
    assert [at for at, *_ in world.story()] == [34.0, 330.0]


async def test_a_delivery_whose_worker_is_gone_is_sent_after_the_lease(world: World) -> None:
    claimed = await claimed_delivery(world)
    await world.until(HOUR)
    assert world.story() == [(34.0, "ring", "A", "")]
    assert await world.store.begin(claimed) is None


async def test_a_lease_is_prolonged_as_long_as_somebody_works(world: World) -> None:
    group = await claimed_group(world)
    score = group.lease
    for second in range(31, 60):
        await world.pass_to(second * SECOND)
        (score,) = await world.store.renew(group.shard, [(group.member, score)])
        assert score == START + second * SECOND + LEASE
        assert not any(claim.groups for claim in await world.claims())


async def test_who_lost_a_lease_is_told_so(world: World) -> None:
    group = await claimed_group(world)
    await world.pass_to(40 * SECOND)
    await world.claims()
    assert await world.store.renew(group.shard, [(group.member, group.lease)]) == [0]


async def test_a_lease_that_ended_and_that_nobody_took_is_prolonged(world: World) -> None:
    group = await claimed_group(world)
    await world.pass_to(40 * SECOND)
    renewed = await world.store.renew(group.shard, [(group.member, group.lease)])
    assert renewed == [START + 40 * SECOND + LEASE]
    assert not any(claim.groups for claim in await world.claims())


async def test_what_is_given_back_is_due_at_once(world: World) -> None:
    claimed = await claimed_delivery(world)
    await world.pass_to(31 * SECOND)
    await world.store.release(claimed.shard, [claimed.member])
    await world.until(31 * SECOND)
    assert world.story() == [(31.0, "ring", "A", "")]


async def test_a_group_that_is_set_aside_waits_as_long_as_it_was_told(world: World) -> None:
    group = await claimed_group(world)
    await world.store.release(group.shard, [group.member], delay=8 * SECOND)
    await world.until(MINUTE)
    assert world.story() == [(38.0, "ring", "A", "")]


@pytest.mark.parametrize("claimed", [claimed_group, claimed_delivery])
async def test_a_start_on_the_embedded_store_frees_every_lease(world: World, claimed: object) -> None:
    await claimed(world)  # type: ignore[operator]  # one of the two above
    await world.pass_to(31 * SECOND)
    for shard in range(world.store.shards):
        await world.store.sweep(shard, free_leases=True)
    await world.until(31 * SECOND)
    assert world.story() == [(31.0, "ring", "A", "")]


async def test_a_slot_of_a_target_is_free_again_when_its_attempts_worker_is_gone(world: World) -> None:
    at_once: list[int] = []
    world.recorder.answer = lambda _: at_once.append(1) or Sent()  # type: ignore[func-returns-value]
    await world.take(*(world.fires("A", cluster=str(n)) for n in range(12)))
    await world.pass_to(30 * SECOND)
    world.sender._closing = True
    for claim in await world.claims(sends=0):
        world.engine.accept(claim.groups)
    await world.engine.settle()
    world.sender._closing = False
    lost = [delivery for claim in await world.claims() for delivery in claim.deliveries]
    await world.until(MINUTE)
    assert 8 <= len(lost) <= 12  # eight for each shard's part of the target
    assert len(at_once) == 12
