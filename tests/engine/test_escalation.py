"""Escalation in virtual time, on the real store: who is told when, acknowledged and not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from world import HOUR, MINUTE, START, World

from receivers.base import Refused, Retry, Sent
from routing.events import (
    Acknowledged,
    Escalated,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.oncall import Override
from routing.policies import Target

if TYPE_CHECKING:
    from conftest import MakeWorld

CONFIG = """
severities: [critical, high, medium]
route:
  receiver: root
  group_by: [alertname]
  group_wait: 0s
  group_interval: 5m
  routes:
    - matchers: [severity=~"critical|high|medium"]
      policy: page
receivers:
  - name: root
    webhook_configs: [{url: "http://root.test"}]
  - name: first
    webhook_configs: [{url: "http://first.test"}]
  - name: second
    webhook_configs: [{url: "http://second.test"}]
  - name: bosses
    webhook_configs: [{url: "http://bosses.test"}]
escalation_policies:
  - name: page
    ack_timeout: 30m
    ack_reminder: 5m
    steps:
      - notify: [{receiver: first}]
      - after: 5m
        notify: [{receiver: second}]
      - after: 15m
        unless: resolved
        notify: [{receiver: bosses}]
"""
DANA = Acknowledged("dana", "command line")


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


def rings(world: World) -> list[tuple[float, str]]:
    return [(note.at / MINUTE, note.receiver) for note in world.notes if note.kind == "ring"]


def ends(world: World) -> list[tuple[float, str]]:
    return [(note.at / MINUTE, note.receiver) for note in world.notes if note.kind == "end"]


async def test_nobody_answers_and_everybody_is_told_in_their_time(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(3 * HOUR)
    assert rings(world) == [(0, "first"), (5, "second"), (15, "bosses")]


async def test_who_acknowledges_keeps_the_next_from_being_told_but_not_the_bosses(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(3 * MINUTE)
    answered = await world.answer(1, DANA)
    assert answered.changed
    await world.until(20 * MINUTE)
    assert rings(world) == [(0, "first"), (15, "bosses")]


async def test_an_acknowledgement_that_ends_starts_the_policy_again_without_the_bosses(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(3 * MINUTE)
    await world.answer(1, DANA)
    await world.until(HOUR)
    assert rings(world) == [(0, "first"), (15, "bosses"), (33, "first"), (38, "second")]


async def test_the_end_is_told_to_those_who_were_told_and_to_nobody_else(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(7 * MINUTE)
    await world.take(world.ends("A", severity="high"))
    await world.until(HOUR)
    assert rings(world) == [(0, "first"), (5, "second")]
    assert ends(world) == [(10, "first"), (10, "second")]


async def test_what_has_ended_wakes_nobody_although_its_tick_is_to_come(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(4 * MINUTE + 50_000)
    await world.take(world.ends("A", severity="high"))
    await world.until(HOUR)
    assert rings(world) == [(0, "first")]
    assert ends(world) == [(5, "first")]


async def test_it_fires_anew_a_minute_after_its_end_and_is_the_same_incident(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.answer(1, DANA)
    await world.until(4 * MINUTE)
    await world.take(world.ends("A", severity="high"))
    await world.until(6 * MINUTE)
    await world.take(world.fires("A", severity="high"))
    await world.until(12 * MINUTE)
    assert {note.message.incident for note in world.notes} == {1}
    assert rings(world) == [(0, "first"), (6, "first"), (11, "second")]


async def test_a_worse_alert_that_joins_ends_the_acknowledgement_at_once(world: World) -> None:
    await world.take(world.fires("A", severity="high", host="a"))
    await world.answer(1, DANA)
    await world.until(2 * MINUTE)
    await world.take(world.fires("A", severity="critical", host="b"))
    await world.until(3 * MINUTE)
    assert rings(world) == [(0, "first"), (2, "first")]


async def test_an_alert_that_is_no_worse_joins_without_a_sound(world: World) -> None:
    await world.take(world.fires("A", severity="high", host="a"))
    await world.until(MINUTE)
    await world.take(world.fires("A", severity="high", host="b"))
    await world.until(6 * MINUTE)
    updates = [(note.at / MINUTE, len(note.message.alerts)) for note in world.notes if note.kind == "update"]
    assert rings(world) == [(0, "first"), (5, "second")]
    assert updates[0] == (5, 2)


async def test_a_step_that_everybody_refuses_brings_the_next_one_forward(world: World) -> None:
    world.recorder.answer = lambda m: Refused("no such key") if m.receiver == "first" else Sent()
    await world.take(world.fires("A", severity="high"))
    await world.until(MINUTE)
    assert rings(world) == [(0, "second")]


async def test_who_is_resolved_by_hand_stays_so_until_a_new_episode(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(MINUTE)
    await world.answer(1, Resolved("dana", "HTTP"))
    await world.until(2 * MINUTE)
    assert ends(world) == [(1, "first")]
    await world.take(world.fires("A", 0, severity="high"))
    await world.until(HOUR)
    assert rings(world) == [(0, "first")]
    await world.take(world.fires("A", severity="high"))
    await world.until(HOUR + MINUTE)
    assert rings(world) == [(0, "first"), (60, "first")]
    assert world.notes[-1].message.incident == 2


async def test_it_opens_again_where_it_still_fires_hours_after_it_was_resolved_by_hand(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.answer(1, Resolved("dana", "HTTP"))
    await world.until(3 * HOUR)
    await world.take(world.fires("A", 0, severity="high"))
    await world.until(5 * HOUR)
    assert rings(world)[1] == (240, "first")
    assert any("still fires" in line for line in await world.timeline(1))


async def test_giving_it_back_starts_the_policy_again(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.answer(1, DANA)
    await world.until(2 * MINUTE)
    await world.answer(1, Unacknowledged("dana", "HTTP"))
    await world.until(8 * MINUTE)
    assert rings(world) == [(0, "first"), (2, "first"), (7, "second")]


async def test_escalating_brings_the_next_step_now_and_the_others_keep_their_distance(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(MINUTE)
    await world.answer(1, Escalated("dana", "HTTP"))
    await world.until(20 * MINUTE)
    assert rings(world) == [(0, "first"), (1, "second"), (15, "bosses")]


async def test_escalating_to_the_bosses_does_not_hurry_the_next_round(make_world: MakeWorld) -> None:
    repeats = CONFIG.replace("ack_timeout: 30m", "repeat: {times: 1, after: 5m}")
    world = await make_world(repeats.replace("ack_reminder: 5m", ""))
    await world.take(world.fires("A", severity="critical"))
    await world.until(6 * MINUTE)
    await world.answer(1, Escalated("dana", "Slack"))
    await world.until(HOUR)
    once = [(0, "first"), (5, "second"), (6, "bosses")]
    assert rings(world) == [*once, (10, "first"), (15, "second")]


async def test_reassigned_to_a_receiver_it_tells_that_one_instead_of_the_first_step(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(MINUTE)
    await world.answer(1, Reassigned("dana", "HTTP", Target("receiver", "bosses")))
    await world.until(10 * MINUTE)
    assert rings(world) == [(0, "first"), (1, "bosses"), (6, "second")]


async def test_a_responder_is_told_although_somebody_has_it_in_hand(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.answer(1, DANA)
    await world.answer(1, ResponderAdded("dana", "HTTP", Target("receiver", "second")))
    await world.until(MINUTE)
    assert rings(world) == [(0, "first"), (0, "second")]


async def test_whose_ring_is_dropped_before_it_arrives_is_left_alone(world: World) -> None:
    world.recorder.answer = lambda message: Retry("nobody listens") if message.kind == "ring" else Sent()
    await world.take(world.fires("A", severity="critical"))
    async with asyncio.timeout(5):  # it would be looked at again and again without a pause
        await world.answer(1, DANA)
        await world.until(10 * MINUTE)
    assert world.notes == []
    world.recorder.answer = lambda _: Sent()
    await world.answer(1, Unacknowledged("dana", "Slack"))
    assert rings(world) == [(10, "first")]


async def test_what_is_claimed_before_the_attempt_before_it_is_known_to_be_over_is_sent_at_once(
    world: World,
) -> None:
    run, answered = world.store._run, False

    async def answer_overtakes(name: str, shard: int, *arguments: Any) -> Any:
        nonlocal answered
        said = await run(name, shard, *arguments)
        if name == "sent" and not answered:
            answered = True
            await world.answers.give(1, DANA)
        return said

    world.store._run = answer_overtakes  # type: ignore[method-assign]
    await world.take(world.fires("A", severity="critical"))
    assert [(note.at, note.kind) for note in world.notes] == [(0, "ring"), (0, "update")]


async def test_the_second_to_acknowledge_is_told_who_was_first(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.answer(1, DANA)
    second = await world.answer(1, Acknowledged("sam", "Slack"))
    again = await world.answer(1, DANA)
    assert (second.changed, again.changed) == (False, False)
    assert second.said.startswith("dana acknowledged #1 at")
    noted = await world.answer(1, Noted("sam", "Slack", "it is the disk"))
    assert noted.said == "Noted in #1."
    assert "sam (Slack): it is the disk" in await world.timeline(1)


async def test_who_has_it_is_reminded_before_that_ends(make_world: MakeWorld) -> None:
    users = 'users: [{name: dana, webhook: "http://dana.test"}]\n'
    world = await make_world(users + CONFIG.replace("[{receiver: second}]", "[{user: dana}]"))
    await world.take(world.fires("A", severity="high"))
    await world.until(6 * MINUTE)
    await world.answer(1, DANA)
    await world.until(32 * MINUTE)
    heard = [note for note in world.notes if note.kind == "ring" and note.at > 20 * MINUTE]
    assert [(note.at / MINUTE, note.receiver) for note in heard] == [(31, "user dana: webhook")]
    assert heard[0].message.reason == "the acknowledgement by dana ends in 5 min"


async def test_that_nobody_reports_it_ends_no_incident_with_steps_to_come(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG.replace("after: 5m", "after: 20h").replace("after: 15m", "after: 21h"))
    await world.take(world.fires("A", severity="high"))
    await world.until(20 * HOUR + MINUTE)
    assert rings(world) == [(0, "first"), (20 * 60, "second")]
    await world.answer(1, Acknowledged("dana", "HTTP", until=world.now + 99 * HOUR))
    await world.until(40 * HOUR)
    assert sorted(ends(world)) == [(24 * 60, who) for who in ("bosses", "first", "second")]


async def test_who_acknowledges_gets_no_mail_of_it_and_the_others_do(make_world: MakeWorld) -> None:
    people = """
