"""The PagerDuty stand-in behaves as PagerDuty's documents say."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

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


# --- the way back --------------------------------------------------------------------------------------


@pytest.fixture
async def heard() -> AsyncIterator[tuple[str, list[tuple[str, dict[str, Any]]], list[int]]]:
    """An address, what was posted there (signature, event), and the statuses that it answers before 202."""
    posted: list[tuple[str, dict[str, Any]]] = []
    answers: list[int] = []

    async def take(request: web.Request) -> web.Response:
        raw = await request.read()
        signed = f"v1={hmac.new(b'new', raw, 'sha256').hexdigest()}"
        assert request.headers["X-PagerDuty-Signature"].split(",")[1] == signed
        posted.append((signed, json.loads(raw)["event"]))
        return web.Response(status=answers.pop(0) if answers else 202)

    app = web.Application()
    app.add_routes([web.post("/hook", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", posted, answers
    await runner.cleanup()


async def test_what_happens_is_posted_signed_in_order_and_says_who_did_it(
    pagerduty: PagerDutyStandin, heard: Any
) -> None:
    url, posted, answers = heard
    subscription = pagerduty.subscribe(url, "old", "new")
    subscription.pause = 0.001
    answers += [503, 429]
    await send(pagerduty, trigger())
    pagerduty.acknowledge(KEY, "disk")
    pagerduty.acknowledge(KEY, "disk")
    pagerduty.time_out(KEY, "disk")
    await send(pagerduty, action("resolve"))
    await subscription.settle()
    assert [event["event_type"].removeprefix("incident.") for _, event in posted] == [
        "triggered", "triggered", "triggered", "acknowledged", "unacknowledged", "resolved",
    ]  # fmt: skip
    assert [event["agent"]["type"].split("_")[0] for _, event in posted[2:]] == [
        "events", "user", "service", "events",
    ]  # fmt: skip
    assert {event["data"]["incident_key"] for _, event in posted} == {"disk"}
    assert subscription.answers == [503, 429, 202, 202, 202, 202]


async def test_a_webhook_that_is_refused_is_dropped(pagerduty: PagerDutyStandin, heard: Any) -> None:
    url, _, answers = heard
    answers.append(401)
    subscription = pagerduty.subscribe(url, "old", "new")
    await send(pagerduty, trigger())
    await subscription.settle()
    assert (subscription.answers, subscription.dropped) == ([401], 1)


async def test_rest_shows_keys_and_addresses_to_who_has_the_token(pagerduty: PagerDutyStandin) -> None:
    await send(pagerduty, trigger())
    identity = pagerduty.incidents[KEY, "disk"].id

    async def read(path: str, token: str) -> tuple[int, str]:
        headers = {"Authorization": f"Token token={token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{pagerduty.url}{path}", headers=headers) as got,
        ):
            return got.status, await got.text()

    status, text = await read(f"/incidents/{identity}/alerts", pagerduty.api_token)
    assert (status, json.loads(text)["alerts"][0]["alert_key"]) == (200, "disk")
    status, text = await read("/users/PDANA01", pagerduty.api_token)
    assert (status, json.loads(text)["user"]["email"]) == (200, "dana@example.com")
    assert (await read("/users/PDANA01", "other"))[0] == 401
    assert (await read("/users/PNOBODY", pagerduty.api_token))[0] == 404
