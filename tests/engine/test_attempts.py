"""What an attempt carries with it, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from world import SECOND, World

from receivers.base import Refused, Retry, Sent
from routing.delivery import FIRST_BACKOFF, JITTER

if TYPE_CHECKING:
    from receivers.base import Message, Outcome


async def test_the_pause_after_a_failure_begins_when_the_attempt_ends(world: World) -> None:
    world.recorder.answer = lambda _: Retry("no answer", unknown=True)
    await world.take(world.fires("A"))
    world.recorder.after = 3 * SECOND
    await world.until(30 * SECOND)
    begun, world.recorder.after = 30 * SECOND, 0
    due = (await world.due())["d:1.0"]
    assert due >= begun + 3 * SECOND + FIRST_BACKOFF * (1 - JITTER)


async def test_a_service_that_refuses_has_answered_and_counts_as_one_that_works(world: World) -> None:
    world.recorder.answer = lambda _: Retry("away")
    await world.take(world.fires("A"))
    await world.until(31 * SECOND)
    world.recorder.answer = lambda _: Refused("no such page")
    await world.until(60 * SECOND)
    assert [await world.redis.smembers(f"t:{{{shard}}}:failing") for shard in range(3)] == [set()] * 3


async def test_a_message_is_logged_as_its_own_and_not_as_of_the_request_before(world: World) -> None:
    seen: list[dict[str, object]] = []

    def look(_: Message) -> Outcome:
        seen.append(structlog.contextvars.get_contextvars())
        return Sent()

    world.recorder.answer = look
    with structlog.contextvars.bound_contextvars(request_id="another", group="another"):
        await world.take(world.fires("A", at=-60 * SECOND))
    assert [(context.get("request_id"), context.get("group")) for context in seen] == [(None, None)]


async def test_the_worst_alert_is_shown_first_and_then_the_oldest(world: World) -> None:
    await world.take(world.fires("new", at=-70_000, severity="critical"), world.fires("low", severity="low"))
    await world.take(world.fires("old", at=-90_000, severity="critical"))
    await world.until(301 * SECOND)
    shown = [alert.labels["alertname"] for alert in world.notes[-1].message.alerts]
    assert shown == ["old", "new", "low"]
