"""What two real Alertmanagers posted: once, each body three times, and with neighbours swapped.

The bodies were recorded from a pair: HA copies, growth, 300 alerts in one group, truncated lists, ends.
However they arrive, people hear of the same incidents, as often, and are left with the same picture.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from world import MINUTE, SECOND, World

from gateway.payload import Harvest, add_webhook_alerts, open_webhook, read_json, read_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from receivers.base import Message

    MakeWorld = Callable[..., Awaitable[World]]

CONFIG = """
route:
  receiver: everyone
  group_by: [alertname, cluster]
  group_wait: 2s
  group_interval: 10s
receivers:
  - name: everyone
    pagerduty_configs: [{routing_key: "0123456789abcdef0123456789abcdef"}]
    webhook_configs: [{url: "http://hook.test/"}]
    email_configs: [{to: a@b.test, from: t@b.test, smarthost: "mail.test:25", send_resolved: true}]
"""
PAYLOADS = files("gateway.standins").joinpath("payloads")


class Body(NamedTuple):
    at: int  # ms after the first
    alerts: list[object]


def corpus() -> list[Body]:
    lines = PAYLOADS.joinpath("arrivals.jsonl").read_text().splitlines()
    arrivals = [json.loads(line) for line in lines]
    return [
        Body(
            round(one["at_s"] * 1000), open_webhook(read_json(PAYLOADS.joinpath(one["file"]).read_bytes()))[1]
        )
        for one in arrivals
    ]


def began(bodies: list[Body]) -> int:
    """The first alert's start, a second before the first body came."""
    start = read_time(bodies[0].alerts[0]["startsAt"])  # type: ignore[index]  # it is Alertmanager's
    assert start
    return start


async def play(make_world: MakeWorld, bodies: list[Body]) -> World:
    world = await make_world(CONFIG)
    base = began(corpus()) + SECOND
    for body in bodies:
        await world.until(base + body.at - world.began)
        harvest = Harvest()
        add_webhook_alerts(harvest, body.alerts, 0, world.now)
        assert not harvest.invalid
        await world.take(*harvest.arrivals)
    await world.until(base + MINUTE - world.began)
    return world


def group(message: Message) -> str:
    return "/".join(message.group_labels.values())


def picture(world: World) -> dict[tuple[str, str, int], tuple[str, int]]:
    """What each target is left with: the last message of each incident, incidents counted for each group."""
    seen: dict[str, list[int]] = {}
    for note in sorted(world.notes, key=lambda n: n.message.incident):
        numbers = seen.setdefault(group(note.message), [])
        if note.message.incident not in numbers:
            numbers.append(note.message.incident)
    return {
        (n.integration, group(n.message), seen[group(n.message)].index(n.message.incident)): (
            n.message.status,
            n.message.firing,
        )
        for n in world.notes
    }


def rings(world: World) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for note in world.notes:
        if note.kind == "ring":
            place = (note.integration, group(note.message))
            counts[place] = counts.get(place, 0) + 1
    return counts


async def test_the_recorded_bodies_are_told_as_what_they_are(make_world: MakeWorld) -> None:
    world = await play(make_world, corpus())
    at_the_pager = {place[1:]: state for place, state in picture(world).items() if place[0] == "pagerduty"}
    assert at_the_pager == {
        ("AgentMemoryUsageWarning/us-east", 0): ("firing", 300),
        ("FreeAgenticsSystemDown/eu-west", 0): ("firing", 1),
        ("HighAPIResponseTime/eu-west", 0): ("resolved", 0),
        ("HighAPIResponseTime/eu-west", 1): ("firing", 1),
        ("HighDatabaseConnections/eu-west", 0): ("firing", 2),
        ("SecurityAnomalyDetected/eu-west", 0): ("resolved", 0),
    }
    assert set(rings(world).values()) == {1, 3}  # one group grew, and fired anew after its end


async def test_every_body_three_times_is_every_body_once(make_world: MakeWorld) -> None:
    once = await play(make_world, corpus())
    await once.redis.flushall()
    thrice = await play(make_world, [body for body in corpus() for _ in range(3)])
    assert (picture(thrice), rings(thrice)) == (picture(once), rings(once))


@pytest.mark.parametrize("late", range(22))
async def test_a_body_may_be_overtaken_by_the_next(make_world: MakeWorld, late: int) -> None:
    bodies = corpus()
    if not _in_order:
        once = await play(make_world, bodies)
        _in_order.extend([picture(once), rings(once)])
        await once.redis.flushall()
    one, two = bodies[late : late + 2]
    world = await play(make_world, [*bodies[:late], two, Body(two.at, one.alerts), *bodies[late + 2 :]])
    assert picture(world) == _in_order[0]
    assert all(count <= _in_order[1][place] for place, count in rings(world).items())


_in_order: list[dict[Any, Any]] = []
