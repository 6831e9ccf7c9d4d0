"""The PagerDuty stand-in behaves as PagerDuty's documents say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from gateway.standins.pagerduty import PagerDutyStandin, event_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "k" * 32


@pytest.fixture
async def pagerduty() -> AsyncIterator[PagerDutyStandin]:
    standin = PagerDutyStandin()
    await standin.start()
    yield standin
    await standin.stop()


def trigger(**changes: Any) -> dict[str, Any]:
    payload = {"summary": "Disk full", "source": "db-1", "severity": "critical"} | changes.pop("payload", {})
    event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "disk", "payload": payload}
    return {name: value for name, value in (event | changes).items() if value is not None}


def action(name: str, key: str = "disk") -> dict[str, Any]:
    return {"routing_key": KEY, "event_action": name, "dedup_key": key}


async def send(standin: PagerDutyStandin, event: Any) -> tuple[int, dict[str, Any], str | None]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{standin.url}/v2/enqueue", json=event) as answer,
    ):
        return answer.status, await answer.json(), answer.headers.get("Retry-After")


async def test_a_valid_trigger_is_accepted_and_rings_once(pagerduty: PagerDutyStandin) -> None:
    status, body, _ = await send(pagerduty, trigger())
    assert (status, body["status"], body["dedup_key"]) == (202, "success", "disk")
    assert pagerduty.incidents[KEY, "disk"].state == "triggered"
    assert pagerduty.rings == 1


async def test_a_second_trigger_of_an_open_incident_makes_no_sound(pagerduty: PagerDutyStandin) -> None:
    await send(pagerduty, trigger())
    pagerduty.acknowledge(KEY, "disk")
    await send(pagerduty, trigger(payload={"summary": "Disk still full"}))
    incident = pagerduty.incidents[KEY, "disk"]
    assert (incident.state, incident.rings, incident.triggers) == ("acknowledged", 1, 2)
    assert incident.summary == "Disk still full"


async def test_a_trigger_after_the_resolve_opens_a_new_incident_that_rings(
    pagerduty: PagerDutyStandin,
) -> None:
    for event in (trigger(), action("resolve"), trigger()):
        assert (await send(pagerduty, event))[0] == 202
    assert pagerduty.rings == 2
    assert [incident.state for incident in pagerduty.closed] == ["resolved"]


async def test_a_resolve_of_nothing_is_accepted_and_dropped(pagerduty: PagerDutyStandin) -> None:
    assert (await send(pagerduty, action("resolve", "unknown")))[0] == 202
    assert pagerduty.incidents == {}


async def test_acknowledge_by_event_is_kept(pagerduty: PagerDutyStandin) -> None:
    await send(pagerduty, trigger())
    await send(pagerduty, action("acknowledge"))
    assert pagerduty.incidents[KEY, "disk"].state == "acknowledged"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("text", "must be a JSON object"),
        ({}, "'routing_key' is missing"),
        (trigger(routing_key="short"), "Length of 'routing_key' is incorrect"),
        (trigger(event_action="page"), "'event_action' must be one of"),
        (trigger(dedup_key="x" * 256), "at most 255"),
        (action("resolve", ""), "'dedup_key' is missing"),
        (trigger() | {"payload": None}, "'payload' is missing"),
        (trigger(payload={"severity": "high"}), "'payload.severity' must be one of"),
        (trigger(payload={"summary": "x" * 1025}), "more than 1024"),
        (trigger(payload={"source": ""}), "'payload.source' is missing"),
        (trigger(payload={"class": 1}), "'payload.class' must be a string"),
        (trigger(payload={"custom_details": []}), "must be an object"),
        (trigger(links=[{"text": "no address"}]), "'links' needs 'href'"),
        (trigger(links="x"), "'links' must be a list"),
        (trigger(images=[{"src": "http://plain"}]), "over https"),
    ],
)
async def test_what_would_be_refused_is_refused(
    pagerduty: PagerDutyStandin, event: Any, expected: str
) -> None:
    status, body, _ = await send(pagerduty, event)
    assert status == 400
    assert body["message"] == "Event object is invalid"
    assert expected in "; ".join(body["errors"])
    assert pagerduty.events == []


def test_lengths_at_the_limit_are_fine() -> None:
    assert event_errors(trigger(dedup_key="x" * 255, payload={"summary": "x" * 1024})) == []


async def test_an_event_over_512_kb_is_refused(pagerduty: PagerDutyStandin) -> None:
    status, _, _ = await send(pagerduty, trigger(payload={"custom_details": {"a": "x" * 512 * 1024}}))
    assert status == 413


async def test_the_rate_limit_counts_per_routing_key() -> None:
    now = [0.0]
    standin = PagerDutyStandin(clock=lambda: now[0])
    await standin.start()
    standin.limit(per_minute=1)
    assert (await send(standin, trigger()))[0] == 202
    status, body, retry_after = await send(standin, trigger())
    assert (status, body["status"], retry_after) == (429, "throttle exceeded", "60")
    assert (await send(standin, trigger(routing_key="o" * 32)))[0] == 202
    now[0] = 60.0
    assert (await send(standin, trigger()))[0] == 202
    await standin.stop()


async def test_failures_are_played_in_order(pagerduty: PagerDutyStandin) -> None:
    pagerduty.fail_next(1, 500, body="{}")
    pagerduty.fail_next(1, 429, retry_after=7, body="{}")
    answers = [await send(pagerduty, trigger()) for _ in range(3)]
    assert [(status, wait) for status, _, wait in answers] == [(500, None), (429, "7"), (202, None)]


async def test_a_lost_answer_means_taken_but_unknown_to_the_sender(pagerduty: PagerDutyStandin) -> None:
    pagerduty.lose_answers(1)
    with pytest.raises(aiohttp.ClientError):
        await send(pagerduty, trigger())
    assert len(pagerduty.events) == 1
    assert (await send(pagerduty, trigger()))[0] == 202


async def test_arrivals_are_told_to_whoever_watches(pagerduty: PagerDutyStandin) -> None:
    seen: list[dict[str, Any]] = []
    pagerduty.on_arrival = seen.append
    for event in (trigger(), trigger(), action("resolve")):
        await send(pagerduty, event)
    assert [(one["service"], one["rang"]) for one in seen] == [("pagerduty", r) for r in (True, False, False)]
    assert seen[-1]["summary"] == "Disk full"
