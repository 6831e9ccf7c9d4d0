"""Escalation where steps meet: what a plain model of it has found (`test_escalation_model.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, World

from receivers.base import Refused, Sent
from routing.events import Acknowledged, Reassigned
from routing.policies import Target

if TYPE_CHECKING:
    from conftest import MakeWorld

CONFIG = """
severities: [critical, high]
route:
  receiver: root
  group_by: [cluster]
  group_wait: 0s
  group_interval: 1m
  routes: [{{matchers: [cluster="a"], policy: page}}]
receivers:
  - {{name: root, webhook_configs: [{{url: "http://root.test"}}]}}
  - {{name: first, webhook_configs: [{{url: "http://first.test"}}]}}
  - {{name: lead, webhook_configs: [{{url: "http://lead.test"}}]}}
  - {{name: boss, webhook_configs: [{{url: "http://boss.test"}}]}}
  - {{name: deaf, webhook_configs: [{{url: "http://deaf.test"}}]}}
users: [{{name: dana, webhook: "http://dana.test"}}]
time_intervals:  # the world begins at 22:13:20
  - {{name: evening, time_intervals: [{{times: [{{start_time: "22:00", end_time: "22:40"}}]}}]}}
  - {{name: night, time_intervals: [{{times: [{{start_time: "22:24", end_time: "22:50"}}]}}]}}
schedules:
  - name: duty
    layers: [{{people: [dana], start: "2023-11-14 22:18:20", valid_from: "2023-11-14 22:18:20"}}]
  - {{name: nobody, layers: [{{people: [dana], valid_until: "2020-01-01"}}]}}
escalation_policies:
  - {{name: page, {more}, steps: [{steps}]}}
  - {{name: short, ack_timeout: 6m, steps: [{{notify: [{{receiver: boss}}]}}]}}
  - {{name: urgent, steps: [{{notify: [{{receiver: boss}}]}}, {{after: 30m, notify: [{{receiver: boss}}]}}]}}
