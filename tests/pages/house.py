"""A whole service, its mail server, and people who read mail: for tests of what a mail's link leads to."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from html import unescape
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import ClientSession

from config.load import load
from gateway.service import Service
from gateway.standins.smtp import SmtpStandin
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from gateway.standins.smtp import Mail

CONFIG = """
global: {{smtp_smarthost: "localhost:{port}", smtp_from: tocsin@example.com, smtp_require_tls: false}}
route: {{receiver: boss, group_by: [cluster], group_wait: 0s, routes: [{{policy: page}}]}}
users:
  - {{name: dana, email: dana@example.com}}
  - {{name: eli, email: eli@example.com}}
receivers:
  - {{name: list, email_configs: [{{to: "oncall@example.com", send_resolved: true}}]}}
  - {{name: boss, webhook_configs: [{{url: "http://127.0.0.1:9/"}}]}}
escalation_policies:
  - name: page
    steps:
      - notify: [{{user: dana}}, {{user: eli}}, {{receiver: list}}]
      - {{after: 1h, notify: [{{receiver: boss}}]}}
      - {{after: 2h, notify: [{{receiver: boss}}]}}
"""
EVERYBODY = ("dana@example.com", "eli@example.com", "oncall@example.com")


class Page(NamedTuple):
    """What a browser got."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def read(self) -> str:
        """The words of it."""
        text = re.sub(
            r"<style>.*?</style>|</?(?:bdi|time|strong|b|span)\b[^>]*>", "", self.text, flags=re.DOTALL
        )
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())

    @property
    def once(self) -> str:
        return re.search(r'name="once" value="([^"]+)"', self.text)[1]

    @property
    def buttons(self) -> list[str]:
        return re.findall(r'name="do" value="([^"]+)"', self.text)


class House:
    """The running service."""

    def __init__(self, redis: str, folder: Path) -> None:
        self.redis = redis
        self.path = folder / "tocsin.yaml"
        self.mailbox = SmtpStandin(tls="none")
        self.client = ClientSession()
        self.login: dict[str, str] = {}  # what is sent beside the API's requests

    async def start(self, more: str = "") -> None:
        await self.mailbox.start()
        self.path.write_text(CONFIG.format(port=self.mailbox.port) + more)
        config = load(self.path)
        self.service = Service(self.path, config, connect.connect(self.redis), listens="http://localhost")
        await self.service.start("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.service.port}"
        self.service._listens = self.url  # known only now

    async def stop(self) -> None:
        await self.client.close()
        await self.service.stop()
        await self.mailbox.stop()

    async def fire(self, **alert: Any) -> None:
        """Fire an alert, and wait until everybody has read of it."""
        labels = {"alertname": "DiskFull", "cluster": "eu", "severity": "critical"}
        body = [{"labels": labels, "annotations": {"summary": "Disk nearly full"}, **alert}]
        async with self.client.post(f"{self.url}/api/v2/alerts", json=body, headers=self.login) as response:
            assert response.status == 200, await response.text()
        await self.until(lambda: len(self.mailbox.mails) >= len(EVERYBODY))

    async def until(self, true: Any) -> Any:
        async with asyncio.timeout(10):
            while not (found := true()):
                await asyncio.sleep(0.02)
        return found

    def mail(self, to: str, n: int = -1) -> Mail:
        return [one for one in self.mailbox.mails if one.recipients == (f"{to}@example.com",)][n]

    def link(self, to: str = "dana") -> str:
        """The link in the first mail to them."""
        return re.search(r"https?://\S+/link/\S+", self.mail(to, 0).text())[0]

    async def get(self, url: str, method: str = "GET", **headers: str) -> Page:
        async with self.client.request(method, url, headers=headers, allow_redirects=False) as response:
            return Page(response.status, response.headers.copy(), await response.text())

    async def press(self, url: str, what: str, once: str = "", **headers: str) -> Page:
        """Press a button of a page that was just opened (or of one with this id)."""
        form = {"once": once or (await self.get(url, **headers)).once, "do": what}
        async with self.client.post(url, data=form, headers=headers) as response:
            return Page(response.status, response.headers.copy(), await response.text())

    async def story(self) -> dict[str, Any]:
        async with self.client.get(f"{self.url}/api/v1/incidents/1", headers=self.login) as response:
            return await response.json()

    async def kinds(self) -> list[str]:
        """What happened, in order."""
        return [line["kind"] for line in (await self.story())["timeline"]]


@asynccontextmanager
async def opened(redis: str, folder: Path, more: str = "") -> AsyncIterator[House]:
    """A house that runs."""
    house = House(redis, folder)
    await house.start(more)
    try:
        yield house
    finally:
        await house.stop()
