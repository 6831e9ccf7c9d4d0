"""How a page is made and sent: without script, without anything loaded from elsewhere, kept by nobody.

What came with alerts is escaped. Which pages there are say `incident.py` and `link.py`.
"""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from multidict import CIMultiDict

from gateway.problem import ProblemError, request_id
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.Response]]

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_TITLES: Final = {401: "A token is needed", 403: "Not allowed", 404: "Not found", 503: "Not now"}


def render(
    name: str, referrer: Literal["same-origin", "no-referrer"] = "no-referrer", **values: Any
) -> web.Response:
    """The page of the template `name`.

    With `no-referrer` a browser does not say from where a form was sent either; what asks for the same origin
    (`gateway/auth.py`) needs `same-origin`, which tells other sites as little.
    """
    text = _TEMPLATES.get_template(name).render(values)
    # A lone surrogate, which JSON may carry, has no UTF-8.
    body = text.encode(errors="replace")
    headers = {**_HEADERS, "Referrer-Policy": referrer}
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)


def in_words(handler: Handler) -> Handler:
    """`handler`, whose problems are pages too: a browser is answered, and no program."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ProblemError as error:
            problem = error
        except StoreUnavailableError as error:
            wait = str(max(1, error.retry_after_s))
            detail = f"The store cannot be asked now: {error}. Try again in {wait} s; alerts are not lost."
            problem = ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": wait})
        usual = _TITLES.get(problem.status, HTTPStatus(problem.status).phrase)
        title = problem.more.get("title", usual)
        page = render("problem.html", title=title, detail=problem.detail, request_id=request_id(request))
        page.set_status(problem.status)
        page.headers.extend(CIMultiDict(problem.headers))
        if problem.closes:
            page.force_close()
        return page

    return answer


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
