"""The timelines of one Alertmanager with its default timers (group_wait 30 s, interval 5 min, repeat 4 h)."""

from __future__ import annotations

from world import HOUR, MINUTE, SECOND, World


async def test_a_growing_and_shrinking_group_is_told_at_the_ticks(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(60 * SECOND)
    await world.take(world.fires("B"))
    await world.until(6 * MINUTE)
    await world.take(world.ends("A"))
    await world.until(12 * MINUTE)
    await world.take(world.fires("C"))
    await world.until(13 * MINUTE)
    await world.take(world.ends("C", at=12 * MINUTE))
    await world.until(16 * MINUTE)
    assert world.story() == [
        (30.0, "ring", "A", ""),
        (330.0, "ring", "AB", ""),
        (630.0, "update", "B", "A"),
        (930.0, "update", "B", "C"),
    ]


async def test_a_repeat_comes_at_the_first_tick_after_the_interval(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(9 * HOUR)
    assert [at for at, *_ in world.story()] == [30.0, 30.0 + 4 * 3600 + 300, 30.0 + 8 * 3600 + 600]


async def test_the_end_is_told_and_a_new_episode_waits_again(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(6 * MINUTE)
    await world.take(world.fires("A"))
    await world.until(7 * MINUTE)
    assert world.story() == [(30.0, "ring", "A", ""), (330.0, "end", "", "A"), (390.0, "ring", "A", "")]
    assert [note.message.incident for note in world.notes] == [1, 1, 2]


async def test_what_ends_before_its_time_is_told_to_nobody(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(10 * SECOND)
    await world.take(world.ends("A"))
    await world.until(HOUR)
    assert world.story() == []


async def test_what_has_waited_long_enough_elsewhere_does_not_wait_again(world: World) -> None:
    await world.take(world.fires("A", at=-31 * SECOND))
    assert world.story() == [(0.0, "ring", "A", "")]


async def test_an_alert_that_flaps_between_two_ticks_is_the_same_to_its_readers(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(2 * MINUTE)
    await world.take(world.fires("A"))
    await world.until(HOUR)
    assert world.story() == [(30.0, "ring", "A", "")]
