"""The end of an incident reaches whoever was told of its beginning, whatever was under way meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from world import HOUR, MINUTE, ROOM, SECOND, START, World

from receivers.base import Message, Outcome, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.store.records import Claim


async def test_the_end_is_told_though_a_late_first_message_showed_all_alerts_ended(world: World) -> None:
    world.recorder.answer = lambda _: Retry("no answer")
    await world.take(world.fires("A"))
    await world.until(30 * SECOND)
    await world.take(world.ends("A"))
    world.recorder.answer = lambda _: Sent()
    await world.until(10 * MINUTE)
    (_, ring, *_), (at, end, _, ended) = world.story()
    assert (ring, at, end, ended) == ("ring", 330.0, "end", "A")


async def test_the_end_is_told_though_an_update_under_way_showed_it_already(world: World) -> None:
    def failing_updates(message: Message) -> Outcome:
        return Retry("no answer") if message.kind == "update" and message.firing else Sent()

    world.recorder.answer = failing_updates
    await world.take(world.fires("A"), world.fires("B"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(331 * SECOND)
    await world.take(world.ends("B"))
    await world.until(11 * MINUTE)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "update", "end"]
    assert world.story()[-1] == (630.0, "end", "", "B")


async def test_a_return_after_all_ended_in_a_late_message_is_news(world: World) -> None:
    world.recorder.answer = lambda _: Retry("no answer")
    await world.take(world.fires("A"))
    await world.until(30 * SECOND)
    await world.take(world.ends("A"))
    world.recorder.answer = lambda _: Sent()
    await world.until(2 * MINUTE)
    await world.take(world.fires("A"))
    await world.until(6 * MINUTE)
    assert [(kind, firing, ended) for _, kind, firing, ended in world.story()] == [
        ("ring", "", "A"),
        ("ring", "A", ""),
    ]


async def claimed_at(world: World, at: int) -> list[Claim]:
    """What is due at `at`, claimed and not yet decided."""
    world.now = START + at
    await world._set_clock()
    shards = range(world.store.shards)
    return [await world.store.claim(shard, world.plan.current.generation, 9, ROOM) for shard in shards]


async def decided(world: World, claims: list[Claim]) -> None:
    for claim in claims:
        world.engine.accept(claim.groups)
    await world.settle()


async def test_what_fires_while_the_end_is_decided_is_another_incident(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(329 * SECOND)
    claims = await claimed_at(world, 330 * SECOND)
    await world.take(world.fires("B"))
    await decided(world, claims)
    await world.until(10 * MINUTE)
    assert world.story()[1:] == [(330.0, "end", "", "A"), (360.0, "ring", "B", "")]
    assert [note.message.incident for note in world.notes] == [1, 1, 2]


async def test_what_fires_while_an_end_is_tidied_up_is_another_incident(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(629 * SECOND)
    claims = await claimed_at(world, 630 * SECOND)
    assert any(claim.groups for claim in claims)
    await world.take(world.fires("A"))
    await decided(world, claims)
    await world.until(20 * MINUTE)
    assert world.story()[1:] == [(330.0, "end", "", "A"), (660.0, "ring", "A", "")]
    assert [note.message.incident for note in world.notes] == [1, 1, 2]


PAGERDUTY = """
route: {receiver: pager, group_by: [cluster]}
receivers:
  - name: pager
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
"""


async def test_an_incident_says_that_the_next_one_came_before_its_end_was_told(
    make_world: Callable[..., Awaitable[World]],
) -> None:
    world = await make_world(PAGERDUTY)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    world.recorder.answer = lambda _: Retry("no answer")
    await world.take(world.ends("A"))
    await world.until(6 * MINUTE)
    await world.take(world.fires("A"))
    await world.until(7 * MINUTE)
    assert (await world.timeline(1))[-1] == "its end was not told: it fired again first, as #2"


async def test_a_ring_under_way_that_shows_the_news_already_is_not_followed_by_another(world: World) -> None:
    world.recorder.answer = lambda _: Retry("closed", after=299_000, closes_target=True)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.fires("B"))
    world.recorder.answer = lambda _: Sent()
    (delivery,) = [one for claim in await claimed_at(world, 329 * SECOND) for one in claim.deliveries]
    begun = await world.store.begin(delivery)
    assert begun is not None
    verdict = await world.sender._send(delivery, begun)
    await decided(world, await claimed_at(world, 330 * SECOND))
    await world.sender._commit(delivery, verdict)
    await world.until(HOUR)
    assert world.story() == [(329.0, "ring", "AB", "")]


async def test_a_decision_takes_no_delivery_from_who_held_it_last(world: World) -> None:
    world.recorder.answer = lambda _: Retry("closed", after=299_000, closes_target=True)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.fires("B"))
    world.recorder.answer = lambda _: Sent()
    assert any(claim.deliveries for claim in await claimed_at(world, 329 * SECOND))
    claims = await claimed_at(world, 332 * SECOND)
    world.now = START + 334 * SECOND
    await world._set_clock()
    for claim in claims:
        world.engine.accept(claim.groups)
    await world.engine.settle()
    await world.sender.settle()
    assert (any(claim.groups for claim in claims), world.story()) == (True, [])
    await world.until(HOUR)
    assert world.story() == [(334.0, "ring", "AB", "")]
