"""What targets are handed of holds in time: that all of it is held, how many more are, and the release."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

from gateway import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

CONFIG = """
severities: [meltdown, bad, meh]
route:
  receiver: all
  group_by: [group]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 9h
receivers:
  - name: all
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
    slack_configs: [{channel: "#a", app_token: xoxb-1}]
    email_configs: [{to: a@b.test, from: c@b.test, smarthost: "mail.b.test:25"}]
    webhook_configs: [{url: "http://hook.test/"}]
inhibit_rules:
  - name: node
    source_matchers: [alertname="NodeDown"]
    target_matchers: [severity!="meltdown"]
    equal: [node]
"""
BY = 'inhibited by NodeDown{group="n", node="a", severity="meltdown"} (node)'


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Slow fires and is told; a minute later its node is down."""
    world = await make_world(CONFIG)
    await world.take(world.fires("Slow", severity="bad", node="a", group="s"))
    await world.until(MINUTE)
    await world.take(world.fires("NodeDown", severity="meltdown", node="a", group="n"))
    return world


def told(world: World, since: int, name: str = "Slow") -> dict[str, tuple[str, str, int, str]]:
    """By integration: kind, reason, how many are held and by what, of the messages about `name`."""
    return {
        note.integration: (note.kind, note.message.reason, note.message.held, note.message.held_by)
        for note in world.notes
        if note.at > since and name in note.firing
    }


async def test_only_targets_that_edit_are_told_that_all_of_it_is_held_and_it_is_no_ring(world: World) -> None:
    await world.until(HOUR)
    quiet = ("update", "every alert that fires is held", 1, BY)
    assert told(world, MINUTE) == {"pagerduty": quiet, "slack": quiet}


async def test_the_release_rings_everybody_and_says_that_it_is_one(world: World) -> None:
    await world.until(HOUR)
    await world.take(world.ends("NodeDown", at=MINUTE, severity="meltdown", node="a", group="n"))
    await world.until(HOUR + 3 * MINUTE)
    ring = ("ring", "no longer held", 0, "")
    assert told(world, HOUR) == dict.fromkeys(("pagerduty", "slack", "email", "webhook"), ring)


async def test_a_ring_says_how_many_more_are_held(world: World) -> None:
    await world.take(
        world.fires("Slower", severity="meh", node="a", group="s"),
        world.fires("Full", severity="meh", node="b", group="s"),
    )
    await world.until(10 * MINUTE)
    assert told(world, MINUTE + SECOND, "Full")["email"] == ("ring", "new alerts added", 2, "")


async def test_a_message_has_the_grade_of_its_severity_here(world: World) -> None:
    grades = {note.message.severity: note.message.grade for note in world.notes}
    assert grades == {"bad": "error", "meltdown": "critical"}


def counted() -> Counter[str]:
    """What has been counted of holds so far: `inhibition` for alerts that it held, and so on."""
    return Counter(
        {
            "".join(sample.labels.values()): int(sample.value)
            for counter in (metrics.alerts_held, metrics.incidents_suppressed)
            for family in counter.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }
    )


async def test_what_is_held_is_counted_once_each_time_that_it_begins(make_world: MakeWorld) -> None:
    before = counted()
    world = await make_world(CONFIG)
    await world.take(world.fires("NodeDown", severity="meltdown", node="a", group="n"))
    await world.take(world.fires("Slow", severity="bad", node="a", group="s"))
    await world.until(HOUR)
    await world.take(world.ends("NodeDown", severity="meltdown", node="a", group="n"))
    await world.until(2 * HOUR)
    assert counted() - before == {"inhibition": 1, "release": 1, "held": 1}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [("a", "{0}"), ("ab", "{0}; {1}"), ("abc", "{0}; {1}; {2}"), ("abcd", "{0}; {1}; {2}; and more")],
)
async def test_what_is_held_by_several_says_so(make_world: MakeWorld, nodes: str, said: str) -> None:
    world = await make_world(CONFIG)
    await world.take(*(world.fires("Slow", severity="bad", node=node, group="s") for node in nodes))
    await world.until(MINUTE)
    down = [world.fires("NodeDown", severity="meltdown", node=node, group="n") for node in nodes]
    await world.take(*down)
    await world.until(HOUR)
    ways = [BY.replace('node="a"', f'node="{node}"') for node in nodes]
    assert told(world, MINUTE)["slack"][3] == said.format(*ways)
