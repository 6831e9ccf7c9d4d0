"""`GET /incidents/{number}`, where the link of every message leads, and `GET /`: the incidents that are open.

Pages to look at, on a phone at night too: without script, without anything loaded from elsewhere, and what
came with alerts is escaped. They show what `GET /api/v1/incidents/{number}` says, and change nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aiohttp import web

from gateway.api import shapes
from gateway.api.incidents import describe
from gateway.problem import ProblemError
from gateway.store import reading
from gateway.web.page import in_words, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.auth import Auth
    from gateway.store.store import Store

LISTED: Final = 200


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
        return render("incident.html", incident=found)

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        found = await reading.incidents(store, "open", LISTED)
        shown = [shapes.incident(one, external_url()) for one in found]
        return render("incidents.html", incidents=shown, limit=LISTED)

    return [web.get("/incidents/{number}", in_words(show)), web.get("/", in_words(index))]
