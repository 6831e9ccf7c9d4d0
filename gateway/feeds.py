"""Addresses of calendars that others subscribe to: who is on call, as iCal.

A calendar program cannot log in, so the address carries a token: a signature of what it shows, made with the
key that links in mails are signed with (`links.py`). It shows that one schedule, or that one person's shifts,
and allows nothing else. A new key makes all addresses invalid; while two keys are configured, both count.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from itsdangerous import Signer

from gateway import ical
from gateway.ical import Entry
from routing import oncall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.links import Links
    from gateway.oncall import OnCall

Kind = Literal["schedules", "users"]

PARAMETER: Final = "token"
DAY: Final = 86_400_000
PAST: Final = 31 * DAY
AHEAD: Final = 190 * DAY
_SALT: Final = "tocsin.feed"


class Feeds:
    """Makes addresses and what is read there."""

    def __init__(self, links: Links, on_call: OnCall) -> None:
        self._links = links
        self.on_call = on_call

    async def path(self, kind: Kind, name: str) -> str:
        """Where the calendar is, with its token.

        Raises:
            SecretError: the configured key cannot be read.
            StoreUnavailableError: the store, which has the key, is away.
        """
        token = (await self._signer()).get_signature(_what(kind, name)).decode()
        return f"/api/v1/{kind}/{quote(name, safe='')}.ics?{PARAMETER}={token}"

    async def allows(self, kind: Kind, name: str, token: str) -> bool:
        """Whether the token is this calendar's; raises as `path`."""
        given = token.encode(errors="replace")
        return (await self._signer()).verify_signature(_what(kind, name), given)

    async def _signer(self) -> Signer:
        keys = await self._links.keys()
        return Signer([*reversed(keys)], salt=_SALT, key_derivation="hmac", digest_method=sha256)

    def of_schedule(self, name: str, now: int) -> str:
        """The calendar of a schedule: its shifts, with who is on call as their titles."""
        schedule = self.on_call.schedules[name]
        found = oncall.shifts(schedule, now - PAST, now + AHEAD, self.on_call.overrides(name))
        entries = [Entry(name, one, ", ".join(one.people)) for one in found if one.people]
        return ical.write(f"On call: {name}", entries, now)

    def of_person(self, person: str, now: int) -> str:
        """The calendar of a person: their shifts in all schedules."""
        entries = sorted(self._own(person, now), key=lambda entry: entry.shift.start)
        return ical.write(f"On call: {person}", entries, now)

    def _own(self, person: str, now: int) -> Iterator[Entry]:
        for name, schedule in self.on_call.schedules.items():
            found = oncall.shifts(schedule, now - PAST, now + AHEAD, self.on_call.overrides(name))
            for shift in oncall.by_person(found).get(person, ()):
                yield Entry(f"{name}-{person}", shift, f"On call: {name}")


def _what(kind: Kind, name: str) -> bytes:
    return f"{kind}/{name}".encode()
