"""News without an incident: by Slack and mail, in its own words alone, against the stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.schema import EmailConfig, SlackConfig
from gateway.standins.slack import SlackStandin
from gateway.standins.smtp import SmtpStandin
from receivers import email, slack
from receivers.base import Sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from receivers.base import Message

NOTICE = (
    "On call in 15 min: <week>\nFrom Mon until Tue.\n\n#7 *high* (nobody has it) https://t.test/incidents/7"
)
NOW_S = 1_795_011_480.0  # that of the messages in conftest.py


async def test_slack_shows_the_words_and_nothing_of_alerts(make_message: Callable[..., Message]) -> None:
    standin, receiver = SlackStandin(now=lambda: NOW_S), slack.create()
    await standin.start()
    where = {"app_token": standin.token, "app_url": standin.api_url, "channel": "#alerts"}
    config = SlackConfig.model_validate(where | {"title": "{{ name }}", "mention": "@here"})
    message = make_message(alerts=[], kind="ring", status="firing", incident=0, notice=NOTICE)
    outcome = await receiver.send(config, message, {})
    await receiver.close()
    await standin.stop()
    assert isinstance(outcome, Sent)
    (post,) = standin.messages
    (block,) = post.blocks
    assert post.text == "On call in 15 min: &lt;week&gt;"
    assert block["text"]["text"].startswith("*On call in 15 min: &lt;week&gt;*\nFrom Mon until Tue.")
    assert "<https://t.test/incidents/7" in block["text"]["text"]
    assert not post.attachments


async def test_a_mail_has_the_title_as_its_subject(make_message: Callable[..., Message]) -> None:
    standin, receiver = SmtpStandin(tls="none"), email.create()
    await standin.start()
    config = EmailConfig.model_validate(
        {"to": "d@x.y", "from": "t@x.y", "smarthost": f"{standin.host}:{standin.port}", "require_tls": False}
    )
    message = make_message(alerts=[], kind="ring", status="firing", incident=0, notice=NOTICE)
    outcome = await receiver.send(config, message, {})
    await receiver.close()
    await standin.stop()
    assert isinstance(outcome, Sent)
    (mail,) = standin.mails
    assert mail.message["Subject"] == "On call in 15 min: <week>"
    assert mail.message["X-Tocsin-Status"] == "notice"
    assert mail.text().startswith("From Mon until Tue.")
