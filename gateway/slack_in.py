"""What Slack posts to us: `POST /slack/interactions` and `POST /slack/commands`.

A request is answered as soon as it is known to be Slack's (`slack_signature.py`) and was taken by
`slack_events.py`; the work comes after that, since Slack gives three seconds. One that is sent again, with
its good signature, is refused.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import orjson
import structlog
from aiohttp import web

from config.secret import SecretError
from config.slack_app import signing_secrets
from gateway import slack_signature
from gateway.problem import ProblemError
from gateway.slack_events import NotTakenError
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.slack_app import SlackAppConfig
    from gateway.slack_events import Kind, SlackEvents

log = structlog.get_logger()

MAX_BODY: Final = 512 * 1024  # a press brings along the whole message
MAX_FIELDS: Final = 100
READ_S: Final = 2.0


def routes(
    events: SlackEvents, app: Callable[[], SlackAppConfig], clock: Callable[[], float] = time.time
) -> list[web.RouteDef]:
    """The two addresses that Slack is told; `clock` tells the seconds by which signatures are judged."""

    async def interactions(request: web.Request) -> web.Response:
        fields = await _signed(request, app(), clock)
        try:
            payload = orjson.loads(fields.get("payload", ""))
        except ValueError:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, "Expected a field `payload` that holds JSON."
            ) from None
        return await _taken("interactive", payload)

    async def commands(request: web.Request) -> web.Response:
        fields = await _signed(request, app(), clock)
        if fields.get("ssl_check") == "1":
            return web.Response()
        return await _taken("slash_commands", fields)

    async def _taken(kind: Kind, payload: Any) -> web.Response:
        try:
            async with asyncio.timeout(READ_S):
                await events.take(kind, payload)
        except NotTakenError as error:
            log.warning("slack.not_taken", reason=str(error))
            raise ProblemError(error.status, f"Not taken: {error}.") from None
        except TimeoutError:
            raise StoreUnavailableError("Redis does not answer in time", 1) from None
        return web.Response()

    return [web.post("/slack/interactions", interactions), web.post("/slack/commands", commands)]


async def _signed(request: web.Request, app: SlackAppConfig, clock: Callable[[], float]) -> Mapping[str, str]:
    """The fields of a request that Slack has signed."""
    try:
        secrets = await asyncio.to_thread(signing_secrets, app)
    except SecretError as error:
        log.warning("slack.no_secret", error=str(error))
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "The signing secret cannot be read.") from None
    if not secrets:
        detail = "Nothing is taken from Slack here: slack.signing_secret is not configured."
        raise ProblemError(HTTPStatus.NOT_FOUND, detail)
    body = await _body(request)
    timestamp = request.headers.get(slack_signature.TIMESTAMP, "")
    given = request.headers.get(slack_signature.SIGNATURE, "")
    if reason := slack_signature.refusal(secrets, timestamp, given, body, clock()):
        log.warning("slack.refused", reason=reason, remote=request.remote)
        raise ProblemError(HTTPStatus.UNAUTHORIZED, f"This is no request of Slack's: {reason}.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "Expected a form in UTF-8, as Slack sends it.") from None


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > MAX_BODY:
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MAX_BODY} bytes.", closes=True)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > MAX_BODY:
                    detail = f"At most {MAX_BODY} bytes."
                    raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, closes=True)
    except TimeoutError:
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "The body came too slowly.", closes=True) from None
    return bytes(body)
