"""`GET /api/v1/incidents`, `GET /api/v1/incidents/{number}`, `GET /api/v1/activity`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api import openapi, shapes
from gateway.api.openapi import Operation, Parameter
from gateway.api.query import LARGEST_PAGE, choice, flag, page, word
from gateway.api.speaker import user_named
from gateway.problem import ProblemError
from gateway.store import reading
from gateway.store.search import OPEN, Wanted, search
from receivers.base import SHOWN_ALERTS
from routing.alerts import alert_key
from routing.incident_records import Incident, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from config.users import UserConfig
    from gateway.auth import Auth
    from gateway.plan import PlanInForce
    from gateway.store.store import Store

_STATUSES: Final[Mapping[str, frozenset[Status]]] = {
    "open": OPEN,
    "triggered": frozenset((Status.TRIGGERED,)),
    "acknowledged": frozenset((Status.ACKNOWLEDGED,)),
    "resolved": frozenset((Status.RESOLVED,)),
    "all": frozenset(Status),
}


class Incidents(TypedDict):
    """Incidents, the newest first."""

    incidents: list[shapes.Incident]


class Story(shapes.Incident):
    """All that is known of one incident: at most 50 of its alerts, who was told, and what happened when.

    `next` is what comes if nobody does anything, null for nothing; `related` are open incidents that have an
    alert in common with it.
    """

    next: shapes.Coming | None
    related: list[shapes.Incident]

    alerts: list[shapes.Alert]
    deliveries: list[shapes.Delivery]
    timeline: list[shapes.Line]


class ActivityLine(shapes.Line):
    """A line of the timeline of some incident."""

    incident: int | None


class Activity(TypedDict):
    """What happened last, to any incident, the newest first."""

    activity: list[ActivityLine]


def routes(
    store: Store, plan: PlanInForce, auth: Auth, external_url: Callable[[], str]
) -> list[web.RouteDef]:
    """The routes; `external_url` is asked at each request, since a reload changes it."""

    async def index(request: web.Request) -> web.Response:
        token = auth.allow(request, "read")
        wanted = Wanted(
            statuses=_STATUSES[choice(request, "status", tuple(_STATUSES))],
            team=word(request, "team"),
            severity=word(request, "severity"),
            person=_person(request, token, plan.last.config.users),
        )
        found = await search(store, wanted, page(request))
        return web.json_response({"incidents": [shapes.incident(one, external_url()) for one in found]})

    async def show(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        number = int(request.match_info["number"])
        if (body := await describe(store, number, external_url(), plan)) is None:
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


async def describe(
    store: Store, number: int, external_url: str, plan: PlanInForce | None = None
) -> Story | None:
    """All that is shown of one incident: itself, at most `SHOWN_ALERTS` alerts, who is told, its timeline.

    None where there is none with this number. What comes next and what is related is known by the `plan`
    alone. Raises `StoreUnavailableError`.
    """
    if (found := await reading.incident(store, number)) is None:
        return None
    shard, incident = found
    lines = await reading.timeline(store, shard, number)
    deliveries = await reading.deliveries_of(store, shard, number)
    gid = incident.gid or next((fields["gid"] for fields in deliveries), "")
    alerts = await _alerts(store, gid, over=incident.status is Status.RESOLVED) if gid else []
    related = await _related(store, plan, gid, alerts) if plan and incident.open else []
    return {
        **shapes.incident(incident, external_url),
        "next": shapes.coming(incident, plan) if plan else None,
        "related": [shapes.incident(one, external_url) for one in related],
        "alerts": alerts,
        "deliveries": [shapes.delivery(fields) for fields in deliveries],
        "timeline": [shapes.line(line) for line in lines],
    }


async def _related(
    store: Store, plan: PlanInForce, gid: str, alerts: Iterable[shapes.Alert]
) -> list[Incident]:
    """Open incidents of other groups that have one of these alerts."""
    if (placing := plan.placing) is None:
        return []
    places = {
        place.gid
        for alert in alerts
        if alert["status"] == "firing"
        for place in placing.placed(alert_key(alert["labels"]), alert["labels"]).places
    } - {gid}
    found = [await reading.incident_of_group(store, other) for other in sorted(places)]
    return [one for _, one in filter(None, found) if one.open]


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


def _person(request: web.Request, token: str, users: Iterable[UserConfig]) -> str:
    """Whose incidents are asked for, "" for everybody's."""
    known = tuple(users)
    if flag(request, "mine"):
        if not (owner := user_named(token, known)):
            said = "the token has no user's name" if token else "there are no tokens here"
            raise ProblemError(400, f"mine: nobody knows who you are, since {said}. Say person=NAME.")
        return owner
    asked = word(request, "person")
    return user_named(asked, known) or asked


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/incidents",
        "List incidents",
        "read",
        Incidents,
        "The newest first.",
        parameters=(
            openapi.one_of("status", "open: triggered or acknowledged.", *_STATUSES),
            openapi.text("team", "Only those of this team."),
            openapi.text("severity", "Only those of this severity."),
            openapi.text("person", "Only those that this user has acknowledged, or was told of in person."),
            Parameter(
                "mine",
                "The same, of the user whose name the token has.",
                {"type": "string", "enum": ["true", "false"], "default": "false"},
            ),
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
