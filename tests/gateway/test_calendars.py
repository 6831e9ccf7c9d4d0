"""Calendars behind addresses and in files, on a real server and a real store."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from structlog.testing import capture_logs
from world import HOUR, MINUTE, START, World

from gateway import named_calendars
from gateway.oncall import OnCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = """
route: {receiver: hook}
receivers: [{name: hook, webhook_configs: [{url: "http://hook.test/"}]}]
users: [{name: dana, email: dana@x.y}, {name: eli, email: eli@x.y}]
schedules:
  - name: s
    layers: [{people: [eli]}, {ical: "%s/secret-key.ics"}]
"""


def calendar(title: str, begin: int = 0, length: int = HOUR) -> str:
    def stamp(after: int) -> str:
        return datetime.fromtimestamp((START + after) / 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")

    times = f"DTSTART:{stamp(begin)}\nDTEND:{stamp(begin + length)}"
    return f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{times}\nSUMMARY:{title}\nEND:VEVENT\nEND:VCALENDAR\n"


class Office:
    """A server with one calendar, and Tocsins that read it."""

    def __init__(self, world: World, session: ClientSession) -> None:
        self.world = world
        self.session = session
        self.text = calendar("dana")
        self.status = 200
        self.asked = 0
        self.here = OnCall(world.store, world.plan)

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, text=self.text, content_type="text/calendar")

    async def look(self, after: int = 0) -> None:
        """Everybody looks `after` ms after the world's start."""
        await self.world.pass_to(after)
        for name in await self.world.redis.keys("t:calendar:*"):  # turns end by the server's own clock
            await self.world.redis.delete(name)
        await self.here.calendars.look(self.session)
        await self.here.keep_up()

    def people(self, after: int = 0, who: OnCall | None = None) -> tuple[str, ...]:
        return (who or self.here).people("s", START + after)


@pytest.fixture
async def office(redis_server: str, tmp_path: Path) -> AsyncIterator[Office]:
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    made: list[Office] = []

    async def answer(request: web.Request) -> web.Response:
        return await made[0].answer(request)

    app.router.add_get("/secret-key.ics", answer)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    world = await World.make(redis_server, tmp_path, CONFIG % address)
    async with ClientSession(timeout=ClientTimeout(total=0.3)) as session:
        made.append(Office(world, session))
        yield made[0]
    await world.close()
    await runner.cleanup()


async def test_until_it_is_read_the_layers_below_count(office):
    assert office.people() == ("eli",)
    await office.look()
    assert [office.people(after) for after in (-1, 0, HOUR - 1, HOUR)] == [
        ("eli",),
        ("dana",),
        ("dana",),
        ("eli",),
    ]


async def test_one_process_reads_for_all(office):
    other = OnCall(office.world.store, office.world.plan)
    await office.look()
    await other.calendars.look(office.session)
    await other.keep_up()
    assert office.asked == 1
    assert office.people(0, other) == ("dana",)


async def test_what_changes_there_changes_here(office):
    await office.look()
    office.text = calendar("eli, dana")
    await office.look(MINUTE)
    assert office.people() == ("eli", "dana")


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (404, "", "the server answers HTTP 404"),
        (200, "<html>", "no iCal calendar: BEGIN:VCALENDAR is missing; is it the address of a page?"),
        (200, "x" * (2**20 + 1), "larger than 1 MiB"),
    ],
)
async def test_the_last_good_copy_counts_while_it_cannot_be_read(office, status, text, error):
    await office.look()
    office.status, office.text = status, text
    with capture_logs() as logs:
        await office.look(MINUTE)
        await office.look(2 * MINUTE)
    assert office.people() == ("dana",)
    (state,) = await office.here.calendars.states()
    assert (state.error, state.read_at, state.tried_at) == (error, START, START + 2 * MINUTE)
    (said,) = logs  # once, not at each try
    assert (said["log_level"], said["error"]) == ("warning", error)
    assert "secret-key" not in str(logs) + str(state)


async def test_a_restart_with_a_dead_address_still_has_the_copy(office):
    await office.look()
    again = OnCall(office.world.store, office.world.plan)
    await again.keep_up()
    assert office.people(0, again) == ("dana",)


async def test_nobody_there_is_said_without_the_address(office):
    text = office.world.path.read_text()
    office.world.path.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", text))
    await office.world.plan.reload()
    with capture_logs() as logs:
        await office.look()
    (state,) = await office.here.calendars.states()
    assert state.error.startswith("it cannot be reached: ")
    assert state.calendar.where == "http://127.0.0.1/…"
    assert "secret-key" not in str(logs) + state.error


async def test_a_server_that_does_not_answer_is_given_up(office):
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    office.answer = hang
    await office.look()
    (state,) = await office.here.calendars.states()
    assert state.error.startswith("no answer within")


async def test_names_that_are_no_users_are_said(office):
    office.text = calendar("dana, Gus")
    await office.look()
    (state,) = await office.here.calendars.states()
    assert state.unknown == ("Gus",)


async def test_a_file_is_read_like_an_address_and_holidays_leave_the_layer_out(office, tmp_path):
    (tmp_path / "days.ics").write_text(calendar("New Year"))
    layers = "layers: [{people: [dana]}, {people: [eli], holidays: {ical_file: days.ics}}]"
    text = office.world.path.read_text()
    office.world.path.write_text(text[: text.index("layers:")] + layers)
    await office.world.plan.reload()
    await office.look()
    assert [office.people(0), office.people(HOUR)] == [("dana",), ("eli",)]
    (tmp_path / "days.ics").unlink()
    await office.look(MINUTE)
    assert office.people(0) == ("dana",)
    (state,) = await office.here.calendars.states()
    assert state.error == "the file cannot be read: No such file or directory"


async def test_a_copy_is_kept_as_long_as_it_may_be_needed(office):
    await office.look()
    name = "t:{s}:calendars:ends"
    (ends,) = (await office.world.redis.zrange(name, 0, -1, withscores=True))[0][1:]
    assert ends == START + named_calendars.AHEAD
