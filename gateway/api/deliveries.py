"""`GET /api/v1/deliveries`, `POST /api/v1/deliveries/{id}/retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import structlog
from aiohttp import web

from gateway.api import shapes
from gateway.api.incidents import choice, page
from gateway.problem import ProblemError
from gateway.store import reading

if TYPE_CHECKING:
    from gateway.auth import Auth
    from gateway.store.store import Store

log = structlog.get_logger()


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
