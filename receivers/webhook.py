"""Webhook: every change of an incident is posted as Alertmanager would post it, signed if there is a secret.

Decides how a request is made and what its answer means; the body is `webhook_body.py`'s. A repeat carries the
same `X-Tocsin-Delivery`, so the one who receives it can tell it from news. Answers: 2xx took it; 408, 425,
429 and 5xx may take it later (RFC 9110, RFC 6585); whatever else is 4xx never will. Of redirects only 307 and
308 are followed: the others would turn the post into a GET without a body.
"""

from __future__ import annotations

import asyncio
import re
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from config.schema import SecretError
from receivers.base import Refused, Retry, Sent
from receivers.filters import truncated
from receivers.tls import TLSFileError, explain
from receivers.webhook_body import write_body
from receivers.webhook_request import Request, in_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.schema import WebhookConfig
    from receivers.base import Message, Outcome

TIMEOUT_S: Final = 10
_CONNECT_S: Final = 5
_KEEP_S: Final = (
    2  # an idle connection; servers close theirs after 2 s (gunicorn) or more, and then a post is lost
)
_REDIRECTS: Final = 3
_EXCERPT: Final = 200
_READ: Final = 4_096
_LATER: Final = frozenset({408, 425, 429})
_RATE_LIMITED_MS: Final = 10_000  # where a 429 does not say how long
_LONGEST_WAIT_MS: Final = 3_600_000


def create() -> WebhookReceiver:
    """A receiver with a session, but without connections yet."""
    return WebhookReceiver()


class WebhookReceiver:
    """Posts to any address over one session; connections are shared by server, TLS and proxy."""

    def __init__(self) -> None:
        # No limit for a server: the slots of each address limit it, and one that hangs takes only its own.
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=_KEEP_S)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"Tocsin/{_version()}", "Accept-Encoding": "identity"},
        )

    async def send(self, config: WebhookConfig, message: Message, memory: Mapping[str, Any]) -> Outcome:  # noqa: ARG002 - the delivery's id in the header makes a memory needless
        """Post `message`. See `Receiver.send`."""
        try:
            if in_memory(config):
                request = Request.of(config)
            else:
                request = await asyncio.to_thread(Request.of, config)
        except (SecretError, TLSFileError) as error:
            return Retry(str(error))
        except ValueError as error:
            return Refused(str(error))
        request.sign(message, await write_body(message, config.max_alerts))
        try:
            return await self._post(request, config, message.now)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Retry(f"{request.where} cannot be reached: {request.hide(_why(error))}")
        except TimeoutError:
            return Retry(f"{request.where} did not answer within {_seconds(config):g} s", unknown=True)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            return Refused(f"{request.where} redirects to what is no web address")
        except (aiohttp.ClientError, OSError) as error:
            return Retry(f"{request.where} hung up: {request.hide(_why(error))}", unknown=True)

    async def close(self) -> None:
        """Close the session and its connections."""
        await self._session.close()

    async def _post(self, request: Request, config: WebhookConfig, now: int) -> Outcome:
        limits = aiohttp.ClientTimeout(total=_seconds(config), sock_connect=_CONNECT_S)
        follow = config.http_config is None or config.http_config.follow_redirects
        for _ in range(_REDIRECTS + 1):
            async with self._session.post(
                request.url,
                data=request.body,
                headers=request.headers,
                proxy=request.proxy,
                ssl=request.tls,
                server_hostname=request.server_name,
                timeout=limits,
                allow_redirects=False,
            ) as answer:
                if 200 <= answer.status < 300:
                    await _read(answer, _READ)  # to the end, if that is near: the connection is used again
                    return Sent()
                if not (follow and answer.status in (307, 308) and "Location" in answer.headers):
                    return _meaning(request, answer, await _read(answer, _READ), now)
                if not request.follow(answer.headers["Location"]):
                    return Refused(f"{request.where} redirects from https to http, which is not followed")
        return Refused(f"{request.where} redirects more than {_REDIRECTS} times")


def _meaning(request: Request, answer: aiohttp.ClientResponse, body: bytes, now: int) -> Outcome:
    """What an answer that is not 2xx means."""
    text = truncated(request.hide(body.decode(errors="replace")), _EXCERPT)
    reason = f"{request.where} answered {answer.status}" + (f": {text}" if text else "")
    status = answer.status
    if status not in _LATER and status < 500:
        hint = " (only 307 and 308 keep a post's body)" if 300 <= status < 400 else ""
        return Refused(reason + hint)
    after = retry_after(answer.headers.get("Retry-After", ""), now)
    if status == 429:
        return Retry(reason, after if after is not None else _RATE_LIMITED_MS, closes_target=True)
    return Retry(reason, after, closes_target=status == 503 and after is not None)


def retry_after(value: str, now: int) -> int | None:
    """Milliseconds of a `Retry-After`, seconds or a date; at most an hour, None if it says nothing."""
    value = value.strip()
    if re.fullmatch(r"\d{1,9}", value, re.ASCII):
        wait = int(value) * 1000
    else:
        try:
            wait = int(parsedate_to_datetime(value).timestamp() * 1000) - now
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait, 0), _LONGEST_WAIT_MS)


def _seconds(config: WebhookConfig) -> float:
    return config.timeout / 1000 or TIMEOUT_S


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The beginning of the answer; what is longer is not read."""
    read = b""
    while len(read) < limit and (more := await answer.content.read(limit - len(read))):
        read += more
    return read


def _why(error: BaseException) -> str:
    if tls := explain(error):
        return tls
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection within {_CONNECT_S} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        return truncated(error.os_error.strerror or str(error.os_error), _EXCERPT)
    return truncated(str(error), _EXCERPT) or type(error).__name__


@cache
def _version() -> str:
    try:
        return version("tocsin")
    except PackageNotFoundError:  # run from a checkout
        return "0"
