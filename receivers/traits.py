"""What each kind of receiver can do, and which target it shares a queue for, told by its configuration alone.

Nothing that sends is imported here: a simulation asks too, and is not to wait for what it does not use.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from config.schema import SecretError, reveal
from receivers.base import Traits
from receivers.filters import truncated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import BaseModel, SecretStr

    from config.schema import EmailConfig, PagerDutyConfig, SlackConfig, WebhookConfig

CHANNEL_ID: Final = re.compile(r"[CGD][A-Z0-9]{7,}")
_SHOWN: Final = 200


def of(kind: str, config: BaseModel) -> Traits:
    """Facts about one integration; `kind` is a key of `kinds.MODULES`."""
    return _OF[kind](config)


def pagerduty(config: PagerDutyConfig) -> Traits:
    """Four at once for a key; a repeated trigger changes what is shown, so every update is sent."""
    key = _secret(
        config.routing_key or config.service_key, config.routing_key_file or config.service_key_file
    )
    return Traits(slots=4, edits=True, updates=True, target=f"pagerduty:{_digits('pagerduty', key)}")


def slack(config: SlackConfig) -> Traits:
    """One at a time in a channel. With a webhook nothing can be edited, so updates are not sent."""
    if config.has_token:
        return Traits(slots=1, edits=True, updates=True, target=f"slack:{_channel(config.channel)}")
    address = _secret(config.api_url, config.api_url_file)
    return Traits(slots=1, edits=False, updates=False, target=f"slack-webhook:{_digits('slack', address)}")


def email(config: EmailConfig) -> Traits:
    """One mail at a time for a server; a mail cannot be changed, so only rings and the end are sent."""
    return Traits(
        slots=1, edits=False, updates=False, target=f"email:{config.smarthost}", where=_readers(config.to)
    )


def webhook(config: WebhookConfig) -> Traits:
    """Eight posts at once for an address; a machine wants every change, so updates are posted too.

    The target is the whole address, since one that hangs or says 429 must not hold back its neighbours on
    the same server. A path can be a secret, so only a few digits of a hash tell them apart.
    """
    from yarl import URL  # noqa: PLC0415 - only where there are webhooks

    try:
        address = reveal(config.url, config.url_file)
        url = URL(address)
    except (SecretError, ValueError):  # `send` will say so
        return Traits(slots=8, edits=False, updates=True, target="webhook:unknown")
    where = f"{url.host}:{url.port}/{_digits('webhook', address)}"
    return Traits(slots=8, edits=False, updates=True, target=f"webhook:{where}")


_OF: Final[dict[str, Callable[[Any], Traits]]] = {
    "pagerduty": pagerduty,
    "slack": slack,
    "email": email,
    "webhook": webhook,
}


def _secret(secret: SecretStr | None, file: Path | None) -> str:
    """The secret, or why it cannot be read: `send` will say so, and the file's name serves as well."""
    try:
        return reveal(secret, file)
    except SecretError as error:
        return str(error)


def _digits(kind: str, secret: str) -> str:
    """Eight digits that tell one secret from another and say nothing about it."""
    return sha256(f"tocsin {kind} {secret}".encode()).hexdigest()[:8]


def _channel(channel: str) -> str:
    """One name for `alerts` and `#alerts`; ids and @names stay as they are."""
    return channel if CHANNEL_ID.fullmatch(channel) or channel[:1] in "#@" else f"#{channel}"


@lru_cache(maxsize=512)
def _readers(to: str) -> str:
    """`ops@example.com, db@example.com`: who reads it, without their names, on one line."""
    from receivers.mail_addresses import AddressError, addresses  # noqa: PLC0415 - only where there is mail

    try:
        return truncated(", ".join(one.addr_spec for one in addresses(to, "to")), _SHOWN)
    except AddressError:  # `send` will say so
        return truncated(to, _SHOWN)
