"""Mails of an incident that people answer: the link, who has it, and news that is no alarm."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest

from config.schema import EmailConfig
from receivers.mail_addresses import addresses
from receivers.mail_message import compose
from receivers.render import Renderer
from routing.incident_records import Ack

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

    from receivers.base import Message, ShownAlert

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]

LINK = (
    "https://tocsin.example.com/link/WzQyLDE3OTUwMTA3MDAsImRhbmEiXQ.knXMhx_wkBISdtW60N43xqMlcfQhZaBC9bktmDo"
)
ACK = Ack("dana <b>", "Slack", 1_795_010_800_000, 1_795_014_400_000)
HISTORY = ((1_795_010_700_000, "triggered"), (1_795_010_800_000, "dana <b> acknowledged it"))


def mail(message: Message, **config: str) -> EmailMessage:
    fields = {"to": "a@example.com", "from": "tocsin@example.com", "smarthost": "localhost:25"}
    made, note = compose(
        EmailConfig.model_validate(fields | config),
        message,
        Renderer(),
        addresses("tocsin@example.com", "from")[0],
        to=addresses("a@example.com", "to"),
        first="<first@example.com>",
    )
    assert note == ""
    return message_from_bytes(made, policy=default)


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Text and HTML as a mail program shows them."""
    found = [mail.get_body((kind,)) for kind in ("plain", "html")]
    plain, html = (part.get_content().replace("\r\n", "\n") for part in found if part is not None)
    return plain, html


def test_a_ring_has_one_link_to_answer_by_in_both_parts(make_message: MakeMessage):
    plain, html = parts(mail(make_message(answer_url=LINK, person="dana", answerable=True)))
    assert f"\nAcknowledge or resolve: {LINK}\n" in plain
    assert html.count(f'href="{LINK}"') == 1
    assert "answers without a login as dana: whoever has this mail can use it." in plain
    assert "answers without a login as dana: whoever has this mail can use it." in html


def test_without_a_link_there_is_no_word_of_answering(make_message: MakeMessage):
    for part in parts(mail(make_message())):
        assert "Acknowledge" not in part
        assert "login" not in part
        assert "https://tocsin.example.com/incidents/1042" in part


@pytest.mark.parametrize(
    ("ack", "reason", "mark", "first"),
    [
        (ACK, "acknowledged by dana", "[ACK]", "Acknowledged by dana."),
        (replace(ACK, reminded=True), "it ends at 15:10 UTC", "[ACK ENDS]", "It ends at 15:10 UTC."),
        (None, "the acknowledgement of dana has ended", "[UNACK]", "The acknowledgement of dana has ended."),
    ],
)  # fmt: skip
def test_a_notice_says_what_it_is_before_all_else_and_stays_in_its_thread(
    make_message: MakeMessage, ack: Ack | None, reason: str, mark: str, first: str
):
    notice = mail(make_message(kind="update", reason=reason, acknowledged=ack))
    assert notice["Subject"].startswith(f"{mark} ")
    assert notice["References"] == notice["In-Reply-To"] == "<first@example.com>"
    plain, html = parts(notice)
    assert plain.startswith(f"{first}\n\nHighAPIResponseTime eu-west: 2 firing")
    assert f">{first}</div>" in html


def test_a_ring_alarms_although_somebody_has_it(make_message: MakeMessage):
    assert mail(make_message(acknowledged=ACK))["Subject"].startswith("[FIRING:2] ")


@pytest.mark.parametrize(
    ("reason", "first"),
    [
        ("first notification", "HighAPIResponseTime eu-west: 2 firing, severity critical"),
        ("repeat interval elapsed", "HighAPIResponseTime eu-west: 2 firing, severity critical"),
        ("step 2: nobody has it in hand", "Step 2: nobody has it in hand."),
        ("dana asks for help.", "Dana asks for help."),
        ("<b>", "<b>."),
    ],
)
def test_a_ring_says_first_why_it_is_more_than_an_alarm(make_message: MakeMessage, reason: str, first: str):
    plain, html = parts(mail(make_message(reason=reason)))
    assert plain.partition("\n")[0] == first
    assert "<b>." not in html


def test_it_says_who_has_it_what_comes_next_and_what_happened(make_message: MakeMessage):
    message = make_message(
        reason="new alerts added", acknowledged=ACK, upcoming="step 2: <i>team lead",
        upcoming_at=1_795_011_600_000, history=HISTORY, answer_url=LINK,
    )  # fmt: skip
    plain, html = parts(mail(message))
    assert "Has it     dana <b> since 2026-11-18 14:06 UTC (Slack), until 2026-11-18 15:06 UTC\n" in plain
    assert "Next       step 2: <i>team lead, at 2026-11-18 14:20 UTC\n" in plain
    assert "WHAT HAPPENED\n  14:05:00 UTC  triggered\n  14:06:40 UTC  dana <b> acknowledged it\n" in plain
    assert f"Resolve, snooze or give back: {LINK}" in plain
    assert "dana &lt;b&gt;</strong> has it since" in html
    assert "Next: step 2: &lt;i&gt;team lead" in html
    assert "dana &lt;b&gt; acknowledged it" in html


def test_an_end_asks_for_nothing(make_message: MakeMessage, make_alert: MakeAlert):
    message = make_message([make_alert(1, "resolved")], acknowledged=ACK, history=HISTORY)
    plain, html = parts(mail(message))
    assert "WHAT HAPPENED" in plain
    for part in (plain, html):
        assert "has it" not in part.lower()
        assert "login" not in part


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", 'https://x.example/"><script>', "https://x.example/a b"]
)
def test_a_link_that_is_none_is_left_out(make_message: MakeMessage, url: str):
    for part in parts(mail(make_message(answer_url=url))):
        assert "Acknowledge" not in part
        assert "script" not in part


def test_templates_of_ones_own_can_say_all_of_it(make_message: MakeMessage):
    changes: dict[str, Any] = {"acknowledged": ACK, "history": HISTORY, "answer_url": LINK, "person": "dana"}
    text = (
        "{{ answer_url }} {{ person }} {{ acknowledged_by }} {{ acknowledged_via }} "
        "{{ (acknowledged_until - acknowledged_at) | duration }} {{ upcoming }}{{ upcoming_at }} "
        "{% for at, said in history %}{{ at | time }}={{ said }};{% endfor %}"
    )
    plain, _ = parts(mail(make_message(**changes), text=text))
    assert plain == (
        f"{LINK} dana dana <b> Slack 1h 0 14:05:00 UTC=triggered;14:06:40 UTC=dana <b> acknowledged it;\n"
    )
