"""One connection to a mail server: opened when needed, encrypted, logged in, used by one mail at a time.

Says what the server's answers mean for a mail; it does not know how a mail looks. Rules: RFC 5321 (4.2
answers; the time limits here are much shorter than its 4.5.3.2), RFC 3207 (STARTTLS), RFC 4954 (login), RFC
6531 (mailboxes beyond ASCII).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from config.schema import reveal
from receivers.base import Refused, Retry
from receivers.filters import truncated
from receivers.mail_addresses import AddressError
from receivers.tls import TLSFileError, client_context, explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from email.headerregistry import Address

    import aiosmtplib

    from config.schema import EmailConfig, TLSConfig

STEP_S: Final = 10
"""For one command and its answer."""

_IDLE_S: Final = 30  # a connection that nobody used for so long is closed; servers hang up after minutes
_QUIT_S: Final = 1
_SHOWN: Final = 160
_HANGS_UP: Final = 421
_LOGGED_IN: Final = 235
_FINAL: Final = 500
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Login:
    """A server and who we are to it: mails with the same share a connection."""

    host: str
    port: int
    implicit: bool
    require_tls: bool
    hello: str
    tls: TLSConfig | None
    user: str
    identity: str
    password: str = field(repr=False)

    @property
    def certified(self) -> str:
        """The name that must stand in the server's certificate."""
        return (self.tls.server_name if self.tls else "") or self.host

    @classmethod
    def of(cls, config: EmailConfig) -> Login:
        """What the configuration says; reads a password file.

        Raises:
            AddressError: there is no smarthost.
            SecretError: the password cannot be read.
        """
        host, _, port = config.smarthost.rpartition(":")
        if not host:
            raise AddressError("smarthost is empty; expected HOST:PORT of the mail server")
        implicit = config.force_implicit_tls
        return cls(
            host=host.strip("[]"),
            port=int(port),
            implicit=port == "465" if implicit is None else implicit,
            require_tls=config.require_tls,
            hello=config.hello,
            tls=config.tls_config,
            user=config.auth_username,
            identity=config.auth_identity,
            password=reveal(config.auth_password, config.auth_password_file) if config.auth_username else "",
        )


