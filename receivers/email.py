"""Email: a new mail for every ring and for the end, threaded by incident.

Decides to whom a mail goes and what it means when some of them are refused. How a mail looks is in
`mail_message.py`, the dialogue with the server in `smtp.py`. A repeat after an unknown outcome has the same
`Message-ID`, so mail programs show it once; who already has a ring is not told of it again when others were
put off (greylisting).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from config.schema import SecretError
from receivers.base import Refused, Retry, Sent
from receivers.mail_addresses import AddressError, addresses
from receivers.mail_message import compose, message_id, needs_utf8
from receivers.render import Renderer
from receivers.smtp import Connection, Login, MailError, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from email.headerregistry import Address

    from config.schema import EmailConfig
    from receivers.base import Message, Outcome

_WHOLE_S: Final = 25  # for a mail with all its commands


def create() -> EmailReceiver:
    """A receiver without connections yet."""
    return EmailReceiver()


class EmailReceiver:
    """Sends mails, over one connection for each server and login, made when first needed."""

    def __init__(self) -> None:
        self._renderer = Renderer()
        self._connections: dict[Login, Connection] = {}

    async def send(self, config: EmailConfig, message: Message, memory: Mapping[str, Any]) -> Outcome:
        """Mail `message`. Memory: `first`, the incident's first `Message-ID`; `told`, who has this ring."""
        try:
            sender = addresses(config.from_, "from")[0]
            ring = f"{message.kind}:{message.ring}"
            told = _told(memory, ring)
            to = [one for one in addresses(config.to, "to") if one.addr_spec not in told]
            login = Login.of(config)
        except AddressError as error:
            return Refused(str(error))
        except SecretError as error:
            return Retry(str(error))
        kept = {"first": memory.get("first") or message_id(message, sender.domain)}
        if not to:
            return Sent(kept)
        mail, note = await asyncio.to_thread(
            compose, config, message, self._renderer, sender, to=to, first=str(memory.get("first") or "")
        )
        answers, outcome = await self._deliver(login, sender, to, mail)
        if isinstance(outcome, Refused) and told:  # the others have it since an earlier attempt
            return Sent(kept, outcome.reason)
        if isinstance(outcome, Retry) and outcome.unknown:  # it may have become the first of its thread
            return replace(outcome, memory={**memory, **kept})
        if outcome is not None:
            return outcome
        put_off = {address: said for address, said in answers.items() if said.startswith("4")}
        if put_off:
            done = sorted(told | {one.addr_spec for one in to} - set(answers))
            reason = f"{login.host} put off {listed(put_off)}; everybody else has the mail"
            return Retry(reason, memory=kept | {"told": {ring: done}})
        refused = f"{login.host} refused {listed(answers)}" if answers else ""
        return Sent(kept, "; ".join(filter(None, (refused, note))))

    async def close(self) -> None:
        """Say goodbye to every server, for a second at most."""
        await asyncio.gather(*(one.quit() for one in self._connections.values()))
        self._connections.clear()

    async def _deliver(
        self, login: Login, sender: Address, to: Sequence[Address], mail: bytes
    ) -> tuple[dict[str, str], Retry | Refused | None]:
        """(who was refused and the server's words, None), or what kept the mail from everybody."""
        connection = self._connections.get(login)
        if connection is None:
            connection = self._connections[login] = Connection(login)
        utf8 = needs_utf8([sender, *to])
        async with connection.lock:
            try:
                async with asyncio.timeout(_WHOLE_S):
                    return await connection.carry(sender, to, mail, utf8=utf8), None
            except TimeoutError:
                reason = f"{login.host} took longer than {_WHOLE_S} s"
                return {}, Retry(reason, unknown=connection.in_doubt)
            except MailError as failure:
                return {}, failure.outcome


def _told(memory: Mapping[str, Any], ring: str) -> set[str]:
    """Who got a mail of this ring already, while others were put off."""
    told = memory.get("told")
    return set(told.get(ring, ())) if isinstance(told, dict) else set()
