"""Buttons that people press in Slack, over both ways: what becomes of the incident, and what they hear."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from slack_town import DANA, ERIN, STRANGER

from gateway.slack_acts import morning
from gateway.slack_people import Person
from gateway.standins.slack_app import PressError
from routing.incident_records import Status

if TYPE_CHECKING:
    from slack_town import Town

    from gateway.standins.slack_messages import SlackMessage

pytestmark = pytest.mark.store


def labels(message: SlackMessage) -> list[str]:
    """What the message's buttons and its menu say."""
    elements = [
        element
        for block in message.attachments[0]["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]
    return [one["text"]["text"] for element in elements for one in element.get("options") or [element]]


def thread(town: Town, message: SlackMessage) -> str:
    return "\n".join(block["text"]["text"] for reply in town.slack.replies(message) for block in reply.blocks)


async def test_who_acknowledges_has_it_and_message_and_thread_say_so(town: Town) -> None:
    message = await town.message(severity="critical")
    assert labels(message)[:3] == ["Acknowledge", "Resolve", "Snooze 1 h"]
    await town.slack.press(message, "Acknowledge", DANA)
    assert await town.said() == ["You have it now: #1 is acknowledged."]
    await town.until(lambda: town.slack.replies(message))
    assert "✋ *dana* has it since" in str(message.attachments)
    assert "Acknowledge" not in labels(message)
    assert "dana has it" in thread(town, message)
    assert not town.slack.replies(message)[0].heard
    ack = (await town.incident()).ack
    assert (ack.by, ack.via, ack.until) == ("dana", "Slack", 0)


async def test_pressed_twice_it_is_said_that_it_is_so_already(town: Town) -> None:
    message = await town.message(severity="critical")
    payload = town.slack.app.presses(message, town.slack.channels["alerts"].id, "ack", DANA)
    for _ in range(2):
        await town.slack.app.deliver("interactive", payload | {"trigger_id": f"another-{_}"})
        await town.said(_ + 1)
    assert "You have #1 already, since" in (await town.said(2))[1]
    assert (await town.timeline()).count("dana has it (Slack)") == 1


async def test_of_two_who_press_at_once_one_has_it_and_the_other_is_told_who(town: Town) -> None:
    message = await town.message(severity="critical")
    await asyncio.gather(*(town.slack.press(message, "ack", who) for who in (DANA, ERIN)))
    first, second = sorted(await town.said(2))
    has = (await town.incident()).ack.by
    assert first == "You have it now: #1 is acknowledged."
    assert second.startswith(f"{has} acknowledged #1 at ")
    assert (await town.timeline()).count(f"{has} has it (Slack)") == 1


async def test_two_replicas_let_one_of_two_have_it(make_town: Any) -> None:
    async with make_town() as town:
        message = await town.message(severity="critical")
        await town.start()
        app, channel = town.slack.app, town.slack.channels["alerts"].id
        for service, who in zip(town.services, (DANA, ERIN), strict=True):
            service._slack.events.hear("interactive", app.presses(message, channel, "ack", who))
        first, second = sorted(await town.said(2))
        has = (await town.incident()).ack.by
        assert first == "You have it now: #1 is acknowledged."
        assert second.startswith(f"{has} acknowledged #1 at ")


async def test_who_resolves_ends_it_and_the_buttons_go(town: Town) -> None:
    message = await town.message(severity="critical")
    stale = town.slack.app.presses(message, town.slack.channels["alerts"].id, "ack", ERIN)
    await town.slack.press(message, "Resolve", DANA)
    assert await town.said() == ["#1 is resolved."]
    await town.until(lambda: "resolved by" in message.text)
    assert labels(message) == []
    await town.slack.app.deliver("interactive", stale)
    assert (await town.said(2))[1].startswith("#1 was resolved at ")


async def test_a_snooze_is_an_acknowledgement_with_an_end(town: Town) -> None:
    message = await town.message(severity="critical")
    for count, (option, hours) in enumerate((("Snooze 1 h", 1), ("Snooze 4 h", 4)), 1):
        await town.slack.press(message, option, DANA)
        assert "#1 is acknowledged until" in (await town.said(count))[-1]
        ack = (await town.incident()).ack
        assert abs(ack.until - ack.at - hours * 3_600_000) < 60_000


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-24 14:00", "2026-11-25 08:00"),
        ("2026-11-24 02:00", "2026-11-24 08:00"),
        ("2026-11-24 07:30", "2026-11-25 08:00"),
        ("2026-10-24 23:00", "2026-10-25 08:00"),  # the clocks go back in between
    ],
)
def test_the_morning_is_at_eight_where_the_person_lives(now: str, expected: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    user: Any = type("User", (), {"time_zone": "Europe/Berlin"})
    at = int(datetime.fromisoformat(now).replace(tzinfo=berlin).timestamp() * 1000)
    found = morning(at, Person(DANA, "dana", user))
    assert datetime.fromtimestamp(found / 1000, berlin).strftime("%Y-%m-%d %H:%M") == expected


def test_for_people_who_are_not_known_it_is_morning_in_utc() -> None:
    at = int(datetime(2026, 11, 24, 14, tzinfo=UTC).timestamp() * 1000)
    assert datetime.fromtimestamp(morning(at, Person("", "x")) / 1000, UTC).hour == 8


async def test_who_gives_it_back_lets_the_policy_ring_again(town: Town) -> None:
    message = await town.message(severity="critical")
    await town.slack.press(message, "ack", DANA)
    await town.until(lambda: "Unacknowledge" in labels(message))
    await town.slack.press(message, "Unacknowledge", ERIN)
    await town.until(lambda: any(reply.heard for reply in town.slack.replies(message)))
    assert "brought up to date" not in thread(town, message)  # no news to whoever sees the message
    assert (await town.said(2))[1] == "#1 is given back: its policy starts again."
    assert (await town.incident()).status is Status.TRIGGERED


async def test_the_next_step_can_be_wanted_now(town: Town) -> None:
    town.slack.add_person(ERIN)
    message = await town.message(severity="critical")
    assert "Next: step 2" in str(message.attachments)
    await town.slack.press(message, "Escalate now", DANA)
    [told] = await town.until(lambda: town.slack.shown(f"@{ERIN}"))
    assert "A" in told.text
    assert "Acknowledge" in labels(told)


async def test_an_incident_without_a_policy_has_no_step_to_escalate_to(town: Town) -> None:
    message = await town.message()
    assert "Escalate now" not in labels(message)
    await town.slack.press(message, "ack", DANA)
    assert await town.said() == ["You have it now: #1 is acknowledged."]


async def test_the_timeline_is_shown_to_who_asks_alone_and_pings_nobody(town: Town) -> None:
    message = await town.message("<!channel>")
    await town.slack.press(message, "Show the timeline", DANA)
    [said] = await town.said()
    assert said.startswith("*<http://tocsin.test/incidents/1|#1>*")
    assert "triggered: 1 alert firing" in said
    assert "<!channel>" not in said
    assert len(town.slack.messages) == 1


# --- messages that lost their way ----------------------------------------------------------------------


async def test_a_press_on_a_message_that_nobody_knew_of_links_it_and_nothing_is_posted_twice(
    town: Town,
) -> None:
    town.slack.scopes.discard("channels:history")  # else the next attempt would find it by itself
    town.slack.lose_answers(1)
    message = await town.message(severity="critical")
    await town.slack.press(message, "ack", DANA)
    await town.until(lambda: "acknowledged by dana" in message.text)
    assert town.slack.shown("alerts") == [message]


async def test_who_presses_on_a_copy_is_told_that_it_is_one(town: Town) -> None:
    town.slack.scopes.discard("channels:history")
    town.slack.lose_answers(1)
    copy = await town.message(severity="critical")
    await town.until(lambda: len(town.slack.shown("alerts")) == 2)
    kept = town.slack.shown("alerts")[1]
    await town.until(lambda: labels(kept))
    await asyncio.sleep(0.1)  # the attempt is committed
    await town.slack.press(copy, "ack", DANA)
    assert "This message is a copy that is not kept up to date" in (await town.said())[0]
    await town.until(lambda: "acknowledged by dana" in kept.text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ack 77 77.0-{opened} 1", "#77 is gone: it ended long ago, and its record is not kept any longer."),
        ("ack 1 1.0-1700000000000 1", "This message is about an earlier incident #1, which is gone."),
    ],
)
async def test_a_press_for_an_incident_that_is_long_gone_changes_nothing(
    town: Town, value: str, expected: str
) -> None:
    message = await town.message(severity="critical")
    opened = (await town.incident()).opened_at
    payload = town.slack.app.presses(message, town.slack.channels["alerts"].id, "ack", DANA)
    payload["actions"][0]["value"] = value.format(opened=opened)
    await town.slack.app.deliver("interactive", payload)
    assert await town.said() == [expected]
    assert (await town.incident()).status is Status.TRIGGERED


