"""`GET /api/v1/incidents`, `GET /api/v1/incidents/{number}`, `GET /api/v1/activity`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api import openapi, shapes
from gateway.api.openapi import Operation
from gateway.api.query import LARGEST_PAGE, choice, page
from gateway.problem import ProblemError
from gateway.store import reading
from receivers.base import SHOWN_ALERTS
from routing.incident_records import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.auth import Auth
    from gateway.store.store import Store


class Incidents(TypedDict):
    """Incidents, the newest first."""

    incidents: list[shapes.Incident]


class Story(shapes.Incident):
    """All that is known of one incident: at most 50 of its alerts, who was told, and what happened when."""

    alerts: list[shapes.Alert]
    deliveries: list[shapes.Delivery]
    timeline: list[shapes.Line]


class ActivityLine(shapes.Line):
    """A line of the timeline of some incident."""

    incident: int | None


class Activity(TypedDict):
    """What happened last, to any incident, the newest first."""

    activity: list[ActivityLine]


def routes(store: Store, auth: Auth, external_url: Callable[[], str]) -> list[web.RouteDef]:
    """The routes; `external_url` is asked at each request, since a reload changes it."""

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        status = cast(
            "Literal['open', 'resolved', 'all']", choice(request, "status", ("open", "resolved", "all"))
        )
        found = await reading.incidents(store, status, page(request))
        return web.json_response({"incidents": [shapes.incident(one, external_url()) for one in found]})

    async def show(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        number = int(request.match_info["number"])
        if (body := await describe(store, number, external_url())) is None:
            raise ProblemError(404, f"There is no incident #{number}, or it is older than the retention.")
        return web.json_response(body)

    async def activity(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        lines = await reading.activity(store, page(request))
        body: list[ActivityLine] = [
            {**shapes.line(line), "incident": line["incident"] or None} for line in lines
        ]
        return web.json_response({"activity": body})

    return [
        web.get("/api/v1/incidents", index),
        web.get(r"/api/v1/incidents/{number:\d{1,15}}", show),
        web.get("/api/v1/activity", activity),
    ]


async def describe(store: Store, number: int, external_url: str) -> Story | None:
    """All that is shown of one incident: itself, at most `SHOWN_ALERTS` alerts, who is told, its timeline.

    None where there is none with this number. Raises `StoreUnavailableError`.
    """
    if (found := await reading.incident(store, number)) is None:
        return None
    shard, incident = found
    lines = await reading.timeline(store, shard, number)
    deliveries = await reading.deliveries_of(store, shard, number)
    gid = incident.gid or next((fields["gid"] for fields in deliveries), "")
    return {
        **shapes.incident(incident, external_url),
        "alerts": await _alerts(store, gid, over=incident.status is Status.RESOLVED) if gid else [],
        "deliveries": [shapes.delivery(fields) for fields in deliveries],
        "timeline": [shapes.line(line) for line in lines],
    }


async def _alerts(store: Store, gid: str, *, over: bool) -> list[shapes.Alert]:
    found: list[shapes.Alert] = []
    if not over:
        async for alerts in reading.alerts(store, gid, "f", 0, reading.EVER):
            found += [shapes.alert(one, resolved=False) for one in alerts]
            if len(found) >= SHOWN_ALERTS:
                return found[:SHOWN_ALERTS]
        held = await reading.held(store, gid, SHOWN_ALERTS - len(found))
        found += [shapes.alert(one, resolved=False, held=by) for one, by in held]
    async for alerts in reading.alerts(store, gid, "e", 0, reading.EVER):
        found += [shapes.alert(one, resolved=True) for one in alerts]
        if len(found) >= SHOWN_ALERTS:
            break
    return found[:SHOWN_ALERTS]


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/incidents",
        "List incidents",
        "read",
        Incidents,
        "The newest first.",
        parameters=(
            openapi.one_of("status", "Which.", "open", "resolved", "all"),
            openapi.limit(LARGEST_PAGE),
        ),
    ),
    Operation(
        "GET", "/api/v1/incidents/{number}", "Show an incident", "read", Story, parameters=(openapi.NUMBER,)
    ),
    Operation(
        "GET",
        "/api/v1/activity",
        "List what happened last",
        "read",
        Activity,
        parameters=(openapi.limit(LARGEST_PAGE),),
    ),
)
