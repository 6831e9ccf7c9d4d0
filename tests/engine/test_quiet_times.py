"""What a mute interval holds back is told when it is over; who saw an alert fire sees its end at once.

The world starts at 22:13:20 UTC; the night is from 22:30 (1000 s later) to 23:30 (4600 s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

from receivers.base import Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CONFIG = """
route:
  receiver: hook
  routes:
    - matchers: [alertname=~".+"]
      group_by: [cluster]
      {key}: [it]
receivers:
  - name: hook
    webhook_configs: [{{url: "http://127.0.0.1:9/"}}]
time_intervals:
  - name: it
    time_intervals:
      - {times}
"""
MUTED = CONFIG.format(key="mute_time_intervals", times="times: [{start_time: '22:30', end_time: '23:30'}]")
ACTIVE = CONFIG.format(
    key="active_time_intervals",
    times="times: [{start_time: '00:00', end_time: '22:30'}, {start_time: '23:30', end_time: '24:00'}]",
)


@pytest.fixture(params=[MUTED, ACTIVE], ids=["muted at night", "active except at night"])
async def world(request, make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world(request.param)


async def test_what_begins_in_the_night_is_told_when_it_is_over(world: World) -> None:
    await world.until(1010 * SECOND)
    await world.take(world.fires("A"))
    await world.until(2 * HOUR)
    assert world.story() == [(4600.0, "ring", "A", "")]


async def test_what_joins_in_the_night_is_told_at_the_first_look_after_it(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(1200 * SECOND)
    await world.take(world.fires("B"))
    await world.until(2 * HOUR)
    assert world.story() == [(30.0, "ring", "A", ""), (30.0 + 16 * 300, "ring", "AB", "")]


async def test_an_end_in_the_night_is_told_to_those_who_saw_it_fire(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(1200 * SECOND)
    await world.take(world.ends("A"))
    await world.until(2 * HOUR)
    assert world.story() == [(30.0, "ring", "A", ""), (1230.0, "end", "", "A")]


async def test_what_begins_and_ends_in_the_night_is_told_to_nobody_and_recorded(world: World) -> None:
    await world.until(1010 * SECOND)
    await world.take(world.fires("A"))
    await world.until(1100 * SECOND)
    await world.take(world.ends("A", at=1010 * SECOND))
    await world.until(2 * HOUR)
    assert world.story() == []
    told = await world.timeline(1)
    assert any(line.startswith("nobody is told now: ") and 'interval "it"' in line for line in told)


async def test_a_repeat_that_falls_into_the_night_comes_after_it(
    make_world: Callable[..., Awaitable[World]],
) -> None:
    world = await make_world(MUTED.replace("group_by:", "repeat_interval: 30m\n      group_by:"))
    await world.take(world.fires("A"))
    await world.until(90 * MINUTE)
    assert [at for at, *_ in world.story()] == [30.0, 30.0 + 16 * 300]


async def test_a_delivery_that_is_late_does_not_ring_in_the_night(world: World) -> None:
    world.recorder.answer = lambda _: Retry("away")
    await world.until(960 * SECOND)
    await world.take(world.fires("A"))
    await world.until(1500 * SECOND)
    world.recorder.answer = lambda _: Sent()
    await world.until(2 * HOUR)
    ((at, kind, firing, _),) = world.story()
    assert (kind, firing) == ("ring", "A")
    assert 4600 <= at <= 4900


async def test_an_interval_that_a_reload_removes_holds_nobody_back_any_more(world: World) -> None:
    await world.until(1010 * SECOND)
    await world.take(world.fires("A"))
    await world.until(1500 * SECOND)
    text = world.path.read_text()
    world.path.write_text(
        text.replace("mute_time_intervals: [it]", "continue: false").replace(
            "active_time_intervals: [it]", "continue: false"
        )
    )
    await world.plan.reload()
    await world.until(2 * HOUR)
    ((at, kind, firing, _),) = world.story()
    assert (kind, firing) == ("ring", "A")
    assert 1500 <= at <= 1040 + 600
