"""The configuration changes under an incident that escalates, and that somebody may have in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest
import yaml
from world import HOUR, MINUTE, World

from gateway.store import keys
from routing.events import Acknowledged, Reassigned

if TYPE_CHECKING:
    from conftest import MakeWorld

DANA = Acknowledged("dana", "command line")


def hook(name: str) -> dict[str, object]:
    return {"name": name, "webhook_configs": [{"url": f"http://{name}.test/"}]}


def policy(name: str, *steps: tuple[int, str]) -> dict[str, object]:
    return {
        "name": name,
        "steps": [{"after": f"{after}m", "notify": [{"receiver": who}]} for after, who in steps],
    }


PAGE = policy("page", (0, "first"), (10, "second"))
PAGING = {"matchers": ['team="a"'], "policy": "page"}


def config(*routes: dict[str, object], policies: tuple[dict[str, object], ...] = (PAGE,)) -> str:
    root = {"receiver": "root", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1m"}
    receivers = [hook(name) for name in ("root", "first", "second", "third")]
    return yaml.safe_dump(
        {
            "route": root | {"routes": list(routes)},
            "receivers": receivers,
            "escalation_policies": list(policies),
        }
    )


async def change(world: World, text: str) -> None:
    world.path.write_text(text)
    await world.plan.reload()
    await world.settle()


def told(world: World) -> list[tuple[float, str, str]]:
    return [(n.at / MINUTE, n.receiver, n.kind) for n in world.notes if n.kind != "update"]


NEW = ("policy", "team", "ack", "clocks", "later", "stood_at", "dismissed", "answered_at")
"""What a version did not know that told the first steps of policies only."""
URGENT = policy("urgent", (0, "third"), (5, "second"))
STEPS = {
    "the same again": ((PAGE,), [10]),
    "a step comes later": ((policy("page", (0, "first"), (20, "second")),), [20]),
    "a step comes earlier": ((policy("page", (0, "first"), (5, "second")),), [5]),
    "a step's time is past": ((policy("page", (0, "first"), (1, "second")),), []),
}


@pytest.mark.parametrize(("policies", "minutes"), STEPS.values(), ids=list(STEPS))
async def test_steps_of_the_same_policy_come_by_its_clock(
    make_world: MakeWorld, policies: tuple[dict[str, object], ...], minutes: list[int]
) -> None:
    world = await make_world(config(PAGING))
    await world.take(world.fires("A", team="a"))
    await world.until(2 * MINUTE)
    await change(world, config(PAGING, policies=policies))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring"), *((at, "second", "ring") for at in minutes)]


ROUTES = {
    "another route before it": [{"matchers": ['alertname="A"'], "policy": "page"}, PAGING],
    "the route has other matchers": [{"matchers": ['team=~"a|b"'], "policy": "page"}],
    "it is grouped by something else": [PAGING | {"group_by": ["team"]}],
}


@pytest.mark.parametrize("routes", ROUTES.values(), ids=list(ROUTES))
async def test_under_another_route_it_is_the_same_incident_and_stays_acknowledged(
    make_world: MakeWorld, routes: list[dict[str, object]]
) -> None:
    world = await make_world(config(PAGING))
    await world.take(world.fires("A", team="a"))
    await world.answer(1, DANA)
    await world.until(2 * MINUTE)
    await change(world, config(*routes))
    await world.take(world.fires("A", 0, team="a"))
    await world.until(30 * MINUTE)
    await world.take(world.ends("A", team="a"))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring"), (30, "first", "end")]
    assert {note.message.incident for note in world.notes} == {1}


async def test_another_policy_begins_now(make_world: MakeWorld) -> None:
    world = await make_world(config(PAGING))
    await world.take(world.fires("A", team="a"))
    await world.until(2 * MINUTE)
    await change(world, config(PAGING | {"policy": "urgent"}, policies=(PAGE, URGENT)))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring"), (2, "third", "ring"), (7, "second", "ring")]


async def test_another_policy_waits_while_somebody_has_it_in_hand(make_world: MakeWorld) -> None:
    world = await make_world(config(PAGING))
    await world.take(world.fires("A", team="a"))
    await world.answer(1, DANA)
    await change(world, config(PAGING | {"policy": "urgent"}, policies=(PAGE, URGENT)))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring")]


async def test_a_receiver_becomes_a_policy_and_the_other_way_round(make_world: MakeWorld) -> None:
    plain = {"matchers": ['team="a"'], "receiver": "third"}
    world = await make_world(config(plain))
    await world.take(world.fires("A", team="a"))
    await world.until(2 * MINUTE)
    await change(world, config(PAGING))
    await world.until(5 * MINUTE)
    await change(world, config(plain))
    await world.until(HOUR)
    assert told(world) == [(0, "third", "ring"), (2, "first", "ring")]
    assert {note.message.incident for note in world.notes} == {1}


async def test_what_comes_by_the_old_name_later_is_an_incident_of_its_own(make_world: MakeWorld) -> None:
    world = await make_world(config(PAGING))
    await world.take(world.fires("A", team="a", host="x"))
    await world.until(2 * MINUTE)
    await change(world, config({"matchers": ['host="x"'], "policy": "page"}, PAGING))
    await world.take(world.fires("A", team="a", host="y"))
    await world.until(5 * MINUTE)
    assert told(world) == [(0, "first", "ring"), (2, "first", "ring")]
    assert {note.message.incident for note in world.notes} == {1, 2}


async def test_a_process_that_takes_the_new_file_over_places_alerts_alike(make_world: MakeWorld) -> None:
    world = await make_world(config(PAGING))
    await world.take(world.fires("A", team="a"))
    await world.until(2 * MINUTE)
    await change(world, config(*ROUTES["another route before it"]))
    other = World(world.redis, world.path, world.store.shards)
    other.now = world.now
    await other.plan.start()
    await other.take(other.ends("A", team="a"))
    await other.until(HOUR)
    assert told(other) == [(3, "first", "end")]


def on_call(person: str) -> str:
    """Step 2 tells whoever is on call, and that is this person."""
    people = [{"name": name, "webhook": f"http://{name}.test"} for name in ("dana", "sam")]
    layer = {"people": [person], "every": "1w", "start": "2023-11-01 00:00"}
    step = {"after": "10m", "notify": [{"schedule": "duty"}]}
    document = yaml.safe_load(config(PAGING, policies=({"name": "page", "steps": [PAGE["steps"][0], step]},)))  # type: ignore[index] - of a table
    return yaml.safe_dump(document | {"users": people, "schedules": [{"name": "duty", "layers": [layer]}]})


async def test_whoever_is_on_call_by_the_new_schedule_is_told(make_world: MakeWorld) -> None:
    world = await make_world(on_call("dana"))
    await world.take(world.fires("A", team="a"))
    await world.until(2 * MINUTE)
    await change(world, on_call("sam"))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring"), (10, "user sam: webhook", "ring")]


async def test_whom_somebody_has_reassigned_it_to_stays_so_where_only_its_route_is_renamed(
    make_world: MakeWorld,
) -> None:
    world = await make_world(config(PAGING, policies=(PAGE, URGENT)))
    await world.take(world.fires("A", team="a"))
    await world.answer(1, Reassigned("dana", "HTTP", policy="urgent"))
    await world.until(MINUTE)
    await change(world, config({"name": "paged"} | PAGING, policies=(PAGE, URGENT)))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring"), (0, "third", "ring"), (5, "second", "ring")]


async def test_somebody_is_told_where_the_policy_it_was_reassigned_to_is_gone(make_world: MakeWorld) -> None:
    world = await make_world(config(PAGING, policies=(PAGE, URGENT)))
    await world.take(world.fires("A", team="a"))
    await world.answer(1, Reassigned("dana", "HTTP", policy="urgent"))
    await world.until(MINUTE)
    await change(world, config(PAGING))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring"), (0, "third", "ring"), (1, "root", "ring")]


async def test_what_an_earlier_version_told_the_first_step_of_goes_on_by_its_policy(
    make_world: MakeWorld,
) -> None:
    world = await make_world(config(PAGING))
    await world.take(world.fires("A", team="a"))
    await world.until(MINUTE)
    for shard in range(3):
        for gid in await world.redis.smembers(f"{keys.prefix(shard)}:groups"):
            at = f"{keys.prefix(shard)}:g:{gid}"
            record = orjson.loads(await world.redis.hget(at, "doc"))
            old = {name: value for name, value in record.items() if name not in NEW}
            await world.redis.hset(at, "doc", orjson.dumps(old).decode())
            await world.redis.hdel(at, "clocked", "worst", "climbs")
    await change(world, config(PAGING))
    await world.until(HOUR)
    assert told(world) == [(0, "first", "ring"), (10, "second", "ring")]


async def test_whom_a_receiver_told_before_hears_each_ring_of_the_policy_that_tells_them_now(
    make_world: MakeWorld,
) -> None:
    world = await make_world(config({"matchers": ['team="a"'], "receiver": "first"}))
    await world.take(world.fires("A", team="a"))
    await world.until(MINUTE)
    await change(world, config(PAGING))
    heard = [(n.at / MINUTE, n.message.escalates) for n in world.notes if n.kind == "ring"]
    assert heard == [(0, False), (1, True)]


async def test_whom_a_change_in_a_quiet_time_leads_to_is_told_when_that_is_over(
    make_world: MakeWorld,
) -> None:
    def quiet(receiver: str) -> str:  # from 100 s after the world's start, at 22:13:20, for an hour
        route = {"matchers": ['team="a"'], "receiver": receiver, "mute_time_intervals": ["now"]}
        hour = {"times": [{"start_time": "22:15", "end_time": "23:15"}]}
        return config(route) + yaml.safe_dump({"time_intervals": [{"name": "now", "time_intervals": [hour]}]})

    world = await make_world(quiet("first"))
    await world.take(world.fires("A", team="a"))
    await world.until(2 * MINUTE)
    await world.take(world.fires("A", team="a", host="b"))
    await world.until(10 * MINUTE)
    await change(world, quiet("second"))
    await world.until(2 * HOUR)
    assert (round(60 + 100 / 60, 3), "second", "ring") in [(round(at, 3), *rest) for at, *rest in told(world)]
