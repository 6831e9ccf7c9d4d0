"""What people see of alerts that are held back: quietly where all are, as a count where others fire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from config.schema import PagerDutyConfig, SlackConfig
from gateway.standins.pagerduty import PagerDutyStandin, event_errors
from gateway.standins.slack import SlackStandin
from receivers import pagerduty, slack
from receivers.base import Sent
from receivers.pagerduty_event import MAX_SUMMARY, build_event
from receivers.render import Renderer, default_text
from receivers.slack_message import thread_line, whole_message
from receivers.webhook_body import write_body
from receivers.wording import color, title

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from receivers.base import Message, ShownAlert

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]

RENDERER = Renderer()
BY = 'inhibited by NodeDown{instance="a"} (node)'
KEY = "0123456789abcdef0123456789abcdef"
GREY = "#59636e"


def held(make_message: MakeMessage, **changes: Any) -> Message:
    """Both alerts of the incident are held."""
    return make_message(**{"kind": "update", "held": 2, "held_by": BY} | changes)


def event(message: Message, **fields: Any) -> dict[str, Any]:
    config = PagerDutyConfig.model_validate({"routing_key": KEY} | fields)
    return build_event(config, message, RENDERER)[0]


def slack_texts(message: Message, **fields: Any) -> list[str]:
    """The headline, then the parts behind the coloured bar, of the edited message."""
    shown = whole_message(SlackConfig.model_validate(fields), message, RENDERER, new=False)
    blocks = [*shown.blocks, *shown.attachments[0]["blocks"]]
    return [(block.get("text") or block["elements"][0])["text"] for block in blocks]


# --- all of it is held ---------------------------------------------------------------------------------


def test_the_title_and_the_colour_do_not_look_like_a_fire(make_message: MakeMessage) -> None:
    assert title(held(make_message)).startswith("[HELD:2] HighAPIResponseTime eu-west")
    assert color(held(make_message)) == GREY


def test_a_slack_message_says_by_what_it_is_held_and_keeps_its_alerts(make_message: MakeMessage) -> None:
    headline, *parts = slack_texts(held(make_message))
    assert headline.startswith(
        "🔕 *<https://tocsin.example.com/incidents/1042|HighAPIResponseTime · eu-west>*"
    )
    assert headline.endswith(f"— now held: {BY}")
    assert "*2 firing, all held*\n• `instance=api-1:8000`\n• `instance=api-2:8000`" in parts[1]


@pytest.mark.parametrize(
    "by", ["silence 1 by <!channel>, until 2026", "silence 1 by <@U0123ABC>, until 2026"]
)
def test_what_somebody_called_a_hold_pings_nobody(make_message: MakeMessage, by: str) -> None:
    message = held(make_message, held_by=by)
    written = slack_texts(message, text="{{ held_by }}")
    assert by.replace("<", "&lt;").replace(">", "&gt;") in written[1]
    assert not any("<!channel" in text or "<@" in text for text in written)


async def test_slack_edits_without_a_sound_and_rings_again_when_it_is_let_go(
    channel: SlackStandin, speaker: slack.SlackReceiver, make_message: MakeMessage
) -> None:
    config = bot(channel, mention="@here")
    memory: dict[str, Any] = {}
    told = [make_message(), held(make_message), make_message(ring=2, reason="no longer held", new_firing=2)]
    heard = []
    for message in told:
        outcome = await speaker.send(config, message, memory)
        assert isinstance(outcome, Sent)
        memory = dict(outcome.memory)
        heard.append(sum(one.heard for one in channel.messages))
    [shown] = channel.shown("alerts")
    assert heard == [1, 1, 2]
    assert "*No longer held, 2 alerts fire*" in str(channel.replies(shown)[0].blocks)
    assert shown.attachments[0]["color"] == "#c8281e"


async def test_a_deleted_message_is_not_posted_anew_only_to_say_that_it_is_held(
    channel: SlackStandin, speaker: slack.SlackReceiver, make_message: MakeMessage
) -> None:
    first = await speaker.send(bot(channel), make_message(), {})
    channel.messages[0].deleted = True
    outcome = await speaker.send(bot(channel), held(make_message), first.memory)
    assert outcome == Sent(
        first.memory, "that it is held is not shown: the message is gone from Slack (message_not_found)"
    )
    assert channel.shown("alerts") == []


async def test_pagerduty_is_told_under_the_same_key_and_makes_no_sound(make_message: MakeMessage) -> None:
    standin, receiver = PagerDutyStandin(), pagerduty.create()
    await standin.start()
    try:
        config = PagerDutyConfig.model_validate({"routing_key": KEY, "url": standin.enqueue_url})
        for message in (make_message(), held(make_message), make_message(ring=2, reason="no longer held")):
            assert isinstance(await receiver.send(config, message, {"incident": 1042}), Sent)
        [known] = standin.incidents.values()
        severities = [one["payload"]["severity"] for one in known.events]
        assert (standin.rings, known.state, severities) == (1, "triggered", ["critical", "info", "critical"])
    finally:
        await receiver.close()
        await standin.stop()


@pytest.mark.parametrize("fields", [{}, {"description": "Help!", "severity": "critical"}])
def test_an_event_about_what_is_held_says_so_whatever_templates_say(
    make_message: MakeMessage, fields: dict[str, str]
) -> None:
    sent = event(held(make_message), **fields)
    assert sent["event_action"] == "trigger"
    assert sent["payload"]["summary"].startswith("[held] ")
    assert sent["payload"]["severity"] == "info"
    assert sent["payload"]["custom_details"]["held"] == BY
    assert event_errors(sent | {"routing_key": KEY}) == []


def test_the_mark_of_what_is_held_fits_before_the_longest_summary(make_message: MakeMessage) -> None:
    message = held(make_message, common_annotations={"summary": "x" * 2000})
    summary = event(message)["payload"]["summary"]
    assert len(summary) <= MAX_SUMMARY
    assert summary.endswith("… (2 alerts)")


# --- some are held while others fire -------------------------------------------------------------------


def everywhere(message: Message) -> list[str]:
    """What people read: Slack's small print, both parts of a mail, PagerDuty's detail."""
    mails = [
        RENDERER.render(default_text(name), message, html=name == "mail.html")
        for name in ("mail.txt", "mail.html")
    ]
    return [slack_texts(message)[-1], *mails, event(message)["payload"]["custom_details"].get("held", "")]


@pytest.mark.parametrize(("count", "said"), [(1, "+ 1 more alert is held"), (3, "+ 3 more alerts are held")])
def test_everybody_is_told_how_many_more_are_held(
    make_message: MakeMessage, make_alert: MakeAlert, count: int, said: str
) -> None:
    assert [said in text for text in everywhere(make_message([make_alert()], held=count))] == [True] * 4


def test_nobody_reads_of_holds_where_nothing_is_held(make_message: MakeMessage) -> None:
    assert not [text for text in everywhere(make_message()) if "held" in text]


def test_some_that_are_held_change_neither_title_nor_severity_nor_colour(make_message: MakeMessage) -> None:
    message = make_message(held=3)
    assert title(message).startswith("[FIRING:2]")
    assert color(message) == "#c8281e"
    assert event(message)["payload"]["severity"] == "critical"
    assert event(message)["payload"]["summary"].startswith("HighAPIResponseTime")


@pytest.mark.parametrize(
    ("changes", "expected"), [({"held": 3}, "3||2"), ({"held": 2, "held_by": BY}, f"2|{BY}|2"), ({}, "0||2")]
)
def test_templates_can_say_what_is_held(
    make_message: MakeMessage, changes: dict[str, Any], expected: str
) -> None:
    message = make_message(**changes)
    assert RENDERER.render("{{ held }}|{{ held_by }}|{{ firing }}", message) == expected


async def test_a_webhook_says_it_beside_what_is_alertmanagers(make_message: MakeMessage) -> None:
    plain = json.loads(await write_body(make_message(), 0))
    quiet = json.loads(await write_body(make_message(held=2, held_by=BY), 0))
    assert (quiet["tocsin"]["held"], quiet["tocsin"]["held_by"]) == (2, BY)
    assert {**quiet, "tocsin": plain["tocsin"]} == plain


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "*No longer held, 1 alert fires*"), (2, "*No longer held, 2 alerts fire*")],
)
def test_the_thread_says_what_is_let_go(make_message: MakeMessage, count: int, expected: str) -> None:
    message = make_message(firing=count, reason="no longer held", new_firing=count, ring=2)
    assert expected in thread_line(SlackConfig(), message, RENDERER).blocks[0]["text"]["text"]


@pytest.fixture
async def channel() -> AsyncIterator[SlackStandin]:
    standin = SlackStandin(now=lambda: 1_795_011_480.0)
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
async def speaker() -> AsyncIterator[slack.SlackReceiver]:
    made = slack.create()
    yield made
    await made.close()


def bot(channel: SlackStandin, **fields: Any) -> SlackConfig:
    ours = {"app_token": channel.token, "app_url": channel.api_url, "channel": "#alerts"}
    return SlackConfig.model_validate(ours | fields)
