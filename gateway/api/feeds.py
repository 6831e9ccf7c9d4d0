"""Calendars that others subscribe to: `/api/v1/schedules/{name}.ics`, `/api/v1/users/{name}.ics`.

Their addresses carry a token of their own, which `.../feed` shows; a token of the API does as well.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.problems import did_you_mean
from config.secret import SecretError
from gateway.api import openapi
from gateway.api.oncall import NAME, schedule_named
from gateway.api.openapi import Operation, Parameter
from gateway.feeds import PARAMETER, Feeds
from gateway.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.auth import Auth
    from gateway.feeds import Kind
    from gateway.plan import PlanInForce
    from gateway.store.store import Store


class Feed(TypedDict):
    """The address of a calendar. It is a secret: whoever has it can read who is on call."""

    url: str


def routes(
    feeds: Feeds,
    plan: PlanInForce,
    store: Store,
    auth: Auth,
    external_url: Callable[[], str],
) -> list[web.RouteDef]:
    """The routes; `external_url` is asked at each request, since a reload changes it."""

    async def schedule(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        await _allow(request, "schedules", name)
        schedule_named(feeds.on_call, name)
        return _calendar(await asyncio.to_thread(feeds.of_schedule, name, await store.now()))

    async def user(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        await _allow(request, "users", name)
        _check_user(plan, name)
        return _calendar(await asyncio.to_thread(feeds.of_person, name, await store.now()))

    async def schedule_feed(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        return await _address("schedules", schedule_named(feeds.on_call, request.match_info["name"]).name)

    async def user_feed(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        _check_user(plan, request.match_info["name"])
        return await _address("users", request.match_info["name"])

    async def _address(kind: Kind, name: str) -> web.Response:
        try:
            path = await feeds.path(kind, name)
        except SecretError as error:
            raise ProblemError(503, f"No address can be made now: {error}.") from None
        return web.json_response(Feed(url=external_url().rstrip("/") + path))

    async def _allow(request: web.Request, kind: Kind, name: str) -> None:
        """Whoever has the calendar's address, or a token of the API."""
        if PARAMETER not in request.query:
            auth.allow(request, "read")
            return
        try:
            allowed = await feeds.allows(kind, name, request.query[PARAMETER])
        except SecretError as error:
            raise ProblemError(503, f"This address cannot be checked now: {error}.") from None
        if not allowed:
            detail = "This address is not valid, or no longer is; `tocsin oncall feed` shows the present one."
            raise ProblemError(403, detail)

    return [
        web.get("/api/v1/schedules/{name}.ics", schedule),
        web.get("/api/v1/users/{name}.ics", user),
        web.get("/api/v1/schedules/{name}/feed", schedule_feed),
        web.get("/api/v1/users/{name}/feed", user_feed),
    ]


def _check_user(plan: PlanInForce, name: str) -> None:
    known = [user.name for user in plan.last.config.users]
    if name not in known:
        raise ProblemError(404, f"The configuration has no user {name[:80]!r}{did_you_mean(name, known)}.")


def _calendar(text: str) -> web.Response:
    headers = {"Cache-Control": "private, max-age=300", "Referrer-Policy": "no-referrer"}
    return web.Response(text=text, content_type="text/calendar", charset="utf-8", headers=headers)


_USER: Final = openapi.part("name", "The user's name.")
_TOKEN: Final = Parameter(
    PARAMETER,
    "What the address that `feed` shows has; else a token of the API is needed.",
    {"type": "string"},
)
_ICAL: Final = "text/calendar"
_OR: Final = "With the address that `feed` shows, no token of the API is needed."

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/schedules/{name}.ics",
        "Subscribe to a schedule, as iCal",
        "read",
        str,
        _OR,
        media=_ICAL,
        parameters=(NAME, _TOKEN),
    ),
    Operation(
        "GET",
        "/api/v1/users/{name}.ics",
        "Subscribe to a person's shifts, as iCal",
        "read",
        str,
        _OR,
        media=_ICAL,
        parameters=(_USER, _TOKEN),
    ),
    Operation(
        "GET",
        "/api/v1/schedules/{name}/feed",
        "Show the address of a schedule's calendar",
        "read",
        Feed,
        parameters=(NAME,),
    ),
    Operation(
        "GET",
        "/api/v1/users/{name}/feed",
        "Show the address of a person's calendar",
        "read",
        Feed,
        parameters=(_USER,),
    ),
)
