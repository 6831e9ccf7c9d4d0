"""A stand-in for a mail server: it speaks SMTP, keeps what it takes, and refuses what a strict server would.

It delivers nothing. It checks what RFC 5321 and RFC 5322 ask of a mail (sender, date, each header once, 8-bit
text only where it was announced), and misbehaves when it is told to: refused and greylisted recipients,
`421`, delays, lost answers. STARTTLS, implicit TLS and login are aiosmtpd's.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiosmtpd.smtp import Envelope, Session

MAX_MAIL: Final = 10 * 1024 * 1024
MINUTE: Final = 60.0
_OPENSSL: Final = (
    *("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=localhost"),
    *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
    *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
)
_ONCE: Final = ("From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that was taken: the envelope, the parsed message, and how it came."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    encrypted: bool
    user: str
    raw: bytes

    def text(self, kind: Literal["plain", "html"] = "plain") -> str:
        """The part of that kind, decoded; "" if there is none."""
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


@dataclass(slots=True)
class _Connection:
    """What one client has said so far, where aiosmtpd does not keep it."""

    server: SMTP
    user: str = ""


@dataclass(slots=True)
class _Faults:
    refused: dict[str, str] = field(default_factory=dict)
    greylisted: dict[str, str] = field(default_factory=dict)
    at_mail: deque[str] = field(default_factory=deque)
    at_data: deque[str] = field(default_factory=deque)
    to_lose: int = 0
    per_minute: int | None = None


class SmtpStandin:
    """A mail server on `127.0.0.1` with a port of its own.

    Attributes:
        mails: every mail that was taken, in order.
        connections: how many clients connected so far.
        delay: seconds to wait before a mail's text is answered.
        on_arrival: called with each mail as a dict for showing; None to be quiet.
        ca_file: the certificate that a client has to trust; None without TLS.
    """

    def __init__(
        self,
        *,
        tls: Literal["starttls", "implicit", "none"] = "starttls",
        context: ssl.SSLContext | None = None,
        users: Mapping[str, str] | None = None,
        utf8: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`users` maps names to passwords; with any, nobody sends without logging in.

        Without a `context` a certificate for localhost is made at the start, by the `openssl` command.
        """
        self.mails: list[Mail] = []
        self.connections = 0
        self.delay = 0.0
        self.on_arrival: Callable[[dict[str, Any]], None] | None = None
        self.ca_file: Path | None = None
        self.host = "127.0.0.1"
        self.port = 0
        self._tls = tls
        self._context = context
        self._users = dict(users or {})
        self._utf8 = utf8
        self._clock = clock
        self._faults = _Faults()
        self._taken: deque[float] = deque()
        self._open: dict[int, _Connection] = {}
        self._server: asyncio.Server | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def start(self) -> None:
        """Listen, on the same port as before if it was stopped. What it took stays."""
        if self._tls != "none" and self._context is None:
            self._folder = tempfile.TemporaryDirectory(prefix="tocsin-smtp-")
            self.ca_file = Path(self._folder.name) / "certificate.pem"
            self._context = await self_signed(self.ca_file)
        implicit = self._context if self._tls == "implicit" else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connected, self.host, self.port, ssl=implicit)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening; open connections are cut off."""
        if self._server is not None:
            self._server.close()
            self.drop_connections()
            await self._server.wait_closed()
            self._server = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder, self._context, self.ca_file = None, None, None

    def drop_connections(self) -> None:
        """Cut off everybody who is connected, as a server does that restarts."""
        for connection in self._open.values():
            _hang_up(connection.server)
        self._open.clear()

    def refuse(self, address: str, status: str = "550 5.1.1 no such user here") -> None:
        """Refuse this recipient from now on."""
        self._faults.refused[address.lower()] = status

    def greylist(self, address: str, status: str = "451 4.7.1 greylisted, try again later") -> None:
        """Put this recipient off once."""
        self._faults.greylisted[address.lower()] = status

    def fail_next(
        self, n: int, status: int, text: str = "sorry", *, at: Literal["mail", "data"] = "mail"
    ) -> None:
        """Answer the next `n` mails with `status`: to the sender's name or to the text; 421 hangs up."""
        (self._faults.at_mail if at == "mail" else self._faults.at_data).extend([f"{status} {text}"] * n)

    def lose_answers(self, n: int) -> None:
        """Take the next `n` mails, then hang up instead of answering."""
        self._faults.to_lose = n

    def limit(self, per_minute: int | None) -> None:
        """Take at most so many mails a minute; None: no limit."""
        self._faults.per_minute = per_minute
        self._taken.clear()

    def _connected(self) -> SMTP:
        self.connections += 1
        starttls = self._tls == "starttls"
        server = SMTP(
            self,
            data_size_limit=MAX_MAIL,
            enable_SMTPUTF8=self._utf8,
            hostname="localhost",
            ident="Tocsin stand-in",
            tls_context=self._context if starttls else None,
            auth_require_tls=starttls,
            authenticator=self._login,
            loop=asyncio.get_running_loop(),
        )
        self._open[id(server)] = _Connection(server)
        return server

    def _login(
        self, server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        user = data.login.decode()
        if self._users.get(user) != data.password.decode():
            return AuthResult(success=False, handled=False)
        self._open[id(server)].user = user
        return AuthResult(success=True, auth_data=user)

    # aiosmtpd calls these by their names.

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [line for line in answers if self._users or not line.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._users and not self._connection(server).user:
            return "530 5.7.0 authentication required"
        if self._faults.at_mail:
            return self._failed(server, self._faults.at_mail.popleft())
        if self._limited():
            return "451 4.7.0 too many mails, try again in a minute"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if status := self._faults.refused.get(address.lower()):
            return status
        if status := self._faults.greylisted.pop(address.lower(), ""):
            return status
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.delay:
            await asyncio.sleep(self.delay)
        if self._faults.at_data:
            return self._failed(server, self._faults.at_data.popleft())
        raw = cast("bytes", envelope.content)  # aiosmtpd gives text only where it was asked to
        message = message_from_bytes(raw, _class=EmailMessage, policy=SMTP_POLICY)
        if problem := _problem(message, raw, {option.upper() for option in envelope.mail_options}):
            return f"554 5.6.0 {problem}"
        user = self._connection(server).user
        encrypted = session.ssl is not None or self._tls == "implicit"
        mail = Mail(envelope.mail_from or "", tuple(envelope.rcpt_tos), message, encrypted, user, raw)
        self._take(mail)
        if self._faults.to_lose:
            self._faults.to_lose -= 1
            _hang_up(server)
        return "250 2.0.0 taken"

    def _take(self, mail: Mail) -> None:
        self._taken.append(self._clock())
        self.mails.append(mail)
        if self.on_arrival is not None:
            message = mail.message
            shown = {"from": mail.sender, "to": list(mail.recipients), "subject": str(message["Subject"])}
            self.on_arrival(shown | {"message_id": str(message["Message-ID"]), "text": mail.text()})

    def _limited(self) -> bool:
        while self._taken and self._taken[0] <= self._clock() - MINUTE:
            self._taken.popleft()
        return self._faults.per_minute is not None and len(self._taken) >= self._faults.per_minute

    def _connection(self, server: SMTP) -> _Connection:
        return self._open.setdefault(id(server), _Connection(server))

    def _failed(self, server: SMTP, status: str) -> str:
        if status.startswith("421"):
            asyncio.get_running_loop().call_soon(_hang_up, server)
        return status


def _hang_up(server: SMTP) -> None:
    transport = cast("asyncio.Transport | None", server.transport)
    if transport is not None:
        transport.abort()


def _problem(message: EmailMessage, raw: bytes, options: set[str]) -> str:
    """Why a strict server refuses this mail; "" if it does not."""
    for header in ("From", "Date"):
        if header not in message:
            return f"a mail needs a {header} header"
    for header in _ONCE:
        if len(message.get_all(header, [])) > 1:
            return f"the header {header} stands there twice"
    if not raw.isascii() and not options & {"BODY=8BITMIME", "SMTPUTF8"}:
        return "8-bit text that was not announced"
    return ""


async def self_signed(file: Path) -> ssl.SSLContext:
    """A certificate for localhost and 127.0.0.1, valid for a day, written to `file`; the context to serve it.

    Raises:
        RuntimeError: the `openssl` command is missing or failed; the message says what to do.
    """
    key = file.with_suffix(".key")
    advice = "give SmtpStandin a context of your own, or tls='none'"
    try:
        process = await asyncio.create_subprocess_exec(
            *_OPENSSL, "-keyout", key, "-out", file, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError:
        raise RuntimeError(f"a certificate needs the command openssl: {advice}") from None
    _, said = await asyncio.wait_for(process.communicate(), 30)
    if process.returncode:
        raise RuntimeError(f"openssl could not make a certificate ({said.decode().strip()[-200:]}): {advice}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    return context
