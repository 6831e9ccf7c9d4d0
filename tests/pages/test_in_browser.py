"""The page in a real browser, as large as a phone and without script."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from house import House
    from playwright.async_api import Page

pytestmark = pytest.mark.store


async def picture(phone: Page, name: str) -> None:
    """A picture of the page, for people, where TOCSIN_SCREENSHOTS says."""
    if folder := os.environ.get("TOCSIN_SCREENSHOTS"):
        await phone.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def test_somebody_acknowledges_on_a_phone(house: House, phone: Page):
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    url = house.link()
    await phone.goto(url)
    await expect(phone.get_by_text("Nobody has it yet.")).to_be_visible()
    await picture(phone, "triggered")
    await phone.get_by_role("button", name="Acknowledge").tap()
    await expect(phone.get_by_role("status")).to_have_text("You have it now: #1 is acknowledged.")
    await expect(phone.get_by_text("dana has it since").first).to_be_visible()
    await expect(phone.get_by_role("button", name="Acknowledge")).to_have_count(0)
    await picture(phone, "acknowledged")
    assert (await house.story())["acknowledged_by"] == "dana"
    back = phone.url
    await phone.reload()
    assert asked == [f"GET {url}", f"POST {url}", f"GET {back}", f"GET {back}"], "nothing else is loaded"
    assert (await house.kinds()).count("acknowledged") == 1


async def test_an_impatient_thumb_escalates_once(house: House, phone: Page):
    posts: list[str] = []
    phone.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    await phone.goto(house.link())
    await phone.get_by_role("button", name="Escalate now").click(click_count=3, delay=5)
    await expect(phone.get_by_role("status")).to_be_visible()
    await phone.reload()
    await expect(phone.get_by_role("status")).to_have_text("#1: the next step comes now.")
    assert posts
    assert (await house.kinds()).count("escalated") == 1


async def test_it_can_be_used_with_a_thumb_and_by_who_does_not_see(house: House, phone: Page):
    await house.fire(labels={"alertname": "X" * 300, "cluster": "eu", "pod": "y-" * 200})
    await phone.goto(house.link())
    wide = await phone.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide[0] <= wide[1] == 360, "nothing is wider than the screen"
    for button in await phone.get_by_role("button").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, await button.inner_text()
    headings = [await one.inner_text() for one in await phone.get_by_role("heading").all()]
    assert headings[0].startswith("#1 triggered")
    assert headings[1:] == ["Alerts", "Who was told", "Timeline"]
    await phone.keyboard.press("Tab")
    focused = phone.locator("button:focus")
    await expect(focused).to_have_text("Acknowledge")


async def test_what_is_wrong_with_a_link_is_said_on_a_page(house: House, phone: Page):
    answer = await phone.goto(house.link()[:-3])
    assert answer is not None
    assert answer.status == 403
    await expect(phone.get_by_role("heading")).to_have_text("This link does not work")
    await picture(phone, "no-link")


async def test_the_page_behind_a_login_answers_too(house: House, phone: Page):
    await phone.goto(f"{house.url}/incidents/1")
    await phone.get_by_role("button", name="Resolve").tap()
    await expect(phone.get_by_role("status")).to_have_text("#1 is resolved.")
    await expect(phone.get_by_text("There is nothing to answer now.")).to_be_visible()
    await picture(phone, "resolved")
    await phone.get_by_role("link", name="All open incidents").tap()
    await expect(phone.get_by_text("No incident is open.")).to_be_visible()
