"""Three fences: who was too slow changes nothing, and what came in meanwhile is not overlooked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from world import MINUTE, ROOM, SECOND, SENT, World

from gateway.orders import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.records import Claim, ClaimedDelivery, ClaimedGroup


def groups_of(claims: Sequence[Claim]) -> list[ClaimedGroup]:
    return [group for claim in claims for group in claim.groups]


def deliveries_of(claims: Sequence[Claim]) -> list[ClaimedDelivery]:
    return [delivery for claim in claims for delivery in claim.deliveries]


async def test_a_decision_from_an_older_version_is_refused(world: World) -> None:
    await world.take(world.fires("A"))
    await world.pass_to(30 * SECOND)
    (slow,) = groups_of(await world.claims())
    await world.until(35 * SECOND)  # its lease is over, and somebody else decides
    assert await world.store.commit(slow.shard, slow.gid, nothing(slow), ROOM) is None
    await world.until(MINUTE)
    assert world.story() == [(34.0, "ring", "A", "")]


async def test_a_decision_is_accepted_though_news_came_and_is_made_anew_at_once(world: World) -> None:
    await world.take(world.fires("A"))
    await world.pass_to(30 * SECOND)
    (group,) = groups_of(await world.claims())
    await world.intake.take([world.fires("B")])
    world.engine.accept([group])
    await world.engine.settle()
    assert (await world.due())[group.member] == 30 * SECOND
    (again,) = groups_of(await world.claims())
    assert (again.version, again.counted.seq) == (group.version + 1, group.counted.seq + 1)


async def test_news_of_a_group_that_is_being_decided_does_not_hand_it_out_twice(world: World) -> None:
    await world.take(world.fires("A", at=-MINUTE))
    await world.pass_to(100 * SECOND)
    await world.take(world.fires("B"))
    await world.pass_to(300 * SECOND)
    assert len(groups_of(await world.claims())) == 1
    await world.intake.take([world.fires("C")])
    assert groups_of(await world.claims()) == []


async def test_an_attempt_that_was_taken_over_can_neither_begin_nor_end(world: World) -> None:
    claimed = await one_delivery(world)
    await world.pass_to(35 * SECOND)
    (taken_over,) = deliveries_of(await world.claims())
    assert (taken_over.id, taken_over.attempt) == (claimed.id, claimed.attempt + 1)
    assert await world.store.begin(claimed) is None
    assert await world.store.sent(claimed, SENT, ROOM) is None
    assert await world.store.begin(taken_over) is not None
    assert await world.store.sent(taken_over, SENT, ROOM) == ()


async def test_an_attempt_whose_lease_is_over_cannot_begin_even_if_nobody_took_it_over(world: World) -> None:
    claimed = await one_delivery(world)
    await world.pass_to(30 * SECOND + 4 * SECOND)
    assert await world.store.begin(claimed) is None


async def test_an_attempt_that_came_back_late_is_written_if_nobody_took_it_over(world: World) -> None:
    claimed = await one_delivery(world)
    assert await world.store.begin(claimed) is not None
    await world.pass_to(50 * SECOND)
    assert await world.store.sent(claimed, SENT, ROOM) == ()


async def test_who_takes_over_an_attempt_that_had_begun_knows_that_it_may_have_arrived(world: World) -> None:
    claimed = await one_delivery(world)
    first = await world.store.begin(claimed)
    await world.pass_to(40 * SECOND)
    (taken_over,) = deliveries_of(await world.claims())
    second = await world.store.begin(taken_over)
    assert first
    assert second
    assert [one.fields.get("unknown", "0") for one in (first, second)] == ["0", "1"]


async def test_a_delivery_that_is_to_be_heard_again_stays_due_after_its_attempt(world: World) -> None:
    claimed = await one_delivery(world)
    await world.store.begin(claimed)
    await world.intake.take([world.fires("B")])
    await world.pass_to(330 * SECOND)
    world.engine.accept(groups_of(await world.claims(sends=0)))
    await world.engine.settle()
    more = await world.store.sent(claimed, SENT, ROOM)
    assert more
    begun = await world.store.begin(more[0])
    assert begun
    assert (begun.fields["ring_wanted"], begun.fields["ring_sent"], begun.firing) == ("2", "1", 2)


async def one_delivery(world: World) -> ClaimedDelivery:
    """The first ring of an incident, claimed 30 s after the start by a sender that is not ours."""
    await world.take(world.fires("A"))
    await world.pass_to(30 * SECOND)
    (group,) = groups_of(await world.claims(sends=0))
    world.sender._closing = True  # our own has no room for it
    world.engine.accept([group])
    await world.engine.settle()
    (claimed,) = deliveries_of(await world.claims())
    return claimed
