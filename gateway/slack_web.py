"""What we say to Slack beside messages: answers that only one person sees, and requests for a connection.

It goes to Slack's own hosts alone, through the proxy and with the certificates that `global` names. It keeps
one session; what messages are sent over is the receiver's own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from receivers.tls import TLSFileError, client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from config.schema import Config

log = structlog.get_logger()

TIMEOUT_S: Final = 10
MAX_TEXT: Final = 3_500
MAX_MESSAGE: Final = 1 << 20
HEARTBEAT_S: Final = 20.0  # a connection whose other side is gone is noticed after this and a half
_HOOKS: Final = ("hooks.slack.com", "hooks.slack-gov.com")


class SlackConnectionError(Exception):
    """No connection can be opened now. The message says why; `advice` whether people must do something."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


class SlackWeb:
    """One process's way to Slack for answers and connections."""

    def __init__(self, config: Callable[[], Config]) -> None:
        """`config` is asked each time: a reload may change address and proxy."""
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    async def whisper(self, response_url: str, text: str) -> None:
        """Answers at the address that came with a press or a command; only who pressed sees it.

        `text` is in Slack's notation. A failure is logged: what was asked for has been done all the same.
        """
        if not self._trusted(response_url):
            log.warning("slack.answer_unaddressed", advice="its response_url is none of Slack's")
            return
        shown = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
        body = {"response_type": "ephemeral", "replace_original": False, "text": shown}
        try:
            tls = await self._tls()
            async with self._client().post(
                response_url, json=body, ssl=tls, proxy=self._proxy(), allow_redirects=False
            ) as answer:
                if answer.status >= 400:
                    log.warning("slack.answer_refused", status=answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError, TLSFileError) as error:
            log.warning("slack.not_answered", reason=type(error).__name__)

    async def connect(self, token: str) -> aiohttp.ClientWebSocketResponse:
        """Opens a connection of Socket Mode for the app with this token.

        Raises:
            SlackConnectionError: Slack refuses it, or cannot be reached.
        """
        address = f"{self._config().global_.slack_app_url}apps.connections.open"
        try:
            tls = await self._tls()
            headers = {"Authorization": f"Bearer {token}"}
            async with self._client().post(
                address, headers=headers, ssl=tls, proxy=self._proxy(), allow_redirects=False
            ) as answer:
                said = await answer.json(content_type=None)
            url = said.get("url") if isinstance(said, dict) and said.get("ok") is True else None
            if not isinstance(url, str):
                raise _refused(said)
            return await self._client().ws_connect(
                url,
                heartbeat=HEARTBEAT_S,
                max_msg_size=MAX_MESSAGE,
                ssl=tls,
                proxy=self._proxy(),
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # Never the error's own text: the address that it may name holds a ticket.
            raise SlackConnectionError(f"Slack cannot be reached ({type(error).__name__})") from None
        except TLSFileError as error:
            raise SlackConnectionError(str(error)) from None

    async def close(self) -> None:
        """Closes the session, and connections with it."""
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=TIMEOUT_S)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(timeout=limits, trust_env=True, cookie_jar=jar)
        return self._session

    def _proxy(self) -> str | None:
        http = self._config().global_.http_config
        return http.proxy_url.get_secret_value() if http and http.proxy_url else None

    async def _tls(self) -> ssl.SSLContext:
        http = self._config().global_.http_config
        return await asyncio.to_thread(client_context, http.tls_config if http else None)

    def _trusted(self, url: str) -> bool:
        """One of Slack's, or where the configuration says that Slack is (tests, a proxy that rewrites)."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        api = urlsplit(self._config().global_.slack_app_url)
        if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
            return True
        return parts.scheme == "https" and parts.netloc in _HOOKS


_ADVICE: Final = {
    "invalid_auth": "put the app-level token (xapp-...) of the app into slack.app_token",
    "not_authed": "put the app-level token (xapp-...) of the app into slack.app_token",
    "not_allowed_token_type": "slack.app_token wants an app-level token (xapp-...), not a bot's",
    "missing_scope": "give the app-level token the scope connections:write",
    "account_inactive": "the app was removed: install it again",
    "token_revoked": "the token was revoked: make another one and put it into slack.app_token",
    "socket_mode_not_enabled": "switch Socket Mode on in the app's settings",
}


def _refused(said: Any) -> SlackConnectionError:
    code = said.get("error") if isinstance(said, dict) else None
    known = isinstance(code, str) and code.replace("_", "").isalnum() and len(code) <= 60
    return SlackConnectionError(
        f"Slack refuses it: {code if known else 'no reason given'}", _ADVICE.get(str(code), "")
    )
