"""Shift changes in virtual time: who is told what, once, by whichever process comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, World

from gateway import metrics
from gateway.oncall import OnCall
from gateway.shift_notices import LATEST, ShiftNotices
from receivers.base import Refused
from routing.oncall import Override

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from world import Note

pytestmark = pytest.mark.store

# The world starts on 2023-11-14 22:13:20 UTC: at 23:00 eli begins, at 24:00 fay.
CONFIG = """
global: {slack_app_token: xoxb-x, smtp_smarthost: "mail.test:25", smtp_from: tocsin@x.y}
route:
  receiver: hook
  group_wait: 0s
  routes: [{matchers: [page="yes"], policy: p}, {matchers: [page="late"], policy: hands-over}]
receivers: [{name: hook, webhook_configs: [{url: "http://hook.test/"}]}]
users:
  - {name: dana, email: d@x.y, notify_shift: 15m}
  - {name: eli, email: e@x.y, slack_id: U024BE7LH, pagerduty: k, webhook: "https://x.test", notify_shift: 15m}
  - {name: fay, email: f@x.y, notify_shift: 0s, time_zone: Europe/Berlin}
  - {name: gus, email: g@x.y}
schedules:
  - name: hourly
    layers: [{people: [dana, eli, fay, gus], every: 1h, start: 2023-11-14 22:00}]
escalation_policies:
  - {name: p, steps: [{notify: [{schedule: hourly}]}]}
  - {name: hands-over, steps: [{notify: [{user: gus}]}, {after: 5m, policy: p}]}
"""
CHANGE = 46 * MINUTE + 40_000  # from the world's start to 23:00


class Town:
    def __init__(self, world: World) -> None:
        self.world = world
        self.on_call = OnCall(world.store, world.plan)
        self.notices = self.process()

    def process(self) -> ShiftNotices:
        world = self.world
        return ShiftNotices(
            world.store, world.plan, self.on_call, world.sender.receiver, lambda: "http://t.test"
        )

    async def look(self, at: int) -> list[Note]:
        """What is told by somebody who looks `at` ms after the world's start."""
        before = len(self.world.notes)
        await self.world.pass_to(at)
        await self.on_call.keep_up()
        await self.notices.look()
        return self.world.notes[before:]


def said(notes: list[Note]) -> list[tuple[str, str]]:
    return sorted((one.message.person, one.message.notice.partition("\n")[0]) for one in notes)


@pytest.fixture
async def town(redis_server: str, tmp_path: Path) -> AsyncIterator[Town]:
    world = await World.make(redis_server, tmp_path, CONFIG)
    world.plan.rota = OnCall(world.store, world.plan)
    yield Town(world)
    await world.close()


async def test_people_are_told_before_and_at_a_shift_change(town):
    assert await town.look(CHANGE - 16 * MINUTE) == []
    soon = await town.look(CHANGE - 14 * MINUTE)
    assert said(soon) == [("eli", "On call in 14 min: hourly")] * 2  # by Slack and by mail
    assert await town.look(CHANGE - MINUTE) == []
    assert said(await town.look(CHANGE + MINUTE)) == [
        ("dana", "You are no longer on call: hourly"),
        ("eli", "You are on call now: hourly"),
        ("eli", "You are on call now: hourly"),
    ]


async def test_a_pager_and_a_machine_are_not_told(town):
    notes = await town.look(CHANGE - 14 * MINUTE)
    assert sorted(note.integration for note in notes) == ["email", "slack"]


async def test_a_notice_says_until_when_who_is_next_and_what_is_open(town):
    await town.world.take(town.world.fires("Down", page="yes"), town.world.fires("Other"))
    notes = await town.look(CHANGE + HOUR)
    (notice,) = [one.message.notice for one in notes if one.message.person == "fay"]
    title, until, _, count, incident = notice.split("\n")
    assert title == "You are on call now: hourly"
    assert until == "Until Wed 2023-11-15 02:00 CET. Then: gus."
    assert count == "Open incidents: 1"
    assert incident.startswith("#1 ")
    assert incident.endswith("(nobody has it) http://t.test/incidents/1")


async def test_what_was_handed_over_to_the_on_call_is_open_for_them_too(town):
    await town.world.take(town.world.fires("Down", page="late"))
    await town.world.until(10 * MINUTE)
    notices = [one.message.notice for one in await town.look(CHANGE + HOUR)]
    assert any("Open incidents: 1" in notice for notice in notices), notices


async def test_nothing_open_is_said_too(town):
    notes = await town.look(CHANGE + 1)
    assert all(note.message.notice.endswith("No incident is open here.") for note in notes)


async def test_two_processes_tell_once(town):
    other = town.process()
    await town.look(CHANGE + 1)
    count = len(town.world.notes)
    await other.look()
    await town.notices.look()
    assert len(town.world.notes) == count == 3


async def test_what_is_no_news_any_more_is_not_told(town):
    assert await town.look(CHANGE - 14 * MINUTE)
    assert await town.look(CHANGE + LATEST + 1) == []


async def test_somebody_who_stands_in_is_told_at_once(town):
    begin, end = town.world.began, town.world.began + 20 * MINUTE
    await town.on_call.override_store.add(Override("", "hourly", begin, end, ("fay",)))
    assert said(await town.look(1)) == [
        ("dana", "You are no longer on call: hourly"),
        ("fay", "You are on call now: hourly"),
    ]


async def test_what_a_service_refuses_is_counted_and_not_tried_again(town):
    town.world.recorder.answer = lambda _: Refused("no such channel")
    failed = metrics.shift_notices.labels("failed")._value
    before = failed.get()
    await town.look(CHANGE + 1)
    assert failed.get() - before == 3
    town.world.recorder.answer = lambda _: pytest.fail("it was tried again")
    await town.look(CHANGE + 2)


async def test_nobody_who_does_not_wish_it_is_told(town):
    assert [who for who, _ in said(await town.look(CHANGE + 2 * HOUR))] == ["fay"]  # gus begins