async def test_a_press_of_something_that_is_not_ours_does_nothing(town: Town) -> None:
    message = await town.message(severity="critical")
    payload = town.slack.app.presses(message, town.slack.channels["alerts"].id, "ack", DANA)
    for changes in ({"type": "view_submission"}, {"actions": []}, {"actions": ["x"]}, {"actions": None}):
        changed = payload | changes | {"trigger_id": f"{changes}"}
        await town.slack.app.deliver("interactive", changed)
    await town.slack.press(message, "show", DANA)
    assert len(await town.said()) == 1
    assert (await town.incident()).status is Status.TRIGGERED


# --- who may -------------------------------------------------------------------------------------------


async def test_a_member_whom_the_configuration_does_not_know_may_answer_by_default(town: Town) -> None:
    message = await town.message(severity="critical")
    await town.slack.press(message, "ack", STRANGER)
    await town.said()
    assert (await town.incident()).ack.by == "Slack user u0stranger (U0STRANGER)"


@pytest.mark.parametrize("socket", [False, True])
async def test_members_who_are_not_known_can_be_refused(make_town: Any, *, socket: bool) -> None:
    async with make_town("unknown_users: refuse", socket=socket) as town:
        message = await town.message(severity="critical")
        await town.slack.press(message, "ack", STRANGER)
        [said] = await town.said()
        assert "You are not known here, so nothing was done. Your member id, `U0STRANGER`" in said
        assert (await town.incident()).ack is None
        await town.slack.press(message, "ack", DANA)
        assert (await town.said(2))[1].startswith("You have it now")


@pytest.mark.parametrize("socket", [False, True])
async def test_another_workspace_is_refused(make_town: Any, *, socket: bool) -> None:
    async with make_town("team_id: T0STANDIN", socket=socket) as town:
        message = await town.message(severity="critical")
        channel = town.slack.channels["alerts"].id
        foreign = town.slack.app.press(message, channel, "ack", DANA, team="T0FOREIGN")
        if socket:  # it is acknowledged, as everything is, and comes to nothing
            await foreign
        else:
            with pytest.raises(PressError, match="403"):
                await foreign
        await town.slack.press(message, "show", DANA)
        assert "has it" not in (await town.said())[0]
