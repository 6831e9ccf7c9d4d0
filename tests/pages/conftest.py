"""A house whose people have read of an incident, and a browser without script on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from house import House, opened
from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from playwright.async_api import Page

PHONE = {"width": 360, "height": 740}


@pytest.fixture
async def house(redis_server: str, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(redis_server, tmp_path) as house:
        await house.fire()
        yield house


@pytest.fixture
async def phone(require_peer: Callable[[str], str]) -> AsyncIterator[Page]:
    """A page of the system's Chromium; what it asks for beside the page itself is refused, and noticed."""
    program = require_peer("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = await browser.new_context(viewport=PHONE, java_script_enabled=False, has_touch=True)
        yield await context.new_page()
        await browser.close()
