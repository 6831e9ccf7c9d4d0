"""Beats over real HTTP, on a whole service: who may beat, what is swallowed, what is shown."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession

from config.load import load
from gateway.logs import hide
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

SECRET = "b3at-me-please"
CONFIG = f"""
route: {{receiver: nobody, group_by: [alertname, heartbeat], group_wait: 0s}}
receivers: [{{name: nobody}}]
global: {{resolve_timeout: 1s}}
auth: {{tokens: [{{name: reader, token: reader-secret, scopes: [read, ingest]}}]}}
heartbeats:
  - {{name: watchdog, matchers: [alertname="Watchdog"], timeout: 10m}}
  - {{name: backup, token: {SECRET}, timeout: 1h, severity: high, team: db}}
  - {{name: lax, token: {SECRET}, timeout: 1h, token_in_path: true, allow_get: true}}
  - {{name: short, token: {SECRET}, timeout: 1s}}
teams: [{{name: db, email: db@example.com}}]
"""


@pytest.fixture
async def ask(redis_server: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """`await ask("POST", path, token, json=...)`: status and document."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    path = tmp_path / "tocsin.yaml"
    path.write_text(getattr(request, "param", CONFIG))
    service = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
    await service.start("127.0.0.1", 0)
    async with ClientSession() as client:

        async def send(method: str, path: str, token: str = "", **how: Any) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            headers |= how.pop("headers", {})
            url = f"http://127.0.0.1:{service.port}{path}"
            async with client.request(method, url, headers=headers, **how) as response:
                return response.status, await response.json(content_type=None)

        yield send
    await service.stop()
    structlog.reset_defaults()


async def states(ask: Any) -> dict[str, str]:
    _, answer = await ask("GET", "/api/v1/heartbeats", "reader-secret")
    return {one["name"]: one["state"] for one in answer["heartbeats"]}


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("POST", "/heartbeat/backup", SECRET, 200),
        ("POST", "/heartbeat/backup", "another", 401),
        ("POST", "/heartbeat/backup", "", 401),
        ("POST", "/heartbeat/backup", "reader-secret", 401),
        ("POST", "/heartbeat/nothing", SECRET, 401),
        ("POST", "/heartbeat/watchdog", "", 401),
        ("POST", "/heartbeat/watchdog", SECRET, 401),
        ("GET", "/heartbeat/backup", SECRET, 405),
        ("HEAD", "/heartbeat/lax", SECRET, 405),
        ("GET", "/heartbeat/lax", SECRET, 200),
        ("POST", f"/heartbeat/backup/{SECRET}", "", 401),
        ("POST", f"/heartbeat/lax/{SECRET}", "", 200),
        ("GET", f"/heartbeat/lax/{SECRET}", "", 200),
        ("GET", "/heartbeat/lax/another", "", 401),
    ],
)
async def test_who_may_beat(ask: Any, method: str, path: str, token: str, status: int) -> None:
    assert (await ask(method, path, token))[0] == status
    name = path.split("/")[2]
    assert (await states(ask)).get(name) == (
        "alive" if status == 200 else "waiting" if name != "nothing" else None
    )


async def test_a_beat_may_have_a_header_of_its_own_and_any_body(ask: Any) -> None:
    status, answer = await ask(
        "POST", "/heartbeat/backup", data=b"\x00not json", headers={"X-Heartbeat-Token": SECRET}
    )
    assert (status, answer["heartbeat"]) == (200, "backup")
    assert answer["at"] < answer["next_by"]


async def test_the_watchdog_beats_by_the_webhook_and_is_not_routed(ask: Any) -> None:
    alert = {"labels": {"alertname": "Watchdog"}, "status": "firing", "startsAt": "2026-01-01T00:00:00Z"}
    body = {"version": "4", "alerts": [alert]}
    status, answer = await ask("POST", "/webhook", "reader-secret", json=body)
    assert (status, answer["recorded"], answer["accepted"]) == (200, 1, 0)
    assert (await states(ask))["watchdog"] == "alive"
    _, shown = await ask("GET", "/api/v1/incidents?status=all", "reader-secret")
    assert "Watchdog" not in str(shown)


async def test_what_is_missing_is_an_incident_and_is_shown_as_missing(ask: Any) -> None:
    async with asyncio.timeout(8):
        found: list[Any] = []
        while not found:
            await asyncio.sleep(0.1)
            _, shown = await ask("GET", "/api/v1/incidents", "reader-secret")
            found = shown["incidents"]
    assert found[0]["labels"] == {"alertname": "HeartbeatMissing", "heartbeat": "short"}
    assert (await states(ask))["short"] == "missing"
    await ask("POST", "/heartbeat/short", SECRET)


@pytest.mark.parametrize(
    "ask", [CONFIG.replace("resolve_timeout: 1s", "resolve_timeout: 10m")], indirect=True
)
async def test_after_a_start_none_is_said_to_be_missing_before_it_can_be(ask: Any) -> None:
    async with asyncio.timeout(8):
        due = timedelta()
        while due < timedelta(minutes=9):  # as soon as it has been looked for
            await asyncio.sleep(0.05)
            *_, short = (await ask("GET", "/api/v1/heartbeats", "reader-secret"))[1]["heartbeats"]
            due = datetime.fromisoformat(short["next_by"] or "2000-01-01Z") - datetime.now(UTC)
    assert short["state"] == "waiting"


async def test_all_that_is_configured_is_shown_and_no_token_of_it(ask: Any) -> None:
    await ask("POST", "/heartbeat/backup", SECRET)
    status, answer = await ask("GET", "/api/v1/heartbeats", "reader-secret")
    assert status == 200
    assert SECRET not in str(answer)
    _, backup, _, _ = answer["heartbeats"]
    assert backup["labels"] == {
        "alertname": "HeartbeatMissing", "heartbeat": "backup", "severity": "high", "team": "db",
    }  # fmt: skip
    assert (backup["ways"], backup["matchers"], backup["timeout"]) == (["http"], None, "1h")
    assert (await ask("GET", "/api/v1/heartbeats"))[0] == 401


def test_a_token_in_a_path_is_hidden_in_logs() -> None:
    assert hide(f"GET /heartbeat/lax/{SECRET}?x HTTP/1.1") == "GET /heartbeat/lax/***?x HTTP/1.1"
