"""What each kind of integration is told: a machine every change, a mailbox what must be heard and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, START, World

from receivers.base import Message, Outcome, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

MAIL = """email_configs: [{to: a@b.test, from: t@b.test, smarthost: "mail.test:25", send_resolved: true}]"""
DEAF = """webhook_configs: [{url: "http://deaf.test/", send_resolved: false}]"""
PAGER = """pagerduty_configs: [{routing_key: "0123456789abcdef0123456789abcdef", send_resolved: false}]"""
HOOK = """webhook_configs: [{url: "http://hook.test/"}]"""


def config(integration: str) -> str:
    return f"route: {{receiver: people}}\nreceivers:\n  - name: people\n    {integration}\n"


async def two_fire_and_one_ends(world: World) -> None:
    await world.take(world.fires("A"), world.fires("B"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(6 * MINUTE)


async def test_a_mail_that_must_go_out_anyway_tells_the_ends_before_it(make_world: MakeWorld) -> None:
    world = await make_world(config(MAIL))
    await two_fire_and_one_ends(world)
    await world.take(world.fires("C"))
    await world.until(11 * MINUTE)
    assert world.story() == [(30.0, "ring", "AB", ""), (630.0, "ring", "BC", "A")]


async def test_the_last_mail_tells_every_end_that_no_mail_told(make_world: MakeWorld) -> None:
    world = await make_world(config(MAIL))
    await two_fire_and_one_ends(world)
    await world.take(world.ends("B"))
    await world.until(HOUR)
    assert world.story() == [(30.0, "ring", "AB", ""), (630.0, "end", "", "AB")]


async def test_an_alert_that_comes_back_rings_although_no_mail_told_its_end(make_world: MakeWorld) -> None:
    world = await make_world(config(MAIL))
    await two_fire_and_one_ends(world)
    await world.take(world.fires("A"))
    await world.until(11 * MINUTE)
    assert world.story() == [(30.0, "ring", "AB", ""), (630.0, "ring", "AB", "")]


async def test_who_wants_no_ends_is_told_who_fires_and_nothing_else(make_world: MakeWorld) -> None:
    world = await make_world(config(DEAF))
    await world.take(world.fires("D"))
    await world.take(world.ends("D"))
    await two_fire_and_one_ends(world)
    await world.take(world.fires("C"))
    await world.until(7 * MINUTE)
    await world.take(world.ends("B"))
    await world.until(12 * MINUTE)
    await world.take(world.ends("C"))
    await world.until(HOUR)
    assert world.story() == [(30.0, "ring", "AB", ""), (630.0, "ring", "C", "")]
    assert {note.message.resolved for note in world.notes} == {0}


async def test_what_can_be_edited_shows_the_end_whoever_wants_it(make_world: MakeWorld) -> None:
    world = await make_world(config(PAGER))
    await two_fire_and_one_ends(world)
    await world.take(world.ends("B"))
    await world.until(HOUR)
    assert world.story() == [(30.0, "ring", "AB", ""), (330.0, "update", "B", "A"), (630.0, "end", "", "B")]


@pytest.mark.parametrize("integration", [HOOK, PAGER], ids=["webhook", "pagerduty"])
async def test_what_an_update_has_shown_is_yet_to_be_heard(make_world: MakeWorld, integration: str) -> None:
    world = await make_world(config(integration))
    world.recorder.answer = lambda message: late_by(message, world, until=400 * SECOND)
    await two_fire_and_one_ends(world)  # the update fails at its tick
    await world.take(world.fires("C"))
    await world.until(11 * MINUTE)
    assert [(kind, firing, ended) for _, kind, firing, ended in world.story()] == [
        ("ring", "AB", ""),
        ("update", "BC", "A"),  # it carries what is true by now, without a sound
        ("ring", "BC", ""),
    ]


def late_by(message: Message, world: World, until: int) -> Outcome:
    early = message.kind == "update" and message.now < START + until
    return Retry("busy", after=30 * SECOND) if early else Sent()


async def test_an_incident_counts_as_new_what_came_back_before_anybody_saw_its_end(
    make_world: MakeWorld,
) -> None:
    world = await make_world(config(HOOK))
    world.recorder.answer = lambda message: Retry("busy") if message.kind == "end" else Sent()
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.take(world.ends("A"))
    await world.until(6 * MINUTE)
    await world.take(world.fires("A"))
    await world.until(7 * MINUTE)
    assert [(note.message.incident, note.message.new_firing) for note in world.notes] == [(1, 1), (2, 1)]
