"""What a channel shows and hears, and what Slack's answers mean, against the stand-in over HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from config.schema import SlackConfig
from gateway.standins.slack import SlackStandin
from receivers.base import Refused, Retry, Sent
from receivers.slack import create
from receivers.traits import slack as traits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from receivers.base import Message, Outcome, ShownAlert
    from receivers.slack import SlackReceiver

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]


NOW_S = 1_795_011_480.0  # that of the messages in conftest.py


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    standin = SlackStandin(now=lambda: NOW_S)
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[SlackReceiver]:
    made = create()
    yield made
    await made.close()


def bot(slack: SlackStandin, **fields: Any) -> SlackConfig:
    ours = {"app_token": slack.token, "app_url": slack.api_url, "channel": "#alerts"}
    return SlackConfig.model_validate(ours | fields)


def hook(slack: SlackStandin, **fields: Any) -> SlackConfig:
    return SlackConfig.model_validate({"api_url": slack.webhook_url("alerts")} | fields)


async def sent(
    receiver: SlackReceiver, config: SlackConfig, message: Message, memory: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is remembered after a send that must succeed."""
    outcome = await receiver.send(config, message, memory or {})
    assert isinstance(outcome, Sent), outcome
    return dict(outcome.memory)


def said(blocks: list[dict[str, Any]]) -> str:
    return " ".join(block["text"]["text"] for block in blocks if "text" in block)


# --- what a channel shows and hears --------------------------------------------------------------------


