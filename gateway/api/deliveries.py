"""`GET /api/v1/deliveries`, `POST /api/v1/deliveries/{id}/retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

import structlog
from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api import openapi, shapes
from gateway.api.openapi import Operation
from gateway.api.query import LARGEST_PAGE, choice, page
from gateway.problem import ProblemError
from gateway.store import reading

if TYPE_CHECKING:
    from gateway.auth import Auth
    from gateway.store.store import Store

log = structlog.get_logger()


class Deliveries(TypedDict):
    """Deliveries, those of the newest incidents first."""

    deliveries: list[shapes.Delivery]


def routes(store: Store, auth: Auth) -> list[web.RouteDef]:
    """The routes."""

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        state = cast(
            "Literal['open', 'dead', 'done', 'all']",
            choice(request, "state", ("all", "open", "dead", "done")),
        )
        found = await reading.deliveries(store, state, page(request))
        return web.json_response({"deliveries": [shapes.delivery(fields) for fields in found]})

    async def retry(request: web.Request) -> web.Response:
        who = auth.allow(request, "respond")
        did = request.match_info["id"]
        answer = await store.revive(did)
        if answer == "unknown":
            raise ProblemError(404, f"There is no delivery {did}.")
        if answer == "alive":
            raise ProblemError(409, f"The delivery {did} is not dead: it needs no retry.")
        log.info("delivery.revived", delivery=did, by=who)
        fields = await reading.delivery(store, did)
        return web.json_response(shapes.delivery(fields or {"id": did}))

    return [
        web.get("/api/v1/deliveries", index),
        web.post(r"/api/v1/deliveries/{id:\d{1,15}\.\d{1,4}}/retry", retry),
    ]


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/deliveries",
        "List deliveries",
        "read",
        Deliveries,
        "Who is told what, and what became of it. `dead`: given up.",
        parameters=(
            openapi.one_of("state", "Which.", "all", "open", "dead", "done"),
            openapi.limit(LARGEST_PAGE),
        ),
    ),
    Operation(
        "POST",
        "/api/v1/deliveries/{id}/retry",
        "Try a dead delivery again, now",
        "respond",
        shapes.Delivery,
        parameters=(openapi.part("id", "The delivery's id.", pattern=r"^\d{1,15}\.\d{1,4}$"),),
        refusals={409: "It is not dead: it needs no retry."},
    ),
)
