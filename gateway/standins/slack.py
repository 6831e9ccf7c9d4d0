"""A stand-in for Slack: the Web API methods and the incoming webhooks that a sender of alerts uses.

It keeps channels with their messages, threads and edits, and refuses with Slack's own errors what Slack
documents it refuses (`slack_blocks.py`). People are ids; what they do is in `slack_app.py`.
Rules: Slack's reference of each method, "Incoming webhooks" and "Rate limits".
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from gateway.standins.http import HttpStandin
from gateway.standins.slack_app import TEAM, SlackApp
from gateway.standins.slack_blocks import message_error, pings, unescaped
from gateway.standins.slack_messages import SlackChannel, SlackMessage, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SHOWN: Final = ("text", "blocks", "attachments")
_BOT: Final = "xoxb-stand-in"
_HOOK: Final = "hook-of-the-stand-in"


class SlackStandin(HttpStandin):
    """A workspace with a bot in it.

    Attributes:
        token: the bot's token, which every Web API call must carry.
        channels: by name.
        messages: everything posted, in order, replies too.
        scopes: what the token may do; taking one away answers `missing_scope`.
        app: its other half: what people do with the bot's messages, and where that goes.
    """

    def __init__(
        self,
        channels: Iterable[str] = ("alerts",),
        token: str = _BOT,
        now: Callable[[], float] = time.time,
        **faults: Any,
    ) -> None:
        self.app = SlackApp(lambda: self.url)
        routes = [
            web.route("*", "/api/{method}", self._call),
            web.post("/services/{team}/{hook}/{secret}", self._webhook),
            *self.app.routes(),
        ]
        super().__init__(routes, **faults)
        self.token = token
        self.channels: dict[str, SlackChannel] = {}
        self.messages: list[SlackMessage] = []
        self.scopes = {"chat:write", "channels:history", "channels:read", "im:write"}
        self._errors: list[str] = []
        self._now = now
        self._clock_us = 0
        self._methods = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.list": self._list,
            "conversations.open": self._open,
            "conversations.replies": self._replies,
        }
        for name in channels:
            self.add_channel(name)

    @property
    def api_url(self) -> str:
        """The base of the Web API, for `app_url`."""
        return f"{self.url}/api/"

    def webhook_url(self, channel: str) -> str:
        """An incoming webhook that posts to `channel`, for `api_url`."""
        return f"{self.url}/services/{TEAM}/{self.channels[channel].id}/{_HOOK}"

    def add_channel(self, name: str, *, member: bool = True, archived: bool = False) -> SlackChannel:
        """Create a channel; its id is made from its place."""
        channel = SlackChannel(f"C{len(self.channels):08d}", name, member, archived)
        self.channels[name] = channel
        return channel

    def add_person(self, ident: str) -> SlackChannel:
        """Somebody to whom `U...` posts a direct message; it is shown under `@U...`."""
        name = f"@{ident}"
        self.channels[name] = SlackChannel(f"D{len(self.channels):08d}", name)
        return self.channels[name]

    def fail_with(self, n: int, error: str) -> None:
        """Answer the next `n` Web API calls with HTTP 200, `ok: false` and `error`."""
        self._errors += [error] * n

    def shown(self, channel: str) -> list[SlackMessage]:
        """The messages of a channel that are not replies, oldest first."""
        return [m for m in self.messages if m.channel == channel and not m.thread_ts and not m.deleted]

    def replies(self, parent: SlackMessage) -> list[SlackMessage]:
        """The replies in a message's thread, oldest first."""
        return [m for m in self.messages if m.channel == parent.channel and m.thread_ts == parent.ts]

    async def press(self, message: SlackMessage, action: str, user: str) -> None:
        """Somebody (`U...`) presses a button: see `SlackApp.press`."""
        await self.app.press(message, self.channels[message.channel].id, action, user)

    async def _call(self, request: web.Request) -> web.Response:
        arguments = await _arguments(request)
        method = request.match_info["method"]
        if method == "apps.connections.open":
            return web.json_response(await self.app.connections.open(_bearer(request)))
        serve = self._methods.get(method)
        error = self._refusal(request, method)
        if error:
            return _ok_false(error)
        if serve is None:
            return _ok_false("unknown_method")
        answer = serve(arguments)
        return answer if isinstance(answer, web.Response) else web.json_response({"ok": True, **answer})

    def _refusal(self, request: web.Request, method: str) -> str:
        sent = _bearer(request)
        if not sent:
            return "not_authed"
        if sent != self.token:
            return "invalid_auth"
        if _SCOPES.get(method, "chat:write") not in self.scopes:
            return "missing_scope"
        return self._errors.pop(0) if self._errors else ""

    def _find(self, wanted: Any, *, by_name: bool) -> SlackChannel | None:
        for channel in self.channels.values():
            names = (str(wanted).lstrip("#"), f"@{wanted}")
            if wanted == channel.id or (by_name and channel.name in names):
                return channel
        return None

    def _auth_test(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": self.url,
            "team": "Stand-in",
            "user": "tocsin",
            "team_id": TEAM,
            "user_id": "U0STANDIN",
        }

    def _post_message(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = self._find(arguments.get("channel"), by_name=True)
        error = _closed(channel) or message_error(arguments)
        if error or channel is None:
            return _ok_false(error)
        parent = str(arguments.get("thread_ts") or "")
        if parent and self._message(channel, parent) is None:
            return _ok_false("thread_not_found")
        wait = self.wait_for_turn(channel.id)
        if wait is not None:
            return _ratelimited(wait)
        message = self._keep(channel, arguments, parent, author=arguments.get("username") or "tocsin")
        return {"channel": channel.id, "ts": message.ts, "message": message.listed(with_metadata=True)}

    def _keep(
        self, channel: SlackChannel, arguments: dict[str, Any], parent: str, author: str
    ) -> SlackMessage:
        heard = not parent or bool(arguments.get("reply_broadcast"))
        message = SlackMessage(
            channel=channel.name,
            ts=self._next_ts(),
            text=arguments.get("text") or "",
            blocks=arguments.get("blocks") or [],
            attachments=arguments.get("attachments") or [],
            metadata=arguments.get("metadata"),
            thread_ts=parent,
            heard=heard,
            pings=pings(arguments),
            unescaped=unescaped(arguments),
            author=author,
        )
        self.messages.append(message)
        self.arrived({"service": "slack", "what": "reply" if parent else "post", "message": message})
        return message

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = self._find(arguments.get("channel"), by_name=False)
        error = _closed(channel) or message_error(arguments)
        if error or channel is None:
            return _ok_false(error)
        message = self._message(channel, str(arguments.get("ts")))
        if message is None:
            return _ok_false("message_not_found")
        if message.author == "webhook":
            return _ok_false("cant_update_message")
        wait = self.wait_for_turn(channel.id)
        if wait is not None:
            return _ratelimited(wait)
        message.edits.append({name: getattr(message, name) for name in _SHOWN})
        message.text = arguments.get("text") or ""
        message.blocks, message.attachments = (
            arguments.get("blocks") or [],
            arguments.get("attachments") or [],
        )
        message.metadata = arguments.get("metadata", message.metadata)
        message.unescaped = unescaped(arguments)
        self.arrived({"service": "slack", "what": "edit", "message": message})
        return {"channel": channel.id, "ts": message.ts, "text": message.text}

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = self._find(arguments.get("channel"), by_name=False)
        if channel is None:
            return _ok_false("channel_not_found")
        if not channel.member:
            return _ok_false("not_in_channel")
        oldest = float(arguments.get("oldest") or 0)
        visible = [m for m in self.messages if m.channel == channel.name and m.heard and not m.deleted]
        return page([m for m in reversed(visible) if float(m.ts) > oldest], arguments)

    def _replies(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = self._find(arguments.get("channel"), by_name=False)
        parent = self._message(channel, str(arguments.get("ts"))) if channel else None
        if parent is None:
            return _ok_false("channel_not_found" if channel is None else "thread_not_found")
        return page([parent, *self.replies(parent)], arguments)

    def _list(self, arguments: dict[str, Any]) -> dict[str, Any]:
        start, limit = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
        channels = [channel for channel in self.channels.values() if channel.id.startswith("C")]
        known = [{"id": c.id, "name": c.name, "is_member": c.member} for c in channels]
        after = str(start + limit) if start + limit < len(known) else ""
        return {"channels": known[start : start + limit], "response_metadata": {"next_cursor": after}}

    def _open(self, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel = self._find(arguments.get("users"), by_name=True)
        return {"channel": {"id": channel.id}} if channel else _ok_false("user_not_found")

    async def _webhook(self, request: web.Request) -> web.Response:
        try:
            arguments = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        channel = self._find(request.match_info["hook"], by_name=False)
        if channel is None or request.match_info["secret"] != _HOOK:
            return web.Response(status=404, text="no_service")
        error = "channel_is_archived" if channel.archived else message_error(arguments)
        if error:
            return web.Response(status=410 if channel.archived else 400, text=error)
        wait = self.wait_for_turn(channel.id)
        if wait is not None:
            return web.Response(status=429, text="rate_limited", headers={"Retry-After": str(wait)})
        self._keep(channel, arguments, "", author="webhook")
        return web.Response(text="ok")

    def _message(self, channel: SlackChannel, ts: str) -> SlackMessage | None:
        for message in self.messages:
            if message.channel == channel.name and message.ts == ts and not message.deleted:
                return message
        return None

    def _next_ts(self) -> str:
        self._clock_us = max(self._clock_us + 1, int(self._now() * 1_000_000))
        return f"{self._clock_us // 1_000_000}.{self._clock_us % 1_000_000:06d}"


_SCOPES: Final = {
    "conversations.history": "channels:history",
    "conversations.list": "channels:read",
    "conversations.open": "im:write",
    "conversations.replies": "channels:history",
}


def _bearer(request: web.Request) -> str:
    return request.headers.get("Authorization", "").partition(" ")[2]


async def _arguments(request: web.Request) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body: dict[str, Any] = await request.json()
        return arguments | body
    for name, value in (await request.post()).items():
        text = str(value)
        arguments[name] = json.loads(text) if name in ("blocks", "attachments", "metadata") else text
    return arguments


def _closed(channel: SlackChannel | None) -> str:
    if channel is None:
        return "channel_not_found"
    if channel.archived:
        return "is_archived"
    return "" if channel.member else "not_in_channel"


def _ok_false(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})


def _ratelimited(seconds: int) -> web.Response:
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})
