"""Incidents that fire again, and what comes of them in a quiet time: who is rung afterwards, who is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from world import HOUR, MINUTE, World

from routing.events import Acknowledged, Reassigned, Unacknowledged

if TYPE_CHECKING:
    from conftest import MakeWorld

CONFIG = """
severities: [critical, high, medium]
time_intervals:
  - {name: now, time_intervals: [{times: [{start_time: "22:15", end_time: "23:15"}]}]}
route:
  receiver: root
  group_by: [alertname]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 1h
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
    steps:
      - notify: [{receiver: first}]
      - after: 5m
        notify: [{receiver: second}]
      - after: 15m
        unless: resolved
        notify: [{receiver: bosses}]
"""
QUIET = CONFIG.replace("      policy: page", "      policy: page\n      mute_time_intervals: [now]")
"""Quiet from 100 s after the world's start, at 22:13:20, for an hour."""
MUTED = """matchers: [job="muted"]
      receiver: first
      mute_time_intervals: [now]
"""
FROM, UNTIL = 100 / 60, 100 / 60 + 60


def rings(world: World) -> list[tuple[float, str]]:
    return [(round(n.at / MINUTE, 2), n.receiver) for n in world.notes if n.kind == "ring"]


def after_it(*expected: tuple[float, str]) -> list[tuple[float, str]]:
    return [(round(UNTIL + minutes, 2), who) for minutes, who in expected]


async def test_what_fires_again_begins_at_its_first_step_and_wakes_no_bosses(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.take(world.fires("A", severity="high"))
    await world.until(16 * MINUTE)
    await world.take(world.ends("A", severity="high"))
    await world.until(22 * MINUTE)
    await world.take(world.fires("A", severity="high"))
    await world.until(28 * MINUTE)
    assert rings(world) == [(0, "first"), (5, "second"), (15, "bosses"), (22, "first"), (27, "second")]


async def test_who_snoozes_an_incident_of_a_receiver_hears_of_it_again(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.take(world.fires("A"))
    await world.answer(1, Acknowledged("dana", "HTTP", until=world.now + 90 * MINUTE))
    await world.until(4 * HOUR)
    assert rings(world) == [(0, "root"), (95, "root"), (160, "root"), (225, "root")]


async def test_a_severity_that_rises_in_a_quiet_time_ends_the_acknowledgement(make_world: MakeWorld) -> None:
    world = await make_world(QUIET)
    await world.take(world.fires("A", severity="high", host="a"))
    await world.answer(1, Acknowledged("dana", "HTTP"))
    await world.until(30 * MINUTE)
    await world.take(world.fires("A", severity="critical", host="b"))
    await world.until(67 * MINUTE)
    heard = [one for one in rings(world) if one[1] != "bosses"]
    assert heard == [(0, "first"), *after_it((0, "first"), (5, "second"))]


async def test_an_end_and_a_return_in_a_quiet_time_bring_no_step_forward(make_world: MakeWorld) -> None:
    world = await make_world(QUIET.replace("after: 5m", "after: 10m"))
    await world.take(world.fires("A", 0, severity="high", until=20 * MINUTE))
    await world.until(3 * MINUTE)
    await world.take(world.fires("A", severity="high", host="b", until=20 * MINUTE))  # looked at after 5 min
    await world.until(40 * MINUTE)
    await world.take(world.fires("A", 0, severity="high", until=99 * HOUR))
    await world.until(70 * MINUTE)
    assert [at for at, who in rings(world) if who == "second"] == [round(UNTIL + 5, 2)]


async def test_what_had_not_ended_is_heard_by_those_who_were_told_of_its_end(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.take(world.fires("A", 0, severity="high", until=16 * MINUTE))
    await world.until(22 * MINUTE)
    await world.take(world.fires("A", 0, severity="high", until=99 * HOUR))
    await world.until(HOUR)
    told = [(0, "first"), (5, "second"), (15, "bosses")]
    assert rings(world)[:3] == told
    assert sorted(rings(world)[3:]) == sorted((22, who) for _, who in told)


async def test_reassigned_in_a_quiet_time_it_begins_when_that_is_over(make_world: MakeWorld) -> None:
    world = await make_world(QUIET)
    await world.until(2 * MINUTE)
    await world.take(world.fires("A", severity="high"))
    await world.until(30 * MINUTE)
    await world.answer(1, Reassigned("dana", "HTTP", policy="page"))
    await world.until(3 * HOUR)
    assert rings(world) == after_it((0, "first"), (5, "second"), (15, "bosses"))


async def test_what_somebody_took_before_anybody_was_told_is_told_when_they_give_it_back(
    make_world: MakeWorld,
) -> None:
    muted = CONFIG.replace("  repeat_interval: 1h\n", "  repeat_interval: 1h\n  routes:\n    - " + MUTED, 1)
    world = await make_world(
        muted.replace("  routes:\n    - matchers: [severity", "    - matchers: [severity")
    )
    await world.until(2 * MINUTE)
    await world.take(world.fires("A", job="muted"))
    await world.until(10 * MINUTE)
    await world.answer(1, Acknowledged("dana", "command line"))
    await world.until(90 * MINUTE)
    assert rings(world) == []
    await world.answer(1, Unacknowledged("dana", "command line"))
    await world.until(95 * MINUTE)
    assert rings(world) == [(90, "first")]
