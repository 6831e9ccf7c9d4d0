"""Mail addresses as configurations write them: a list with commas, with names or without."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Final

from receivers.filters import truncated

MAX_RECIPIENTS: Final = 100
_NAME: Final = 100
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,255}")


class AddressError(ValueError):
    """An address in `to` or `from` is none; the message quotes it and says what was expected."""


def addresses(text: str, key: str) -> tuple[Address, ...]:
    """The addresses in a comma separated list. A domain with letters beyond ASCII is written in punycode.

    Raises:
        AddressError: there is none, one is malformed, or there are more than 100.
    """
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise AddressError(f"{key}: {text!r} has a control character; expected addresses and commas")
    found = [_address(name, spec, key) for name, spec in getaddresses([text]) if name or spec]
    if not found:
        raise AddressError(f"{key}: {text!r} is no address; expected one such as ops@example.com")
    if len(found) > MAX_RECIPIENTS:
        raise AddressError(f"{key}: {len(found)} addresses; at most {MAX_RECIPIENTS} are taken")
    return tuple(found)


def _address(name: str, spec: str, key: str) -> Address:
    if not _ADDRESS.fullmatch(spec):
        raise AddressError(f"{key}: {spec or name!r} is no address; expected one such as ops@example.com")
    user, _, domain = spec.partition("@")
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        raise AddressError(f"{key}: {domain!r} is no domain") from None
    return Address(truncated(name, _NAME), user, domain)
