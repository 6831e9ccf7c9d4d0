"""The end of an incident reaches whoever was told of its beginning, whatever was under way meanwhile."""

from __future__ import annotations

from world import MINUTE, SECOND, World

from receivers.base import Message, Outcome, Retry, Sent


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