"""
FIRST = "{notify: [{receiver: first}]}"
LEAD = "{after: 5m, notify: [{receiver: lead}]}"
BOSS = "{after: 15m, unless: resolved, notify: [{receiver: boss}]}"
DEAF = "{notify: [{receiver: deaf}]}"
CASES = {
    "a first step with nobody on call brings one forward that only the end makes unnecessary": (
        ["{notify: [{schedule: nobody}]}", BOSS],
        [(0, "boss")],
    ),
    "a refused first step brings one forward that only the end makes unnecessary": (
        [DEAF, BOSS],
        [(0, "boss")],
    ),
    "a step for others is no next one": (
        [DEAF, '{after: 5m, when: [cluster="b"], notify: [{receiver: lead}]}', BOSS],
        [(0, "boss")],
    ),
    "the fallback is told where the last step was refused": (
        [FIRST, "{after: 5m, notify: [{receiver: deaf}]}"],
        [(0, "first"), (5, "root")],
    ),
    "the fallback is told where the last step for this incident reaches nobody": (
        [
            FIRST,
            "{after: 5m, notify: [{schedule: nobody}]}",
            '{after: 7m, when: [cluster="b"], notify: [{receiver: lead}]}',
        ],
        [(0, "first"), (5, "root")],
    ),
    "a step that is said again is not said outside of its intervals": (
        ["{every: 10m, during: [evening], notify: [{receiver: first}]}"],
        [(0, "first"), (10, "first"), (20, "first")],
    ),
    "a step that waits for a shift and is said again comes when the shift begins": (
        ["{every: 20m, uncovered: wait, notify: [{receiver: first}, {schedule: duty}]}"],
        [(0, "first"), (5, "first"), (5, "user dana: webhook"), (25, "first"), (25, "user dana: webhook")],
    ),
    "a step that tells only the fallback is said again, too": (
        ["{every: 10m, uncovered: fallback, notify: [{schedule: nobody}]}"],
        [(0, "root"), (10, "root"), (20, "root")],
    ),
    "what has been handed over keeps its steps though the severity rises": (
        [
            "{notify: [{receiver: first}]}, {after: 1m, policy: urgent}",
            "{after: 12m, notify: [{receiver: lead}]}",
        ],
        [(0, "first"), (1, "boss"), (3, "boss"), (12, "lead")],
    ),
}


async def page(make_world: MakeWorld, *steps: str, more: str = "fallback: [{receiver: root}]") -> World:
    world = await make_world(CONFIG.format(steps=", ".join(steps), more=more))
    world.recorder.answer = lambda m: Refused("no such key") if m.receiver == "deaf" else Sent()
    await world.take(world.fires("A", cluster="a", severity="high"))
    return world


def rings(world: World) -> list[tuple[float, str]]:
    return sorted((note.at / MINUTE, note.receiver) for note in world.notes if note.kind == "ring")


@pytest.mark.parametrize(("steps", "expected"), CASES.values(), ids=list(CASES))
async def test_steps_come(make_world: MakeWorld, steps: list[str], expected: list[tuple[float, str]]) -> None:
    world = await page(make_world, *steps)
    await world.until(3 * MINUTE)
    if "severity" in str(steps) or "urgent" in str(steps):
        await world.take(world.fires("B", cluster="a", severity="critical"))
    await world.until(29 * MINUTE)
    assert rings(world) == expected


async def test_whoever_is_told_of_it_opening_again_is_rung_when_their_step_comes(
    make_world: MakeWorld,
) -> None:
    world = await page(make_world, FIRST, LEAD)
    await world.until(6 * MINUTE)
    await world.take(world.ends("A", cluster="a", severity="high"))
    await world.until(9 * MINUTE)
    await world.take(world.fires("A", cluster="a", severity="high"))
    await world.until(HOUR)
    assert rings(world) == [(0, "first"), (5, "lead"), (9, "first"), (14, "lead")]


async def test_what_is_reassigned_to_nobody_begins_with_its_first_step(make_world: MakeWorld) -> None:
    world = await page(make_world, FIRST, LEAD)
    await world.until(2 * MINUTE)
    await world.answer(1, Reassigned("dana", "HTTP", Target("schedule", "nobody")))
    await world.until(4 * MINUTE)
    assert rings(world) == [(0, "first"), (2, "first")]


async def test_steps_still_to_come_keep_their_times_though_an_acknowledgement_has_ended(
    make_world: MakeWorld,
) -> None:
    steps = [FIRST, "{after: 2m, policy: urgent}", "{after: 5m, notify: [{receiver: first}]}"]
    world = await page(make_world, *steps, "{after: 20m, notify: [{receiver: lead}]}")
    await world.until(3 * MINUTE)
    await world.answer(1, Acknowledged("dana", "HTTP", world.now + 7 * MINUTE))
    await world.until(29 * MINUTE)
    assert rings(world) == [(0, "first"), (2, "boss"), (10, "boss"), (20, "lead")]


async def test_the_next_round_is_counted_from_when_a_step_that_was_held_has_come(
    make_world: MakeWorld,
) -> None:
    held = "{after: 5m, during: [night], outside: hold, notify: [{receiver: lead}]}"
    world = await page(make_world, FIRST, held, more="repeat: {times: 1, after: 4m}")
    await world.until(16 * MINUTE)
    night = 10 + 40 / 60
    assert rings(world) == [(0, "first"), (night, "lead"), (night + 4, "first")]


async def test_handed_over_to_what_runs_already_it_is_treated_as_worse_all_the_same(
    make_world: MakeWorld,
) -> None:
    again = "{after: 5m, unless: resolved, policy: urgent, severity: critical}"
    world = await page(make_world, FIRST, "{after: 1m, policy: urgent}", again)
    await world.until(2 * MINUTE)
    await world.answer(1, Acknowledged("dana", "HTTP"))
    await world.until(10 * MINUTE)
    assert rings(world) == [(0, "first"), (1, "boss"), (5, "boss")]


async def test_an_acknowledgement_ends_by_the_policy_that_it_is_handed_over_to(make_world: MakeWorld) -> None:
    world = await page(make_world, FIRST, "{after: 3m, unless: resolved, policy: short}")
    await world.until(MINUTE)
    await world.answer(1, Acknowledged("dana", "HTTP"))
    await world.until(20 * MINUTE)
    told = [one for one in rings(world) if one[1] != "user dana: webhook"]
    assert told == [(0, "first"), (9, "boss")]


async def test_somebody_is_told_that_it_opens_again_though_the_first_step_reaches_nobody(
    make_world: MakeWorld,
) -> None:
    world = await page(make_world, DEAF, more="reopen_within: 5m")
    await world.until(6 * MINUTE)
    await world.take(world.ends("A", cluster="a", severity="high"))
    await world.until(9 * MINUTE)
    await world.take(world.fires("A", cluster="a", severity="high"))
    await world.until(20 * MINUTE)
    assert rings(world) == [(0, "root"), (9, "root")]
