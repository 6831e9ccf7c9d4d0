"""PagerDuty's webhooks at the door: signature, replay, duplicates, and what is none of our business."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from config.load import load_text
from config.pagerduty_app import PagerDutyAppConfig
from gateway.pagerduty_in import MAX_BYTES, PATH, event_of, routes
from gateway.plan import timing_of
from gateway.problem import problems
from gateway.store.pagerduty import Events
from gateway.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECRET = "new-secret"
PLAIN = "route: {receiver: r}\nreceivers: [{name: r}]\n"


def said(minutes_ago: float = 0, **changes: Any) -> dict[str, Any]:
    """An event as PagerDuty documents it: somebody acknowledges."""
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    incident = {"id": "PGR0VU2", "type": "incident", "status": "acknowledged", "incident_key": "tocsin-a:2"}
    event = {
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
        "event_type": "incident.acknowledged",
        "resource_type": "incident",
        "occurred_at": at.isoformat().replace("+00:00", "Z"),
        "agent": {"id": "PLH1HKV", "summary": "Dana Smith", "type": "user_reference"},
        "client": {"name": "PagerDuty"},
        "data": incident | changes.pop("data", {}),
    }
    return event | changes


@dataclass
class Door:
    events: Events
    app: PagerDutyAppConfig
    port: int = 0
    woken: list[bool] = field(default_factory=list)

    async def post(self, body: bytes, *secrets: str, **headers: str) -> tuple[int, Any]:
        marks = [f"v1={hmac.new(secret.encode(), body, 'sha256').hexdigest()}" for secret in secrets]
        sent = {"X-PagerDuty-Signature": ",".join(marks), "Content-Type": "application/json"} | headers
        url = f"http://127.0.0.1:{self.port}{PATH}"
        async with ClientSession() as client, client.post(url, data=body, headers=sent) as answer:
            document = await answer.json(content_type=None)
            return answer.status, document.get("result", document.get("detail"))

    async def signed(self, event: dict[str, Any]) -> tuple[int, Any]:
        return await self.post(json.dumps({"event": event}).encode(), SECRET)


@pytest.fixture
async def door(redis_server: str) -> AsyncIterator[Door]:
    redis = Redis.from_url(redis_server, decode_responses=True)
    events = Events(Store(redis, 1, timing_of(load_text(PLAIN, "tocsin.yaml", {}))))
    door = Door(events, PagerDutyAppConfig.model_validate({"webhook_secret": f"old-secret {SECRET}"}))
    app = web.Application(middlewares=[problems])
    app.add_routes(routes(events, lambda: door.app, lambda: door.woken.append(True)))
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.port = runner.addresses[0][1]
    yield door
    await runner.cleanup()
    await redis.aclose()


async def test_an_event_is_kept_with_what_is_needed_and_wakes_who_works_on_it(door: Door) -> None:
    event = said()
    assert await door.signed(event) == (202, "kept")
    (kept,) = await door.events.claim(9)
    assert (kept.kind, kept.incident, kept.key) == ("acknowledged", "PGR0VU2", "tocsin-a:2")
    assert (kept.person, kept.name) == ("PLH1HKV", "Dana Smith")
    at = datetime.fromisoformat(event["occurred_at"]).timestamp()
    assert (kept.at, door.woken) == (int(at * 1000), [True])


async def test_the_same_event_again_is_taken_and_left(door: Door) -> None:
    assert await door.signed(said()) == (202, "kept")
    for event in await door.events.claim(9):
        await door.events.done(event)
    assert await door.signed(said()) == (202, "known")
    assert (await door.events.claim(9), door.woken) == ([], [True])


@pytest.mark.parametrize("secrets", [["old-secret"], ["unknown", SECRET], ["old-secret", SECRET]])
async def test_any_of_the_signatures_with_any_of_the_secrets_will_do(door: Door, secrets: list[str]) -> None:
    body = json.dumps({"event": said()}, indent=3, ensure_ascii=False).encode()
    assert await door.post(body, *secrets) == (202, "kept")


@pytest.mark.parametrize("header", ["", "v1=", "v2={}", "{}", "v1={}x", "v1=\u00e9", ",".join(["v1=a"] * 99)])
async def test_a_wrong_signature_is_refused_and_leaves_nothing(door: Door, header: str) -> None:
    body = json.dumps({"event": said()}).encode()
    right = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    status, detail = await door.post(body, **{"X-PagerDuty-Signature": header.replace("{}", right)})
    assert (status, await door.events.claim(9)) == (401, [])
    assert SECRET not in detail


async def test_a_body_that_was_changed_is_refused(door: Door) -> None:
    body = json.dumps({"event": said()}).encode()
    mark = f"v1={hmac.new(SECRET.encode(), body, 'sha256').hexdigest()}"
    status, _ = await door.post(body + b" ", **{"X-PagerDuty-Signature": mark})
    assert status == 401


async def test_without_a_secret_nothing_is_taken_and_with_an_unreadable_one_it_is_to_come_again(
    door: Door, tmp_path: Path
) -> None:
    door.app = PagerDutyAppConfig()
    status, detail = await door.signed(said())
    assert (status, "pagerduty.webhook_secret" in detail) == (404, True)
    door.app = PagerDutyAppConfig(webhook_secret_file=tmp_path / "gone")
    assert (await door.signed(said()))[0] == 503


async def test_a_replay_after_the_window_is_left_and_so_is_one_from_the_future(door: Door) -> None:
    assert await door.signed(said(minutes_ago=59, id="a")) == (202, "kept")
    assert await door.signed(said(minutes_ago=61, id="b")) == (202, "stale")
    assert await door.signed(said(minutes_ago=-61, id="c")) == (202, "stale")


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(door: Door) -> None:
    assert (await door.post(b" " * (MAX_BYTES + 1), SECRET))[0] == 413


NOBODYS: list[Any] = [
    {"event_type": "incident.annotated"},
    {"event_type": "pagey.ping"},
    {"agent": {"id": "PINT", "type": "events_api_v2_inbound_integration_reference"}},
    {"agent": {"id": "PSERV", "type": "service_reference"}},
    {"agent": None},
    {"client": {"name": "Tocsin"}},
    {"event_type": "incident.resolved", "data": {"resolve_reason": {"type": "merge_resolve_reason"}}},
    {"occurred_at": "yesterday"},
    {"occurred_at": 5},
    {"id": None},
    {"data": {"id": None, "incident_key": None}},
]


@pytest.mark.parametrize("changes", NOBODYS)
async def test_what_we_did_ourselves_or_nobody_did_or_nobody_understands_is_taken_and_left(
    door: Door, changes: dict[str, Any]
) -> None:
    assert await door.signed(said(**changes)) == (202, "ignored")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"event": []}', b'"x"', b"\xff", b"[" * 100_000])
async def test_what_is_signed_and_no_event_is_taken_and_left(door: Door, body: bytes) -> None:
    assert await door.post(body, SECRET) == (202, "ignored")


def test_that_pagerduty_takes_an_acknowledgement_back_is_an_event() -> None:
    taken_back = event_of(
        said(event_type="incident.unacknowledged", agent={"id": "P", "type": "service_reference"})
    )
    assert taken_back is not None
    assert (taken_back.kind, taken_back.person, taken_back.name) == ("unacknowledged", "", "")


async def test_what_is_claimed_is_nobody_elses_until_it_is_to_be_tried_again(door: Door) -> None:
    await door.signed(said())
    (event,) = await door.events.claim(9)
    assert await door.events.claim(9) == []
    await door.events.again(event)
    keys = await door.events._store.read("ZRANGE", "t:{0}:pagerduty", 0, -1)
    assert keys == [event.id]
    await door.events.done(event)
    await door.events.again(event)  # by somebody whose lease ended: it is done all the same
    assert await door.events._store.read("ZCARD", "t:{0}:pagerduty") == 0


async def test_more_than_can_be_kept_are_to_come_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.pagerduty.MOST", 1)
    assert await door.signed(said(id="a")) == (202, "kept")
    assert (await door.signed(said(id="b")))[0] == 503


async def test_an_event_that_cannot_be_read_any_more_keeps_no_other_waiting(door: Door) -> None:
    await door.signed(said(id="a"))
    await door.signed(said(id="b"))
    ids = await door.events._store.read("ZRANGE", "t:{0}:pagerduty", 0, -1)
    for record in ("{", '{"of": "a later version"}'):
        await door.events._store.read("HSET", "t:{0}:pagerduty:events", ids[0], record)
    assert [event.id for event in await door.events.claim(9)] == [ids[1]]
    assert await door.events._store.read("ZRANGE", "t:{0}:pagerduty", 0, -1) == [ids[1]]
