"""Errors as a client sees them: RFC 9457 problem documents, each with the request's id.

Whatever goes wrong inside a handler leaves as one of these; what was not foreseen is logged with its
traceback under the same id, and the client is told the id alone. Says nothing about which errors there
are, since the handlers do, but for the one that all of them have in common: the store is away.
"""

from __future__ import annotations

import json
import random
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiohttp import web

from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    Headers = Mapping[str, str] | Sequence[tuple[str, str]]

log = structlog.get_logger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
ID_HEADER: Final = "X-Request-Id"

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_random: Final = random.Random()  # noqa: S311 - names a request in the log; protects nothing
_REQUEST_ID: Final = web.RequestKey("request_id", str)
_KEPT_HEADERS: Final = ("Allow", "Retry-After", "WWW-Authenticate")


class ProblemError(Exception):
    """Ends a request with a problem document.

    Attributes:
        status: the HTTP status, 400 or above.
        detail: for people: what was expected, what came, what to do. Never a secret.
        headers: of the response, such as `Retry-After`.
        closes: the connection is closed after the answer (what is left of the body is not worth reading).
        more: further members of the document.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Headers = (), closes: bool = False, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.closes = closes
        self.more = more


def request_id(request: web.Request) -> str:
    """The request's id: the sender's own `X-Request-Id` if it is a sane one, else made up."""
    return request[_REQUEST_ID] if _REQUEST_ID in request else ""  # noqa: SIM401  # get() knows no types


def document(request: web.Request, status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The members of a problem document; `title` is the status' own phrase."""
    head = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return {**head, "request_id": request_id(request), **more}


def respond(request: web.Request, error: ProblemError) -> web.Response:
    """`error` as a response."""
    body = document(request, error.status, error.detail, **error.more)
    response = web.Response(
        status=error.status,
        body=json.dumps(body).encode(),  # in ASCII: what a client sent may hold what UTF-8 cannot
        content_type=CONTENT_TYPE,
        headers=error.headers,
    )
    if error.closes:
        response.force_close()
    return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives the request its id, and turns every error of a handler into a problem document.

    The id is bound to the log's context, so that every line of the request carries it.
    """
    given = request.headers.get(ID_HEADER, "")
    identity = given if _GIVEN_ID.fullmatch(given) else f"{_random.getrandbits(64):016x}"
    request[_REQUEST_ID] = identity
    structlog.contextvars.bind_contextvars(request_id=identity)
    response = await _answer(request, handler)
    if not response.prepared:
        response.headers[ID_HEADER] = identity
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ProblemError as error:
        return respond(request, error)
    except StoreUnavailableError as error:
        log.warning("http.store_away", method=request.method, route=_route(request), reason=str(error))
        return respond(request, _away(error))
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise  # a redirection is no problem
        kept = [(name, error.headers[name]) for name in _KEPT_HEADERS if name in error.headers]
        return respond(request, ProblemError(error.status, _explain(request, error), headers=kept))
    except Exception as error:
        if isinstance(error, ConnectionError) and (
            request.transport is None or request.transport.is_closing()
        ):
            raise  # the client is gone: nobody to tell, nothing to mend
        log.exception("http.failed", method=request.method, route=_route(request))
        detail = f"Something went wrong here; the log says what, under request {request_id(request)}."
        return respond(request, ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail))


def _away(error: StoreUnavailableError) -> ProblemError:
    wait = max(1, error.retry_after_s)
    detail = f"This cannot be done now: {error}. Try again in {wait} s."
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(wait)})


def _explain(request: web.Request, error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPNotFound):
        return f"There is nothing at {request.rel_url.raw_path}."
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return f"{request.rel_url.raw_path} takes {allowed}, not {error.method}."
    return error.text or error.reason


def _route(request: web.Request) -> str:
    """The route's pattern: a path itself may carry a signed link."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""
