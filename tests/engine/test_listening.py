"""Prometheus posts straight: every alert has a deadline; to pass it in silence is an end, if we listened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

CONFIG = """
route:
  receiver: hook
  group_by: [cluster]
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
dedup:
  stale_after: 2h
"""


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


async def post(world: World, name: str = "A", at: int = 0, lasts: int = 4 * MINUTE) -> None:
    """A post of Prometheus: the alert that began at `at` fires, and is posted again within `lasts`."""
    since = world.now - world.began
    await world.take(world.fires(name, at=at, until=since + lasts))


async def posts(world: World, until: int, *names: str) -> None:
    """Posts each minute, as Prometheus does, up to `until`."""
    while world.now - world.began < until:
        for name in names or ("A",):
            await post(world, name)
        await world.until(world.now - world.began + MINUTE)


async def away(world: World, until: int) -> None:
    """Tocsin is stopped until then: nobody claims."""
    world.listening = False
    await world.pass_to(until)


async def back(world: World) -> None:
    await world.settle()
    world.listening = True


async def test_an_alert_that_is_posted_again_and_again_is_one(world: World) -> None:
    await posts(world, 3 * HOUR)
    assert world.story() == [(30.0, "ring", "A", "")]


async def test_an_alert_that_is_posted_no_longer_ends_and_says_why(world: World) -> None:
    await posts(world, 20 * MINUTE)
    await world.until(HOUR)
    assert world.story() == [(30.0, "ring", "A", ""), (1530.0, "end", "", "A")]
    (alert,) = world.notes[-1].message.alerts
    assert alert.expired
    assert alert.ends_at == world.began + 23 * MINUTE  # the last post was at 19 min


async def test_an_end_that_is_posted_is_an_end_of_the_usual_kind(world: World) -> None:
    await posts(world, 10 * MINUTE)
    await world.take(world.ends("A"))
    await world.until(HOUR)
    assert world.story()[1:] == [(630.0, "end", "", "A")]
    assert not world.notes[-1].message.alerts[0].expired


async def test_six_minutes_of_our_own_absence_are_no_all_clear_and_no_second_page(world: World) -> None:
    await posts(world, 10 * MINUTE)
    await away(world, 16 * MINUTE)
    await back(world)
    await posts(world, HOUR)
    assert world.story() == [(30.0, "ring", "A", "")]


async def test_what_ended_while_we_were_away_ends_when_we_have_listened_long_enough(world: World) -> None:
    await posts(world, 10 * MINUTE)
    await away(world, 16 * MINUTE)
    await back(world)
    await world.until(2 * HOUR)
    assert world.story()[1:] == [
        (1530.0, "end", "", "A")
    ]  # 16 min + resolve_timeout (5 min), at the next tick


async def test_short_gaps_of_listening_are_none(world: World) -> None:
    await posts(world, 10 * MINUTE)
    await away(world, 10 * MINUTE + 4 * SECOND)
    await back(world)
    await world.until(HOUR)
    assert world.story()[1:] == [(930.0, "end", "", "A")]  # the last post was at 9 min: over at 13


async def test_an_end_that_was_an_absence_goes_on_as_the_same_incident(world: World) -> None:
    await posts(world, 10 * MINUTE)
    await world.until(20 * MINUTE)
    await post(world)
    await world.until(21 * MINUTE)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end", "ring"]
    assert world.story()[-1] == (1200.0, "ring", "A", "")
    assert {note.message.incident for note in world.notes} == {1}


async def test_two_that_disagree_do_not_make_it_flap(world: World) -> None:
    """One Prometheus of a pair saw it end and repeats that for 15 minutes; the other goes on posting it."""
    await posts(world, 10 * MINUTE)
    for minute in range(10, 25):
        await world.take(world.ends("A", ended=9 * MINUTE))
        await world.until(minute * MINUTE + 10 * SECOND)
        await post(world)
        await world.until((minute + 1) * MINUTE)
    assert world.story() == [(30.0, "ring", "A", "")]


async def test_an_end_newer_than_the_one_in_dispute_is_believed(world: World) -> None:
    await posts(world, 10 * MINUTE)
    await world.take(world.ends("A", ended=9 * MINUTE))
    await post(world)
    await world.until(15 * MINUTE)
    await post(world)
    await world.take(world.ends("A", ended=15 * MINUTE))
    await world.until(HOUR)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]


async def test_who_posts_seldom_is_believed_although_who_posts_often_is_gone(world: World) -> None:
    await post(world, lasts=20 * MINUTE)  # evaluates every five minutes
    await world.until(MINUTE)
    await post(world, lasts=4 * MINUTE)  # evaluates every minute, and is never heard again
    await world.until(19 * MINUTE)
    assert world.story() == [(30.0, "ring", "A", "")]
    await world.until(HOUR)
    assert world.story()[1:] == [(1230.0, "end", "", "A")]


async def test_what_nobody_has_heard_of_for_long_is_stale(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(90 * MINUTE)
    await world.take(world.fires("A", at=0))
    await world.until(200 * MINUTE)
    assert [kind for _, kind, *_ in world.story()] == ["ring"]
    await world.until(5 * HOUR)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]
    assert world.story()[-1] == (12_630.0, "end", "", "A")  # 90 min + 2 h, at the next tick
    assert world.notes[-1].message.alerts[0].expired


async def test_nothing_gets_stale_while_nobody_listens(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await away(world, 3 * HOUR)
    await back(world)
    await world.take(world.fires("A", at=0))
    await world.until(4 * HOUR + 50 * MINUTE)
    assert "end" not in [kind for _, kind, *_ in world.story()]


async def test_a_suspect_is_not_believed_for_what_nobody_heard(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.take(world.fires("A", at=0))
    await away(world, 7 * MINUTE)  # its time to be believed passes
    await back(world)
    await world.take(world.ends("A", ended=MINUTE))
    await world.until(HOUR)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]


async def test_some_of_a_group_can_be_posted_no_longer(world: World) -> None:
    await posts(world, 10 * MINUTE, "A", "B")
    await posts(world, 30 * MINUTE, "B")
    assert world.story() == [(30.0, "ring", "AB", ""), (930.0, "update", "B", "A")]
