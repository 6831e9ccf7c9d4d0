"""A firing copy that comes after the end: the late word of the other one of a pair, or a real return.

The rule is the table "Identity"; tests/routing/test_alerts.py has it line by line. Here it goes through the
store, the engine and the sender, up to what people are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

QUICK = """
route:
  receiver: hook
  group_wait: 0s
  group_interval: 10s
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""


@pytest.fixture
async def quick(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world(QUICK)


async def fired_and_ended(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))


async def test_a_late_copy_of_an_ended_alert_wakes_nobody(quick: World) -> None:
    await fired_and_ended(quick)
    await quick.until(80 * SECOND)
    receipt = await quick.take(quick.fires("A", at=0))
    assert receipt.suspect == 1
    await quick.take(quick.ends("A", ended=MINUTE))
    await quick.until(HOUR)
    assert quick.story() == [(0.0, "ring", "A", ""), (60.0, "end", "", "A")]


async def test_the_end_stands_however_often_its_copies_come(quick: World) -> None:
    await fired_and_ended(quick)
    await quick.take(quick.ends("A", ended=MINUTE))  # the same end again
    await quick.take(quick.fires("A", at=0))  # from the one that was late
    await quick.take(quick.ends("A", ended=MINUTE))  # and then the same end from it
    await quick.until(HOUR)
    assert quick.story() == [(0.0, "ring", "A", ""), (60.0, "end", "", "A")]


async def test_what_nobody_contradicts_is_believed_and_told_with_its_labels(quick: World) -> None:
    await fired_and_ended(quick)
    await quick.until(69 * SECOND)
    await quick.take(quick.fires("A", at=0))
    await quick.until(HOUR)
    assert quick.story() == [
        (0.0, "ring", "A", ""),
        (60.0, "end", "", "A"),
        (390.0, "ring", "A", ""),  # dedup.confirm after the end
    ]
    assert [note.message.incident for note in quick.notes] == [1, 1, 1]


async def test_a_copy_that_comes_later_than_a_late_one_can_be_is_believed_at_once(quick: World) -> None:
    await fired_and_ended(quick)
    await quick.take(quick.fires("A", at=0))
    await quick.until(MINUTE + 46 * SECOND)
    await quick.take(quick.fires("A", at=0))
    await quick.until(2 * MINUTE)
    assert quick.story()[-1] == (106.0, "ring", "A", "")
    assert {note.message.incident for note in quick.notes} == {1}


async def test_what_begins_together_with_a_return_joins_its_incident(quick: World) -> None:
    await fired_and_ended(quick)
    await quick.until(2 * MINUTE)
    await quick.take(quick.fires("B"), quick.fires("A", at=0))
    assert quick.story()[-1] == (120.0, "ring", "AB", "")
    assert {note.message.incident for note in quick.notes} == {1}


async def test_a_copy_that_began_after_the_end_is_a_new_episode(quick: World) -> None:
    await fired_and_ended(quick)
    await quick.take(quick.fires("A", at=0))
    await quick.until(70 * SECOND)
    await quick.take(quick.fires("A", at=70 * SECOND))
    assert quick.story()[-1] == (70.0, "ring", "A", "")
    assert [note.message.incident for note in quick.notes] == [1, 1, 2]


async def test_an_end_without_a_beginning_is_told_to_nobody(quick: World) -> None:
    receipt = await quick.take(quick.ends("A", at=-MINUTE))
    await quick.until(HOUR)
    assert (receipt.recorded, quick.story()) == (1, [])


async def test_an_alert_whose_end_came_first_is_told_by_its_own_route(world: World) -> None:
    await world.take(world.ends("A", at=-MINUTE, cluster="c"))
    await world.take(world.fires("A", at=-MINUTE, cluster="c"))
    await world.until(4 * HOUR)
    assert world.story() == [(330.0, "ring", "A", "")]
    message = world.notes[0].message
    assert (message.receiver, message.route, message.group_labels) == ("hook", "{}", {"cluster": "c"})


async def test_the_latest_end_that_was_told_counts(quick: World) -> None:
    await fired_and_ended(quick)
    await quick.until(2 * MINUTE)
    await quick.take(quick.ends("A", ended=100 * SECOND))
    await quick.until(3 * MINUTE)
    await quick.take(quick.fires("A", at=90 * SECOND))  # before that end: the same episode goes on
    assert [note.message.incident for note in quick.notes] == [1, 1, 1]
