"""What comes out: a PagerDuty whose answers take their time, so that kills hit attempts on the wire."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.standins.pagerduty import PagerDutyStandin

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from aiohttp import web
    from aiohttp.typedefs import Handler

_ID = re.compile(r"\bgroup\d+-\d+\b")


@dataclass(frozen=True)
class Heard:
    """One event, when its request came and when it was taken (monotonic seconds)."""

    came: float
    taken: float
    event: dict[str, Any]

    @property
    def key(self) -> str:
        return self.event["dedup_key"]

    @property
    def held(self) -> bool:
        """It tells, without a sound, that all who fire are held."""
        return self.event.get("payload", {}).get("summary", "").startswith("[held] ")

    @property
    def firing(self) -> set[str]:
        return {name for name, status in shown(self.event).items() if status == "firing"}


def shown(event: dict[str, Any]) -> dict[str, str]:
    """The alerts that an event shows, with their status."""
    details = event.get("payload", {}).get("custom_details", {})
    found = {}
    for line in details.get("alerts", []):
        ids = _ID.findall(line) or _ID.findall(json.dumps(details.get("labels", {})))
        for name in ids[:1]:
            found[name] = "resolved" if line.startswith("resolved") else "firing"
    return found


class SlowPagerDuty(PagerDutyStandin):
    """Waits a random time before it takes an event and again before it answers."""

    def __init__(self, random: Random, longest: float = 0.12) -> None:
        super().__init__()
        self.heard: list[Heard] = []
        self.longest = longest
        self.random = random
        self.on_request: Callable[[], None] | None = None  # once, before an event is taken
        self.on_taken: Callable[[], None] | None = None  # once, before it is answered

    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        came, before = time.monotonic(), len(self.events)
        await request.read()
        if (act := self.on_request) is not None:
            self.on_request = None
            act()
        await asyncio.sleep(self.random.uniform(0, self.longest))
        taken = len(self.events)
        answer = await super()._misbehave(request, handler)
        if len(self.events) > taken:
            self.heard.append(Heard(came, time.monotonic(), self.events[-1]))
        if (act := self.on_taken) is not None and len(self.events) > before:
            self.on_taken = None
            act()
        await asyncio.sleep(self.random.uniform(0, self.longest))
        return answer
