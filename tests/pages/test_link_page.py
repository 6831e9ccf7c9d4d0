"""The page behind the link in a mail: it shows all and changes nothing, until somebody presses a button."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from house import House, opened
from redis.asyncio import Redis

from gateway.links import Links
from gateway.web import link as link_page
from receivers.base import Message

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.store


async def kept(url: str) -> dict[str, Any]:
    """All that is kept of incidents and deliveries, and every key there is."""
    async with Redis.from_url(url, decode_responses=True) as redis:
        found: dict[str, Any] = {"keys": sorted(await redis.keys())}
        for key in found["keys"]:
            part = key.split(":")[2] if key.count(":") > 1 else ""
            if part in ("i", "id", "l", "s", "c", "f", "e", "open", "unresolved", "activity"):
                kind = await redis.type(key)
                read = {"string": redis.get, "hash": redis.hgetall, "set": redis.smembers}
                ranges = {"list": redis.lrange, "zset": redis.zrange}
                found[key] = await (ranges[kind](key, 0, -1) if kind in ranges else read[kind](key))
        return found


def ours(house: House) -> set[str]:
    """Every address in all mails that leads to us."""
    texts = [mail.text(part) for mail in house.mailbox.mails for part in ("plain", "html")]
    found = {url for text in texts for url in re.findall(r"https?://[^\s\"<>]+", text)}
    return {url for url in found if url.startswith(house.url)}


async def test_a_mail_scanner_that_follows_every_link_changes_nothing(house: House):
    await house.until(lambda: len(house.mailbox.mails) == 3)
    before, story = await kept(house.redis), await house.story()
    followed = 0
    for url in ours(house):
        for method in ("HEAD", "GET", "HEAD", "GET", "GET"):
            for address in (url, f"{url}?done={'x' * 22}&do=resolve"):
                page = await house.get(address, method)
                assert page.status in (200, 401), url
                followed += 1
    assert followed == 4 * 10, "three links to answer by, and one to the page behind a login"
    assert await kept(house.redis) == before
    assert await house.story() == story
    assert story["status"] == "triggered"


async def test_the_page_shows_the_incident_what_comes_next_and_the_buttons(house: House):
    page = await house.get(house.link())
    assert page.status == 200
    facts = "#1 triggered · critical|cluster=eu|Disk nearly full|Nobody has it yet."
    coming = "Next: step 2: boss by a webhook, at 20"
    more = "You answer as dana.|Policy page|Who was told|dana@example.com|Timeline"
    for said in f"{facts}|{coming}|{more}".split("|"):
        assert said in page.read, page.read
    assert page.buttons == ["acknowledge", "snooze-1h", "snooze-4h", "escalate", "resolve"]
    assert "href" not in re.sub(r"<style>.*?</style>", "", page.text, flags=re.DOTALL), "no way to a login"


async def test_a_button_answers_in_the_name_of_whom_the_mail_was_for(house: House):
    page = await house.press(house.link(), "acknowledge")
    assert page.status == 200
    assert page.read.startswith("#1 acknowledged · Tocsin You have it now: #1 is acknowledged.")
    assert "dana has it since" in page.read
    assert "(mail link)" in page.read
    assert page.buttons == ["snooze-1h", "snooze-4h", "unacknowledge", "escalate", "resolve"]
    assert "acknowledged" in await house.kinds()


async def test_the_next_one_is_told_who_was_first(house: House):
    await house.press(house.link("eli"), "acknowledge")
    page = await house.press(house.link("dana"), "acknowledge")
    assert "eli acknowledged #1 at" in page.read
    assert "eli has it since" in page.read
    await house.until(lambda: len(house.mailbox.mails) == 5)  # eli knows
    await house.press(house.link("eli"), "resolve")
    await house.until(lambda: len(house.mailbox.mails) >= 8)
    marks = [mail.message["Subject"].partition(" ")[0] for mail in house.mailbox.mails]
    assert sorted(marks) == 2 * ["[ACK]"] + 3 * ["[FIRING:1]"] + 3 * ["[RESOLVED]"], "no news"


async def test_a_mail_to_a_list_answers_as_somebody_there(house: House):
    page = await house.press(house.link("oncall"), "acknowledge")
    assert "You answer as somebody at oncall@example.com." in page.read
    assert "somebody at oncall@example.com has it since" in page.read


async def test_pressing_twice_counts_once_and_a_reload_presses_nothing(house: House):
    url = house.link()
    once = (await house.get(url)).once
    pages = await asyncio.gather(*(house.press(url, "escalate", once) for _ in range(4)))
    pages += [await house.press(url, "escalate", once), await house.get(f"{url}?done={once}")]
    said = {page.read.partition("Tocsin ")[2].partition(" #1 ")[0] for page in pages}
    assert said <= {
        "#1: the next step comes now.",
        "This is being done. Load the page again in a moment to see what came of it.",
    }
    assert "#1: the next step comes now." in pages[-1].read
    assert (await house.kinds()).count("escalated") == 1


async def test_a_second_button_of_the_same_page_is_not_pressed(house: House):
    url = house.link()
    once = (await house.get(url)).once
    await house.press(url, "acknowledge", once)
    page = await house.press(url, "resolve", once)
    assert page.status == 409
    assert "Another button of this page was pressed already." in page.read
    assert (await house.story())["status"] == "acknowledged"


@pytest.mark.parametrize(
    ("pressed", "status", "said"),
    [
        (["snooze-1h"], "acknowledged", "You have it now: #1 is acknowledged until"),
        (["snooze-1h", "snooze-4h"], "acknowledged", "You have it now: #1 is acknowledged until"),
        (["acknowledge", "acknowledge"], "acknowledged", "You have #1 already, since"),
        (["acknowledge", "unacknowledge"], "triggered", "#1 is given back: its policy starts again."),
        (["escalate"], "triggered", "#1: the next step comes now."),
        (["resolve"], "resolved", "#1 is resolved."),
        (["resolve", "acknowledge"], "resolved", "#1 was resolved at"),
    ],
)  # fmt: skip
async def test_each_button_does_what_it_says(house: House, pressed: list[str], status: str, said: str):
    url, page = house.link(), None
    for number, what in enumerate(pressed):
        page = await house.press(url, what, f"page-number-{number:012}")
    assert page is not None
    assert said in page.read
    assert (await house.story())["status"] == status


async def test_what_is_over_has_no_buttons(house: House):
    page = await house.press(house.link(), "resolve")
    assert page.buttons == []
    assert "There is nothing to answer now." in page.read
    await house.until(lambda: len(house.mailbox.mails) == 6)
    ends = [mail for mail in house.mailbox.mails if mail.message["Subject"].startswith("[RESOLVED]")]
    assert {mail.recipients[0].partition("@")[0] for mail in ends} == {"dana", "eli", "oncall"}
    assert not any("/link/" in mail.text(part) for mail in ends for part in ("plain", "html"))


async def test_who_was_told_hears_by_mail_who_has_it(house: House):
    await house.press(house.link("dana"), "acknowledge")
    await house.until(lambda: len(house.mailbox.mails) > 3)
    notice = await house.until(
        lambda: house.mail("eli") if "[ACK]" in house.mail("eli").message["Subject"] else 0
    )
    assert notice.text().startswith("Dana has it (mail link).")
    assert notice.message["References"] == house.mail("eli", 0).message["Message-ID"]


async def test_the_page_runs_and_loads_nothing_and_tells_nobody_where_it_is(house: House):
    url = house.link()
    pages = [await house.get(url), await house.press(url, "acknowledge"), await house.get(url + "x")]
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'"
        )
        assert (page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == ("no-referrer", "no-store")
        assert page.headers["X-Robots-Tag"].startswith("noindex")
        assert "<script" not in page.text
        assert url.rpartition("/")[2] not in page.text, "nor does a copy of the page hold the link"


async def test_the_browser_is_led_back_to_where_it_knows_the_page(house: House):
    once = (await house.get(house.link())).once
    form = {"once": once, "do": "acknowledge"}
    async with house.client.post(house.link(), data=form, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, f"?done={once}")


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"do=acknowledge", FORM, 400),
        (b"once=short&do=acknowledge", FORM, 400),
        (b"once=" + b"x" * 22, FORM, 400),
        (b"once=" + b"x" * 22 + b"&do=drop", FORM, 400),
        (b"once=" + b"x" * 22 + b"&do=acknowledge" + b"&a=b" * 20, FORM, 400),
        (b"\xff\xfe", FORM, 400),
        (b"once=" + b"x" * 22 + b"&do=acknowledge", "text/plain", 415),
        (b'{"do": "acknowledge"}', "application/json", 415),
        (b"once=" + b"x" * 5_000, FORM, 413),
    ],
)
async def test_what_is_no_form_of_the_page_does_nothing(house: House, body: bytes, kind: str, status: int):
    async with house.client.post(house.link(), data=body, headers={"Content-Type": kind}) as response:
        assert (response.status, response.content_type) == (status, "text/html")
    assert (await house.story())["status"] == "triggered"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_is_none_opens_nothing(house: House, method: str):
    url = house.link()
    start, _, token = url.rpartition("/")
    about_2 = f"{start}/WzIsMTc5NTAxMDcwMCwiZGFuYSJd.{token.rpartition('.')[2]}"
    for wrong in (
        url[:-1],
        url + "A",
        f"{start}/{'a' * 70}",
        f"{start}/x",
        f"{start}/{'a' * 2_000}",
        about_2,
    ):
        page = await house.get(wrong, method)
        assert page.status == 403, wrong
        assert "This link does not work" in page.read
        assert "DiskFull" not in page.text


async def made(house: House, number: int, now: int) -> str:
    """A link for dana that a mail at `now` would have."""
    links = Links(house.service.store, lambda: house.service.plan.config)
    message = Message(
        "ring", "first notification", number, "firing", "mail", "{}", {}, {}, {}, [], 1, 0, "critical",
        now, 0, now, "", house.url, "d", 1, 1, "k", person="dana", answerable=True,
    )  # fmt: skip
    return await links.url(message, "dana@example.com")


async def test_an_old_link_says_so(house: House):
    now = await house.service.store.now()
    page = await house.get(await made(house, 1, now - 8 * 86_400_000))
    assert page.status == 410
    assert "This link to incident #1 is too old. A newer mail has a newer one." in page.read


async def test_an_incident_that_began_after_the_mail_is_another_one(house: House):
    now = await house.service.store.now()
    page = await house.press(await made(house, 1, now - 3_600_000), "resolve", "x" * 22)
    assert page.status == 410
    assert "This link is about an incident that is not kept any more." in page.read
    assert (await house.story())["status"] == "triggered"


async def test_an_incident_that_nobody_knows_is_said_to_be_none(house: House):
    now = await house.service.store.now()
    for page in (
        await house.get(await made(house, 7, now)),
        await house.press(await made(house, 7, now), "resolve", "x" * 22),
    ):
        assert page.status == 404
        assert "There is no incident #7" in page.read


async def test_a_link_that_goes_round_in_circles_is_slowed_down(house: House):
    url = house.link()
    pages = [
        await house.press(url, "escalate", f"page-number-{n:012}") for n in range(link_page.PRESSES_A_MINUTE)
    ]
    assert {page.status for page in pages} == {200}
    page = await house.press(url, "escalate", "x" * 22)
    assert page.status == 429
    assert 0 < int(page.headers["Retry-After"]) <= 60
    assert (await house.get(house.link("eli"))).status == 200, "another's link is not concerned"


async def test_a_name_in_an_address_is_escaped(redis_server: str, tmp_path: Path):
    async with opened(redis_server, tmp_path) as house:
        await house.fire(labels={"alertname": "<script>alert(1)</script>", "cluster": "eu"})
        page = await house.get(house.link())
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text
