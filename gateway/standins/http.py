"""What every HTTP stand-in can do: listen on a loopback port, and misbehave when it is told to.

A stand-in is a small real server that answers as a service's public documents say. This module knows
nothing of any service: it counts calls, refuses, delays, limits and loses answers. `pagerduty.py` and
`slack.py` say what the service's own words for these are.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp.typedefs import Handler

MINUTE: Final = 60.0
MAX_BODY: Final = 4 * 1024 * 1024


class HttpStandin:
    """A server on `127.0.0.1` with a port of its own, and its faults.

    Attributes:
        on_arrival: called with each thing the service took, as a dict for showing; None to be quiet.
        delay: seconds to wait before anything is looked at.
        requests: how many requests came, whatever became of them.
    """

    def __init__(self, routes: Iterable[web.RouteDef], clock: Callable[[], float] = time.monotonic) -> None:
        self.on_arrival: Callable[[dict[str, Any]], None] | None = None
        self.delay = 0.0
        self.requests = 0
        self._clock = clock
        self._failures: deque[web.Response | None] = deque()
        self._to_lose = 0
        self._per_minute: int | None = None
        self._taken: dict[str, deque[float]] = {}
        self._routes = tuple(routes)
        self._runner: web.AppRunner | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """The address without a path, such as `http://127.0.0.1:40123`; empty before `start`."""
        return self._url

    async def start(self) -> None:
        """Listen. A stand-in can be started again after `stop`; what it took stays."""

        @web.middleware
        async def misbehave(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._misbehave(request, handler)

        app = web.Application(middlewares=[misbehave], client_max_size=MAX_BODY)
        app.add_routes(self._routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening; requests under way are cut off."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def fail_next(self, n: int, status: int, retry_after: int | None = None, body: str = "") -> None:
        """Refuse the next `n` requests with `status`, `Retry-After: retry_after` (seconds) and `body`."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        kind = "application/json" if body.startswith("{") else "text/plain"
        for _ in range(n):
            self._failures.append(web.Response(status=status, text=body, headers=headers, content_type=kind))

    def fail_after(self, n: int, status: int, retry_after: int | None = None, body: str = "") -> None:
        """Let the next `n` requests pass, then refuse one as `fail_next` does."""
        self._failures += [None] * n
        self.fail_next(1, status, retry_after, body)

    def lose_answers(self, n: int) -> None:
        """Take the next `n` requests in full, then close the connection instead of answering."""
        self._to_lose = n

    def limit(self, per_minute: int | None) -> None:
        """Take at most so many a minute for one key (PagerDuty) or channel (Slack); None: no limit."""
        self._per_minute = per_minute
        self._taken.clear()

    def wait_for_turn(self, key: str) -> int | None:
        """None if `key` may go on now (and this call counts), else the seconds until it may."""
        if self._per_minute is None:
            return None
        now = self._clock()
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= now - MINUTE:
            taken.popleft()
        if len(taken) < self._per_minute:
            taken.append(now)
            return None
        return max(1, int(taken[0] + MINUTE - now + 0.999))

    def arrived(self, what: dict[str, Any]) -> None:
        """Tell whoever watches that the service took something."""
        if self.on_arrival is not None:
            self.on_arrival(what)

    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        if self._failures and (failure := self._failures.popleft()) is not None:
            return failure
        answer = await handler(request)
        if self._to_lose and request.transport is not None:
            self._to_lose -= 1
            request.transport.abort()
        return answer
