"""`tocsin incidents` against a running service on a real store: an incident's whole life from the shell."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession

from config.load import load
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = """
users: [{name: dana, webhook: "http://127.0.0.1:1/dana"}, {name: kim, webhook: "http://127.0.0.1:1/kim"}]
escalation_policies:
  - name: page
    steps:
      - notify: [{user: kim}]
      - {after: 1h, notify: [{user: dana}]}
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 0s
  routes: [{matchers: ['severity="critical"'], policy: page}]
receivers: [{name: nobody}]
auth:
  tokens:
    - {name: dana, token: dana-s3cret, scopes: [read, respond]}
    - {name: chatbot, token: bot-s3cret, scopes: [read, respond]}
    - {name: prometheus, token: prom-s3cret, scopes: [ingest]}
"""


@pytest.fixture
async def running(redis_server: str, tmp_path: Path) -> AsyncIterator[str]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    path = tmp_path / "tocsin.yaml"
    path.write_text(CONFIG)
    service = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
    await service.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{service.port}"
    headers = {"Authorization": "Bearer prom-s3cret"}
    async with ClientSession() as client:
        for name in ("Down", "Slow", "Full"):  # one after the other, so that their numbers are known
            alert = {"labels": {"alertname": name, "severity": "critical"}}
            async with client.post(f"{url}/api/v2/alerts", json=[alert], headers=headers) as response:
                assert response.status == 200
            await _listed(client, url, name)
    yield url
    await service.stop()
    structlog.reset_defaults()


async def _listed(client: ClientSession, url: str, name: str) -> None:
    headers = {"Authorization": "Bearer dana-s3cret"}
    async with asyncio.timeout(10):
        while True:
            async with client.get(f"{url}/api/v1/incidents", headers=headers) as response:
                shown = (await response.json())["incidents"]
            if any(one["labels"]["alertname"] == name for one in shown):
                return
            await asyncio.sleep(0.02)  # a service that works tells nobody when it has


@pytest.fixture
def incidents(running: str, tocsin: Any) -> Any:
    async def run(*args: str, token: str = "dana-s3cret") -> Any:
        return await tocsin("incidents", *args, TOCSIN_SERVER=running, TOCSIN_TOKEN=token)

    return run


async def test_an_incident_is_acknowledged_noted_escalated_and_resolved_from_the_shell(incidents):
    ended = await incidents("ack", "1", "2", "77", "--for", "1h")
    assert ended.code == 1
    first, second = ended.out.splitlines()
    assert first.startswith("You have it now: #1 is acknowledged until ")
    assert second.startswith("You have it now: #2 is acknowledged until ")
    assert "#77: Not Found: There is no incident #77" in ended.err
    rows = (await incidents("list", "--mine")).out.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [["2", "acknowledged"], ["1", "acknowledged"]]
    assert all(re.search(r"dana, (1h|5\dm)", row) and "policy:page" in row for row in rows[1:])
    assert (await incidents("note", "1", "-m", "disk swapped")).code == 0
    assert (await incidents("unack", "1")).code == 0
    assert (await incidents("escalate", "1")).code == 0
    assert (await incidents("resolve", "1")).out == "#1 is resolved.\n"
    again = await incidents("resolve", "1")
    assert (again.code, "#1 was resolved at" in again.out) == (0, True)
    shown = (await incidents("show", "1")).out
    for words in ("dana has it for 1 h (command line)", "dana (command line): disk swapped", "step 2"):
        assert words in shown
    assert (await incidents("list", "--status", "resolved", "-o", "json")).code == 0


async def test_others_are_called_in_and_given_the_incident_by_a_bot_that_says_for_whom(incidents):
    asked = ("--user", "kim", "--as", "DANA")
    assert (await incidents("respond", "1", *asked, token="bot-s3cret")).code == 0
    assert (await incidents("reassign", "1", "--policy", "page", token="bot-s3cret")).code == 0
    shown = json.loads((await incidents("show", "1", "-o", "json")).out)
    said = "\n".join(line["text"] for line in shown["timeline"])
    assert "dana (command line, token chatbot)" in said
    assert "chatbot (command line)" in said
    refused = await incidents("ack", "1", "--as", "kim")
    assert refused.code == 1
    assert "the token 'dana' is dana's own and answers for nobody else" in refused.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("reassign", "1", "--user", "kimm"), "has no user 'kimm'; did you mean 'kim'?"),
        (("respond", "1", "--schedule", "weekly"), "has no schedule 'weekly'"),
        (("snooze", "1", "--until", "2020-01-01T00:00Z"), "2020-01-01T00:00:00.000Z is in the past"),
        (("snooze", "1", "--for", "9000h"), "it would end in more than a year"),
        (("note", "1", "-m", "x" * 2_001), "text: expected at most 2000 characters"),
    ],
)
async def test_what_the_service_does_not_take_is_said_in_one_line(incidents, typed, said):
    ended = await incidents(*typed)
    assert (ended.code, ended.out) == (1, "")
    assert said in ended.err.splitlines()[0]
    assert "Traceback" not in ended.err


async def test_a_token_that_may_only_send_alerts_answers_nothing(incidents):
    ended = await incidents("ack", "1", token="prom-s3cret")
    assert (ended.code, "lacks the scope 'respond'" in ended.err) == (1, True)
