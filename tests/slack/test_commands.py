"""What is typed after `/tocsin` in Slack, and what is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_town import DANA, ERIN, STRANGER

from routing.incident_records import Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slack_town import Town

pytestmark = pytest.mark.store


async def typed(town: Town, text: str, user: str = DANA) -> str:
    """What is answered to a command."""
    before = len(town.slack.app.whispers)
    await town.slack.app.command(text, user)
    return (await town.said(before + 1))[-1]


@pytest.fixture
async def quiet_town(make_town: Any) -> AsyncIterator[Town]:
    """By HTTP only; nothing fires."""
    async with make_town() as made:
        yield made


async def test_an_incident_can_be_acknowledged_and_listed_over_both_ways(town: Town) -> None:
    assert await typed(town, "list") == "No incident is open."
    await town.message(severity="critical")
    assert "*<http://tocsin.test/incidents/1|#1>* A — critical — triggered since" in await typed(town, "list")
    assert await typed(town, "ack 1") == "You have it now: #1 is acknowledged."
    assert "dana has it since" in await typed(town, "list")
    assert (await typed(town, "ack #1", ERIN)).startswith("dana acknowledged #1 at ")
    assert "triggered: 1 alert firing" in await typed(town, "show 1")
    assert await typed(town, "note 1 the <!channel> disk is new") == "Noted in #1."
    assert "the &lt;!channel&gt; disk is new" in await typed(town, "show 1")
    assert await typed(town, "unack 1") == "#1 is given back: its policy starts again."
    assert await typed(town, "resolve 1") == "#1 is resolved."
    assert (await town.incident()).status is Status.RESOLVED


async def test_a_snooze_is_as_long_as_it_is_said(quiet_town: Town) -> None:
    await quiet_town.message(severity="critical")
    for length, hours in (("90m", 1.5), ("2d", 48)):
        assert "#1 is acknowledged until" in await typed(quiet_town, f"snooze 1 {length}")
        ack = (await quiet_town.incident()).ack
        assert abs(ack.until - ack.at - hours * 3_600_000) < 60_000
    assert "#1 is acknowledged until" in await typed(quiet_town, "snooze 1 morning")


async def test_several_incidents_can_be_answered_at_once(quiet_town: Town) -> None:
    await quiet_town.message("A", severity="critical")
    await quiet_town.message("B", severity="critical")
    said = await typed(quiet_town, "ack 1 2 2 7")
    assert said.splitlines() == [
        "You have it now: #1 is acknowledged.",
        "You have it now: #2 is acknowledged.",
        "There is no incident #7, or its record is not kept any longer.",
    ]


async def test_who_is_on_call_is_said_and_can_be_changed(town: Town) -> None:
    now = await typed(town, "oncall")
    assert now.startswith("*backend*: ")
    on_call = now.partition(": ")[2].partition(" ")[0]
    other, who = {"dana": ("erin", ERIN), "erin": ("dana", DANA)}[on_call]
    assert f", then {other}" in now
    said = await typed(town, "override back me 4h", who)
    assert said.startswith(f"{other} is on call in *backend* until <!date^")
    assert (await typed(town, "oncall BACKEND")).startswith(f"*backend*: {other} until")
    identity = said.partition("override remove ")[2].partition("`")[0]
    assert await typed(town, f"override remove {identity}") == (
        f"It has ended: {on_call} is on call in *backend* now."
    )


@pytest.mark.parametrize("person", ["<@U0ERIN|erin>", "<@U0ERIN>", "@Erin", "erin"])
async def test_a_person_may_be_a_mention_or_a_name(quiet_town: Town, person: str) -> None:
    said = await typed(quiet_town, f"override backend {person} 4h for dana", DANA)
    assert said.startswith("erin is on call in *backend* until ")
    assert " instead of dana." in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "*Incidents*"),
        ("help", "*Incidents*"),
        ("akc 1", "There is no command `akc`; did you mean 'ack'?"),
        ("<!channel>", "There is no command `&lt;!channel&gt;`"),
        ("ack", "Expected the number of an incident, such as `ack 42`; got nothing."),
        ("ack the-disk", "Expected the number of an incident, such as `ack 42`; got `the-disk`."),
        ("ack 1 x", "got `1 x`"),
        ("ack " + "9" * 40, "Expected the number of an incident"),
        ("ack " + "1 2 3 4 5 6 7 8 9 10 11", "Expected the number of an incident"),
        ("ack 99", "There is no incident #99"),
        ("show 99", "There is no incident #99"),
        ("snooze 1", "Expected the number of an incident, such as `snooze 42 1h`; got nothing."),
        ("snooze 1 soon", "Expected for how long, such as `30m`, `4h` or `2d`; got `soon`."),
        ("snooze 1 0s", "Expected for how long"),
        ("snooze 1 2y", "`2y` is longer than a year"),
        ("note 1", "There is nothing to note"),
        ("note", "Expected the number of an incident"),
        ("oncall front", "There is no schedule `front`; expected one of `backend`."),
        ("override", "Expected `override SCHEDULE PERSON 4h`"),
        ("override backend zoe 4h", "There is no user `zoe`"),
        ("override backend <@U0NOBODY> 4h", "There is no user `&lt;@U0NOBODY&gt;`"),
        ("override backend erni 4h", "did you mean 'erin'?"),
        ("override backend me later", "Expected for how long"),
        ("override remove", "Expected `override remove ID`."),
        ("override remove `x`", "There is no override `'x'`."),
    ],
)
async def test_what_is_not_understood_is_said_with_what_was_expected(
    quiet_town: Town, text: str, expected: str
) -> None:
    assert expected in await typed(quiet_town, text)


async def test_nobody_known_can_be_on_call_as_me(quiet_town: Town) -> None:
    said = await typed(quiet_town, "override backend me 4h", STRANGER)
    assert said == "You are no user in the configuration, so you cannot be on call; name one."


async def test_members_who_are_not_known_can_be_refused(make_town: Any) -> None:
    async with make_town("unknown_users: refuse") as town:
        assert "You are not known here" in await typed(town, "list", STRANGER)
        assert await typed(town, "list", DANA) == "No incident is open."
