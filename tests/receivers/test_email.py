"""Mails over real SMTP: what arrives, how it threads, and what a server's refusals mean."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.schema import EmailConfig
from gateway.standins.smtp import SmtpStandin
from receivers import email, smtp, traits
from receivers.base import Refused, Retry, Sent
from receivers.mail_addresses import addresses
from receivers.mail_message import compose
from receivers.render import Renderer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from receivers.base import Message, ShownAlert

    MakeMessage = Callable[..., Message]
    MakeAlert = Callable[..., ShownAlert]

RENDERER = Renderer()


@pytest.fixture
async def server() -> AsyncIterator[SmtpStandin]:
    standin = SmtpStandin(users={"tocsin": "hunter2"})
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
async def plain() -> AsyncIterator[SmtpStandin]:
    standin = SmtpStandin(tls="none")
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[email.EmailReceiver]:
    receiver = email.create()
    yield receiver
    await receiver.close()


def settings_for(standin: SmtpStandin, **changes: Any) -> EmailConfig:
    fields: dict[str, Any] = {
        "to": "ops@example.com",
        "from": "Tocsin <tocsin@example.com>",
        "smarthost": f"localhost:{standin.port}",
    }
    if standin.ca_file:
        fields |= {"auth_username": "tocsin", "auth_password": "hunter2"}
        fields |= {"tls_config": {"ca_file": str(standin.ca_file)}}
    else:
        fields |= {"require_tls": False}
    return EmailConfig.model_validate(fields | changes)


async def test_a_mail_arrives_encrypted_with_both_parts(
    server: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    outcome = await receiver.send(settings_for(server), make_message(), {})
    (mail,) = server.mails
    headers = mail.message
    assert outcome == Sent({"first": headers["Message-ID"]})
    assert (mail.encrypted, mail.user, mail.sender) == (True, "tocsin", "tocsin@example.com")
    assert headers["From"] == "Tocsin <tocsin@example.com>"
    assert headers["To"] == "ops@example.com"
    assert headers["Date"] == "Wed, 18 Nov 2026 14:18:00 +0000"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "All"
    assert headers["X-Tocsin-Incident"] == "1042"
    assert headers["Subject"].startswith("[FIRING:2] HighAPIResponseTime eu-west — High API response time")
    assert "instance=api-2:8000" in mail.text()
    assert "Open incident" in mail.text("html")


async def test_implicit_tls_needs_no_starttls(
    receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    standin = SmtpStandin(tls="implicit", users={"tocsin": "hunter2"})
    await standin.start()
    config = settings_for(standin, force_implicit_tls=True)
    assert isinstance(await receiver.send(config, make_message(), {}), Sent)
    assert standin.mails[0].encrypted
    await standin.stop()


async def test_an_incident_is_one_thread_and_a_repeat_is_the_same_mail(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    config = settings_for(plain)
    first = await receiver.send(config, make_message(), {})
    assert isinstance(first, Sent)
    await receiver.send(config, make_message(), {"unknown": True})
    second = await receiver.send(config, make_message(revision=4, ring=2), first.memory)
    one, again, two = (mail.message for mail in plain.mails)
    assert one["Message-ID"] == again["Message-ID"] != two["Message-ID"]
    assert one["References"] is None
    assert two["References"] == two["In-Reply-To"] == one["Message-ID"]
    assert second == first
    assert plain.connections == 1


async def test_a_connection_that_died_is_opened_again(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    config = settings_for(plain)
    await receiver.send(config, make_message(), {})
    plain.drop_connections()
    assert isinstance(await receiver.send(config, make_message(ring=2), {}), Sent)
    assert (len(plain.mails), plain.connections) == (2, 2)


async def test_an_idle_connection_is_closed(
    plain: SmtpStandin,
    receiver: email.EmailReceiver,
    make_message: MakeMessage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtp, "_IDLE_S", 0)
    config = settings_for(plain)
    await receiver.send(config, make_message(), {})
    await asyncio.sleep(0.01)
    await receiver.send(config, make_message(ring=2), {})
    assert plain.connections == 2


async def test_two_mails_at_once_wait_for_each_other(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    config = settings_for(plain)
    rings = [make_message(ring=ring) for ring in range(5)]
    outcomes = await asyncio.gather(*(receiver.send(config, ring, {}) for ring in rings))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert (len(plain.mails), plain.connections) == (5, 1)


EVERYBODY = "a@example.com, Bea <b@example.com>, c@example.com"


async def test_who_is_refused_does_not_keep_the_others_from_knowing(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    plain.refuse("b@example.com")
    outcome = await receiver.send(settings_for(plain, to=EVERYBODY), make_message(), {})
    assert isinstance(outcome, Sent)
    assert outcome.note == "localhost refused b@example.com (550 5.1.1 no such user here)"
    assert plain.mails[0].recipients == ("a@example.com", "c@example.com")


async def test_who_is_put_off_is_told_later_and_nobody_twice(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    config = settings_for(plain, to=EVERYBODY)
    plain.greylist("b@example.com")
    plain.refuse("c@example.com")
    outcome = await receiver.send(config, make_message(), {})
    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith("localhost put off b@example.com (451 4.7.1 greylisted")
    assert outcome.memory is not None
    again = await receiver.send(config, make_message(revision=4), outcome.memory)
    assert isinstance(again, Sent)
    assert [mail.recipients for mail in plain.mails] == [("a@example.com",), ("b@example.com",)]


async def test_a_put_off_mailbox_that_is_refused_later_ends_in_a_note(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    config = settings_for(plain, to="a@example.com, b@example.com")
    plain.greylist("b@example.com")
    outcome = await receiver.send(config, make_message(), {})
    plain.refuse("b@example.com")
    assert isinstance(outcome, Retry)
    again = await receiver.send(config, make_message(), outcome.memory or {})
    assert isinstance(again, Sent)
    assert again.note.startswith("localhost refused b@example.com")


def greylists(standin: SmtpStandin) -> None:
    standin.greylist("ops@example.com")


def refuses(standin: SmtpStandin) -> None:
    standin.refuse("ops@example.com")


def answers(status: int, at: Any = "mail") -> Callable[[SmtpStandin], None]:
    return lambda standin: standin.fail_next(1, status, "because", at=at)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (refuses, Refused("localhost refused ops@example.com (550 5.1.1 no such user here)")),
        (greylists, Retry("localhost put off ops@example.com (451 4.7.1 greylisted, try again later)")),
        (answers(550), Refused("localhost refused the sender: 550 because")),
        (answers(451), Retry("localhost does not take the sender now: 451 because")),
        (answers(421), Retry("localhost does not take the sender now: 421 because")),
        (answers(554, "data"), Refused("localhost refused the mail: 554 because")),
        (answers(452, "data"), Retry("localhost does not take the mail now: 452 because")),
    ],
)
async def test_an_answer_is_final_or_it_is_not(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage, fault: Any, expected: Any
) -> None:
    fault(plain)
    assert await receiver.send(settings_for(plain), make_message(), {}) == expected
    plain.refuse("ops@example.com", "")
    assert isinstance(await receiver.send(settings_for(plain), make_message(), {}), Sent)


async def test_a_lost_answer_leaves_the_outcome_unknown(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    plain.lose_answers(1)
    outcome = await receiver.send(settings_for(plain), make_message(), {})
    first = {"first": plain.mails[0].message["Message-ID"]}
    where = f"localhost:{plain.port}"
    assert outcome == Retry(f"{where} hung up", unknown=True, memory=first)


@pytest.mark.parametrize("limit", ["_WHOLE_S", "STEP_S"])
async def test_a_server_that_does_not_answer_the_text_leaves_it_unknown(
    plain: SmtpStandin,
    receiver: email.EmailReceiver,
    make_message: MakeMessage,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
) -> None:
    monkeypatch.setattr(email if limit == "_WHOLE_S" else smtp, limit, 0.1)
    plain.delay = 0.5
    outcome = await receiver.send(settings_for(plain), make_message(), {})
    assert isinstance(outcome, Retry)
    assert outcome.unknown
    assert "0.1 s" in outcome.reason


async def test_a_server_without_starttls_gets_no_mail_in_clear(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    for _ in range(2):
        outcome = await receiver.send(settings_for(plain, require_tls=True), make_message(), {})
        assert outcome == Retry("localhost offers no STARTTLS, and require_tls forbids mail in clear")
    assert plain.mails == []


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    server: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    outcome = await receiver.send(settings_for(server, tls_config=None), make_message(), {})
    assert isinstance(outcome, Retry)
    assert "its certificate is not trusted: self-signed certificate; see ca_file" in outcome.reason
    config = settings_for(server, tls_config={"insecure_skip_verify": True})
    assert isinstance(await receiver.send(config, make_message(), {}), Sent)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_the_certificate_must_be_of_the_server_that_is_named(
    receiver: email.EmailReceiver, make_message: MakeMessage, tls: Any
) -> None:
    standin = SmtpStandin(tls=tls, users={"tocsin": "hunter2"})
    await standin.start()
    for name, kind in (("127.0.0.1", Sent), ("mail.example.com", Retry)):
        named = {"ca_file": str(standin.ca_file), "server_name": name}
        config = settings_for(standin, tls_config=named, force_implicit_tls=tls == "implicit")
        assert isinstance(await receiver.send(config, make_message(), {}), kind)
    await standin.stop()


async def test_a_wrong_password_is_refused_and_not_told(
    server: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    for _ in range(2):
        outcome = await receiver.send(settings_for(server, auth_password="wrong-secret"), make_message(), {})
        assert isinstance(outcome, Refused)
        assert outcome.reason.startswith("localhost refused the login as tocsin: 535 ")
    assert "wrong-secret" not in repr((outcome, receiver._connections))


async def test_a_rotated_password_file_counts_at_the_next_mail(
    server: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    config = settings_for(server, auth_password=None, auth_password_file=str(file))
    missing = await receiver.send(config, make_message(), {})
    assert isinstance(missing, Retry)
    assert str(file) in missing.reason
    file.write_text("old\n")
    assert isinstance(await receiver.send(config, make_message(), {}), Refused)
    file.write_text("hunter2\n")
    assert isinstance(await receiver.send(config, make_message(), {}), Sent)


async def test_an_identity_is_part_of_the_login(
    server: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    config = settings_for(server, auth_identity="tocsin")
    assert isinstance(await receiver.send(config, make_message(), {}), Sent)


async def test_a_server_that_is_away_is_tried_again(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    await plain.stop()
    outcome = await receiver.send(settings_for(plain), make_message(), {})
    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith(f"localhost:{plain.port} cannot be reached: ")
    assert not outcome.unknown


async def test_mailboxes_beyond_ascii_need_a_server_that_takes_them(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    config = settings_for(plain, to="jürgen@bücher.example")
    assert isinstance(await receiver.send(config, make_message(), {}), Sent)
    assert plain.mails[0].recipients == ("jürgen@xn--bcher-kva.example",)
    plain._utf8 = False
    plain.drop_connections()
    outcome = await receiver.send(config, make_message(), {})
    assert outcome == Refused("localhost takes no mailbox names beyond ASCII (SMTPUTF8)")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to": "nobody"}, "to: 'nobody' is no address; expected one such as ops@example.com"),
        ({"to": "a@b.c, x y"}, "is no address"),
        ({"to": "a@b.c>\r\nRCPT TO:<d@e.f"}, "has a control character"),
        ({"to": ", ".join(f"u{n}@x.y" for n in range(101))}, "to: 101 addresses; at most 100 are taken"),
        ({"from": ""}, "from: '' is no address; expected one such as ops@example.com"),
        ({"smarthost": ""}, "smarthost is empty; expected HOST:PORT of the mail server"),
    ],
)
async def test_an_address_that_is_none_is_refused(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage, changes: Any, reason: str
) -> None:
    outcome = await receiver.send(settings_for(plain).model_copy(update=renamed(changes)), make_message(), {})
    assert isinstance(outcome, Refused)
    assert reason in outcome.reason


def renamed(changes: dict[str, Any]) -> dict[str, Any]:
    return {"from_" if name == "from" else name: value for name, value in changes.items()}


async def test_a_template_that_fails_does_not_keep_the_mail_back(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage
) -> None:
    headers = {
        "X-Team": "{{ common_labels.job }}\r\nBcc: x@y.z",
        "X-Bad": "{{ 1 / 0 }}",
        "bcc": "all@example.com",
    }
    config = settings_for(
        plain, subject="Page: {{ name }}", text="{{ nme }}", html="<b>{{ name }}</b>", headers=headers
    )
    outcome = await receiver.send(config, make_message(), {})
    assert isinstance(outcome, Sent)
    assert "there is no variable 'nme'; did you mean 'name'?" in outcome.note
    assert "the header X-Bad was left out: line 1: division by zero" in outcome.note
    assert "the header 'bcc' was left out" in outcome.note
    mail = plain.mails[0]
    assert mail.message["Subject"] == "Page: HighAPIResponseTime"
    assert mail.message["X-Team"] == "backend Bcc: x@y.z"
    assert mail.text("html").strip() == "<b>HighAPIResponseTime</b>"
    assert mail.text().startswith("HighAPIResponseTime eu-west: 2 firing")


@pytest.mark.parametrize("subject", ["", "Page: {{ name }}"])
async def test_a_test_is_marked_and_wakes_no_filter(
    plain: SmtpStandin, receiver: email.EmailReceiver, make_message: MakeMessage, subject: str
) -> None:
    config = settings_for(plain, subject=subject)
    assert isinstance(await receiver.send(config, make_message(test=True, incident=0), {}), Sent)
    mail = plain.mails[0].message
    assert mail["Subject"].startswith("[TEST] ")
    assert "FIRING" not in str(mail)
    assert (mail["X-Tocsin-Status"], mail["X-Tocsin-Incident"]) == ("test", None)


@given(said=st.text(max_size=120))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_in_an_alert_becomes_a_header(
    make_message: MakeMessage, make_alert: MakeAlert, said: str
) -> None:
    evil = f"{said}\r\nBcc: evil@example.com\r\n\r\n<html>"
    alert = make_alert(labels={"alertname": evil, "team": said}, annotations={"summary": evil})
    message = make_message([alert], group_labels={"alertname": evil}, receiver=evil, route=said)
    headers = {"X-Team": "{{ common_labels.team }}"}
    config = EmailConfig.model_validate({"to": "a@example.com", "from": "b@example.com", "headers": headers})
    sender, *to = addresses("b@example.com, a@example.com", "to")
    raw, _ = compose(config, message, RENDERER, sender, to=to, first="")
    names = [name.lower() for name in message_from_bytes(raw, policy=default).keys()]  # noqa: SIM118
    assert "bcc" not in names
    assert len(names) == len(set(names))
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_traits_say_that_mails_are_neither_changed_nor_sent_for_updates() -> None:
    config = EmailConfig.model_validate({"to": "a@b.c", "smarthost": "mail.example.com:587"})
    facts = traits.email(config)
    assert (facts.slots, facts.edits, facts.updates) == (1, False, False)
    assert facts.target == "email:mail.example.com:587"


@pytest.mark.parametrize(
    ("to", "shown"),
    [
        ("a@b.c", "a@b.c"),
        ("Ops <ops@example.com>,db@example.com", "ops@example.com, db@example.com"),
        ("nobody", "nobody"),
        ("a@b.c\r\nBcc: x@y.z", "a@b.c Bcc: x@y.z"),
        (",".join(f"somebody-{n}@example.com" for n in range(90)), None),
    ],
)
def test_people_read_to_whom_a_mail_goes(to: str, shown: str | None) -> None:
    where = traits.email(EmailConfig.model_construct(to=to, smarthost="mail.example.com:25")).where
    assert where == shown or (shown is None and where.endswith("…") and len(where) <= 200)
