"""What other systems that escalate are known to get wrong, each a small story in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, START, World

from receivers.base import Message, Outcome, Refused, Retry, Sent
from routing.events import Acknowledged
from routing.matchers import parse_matchers
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from conftest import MakeWorld

CONFIG = """
severities: [critical, high]
route:
  receiver: root
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1m
  routes:
    - {matchers: [team=~"db|both"], policy: page, continue: true, name: db}
    - {matchers: [team=~"web|both"], policy: page, name: web}
receivers:
  - {name: root, webhook_configs: [{url: "http://root.test"}]}
  - {name: first, webhook_configs: [{url: "http://first.test"}]}
  - {name: second, webhook_configs: [{url: "http://second.test"}]}
  - {name: management, webhook_configs: [{url: "http://management.test"}]}
users: [{name: dana, webhook: "http://dana.test"}]
escalation_policies:
  - name: page
    ack_timeout: 30m
    steps:
      - notify: [{receiver: first}]
      - {after: 5m, every: 10m, notify: [{receiver: second}]}
      - {after: 15m, unless: resolved, notify: [{receiver: management}]}
"""
DANA = Acknowledged("dana", "command line")


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


def heard(world: World, kind: str = "ring") -> list[tuple[float, str]]:
    return sorted((note.at / MINUTE, note.receiver) for note in world.notes if note.kind == kind)


async def fire(world: World, **labels: str) -> None:
    await world.take(world.fires("A", **{"team": "db", "severity": "high", **labels}))


async def end(world: World, **labels: str) -> None:
    await world.take(world.ends("A", **{"team": "db", "severity": "high", **labels}))


async def silence(world: World, until: int) -> None:
    wanted = Wanted(
        matchers=parse_matchers('alertname="A"'),
        starts_at=world.now,
        ends_at=START + until,
        created_by="dana",
        comment="maintenance",
    )
    await world.holds.silence_store.put(wanted)
    await world.settle()


async def test_acknowledged_while_a_reminder_is_being_sent_that_one_is_the_last(world: World) -> None:
    await fire(world)
    sending, acknowledged, send = asyncio.Event(), asyncio.Event(), world.recorder.send

    async def slowly(config: object, message: Message, memory: object) -> Outcome:
        sending.set()
        await acknowledged.wait()
        return await send(config, message, memory)  # type: ignore[arg-type]  # just what it was given

    world.recorder.send = slowly  # type: ignore[method-assign]  # a receiver that takes its time
    passing = asyncio.create_task(world.until(5 * MINUTE))
    await sending.wait()
    await world.answers.give(1, DANA)
    acknowledged.set()
    await passing
    await world.until(25 * MINUTE)
    assert heard(world) == [(0, "first"), (5, "second"), (15, "management")]


async def test_fired_again_a_minute_after_its_end_it_is_the_same_and_rings_again(world: World) -> None:
    await fire(world)
    await world.answer(1, DANA)
    await world.until(2 * MINUTE)
    await end(world)
    await world.until(3 * MINUTE)
    assert heard(world, "end") == [(2, "first")]
    await fire(world)
    await world.until(9 * MINUTE)
    assert heard(world) == [(0, "first"), (3, "first"), (8, "second")]
    assert {note.message.incident for note in world.notes} == {1}


async def test_when_a_silence_ends_the_policy_goes_on_where_it_stood(world: World) -> None:
    await fire(world)
    await world.until(2 * MINUTE)
    await silence(world, until=20 * MINUTE)
    await world.until(34 * MINUTE)
    later = [one for one in heard(world) if one[1] != "first"]
    assert later == [(23, "second"), (33, "management"), (33, "second")]


async def test_silenced_for_an_hour_from_its_beginning_it_begins_with_its_first_step(world: World) -> None:
    await silence(world, until=HOUR)
    await fire(world)
    await world.until(80 * MINUTE)
    assert heard(world) == [
        (60, "first"),
        (65, "second"),
        (75, "management"),
        (75, "second"),
    ]


async def test_after_an_outage_nobody_gets_the_first_step_and_the_last_at_once(world: World) -> None:
    await fire(world)
    await world.pass_to(40 * MINUTE)
    await world.until(51 * MINUTE)
    assert heard(world) == [(0, "first"), (40, "second"), (50, "management"), (50, "second")]


async def test_an_alert_of_two_teams_pages_both_and_one_acknowledgement_is_for_both(world: World) -> None:
    await fire(world, team="both")
    assert [note.message.incident for note in world.notes] == [1, 2]
    await world.until(2 * MINUTE)
    await world.answer(1, DANA)
    await world.until(14 * MINUTE)
    assert heard(world) == [(0, "first"), (0, "first")]
    assert any("dana" in line for line in await world.timeline(2))


async def test_a_receiver_that_takes_half_a_minute_keeps_no_other_waiting(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG.replace("[{receiver: first}]", "[{receiver: second}, {receiver: first}]"))
    send, held = world.recorder.send, asyncio.Event()

    async def slow(config: object, message: Message, memory: object) -> Outcome:
        if message.receiver == "second":
            await held.wait()
        return await send(config, message, memory)  # type: ignore[arg-type]  # just what it was given

    world.recorder.send = slow  # type: ignore[method-assign]  # one receiver takes its time
    taking = asyncio.create_task(fire(world))
    while not heard(world):
        await asyncio.sleep(0)
    assert heard(world) == [(0, "first")]
    held.set()
    await taking
    assert heard(world) == [(0, "first"), (0, "second")]


async def test_where_everybody_refuses_the_first_page_the_next_hears_of_it_at_once(world: World) -> None:
    world.recorder.answer = lambda m: Refused("no such key") if m.receiver == "first" else Sent()
    await fire(world)
    await world.until(MINUTE)
    assert heard(world) == [(0, "second")]


async def test_where_every_receiver_refuses_it_is_said_and_the_last_resort_is_tried(world: World) -> None:
    world.recorder.answer = lambda m: Sent() if m.receiver == "root" else Refused("no such key")
    await fire(world)
    await world.until(MINUTE)
    assert heard(world) == [(0, "root")]
    assert any("instead of nobody" in line for line in await world.timeline(1))


async def test_acknowledged_then_a_critical_alert_joins_and_rings(world: World) -> None:
    await fire(world)
    await world.answer(1, DANA)
    await world.until(2 * MINUTE)
    await fire(world, severity="critical", host="b")
    await world.until(8 * MINUTE)
    assert heard(world) == [(0, "first"), (2, "first"), (7, "second")]


async def test_acknowledged_again_and_again_management_hears_of_it_all_the_same(world: World) -> None:
    await fire(world)
    for minute in range(1, 120, 25):
        await world.until(minute * MINUTE)
        assert (await world.answer(1, DANA)).changed
    await world.until(2 * HOUR)
    rung = [one for one in heard(world) if "dana" not in one[1]]
    assert rung == [(0, "first"), (15, "management")]


async def test_the_second_to_acknowledge_changes_nothing_and_hears_who_was_first(world: World) -> None:
    await fire(world)
    await world.until(MINUTE)
    await world.answer(1, DANA)
    await world.until(20 * MINUTE)
    second = await world.answer(1, Acknowledged("sam", "Slack"))
    assert not second.changed
    assert "dana" in second.said
    await world.until(32 * MINUTE)
    assert (31, "first") in heard(world)  # dana's half hour is over, whatever sam has said


async def test_a_page_that_nobody_took_yet_is_not_sent_after_the_acknowledgement(world: World) -> None:
    world.recorder.answer = lambda m: Retry("busy") if m.receiver == "second" else Sent()
    await fire(world)
    await world.until(5 * MINUTE + SECOND)
    await world.answer(1, DANA)
    world.recorder.answer = lambda _: Sent()
    await world.until(14 * MINUTE)
    assert heard(world) == [(0, "first")]
