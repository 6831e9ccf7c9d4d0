"""Inhibition in time: sources come after targets, end before them, and inhibit each other in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, START, World

from gateway.store import reading
from routing.events import Resolved
from routing.matchers import parse_matchers
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

CONFIG = """
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
inhibit_rules:
  - name: node
    source_matchers: [alertname="NodeDown"]
    target_matchers: [severity="low"]
    equal: [node]
"""


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


async def test_a_target_whose_source_comes_a_moment_later_is_not_told(world: World) -> None:
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(1 * SECOND)
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(HOUR)
    assert world.story() == [(1.0, "ring", "NodeDown", "")]


async def test_a_target_without_a_source_waits_the_grace_and_is_told(world: World) -> None:
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.take(world.fires("NodeDown", node="b"))
    await world.until(MINUTE)
    assert world.story() == [(0.0, "ring", "NodeDown", ""), (2.0, "ring", "Slow", "")]


async def test_what_no_rule_could_inhibit_does_not_wait(world: World) -> None:
    await world.take(world.fires("Slow", severity="high", node="a"))
    assert world.story() == [(0.0, "ring", "Slow", "")]


async def test_forty_targets_that_end_12_s_after_their_source_page_nobody(world: World) -> None:
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(*(world.fires(f"T{n}", severity="low", node="a") for n in range(40)))
    await world.until(10 * MINUTE)
    await world.take(world.ends("NodeDown", node="a"))
    await world.until(10 * MINUTE + 12 * SECOND)
    await world.take(*(world.ends(f"T{n}", severity="low", node="a") for n in range(40)))
    await world.until(HOUR)
    assert {name for note in world.notes for name in note.firing | note.ended} == {"NodeDown"}


async def test_a_target_that_outlives_its_source_is_told_after_the_release(world: World) -> None:
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(3 * MINUTE)
    await world.take(world.ends("NodeDown", node="a"))
    await world.until(4 * MINUTE)
    slow = [(note.at, note.kind) for note in world.notes if "Slow" in note.firing]
    assert slow == [(3 * MINUTE + 30 * SECOND, "ring")]


async def test_another_source_that_still_fires_goes_on_inhibiting(world: World) -> None:
    await world.take(
        world.fires("NodeDown", node="a", why="power"), world.fires("NodeDown", node="a", why="net")
    )
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    await world.take(world.ends("NodeDown", node="a", why="power"))
    await world.until(2 * HOUR)
    assert not [note for note in world.notes if "Slow" in note.firing]
    await world.take(world.ends("NodeDown", node="a", why="net"))
    await world.until(2 * HOUR + MINUTE)
    assert [note.at for note in world.notes if "Slow" in note.firing] == [2 * HOUR + 30 * SECOND]


async def test_who_was_told_before_the_source_came_is_told_the_end(world: World) -> None:
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(2 * HOUR)
    await world.take(world.ends("Slow", severity="low", node="a"))
    await world.until(3 * HOUR)
    told = [(note.kind, note.firing, note.ended) for note in world.notes if "NodeDown" not in note.firing]
    assert told == [("ring", {"Slow"}, set()), ("end", set(), {"Slow"})]


async def test_who_was_never_told_is_not_told_the_end(world: World) -> None:
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    await world.take(world.ends("Slow", severity="low", node="a"))
    await world.until(3 * HOUR)
    assert not [note for note in world.notes if "Slow" in note.ended]


CIRCLE = (
    CONFIG.split("inhibit_rules:", maxsplit=1)[0]
    + """
inhibit_rules:
  - source_matchers: [alertname="SystemDown"]
    target_matchers: [alertname!="SystemDown"]
    equal: [job]
  - source_matchers: [alertname="CoordinationFailure"]
    target_matchers: [alertname=~".*(System|Agent).*"]
    equal: [job]
"""
)


async def test_two_that_inhibit_each_other_are_told_once_and_say_why(make_world: MakeWorld) -> None:
    world = await make_world(CIRCLE)
    await world.take(
        world.fires("SystemDown", severity="critical", job="x"),
        world.fires("CoordinationFailure", severity="critical", job="x"),
        world.fires("SlowAgent", severity="medium", job="x"),
    )
    await world.until(HOUR)
    told = {name for note in world.notes for name in note.firing}
    assert len(told) == 1
    assert told <= {"SystemDown", "CoordinationFailure"}
    lines = [line for number in (1, 2, 3) for line in await world.timeline(number)]
    assert any("told all the same" in line for line in lines)


async def test_a_reload_that_brings_a_rule_holds_what_fires_and_one_that_drops_it_lets_go(
    make_world: MakeWorld,
) -> None:
    without = CONFIG.split("inhibit_rules:", maxsplit=1)[0]
    world = await make_world(without)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    assert len(world.notes) == 2
    world.path.write_text(CONFIG)
    await world.plan.reload()
    await world.until(90 * MINUTE)
    assert not [n for n in world.notes if "Slow" in n.firing and n.at > MINUTE]  # no repeat: it is held
    world.path.write_text(without)
    await world.plan.reload()
    await world.until(100 * MINUTE)
    assert [n.at > 90 * MINUTE for n in world.notes if "Slow" in n.firing] == [False, True]


THREE = (
    CONFIG.split("inhibit_rules:", maxsplit=1)[0]
    + """
