"""The configuration changes under an open incident: its end arrives where its beginning went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from world import HOUR, MINUTE, SECOND, World

from config.load import ConfigError
from receivers.base import Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]


def hook(name: str, host: str = "") -> dict[str, object]:
    return {"name": name, "webhook_configs": [{"url": f"http://{host or name}.test/"}]}


TEAM_A = {"matchers": ['team="a"'], "receiver": "a"}
TEAM_B = {"matchers": ['team="b"'], "receiver": "b"}
RECEIVERS = [hook("root"), hook("a"), hook("b")]


def config(
    routes: list[dict[str, object]], receivers: list[dict[str, object]] = RECEIVERS, **root: object
) -> str:
    route = {"receiver": "root", "group_by": ["cluster"], **root, "routes": routes}
    return yaml.safe_dump({"route": route, "receivers": receivers})


BEFORE = config([TEAM_A, TEAM_B])
CHANGES = {
    "nothing": BEFORE,
    "the order of routes": config([TEAM_B, TEAM_A]),
    "a new first route": config([{"matchers": ['cluster="c"'], "receiver": "b"}, TEAM_A, TEAM_B]),
    "a matcher": config([TEAM_A | {"matchers": ['team="z"']}, TEAM_B]),
    "a matcher more": config([TEAM_A | {"matchers": ['team="a"', 'cluster!="x"']}, TEAM_B]),
    "group_by": config([TEAM_A | {"group_by": ["alertname"]}, TEAM_B]),
    "group_by of all": config([TEAM_A | {"group_by": ["..."]}, TEAM_B]),
    "the route's receiver": config([TEAM_A | {"receiver": "b"}, TEAM_B]),
    "the receiver's name": config(
        [TEAM_A | {"receiver": "a2"}, TEAM_B], [hook("root"), hook("a2", "a"), hook("b")]
    ),
    "the receiver's address": config([TEAM_A, TEAM_B], [hook("root"), hook("a", "elsewhere"), hook("b")]),
    "the receiver is deleted": config([TEAM_B], [hook("root"), hook("b")]),
    "the route is deleted": config([TEAM_B]),
    "all routes are deleted": config([]),
    "the timers": config([TEAM_A | {"group_wait": "10m", "group_interval": "1h"}, TEAM_B]),
    "continue": config([TEAM_A | {"continue": True}, {"matchers": ['team=~".+"'], "receiver": "b"}]),
}


async def change(world: World, text: str) -> None:
    world.path.write_text(text)
    await world.plan.reload()


def told(world: World) -> list[tuple[float, str, str]]:
    """(seconds, host, kind)"""
    return [(n.at / 1000, n.config.url.get_secret_value()[7:-6], n.kind) for n in world.notes]


@pytest.mark.parametrize("after", CHANGES.values(), ids=list(CHANGES))
async def test_an_end_arrives_where_the_beginning_went(make_world: MakeWorld, after: str) -> None:
    world = await make_world(BEFORE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(MINUTE)
    await change(world, after)
    await world.until(2 * MINUTE)
    await world.take(world.ends("A", cluster="c", team="a"))
    await world.until(3 * HOUR)
    heard = told(world)
    assert [one for one in heard if one[1] == "a"] == [(30.0, "a", "ring"), (330.0, "a", "end")]
    # The same incident goes on; who is new by the new routes is told of it, and of its end.
    assert [(at, kind) for at, host, kind in heard if host != "a"] in ([], [(60.0, "ring"), (330.0, "end")])
    assert {note.message.incident for note in world.notes} == {1}


@pytest.mark.parametrize("after", CHANGES.values(), ids=list(CHANGES))
async def test_whoever_was_told_since_is_told_the_end_too(make_world: MakeWorld, after: str) -> None:
    world = await make_world(BEFORE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(MINUTE)
    await change(world, after)
    await world.take(world.fires("A", at=0, cluster="c", team="a"))  # it goes on firing, under the new routes
    await world.until(30 * MINUTE)
    await world.take(world.ends("A", cluster="c", team="a"))
    await world.until(3 * HOUR)
    rung = sorted(host for _, host, kind in told(world) if kind == "ring")
    ended = sorted(host for _, host, kind in told(world) if kind == "end")
    assert rung == ended


@pytest.mark.parametrize(
    "after", [CHANGES["the route is deleted"], CHANGES["group_by"]], ids=["route", "group_by"]
)
async def test_a_process_that_starts_with_the_new_file_knows_who_was_told(
    make_world: MakeWorld, after: str
) -> None:
    world = await make_world(BEFORE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(MINUTE)
    world.path.write_text(after)
    restarted = World(world.redis, world.path, world.store.shards)
    restarted.now = world.now
    await restarted.plan.start()
    await restarted.take(restarted.ends("A", cluster="c", team="a"))
    await restarted.until(HOUR)
    assert [one for one in told(restarted) if one[1] == "a"] == [(330.0, "a", "end")]


async def test_what_went_elsewhere_and_came_back_is_told_once_to_each(make_world: MakeWorld) -> None:
    world = await make_world(BEFORE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(MINUTE)
    await change(world, CHANGES["a matcher"])
    await change(world, BEFORE)
    await world.take(world.ends("A", cluster="c", team="a"))
    await world.until(HOUR)
    assert told(world) == [
        (30.0, "a", "ring"),
        (60.0, "root", "ring"),
        (330.0, "a", "end"),
        (330.0, "root", "end"),
    ]


async def test_deadlines_that_run_keep_their_time(make_world: MakeWorld) -> None:
    world = await make_world(BEFORE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(10 * SECOND)
    await change(world, CHANGES["the timers"])
    await world.until(MINUTE)
    await world.take(world.fires("B", cluster="c", team="a"))
    await world.until(HOUR)
    assert told(world) == [(30.0, "a", "ring"), (330.0, "a", "ring")]


async def test_a_group_that_opens_after_the_change_has_the_new_timers(make_world: MakeWorld) -> None:
    world = await make_world(BEFORE)
    await change(world, CHANGES["the timers"])
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(HOUR)
    assert told(world) == [(600.0, "a", "ring")]


async def test_an_attempt_that_waits_keeps_its_time_and_its_address(make_world: MakeWorld) -> None:
    world = await make_world(BEFORE)
    world.recorder.answer = lambda _: Retry("no answer", after=10 * MINUTE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(MINUTE)
    await change(world, CHANGES["the receiver is deleted"])
    world.recorder.answer = lambda _: Sent()
    await world.until(HOUR)
    assert told(world) == [(60.0, "root", "ring"), (630.0, "a", "ring")]


async def test_who_was_to_be_told_by_a_receiver_that_is_gone_is_told_by_the_root(
    make_world: MakeWorld,
) -> None:
    world = await make_world(BEFORE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(10 * SECOND)
    await change(world, CHANGES["the receiver is deleted"])
    await world.until(HOUR)
    assert told(world) == [(30.0, "root", "ring")]


async def test_credentials_that_were_changed_count_at_the_next_message(make_world: MakeWorld) -> None:
    def with_password(word: str) -> str:
        basic = {"basic_auth": {"username": "u", "password": word}}
        receiver = {"name": "root", "webhook_configs": [{"url": "http://root.test/", "http_config": basic}]}
        return config([], [receiver])

    world = await make_world(with_password("old"))
    await world.take(world.fires("A", cluster="c"))
    await world.until(MINUTE)
    await change(world, with_password("new"))
    await world.take(world.ends("A", cluster="c"))
    await world.until(HOUR)
    words = [note.config.http_config.basic_auth.password.get_secret_value() for note in world.notes]
    assert words == ["old", "new"]


async def test_a_bad_file_is_refused_whole_and_the_running_one_stays(make_world: MakeWorld) -> None:
    world = await make_world(BEFORE)
    await world.take(world.fires("A", cluster="c", team="a"))
    await world.until(MINUTE)
    with pytest.raises(ConfigError):
        await change(world, config([TEAM_A | {"receiver": "nobody"}, TEAM_B | {"receiver": "a"}]))
    await world.take(world.ends("A", cluster="c", team="a"), world.fires("B", cluster="c", team="b"))
    await world.until(HOUR)
    assert told(world) == [(30.0, "a", "ring"), (90.0, "b", "ring"), (330.0, "a", "end")]