class MailError(Exception):
    """The mail reached nobody (or perhaps everybody, if the outcome says `unknown`)."""

    def __init__(self, outcome: Retry | Refused) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Connection:
    """To be used with its `lock` held. Opens again by itself when the server has hung up.

    Attributes:
        in_doubt: the last mail may have arrived although nobody said so.
    """

    def __init__(self, login: Login) -> None:
        import aiosmtplib  # noqa: PLC0415 - only where the configuration uses it

        self.lock = asyncio.Lock()
        self.in_doubt = False
        self._smtp = aiosmtplib
        self._login = login
        self._client: aiosmtplib.SMTP | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def carry(
        self, sender: Address, to: Sequence[Address], mail: bytes, *, utf8: bool
    ) -> dict[str, str]:
        """Send one mail. Returns the recipients that were refused, with the answer. Raises `MailError`.

        If it is cancelled, `in_doubt` says whether the mail may have arrived.
        """
        self.in_doubt = False
        try:
            client = await self._opened()
            return await self._transmit(client, sender, to, mail, utf8=utf8)
        except self._smtp.SMTPResponseException as error:
            raise MailError(self._answered(error)) from None
        except (self._smtp.SMTPException, OSError) as error:
            self._drop()
            raise MailError(Retry(self._broken(error), unknown=self.in_doubt)) from None
        except asyncio.CancelledError:
            self._drop()  # in the middle of a dialogue
            raise
        finally:
            self._rest()

    async def quit(self) -> None:
        """End the connection politely, unless a mail is under way."""
        if self._client is not None and self._client.is_connected and not self.lock.locked():
            with contextlib.suppress(self._smtp.SMTPException, OSError):
                await self._client.quit(timeout=_QUIT_S)
        self._drop()

    async def _transmit(
        self, client: aiosmtplib.SMTP, sender: Address, to: Sequence[Address], mail: bytes, *, utf8: bool
    ) -> dict[str, str]:
        if utf8:
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            if not client.supports_extension("smtputf8"):
                reason = "takes no mailbox names beyond ASCII (SMTPUTF8)"
                raise MailError(Refused(f"{self._login.host} {reason}"))
        encoding = "utf-8" if utf8 else "ascii"
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
        await client.mail(sender.addr_spec, options=options, encoding=encoding)
        answers: dict[str, str] = {}
        for one in to:
            try:
                await client.rcpt(one.addr_spec, encoding=encoding)
            except self._smtp.SMTPRecipientRefused as error:
                if error.code == _HANGS_UP:
                    raise
                answers[one.addr_spec] = _said(error)
        if len(answers) == len(to):
            raise MailError(self._nobody(answers))
        self.in_doubt = True
        await client.data(mail)
        return answers

    async def _opened(self) -> aiosmtplib.SMTP:
        """A connection that answers: the one there is, or a new one."""
        if self._idle is not None:
            self._idle.cancel()
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(self._smtp.SMTPException, OSError):
                await self._client.rset()
                return self._client
        self._drop()
        return await self._connect()

    async def _connect(self) -> aiosmtplib.SMTP:
        """A new connection, kept only once it is as safe as it must be and logged in."""
        login = self._login
        client = await self._new_client(login)
        try:
            await client.connect()
            if login.require_tls and not login.implicit:
                await self._encrypt(client, login)
            if login.user:
                await self._log_in(client, login)
        except BaseException:
            client.close()
            raise
        self._client = client
        return client

    async def _new_client(self, login: Login) -> aiosmtplib.SMTP:
        try:
            context = await asyncio.to_thread(client_context, login.tls)
            if not login.implicit or login.certified == login.host:
                where: dict[str, Any] = {"hostname": login.host, "port": login.port}
            else:  # aiosmtplib checks the certificate against the name that it connects to
                where = {"hostname": login.certified, "sock": await _tcp(login.host, login.port)}
            return self._smtp.SMTP(
                **where,
                local_hostname=login.hello,
                timeout=STEP_S,
                use_tls=login.implicit,
                start_tls=False,
                tls_context=context,
            )
        except TLSFileError as error:
            raise MailError(Retry(str(error))) from None
        except ValueError as error:
            raise MailError(
                Refused(f"hello or smarthost cannot be used: {truncated(str(error), _SHOWN)}")
            ) from None

    async def _encrypt(self, client: aiosmtplib.SMTP, login: Login) -> None:
        await client.ehlo()
        if not client.supports_extension("starttls"):
            reason = "offers no STARTTLS, and require_tls forbids mail in clear"
            raise MailError(Retry(f"{login.host} {reason}"))
        await client.starttls(server_hostname=login.certified)

    async def _log_in(self, client: aiosmtplib.SMTP, login: Login) -> None:
        clear = client.get_transport_info("sslcontext") is None
        if clear and login.host not in _LOOPBACK:
            raise MailError(Refused(f"no password is sent to {login.host} in clear; set require_tls: true"))
        await client.ehlo()
        if not client.supports_extension("auth"):
            raise MailError(Refused(f"{login.host} offers no login; remove auth_username, or try port 587"))
        if not login.identity or login.identity == login.user:
            await client.login(login.user, login.password)
            return
        plain = b64encode(f"{login.identity}\0{login.user}\0{login.password}".encode())
        answer = await client.execute_command(b"AUTH", b"PLAIN", plain)
        if answer.code != _LOGGED_IN:
            raise self._smtp.SMTPAuthenticationError(answer.code, answer.message)

    def _rest(self) -> None:
        """Keep the connection for the next mail, but not for ever."""
        if self._client is not None:
            self._idle = asyncio.get_running_loop().call_later(_IDLE_S, self._drop)

    def _drop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._client is not None:
            self._client.close()
            self._client = None

    def _answered(self, error: aiosmtplib.SMTPResponseException) -> Retry | Refused:
        """What an answer to the whole mail means: only one to the mail itself is final."""
        smtp, login = self._smtp, self._login
        what = {
            smtp.SMTPAuthenticationError: f"the login as {login.user}",
            smtp.SMTPSenderRefused: "the sender",
            smtp.SMTPDataError: "the mail",
        }.get(type(error))
        if what is not None and _FINAL <= error.code < _FINAL + 100:
            return Refused(f"{login.host} refused {what}: {_said(error)}")
        return Retry(f"{login.host} does not take {what or 'mail'} now: {_said(error)}")

    def _nobody(self, answers: Mapping[str, str]) -> Retry | Refused:
        if any(said.startswith("4") for said in answers.values()):
            return Retry(f"{self._login.host} put off {listed(answers)}")
        return Refused(f"{self._login.host} refused {listed(answers)}")

    def _broken(self, error: Exception) -> str:
        where = f"{self._login.host}:{self._login.port}"
        if tls := explain(error):
            return f"{where}: {tls}"
        if isinstance(error, TimeoutError):
            return f"{where} did not answer within {STEP_S} s"
        if isinstance(error, self._smtp.SMTPServerDisconnected):
            return f"{where} hung up"
        if isinstance(error, OSError):
            return f"{where} cannot be reached: {truncated(str(error.__cause__ or error), _SHOWN)}"
        return f"{where}: {truncated(str(error), _SHOWN)}"


async def _tcp(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(STEP_S):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, address)
        except BaseException:
            opened.close()
            raise
    return opened


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return truncated(f"{error.code} {error.message}", _SHOWN)


def listed(answers: Mapping[str, str]) -> str:
    """Addresses with what the server said of each."""
    return ", ".join(f"{address} ({said})" for address, said in answers.items())