async def test_an_incident_is_one_message_that_is_edited_until_it_shows_the_end(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    memory = await sent(receiver, bot(slack), make_message())
    memory = await sent(receiver, bot(slack), make_message(kind="update"), memory)
    await sent(receiver, bot(slack), make_message([make_alert(status="resolved")]), memory)
    [shown] = slack.shown("alerts")
    assert len(slack.messages) == 1
    assert len(shown.edits) == 2
    assert "resolved after 13m" in said(shown.blocks)
    assert shown.attachments[0]["color"] == "#1a7f37"
    assert shown.text.startswith("✅ HighAPIResponseTime · eu-west")


async def test_new_alerts_and_repeats_are_heard_in_the_thread_and_in_the_channel(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    memory = await sent(receiver, bot(slack), make_message())
    for ring, reason, new in ((2, "new alerts added", 1), (3, "repeat interval elapsed", 0)):
        message = make_message(ring=ring, reason=reason, new_firing=new)
        memory = await sent(receiver, bot(slack), message, memory)
    [shown] = slack.shown("alerts")
    replies = slack.replies(shown)
    assert [reply.heard for reply in replies] == [True, True]
    assert "1 more alert fires, 2 in all" in said(replies[0].blocks)
    assert "`instance=api-1:8000`" in said(replies[0].blocks)
    assert "Still firing after 13m" in said(replies[1].blocks)
    assert len(shown.edits) == 2


async def test_the_end_is_also_said_in_the_thread_where_that_is_wanted(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    config = bot(slack, send_resolved=True)
    memory = await sent(receiver, config, make_message())
    await sent(receiver, config, make_message([make_alert(status="resolved")]), memory)
    [reply] = slack.replies(slack.shown("alerts")[0])
    assert not reply.heard
    assert "Resolved after 13m" in said(reply.blocks)


async def test_a_ring_that_was_told_is_not_told_again_when_only_the_edit_failed(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    memory = await sent(receiver, bot(slack), make_message())
    again = make_message(ring=2, reason="new alerts added", new_firing=1)
    slack.limit(per_minute=1)
    outcome = await receiver.send(bot(slack), again, memory)
    assert isinstance(outcome, Retry)
    assert outcome.closes_target
    assert outcome.memory is not None
    slack.limit(per_minute=None)
    await sent(receiver, bot(slack), again, outcome.memory)
    [shown] = slack.shown("alerts")
    assert (len(slack.replies(shown)), len(shown.edits)) == (1, 1)


async def test_a_mention_pings_at_rings_only(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    config = bot(slack, mention="@here, S0123456 U0123456", send_resolved=True)
    memory = await sent(receiver, config, make_message())
    memory = await sent(receiver, config, make_message(kind="update"), memory)
    memory = await sent(
        receiver, config, make_message(ring=2, new_firing=1, reason="new alerts added"), memory
    )
    await sent(receiver, config, make_message([make_alert(status="resolved")], ring=2), memory)
    everybody = ["S0123456", "U0123456", "here"]
    assert [message.pings for message in slack.messages] == [everybody, everybody, []]


async def test_the_author_can_be_chosen(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    await sent(receiver, bot(slack, username="Bell", icon_emoji=":bell:"), make_message())
    assert slack.messages[0].author == "Bell"


@pytest.mark.parametrize("channel", ["#alerts", "alerts", "C00000000"])
async def test_a_channel_may_be_a_name_or_an_id(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, channel: str
) -> None:
    memory = await sent(receiver, bot(slack, channel=channel), make_message())
    await sent(receiver, bot(slack, channel=channel), make_message(kind="update"), memory)
    assert memory["channel"] == "C00000000"
    assert len(slack.shown("alerts")) == 1


async def test_an_incoming_webhook_posts_each_ring_and_the_end(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    for message in (
        make_message(),
        make_message(ring=2, reason="new alerts added", new_firing=1),
        make_message([make_alert(status="resolved")]),
    ):
        await sent(receiver, hook(slack), message)
    heads = [said(message.blocks) for message in slack.shown("alerts")]
    assert "—" not in heads[0]
    assert "1 more alert fires" in heads[1]
    assert "resolved after" in heads[2]


# --- nothing twice -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["#alerts", "C00000000"])
async def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, channel: str
) -> None:
    config = bot(slack, channel=channel)
    await sent(receiver, config, make_message(delivery="other"))
    slack.lose_answers(1)
    outcome = await receiver.send(config, make_message(), {})
    assert isinstance(outcome, Retry)
    assert outcome.unknown
    memory = await sent(create_anew := create(), config, make_message(), {"unknown": True})
    await create_anew.close()
    other, ours = slack.shown("alerts")
    assert (memory["ts"], len(ours.edits), len(other.edits)) == (ours.ts, 1, 0)
    assert len(slack.messages) == 2


async def test_a_direct_message_whose_answer_was_lost_is_found_and_not_repeated(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    slack.add_person("U024BE7LH")
    config = bot(slack, channel="U024BE7LH")
    slack.lose_answers(1)
    await receiver.send(config, make_message(), {})
    memory = await sent(receiver, config, make_message(), {"unknown": True})
    assert memory["channel"].startswith("D")
    (shown,) = slack.shown("@U024BE7LH")
    assert len(shown.edits) == 1


async def test_a_post_that_never_arrived_is_made(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    await sent(receiver, bot(slack), make_message(), {"unknown": True})
    assert len(slack.shown("alerts")) == 1


async def test_a_reply_whose_answer_was_lost_is_found_in_the_thread(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    memory = await sent(receiver, bot(slack), make_message())
    again = make_message(ring=2, reason="new alerts added", new_firing=1)
    slack.lose_answers(1)
    outcome = await receiver.send(bot(slack), again, memory)
    assert isinstance(outcome, Retry)
    assert outcome.memory == memory
    await sent(receiver, bot(slack), again, {**memory, "unknown": True})
    [shown] = slack.shown("alerts")
    assert len(slack.replies(shown)) == 1


async def test_a_message_behind_many_others_is_still_found(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    await sent(receiver, bot(slack), make_message())
    for number in range(120):
        await sent(receiver, bot(slack), make_message(delivery=f"d-{number}"))
    await sent(receiver, bot(slack), make_message(), {"unknown": True})
    assert len(slack.messages) == 121


async def test_without_the_scope_to_search_it_is_posted_again_and_said(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    slack.scopes = {"chat:write"}
    outcome = await receiver.send(bot(slack), make_message(), {"unknown": True})
    assert isinstance(outcome, Sent)
    assert "it may be there twice" in outcome.note
    assert "channels:history" in outcome.note


async def test_while_the_search_fails_nothing_is_posted_and_the_outcome_stays_unknown(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    slack.fail_next(1, 429, retry_after=5, body='{"ok": false, "error": "ratelimited"}')
    outcome = await receiver.send(bot(slack), make_message(), {"unknown": True})
    assert outcome == Retry("rate limit (ratelimited)", after=5_000, closes_target=True, unknown=True)
    assert slack.messages == []


# --- the timeline in the thread ------------------------------------------------------------------------

FIRST, TOLD, LATER = (
    (1_795_010_700_000, "triggered"), (1_795_010_700_000, "told Dana"), (1_795_010_800_000, "acknowledged"),
)  # fmt: skip


def thread(slack: SlackStandin) -> list[tuple[bool, list[str]]]:
    """(heard, lines of the timeline) of each reply."""
    replies = slack.replies(slack.shown("alerts")[0])
    return [
        (reply.heard, [line.split("> ")[1] for line in said(reply.blocks).split("<!date^")[1:]])
        for reply in replies
    ]


async def test_the_thread_gets_each_line_of_the_timeline_once_and_quietly(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    memory = await sent(receiver, bot(slack), make_message(escalates=True, history=(FIRST,)))
    for history in ((FIRST, TOLD), (FIRST, TOLD), (FIRST, TOLD, LATER)):
        memory = await sent(
            receiver, bot(slack), make_message(kind="update", escalates=True, history=history), memory
        )
    assert thread(slack) == [(False, ["triggered\n", "told Dana"]), (False, ["acknowledged"])]


async def test_a_ring_and_the_lines_that_are_new_are_one_reply(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    memory = await sent(receiver, bot(slack), make_message())
    again = make_message(ring=2, reason="step 2", escalates=True, history=(FIRST,))
    memory = await sent(receiver, bot(slack), again, memory)
    await sent(
        receiver, bot(slack), make_message(kind="update", ring=2, escalates=True, history=(FIRST,)), memory
    )
    assert thread(slack) == [(True, ["triggered"])]


@pytest.mark.parametrize(
    ("failure", "note", "written"),
    [
        ({"status": 429, "retry_after": 1, "body": '{"ok": false, "error": "ratelimited"}'}, False, True),
        ({"status": 500}, False, False),
        ({"status": 200, "body": '{"ok": false, "error": "restricted_action"}'}, True, False),
    ],
)
async def test_a_thread_that_fails_fails_no_message(
    slack: SlackStandin, make_message: MakeMessage, *, failure: dict[str, Any], note: bool, written: bool
) -> None:
    receiver = create()
    memory = await sent(receiver, bot(slack), make_message())
    slack.fail_after(1, **failure)
    outcome = await receiver.send(
        bot(slack), make_message(kind="update", escalates=True, history=(FIRST,)), memory
    )
    assert isinstance(outcome, Sent)
    assert ("lacks lines" in outcome.note) is note
    await sent(
        receiver, bot(slack), make_message(kind="update", escalates=True, history=(FIRST,)), outcome.memory
    )
    assert bool(thread(slack)) is written
    await receiver.close()


# --- what is gone --------------------------------------------------------------------------------------


async def test_a_message_that_was_deleted_is_posted_anew(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    memory = await sent(receiver, bot(slack), make_message())
    slack.messages[0].deleted = True
    outcome = await receiver.send(bot(slack), make_message(kind="ring", ring=2), memory)
    assert isinstance(outcome, Sent)
    assert "posted anew" in outcome.note
    [shown] = slack.shown("alerts")
    assert outcome.memory["ts"] == shown.ts


async def test_the_end_of_a_deleted_message_is_posted_only_where_ends_are_wanted(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, make_alert: MakeAlert
) -> None:
    end = make_message([make_alert(status="resolved")])
    for config, posted in ((bot(slack), 0), (bot(slack, send_resolved=True), 1)):
        memory = await sent(receiver, config, make_message())
        slack.messages[-1].deleted = True
        await sent(receiver, config, end, memory)
        assert len(slack.shown("alerts")) == posted


# --- what answers mean ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("channel_not_found", "/invite @tocsin"),
        ("not_in_channel", "/invite @tocsin"),
        ("is_archived", "archived"),
        ("invalid_auth", "xoxb-"),
        ("account_inactive", "xoxb-"),
        ("missing_scope", "chat:write"),
        ("restricted_action", "administrator"),
        ("something_new", "something_new"),
    ],
)
async def test_what_can_never_work_is_refused_with_advice(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, error: str, expected: str
) -> None:
    slack.fail_with(1, error)
    outcome = await receiver.send(bot(slack), make_message(), {})
    assert isinstance(outcome, Refused)
    assert error in outcome.reason
    assert expected in outcome.reason


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        ("internal_error", True),
        ("fatal_error", True),
        ("service_unavailable", False),
        ("request_timeout", False),
    ],
)
async def test_what_may_work_later_is_tried_again(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, error: str, *, unknown: bool
) -> None:
    slack.fail_with(1, error)
    outcome = await receiver.send(bot(slack), make_message(), {})
    assert outcome == Retry(f"Slack answers {error}", unknown=unknown)


@pytest.mark.parametrize(
    ("status", "retry_after", "body", "expected"),
    [
        (429, 3, '{"ok": false, "error": "ratelimited"}', Retry("rate limit (ratelimited)", 3_000, True)),
        (429, None, "", Retry("rate limit (HTTP 429)", 30_000, True)),
        (500, None, "oops", Retry("Slack answers HTTP 500", unknown=True)),
        (503, 2, "{}", Retry("Slack answers HTTP 503", after=2_000, unknown=True)),
        (200, None, "<html>a proxy", Retry("Slack answers HTTP 200", unknown=True)),
        (200, None, "{}", Retry("Slack answers HTTP 200", unknown=True)),
        (404, None, "", Refused("Slack refuses it: HTTP 404")),
    ],
)
async def test_answers_by_http_status(
    slack: SlackStandin,
    receiver: SlackReceiver,
    make_message: MakeMessage,
    *,
    status: int,
    retry_after: int | None,
    body: str,
    expected: Outcome,
) -> None:
    slack.fail_next(1, status, retry_after, body)
    assert await receiver.send(bot(slack), make_message(), {}) == expected
    assert slack.requests == 1, "the SDK's own retries are off"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, "invalid_blocks", Refused("Slack refuses it: invalid_blocks")),
        (429, "rate_limited", Retry("rate limit (rate_limited)", after=30_000, closes_target=True)),
        (500, "rollup_error", Retry("Slack answers rollup_error", unknown=True)),
        (502, "<html>", Retry("Slack answers HTTP 502", unknown=True)),
    ],
)
async def test_answers_of_a_webhook(
    slack: SlackStandin,
    receiver: SlackReceiver,
    make_message: MakeMessage,
    *,
    status: int,
    body: str,
    expected: Outcome,
) -> None:
    slack.fail_next(1, status, body=body)
    assert await receiver.send(hook(slack), make_message(), {}) == expected


async def test_a_webhook_that_was_removed_is_refused_without_showing_its_address(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    gone = f"{slack.url}/services/T0/B0/a-secret"
    outcome = await receiver.send(SlackConfig.model_validate({"api_url": gone}), make_message(), {})
    assert isinstance(outcome, Refused)
    assert "no_service" in outcome.reason
    assert "a-secret" not in outcome.reason


@pytest.mark.parametrize("kind", ["bot", "hook"])
async def test_nobody_listening_cannot_have_taken_it(
    receiver: SlackReceiver, make_message: MakeMessage, kind: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}"
        fields = (
            {"app_token": "xoxb-1", "app_url": base, "channel": "#a"} if kind == "bot" else {"api_url": base}
        )
        outcome = await receiver.send(SlackConfig.model_validate(fields), make_message(), {})
    assert isinstance(outcome, Retry)
    assert "no connection to Slack" in outcome.reason
    assert not outcome.unknown


async def test_an_answer_that_does_not_come_is_unknown(
    slack: SlackStandin, make_message: MakeMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receivers.slack.TIMEOUT_S", 0.05)
    receiver = create()
    slack.delay = 5
    for config in (bot(slack), hook(slack)):
        outcome = await receiver.send(config, make_message(), {})
        assert outcome == Retry("Slack did not answer in time", unknown=True)
    await receiver.close()


async def test_a_layout_that_slack_refuses_goes_out_as_plain_text(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    slack.fail_with(1, "invalid_blocks")
    outcome = await receiver.send(bot(slack), make_message(), {})
    assert isinstance(outcome, Sent)
    assert "plain text" in outcome.note
    assert slack.messages[0].blocks == []
    assert slack.messages[0].text.startswith("🔴 HighAPIResponseTime")


@pytest.mark.parametrize("kind", ["bot", "hook"])
async def test_a_proxy_is_used_where_one_is_configured(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, kind: str
) -> None:
    proxied: dict[str, Any] = {"http_config": {"proxy_url": slack.url}}
    far = hook(slack).api_url.get_secret_value().replace(slack.url, "http://hooks.invalid")
    config = (
        bot(slack, **proxied, app_url="http://slack.invalid/api/")
        if kind == "bot"
        else SlackConfig.model_validate(proxied | {"api_url": far})
    )
    await sent(receiver, config, make_message())
    assert len(slack.shown("alerts")) == 1


async def test_a_certificate_file_that_is_missing_is_said(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage
) -> None:
    config = bot(slack, http_config={"tls_config": {"ca_file": "/nowhere/ca.pem"}})
    outcome = await receiver.send(config, make_message(), {})
    assert isinstance(outcome, Retry)
    assert "/nowhere/ca.pem" in outcome.reason


async def test_a_token_in_a_file_is_read_anew(
    slack: SlackStandin, receiver: SlackReceiver, make_message: MakeMessage, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    config = bot(slack, app_token=None, app_token_file=file)
    missing = await receiver.send(config, make_message(), {})
    assert isinstance(missing, Retry)
    assert str(file) in missing.reason
    file.write_text(slack.token)
    await sent(receiver, config, make_message())


@pytest.mark.parametrize(("fields", "advice"), [({"app_token": "xoxb-1"}, "`channel`"), ({}, "`app_token`")])
async def test_an_address_that_is_missing_is_said(
    receiver: SlackReceiver, make_message: MakeMessage, fields: dict[str, Any], advice: str
) -> None:
    outcome = await receiver.send(SlackConfig.model_validate(fields), make_message(), {})
    assert isinstance(outcome, Refused)
    assert advice in outcome.reason


def test_traits_say_what_can_be_edited_and_hide_the_webhooks_address() -> None:
    with_token = traits(SlackConfig.model_validate({"app_token": "xoxb-1", "channel": "#alerts"}))
    with_hook = traits(SlackConfig.model_validate({"api_url": "https://hooks.slack.com/services/T/B/secret"}))
    assert (with_token.target, with_token.slots, with_token.edits) == ("slack:#alerts", 1, True)
    assert traits(SlackConfig.model_validate({"app_token": "x", "channel": "alerts"})) == with_token
    assert (with_hook.slots, with_hook.edits, with_hook.updates) == (1, False, False)
    assert with_hook.target.startswith("slack-webhook:")
    assert len(with_hook.target) == len("slack-webhook:12345678")


def test_slack_sdk_is_imported_only_when_a_receiver_is_made() -> None:
    code = "import sys, receivers.slack; sys.exit('slack_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0
