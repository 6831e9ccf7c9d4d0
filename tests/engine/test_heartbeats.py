"""Heartbeats in virtual time: what is missing becomes one incident, by the routes; the next beat ends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

from gateway.heartbeats import HeartbeatWatch
from gateway.store import keys, reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

ROUTES = """
route:
  receiver: hook
  group_by: [alertname, heartbeat]
  group_wait: 0s
  routes:
    - matchers: [severity="critical"]
      receiver: pager
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
  - name: pager
    webhook_configs: [{url: "http://pager.test/"}]
"""
WATCHDOG = """
heartbeats:
  - name: prometheus
    matchers: [alertname="Watchdog"]
    timeout: 10m
    severity: critical
    labels: {cluster: eu}
"""
CONFIG = ROUTES + WATCHDOG


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


@pytest.fixture
def watch(world: World) -> HeartbeatWatch:
    return watch_of(world)


def watch_of(world: World) -> HeartbeatWatch:
    return HeartbeatWatch(world.store, world.plan, world.intake)


async def passes(world: World, until: int, *watches: HeartbeatWatch, step: int = 30 * SECOND) -> None:
    """Time passes, and those who watch look all the time."""
    while True:
        await asyncio.gather(*(one.look() for one in watches))
        await world.settle()
        since = world.now - world.began
        if since >= until:
            return
        await world.until(min(since + step, until))


async def beats(world: World, watch: HeartbeatWatch, until: int) -> None:
    """Alertmanager repeats the Watchdog every five minutes, up to `until`."""
    while world.now - world.began <= until:
        await watch.take([world.fires("Watchdog", at=0)])
        await passes(world, min(world.now - world.began + 5 * MINUTE, until), watch)
        if world.now - world.began == until:
            return


async def reload(world: World, config: str) -> None:
    world.path.write_text(config)
    await world.plan.reload()


async def test_while_it_beats_nobody_is_told_and_the_beat_itself_is_not_routed(
    world: World, watch: HeartbeatWatch
) -> None:
    await beats(world, watch, 2 * HOUR)
    assert world.story() == []
    assert [firing async for firing in reading.firing_alerts(world.store)] == []


async def test_one_that_stays_away_is_told_by_the_routes_and_over_with_the_next_beat(
    world: World, watch: HeartbeatWatch
) -> None:
    await beats(world, watch, 20 * MINUTE)
    await passes(world, 41 * MINUTE, watch)
    assert world.story() == [(1500.0, "ring", "HeartbeatMissing", "")]  # the last beat was at 15 min
    assert world.notes[0].receiver == "pager"
    (alert,) = world.notes[0].message.alerts
    assert alert.labels == {
        "alertname": "HeartbeatMissing", "heartbeat": "prometheus", "severity": "critical", "cluster": "eu",
    }  # fmt: skip
    assert alert.annotations["summary"] == "No heartbeat of prometheus for 10m"
    assert alert.starts_at == world.began + 25 * MINUTE
    await watch.take([world.fires("Watchdog", at=0)])
    await passes(world, 50 * MINUTE, watch)
    assert world.story()[1:] == [(2700.0, "end", "", "HeartbeatMissing")]  # the group's next tick


async def test_the_end_of_the_alert_that_beats_is_no_beat_and_is_not_routed(
    world: World, watch: HeartbeatWatch
) -> None:
    await watch.take([world.fires("Watchdog", at=0)])
    await passes(world, 9 * MINUTE, watch)
    receipt = await watch.take([world.ends("Watchdog"), world.fires("Other")])
    assert (receipt.accepted, receipt.recorded) == (1, 1)
    await passes(world, 11 * MINUTE, watch)
    assert [note.firing for note in world.notes] == [{"Other"}, {"HeartbeatMissing"}]


async def test_one_that_was_never_heard_counts_from_when_it_was_first_known(
    world: World, watch: HeartbeatWatch
) -> None:
    await passes(world, 3 * MINUTE, watch)
    await reload(world, CONFIG + "  - {name: backup, token: s3cret-token, timeout: 15m}\n")
    await beats(world, watch, 30 * MINUTE)
    assert [(at, kind) for at, kind, *_ in world.story()] == [(1080.0, "ring")]
    assert world.notes[0].message.alerts[0].labels["heartbeat"] == "backup"


async def test_two_processes_that_look_at_once_make_one_incident(world: World) -> None:
    one, other = watch_of(world), watch_of(world)
    await passes(world, HOUR, one, other)
    assert world.story() == [(600.0, "ring", "HeartbeatMissing", "")]
    await other.beat("prometheus")
    await passes(world, 61 * MINUTE, one, other)
    await one.beat("prometheus")
    await passes(world, 70 * MINUTE, one, other)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]


async def test_what_is_missing_is_known_after_a_restart_and_not_told_twice(world: World) -> None:
    await passes(world, 15 * MINUTE, watch_of(world))
    await passes(world, 30 * MINUTE, watch_of(world))
    assert world.story() == [(600.0, "ring", "HeartbeatMissing", "")]
    again = watch_of(world)
    await again.beat("prometheus")
    await passes(world, 35 * MINUTE, again)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]


@pytest.mark.parametrize(
    ("until", "told_at"),
    [
        (MINUTE + 4 * SECOND, 10 * MINUTE),  # nobody would have missed anything
        (4 * MINUTE, 10 * MINUTE),
        (9 * MINUTE, 14 * MINUTE),  # and resolve_timeout
        (3 * HOUR, 3 * HOUR + 5 * MINUTE),
    ],
)
async def test_absence_counts_only_while_we_listened(
    world: World, watch: HeartbeatWatch, until: int, told_at: int
) -> None:
    await watch.beat("prometheus")
    await passes(world, MINUTE, watch)
    world.listening = False
    await world.pass_to(until)
    await world.settle()
    world.listening = True
    await passes(world, told_at - 1, watch)
    assert world.story() == []
    await passes(world, told_at, watch)
    assert world.story() == [(told_at / 1000, "ring", "HeartbeatMissing", "")]


async def test_an_alert_that_was_routed_before_it_became_a_beat_ends(make_world: MakeWorld) -> None:
    world = await make_world(ROUTES)
    watch = watch_of(world)
    await watch.take([world.fires("Watchdog")])
    await passes(world, MINUTE, watch)
    await reload(world, CONFIG)
    await beats(world, watch, 20 * MINUTE)
    assert world.story() == [(0.0, "ring", "Watchdog", ""), (300.0, "end", "", "Watchdog")]


async def test_what_the_configuration_has_no_longer_is_missing_no_longer(
    world: World, watch: HeartbeatWatch
) -> None:
    await passes(world, 20 * MINUTE, watch)
    await reload(world, ROUTES)
    await passes(world, 30 * MINUTE, watch)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]
    assert await watch.kept() == {}


async def test_a_longer_timeout_ends_what_is_not_missing_by_it(world: World, watch: HeartbeatWatch) -> None:
    await passes(world, 12 * MINUTE, watch)
    await reload(world, CONFIG.replace("10m", "1h"))
    await passes(world, 50 * MINUTE, watch)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]
    await passes(world, 70 * MINUTE, watch)
    assert world.story()[2:] == [(3600.0, "ring", "HeartbeatMissing", "")]


async def test_what_a_process_could_not_take_in_is_taken_in_by_the_next(
    world: World, watch: HeartbeatWatch
) -> None:
    await passes(world, 9 * MINUTE, watch)
    await world.until(10 * MINUTE)
    take, world.intake.take = world.intake.take, _broken  # type: ignore[method-assign]  # it dies here
    with pytest.raises(ConnectionError):
        await watch.look()
    world.intake.take = take  # type: ignore[method-assign]
    await watch_of(world).look()
    await world.settle()
    assert world.story() == [(600.0, "ring", "HeartbeatMissing", "")]


async def _broken(_arrivals: object) -> None:
    raise ConnectionError


async def test_news_that_comes_late_from_another_process_leaves_no_alert_behind(world: World) -> None:
    slow, quick = watch_of(world), watch_of(world)
    await passes(world, 10 * MINUTE, slow)  # it has told, and is not heard of for a while
    await quick.beat("prometheus")
    await passes(world, 12 * MINUTE, quick)
    missed, _ = slow._told["prometheus"]
    await world.intake.take([missed.fires()])  # its news of before comes only now
    await quick.beat("prometheus")
    await passes(world, 21 * MINUTE, slow, quick)
    firing = [one async for one in reading.firing_alerts(world.store)]
    assert firing == []
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]


async def test_all_heartbeats_are_kept_with_the_plan_in_one_shard(
    world: World, watch: HeartbeatWatch
) -> None:
    await watch.look()
    found = [key async for key in world.redis.scan_iter("*heartbeats*")]
    assert found == [f"{keys.prefix(0)}:heartbeats"]
