"""A server that speaks the API with canned data, and the real command in a process of its own.

The data is at the end; tests reach it as the fixture `api`.
"""

import asyncio
import os
import sys
import types
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.cli import main

ROOT = Path(__file__).resolve().parents[2]
NOW = "Mon, 24 Nov 2025 08:20:00 GMT"  # what the server's clock shows in every answer
TOKEN = "s3cr3t-t0ken"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass
class CannedServer:
    """Answers `answers[(method, path)]` with (status, document); keeps the requests that it took."""

    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    requests: list[web.BaseRequest] = field(default_factory=list)
    token: str = ""
    url: str = ""
    before: Callable[[], Awaitable[Any]] | None = None  # awaited ahead of every answer

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        if self.before:
            await self.before()
        given = request.headers.get("Authorization")
        if self.token and given != f"Bearer {self.token}":
            return _answer(401, problem(401, "Unauthorized", "no token, or one that is not known"))
        return _answer(*self.answers.get((request.method, request.raw_path), self._missing(request)))

    def _missing(self, request: web.BaseRequest) -> tuple[int, Any]:
        return 404, problem(404, "Not found", f"there is nothing at {request.raw_path}")


def _answer(status: int, document: Any) -> web.StreamResponse:
    if isinstance(document, web.StreamResponse):
        return document
    kind = "application/json" if status < 400 else "application/problem+json"
    response = web.json_response(document, status=status, content_type=kind)
    response.headers["Date"] = NOW
    return response


def problem(status: int, title: str, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


@pytest.fixture
async def server():
    canned = CannedServer()
    runner = web.ServerRunner(web.Server(canned.handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    canned.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield canned
    await runner.cleanup()


@pytest.fixture
def tocsin(server, tmp_path):
    """Runs `tocsin ARGS...` against the canned server; `env` adds to an environment that has little else."""

    async def run(*args: str, **env: str) -> Ended:
        return await _run([sys.executable, "-m", "gateway.cli", *args], tmp_path, server.url, env)

    return run


@pytest.fixture
def here(monkeypatch, capsys):
    """Runs `tocsin ARGS...` in this process, for what needs no server: quicker by the start of a Python."""

    def run(*args: str, **env: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tocsin", *args])
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def shell(server, tmp_path):
    """Runs a line of shell in which `tocsin` is the command."""

    async def run(line: str, **env: str) -> Ended:
        prelude = f'tocsin() {{ "{sys.executable}" -m gateway.cli "$@"; }}; '
        return await _run(["bash", "-c", prelude + line], tmp_path, server.url, env)

    return run


async def _run(command: list[str], folder: Path, url: str, env: dict[str, str]) -> Ended:
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "TOCSIN_SERVER": url,
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**surroundings, **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 30)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def delivery(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1042.pagerduty.0",
        "incident": 1042,
        "receiver": "pagerduty",
        "kind": "pagerduty",
        "index": 0,
        "target": "events.pagerduty.com key …c0de",
        "state": "done",
        "wanted": 3,
        "sent": 3,
        "ring_wanted": 1,
        "ring_sent": 1,
        "attempt": 2,
        "tries": 0,
        "next_at": None,
        "sent_at": "2025-11-24T08:15:01.250Z",
        "error": "",
    } | changes


DEAD = delivery(
    id="1042.slack.0",
    receiver="slack-alerts",
    kind="slack",
    target="#backend",
    state="dead",
    sent=0,
    ring_sent=0,
    tries=1,
    sent_at=None,
    error="Slack refused it: channel_not_found",
)
WAITING = delivery(
    id="1042.email.0",
    kind="email",
    receiver="on-call mail",
    target="mail.example.com:587",
    state="open",
    sent=0,
    ring_sent=0,
    tries=4,
    next_at="2025-11-24T08:20:30.000Z",
    sent_at=None,
    error="451 4.7.1 greylisted, come back later",
)


def incident(**changes: Any) -> dict[str, Any]:
    return {
        "number": 1042,
        "status": "triggered",
        "route": '{}/{severity="critical"}',
        "receiver": "pagerduty",
        "labels": {"alertname": "HighErrorRate", "cluster": "eu-1"},
        "severity": "critical",
        "firing": 3,
        "resolved": 1,
        "opened_at": "2025-11-24T08:14:30.000Z",
        "triggered_at": "2025-11-24T08:15:00.000Z",
        "resolved_at": None,
        "url": "https://tocsin.example.com/incidents/1042",
    } | changes


def alert(instance: str, **changes: Any) -> dict[str, Any]:
    return {
        "labels": {
            "alertname": "HighErrorRate",
            "cluster": "eu-1",
            "severity": "critical",
            "instance": instance,
        },
        "annotations": {"summary": f"5% of requests fail on {instance}"},
        "status": "firing",
        "starts_at": "2025-11-24T08:14:29.000Z",
        "ends_at": None,
        "fingerprint": "9a2cb4e5d1f00c3b",
        "generator_url": "",
        "expired": False,
    } | changes


STORY = incident(
    alerts=[
        alert("web-1:8080"),
        alert("web-2:8080"),
        alert("web-3:8080", status="resolved", ends_at="2025-11-24T08:19:00.000Z", expired=True),
        alert("web-4:8080", starts_at="2025-11-24T08:17:02.000Z"),
    ],
    deliveries=[delivery(), DEAD, WAITING],
    timeline=[
        {"at": "2025-11-24T08:14:30.000Z", "kind": "opened", "text": "opened by HighErrorRate on web-1:8080"},
        {"at": "2025-11-24T08:15:00.000Z", "kind": "triggered", "text": "triggered with 2 alerts"},
        {
            "at": "2025-11-24T08:15:01.250Z",
            "kind": "told",
            "text": "told (first notification)",
            "target": "on-call, slack:#ops",
        },
        {
            "at": "2025-11-24T08:15:01.900Z",
            "kind": "dead",
            "text": "slack-alerts/slack[0] refused it: channel_not_found",
        },
    ],
)
LISTED = {
    "incidents": [
        incident(),
        incident(
            number=1041,
            status="acknowledged",
            severity="high",
            receiver="slack-alerts",
            firing=1,
            resolved=0,
            opened_at="2025-11-24T05:11:00.000Z",
            labels={"alertname": "DiskWillFill", "mountpoint": "/var/lib/docker data"},
            acknowledged_by="dana",
            acknowledged_until="2025-11-24T09:10:00.000Z",
        ),
        incident(
            number=987,
            status="pending",
            severity="",
            receiver="a-receiver-with-a-rather-long-name",
            firing=12,
            resolved=0,
            opened_at="2025-11-22T06:00:00.000Z",
            labels={},
        ),
    ]
}


@pytest.fixture
def api():
    """The documents that the canned server gives, and what makes variants of them."""
    return types.SimpleNamespace(
        listed=LISTED,
        story=STORY,
        dead=DEAD,
        waiting=WAITING,
        incident=incident,
        delivery=delivery,
        problem=problem,
    )
