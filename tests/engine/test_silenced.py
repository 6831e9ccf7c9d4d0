"""Silences in time: what is silenced is held back and not lost; who saw it fire sees it end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from world import HOUR, MINUTE, SECOND, START, World

from receivers.base import Retry, Sent
from routing.matchers import parse_matchers
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

QUICK = """
route: {receiver: hook, group_by: [cluster], group_wait: 0s, group_interval: 10s}
receivers: [{name: hook, webhook_configs: [{url: "http://hook.test/"}]}]
"""
HOOK = 'webhook_configs: [{url: "http://hook.test/"}]'
PHONE = "pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]"


async def silence(world: World, matchers: str, start: int, end: int) -> str:
    change = await world.holds.silence_store.put(
        Wanted(
            matchers=parse_matchers(matchers),
            starts_at=START + start,
            ends_at=START + end,
            created_by="dana",
            comment="maintenance",
        )
    )
    await world.settle()
    return change.silence.id


async def test_a_silenced_alert_is_told_when_the_silence_ends(world: World) -> None:
    await silence(world, 'alertname="A"', 0, HOUR)
    await world.take(world.fires("A"))
    await world.until(2 * HOUR)
    assert world.story() == [(3600.0, "ring", "A", "")]


async def test_one_that_ends_under_its_silence_is_told_to_nobody(world: World) -> None:
    await silence(world, 'alertname="A"', 0, HOUR)
    await world.take(world.fires("A"))
    await world.until(10 * MINUTE)
    await world.take(world.ends("A"))
    await world.until(2 * HOUR)
    assert world.story() == []


async def test_who_saw_it_fire_sees_it_end_under_a_silence(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await silence(world, 'alertname="A"', MINUTE, 9 * HOUR)
    await world.until(8 * HOUR)
    await world.take(world.ends("A"))
    await world.until(10 * HOUR)
    assert [(kind, firing, ended) for _, kind, firing, ended in world.story()] == [
        ("ring", "A", ""),
        ("end", "", "A"),
    ]


async def test_repeats_stop_under_a_silence_and_its_end_rings_again(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await silence(world, 'alertname="A"', MINUTE, 8 * HOUR)
    await world.until(9 * HOUR)
    assert [at for at, *_ in world.story()] == [30.0, 8 * 3600 + 30.0]


async def test_only_what_is_silenced_is_left_out(world: World) -> None:
    await silence(world, 'alertname="A"', 0, HOUR)
    await world.take(world.fires("A"), world.fires("B"))
    await world.until(10 * MINUTE)
    assert world.story() == [(30.0, "ring", "B", "")]
    await world.until(2 * HOUR)
    assert world.story()[1:] == [(3630.0, "ring", "AB", "")]


async def test_a_silence_that_begins_later_holds_from_then_on(world: World) -> None:
    await silence(world, 'alertname=~"A|B"', 20 * SECOND, HOUR)
    await world.take(world.fires("A"))
    await world.until(HOUR - SECOND)
    assert world.story() == []


async def test_an_expired_silence_lets_go_at_once(world: World) -> None:
    identity = await silence(world, 'alertname="A"', 0, 9 * HOUR)
    await world.take(world.fires("A"))
    await world.until(17 * MINUTE)
    await world.holds.silence_store.expire(identity)
    await world.settle()
    assert world.story() == [(17 * 60.0, "ring", "A", "")]


async def test_the_timeline_says_who_holds_what(world: World) -> None:
    await silence(world, 'alertname="A"', 0, HOUR)
    await world.take(world.fires("A"))
    await world.until(2 * HOUR)
    lines = await world.timeline(1)
    assert any("silence" in line and "dana" in line for line in lines)
    assert any("no longer held" in line for line in lines)


async def test_the_end_names_those_that_a_message_showed_as_held(world: World) -> None:
    await silence(world, 'alertname="A"', 0, 9 * HOUR)
    await world.take(world.fires("A"), world.fires("B"))
    await world.until(MINUTE)
    await world.take(world.ends("B"))
    await world.until(HOUR)
    await world.take(world.ends("A"))
    await world.until(2 * HOUR)
    told = [(kind, firing, ended) for _, kind, firing, ended in world.story()]
    assert told == [("ring", "B", ""), ("update", "A", "B"), ("end", "", "A")]


async def test_who_saw_it_fire_sees_it_end_though_it_was_let_go_and_silenced_again(world: World) -> None:
    await world.take(world.fires("A"), world.fires("B"))
    await world.until(MINUTE)
    identity = await silence(world, 'alertname="A"', MINUTE, 9 * HOUR)
    await world.until(2 * MINUTE)
    await world.holds.silence_store.expire(identity)
    await world.settle()
    await silence(world, 'alertname="A"', 2 * MINUTE, 9 * HOUR)
    await world.until(10 * MINUTE)
    await world.take(world.ends("A"))
    await world.until(HOUR)
    told = [(kind, firing, ended) for _, kind, firing, ended in world.story()]
    assert told == [("ring", "AB", ""), ("update", "B", "A")]


async def test_an_end_does_not_wait_with_a_ring_that_is_held_back(make_world: MakeWorld) -> None:
    world = await make_world(QUICK)
    await world.take(world.fires("A"))
    world.recorder.answer = lambda _: Retry("no answer")
    await world.until(5 * SECOND)
    await world.take(world.fires("B"))
    await world.until(12 * SECOND)
    await silence(world, 'alertname=~"A|B"', 12 * SECOND, HOUR)
    await world.until(25 * SECOND)
    world.recorder.answer = lambda _: Sent()
    await world.take(world.ends("A"))
    await world.until(40 * SECOND)
    assert world.story() == [(0.0, "ring", "A", ""), (30.0, "update", "B", "A")]


async def test_a_message_says_that_all_is_held_while_its_ring_is_held_back(make_world: MakeWorld) -> None:
    world = await make_world(QUICK.replace(HOOK, PHONE))
    await world.take(world.fires("A"))
    world.recorder.answer = lambda _: Retry("no answer")
    await world.until(5 * SECOND)
    await world.take(world.fires("B"))
    await world.until(12 * SECOND)
    await silence(world, 'alertname=~"A|B"', 12 * SECOND, HOUR)
    world.recorder.answer = lambda _: Sent()
    await world.until(HOUR - SECOND)
    told = [(note.kind, note.firing, bool(note.message.held_by)) for note in world.notes]
    assert told == [("ring", {"A"}, False), ("update", {"A", "B"}, True)]
    await world.until(HOUR + MINUTE)
    assert [note.kind for note in world.notes[2:]] == ["ring"]


async def test_an_end_that_nobody_waited_for_is_not_told_when_the_silence_of_another_ends(
    world: World,
) -> None:
    await silence(world, 'alertname="A"', 0, HOUR)
    await world.take(world.fires("A"), world.fires("B"))
    await world.until(10 * SECOND)
    await world.take(world.ends("B"))
    await world.until(2 * HOUR)
    assert world.story() == [(3600.0, "ring", "A", "")]
