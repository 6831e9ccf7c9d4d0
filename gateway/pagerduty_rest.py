"""What PagerDuty's webhooks leave out, read by its REST API: keys of an incident's alerts, mail addresses.

It only reads, and only if there is a token. Rules: PagerDuty's API reference, "List alerts for an incident"
(`alert_key`, `limit`, `more`) and "Get a user" (`email`).
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import orjson

from config.secret import SecretError, reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.pagerduty_app import PagerDutyAppConfig

TIMEOUT_S: Final = 5.0
MAX_BYTES: Final = 4 * 1024 * 1024
PAGE: Final = 100
PAGES: Final = 10
KNOWN_FOR_S: Final = 3_600.0
KNOWN_AT_MOST: Final = 1_000

_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")


class RestError(Exception):
    """It could not be read; the message says why, and never shows the token."""


class PagerDutyRest:
    """One process's connection to the REST API, made when it is first needed."""

    def __init__(self, app: Callable[[], PagerDutyAppConfig]) -> None:
        self._app = app
        self._session: aiohttp.ClientSession | None = None
        self._emails: dict[str, tuple[float, str]] = {}

    async def alert_keys(self, incident: str) -> tuple[str, ...]:
        """The keys of all alerts that PagerDuty has put into an incident.

        Raises:
            RestError: they cannot be read now.
        """
        found: list[str] = []
        for page in range(PAGES):
            query = {"limit": str(PAGE), "offset": str(page * PAGE)}
            document = await self._get("incidents", incident, "/alerts", query)
            alerts = document.get("alerts")
            for alert in alerts if isinstance(alerts, list) else ():
                key = alert.get("alert_key") if isinstance(alert, dict) else None
                if isinstance(key, str) and key:
                    found.append(key)
            if document.get("more") is not True:
                break
        return tuple(dict.fromkeys(found))

    async def email(self, person: str) -> str:
        """The mail address of a user of PagerDuty, remembered for an hour; "" if they have none.

        Raises:
            RestError: it cannot be read now.
        """
        now = asyncio.get_running_loop().time()
        known = self._emails.get(person)
        if known and known[0] > now:
            return known[1]
        user = (await self._get("users", person)).get("user")
        email = user.get("email") if isinstance(user, dict) else None
        if len(self._emails) >= KNOWN_AT_MOST:
            self._emails.clear()
        self._emails[person] = now + KNOWN_FOR_S, email if isinstance(email, str) else ""
        return self._emails[person][1]

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(
        self, what: str, identity: str, below: str = "", query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        if not _ID.fullmatch(identity):
            raise RestError(f"no id of PagerDuty's: {identity[:64]!r}")
        app = self._app()
        try:
            token = reveal(app.api_token, app.api_token_file)
        except SecretError as error:
            raise RestError(str(error)) from None
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        headers = {"Authorization": f"Token token={token}", "Accept": "application/json"}
        url = f"{app.api_url}/{what}/{identity}{below}"
        try:
            async with self._session.get(
                url, params=query, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise RestError(f"HTTP {response.status} to GET /{what}/{identity}{below}")
                document = orjson.loads(await _read(response))
        except TimeoutError:
            raise RestError(f"no answer within {TIMEOUT_S:.0f} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise RestError(f"GET /{what}/{identity}{below}: {type(error).__name__}") from None
        return document if isinstance(document, dict) else {}


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > MAX_BYTES:
            raise RestError(f"an answer of more than {MAX_BYTES} bytes")
    return bytes(body)
