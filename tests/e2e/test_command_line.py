"""`tocsin` asks a running service: what is open, who was told, who was not, and trying again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from alertmanagers import Rules
from programs import tocsin_command
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from audience import Audience
    from programs import Tocsin

ROUTE = "  group_by: [cluster]\n  group_wait: 0s\n  group_interval: 1s"
TOKENS = """\
auth:
  tokens:
    - {name: prometheus, token: tell-it, scopes: [ingest]}
    - {name: dana, token: read-it, scopes: [read]}
    - {name: boss, token: do-it, scopes: [admin]}
"""


@pytest.fixture
async def told(audience: Audience, serve: Callable[..., Awaitable[Tocsin]]) -> Tocsin:
    """A service with an incident of which all but PagerDuty were told: it had refused."""
    audience.phone.fail_next(1, 400, body='{"status": "invalid event", "message": "Event object is invalid"}')
    tocsin = await serve(audience.config(ROUTE))
    rules = Rules([tocsin.url])
    rules.fire("DiskFull")
    await rules.post()

    async def settled() -> bool:
        found = (await tocsin.api("/deliveries"))["deliveries"]
        return len(found) == 4 and all(d["state"] == "dead" or d["sent"] for d in found)

    await until(settled, "three to be told and one not", tocsin.tail)
    return tocsin


async def test_a_refused_delivery_is_listed_retried_and_arrives(told: Tocsin, audience: Audience) -> None:
    listed = await tocsin_command("deliveries", "list", server=told)
    assert listed.code == 0
    assert "everybody/pagerduty[0]" in listed.out
    assert "Event object is invalid" in listed.out
    documents = await tocsin_command("deliveries", "list", "--output", "json", server=told)
    (dead,) = json.loads(documents.out)["deliveries"]
    retried = await tocsin_command("deliveries", "retry", dead["id"], server=told)
    assert (retried.code, retried.out) == (0, f"{dead['id']}: will be sent again now\n")
    await until(lambda: audience.on_phone() == [("ring", "#1")], "the phone to ring", audience.everything)
    again = await tocsin_command("deliveries", "retry", dead["id"], "77.0", server=told)
    assert again.code == 1
    assert "is not dead" in again.err
    assert "no delivery 77.0" in again.err
    empty = await tocsin_command("deliveries", "list", server=told)
    assert (empty.code, empty.out) == (0, "")
    assert "No dead deliveries." in empty.err


async def test_an_incident_is_listed_and_its_story_shown(told: Tocsin) -> None:
    listed = await tocsin_command("incidents", "list", server=told)
    assert listed.code == 0
    assert "cluster=eu1" in listed.out
    shown = await tocsin_command("incidents", "show", "1", server=told)
    assert shown.code == 0
    for words in (
        "DiskFull is bad",
        "triggered: 1 alert firing",
        "told (first notification)",
        "refused for good",
    ):
        assert words in shown.out
    missing = await tocsin_command("incidents", "show", "99", server=told)
    assert (missing.code, missing.out) == (1, "")
    assert "no incident #99" in missing.err


async def test_a_receiver_is_tried_and_what_came_back_is_said(told: Tocsin, audience: Audience) -> None:
    tried = await tocsin_command("receivers", "test", "everybody", server=told)
    assert tried.code == 0, tried
    assert tried.out.count("sent") == 4
    assert "test" in str(audience.mailbox.mails[-1].message["Subject"]).lower()
    audience.channel.scopes.clear()
    tried = await tocsin_command("receivers", "test", "everybody", server=told)
    assert tried.code == 1
    assert "missing_scope" in tried.out
    unknown = await tocsin_command("receivers", "test", "nobody", server=told)
    assert unknown.code == 1
    assert "'nobody'" in unknown.err


async def test_without_the_right_token_the_answer_is_a_clear_no(
    audience: Audience, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    tocsin = await serve(audience.config(ROUTE, more=TOKENS))
    none = await tocsin_command("incidents", "list", server=tocsin)
    wrong = await tocsin_command("incidents", "list", server=tocsin, token="guess")
    narrow = await tocsin_command("receivers", "test", "everybody", server=tocsin, token="read-it")
    right = await tocsin_command("incidents", "list", server=tocsin, token="read-it")
    boss = await tocsin_command("receivers", "test", "everybody", server=tocsin, token="do-it")
    assert [ended.code for ended in (none, wrong, narrow, right, boss)] == [1, 1, 1, 0, 0]
    assert "wants a token: set TOCSIN_TOKEN" in none.err
    assert "does not know the token" in wrong.err
    assert "guess" not in wrong.err
    assert "Use a token whose `scopes`" in narrow.err
    assert right.err == "No open incidents.\n"


async def test_a_file_is_checked_and_used_wrongly_is_two(told: Tocsin, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("route: {reciever: x}\n")
    good = await tocsin_command("check", str(told.config), "--ignore", "TOC501")
    bad = await tocsin_command("check", str(broken))
    wrong = await tocsin_command("incidents", "list", "--status", "closed", server=told)
    silent = await tocsin_command("incidents", "list", "--server", "http://127.0.0.1:9")
    served = await tocsin_command("serve", str(broken))
    assert [ended.code for ended in (good, bad, wrong, silent, served)] == [0, 1, 2, 1, 1]
    assert f"{broken}:1:9: route.reciever: " in bad.out
    assert "did you mean" in bad.out
    assert "receiver" in bad.out
    assert "no Tocsin answers at" in silent.err
    assert "reciever" in served.err
