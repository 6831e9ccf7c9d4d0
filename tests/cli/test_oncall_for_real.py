"""`tocsin oncall` against a real service on a real store: what one shell writes the next one reads."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession

from config.load import load
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = """
route: {receiver: nobody}
receivers: [{name: nobody}]
users: [{name: dana, email: d@x.y}, {name: eli, email: e@x.y}, {name: fay, email: f@x.y}]
schedules:
  - {name: week, layers: [{people: [dana, [eli, fay]], start: 2026-11-02 09:00}]}
  - {name: borrowed, layers: [{people: [eli]}, {ical_file: shifts.ics}]}
auth: {tokens: [{name: dana, token: dana-s3cret, scopes: [read, respond]}]}
"""


def calendar(person: str) -> str:
    day = datetime.now(UTC).replace(hour=0, minute=0)
    times = (
        f"DTSTART:{day - timedelta(days=2):%Y%m%dT%H%M00Z}\nDTEND:{day + timedelta(days=3):%Y%m%dT%H%M00Z}"
    )
    event = f"BEGIN:VEVENT\nUID:1\n{times}\nSUMMARY:{person}\nEND:VEVENT"
    return f"BEGIN:VCALENDAR\n{event}\nEND:VCALENDAR\n"


@pytest.fixture
async def running(redis_server: str, tmp_path: Path) -> AsyncIterator[Service]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    (tmp_path / "shifts.ics").write_text(calendar("fay"))
    path = tmp_path / "tocsin.yaml"
    path.write_text(CONFIG)
    service = Service(path, load(path), connect.connect(redis_server), listens="http://tocsin.test")
    await service.start("127.0.0.1", 0)
    yield service
    await service.stop()
    structlog.reset_defaults()


@pytest.fixture
def oncall(running: Service, tocsin: Any) -> Any:
    async def run(*args: str) -> Any:
        url = f"http://127.0.0.1:{running.port}"
        return await tocsin("oncall", *args, TOCSIN_SERVER=url, TOCSIN_TOKEN="dana-s3cret")

    return run


async def shown(oncall: Any, *args: str) -> list[Any]:
    return json.loads((await oncall(*args, "-o", "json")).out)


async def test_an_override_is_made_seen_and_removed(oncall):
    made = await oncall("override", "add", "week", "fay", "--for", "2h", "-c", "swap")
    assert made.code == 0
    assert (await shown(oncall, "show", "week"))["schedules"][0]["people"] == ["fay"]
    listed = (await oncall("override", "list")).out
    assert made.out.strip() in listed
    assert "dana  swap" in listed
    first, second = (await shown(oncall, "list", "week", "--to", "+3h"))["schedules"][0]["shifts"]
    assert (first["people"], second["people"]) == (["fay"], second["people"])
    assert (await oncall("override", "remove", made.out.strip())).code == 0
    assert (await shown(oncall, "show", "week"))["schedules"][0]["people"] == second["people"]


async def test_a_calendar_in_a_file_is_read_by_the_service(oncall):
    async with asyncio.timeout(10):
        while (await shown(oncall, "show", "borrowed"))["schedules"][0]["people"] != ["fay"]:
            await asyncio.sleep(0.05)
    assert (await oncall("gaps", "borrowed")).code == 0
    assert (await oncall("next", "--person", "fay")).code == 0


async def test_a_report_counts_what_was(oncall):
    people = (await shown(oncall, "report", "week", "--from", "-7d"))["people"]
    assert all(one["pages"] == 0 and one["hours"] > 0 for one in people)


async def test_a_subscriber_reads_the_address_that_the_shell_prints(oncall, running):
    address = (await oncall("feed", "week")).out.strip()
    assert address.startswith("http://tocsin.test/api/v1/schedules/week.ics?token=")
    here = address.replace("http://tocsin.test", f"http://127.0.0.1:{running.port}")
    async with ClientSession() as client, client.get(here) as response:
        assert (response.status, response.content_type) == (200, "text/calendar")
        assert "SUMMARY:dana" in await response.text()


async def test_what_the_service_does_not_know_is_said(oncall):
    for args in (("feed", "weak"), ("override", "add", "week", "gus", "--for", "1h")):
        ended = await oncall(*args)
        assert (ended.code, "the configuration has no" in ended.err.lower()) == (1, True), ended