inhibit_rules:
  - {source_matchers: [alertname="A"], target_matchers: [alertname="B"]}
  - {source_matchers: [alertname="B"], target_matchers: [alertname="A"]}
  - {source_matchers: [alertname="X"], target_matchers: [alertname="A"]}
"""
)


def told(world: World, name: str) -> list[int]:
    """When (minutes) it was told that it fires."""
    return [note.at // MINUTE for note in world.notes if name in note.firing and note.kind == "ring"]


async def test_a_circle_that_something_inhibits_for_a_time_tells_one_again_when_it_ends(
    make_world: MakeWorld,
) -> None:
    world = await make_world(THREE)
    await world.take(world.fires("B", severity="critical"), world.fires("A"))
    await world.until(5 * MINUTE)
    assert (told(world, "A"), told(world, "B")) == ([], [0])
    await world.take(world.fires("X"))
    await world.until(3 * HOUR)
    assert told(world, "B") == [0]  # no repeats: A and B are inhibited by X
    await world.take(world.ends("X", at=5 * MINUTE))
    await world.until(3 * HOUR + 10 * MINUTE)
    assert len(told(world, "B")) == 2
    assert told(world, "A") == []


async def test_where_the_one_that_is_told_is_silenced_the_other_is(make_world: MakeWorld) -> None:
    world = await make_world(THREE)
    await world.take(world.fires("B", severity="critical"), world.fires("A"))
    await world.until(5 * MINUTE)
    await world.holds.silence_store.put(
        Wanted(
            matchers=parse_matchers('alertname="B"'),
            starts_at=START + 5 * MINUTE,
            ends_at=START + HOUR,
            created_by="dana",
            comment="maintenance",
        )
    )
    await world.until(10 * MINUTE)
    assert (told(world, "A"), told(world, "B")) == ([5], [0])


async def test_a_source_that_is_believed_because_nobody_contradicts_inhibits(make_world: MakeWorld) -> None:
    quiet = "  routes: [{matchers: [alertname=NodeDown], mute_time_intervals: [always]}]\nreceivers:"
    always = "time_intervals: [{name: always, time_intervals: [{years: ['2000:2999']}]}]\n"
    world = await make_world(CONFIG.replace("receivers:", quiet) + always)
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(MINUTE)
    await world.take(world.ends("NodeDown", node="a"))
    await world.until(MINUTE + SECOND)
    await world.take(world.fires("NodeDown", at=0, node="a"))  # suspect: it may be a late copy
    await world.until(20 * MINUTE)
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(HOUR)
    assert world.notes == []


async def test_what_flaps_between_two_looks_while_it_is_held_stays_held(world: World) -> None:
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(6 * MINUTE + SECOND)
    await world.take(world.ends("Slow", severity="low", node="a"))
    await world.until(6 * MINUTE + 2 * SECOND)
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(12 * MINUTE)
    found = [alert.held_by async for alert in reading.firing_alerts(world.store) if "node" in alert.labels]
    assert sorted(found) == ["", "inhibition"]


MUTED = (
    CIRCLE.replace(
        "  repeat_interval: 1h\n",
        "  repeat_interval: 1h\n"
        '  routes: [{matchers: [alertname="SystemDown"], mute_time_intervals: [always]}]\n',
    )
    + "time_intervals: [{name: always, time_intervals: [{}]}]\n"
)


async def test_one_that_an_interval_keeps_quiet_is_not_the_one_that_a_circle_releases(
    make_world: MakeWorld,
) -> None:
    world = await make_world(MUTED)
    await world.take(world.fires("SystemDown", severity="critical", job="x"))
    await world.take(world.fires("CoordinationFailure", severity="low", job="x"))
    await world.until(HOUR)
    assert {name for note in world.notes for name in note.firing} == {"CoordinationFailure"}


async def test_a_source_that_was_resolved_by_hand_goes_on_to_inhibit(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG.replace("group_by: [alertname]", "group_by: [cluster]"))
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(MINUTE)
    await world.answer(1, Resolved("dana", "HTTP"))
    await world.until(10 * MINUTE)
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(20 * MINUTE)
    await world.take(world.fires("Other", severity="high", node="a"))
    await world.until(HOUR)
    assert {name for note in world.notes for name in note.firing} == {"NodeDown", "Other"}
