"""Who is on call, and who was and will be: `/api/v1/oncall`, `/api/v1/schedules`.

A time in the query may be written without a zone: then it is meant by the clock of each schedule.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal

from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.problems import did_you_mean
from gateway import oncall_view as view
from gateway import stats
from gateway.api import openapi
from gateway.api.openapi import Operation, Parameter
from gateway.api.shapes import moment
from gateway.oncall_view import TimeError
from gateway.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.auth import Auth
    from gateway.named_calendars import State
    from gateway.oncall import OnCall
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from routing.oncall import Schedule

WEEK: Final = "+7d"
MONTH: Final = "-28d"
MOST_SHIFTS: Final = 20_000


class ShownCalendar(TypedDict):
    """A calendar that a schedule names; `where` shows of an address only its server.

    `error` says why it could not be read at `tried_at`, null where it could. `unknown` is what in it names no
    user.
    """

    where: str
    says: Literal["people", "holidays"]
    read_at: str | None
    tried_at: str | None
    error: str | None
    unknown: list[str]


class ShownSchedule(view.OnDuty):
    """A schedule, as it stands now."""

    layers: list[str]
    calendars: list[ShownCalendar]


class Schedules(TypedDict):
    """All schedules, in the order of the configuration."""

    schedules: list[ShownSchedule]


def routes(on_call: OnCall, plan: PlanInForce, store: Store, auth: Auth) -> list[web.RouteDef]:
    """The routes."""

    async def who(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        now, states = await store.now(), await on_call.calendars.states()
        text = request.query.get("at", "now")
        _when(text, "UTC", now)  # it is read strictly even where there are no schedules

        def found() -> list[view.OnDuty]:
            return [
                view.on_duty(one, on_call.overrides(one.name), _when(text, one.time_zone, now), states)
                for one in on_call.schedules.values()
            ]

        return web.json_response(view.OnCallAt(schedules=await asyncio.to_thread(found)))

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        now, states = await store.now(), await on_call.calendars.states()

        def found() -> list[ShownSchedule]:
            return [
                {
                    **view.on_duty(one, on_call.overrides(one.name), now, states),
                    "layers": [layer.name for layer in one.layers],
                    "calendars": [_calendar(state) for state in states if state.schedule == one.name],
                }
                for one in on_call.schedules.values()
            ]

        return web.json_response(Schedules(schedules=await asyncio.to_thread(found)))

    async def shifts(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        schedule, now = schedule_named(on_call, request.match_info["name"]), await store.now()
        since, until = _span(request, schedule.time_zone, now)
        overrides, person = on_call.overrides(schedule.name), request.query.get("person", "")
        found = await asyncio.to_thread(view.shifts, schedule, overrides, (since, until), person)
        if len(found["shifts"]) > MOST_SHIFTS:
            raise ProblemError(400, f"to: these are more than {MOST_SHIFTS} shifts; ask for less time.")
        return web.json_response(found)

    async def report(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        now, name = await store.now(), request.query.get("schedule", "")
        chosen = [schedule_named(on_call, name)] if name else list(on_call.schedules.values())
        since, until = _span(request, chosen[0].time_zone if chosen else "UTC", now, MONTH, "now")
        zones = view.zones(plan.last.config.users)
        overrides = [kept.override for kept in on_call.kept]
        pages = await _pages(store, since, until)
        made = await asyncio.to_thread(view.loads, chosen, overrides, (since, until), zones, pages)
        return web.json_response(made)

    return [
        web.get("/api/v1/oncall", who),
        web.get("/api/v1/oncall/report", report),
        web.get("/api/v1/schedules", index),
        web.get("/api/v1/schedules/{name}/shifts", shifts),
    ]


def schedule_named(on_call: OnCall, name: str) -> Schedule:
    """The schedule. Raises `ProblemError` 404 where there is none."""
    found = on_call.schedules.get(name)
    if found is None:
        near = did_you_mean(name, list(on_call.schedules))
        raise ProblemError(404, f"The configuration has no schedule {name[:80]!r}{near}.")
    return found


def _calendar(state: State) -> ShownCalendar:
    return {
        "where": state.calendar.where,
        "says": "holidays" if state.calendar.holidays else "people",
        "read_at": moment(state.read_at),
        "tried_at": moment(state.tried_at),
        "error": state.error or None,
        "unknown": list(state.unknown),
    }


def _when(text: str, location: str, now: int) -> int:
    try:
        return view.when(text, location, now)
    except TimeError as error:
        raise ProblemError(400, f"at: {error}.") from None


async def _pages(store: Store, since: int, until: int) -> Counter[str]:
    """How often each person was told between these moments, of an incident that was triggered then."""
    found: Counter[str] = Counter()
    async for _, pages in stats.triggered(store, since, until):
        found.update(page.person for page in pages if page.person and since <= page.at < until)
    return found


def _span(
    request: web.Request, location: str, now: int, first: str = "now", last: str = WEEK
) -> tuple[int, int]:
    try:
        return view.span(request.query.get("from", first), request.query.get("to", last), location, now)
    except TimeError as error:
        raise ProblemError(400, f"from, to: {error}.") from None


# --- as OpenAPI ----------------------------------------------------------------------------------------


def _time(name: str, about: str, default: str) -> Parameter:
    forms = f"{about} RFC 3339, or without a zone by the schedule's clock, `now`, or from now `+2h`, `-28d`."
    text: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 40, "default": default}
    return Parameter(name, forms, text)


_TO: Final = "Until when, at most 400 days later."
_SPAN: Final = (_time("from", "From when on.", "now"), _time("to", _TO, WEEK))
_LAST: Final = (_time("from", "From when on.", MONTH), _time("to", _TO, "now"))
NAME: Final = openapi.part("name", "The schedule's name.")
SCHEDULE: Final = Parameter("schedule", "Only of this schedule.", {"type": "string"})
_UNKNOWN: Final = {404: "There is no such schedule."}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/oncall",
        "Say who is on call",
        "read",
        view.OnCallAt,
        parameters=(_time("at", "When.", "now"),),
    ),
    Operation("GET", "/api/v1/schedules", "List schedules and who is on call now", "read", Schedules),
    Operation(
        "GET",
        "/api/v1/schedules/{name}/shifts",
        "List shifts, and gaps between them",
        "read",
        view.Shifts,
        parameters=(NAME, *_SPAN, Parameter("person", "Only this person's.", {"type": "string"})),
    ),
    Operation(
        "GET",
        "/api/v1/oncall/report",
        "Say how on-call time is spread over people",
        "read",
        view.Report,
        parameters=(*_LAST, SCHEDULE),
        refusals=_UNKNOWN,
    ),
)
