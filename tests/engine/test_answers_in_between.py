"""Answers that come while a message is on its way: nobody is rung for what somebody has in hand by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world import HOUR, MINUTE, ROOM, SECOND, START, World

from gateway.store import reading
from receivers.base import Message, Outcome, Refused, Retry, Sent
from routing.events import Acknowledged, Reassigned
from routing.policies import Target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conftest import MakeWorld

CONFIG = """
route:
  receiver: root
  group_by: [alertname]
  group_wait: 0s
  routes:
    - matchers: [severity="high"]
      policy: page
receivers:
  - name: root
    webhook_configs: [{url: "http://root.test"}]
  - name: first
    webhook_configs: [{url: "http://first.test"}]
  - name: second
    webhook_configs: [{url: "http://second.test"}]
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: first}]
      - after: 5m
        notify: [{receiver: second}]
      - after: 5m
        unless: resolved
        notify: [{receiver: second}]
  - name: other
    steps:
      - notify: [{receiver: second}]
"""
STRICT = """      - notify: [{receiver: first}]
      - after: 10s
        unless: resolved
        notify: [{receiver: second}]
"""
DANA = Acknowledged("dana", "command line")


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


def rings(world: World) -> list[tuple[float, str]]:
    return [(note.at / MINUTE, note.receiver) for note in world.notes if note.kind == "ring"]


def meanwhile(world: World, receiver: str, what: Callable[[], Awaitable[object]], then: Outcome) -> None:
    """While the first message to the receiver is on its way, that happens; then it is answered so."""
    send, once = world.recorder.send, [receiver]

    async def interrupted(config: Any, message: Message, memory: Any) -> Outcome:
        if message.receiver in once:
            once.clear()
            await what()
            if not isinstance(then, Sent):
                return then
        return await send(config, message, memory)

    world.recorder.send = interrupted  # type: ignore[method-assign]  # that is the point


def busy(world: World) -> None:
    """Nothing more can be sent at the moment, until `del world.sender.room`."""
    world.sender.room = lambda: dict.fromkeys(ROOM, 0)  # type: ignore[method-assign]  # as `meanwhile` does


async def test_a_ring_that_was_dropped_while_another_was_on_its_way_stays_dropped(world: World) -> None:
    async def again_and_acknowledged() -> None:
        await world.answers.give(1, Reassigned("sam", "HTTP", Target("receiver", "first")))
        await world.answers.give(1, DANA)

    meanwhile(world, "first", again_and_acknowledged, Sent())
    await world.take(world.fires("A", severity="high"))
    await world.until(4 * MINUTE)
    assert rings(world) == [(0, "first")]


async def test_a_refusal_that_comes_after_an_acknowledgement_wakes_nobody_else(world: World) -> None:
    meanwhile(world, "first", lambda: world.answers.give(1, DANA), Refused("no such key"))
    await world.take(world.fires("A", severity="high"))
    await world.until(4 * MINUTE)
    assert rings(world) == []


async def test_what_only_the_end_makes_unnecessary_is_heard_where_both_are_due_at_once(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.pass_to(5 * MINUTE)
    busy(world)
    for shard in range(3):
        await world.engine.claim(shard)
    await world.engine.settle()
    await world.answers.give(1, DANA)
    del world.sender.room
    await world.until(HOUR)
    assert rings(world) == [(0, "first"), (5, "second")]


async def test_a_ring_that_was_dropped_keeps_no_other_policy_from_ringing_there(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(MINUTE)
    busy(world)
    await world.answers.give(1, Reassigned("sam", "HTTP", Target("receiver", "second")))
    await world.answers.give(1, DANA)
    del world.sender.room
    await world.answer(1, Reassigned("sam", "HTTP", policy="other"))
    assert rings(world) == [(0, "first"), (1, "second")]


async def test_of_a_ring_that_two_policies_want_the_stricter_says_what_makes_it_unnecessary(
    make_world: MakeWorld,
) -> None:
    handed = CONFIG.replace("        notify: [{receiver: second}]\n  -", "        policy: other\n  -")
    world = await make_world(handed.replace("      - notify: [{receiver: second}]\n", STRICT))
    await world.take(world.fires("A", severity="high"))
    world.recorder.answer = lambda _: Retry("busy", 90_000) if world.now < START + 6 * MINUTE else Sent()
    await world.until(5 * MINUTE + 20 * SECOND)
    await world.answer(1, DANA)
    await world.until(HOUR)
    assert [who for _, who in rings(world)] == ["first", "second"]


async def test_where_whoever_it_is_reassigned_to_refuses_it_the_next_step_comes(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(MINUTE)
    world.recorder.answer = lambda m: Refused("no such key") if m.receiver == "root" else Sent()
    await world.answer(1, Reassigned("sam", "HTTP", Target("receiver", "root")))
    assert rings(world) == [(0, "first"), (1, "second")]


async def test_of_refusals_of_a_step_that_is_said_again_there_is_one_delivery(make_world: MakeWorld) -> None:
    often = "notify: [{receiver: first}]\n        every: 1m\n      - after: 5m"
    world = await make_world(CONFIG.replace("notify: [{receiver: first}]\n      - after: 5m", often))
    world.recorder.answer = lambda _: Sent({"ts": "1"})
    await world.take(world.fires("A", severity="high"))
    world.recorder.answer = lambda m: Refused("no such message") if m.receiver == "first" else Sent()
    await world.until(30 * MINUTE)
    found = await reading.deliveries(world.store, "all", 99)
    assert sorted((one["receiver"], one["state"]) for one in found) == [("first", "dead"), ("second", "open")]
    world.recorder.answer = lambda _: Sent()
    await world.until(31 * MINUTE)
    await world.take(world.ends("A", severity="high"))
    await world.until(HOUR)
    assert rings(world)[-1] == (31, "first")
    of_first = [note for note in world.notes if note.receiver == "first"]
    assert [note.kind for note in of_first] == ["ring", "ring", "end"]
    assert "ts" not in of_first[1].memory
