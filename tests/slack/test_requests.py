"""What Slack posts, and what others post who would like to be Slack."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from slack_town import DANA

from gateway.standins.slack_app import form
from routing.incident_records import Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slack_town import Town

pytestmark = pytest.mark.store


@pytest.fixture
async def town(make_town: Any) -> AsyncIterator[Town]:
    async with make_town("team_id: T0STANDIN") as made:
        yield made


async def post(
    town: Town, path: str, body: bytes, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    sent = town.slack.app.signed(body) if headers is None else headers
    async with (
        ClientSession() as client,
        client.post(town.url + path, data=body, headers=sent) as answer,
    ):
        return answer.status, await answer.json(content_type=None) if answer.content_length else {}


async def pressed(town: Town) -> tuple[str, bytes]:
    """The request of a press that has not been sent."""
    message = await town.message(severity="critical")
    channel = town.slack.channels["alerts"].id
    return form("interactive", town.slack.app.presses(message, channel, "ack", DANA))


async def test_a_signed_press_is_taken_and_answered_with_nothing(town: Town) -> None:
    assert await post(town, *await pressed(town)) == (200, {})
    assert await town.said() == ["You have it now: #1 is acknowledged."]


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        ({"secret": "another"}, "its signature is wrong"),
        ({"off": -301}, "its time is more than 300 s away"),
        ({"off": 400}, "its time is more than 300 s away"),
        (None, "it is not signed"),
    ],
)
async def test_what_is_not_slacks_is_refused_and_changes_nothing(
    town: Town, signed: dict[str, Any] | None, reason: str
) -> None:
    path, body = await pressed(town)
    form_only = {"Content-Type": "application/x-www-form-urlencoded"}
    if signed and "off" in signed:  # from now, whenever this runs
        signed = {"at": time.time() + signed["off"]}
    headers = form_only if signed is None else town.slack.app.signed(body, **signed)
    status, problem = await post(town, path, body, headers)
    assert (status, problem["detail"].startswith(f"This is no request of Slack's: {reason}")) == (401, True)
    assert (await town.incident()).status is Status.TRIGGERED
    assert town.slack.app.whispers == []


async def test_a_body_that_was_changed_on_the_way_is_refused(town: Town) -> None:
    path, body = await pressed(town)
    headers = town.slack.app.signed(body)
    status, _ = await post(town, path, body.replace(b"U0DANA", b"U0ERIN"), headers)
    assert status == 401


async def test_a_request_that_is_sent_again_is_refused(town: Town) -> None:
    path, body = await pressed(town)
    headers = town.slack.app.signed(body)
    assert (await post(town, path, body, headers))[0] == 200
    status, problem = await post(town, path, body, headers)
    assert (status, problem["detail"]) == (409, "Not taken: it was taken before.")
    assert len(await town.said()) == 1


async def test_another_replica_refuses_it_too(town: Town) -> None:
    path, body = await pressed(town)
    assert (await post(town, path, body))[0] == 200
    await town.start()
    town.services.reverse()
    assert (await post(town, path, body))[0] == 409


async def test_a_foreign_workspace_is_refused(town: Town) -> None:
    message = await town.message(severity="critical")
    channel = town.slack.channels["alerts"].id
    app = town.slack.app
    status, problem = await post(
        town, *form("interactive", app.presses(message, channel, "ack", DANA, team="T0FOREIGN"))
    )
    assert (status, "a workspace that may not answer here" in problem["detail"]) == (403, True)
    assert (await town.incident()).status is Status.TRIGGERED


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/slack/interactions", b"", 400),
        ("/slack/interactions", b"payload=", 400),
        ("/slack/interactions", b"payload=%7B", 400),
        ("/slack/interactions", b"payload=[]", 400),
        ("/slack/interactions", b"payload=" + b"[" * 100_000, 400),
        ("/slack/interactions", b"payload=%7B%22team%22:%7B%22id%22:%22T0STANDIN%22%7D%7D", 200),
        ("/slack/interactions", b"\xff\xfe", 400),
        ("/slack/interactions", b"&a=" * 200, 400),
        ("/slack/interactions", b"payload=" + b"x" * (512 * 1024), 413),
        ("/slack/commands", b"", 403),
        ("/slack/commands", b"ssl_check=1&token=x", 200),
    ],
)
async def test_what_makes_no_sense_is_said_and_harms_nobody(
    town: Town, path: str, body: bytes, status: int
) -> None:
    assert (await post(town, path, body))[0] == status


async def test_slack_is_answered_before_the_work_is_done(town: Town) -> None:
    path, body = await pressed(town)
    town.slack.delay = 0.3  # of the answer to the person, and of whatever else goes to Slack
    assert (await post(town, path, body))[0] == 200
    assert town.slack.app.whispers == []
    assert await town.said() == ["You have it now: #1 is acknowledged."]


async def test_what_was_taken_is_done_before_the_service_stops(town: Town) -> None:
    path, body = await pressed(town)
    town.slack.delay = 0.2
    assert (await post(town, path, body))[0] == 200
    await town.services.pop().stop()
    assert [one.text for one in town.slack.app.whispers] == ["You have it now: #1 is acknowledged."]


async def test_an_answer_goes_to_no_address_but_slacks(town: Town) -> None:
    message = await town.message(severity="critical")
    payload = town.slack.app.presses(message, town.slack.channels["alerts"].id, "ack", DANA)
    requests = town.slack.requests
    for url in (
        "http://127.0.0.1:1/",
        "https://hooks.slack.com.evil.test/x",
        "http://[",
        "file:///etc/passwd",
    ):
        changed = payload | {"response_url": url, "trigger_id": url}
        assert (await post(town, *form("interactive", changed)))[0] == 200
    await town.until(lambda: "acknowledged by dana" in message.text)
    assert town.slack.app.whispers == []
    assert town.slack.requests > requests


@pytest.mark.parametrize("socket", [True])
async def test_without_a_signing_secret_nothing_is_taken(make_town: Any, *, socket: bool) -> None:
    async with make_town(socket=socket) as town:
        status, problem = await post(town, "/slack/commands", b"text=list")
        assert (status, "slack.signing_secret" in problem["detail"]) == (404, True)


async def test_in_a_rotation_the_old_secret_counts_until_it_is_taken_out(town: Town) -> None:
    text = town.path.read_text()
    old = town.slack.app.signing_secret
    for secrets, status in ((f"new-one {old}", 200), ("new-one", 401)):
        town.path.write_text(text.replace(f"signing_secret: {old}", f"signing_secret: {secrets}"))
        await town.services[0].reload("a test")
        body = form("slash_commands", {"team_id": "T0STANDIN", "trigger_id": secrets})[1]
        assert (await post(town, "/slack/commands", body))[0] == status


async def test_while_the_store_does_not_answer_slack_is_told_that_nothing_was_taken(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.slack_in.READ_S", 0.1)
    path, body = await pressed(town)
    async with Redis.from_url(town.redis) as redis:
        await redis.execute_command("CLIENT", "PAUSE", 400, "ALL")
        status, problem = await post(town, path, body)
    assert (status, problem["detail"][:24]) == (503, "This cannot be done now:")
    assert town.slack.app.whispers == []
