"""The stand-in's way back: webhooks v3, signed and posted as PagerDuty documents it.

Rules: PagerDuty's "Webhooks overview" (payload), "Verifying signatures", and "Behavior": an answer within
5 s, up to five attempts after 5xx, 429 and broken connections, none after other 4xx, and all in order.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import aiohttp

ATTEMPTS: Final = 5
TIMEOUT_S: Final = 5.0
OF_EVENTS: Final = {
    "id": "PINTEG1",
    "type": "events_api_v2_inbound_integration_reference",
    "summary": "Tocsin",
}
OF_SERVICE: Final = {"id": "PSERV01", "type": "service_reference", "summary": "Production"}


@dataclass(frozen=True, slots=True)
class Person:
    """A user over there."""

    id: str = "PDANA01"
    name: str = "Dana Smith"
    email: str = "dana@example.com"

    @property
    def agent(self) -> dict[str, str]:
        """As an event names who did it."""
        return {"id": self.id, "type": "user_reference", "summary": self.name}


@dataclass(slots=True)
class Subscription:
    """A webhook subscription.

    Attributes:
        secrets: each signs, so several stand for a rotation.
        hold: webhooks are not posted by themselves; a test posts them, as late and as often as it likes.
        pause: seconds before the second attempt, doubled with each.
        sent: every webhook that there was, in order, as its raw body.
        answers: the status of each attempt.
        dropped: webhooks that were not taken in the end.
    """

    url: str
    secrets: tuple[str, ...]
    hold: bool = False
    pause: float = 0.2
    sent: list[bytes] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    dropped: int = 0
    _queue: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _worker: asyncio.Task[None] | None = None

    def tell(self, kind: str, at: int, agent: dict[str, str] | None, incident: dict[str, Any]) -> None:
        """`incident.{kind}` has happened, at milliseconds `at`."""
        event = {
            "id": str(uuid4()),
            "event_type": f"incident.{kind}",
            "resource_type": "incident",
            "occurred_at": iso(at),
            "agent": agent,
            "client": None,
            "data": incident,
        }
        raw = json.dumps({"event": event}).encode()
        self.sent.append(raw)
        if self.hold:
            return
        self._queue.put_nowait(raw)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._deliver())

    async def post(self, raw: bytes) -> int:
        """One attempt; the status, 0 where there was no answer."""
        marks = [hmac.new(secret.encode(), raw, sha256).hexdigest() for secret in self.secrets]
        headers = {
            "Content-Type": "application/json",
            "X-PagerDuty-Signature": ",".join(f"v1={mark}" for mark in marks),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
                session.post(self.url, data=raw, headers=headers) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        self.answers.append(status)
        return status

    async def settle(self) -> None:
        """Until every webhook has been taken or dropped."""
        if self._worker is not None:
            await self._worker

    async def close(self) -> None:
        """Post nothing more."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _deliver(self) -> None:
        while not self._queue.empty():
            self.dropped += not await self._taken(self._queue.get_nowait())

    async def _taken(self, raw: bytes) -> bool:
        for attempt in range(ATTEMPTS):
            status = await self.post(raw)
            if 200 <= status < 300:
                return True
            if 400 <= status < 500 and status != 429:
                return False
            await asyncio.sleep(self.pause * 2**attempt)
        return False


def iso(at: int) -> str:
    """Milliseconds as PagerDuty writes times."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
