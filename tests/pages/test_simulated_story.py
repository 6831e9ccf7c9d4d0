"""The page of a simulated story in a real browser, as large as a phone and without script."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from config.compile import compile_plan
from config.load import load_text
from gateway.simulation.report_html import html
from gateway.simulation.run import simulate
from routing.alerts import Arrival, alert_key
from routing.events import Acknowledged
from routing.story import Arrived, Said

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

NOON = 1_798_113_600_000
MINUTE = 60_000
CONFIG = """
global: {smtp_smarthost: "localhost:25", smtp_from: tocsin@example.com, slack_app_token: x}
route: {receiver: ops, group_by: [alertname], group_wait: 0s, routes: [{policy: page}]}
receivers: [{name: ops, slack_configs: [{channel: "#ops"}]}]
users: [{name: dana, email: dana@example.com}]
escalation_policies:
  - name: page
    steps: [{notify: [{receiver: ops}]}, {after: 5m, notify: [{user: dana}]}]
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    labels = {"alertname": "X" * 300, "severity": "<b>critical</b>"}

    def copy(status, at, ends=0):
        return Arrived(
            at, (Arrival(alert_key(labels), labels, {}, status, NOON, ends, None, ""),), stays=True
        )

    happens = [
        copy("firing", NOON),
        Said(NOON + 8 * MINUTE, Acknowledged("dana", "simulation", NOON + 20 * MINUTE)),
        copy("resolved", NOON + 120 * MINUTE, NOON + 120 * MINUTE),
    ]
    story = simulate(compile_plan(load_text(CONFIG, "tocsin.yaml", {})), happens, began=NOON, texts=True)
    file = tmp_path / "story.html"
    file.write_text(html(story, "tocsin.yaml"))
    return file


async def test_it_can_be_read_on_a_phone_and_asks_for_nothing(written: Path, phone: Page) -> None:
    asked: list[str] = []
    said: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.on("console", lambda message: said.append(message.text))
    await phone.goto(written.as_uri())
    if folder := os.environ.get("TOCSIN_SCREENSHOTS"):
        await phone.screenshot(path=f"{folder}/simulated.png", full_page=True)
    await expect(phone.get_by_role("heading", name="tocsin.yaml")).to_be_visible()
    await expect(phone.get_by_role("img", name="Who is told when")).to_be_visible()
    await expect(phone.get_by_role("row").filter(has_text="dana by mail").first).to_be_visible()
    wide = await phone.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide[0] <= wide[1] == 360, "only the picture is wider than the screen, in its own frame"
    assert asked == [written.as_uri()]
    assert said == []
