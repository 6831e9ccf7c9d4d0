"""Real processes with policies: incidents that people answer over HTTP while gateways, workers and Redis die.

What was posted and answered, and when, stands in `plain_policies.Story`; what arrived, in `Sink`. All times
are milliseconds of the clock on the wall, which is also that of Redis.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from judge_of_steps import Heard
from plain_policies import Answer, Span, Story

from gateway.standins.http import HttpStandin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from processes import Gateway

VERBS = ("acknowledge", "acknowledge", "acknowledge", "unacknowledge", "snooze", "escalate")
NEVER = "0001-01-01T00:00:00Z"


def wall() -> float:
    return time.time() * 1000


class Sink(HttpStandin):
    """Takes the posts of all targets, and answers after a moment: kills hit what is on the wire."""

    def __init__(self, random: Random) -> None:
        super().__init__([web.post("/hook", self._take)])
        self.random = random
        self.posts: dict[str, list[tuple[float, str, dict[str, Any]]]] = defaultdict(list)
        self.numbers: dict[str, int] = {}

    async def _take(self, request: web.Request) -> web.Response:
        came = wall()
        body = json.loads(await request.read())
        name = body["groupLabels"]["alertname"]
        self.numbers.setdefault(name, body["tocsin"]["incident"])
        self.posts[name].append((came, request.query_string, body))
        await asyncio.sleep(self.random.uniform(0, 0.1))
        return web.Response(text="ok")

    def heard(self, stalls: list[tuple[float, float]]) -> Mapping[str, list[Heard]]:
        """By story; what a process that was stopped sends when it goes on was on its way before."""
        found = defaultdict(list)
        for name, posts in self.posts.items():
            for came, who, body in posts:
                began = min([came, *(since for since, until in stalls if since <= came <= until + 1_000)])
                found[name].append(Heard(came, who, body["tocsin"]["kind"], began))
        return found


class Told:
    """One incident, from its alert to its end."""

    def __init__(self, gateways: list[Gateway], sink: Sink, random: Random, story: Story, unit: int) -> None:
        self.gateways, self.sink, self.random, self.story, self.unit = gateways, sink, random, story, unit
        self.starts_at = ""

    async def goes(self, client: aiohttp.ClientSession) -> None:
        self.starts_at = datetime.now(UTC).isoformat()
        self.story.fired = await self._post(client, firing=True)
        while self.story.name not in self.sink.numbers:
            await asyncio.sleep(0.05)
        for _ in range(self.random.choice((0, 0, 1, 1, 2, 3))):
            await asyncio.sleep(self.random.uniform(0.2, 4))
            await self._give(client, self.random.choice(VERBS))
        await asyncio.sleep(self.random.uniform(0.2, 7))
        if self.random.random() < 0.2:
            await self._give(client, "resolve")
        ended = await self._post(client, firing=False)
        last = self.story.answers[-1] if self.story.answers else None
        if last is None or last.verb != "resolve" or last.lost:
            self.story.answers.append(Answer("end", ended))

    async def _post(self, client: aiohttp.ClientSession, *, firing: bool) -> Span:
        labels = {"alertname": self.story.name, "policy": self.story.policy, "severity": "high"}
        status = "firing" if firing else "resolved"
        ends_at = NEVER if firing else datetime.now(UTC).isoformat()
        alert = {"status": status, "labels": labels, "annotations": {}, "startsAt": self.starts_at}
        alert |= {"endsAt": ends_at, "generatorURL": "", "fingerprint": ""}
        body = {"version": "4", "status": status, "alerts": [alert], "receiver": "tocsin", "groupKey": "{}"}
        body |= {"groupLabels": {}, "commonLabels": labels, "commonAnnotations": {}, "externalURL": ""}
        since = wall()
        while (await self._ask(client, "/webhook", body))[0] != 200:
            await asyncio.sleep(0.2)
        return Span(since, wall())

    async def _give(self, client: aiohttp.ClientSession, verb: str) -> None:
        by = self.random.choice(("dana", "kim"))
        lasts = self.random.randint(1, 4) * self.unit if verb == "snooze" else 0
        body = {"by": by} | ({"for": f"{lasts}ms"} if lasts else {})
        since = wall()
        path = f"/api/v1/incidents/{self.sink.numbers[self.story.name]}/{verb}"
        status, given = await self._ask(client, path, body)
        assert status in (0, 200, 503), f"{path} is answered {status}: {given}"
        lost = status != 200
        changed = None if lost else given["changed"]
        at = Span(since, wall())
        if changed and (said := given["incident"]["acknowledged_at"]) and verb in ("acknowledge", "snooze"):
            exactly = datetime.fromisoformat(said).timestamp() * 1000
            at = Span(max(at.lo, exactly - 20), exactly + 1)
        self.story.answers.append(Answer(verb, at, by, lasts, changed, lost=lost))  # type: ignore[arg-type]

    async def _ask(self, client: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        try:
            async with client.post(self.random.choice(self.gateways).url + path, json=body) as answer:
                return answer.status, await answer.json(content_type=None) if "api" in path else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, None
