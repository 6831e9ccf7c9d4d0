"""Whatever happens in whichever order here and in PagerDuty: in the end both say the same, without an echo.

Resolved together; acknowledged together, up to a later ring. Webhooks come late, twice or out of step, and
PagerDuty fails, or takes an event without our hearing of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pagerduty_beside import KEY, Both
from redis.asyncio import Redis
from world import MINUTE, SECOND, START

from routing.events import Acknowledged, Escalated, Resolved, Unacknowledged
from routing.incident_records import Status

if TYPE_CHECKING:
    from pathlib import Path

WHATS = (
    "ring", "acknowledge here", "acknowledge there", "unacknowledge here", "resolve here", "resolve there",
    "webhooks", "webhooks again", "answers are lost", "pagerduty fails", "fires anew", "a minute",
    "five minutes",
)  # fmt: skip
stories = st.lists(st.sampled_from(WHATS), min_size=1, max_size=12)


async def happens(both: Both, what: str) -> None:
    world, there = both.world, both.there
    await world.until(world.now - START + SECOND)
    found = await world.store.read("GET", "t:number")
    number = int(found or 0)
    match what:
        case "ring":
            await world.answer(number, Escalated("erin", "HTTP"))
        case "acknowledge here":
            await world.answer(number, Acknowledged("erin", "Slack"))
        case "unacknowledge here":
            await world.answer(number, Unacknowledged("erin", "Slack"))
        case "resolve here":
            await world.answer(number, Resolved("erin", "Slack"))
        case "webhooks":
            await both.webhooks()
        case "webhooks again":
            await both.webhooks(again=True)
        case "answers are lost":
            there.lose_answers(2)
        case "pagerduty fails":
            there.fail_next(2, 500)
        case "fires anew":
            await both.ends()
            await world.until(world.now - START + 11 * MINUTE)
            await both.fires()
        case "a minute":
            await world.until(world.now - START + MINUTE)
        case "five minutes":
            await world.until(world.now - START + 5 * MINUTE)
        case _:
            press(both, what)


def press(both: Both, what: str) -> None:
    """Somebody over there does it to whatever is open."""
    press = both.there.acknowledge if what == "acknowledge there" else both.there.resolve
    for short in both.open:
        press(KEY, both.key(short))


async def rests(both: Both) -> None:
    """The network is well again, everything arrives, and nothing new happens but the time that passes."""
    both.there.lose_answers(0)
    both.there._failures.clear()
    for _ in range(3):
        await both.world.until(both.world.now - START + 7 * MINUTE)
        await both.webhooks()


async def agree(both: Both) -> None:
    number = int(await both.world.store.read("GET", "t:number"))
    incident = await both.incident(number)
    if incident.status is Status.RESOLVED:
        assert both.open == {}
        return
    assert len(both.open) <= 1
    states = set(both.open.values())
    rang_at = max(
        (one.created_at for one in both.there.incidents.values() if one.state != "resolved"), default=0
    )
    if incident.ack is None:
        assert states <= {"triggered"}
    elif incident.ack.at >= rang_at and states:
        assert states == {"acknowledged"}


async def tell(url: str, folder: Path, story: list[str]) -> None:
    async with Redis.from_url(url) as redis:
        await redis.flushall()
    both = await Both.make(url, folder)
    try:
        await both.fires()
        for what in story:
            await happens(both, what)
        await rests(both)
        await agree(both)
        sent = len(both.sent)
        await both.webhooks(again=True)
        assert len(both.sent) == sent, "an echo"
        await both.ends()
        await both.world.until(both.world.now - START + 11 * MINUTE)
        await both.webhooks()
        assert both.open == {}
    finally:
        await both.close()


profile = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@profile
@given(story=stories)
@example(story=["acknowledge there", "ring", "webhooks"])
@example(story=["answers are lost", "ring", "acknowledge there", "webhooks"])
@example(story=["resolve there", "fires anew", "webhooks"])
@example(story=["acknowledge here", "unacknowledge here", "acknowledge there", "webhooks", "resolve here"])
def test_both_agree_in_the_end(redis_server: str, tmp_path: Path, story: list[str]) -> None:
    asyncio.run(tell(redis_server, tmp_path, story))


@pytest.mark.long
@settings(profile, max_examples=1_500, derandomize=False)
@given(story=stories)
def test_both_agree_in_the_end_of_many_stories(redis_server: str, tmp_path: Path, story: list[str]) -> None:
    asyncio.run(tell(redis_server, tmp_path, story))
