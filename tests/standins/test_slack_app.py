"""The people of the Slack stand-in, and the app's connections, behave as Slack's documents say."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from gateway.standins.slack import SlackStandin
from gateway.standins.slack_app import PressError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "42"}
MENU = {
    "type": "overflow",
    "action_id": "more",
    "options": [{"text": {"type": "plain_text", "text": name}, "value": f"{name} 42"} for name in "xy"],
}
BLOCKS = [{"type": "actions", "block_id": "b", "elements": [BUTTON, MENU]}]


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    standin = SlackStandin()
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def posted(slack: SlackStandin, client: aiohttp.ClientSession) -> Any:
    headers = {"Authorization": f"Bearer {slack.token}"}
    body = {"channel": "#alerts", "text": "x", "blocks": BLOCKS}
    async with client.post(f"{slack.api_url}chat.postMessage", json=body, headers=headers) as answer:
        assert (await answer.json())["ok"]
    return slack.messages[-1]


async def opened(slack: SlackStandin, client: aiohttp.ClientSession, token: str = "") -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token or slack.app.connections.app_token}"}
    async with client.post(f"{slack.api_url}apps.connections.open", headers=headers) as answer:
        said: dict[str, Any] = await answer.json()
        return said


async def connected(slack: SlackStandin, client: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    return await client.ws_connect((await opened(slack, client))["url"])


async def test_a_press_is_posted_with_slacks_signature(
    slack: SlackStandin, client: aiohttp.ClientSession
) -> None:
    taken: list[tuple[Any, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        taken.append((request.headers.copy(), await request.read()))
        return web.Response(status=200 if len(taken) == 1 else 401)

    app = web.Application()
    app.router.add_post("/slack/interactions", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.app.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    message = await posted(slack, client)
    await slack.press(message, "Go", "U0DANA")
    headers, body = taken[0]
    base = f"v0:{headers['X-Slack-Request-Timestamp']}:".encode() + body
    expected = hmac.new(slack.app.signing_secret.encode(), base, sha256).hexdigest()
    assert headers["X-Slack-Signature"] == f"v0={expected}"
    assert '"value": "42"' in parse_qs(body.decode())["payload"][0]
    with pytest.raises(PressError, match="401"):
        await slack.press(message, "go", "U0DANA")
    await runner.cleanup()


async def test_a_button_that_is_not_shown_cannot_be_pressed(
    slack: SlackStandin, client: aiohttp.ClientSession
) -> None:
    message = await posted(slack, client)
    payload = slack.app.presses(message, "C00000000", "y", "U0DANA")
    assert payload["actions"][0]["selected_option"]["value"] == "y 42"
    with pytest.raises(PressError, match="shows no 'z'"):
        await slack.press(message, "z", "U0DANA")


async def test_an_event_goes_to_one_connection_and_to_the_next_if_it_is_not_acknowledged(
    slack: SlackStandin, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.standins.slack_connections.ACK_S", 0.05)
    message = await posted(slack, client)
    sockets = [await connected(slack, client) for _ in range(2)]
    assert [(await one.receive_json())["num_connections"] for one in sockets] == [1, 2]
    with pytest.raises(PressError, match="no connection that acknowledges"):
        await slack.press(message, "go", "U0DANA")
    heard = [await one.receive_json() for one in sockets]
    assert ["retry_attempt" in one for one in heard] == [True, False]
    assert heard[0]["payload"] == heard[1]["payload"]
    assert heard[0]["type"] == "interactive"


async def test_a_ticket_opens_one_connection_and_a_wrong_token_none(
    slack: SlackStandin, client: aiohttp.ClientSession
) -> None:
    url = (await opened(slack, client))["url"]
    await client.ws_connect(url)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await client.ws_connect(url)
    assert (await opened(slack, client, "xapp-x"))["error"] == "invalid_auth"
    assert (await opened(slack, client, slack.token))["error"] == "not_allowed_token_type"


async def test_an_app_has_ten_connections_at_most(slack: SlackStandin, client: aiohttp.ClientSession) -> None:
    held = [await connected(slack, client) for _ in range(10)]
    await slack.app.connections.connected(10)
    eleventh = await connected(slack, client)
    assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
    assert not any(one.closed for one in held)


async def test_an_answer_can_be_given_five_times(slack: SlackStandin, client: aiohttp.ClientSession) -> None:
    message = await posted(slack, client)
    url = slack.app.presses(message, "C00000000", "go", "U0DANA")["response_url"]
    found = []
    for _ in range(6):
        async with client.post(url, json={"text": "hello", "response_type": "ephemeral"}) as answer:
            found.append(answer.status)
    assert found == [200] * 5 + [404]
    assert [one.user for one in slack.app.whispers] == ["U0DANA"] * 5
