"""Signed links: who got a mail answers with it, without a login.

Makes the token in a link and reads it again. A token names one incident and one person, or the addresses that
the mail went to, and when it was made. It holds no secret, and nobody makes or changes one without the key.
It is good for `auth.link_expires`. What a link allows is up to `web/link.py`.

The key is `auth.link_secret`: several, separated by white space, while one replaces another; the first
signs, each is accepted. Where there is none, one is made once and kept in the store.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import structlog
from itsdangerous import BadData, URLSafeSerializer

from config.auth import link_keys
from config.secret import SecretError
from gateway.store import keys
from gateway.store.unavailable import StoreUnavailableError
from receivers.filters import truncated
from receivers.mail_addresses import AddressError, addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.schema import Config
    from gateway.store.store import Store
    from receivers.base import Message

log = structlog.get_logger()

PATH: Final = "/link/"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.-]{20,1000}")
_SALT: Final = "tocsin.link"
_ADDRESS: Final = 80


class LinkError(ValueError):
    """This link cannot be used; the message says why to whoever followed it. `expired`: it could be once."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: the incident's number, for whom it was made, and when (milliseconds).

    `person` is a user's name; "" where the mail went to `address`, which may be several people's.
    """

    number: int
    person: str
    address: str
    made_at: int

    @property
    def by(self) -> str:
        """Who answers, in words."""
        return self.person or f"somebody at {self.address}"


class Links:
    """Makes and reads links by the configuration in force."""

    def __init__(self, store: Store, config: Callable[[], Config]) -> None:
        self._store = store
        self._config = config

    async def url(self, message: Message, to: str) -> str:
        """The address of a link for the person of `message`, or for whoever reads a mail to `to`.

        "" where there is nothing to answer, and where none can be made now: a page does not wait for a link.
        """
        if not message.answerable or message.status != "firing":
            return ""
        try:
            names = [one.addr_spec for one in addresses(to, "to")]
            link = Link(message.incident, message.person or self._user_of(names), _listed(names), message.now)
            token = await self._token(link)
        except AddressError:  # there will be no mail either; the receiver says why
            return ""
        except (SecretError, StoreUnavailableError) as error:
            log.warning("link.not_made", incident=message.incident, error=str(error))
            return ""
        return f"{message.external_url.rstrip('/')}{PATH}{token}"

    async def _token(self, link: Link) -> str:
        whom = (link.person,) if link.person else ("", link.address)
        signer = _signer(await self.keys())
        return str(signer.dumps([link.number, link.made_at // 1_000, *whom]))

    async def read(self, token: str, now: int) -> Link:
        """What `token` says.

        Raises:
            LinkError: it was not made here, has been changed, is too old, or is for somebody who is not among
                the users any more.
            StoreUnavailableError: the store, which has the key, is away.
        """
        if not _TOKEN.fullmatch(token):
            raise _invalid()
        try:
            link = _link(_signer(await self.keys()).loads(token))
        except SecretError as error:
            log.warning("link.not_read", error=str(error))
            raise LinkError("Links cannot be checked now: Tocsin cannot read its own key.") from None
        except (BadData, TypeError, ValueError):
            raise _invalid() from None
        if now - link.made_at > self._config().auth.link_expires:
            raise LinkError(
                f"This link to incident #{link.number} is too old. A newer mail has a newer one.",
                expired=True,
            )
        if link.person and all(link.person != user.name for user in self._config().users):
            raise LinkError(f"This link was made for {link.person}, who is not among the users any more.")
        return link

    def _user_of(self, names: list[str]) -> str:
        """The user who alone has the only address that the mail goes to, "" for nobody."""
        mailbox = [name.lower() for name in names]
        found = [user.name for user in self._config().users if [user.email.strip().lower()] == mailbox]
        return found[0] if len(found) == 1 else ""

    async def keys(self) -> list[str]:
        """The one that signs first. Raises `SecretError`, `StoreUnavailableError`."""
        if given := link_keys(self._config().auth):
            return given
        if kept := await self._store.read("GET", keys.LINK_KEY):
            return [str(kept)]
        await self._store.write("SET", keys.LINK_KEY, secrets.token_urlsafe(32), "NX")
        return [str(await self._store.read("GET", keys.LINK_KEY))]


def _signer(given: list[str]) -> URLSafeSerializer:
    """It signs with the last of its keys and accepts each."""
    how: dict[str, Any] = {"key_derivation": "hmac", "digest_method": sha256}
    return URLSafeSerializer([*reversed(given)], salt=_SALT, signer_kwargs=how)


def _link(values: Any) -> Link:
    number, seconds, person, *address = values
    return Link(int(number), str(person), str(address[0]) if address else "", int(seconds) * 1_000)


def _listed(names: list[str]) -> str:
    first = truncated(names[0], _ADDRESS)
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more"


def _invalid() -> LinkError:
    return LinkError(
        "This link was not made here, or a part of it is missing. "
        "Open it from the mail itself, or copy the whole of it."
    )
