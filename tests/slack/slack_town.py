"""A whole service on a real store, with the stand-in for Slack, and people who press and type there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession

from config.load import load
from gateway.service import Service
from gateway.store import connect, reading
from receivers.filters import slack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.standins.slack import SlackStandin
    from gateway.standins.slack_messages import SlackMessage

DANA, ERIN, STRANGER = "U0DANA", "U0ERIN", "U0STRANGER"
CONFIG = """
global:
  slack_app_token: {token}
  slack_app_url: {api}
slack: {{{slack}}}
route:
  receiver: team
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
    - matchers: [severity="critical"]
      policy: page
receivers:
  - name: team
    slack_configs: [{{channel: "#alerts"}}]
escalation_policies:
  - name: page
    steps:
      - notify: [{{receiver: team}}]
      - after: 1h
        notify: [{{user: erin}}]
users:
  - {{name: dana, slack_id: U0DANA, time_zone: Europe/Berlin}}
  - {{name: erin, slack_id: U0ERIN}}
schedules:
  - name: backend
    time_zone: Europe/Berlin
    layers:
      - people: [dana, erin]
        start: 2026-01-05 09:00
"""


@dataclass
class Town:
    """Tocsin, Slack, and whoever is in it."""

    slack: SlackStandin
    path: Path
    redis: str
    services: list[Service] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.services[0].port}"

    async def start(self) -> Service:
        """One more replica."""
        service = Service(
            self.path, load(self.path), connect.connect(self.redis), listens="http://tocsin.test"
        )
        await service.start("127.0.0.1", 0)
        self.services.append(service)
        return service

    async def fire(self, name: str = "A", status: str = "firing", **labels: str) -> None:
        alert = {
            "status": status,
            "labels": {"alertname": name} | labels,
            "annotations": {},
            "startsAt": "2026-11-24T14:00:00Z",
            "endsAt": "2026-11-24T14:10:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        }
        body = {
            "version": "4", "groupKey": "g", "status": status, "receiver": "tocsin", "groupLabels": {},
            "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am.test", "alerts": [alert],
        }  # fmt: skip
        async with ClientSession() as client, client.post(f"{self.url}/webhook", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def until(self, what: Callable[[], Any], within_s: float = 8.0) -> Any:
        """What `what` says, as soon as that is something: looked at after each arrival in Slack."""
        async with asyncio.timeout(within_s):
            while not (found := what()):
                self.arrived.clear()
                await self.arrived.wait()
        return found

    async def message(self, name: str = "A", **labels: str) -> SlackMessage:
        """The message of an incident that begins now."""
        await self.fire(name, **labels)
        shown: SlackMessage = await self.until(
            lambda: next((m for m in self.slack.shown("alerts") if slack(name) in m.text), None)
        )
        return shown

    async def incident(self, number: int = 1) -> Any:
        found = await reading.incident(self.services[0].store, number)
        assert found
        return found[1]

    async def timeline(self, number: int = 1) -> list[str]:
        store = self.services[0].store
        found = await reading.incident(store, number)
        assert found
        return [line["text"] for line in await reading.timeline(store, found[0], number)]

    async def said(self, count: int = 1) -> list[str]:
        """What people were answered, as soon as there are so many answers; in order."""
        return [one.text for one in await self.slack.app.whispered(count)]
