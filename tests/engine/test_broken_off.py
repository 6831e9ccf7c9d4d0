"""Escalation after an outage, and over a reload that changes it: no step is skipped, nor all come at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

from gateway.store import keys
from routing.events import Acknowledged, Noted

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
RENAMED = CONFIG.replace("- matchers: [severity", "- name: paged\n      matchers: [severity")
QUIET = """
time_intervals:
  - {name: now, time_intervals: [{times: [{start_time: "22:15", end_time: "23:15"}]}]}
"""
"""From two minutes after the world's start, at 22:13:20, for an hour."""


ON_CALL = """
users:
  - {name: dana, webhook: "http://dana.test"}
  - {name: sam, webhook: "http://sam.test"}
schedules:
  - name: duty
    layers: [{people: [dana, sam], every: 1h, start: "2023-11-14 22:00"}]
"""
TWICE = """policy: page
      continue: true
    - matchers: [severity="high"]
      policy: page"""


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


def rings(world: World) -> list[tuple[float, str]]:
    return [(note.at / MINUTE, note.receiver) for note in world.notes if note.kind == "ring"]


async def reload(world: World, config: str) -> None:
    world.path.write_text(config)
    await world.plan.reload()
    await world.settle()


async def test_a_note_after_an_outage_brings_no_two_steps_at_once(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.pass_to(20 * MINUTE)
    await world.answer(1, Noted("dana", "HTTP", "what is going on?"))
    await world.until(HOUR)
    assert rings(world) == [(0, "first"), (20, "second"), (30, "bosses")]


async def test_a_step_that_is_due_at_a_reload_of_its_policy_is_not_skipped(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.pass_to(5 * MINUTE + 3 * SECOND)
    await reload(world, CONFIG.replace("after: 15m", "after: 20m"))
    await world.until(HOUR)
    assert [who for _, who in rings(world)] == ["first", "second", "bosses"]


async def test_a_step_that_is_due_at_a_reload_of_its_route_is_not_skipped(world: World) -> None:
    await world.take(world.fires("A", severity="high"))
    await world.pass_to(5 * MINUTE + 3 * SECOND)
    await reload(world, RENAMED.replace("after: 15m", "after: 20m"))
    await world.until(HOUR)
    assert [who for _, who in rings(world)] == ["first", "second", "bosses"]


async def test_of_a_policy_that_is_changed_while_it_stands_no_step_is_skipped(make_world: MakeWorld) -> None:
    muted = "      policy: page\n      mute_time_intervals: [now]"
    config = QUIET + CONFIG.replace("      policy: page", muted)
    world = await make_world(config)
    await world.take(world.fires("A", severity="high"))
    await world.until(30 * MINUTE)
    await reload(world, config.replace("after: 15m", "after: 16m"))
    await world.until(3 * HOUR)
    assert [who for _, who in rings(world)] == ["first", "second", "bosses"]


async def test_an_unreadable_record_keeps_no_configuration_from_being_loaded(world: World) -> None:
    await world.take(world.fires("A", severity="high"), world.fires("B", severity="high"))
    place = world.plan.current.placed("A", {"alertname": "A", "severity": "high"}).places[0]
    await world.redis.hset(f"{keys.prefix(place.shard)}:g:{place.gid}", "doc", '{"schema": 99}')
    await reload(world, RENAMED)
    await world.until(6 * MINUTE)
    assert [who for _, who in rings(world)] == ["first", "first", "second"]


async def test_a_step_that_comes_late_tells_who_is_on_call_by_then(make_world: MakeWorld) -> None:
    world = await make_world(ON_CALL + CONFIG.replace("[{receiver: second}]", "[{schedule: duty}]"))
    await world.take(world.fires("A", severity="high"))
    await world.pass_to(50 * MINUTE)  # 23:03
    await world.until(51 * MINUTE)
    assert rings(world) == [(0, "first"), (50, "user sam: webhook")]


async def test_what_another_incident_lacks_takes_no_acknowledgement_back(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG.replace("policy: page", TWICE))
    await world.take(world.fires("A", severity="high"))
    for shard in range(3):
        record = await world.redis.get(f"{keys.prefix(shard)}:i:2")
        if record:
            await world.redis.set(f"{keys.prefix(shard)}:i:2", '{"schema": 1, "status": 5}')
    answered = await world.answer(1, Acknowledged("dana", "HTTP"))
    assert answered.said.startswith("You have it now")
