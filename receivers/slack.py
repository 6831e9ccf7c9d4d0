"""Slack: one message per incident, edited in place; what must be heard again is said in its thread.

This module is the way in: it picks bot token or webhook and keeps the connections. One attempt with a token
is `slack_telling.py`, how a message looks `slack_message.py`, what an answer means `slack_answers.py`.
Nothing here retries or waits.

With a bot token, the first ring posts. Every further one is a reply in the thread that is also sent to the
channel (`reply_broadcast`), since an edit is silent and a plain reply is heard only by who is in the thread;
then the message is edited. The end is an edit; with `send_resolved` it is also a quiet reply. What is new in
the timeline is written into the thread, quietly, with whatever else is told. Below the message stand the
buttons to answer it (`slack_buttons.py`).
An incoming webhook cannot edit: each ring, and the end, is a new message, and nothing tells whether one whose
answer was lost arrived, so it is posted again.

`chat.postMessage` may not be repeated blindly. What is posted carries the delivery and the ring in its
metadata, and where the outcome of an earlier attempt is unknown, the channel (or the thread) is searched
for it first. Rules: Slack's reference of the methods, "Message metadata", "Rate limits", "Incoming webhooks".
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from config.schema import SecretError, reveal
from receivers.base import Refused, Retry, Sent
from receivers.render import Renderer
from receivers.slack_answers import failure, network_failure
from receivers.slack_lookup import Lookup
from receivers.slack_message import whole_message
from receivers.slack_telling import Telling, author
from receivers.tls import TLSFileError, client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from config.schema import SlackConfig
    from receivers.base import Message, Outcome

TIMEOUT_S: Final = 10  # of one call; an attempt takes one to four, and a few more after an unknown outcome
_CONNECT_S: Final = 5


def create() -> SlackReceiver:
    """A receiver without connections yet; imports slack_sdk."""
    return SlackReceiver()


class SlackReceiver:
    """Posts and edits. One instance serves all channels and workspaces over one session."""

    def __init__(self) -> None:
        from slack_sdk.web.async_client import AsyncWebClient  # noqa: PLC0415 - only where it is used

        self._web_client = AsyncWebClient
        self._log = logging.getLogger("tocsin.slack_sdk")
        self._log.setLevel(logging.WARNING)  # below that the SDK formats every request and answer for it
        limits = aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=_CONNECT_S)
        self._session = aiohttp.ClientSession(
            timeout=limits, trust_env=True, cookie_jar=aiohttp.DummyCookieJar()
        )
        self._renderer = Renderer()
        self._channel_ids: dict[tuple[str, str], str] = {}

    async def send(self, config: SlackConfig, message: Message, memory: Mapping[str, Any]) -> Outcome:
        """Bring the channel to what `message` shows. See `Receiver.send`."""
        try:
            token, address, tls = await asyncio.to_thread(_read, config)
        except (SecretError, TLSFileError) as error:
            return Retry(str(error))
        if not token:
            return await self._by_webhook(address, tls, config, message)
        if not config.channel:
            return Refused("no channel is configured; set `channel` to a #name or an id")
        client = self._web_client(
            token=token,
            base_url=config.app_url,
            session=self._session,
            ssl=tls,
            retry_handlers=[],
            logger=self._log,
        )
        client.proxy = _proxy(config)  # else the SDK would take one from the environment, even for localhost
        lookup = Lookup(client, config.app_url, self._channel_ids)
        return await Telling(client, config, message, self._renderer, lookup).tell(memory)

    async def close(self) -> None:
        """Close the session and its connections."""
        await self._session.close()

    async def _by_webhook(
        self, address: str, tls: ssl.SSLContext, config: SlackConfig, message: Message
    ) -> Outcome:
        if not address:
            return Refused(
                "neither a bot token (`app_token`) nor an incoming webhook (`api_url`) is configured"
            )
        look = await asyncio.to_thread(whole_message, config, message, self._renderer, new=True)
        body = look.arguments() | author(config) | ({"channel": config.channel} if config.channel else {})
        try:
            async with self._session.post(
                address, json=body, proxy=_proxy(config), ssl=tls, allow_redirects=False
            ) as answer:
                said = (await answer.content.read(500)).decode(errors="replace")
                if answer.status == 200:
                    return Sent(note="; ".join(look.notes))
                return failure(said.strip(), answer.status, answer.headers).outcome
        except Exception as error:  # noqa: BLE001 - whatever a network can raise is told apart there
            return network_failure(error).outcome


def _read(config: SlackConfig) -> tuple[str, str, ssl.SSLContext]:
    """The bot token, else the webhook's address, and how Slack is checked: what may stand in files."""
    token = reveal(config.app_token, config.app_token_file)
    address = "" if token else reveal(config.api_url, config.api_url_file)
    return token, address, client_context(config.http_config.tls_config if config.http_config else None)


def _proxy(config: SlackConfig) -> str | None:
    http = config.http_config
    return http.proxy_url.get_secret_value() if http is not None and http.proxy_url is not None else None
