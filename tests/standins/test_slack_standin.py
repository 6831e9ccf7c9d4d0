"""The Slack stand-in behaves as Slack's documents say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from gateway.standins.slack import SlackStandin
from gateway.standins.slack_blocks import block_errors, message_error, pings, unescaped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    standin = SlackStandin(channels=["alerts", "backend"])
    await standin.start()
    yield standin
    await standin.stop()


async def call(
    slack: SlackStandin, method: str, token: str | None = None, **arguments: Any
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {slack.token if token is None else token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{slack.api_url}{method}", json=arguments) as answer,
    ):
        body: dict[str, Any] = await answer.json()
        return body | {"_status": answer.status, "_wait": answer.headers.get("Retry-After")}


async def post(slack: SlackStandin, **arguments: Any) -> dict[str, Any]:
    return await call(slack, "chat.postMessage", **({"channel": "#alerts", "text": "hello"} | arguments))


async def test_a_channel_is_found_by_name_and_by_id(slack: SlackStandin) -> None:
    ident = slack.channels["alerts"].id
    for name in ("#alerts", "alerts", ident):
        answer = await post(slack, channel=name)
        assert (answer["ok"], answer["channel"]) == (True, ident)
    assert len(slack.shown("alerts")) == 3
    assert slack.shown("backend") == []


async def test_timestamps_are_unique_and_rise(slack: SlackStandin) -> None:
    stamps = [float((await post(slack))["ts"]) for _ in range(5)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"token": ""}, "not_authed"),
        ({"token": "xoxb-other"}, "invalid_auth"),
        ({"channel": "#nowhere"}, "channel_not_found"),
        ({"channel": "#private"}, "not_in_channel"),
        ({"channel": "#old"}, "is_archived"),
        ({"text": ""}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"thread_ts": "1.000001"}, "thread_not_found"),
        ({"metadata": {"event_type": "x"}}, "invalid_metadata_schema"),
    ],
)
async def test_what_would_be_refused_is_refused(
    slack: SlackStandin, arguments: dict[str, Any], error: str
) -> None:
    slack.add_channel("private", member=False)
    slack.add_channel("old", archived=True)
    answer = await post(slack, **arguments)
    assert (answer["_status"], answer["ok"], answer["error"]) == (200, False, error)
    assert slack.messages == []


async def test_an_edit_replaces_what_is_shown_and_keeps_the_history_and_the_metadata(
    slack: SlackStandin,
) -> None:
    metadata = {"event_type": "e", "event_payload": {"id": "1"}}
    posted = await post(slack, text="one", metadata=metadata)
    edited = await call(slack, "chat.update", channel=posted["channel"], ts=posted["ts"], text="two")
    [message] = slack.shown("alerts")
    assert edited["ok"]
    assert (message.text, [edit["text"] for edit in message.edits]) == ("two", ["one"])
    assert message.metadata == metadata


async def test_an_edit_needs_the_channels_id_and_a_message_of_ones_own(slack: SlackStandin) -> None:
    posted = await post(slack)
    by_name = await call(slack, "chat.update", channel="#alerts", ts=posted["ts"], text="x")
    unknown = await call(slack, "chat.update", channel=posted["channel"], ts="1.0", text="x")
    assert (by_name["error"], unknown["error"]) == ("channel_not_found", "message_not_found")


async def test_history_lists_newest_first_in_pages_with_metadata_only_when_asked(slack: SlackStandin) -> None:
    metadata = {"event_type": "e", "event_payload": {}}
    for text in ("one", "two", "three"):
        posted = await post(slack, text=text, metadata=metadata)
    where = {"channel": posted["channel"], "limit": 2}
    first = await call(slack, "conversations.history", **where)
    cursor = first["response_metadata"]["next_cursor"]
    rest = await call(slack, "conversations.history", **where, cursor=cursor, include_all_metadata=True)
    assert [m["text"] for m in first["messages"]] == ["three", "two"]
    assert [m["text"] for m in rest["messages"]] == ["one"]
    assert "metadata" not in first["messages"][0]
    assert rest["messages"][0]["metadata"] == metadata


async def test_a_reply_is_in_its_thread_and_in_the_channel_only_when_broadcast(slack: SlackStandin) -> None:
    parent = await post(slack, text="parent")
    await post(slack, text="quiet", thread_ts=parent["ts"])
    await post(slack, text="loud", thread_ts=parent["ts"], reply_broadcast=True)
    replies = await call(slack, "conversations.replies", channel=parent["channel"], ts=parent["ts"])
    history = await call(slack, "conversations.history", channel=parent["channel"])
    assert [m["text"] for m in replies["messages"]] == ["parent", "quiet", "loud"]
    assert [m["text"] for m in history["messages"]] == ["loud", "parent"]


async def test_a_scope_that_is_missing_is_said(slack: SlackStandin) -> None:
    slack.scopes.discard("channels:history")
    answer = await call(slack, "conversations.history", channel="C00000000")
    assert answer["error"] == "missing_scope"


async def test_channels_can_be_listed_and_the_token_tested(slack: SlackStandin) -> None:
    listed = await call(slack, "conversations.list", limit=1)
    assert [c["name"] for c in listed["channels"]] == ["alerts"]
    assert listed["response_metadata"]["next_cursor"] == "1"
    assert (await call(slack, "auth.test"))["user"] == "tocsin"
    assert (await call(slack, "no.such"))["error"] == "unknown_method"


async def test_the_rate_limit_counts_per_channel(slack: SlackStandin) -> None:
    slack.limit(per_minute=1)
    await post(slack)
    refused = await post(slack)
    assert (refused["_status"], refused["error"], refused["_wait"]) == (429, "ratelimited", "60")
    assert (await post(slack, channel="backend"))["ok"]


async def test_an_incoming_webhook_posts_to_its_channel_and_answers_in_words(slack: SlackStandin) -> None:
    wrong = slack.webhook_url("backend").replace("hook-of", "not-of")
    async with aiohttp.ClientSession() as session:
        for url, body, expected in (
            (slack.webhook_url("backend"), {"text": "hello"}, (200, "ok")),
            (slack.webhook_url("backend"), {}, (400, "no_text")),
            (wrong, {"text": "hello"}, (404, "no_service")),
        ):
            async with session.post(url, json=body) as answer:
                assert (answer.status, await answer.text()) == expected
    [message] = slack.shown("backend")
    assert message.author == "webhook"


async def test_errors_and_lost_answers_can_be_ordered(slack: SlackStandin) -> None:
    slack.fail_with(1, "internal_error")
    assert (await post(slack))["error"] == "internal_error"
    slack.lose_answers(1)
    with pytest.raises(aiohttp.ClientError):
        await post(slack, text="lost")
    assert [m.text for m in slack.messages] == ["lost"]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def menu(options: int, value: str = "x") -> dict[str, Any]:
    return {"type": "overflow", "options": [{"text": plain("Go"), "value": value}] * options}


GO = {"type": "button", "text": plain("Go"), "action_id": "go"}
SURE = {"title": plain("Sure?"), "text": plain("x"), "confirm": plain("Yes"), "deny": plain("No")}


def mrkdwn(text: str, *, verbatim: bool = False) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": verbatim}


@pytest.mark.parametrize(
    ("block", "fine"),
    [
        ({"type": "section", "text": mrkdwn("x" * 3000)}, True),
        ({"type": "section", "text": mrkdwn("x" * 3001)}, False),
        ({"type": "section", "text": mrkdwn("")}, False),
        ({"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}, True),
        ({"type": "section", "fields": [mrkdwn("x")] * 11}, False),
        ({"type": "section"}, False),
        ({"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}, True),
        ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}, False),
        ({"type": "header", "text": mrkdwn("x")}, False),
        ({"type": "context", "elements": [mrkdwn("x")] * 10}, True),
        ({"type": "context", "elements": [mrkdwn("x")] * 11}, False),
        (actions(GO | {"value": "x" * 2000}), True),
        (actions(GO | {"value": "x" * 2001}), False),
        (actions(GO, GO), False),
        (actions(GO | {"style": "secondary"}), False),
        (actions(GO | {"confirm": SURE}), True),
        (actions(GO | {"confirm": SURE | {"deny": plain("x" * 31)}}), False),
        (actions(GO, menu(5)), True),
        (actions(menu(6)), False),
        (actions(menu(1)), False),
        (actions(menu(2, "x" * 76)), False),
        (actions({"type": "slider"}), False),
        ({"type": "divider"}, True),
        ({"type": "carousel"}, False),
    ],
)
def test_blocks_are_held_to_slacks_limits(block: dict[str, Any], *, fine: bool) -> None:
    assert (block_errors([block]) == []) is fine


def test_bad_blocks_in_an_attachment_are_refused_too() -> None:
    assert message_error({"attachments": [{"blocks": [{"type": "section"}]}]}) == "invalid_attachments"


@pytest.mark.parametrize(
    ("text", "verbatim", "expected"),
    [
        ("<!here> look", True, ["here"]),
        ("<@U123> <!subteam^S9>", True, ["S9", "U123"]),
        ("&lt;!channel&gt;", True, []),
        ("@channel look", True, []),
        ("@channel look", False, ["channel"]),
    ],
)
def test_who_is_pinged_follows_from_the_text(text: str, *, verbatim: bool, expected: list[str]) -> None:
    blocks = [{"type": "section", "text": mrkdwn(text, verbatim=verbatim)}]
    assert pings({"text": "x", "blocks": blocks}) == expected


def test_what_was_not_escaped_is_seen() -> None:
    message = {"text": "a &amp; b <https://x|y>", "blocks": [{"type": "section", "text": mrkdwn("a < b")}]}
    assert unescaped(message) == ["a < b"]
