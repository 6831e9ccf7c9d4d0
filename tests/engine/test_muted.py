"""Time intervals: what is muted is held back and not lost, and who saw it fire sees it end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from world import HOUR, MINUTE, START, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

# The world begins on Tuesday, 2023-11-14 at 22:13:20 UTC.
CONFIG = """
route:
  receiver: hook
  group_by: [alertname]
  repeat_interval: 1h
  routes:
    - matchers: [team="db"]
      mute_time_intervals: [nights]
    - matchers: [team="web"]
      active_time_intervals: [office]
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: "23:00", end_time: "24:00"}, {start_time: "00:00", end_time: "06:00"}]
  - name: office
    time_intervals: [{times: [{start_time: "08:00", end_time: "18:00"}]}]
"""
ELEVEN = 1_700_002_800_000 - START  # 23:00
SIX = ELEVEN + 7 * HOUR
EIGHT = ELEVEN + 9 * HOUR


async def test_what_begins_in_a_muted_time_is_told_when_it_is_over(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.until(ELEVEN + MINUTE)
    await world.take(world.fires("A", team="db"))
    await world.until(SIX + HOUR // 2)
    assert [(note.at, note.kind) for note in world.notes] == [(SIX, "ring")]
    assert any("nights" in line for line in await world.timeline(1))


async def test_repeats_and_new_alerts_wait_and_ends_do_not(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.take(world.fires("A", team="db"))
    await world.until(ELEVEN + HOUR)
    await world.take(world.fires("A", team="db", node="b"))
    await world.until(ELEVEN + 2 * HOUR)
    assert [note.at for note in world.notes] == [30_000]
    await world.take(world.ends("A", team="db"))
    await world.until(ELEVEN + 3 * HOUR)
    assert [(note.kind, note.ended) for note in world.notes[1:]] == [("update", {"A"})]
    await world.until(SIX + 10 * MINUTE)
    assert world.notes[2].kind == "ring"
    assert SIX <= world.notes[2].at <= SIX + 5 * MINUTE


async def test_what_ends_in_a_muted_time_is_told_to_nobody_who_did_not_know(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.until(ELEVEN + MINUTE)
    await world.take(world.fires("A", team="db"))
    await world.until(ELEVEN + 10 * MINUTE)
    await world.take(world.ends("A", team="db"))
    await world.until(SIX + HOUR)
    assert world.notes == []


async def test_outside_of_active_intervals_nobody_is_told(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.take(world.fires("A", team="web"), world.fires("B"))
    await world.until(EIGHT + 10 * MINUTE)
    told = [(note.at, note.firing) for note in world.notes if "A" in note.firing]
    assert told == [(EIGHT, {"A"})]
    assert world.notes[0].firing == {"B"}


async def test_a_reload_that_drops_the_interval_is_heeded_at_the_next_tick(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    await world.until(ELEVEN + MINUTE)
    await world.take(world.fires("A", team="db"))
    await world.until(ELEVEN + 30 * MINUTE)
    world.path.write_text(CONFIG.replace("      mute_time_intervals: [nights]\n", ""))
    await world.plan.reload()
    await world.until(ELEVEN + 36 * MINUTE)
    assert len(world.notes) == 1
