"""The page of an incident, as a browser gets it from a whole service on a real store."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, encode_basic_auth

from config.load import load
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Start = Callable[[str], Awaitable[str]]

pytestmark = pytest.mark.store

CONFIG = """
route: {receiver: hook, group_by: [cluster], group_wait: 0s}
receivers:
  - name: hook
    webhook_configs: [{url: "http://127.0.0.1:9/"}]
"""
TOKENS = """
auth:
  tokens:
    - {name: reader, token: reader-secret, scopes: [read]}
    - {name: poster, token: poster-secret, scopes: [ingest]}
"""
INHIBITED = """
inhibit_grace: 0s
inhibit_rules:
  - {name: down, source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"]}
"""
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def start(redis_server: str, tmp_path: Path) -> AsyncIterator[Start]:
    """`await start(config)` runs a service and is its URL."""
    path, services = tmp_path / "tocsin.yaml", []

    async def run(text: str) -> str:
        path.write_text(text)
        services.append(Service(path, load(path), connect.connect(redis_server), listens="http://localhost"))
        await services[-1].start("127.0.0.1", 0)
        return f"http://127.0.0.1:{services[-1].port}"

    yield run
    for service in services:
        await service.stop()


async def get(url: str, password: str = "") -> tuple[int, Any, str]:
    sent = {"Authorization": encode_basic_auth("", password)} if password else {}
    async with ClientSession(headers=sent) as client, client.get(url) as response:
        return response.status, response.headers, await response.text()


async def fire(url: str, number: int = 1, **alert: Any) -> str:
    """Post an alert and wait for the page of the incident that comes of it, which has that number."""
    async with ClientSession() as client, client.post(f"{url}/api/v2/alerts", json=[alert]) as response:
        assert response.status == 200, await response.text()
    async with asyncio.timeout(10):
        while (found := await get(f"{url}/incidents/{number}"))[0] == 404 or "Timeline" not in found[2]:
            await asyncio.sleep(0.02)
    return found[2]


def text(page: str) -> str:
    """What is read of a page: no style, no marks but bdi."""
    return re.sub(r"<style>.*?</style>|<(?!/?bdi)[^>]*>", "", page, flags=re.DOTALL)


async def test_the_page_shows_the_incident_and_who_is_told(start: Start):
    url = await start(CONFIG)
    labels = {"alertname": "DiskFull", "cluster": "eu", "severity": "critical"}
    notes = {"summary": "Disk nearly full"}
    page = await fire(url, labels=labels, annotations=notes, generatorURL="http://prom.test/g?a=1&b=2")
    for said in ("#1", "triggered", "cluster=eu", "Disk nearly full", "critical", "hook", "127.0.0.1:9"):
        assert said in page
    assert 'href="http://prom.test/g?a=1&amp;b=2"' in page


async def test_a_page_says_by_what_alerts_are_held_although_nobody_was_told_yet(start: Start):
    url = await start(CONFIG + INHIBITED)
    told = await fire(url, labels={"alertname": "Down", "cluster": "eu", "zone": SCRIPT})
    page = await fire(url, 2, labels={"alertname": "Slow", "cluster": "us"})
    _, _, listed = await get(url)
    by = "Held: <bdi>inhibited by Down{cluster=&#34;eu&#34;, zone=&#34;&lt;script&gt;"
    for said in (
        ", suppressed",
        "0 of 1 alert firing, 1 held",
        "Nobody yet: every alert that fires is held.",
        by,
    ):
        assert said in text(page)
    assert "0 firing, 1 held" in text(listed)
    assert "held" not in text(told)
    assert "None" not in text(page + listed)


async def test_the_api_says_why_an_incident_is_suppressed(start: Start):
    url = await start(CONFIG + INHIBITED)
    await fire(url, labels={"alertname": "Down", "cluster": "eu"})
    await fire(url, 2, labels={"alertname": "Slow", "cluster": "us"})
    by = {"kind": "inhibition", "text": 'inhibited by Down{cluster="eu"} (down)', "rule": "down"}
    shown = json.loads((await get(f"{url}/api/v1/incidents/2"))[2])
    assert [alert["held_by"] for alert in shown["alerts"]] == [by | {"source": 'Down{cluster="eu"}'}]
    assert (shown["firing"], shown["held"], shown["severity"]) == (0, 1, None)
    assert (shown["suppressed"], shown["suppressed_by"]) == (True, "every alert that fires is held")


async def test_what_comes_with_an_alert_is_escaped(start: Start):
    url = await start(CONFIG)
    labels = {"alertname": SCRIPT, "cluster": SCRIPT, "pod": f'"{SCRIPT}'}
    page = await fire(url, labels=labels, annotations={"summary": SCRIPT})
    _, _, listed = await get(url)
    for text in (page, listed):
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


async def test_a_link_that_is_none_of_the_web_is_not_shown(start: Start):
    url = await start(CONFIG)
    page = await fire(url, labels={"alertname": "A", "cluster": "eu"}, generatorURL="javascript:alert(1)")
    assert "javascript:" not in page


async def test_a_page_runs_and_loads_nothing_and_is_not_kept(start: Start):
    status, headers, _ = await get(await start(CONFIG))
    assert status == 200
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("number", ["7", "nonsense", "9" * 30, "%3Cscript%3E", "²"])
async def test_a_number_without_an_incident_is_answered_in_plain_words(start: Start, number: str):
    status, headers, text = await get(f"{await start(CONFIG)}/incidents/{number}")
    assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "There is no incident #" in text
    assert "<script" not in text


async def test_with_tokens_a_browser_is_asked_for_one(start: Start):
    url = await start(CONFIG + TOKENS)
    for path in ("/", "/incidents/1"):
        status, headers, text = await get(url + path)
        assert (status, "A token is needed" in text) == (401, True)
        assert any(given.startswith("Basic ") for given in headers.getall("WWW-Authenticate"))
        assert (await get(url + path, "wrong"))[0] == 401
        assert (await get(url + path, "poster-secret"))[0] == 403
    assert (await get(url, "reader-secret"))[0] == 200


async def test_what_the_store_knows_of_holds_is_measured(start: Start):
    url = await start(CONFIG + INHIBITED)
    await fire(url, labels={"alertname": "Down", "cluster": "eu"})
    async with asyncio.timeout(10):
        while "tocsin_inhibition_sources 1.0" not in (found := (await get(f"{url}/metrics"))[2]):
            await asyncio.sleep(0.1)
    assert 'tocsin_silences{state="active"} 0.0' in found
