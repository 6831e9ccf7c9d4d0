"""Socket Mode: a connection that we open, over which Slack hands us presses and commands.

For those whom Slack cannot reach. Each process holds one connection (Slack allows ten for an app), and Slack
picks one of them for each event; what is done with it, and that it is done once, is `slack_events.py`'s. An
event is acknowledged at once. Where Slack says that it will close a connection, the next one is open before
it does.

Rules: Slack's "Using Socket Mode" (hello, envelopes, disconnect and its reasons).
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import orjson
import structlog

from config.secret import SecretError, reveal
from gateway import metrics
from gateway.slack_web import SlackConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from config.slack_app import SlackAppConfig
    from gateway.slack_web import SlackWeb

log = structlog.get_logger()

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
GOOD_AFTER_S: Final = 10.0  # a connection that lasted so long was a good one: no pause before the next
LEAVE_S: Final = 30.0  # for what is still on its way over a connection that Slack wants to close


class SlackSocket:
    """One process's connection to Slack, as long as the configuration wants one."""

    def __init__(
        self, web: SlackWeb, app: Callable[[], SlackAppConfig], take: Callable[[str, Any], None]
    ) -> None:
        """`take` is handed each event: its type and what it holds; it must not wait."""
        self._web = web
        self._app = app
        self._take = take
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The configuration may want something else now."""
        self._changed.set()

    async def run(self) -> None:
        """Never ends; cancelled, it closes its connections."""
        while True:
            self._changed.clear()
            changed = asyncio.create_task(self._changed.wait())
            tasks: set[asyncio.Task[Any]] = {changed}
            if self._app().socket_mode:
                tasks.add(asyncio.create_task(self._hold()))
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(tasks)
            for task in done - {changed}:
                task.result()  # it never ends but by a fault of ours

    async def _hold(self) -> None:
        """One connection after the other, until it is cancelled."""
        pause, open_ = FIRST_PAUSE_S, set[asyncio.Task[None]]()
        loop = asyncio.get_running_loop()
        try:
            while True:
                began, leaving = loop.time(), asyncio.Event()
                task = asyncio.create_task(self._connection(leaving))
                open_.add(task)
                task.add_done_callback(open_.discard)
                await leaving.wait()
                if loop.time() - began >= GOOD_AFTER_S:
                    pause = FIRST_PAUSE_S
                    continue
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - only spreads the load
                pause = min(2 * pause, LONGEST_PAUSE_S)
        finally:
            await _end(open_)

    async def _connection(self, leaving: asyncio.Event) -> None:
        """From its opening to its end. `leaving` is set as soon as there should be another one."""
        try:
            app = self._app()
            token = await asyncio.to_thread(reveal, app.app_token, app.app_token_file)
            socket = await self._web.connect(token)
            reading = asyncio.create_task(self._read(socket, leaving))
            asked = asyncio.create_task(leaving.wait())
            metrics.slack_connections.inc()
            try:
                await asyncio.wait({reading, asked}, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait({reading}, timeout=LEAVE_S)
            finally:
                metrics.slack_connections.dec()
                await _end({reading, asked})
                await socket.close()
        except (SlackConnectionError, SecretError) as error:
            log.warning("slack.not_connected", reason=str(error), advice=getattr(error, "advice", ""))
        finally:
            leaving.set()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, leaving: asyncio.Event) -> None:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                message = orjson.loads(frame.data)
            except ValueError:
                continue
            if not isinstance(message, dict):
                continue
            match message.get("type"):
                case "hello":
                    log.info("slack.connected", connections=message.get("num_connections"))
                case "disconnect":
                    self._said_goodbye(str(message.get("reason"))[:60])
                    leaving.set()
                case str(kind) if isinstance(message.get("envelope_id"), str):
                    await socket.send_str(orjson.dumps({"envelope_id": message["envelope_id"]}).decode())
                    self._take(kind, message.get("payload"))

    def _said_goodbye(self, reason: str) -> None:
        if reason == "link_disabled":
            log.error("slack.socket_mode_off", advice="switch Socket Mode on in the app's settings")
        elif reason == "too_many_websockets":
            log.error(
                "slack.too_many_connections", advice="an app may have ten: run fewer processes, or use HTTP"
            )
        else:
            log.info("slack.reconnecting", reason=reason)


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels them and waits until they have ended, however they do."""
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
