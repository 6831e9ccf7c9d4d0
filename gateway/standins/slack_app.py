"""The half of the Slack stand-in that calls the app: people who press buttons and type commands.

Events go out as Slack documents them: by HTTP with a signature, or by Socket Mode (`slack_connections.py`).
Answers to `response_url` are kept. It has no events of the Events API, no modals and no shortcuts.

Rules: Slack's "Verifying requests from Slack", "block_actions payload" and "Enabling slash commands".
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from gateway.standins.slack_connections import ACK_S, SlackConnections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.standins.slack_messages import SlackMessage

TEAM: Final = "T0STANDIN"
APP: Final = "A0STANDIN"
MAX_ANSWERS: Final = 5  # to one response_url


class PressError(Exception):
    """The message shows no such button, or the app did not take the event; Slack warns who pressed it."""


@dataclass(frozen=True, slots=True)
class Whisper:
    """What the app answered to somebody alone."""

    user: str
    text: str


class SlackApp:
    """The app's settings in the workspace, and what people do with it.

    Attributes:
        signing_secret: what requests are signed with.
        connections: those of Socket Mode.
        address: where the app takes requests, such as `http://127.0.0.1:9099`; "" for Socket Mode.
        whispers: what was answered to people, in order.
        refusals: status codes of requests that the app did not take.
    """

    def __init__(self, url: Callable[[], str], now: Callable[[], float] = time.time) -> None:
        self._url = url
        self._now = now
        self.signing_secret = "signing-secret-of-the-stand-in"  # noqa: S105 - protects nothing
        self.connections = SlackConnections(url)
        self.address = ""
        self.whispers: list[Whisper] = []
        self.refusals: list[int] = []
        self._answers: dict[str, tuple[str, int]] = {}
        self._changed = asyncio.Condition()

    def routes(self) -> list[web.RouteDef]:
        """What the app calls back."""
        return [web.post("/response/{key}", self._answered), self.connections.route()]

    # --- what people do -------------------------------------------------------------------------------

    async def press(
        self, message: SlackMessage, channel: str, action: str, user: str, team: str = TEAM
    ) -> None:
        """Somebody presses a button of a message, or picks an option of its menu.

        `action` is its text, its `action_id` or the first word of its value.

        Raises:
            PressError: it is not there, or the app did not take the press.
        """
        await self.deliver("interactive", self.presses(message, channel, action, user, team))

    async def command(self, text: str, user: str, channel: str = "C00000000", team: str = TEAM) -> None:
        """Somebody types `/tocsin text`. Raises `PressError` where the app did not take it."""
        payload = {
            "token": "deprecated",
            "team_id": team,
            "team_domain": "stand-in",
            "channel_id": channel,
            "channel_name": "directmessage",
            "user_id": user,
            "user_name": user.lower(),
            "command": "/tocsin",
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._response_url(user),
            "trigger_id": _trigger(),
        }
        await self.deliver("slash_commands", payload)

    def presses(
        self, message: SlackMessage, channel: str, action: str, user: str, team: str = TEAM
    ) -> dict[str, Any]:
        """What is sent for a press, for who wants to hold it back. Raises `PressError` as `press` does."""
        found = next((one for one in _actions(message) if action in _names(one)), None)
        if found is None:
            raise PressError(f"the message shows no {action!r}")
        return {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": team},
            "api_app_id": APP,
            "token": "deprecated",
            "container": {
                "type": "message_attachment",
                "message_ts": message.ts,
                "attachment_id": 1,
                "channel_id": channel,
                "is_ephemeral": False,
                "is_app_unfurl": False,
            },
            "trigger_id": _trigger(),
            "team": {"id": team, "domain": "stand-in"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": channel, "name": message.channel},
            "message": message.listed(with_metadata=True),
            "state": {"values": {}},
            "response_url": self._response_url(user),
            "actions": [found | {"action_ts": f"{self._now():.6f}"}],
        }

    async def deliver(self, kind: str, payload: dict[str, Any]) -> None:
        """Hands an event to the app, whichever way it takes them. Raises `PressError` where it does not."""
        if self.address:
            await self._post(kind, payload)
        elif not await self.connections.send(kind, payload):
            raise PressError("the app holds no connection that acknowledges events")

    def signed(self, body: bytes, secret: str | None = None, at: float | None = None) -> dict[str, str]:
        """The headers of a request with this body."""
        timestamp = str(int(self._now() if at is None else at))
        base = b":".join((b"v0", timestamp.encode(), body))
        digest = hmac.new((secret or self.signing_secret).encode(), base, sha256).hexdigest()
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }

    async def whispered(self, count: int, within_s: float = 5.0) -> list[Whisper]:
        """The answers, as soon as there are so many."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: len(self.whispers) >= count)
        return self.whispers

    # --- by HTTP --------------------------------------------------------------------------------------

    async def _post(self, kind: str, payload: dict[str, Any]) -> None:
        path, body = form(kind, payload)
        limit = aiohttp.ClientTimeout(total=ACK_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(self.address + path, data=body, headers=self.signed(body)) as answer,
            ):
                status = answer.status
        except TimeoutError:
            raise PressError("the app did not answer within 3 s") from None
        if status != 200:
            self.refusals.append(status)
            raise PressError(f"the app answered {status}")

    async def _answered(self, request: web.Request) -> web.Response:
        user, used = self._answers.get(request.match_info["key"], ("", MAX_ANSWERS))
        body = await request.json()
        if used >= MAX_ANSWERS:
            return web.Response(status=404, text="expired_url")
        if body.get("response_type", "ephemeral") != "ephemeral" or not body.get("text"):
            return web.Response(status=400, text="no_text")
        self._answers[request.match_info["key"]] = user, used + 1
        async with self._changed:
            self.whispers.append(Whisper(user, body["text"]))
            self._changed.notify_all()
        return web.Response(text="ok")

    def _response_url(self, user: str) -> str:
        key = secrets.token_hex(12)
        self._answers[key] = user, 0
        return f"{self._url()}/response/{key}"


def form(kind: str, payload: dict[str, Any]) -> tuple[str, bytes]:
    """The path below the app's address and the body of a request."""
    if kind == "interactive":
        return "/slack/interactions", urlencode({"payload": json.dumps(payload)}).encode()
    return "/slack/commands", urlencode(payload).encode()


def _actions(message: SlackMessage) -> Iterator[dict[str, Any]]:
    """Each button and each option of a menu that a message shows, as the action of a press."""
    blocks = [*message.blocks, *(block for one in message.attachments for block in one.get("blocks") or ())]
    for block in blocks:
        for element in block.get("elements", ()) if block.get("type") == "actions" else ():
            action = {
                "action_id": element.get("action_id"),
                "block_id": block.get("block_id"),
                "type": element["type"],
            }
            if element["type"] == "overflow":
                yield from (action | {"selected_option": option} for option in element["options"])
            else:
                yield action | {"text": element["text"], "value": element.get("value")}


def _names(action: dict[str, Any]) -> tuple[str, ...]:
    shown = action.get("selected_option") or action
    return action["action_id"], shown["text"]["text"], str(shown.get("value")).partition(" ")[0]


def _trigger() -> str:
    return f"{secrets.randbits(40)}.{secrets.randbits(40)}.{secrets.token_hex(16)}"
