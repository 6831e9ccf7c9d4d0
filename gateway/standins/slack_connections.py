"""Socket Mode of the Slack stand-in: connections that the app opens, and events that go to one of them.

An event that is not acknowledged within three seconds goes to another connection. Rules: Slack's "Using
Socket Mode" and `apps.connections.open`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

ACK_S: Final = 3.0
MAX_CONNECTIONS: Final = 10


@dataclass(slots=True)
class _Connection:
    socket: web.WebSocketResponse
    acked: dict[str, asyncio.Future[None]] = field(default_factory=dict)


class SlackConnections:
    """The connections of one app.

    Attributes:
        app_token: what opens them.
        refusals: how often it was not the one.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self.app_token = "xapp-stand-in"  # noqa: S105 - opens nothing but this
        self.refusals = 0
        self._tickets: set[str] = set()
        self._open: list[_Connection] = []
        self._changed = asyncio.Condition()

    def route(self) -> web.RouteDef:
        """Where a ticket leads."""
        return web.get("/link", self._connected)

    def __len__(self) -> int:
        """How many the app holds open."""
        return len(self._open)

    async def open(self, token: str) -> dict[str, Any]:
        """`apps.connections.open`: a ticket for a connection, or Slack's error."""
        if token != self.app_token:
            async with self._changed:
                self.refusals += 1
                self._changed.notify_all()
            known = "invalid_auth" if token.startswith("xapp-") else "not_allowed_token_type"
            return {"ok": False, "error": known if token else "not_authed"}
        ticket = secrets.token_hex(12)
        self._tickets.add(ticket)
        address = self._url().replace("http", "ws", 1)
        return {"ok": True, "url": f"{address}/link?ticket={ticket}&app_id=A0STANDIN"}

    async def connected(self, count: int, within_s: float = 5.0) -> None:
        """Waits until the app holds so many connections."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: len(self._open) == count)

    async def refused(self, count: int, within_s: float = 5.0) -> None:
        """Waits until so many tokens have been refused."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: self.refusals >= count)

    async def send_raw(self, frame: str) -> None:
        """Sends something over each connection that may be no event at all."""
        for one in list(self._open):
            await one.socket.send_str(frame)

    async def say_goodbye(self, reason: str = "refresh_requested") -> None:
        """Tells the app, over each connection, that Slack is going to close it."""
        for one in list(self._open):
            await one.socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}
            )

    async def hang_up(self, oldest: int) -> None:
        """Closes so many of the connections, the oldest first."""
        for one in self._open[:oldest]:
            await one.socket.close()

    async def _connected(self, request: web.Request) -> web.WebSocketResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden
        self._tickets.remove(ticket)  # a ticket is for one connection
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        if len(self._open) >= MAX_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = _Connection(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self._open) + 1})
        await self._hold(connection, present=True)
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    waiting = connection.acked.get(json.loads(frame.data).get("envelope_id"))
                    if waiting and not waiting.done():
                        waiting.set_result(None)
        finally:
            await self._hold(connection, present=False)
        return socket

    async def _hold(self, connection: _Connection, *, present: bool) -> None:
        async with self._changed:
            if present:
                self._open.append(connection)
            else:
                self._open.remove(connection)
            self._changed.notify_all()

    async def send(self, kind: str, payload: dict[str, Any]) -> bool:
        """To the newest connection; where it is not acknowledged, to the others. False where none does."""
        for attempt, connection in enumerate(self._open[::-1]):
            envelope = secrets.token_hex(12)
            acked = connection.acked[envelope] = asyncio.get_running_loop().create_future()
            message = {
                "type": kind,
                "envelope_id": envelope,
                "accepts_response_payload": True,
                "payload": payload,
            }
            if attempt:
                message |= {"retry_attempt": attempt, "retry_reason": "timeout"}
            try:
                async with asyncio.timeout(ACK_S):
                    await connection.socket.send_json(message)
                    await acked
            except (TimeoutError, ConnectionError):
                continue
            else:
                return True
            finally:
                del connection.acked[envelope]
        return False
