"""`/link/{token}`: where the link in a mail leads, for whoever has the mail, without a login.

The token allows one thing: to see one incident, and to answer it in the name of one person. Looking (GET,
HEAD) changes nothing, since mail scanners and previews follow every link. A POST of the page's form answers.
No other site can send one without the token, and the page tells nobody its address.
"""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aiohttp import web

from gateway.links import PATH, Link, LinkError
from gateway.problem import ProblemError
from gateway.store import reading
from gateway.web.pace import Pace
from gateway.web.page import in_words, render

if TYPE_CHECKING:
    from gateway.links import Links
    from gateway.store.store import Store
    from gateway.web.desk import Desk

VIA: Final = "mail link"
LOOKS_A_MINUTE: Final = 120
PRESSES_A_MINUTE: Final = 20
_ROUNDED_MS: Final = 1_000  # a token has its time in whole seconds


def routes(store: Store, links: Links, desk: Desk) -> list[web.RouteDef]:
    """The page."""
    looks, presses = Pace(LOOKS_A_MINUTE, 60), Pace(PRESSES_A_MINUTE, 60)

    async def followed(request: web.Request, pace: Pace) -> Link:
        try:
            link = await links.read(request.match_info["token"], await store.now())
        except LinkError as error:
            raise _no_link(str(error), HTTPStatus.GONE if error.expired else HTTPStatus.FORBIDDEN) from None
        if wait := pace.wait((link.number, link.by)):
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "This link is followed too often. Wait a minute; nothing is lost.",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        found = await reading.incident(store, link.number)
        if found and found[1].opened_at > link.made_at + _ROUNDED_MS:  # the store was begun anew
            raise _no_link("This link is about an incident that is not kept any more.", HTTPStatus.GONE)
        return link

    async def show(request: web.Request) -> web.Response:
        link = await followed(request, looks)
        return render("incident.html", **await desk.page(request, link.number, link.by), login=False)

    async def press(request: web.Request) -> web.Response:
        link = await followed(request, presses)
        return await desk.press(request, link.number, link.by, VIA)

    return [web.get(PATH + "{token}", in_words(show)), web.post(PATH + "{token}", in_words(press))]


def _no_link(detail: str, status: HTTPStatus) -> ProblemError:
    return ProblemError(status, detail, title="This link does not work")
