"""PagerDuty and Tocsin agree on an incident, whoever answers where."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from pagerduty_beside import CONFIG, KEY, Both
from world import HOUR, MINUTE, SECOND, START

from config.pagerduty_app import PagerDutyAppConfig
from gateway.pagerduty_answers import is_about
from gateway.pagerduty_in import PATH, routes
from gateway.standins.pagerduty_webhooks import Person
from routing.events import Acknowledged, Resolved, Unacknowledged
from routing.incident_records import Ack, Incident, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def both(redis_server: str, tmp_path: Path) -> AsyncIterator[Both]:
    both = await Both.make(redis_server, tmp_path)
    yield both
    await both.close()


async def test_each_ring_of_a_policy_sounds_and_the_end_leaves_nothing_open(both: Both) -> None:
    await both.fires()
    await both.world.until(6 * MINUTE)
    assert (both.sent, both.there.rings) == (["trigger first", "trigger :2", "resolve first"], 2)
    await both.ends()
    await both.world.until(20 * MINUTE)
    assert (both.sent[3:], both.open) == (["resolve :2"], {})


async def test_acknowledged_there_is_acknowledged_here_by_the_user_with_that_address(both: Both) -> None:
    await both.fires()
    await both.world.until(2 * MINUTE)
    both.there.acknowledge(KEY, both.key("first"))
    await both.webhooks()
    assert await both.status() == "acknowledged"
    assert "dana has it (PagerDuty)" in await both.world.timeline(1)
    await both.world.take(both.world.fires("B", severity="critical"))
    await both.world.until(14 * MINUTE)
    assert both.sent == ["trigger first", "trigger first"], "news, and no echo"
    assert (both.there.rings, both.open) == (1, {"first": "acknowledged"})


async def test_acknowledged_here_is_acknowledged_there_once(both: Both) -> None:
    await both.fires()
    await both.world.until(MINUTE)
    for _ in range(2):
        await both.world.answer(1, Acknowledged("dana", "Slack"))
        await both.webhooks()
    assert both.sent == ["trigger first", "acknowledge first"]
    assert (both.open, await both.status()) == ({"first": "acknowledged"}, "acknowledged")


async def test_what_is_acknowledged_there_and_ends_here_rings_again_with_sound(both: Both) -> None:
    await both.fires()
    await both.world.until(MINUTE)
    both.there.acknowledge(KEY, both.key("first"))
    await both.webhooks()
    await both.world.answer(1, Unacknowledged("erin", "HTTP"))
    await both.world.until(2 * MINUTE)
    assert (both.open, both.there.rings) == ({":2": "triggered"}, 2)


async def test_resolved_there_is_resolved_here(both: Both) -> None:
    await both.fires()
    await both.world.until(6 * MINUTE)
    both.there.resolve(KEY, both.key(":2"))
    await both.webhooks()
    await both.world.until(7 * MINUTE)
    assert (await both.status(), both.open) == ("resolved", {})


async def test_resolved_here_is_resolved_there(both: Both) -> None:
    await both.fires()
    await both.world.until(6 * MINUTE)
    await both.world.answer(1, Resolved("dana", "Slack"))
    await both.webhooks()
    assert (await both.status(), both.open) == ("resolved", {})


async def test_a_resolve_that_comes_late_does_not_close_the_next_incident(both: Both) -> None:
    await both.fires("plain")
    await both.world.until(MINUTE)
    both.there.resolve(KEY, both.key("first"))
    await both.ends("plain")
    await both.world.until(11 * MINUTE)
    await both.fires("plain")
    await both.world.until(12 * MINUTE)
    await both.webhooks()
    assert [await both.status(number) for number in (1, 2)] == ["resolved", "triggered"]


async def test_an_answer_to_an_older_ring_does_not_count(both: Both) -> None:
    await both.fires()
    await both.world.until(4 * MINUTE)
    both.there.acknowledge(KEY, both.key("first"))
    await both.world.until(6 * MINUTE)
    await both.webhooks()
    assert (await both.status(), both.open) == ("triggered", {":2": "triggered"})


async def test_acknowledged_while_the_answer_to_the_ring_was_lost(both: Both) -> None:
    both.there.lose_answers(1)
    await both.fires()
    both.there.acknowledge(KEY, both.key("first"))
    await both.webhooks()
    await both.world.until(MINUTE)
    assert (await both.status(), both.open) == ("acknowledged", {"first": "acknowledged"})


async def test_acknowledged_there_but_heard_of_only_after_the_ring_was_repeated(both: Both) -> None:
    both.there.lose_answers(1)
    await both.fires()
    both.there.acknowledge(KEY, both.key("first"))
    await both.world.until(10 * SECOND)
    await both.webhooks()
    assert (await both.status(), both.open) == ("acknowledged", {"first": "acknowledged"})


async def test_the_keys_are_read_where_the_webhook_lacks_them_and_tried_until_they_can_be(both: Both) -> None:
    both.there.shows_keys = False
    await both.fires()
    both.there.acknowledge(KEY, both.key("first"))
    both.there.fail_next(1, 500)
    await both.webhooks()
    assert await both.status() == "triggered"
    await both.world.pass_to(2 * SECOND)
    await both.webhooks()
    assert await both.status() == "acknowledged"


async def test_pagerdutys_own_time_out_is_only_a_line_and_a_later_acknowledgement_is_sent(both: Both) -> None:
    await both.fires()
    await both.world.until(MINUTE)
    both.there.acknowledge(KEY, both.key("first"))
    await both.webhooks()
    both.there.time_out(KEY, both.key("first"))
    await both.webhooks()
    assert await both.status() == "acknowledged"
    assert "PagerDuty (by itself): it is no longer acknowledged there" in await both.world.timeline(1)
    await both.world.pass_to(2 * MINUTE)
    await both.world.answer(1, Acknowledged("erin", "Slack", until=START + 60 * MINUTE))
    assert (both.sent[-1], both.open) == ("acknowledge first", {"first": "acknowledged"})


async def test_the_last_step_pages_although_it_is_acknowledged_and_stays_unacknowledged_there(
    both: Both,
) -> None:
    await both.fires()
    await both.world.until(MINUTE)
    await both.world.answer(1, Acknowledged("dana", "Slack"))
    await both.world.until(16 * MINUTE)
    assert (both.open, both.there.rings) == ({":2": "triggered"}, 2)
    await both.world.take(both.world.fires("B", severity="critical"))
    await both.world.until(30 * MINUTE)
    assert both.open == {":2": "triggered"}, "news of the incident does not silence the page"


async def test_a_duplicate_changes_nothing_however_often_it_comes(both: Both) -> None:
    await both.fires()
    await both.world.until(MINUTE)
    both.there.acknowledge(KEY, both.key("first"))
    await both.webhooks()
    before: list[Any] = [await both.world.timeline(1), both.sent]
    for _ in range(3):
        await both.webhooks(again=True)
    assert [await both.world.timeline(1), both.sent] == before


async def test_a_ring_that_is_on_its_way_hears_of_the_acknowledgement_too(both: Both) -> None:
    given: list[asyncio.Task[Any]] = []

    def arrived(what: dict[str, Any]) -> None:
        if what["event"]["dedup_key"].endswith(":2") and what["rang"]:
            dana = Acknowledged("dana", "PagerDuty", delivery="1.0")
            given.append(asyncio.ensure_future(both.world.answers.give(1, dana)))

    await both.fires()
    both.there.on_arrival = arrived
    both.there.delay = 0.02  # so that the answer is there before the ring is known to have arrived
    await both.world.until(6 * MINUTE)
    await given[0]
    assert (both.open, await both.status()) == ({":2": "acknowledged"}, "acknowledged")


async def test_of_two_services_that_were_told_the_other_one_hears_of_it_too(
    redis_server: str, tmp_path: Path
) -> None:
    other = KEY[::-1]
    second = f'    pagerduty_configs: [{{routing_key: {other}, url: "URL"}}, '
    both = await Both.make(redis_server, tmp_path, CONFIG.replace("    pagerduty_configs: [", second))
    await both.fires()
    await both.world.until(MINUTE)
    both.there.acknowledge(other, both.key("first"))
    await both.webhooks()
    await both.world.until(2 * MINUTE)
    assert {one.state for one in both.there.incidents.values()} == {"acknowledged"}
    both.there.resolve(KEY, both.key("first"))
    await both.webhooks()
    assert {one.state for one in both.there.incidents.values()} == {"resolved"}
    await both.close()


async def test_webhooks_come_over_http_and_are_worked_on_after_the_answer(both: Both) -> None:
    app = web.Application()
    settings = PagerDutyAppConfig.model_validate({"webhook_secret": "s"})
    app.add_routes(routes(both.answers.events, lambda: settings, both.answers.wake))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    both.subscription.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    await both.fires()
    await both.world.until(MINUTE)
    both.there.acknowledge(KEY, both.key("first"))
    assert [await both.subscription.post(raw) for raw in both.subscription.sent] == [202, 202]
    assert await both.status() == "triggered"
    await both.answers.work()
    assert await both.status() == "acknowledged"
    await runner.cleanup()


async def test_somebody_whom_nobody_here_knows_is_called_as_pagerduty_calls_them(both: Both) -> None:
    await both.fires()
    await both.world.until(MINUTE)
    stranger = Person("PSTRANGE", "Kim Stranger", "kim@example.net")
    both.there.acknowledge(KEY, both.key("first"), by=stranger)
    await both.webhooks()
    assert (await both.incident()).ack == Ack("Kim Stranger", "PagerDuty", START + MINUTE)


async def test_of_a_plain_receiver_what_was_acknowledged_and_is_so_no_more_is_heard_again(
    both: Both,
) -> None:
    await both.fires("plain")
    await both.world.until(MINUTE)
    both.there.acknowledge(KEY, both.key("first"))
    await both.webhooks()
    await both.world.answer(1, Unacknowledged("erin", "HTTP"))
    await both.world.until(10 * HOUR)
    assert list(both.open.values()) == ["triggered"]
    assert both.there.rings == 2


MEMORY = {"incident": 7, "key": "tocsin-a:3", "ring": 3, "since": START + HOUR}


@pytest.mark.parametrize(
    ("key", "at", "memory", "rung", "expected"),
    [
        ("tocsin-a:3", HOUR, MEMORY, 3, True),
        ("tocsin-a:3", MINUTE, MEMORY, 3, True),
        ("tocsin-a:3", -1, MEMORY, 3, False),
        ("tocsin-a:2", HOUR, MEMORY, 3, False),
        ("tocsin-a", HOUR, MEMORY, 3, False),
        ("tocsin-a:4", HOUR, MEMORY, 4, True),
        ("tocsin-a:4", HOUR, MEMORY, 3, False),
        ("tocsin-a:3", HOUR, MEMORY | {"incident": 6}, 3, False),
        ("tocsin-a", HOUR, {}, 1, True),
        ("tocsin-a", -1, {}, 1, False),
        ("tocsin-a", HOUR - 1, MEMORY | {"key": "tocsin-a"}, 1, False),
        ("tocsin-a", HOUR, MEMORY | {"key": "tocsin-a"}, 1, True),
        ("tocsin-a:2", HOUR - 1, {"tried": 2, "tried_at": START + HOUR}, 2, False),
    ],
)
def test_an_event_is_about_the_present_ring_or_about_none(
    key: str, at: int, memory: dict[str, Any], rung: int, *, expected: bool
) -> None:
    incident = Incident(7, Status.TRIGGERED, "r", "pager", {}, 1, 1, START, 1, triggered_at=START)
    fields = {"memory": json.dumps(memory), "ring_wanted": str(rung)}
    assert is_about(fields, incident, key, START + at) is expected