users: [{name: dana, email: dana@x.test}, {name: sam, email: sam@x.test}]
global: {smtp_smarthost: "localhost:25", smtp_from: t@x.test}
"""
    world = await make_world(people + CONFIG.replace("[{receiver: first}]", "[{user: dana}, {user: sam}]"))
    await world.take(world.fires("A", severity="high"))
    await world.answer(1, DANA)
    noted = [note.message.person for note in world.notes if note.kind == "update"]
    assert noted == ["sam"]


async def test_a_step_that_waits_is_told_when_somebody_takes_over(make_world: MakeWorld) -> None:
    people = """
users: [{name: dana, webhook: "http://dana.test"}]
schedules: [{name: duty, layers: [{people: [dana], every: 1w, start: "2023-12-01 00:00"}]}]
"""
    waits = "[{schedule: duty}]\n        uncovered: wait"
    world = await make_world(people + CONFIG.replace("[{receiver: second}]", waits))
    await world.take(world.fires("A", severity="high"))
    await world.until(10 * MINUTE)
    assert rings(world) == [(0, "first")]
    start, end = START + 10 * MINUTE, START + HOUR
    override = Override("o1", "duty", start, end, ("dana",))
    await world.oncall.override_store.add(override)
    await world.oncall.keep_up()
    await world.until(14 * MINUTE)
    assert rings(world) == [(0, "first"), (11, "user dana: webhook")]


async def test_who_resolves_it_is_named_to_everybody(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.answer(1, Resolved("dana", "HTTP"))
    assert [(n.receiver, n.message.reason) for n in world.notes if n.kind == "end"] == [
        ("first", "resolved by dana (HTTP)")
    ]


async def test_two_who_escalate_at_once_want_the_same_step(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.until(MINUTE)
    first = await world.answer(1, Escalated("dana", "Slack"))
    second = await world.answer(1, Escalated("sam", "Slack"))
    assert (first.changed, second.changed) == (True, False)
    assert second.said == "The next step of #1 came a moment ago already."
    assert rings(world) == [(0, "first"), (1, "second")]


async def test_who_is_not_rung_again_after_a_hand_over_stands_in_the_timeline(make_world: MakeWorld) -> None:
    other = "  - {name: other, steps: [{notify: [{receiver: second}]}]}\n"
    handed = CONFIG + "      - {after: 330s, policy: other}\n" + other
    world = await make_world(
        handed.replace(
            "      - after: 15m\n        unless: resolved\n        notify: [{receiver: bosses}]\n", ""
        )
    )
    await world.take(world.fires("A", severity="high"))
    await world.until(10 * MINUTE)
    assert rings(world) == [(0, "first"), (5, "second")]
    assert any(
        "second by a webhook is not rung again: page did so" in line for line in await world.timeline(1)
    )
