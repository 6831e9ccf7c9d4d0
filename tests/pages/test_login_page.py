"""The page of an incident behind a login: its buttons are for who may answer, from this page alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import encode_basic_auth
from house import House, opened
from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.store

TOKENS = """
auth:
  tokens:
    - {name: admin, token: admin-secret, scopes: [admin]}
    - {name: reader, token: reader-secret, scopes: [read]}
    - {name: eli, token: eli-secret, scopes: [read, respond]}
    - {name: bot, token: bot-secret, scopes: [read, respond]}
"""


@pytest.fixture
async def guarded(redis_server: str, tmp_path: Path) -> AsyncIterator[House]:
    """A house that asks for tokens."""
    async with opened(redis_server, tmp_path, TOKENS) as house:
        house.login = {"Authorization": "Bearer admin-secret"}
        await house.fire()
        yield house


def as_(token: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth("whoever", f"{token}-secret")}


async def test_who_may_only_look_sees_no_buttons_and_has_none(guarded: House):
    url = f"{guarded.url}/incidents/1"
    page = await guarded.get(url, **as_("reader"))
    assert page.status == 200
    assert page.buttons == []
    assert "Nobody has it yet." in page.read
    pressed = await guarded.press(url, "acknowledge", "x" * 22, **as_("reader"))
    assert pressed.status == 403
    assert "lacks the scope 'respond'" in pressed.read
    assert (await guarded.press(url, "acknowledge", "x" * 22)).status == 401
    assert (await guarded.story())["status"] == "triggered"


@pytest.mark.parametrize(("token", "by"), [("eli", "eli"), ("bot", "bot"), ("admin", "admin")])
async def test_who_may_answer_does_so_in_the_name_of_the_token(guarded: House, token: str, by: str):
    page = await guarded.press(f"{guarded.url}/incidents/1", "acknowledge", **as_(token))
    assert f"You answer as {by}." in page.read
    assert f"{by} has it since" in page.read
    assert "(page)" in page.read


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_page_of_another_site_presses_no_button(guarded: House, origin: str):
    url = f"{guarded.url}/incidents/1"
    page = await guarded.press(url, "resolve", "x" * 22, Origin=origin, **as_("eli"))
    assert page.status == 403
    assert "comes from a page of another site" in page.read
    assert (await guarded.story())["status"] == "triggered"


async def test_a_link_needs_no_login_although_all_else_does(guarded: House):
    assert (await guarded.get(guarded.url)).status == 401
    page = await guarded.press(guarded.link("dana"), "acknowledge", Origin="null")
    assert "dana has it since" in page.read


@pytest.mark.parametrize("number", ["7", "nonsense", "²"])
async def test_an_incident_that_there_is_not_has_no_buttons_either(guarded: House, number: str):
    page = await guarded.press(f"{guarded.url}/incidents/{number}", "resolve", "x" * 22, **as_("eli"))
    assert page.status == 404
    assert f"There is no incident #{number}" in page.read


async def test_a_browser_that_has_logged_in_can_press(guarded: House, require_peer: Callable[[str], str]):
    program = require_peer("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        login = {"username": "", "password": "eli-secret"}
        context = await browser.new_context(java_script_enabled=False, http_credentials=login)
        page = await context.new_page()
        await page.goto(f"{guarded.url}/incidents/1")
        await page.get_by_role("button", name="Snooze 4 h").click()
        await expect(page.get_by_role("status")).to_contain_text("#1 is acknowledged until")
        await browser.close()
    assert (await guarded.story())["acknowledged_by"] == "eli"
