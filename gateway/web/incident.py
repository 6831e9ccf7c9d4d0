"""`/incidents/{number}`, where the link of every message leads, and `/`: the incidents that are open.

Pages to look at, on a phone at night too. They show what `GET /api/v1/incidents/{number}` says, and change
nothing. Who may answer (scope `respond`) has buttons there, which post to the same address.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aiohttp import web

from gateway.api import shapes
from gateway.api.speaker import speaker
from gateway.problem import ProblemError
from gateway.store import reading
from gateway.web.desk import no_such_incident
from gateway.web.page import in_words, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.auth import Auth
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from gateway.web.desk import Desk

LISTED: Final = 200
VIA: Final = "page"


def routes(
    store: Store, auth: Auth, plan: PlanInForce, desk: Desk, external_url: Callable[[], str]
) -> list[web.RouteDef]:
    """The two pages; `external_url` is asked at each request, since a reload changes it."""

    def who_answers(request: web.Request) -> str:
        return speaker(auth.allow(request, "respond"), "", plan.config.users).by

    async def show(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        by = ""
        with suppress(ProblemError):  # who may only look sees no buttons
            by = who_answers(request)
        shown = await desk.page(request, _number(request), by)
        return render("incident.html", "same-origin", **shown, login=True)

    async def press(request: web.Request) -> web.Response:
        by = who_answers(request)
        return await desk.press(request, _number(request), by, VIA)

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        found = await reading.incidents(store, "open", LISTED)
        shown = [shapes.incident(one, external_url()) for one in found]
        return render("incidents.html", "same-origin", incidents=shown, limit=LISTED)

    return [
        web.get("/incidents/{number}", in_words(show)),
        web.post("/incidents/{number}", in_words(press)),
        web.get("/", in_words(index)),
    ]


def _number(request: web.Request) -> int:
    given = request.match_info["number"]
    if not (given.isascii() and given.isdecimal() and len(given) <= 15):
        raise no_such_incident(given)
    return int(given)
