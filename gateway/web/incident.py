"""`GET /incidents/{number}`, where the link of every message leads, and `GET /`: the incidents that are open.

Pages to look at, on a phone at night too: without script, without anything loaded from elsewhere, and what
came with alerts is escaped. They show what `GET /api/v1/incidents/{number}` says, and change nothing.
"""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from multidict import CIMultiDict

from gateway.api import shapes
from gateway.api.incidents import describe
from gateway.problem import ProblemError, request_id
from gateway.store import reading
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.auth import Auth
    from gateway.store.store import Store

    Handler = Callable[[web.Request], Awaitable[web.Response]]

LISTED: Final = 200
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TITLES: Final = {401: "A token is needed", 403: "Not allowed", 404: "Not found", 503: "Not now"}


def routes(store: Store, auth: Auth, external_url: Callable[[], str]) -> list[web.RouteDef]:
    """The two pages; `external_url` is asked at each request, since a reload changes it."""

    async def show(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        given = request.match_info["number"]
        known = given.isascii() and given.isdecimal() and len(given) <= 15
        found = await describe(store, int(given), external_url()) if known else None
        if found is None:
            detail = f"There is no incident #{given[:20]}, or it is older than what is kept."
            raise ProblemError(HTTPStatus.NOT_FOUND, detail)
        return _page("incident.html", incident=found)

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        found = await reading.incidents(store, "open", LISTED)
        shown = [shapes.incident(one, external_url()) for one in found]
        return _page("incidents.html", incidents=shown, limit=LISTED)

    return [web.get("/incidents/{number}", _in_words(show)), web.get("/", _in_words(index))]


def _in_words(handler: Handler) -> Handler:
    """`handler`, whose problems are pages too: a browser is answered, and no program."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ProblemError as error:
            problem = error
        except StoreUnavailableError as error:
            wait = str(max(1, error.retry_after_s))
            detail = f"The store cannot be read now: {error}. Try again in {wait} s; alerts are not lost."
            problem = ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": wait})
        title = _TITLES.get(problem.status, HTTPStatus(problem.status).phrase)
        page = _page("problem.html", title=title, detail=problem.detail, request_id=request_id(request))
        page.set_status(problem.status)
        page.headers.extend(CIMultiDict(problem.headers))
        return page

    return answer


def _page(name: str, **values: Any) -> web.Response:
    text = _TEMPLATES.get_template(name).render(values)
    # A lone surrogate, which JSON may carry, has no UTF-8.
    body = text.encode(errors="replace")
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=_HEADERS)


def _link(url: str) -> str:
    """`url` where it is one that a browser may safely follow, else ""."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _own(alert: Mapping[str, Any], incident: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an alert that its incident does not say already."""
    return {name: value for name, value in alert["labels"].items() if incident["labels"].get(name) != value}


def _said(alert: Mapping[str, Any]) -> str:
    notes = alert["annotations"]
    return str(notes.get("summary") or notes.get("description") or alert["labels"].get("alertname") or "")


def _time(moment: str) -> str:
    """`2026-11-24 08:31:05 UTC` of what `shapes.moment` made."""
    return f"{moment[:10]} {moment[11:19]} UTC"


_TEMPLATES: Final = Environment(
    loader=PackageLoader("gateway", "web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"link": _link, "own": _own, "said": _said, "time": _time}
