"""The mail stand-in behaves as a strict mail server does."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import aiosmtplib
import pytest

from gateway.standins.smtp import SmtpStandin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

HEADERS = "From: a@example.com\r\nTo: b@example.com\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\n"
MAIL = HEADERS + "Subject: {}\r\n\r\nhi\r\n"


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[SmtpStandin]]]:
    started = []

    async def start(**options: Any) -> SmtpStandin:
        standin = SmtpStandin(**options)
        await standin.start()
        started.append(standin)
        return standin

    yield start
    for standin in started:
        await standin.stop()


async def send(standin: SmtpStandin, mail: str = MAIL, to: str = "b@example.com", **options: Any) -> Any:
    context = ssl.create_default_context(cafile=standin.ca_file) if standin.ca_file else None
    client = aiosmtplib.SMTP(
        hostname=standin.host, port=standin.port, timeout=5, tls_context=context, **options
    )
    async with client:
        return await client.sendmail("a@example.com", to.split(","), mail.format("hello"))


async def test_a_mail_over_starttls_is_kept_and_shown(start: Any) -> None:
    standin, shown = await start(), []
    standin.on_arrival = shown.append
    await send(standin, start_tls=True)
    (mail,) = standin.mails
    assert (mail.sender, mail.recipients, mail.encrypted) == ("a@example.com", ("b@example.com",), True)
    assert mail.text() == "hi\r\n"
    assert shown[0]["subject"] == "hello"


async def test_implicit_tls_is_spoken_from_the_start(start: Any) -> None:
    standin = await start(tls="implicit", users={"me": "secret"})
    await send(standin, use_tls=True, username="me", password="secret")
    assert standin.mails[0].encrypted
    assert standin.mails[0].user == "me"


async def test_who_does_not_log_in_cannot_send(start: Any) -> None:
    standin = await start(users={"me": "secret"})
    with pytest.raises(aiosmtplib.SMTPSenderRefused, match="authentication required"):
        await send(standin, start_tls=True)
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await send(standin, start_tls=True, username="me", password="wrong")
    assert standin.mails == []


async def test_login_is_not_offered_in_clear(start: Any) -> None:
    standin = await start(users={"me": "secret"})
    with pytest.raises(aiosmtplib.SMTPException, match="not supported"):
        await send(standin, start_tls=False, username="me", password="secret")


async def test_one_recipient_is_refused_and_the_others_are_not(start: Any) -> None:
    standin = await start(tls="none")
    standin.refuse("c@example.com")
    errors, _ = await send(standin, to="b@example.com,c@example.com")
    assert errors["c@example.com"].code == 550
    assert standin.mails[0].recipients == ("b@example.com",)


async def test_a_greylisted_recipient_is_taken_the_second_time(start: Any) -> None:
    standin = await start(tls="none")
    standin.greylist("b@example.com")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        await send(standin)
    assert caught.value.recipients[0].code == 451
    await send(standin)
    assert len(standin.mails) == 1


async def test_421_hangs_up(start: Any) -> None:
    standin = await start(tls="none")
    standin.fail_next(1, 421)
    with pytest.raises(aiosmtplib.SMTPSenderRefused):
        await send(standin)
    await send(standin)
    assert (standin.connections, len(standin.mails)) == (2, 1)


async def test_a_lost_answer_means_that_the_mail_arrived(start: Any) -> None:
    standin = await start(tls="none")
    standin.lose_answers(1)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(standin)
    assert len(standin.mails) == 1


async def test_a_limit_is_per_minute(start: Any) -> None:
    now = [0.0]
    standin = await start(tls="none", clock=lambda: now[0])
    standin.limit(1)
    await send(standin)
    with pytest.raises(aiosmtplib.SMTPSenderRefused, match="too many"):
        await send(standin)
    now[0] = 60.0
    await send(standin)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("Date", "X-Date"), "needs a Date"),
        (("From", "X-From"), "needs a From"),
        (("Subject", "To: c@example.com\r\nSubject"), "To stands there twice"),
    ],
)
async def test_a_malformed_mail_is_refused(start: Any, change: tuple[str, str], problem: str) -> None:
    standin = await start(tls="none")
    with pytest.raises(aiosmtplib.SMTPDataError, match=problem):
        await send(standin, MAIL.replace(*change))


async def test_a_stopped_server_comes_back_on_its_port(start: Any) -> None:
    standin = await start(tls="none")
    port = standin.port
    await standin.stop()
    await standin.start()
    assert standin.port == port
    await send(standin)
