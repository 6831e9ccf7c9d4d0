"""Mail over real SMTP: encrypted, to a server that is checked; threaded; honest about who is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alertmanagers import Rules
from programs import ask
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audience import Audience
    from programs import Tocsin

    from gateway.standins.smtp import SmtpStandin

CONFIG = """\
global:
  smtp_smarthost: localhost:{port}
  smtp_from: tocsin@example.com
  smtp_auth_username: tocsin
  smtp_auth_password: correct horse
  smtp_tls_config: {{ca_file: {ca_file}}}
route: {{receiver: mail, group_by: [cluster], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: mail
    email_configs: [{{to: "dana@example.com, gone@example.com", send_resolved: true}}]
"""


async def test_mails_of_an_incident_are_encrypted_threaded_and_say_whom_they_missed(
    mail_server: SmtpStandin, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    mail_server.refuse("gone@example.com")
    tocsin = await serve(CONFIG.format(port=mail_server.port, ca_file=mail_server.ca_file))
    rules = Rules([tocsin.url])
    rules.fire("DiskFull")
    await rules.post()
    await until(lambda: len(mail_server.mails) == 1, "the first mail", tocsin.tail)
    rules.fire("DiskSlow")
    await rules.post()
    await until(lambda: len(mail_server.mails) == 2, "the mail of its growth", tocsin.tail)
    rules.end("DiskFull")
    rules.end("DiskSlow")
    await rules.post()
    await until(lambda: len(mail_server.mails) == 3, "the mail of its end", tocsin.tail)

    first, *later = mails = [mail.message for mail in mail_server.mails]
    assert {mail.recipients for mail in mail_server.mails} == {("dana@example.com",)}
    assert {(mail.encrypted, mail.user) for mail in mail_server.mails} == {(True, "tocsin")}
    assert "References" not in first
    assert {(m["References"], m["In-Reply-To"]) for m in later} == {
        (first["Message-ID"], first["Message-ID"])
    }
    assert len({m["Message-ID"] for m in mails}) == 3
    assert {m["Auto-Submitted"] for m in mails} == {"auto-generated"}
    assert [m["Subject"].partition(" ")[0] for m in mails] == ["[FIRING:1]", "[FIRING:2]", "[RESOLVED]"]
    assert mail_server.connections == 1
    told = [line for line in (await tocsin.api("/incidents/1"))["timeline"] if line["kind"] == "told"]
    assert len(told) == 3
    assert all("gone@example.com" in line["text"] and "550" in line["text"] for line in told), told


async def test_a_certificate_of_somebody_else_is_not_trusted_and_the_mail_waits(
    mail_server: SmtpStandin,
    make_audience: Callable[[], Awaitable[Audience]],
    serve: Callable[..., Awaitable[Tocsin]],
) -> None:
    stranger = (await make_audience()).mailbox
    tocsin = await serve(CONFIG.format(port=mail_server.port, ca_file=stranger.ca_file))
    rules = Rules([tocsin.url])
    rules.fire("DiskFull")
    await rules.post()

    async def failed() -> dict[str, Any] | None:
        return next((d for d in (await tocsin.api("/deliveries"))["deliveries"] if d["error"]), None)

    delivery = await until(failed, "an attempt that failed", tocsin.tail)
    assert delivery["state"] == "open"
    assert "certificate is not trusted" in delivery["error"]
    assert mail_server.mails == []
    tocsin.config.write_text(CONFIG.format(port=mail_server.port, ca_file=mail_server.ca_file))
    assert (await ask(f"{tocsin.url}/-/reload", "POST"))[0] == 200
    await until(lambda: mail_server.mails, "the mail, once the right authority is named", tocsin.tail)
