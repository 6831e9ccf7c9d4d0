"""`/api/v1/overrides`: somebody else is on call for a while.

Those that stand in the configuration are shown with the others, and changed only there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import structlog
from aiohttp import web
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.problems import did_you_mean
from gateway import oncall_view as view
from gateway.api import openapi
from gateway.api.bodies import Body, Duration, Moment, Words, read, refusal
from gateway.api.oncall import SCHEDULE, schedule_named
from gateway.api.openapi import Operation
from gateway.api.query import choice
from gateway.api.shapes import moment
from gateway.api.speaker import speaker
from gateway.problem import ProblemError
from gateway.store.overrides import TooManyOverridesError, UnknownOverrideError
from routing.oncall import Override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.auth import Auth
    from gateway.oncall import OnCall
    from gateway.plan import PlanInForce
    from gateway.store.store import Store

log = structlog.get_logger()

LONGEST: Final = 366 * 86_400_000


class Overrides(TypedDict):
    """Overrides, in the order in which they count: later ones win."""

    overrides: list[view.ShownOverride]


class NewOverride(Body):
    """Who is on call instead, in which schedule, and until when: `end`, or `for`."""

    schedule: Words
    people: Annotated[list[Words], Field(min_length=1, max_length=20)]
    start: Moment | None = Field(None, description="Not given: now.")
    end: Moment | None = None
    for_: Duration | None = Field(None, alias="for")
    instead_of: Words = Field("", description="Only this person is replaced; not given: all are.")
    comment: Annotated[str, StringConstraints(max_length=1_000)] = ""
    by: Words = Field("", description="Who makes it, where that is not the token's own user.")


def routes(on_call: OnCall, plan: PlanInForce, store: Store, auth: Auth) -> list[web.RouteDef]:
    """The routes."""

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        now, name = await store.now(), request.query.get("schedule", "")
        which = choice(request, "state", ("current", "all"))
        chosen = [schedule_named(on_call, name)] if name else on_call.schedules.values()
        found = [view.override(one, now, "file") for schedule in chosen for one in schedule.overrides]
        found += [
            view.override(kept.override, now, "store")
            for kept in on_call.kept
            if name in ("", kept.override.schedule)
        ]
        shown = [one for one in found if which == "all" or one["state"] != "ended"]
        return web.json_response(Overrides(overrides=shown))

    async def add(request: web.Request) -> web.Response:
        token = auth.allow(request, "respond")
        said, now = await read(request, NewOverride), await store.now()
        users = plan.last.config.users
        names = [user.name for user in users]
        by, _ = speaker(token, said.by, users)
        _check("schedule", said.schedule, "schedule", on_call.schedules)
        for person in said.people:
            _check("people", person, "user", names)
        if said.instead_of:
            _check("instead_of", said.instead_of, "user", names)
        start, end = _times(said, now)
        people = tuple(said.people)
        wanted = Override("", said.schedule, start, end, people, said.instead_of, by, said.comment)
        try:
            made = (await on_call.override_store.add(wanted)).override
        except TooManyOverridesError as error:
            raise ProblemError(409, f"{error}.") from None
        await on_call.keep_up()
        log.info(
            "override.added", id=made.id, schedule=made.schedule, people=people, until=moment(end), by=by
        )
        return web.json_response(view.override(made, now, "store"))

    async def remove(request: web.Request) -> web.Response:
        token = auth.allow(request, "respond")
        identity = request.match_info["id"]
        try:
            ended = (await on_call.override_store.remove(identity)).override
        except UnknownOverrideError:
            written = {one.id for known in on_call.schedules.values() for one in known.overrides}
            where = " It stands in the configuration: take it out there." if identity in written else ""
            raise ProblemError(404, f"There is no override {identity[:80]!r} to remove.{where}") from None
        await on_call.keep_up()
        log.info("override.removed", id=ended.id, schedule=ended.schedule, by=token)
        return web.json_response(view.override(ended, await store.now(), "store"))

    return [
        web.get("/api/v1/overrides", index),
        web.post("/api/v1/overrides", add),
        web.delete("/api/v1/overrides/{id}", remove),
    ]


def _times(said: NewOverride, now: int) -> tuple[int, int]:
    """From when to when. Raises `ProblemError` where that makes no sense."""
    if bool(said.end) == bool(said.for_):
        raise refusal("end", "nothing says when it ends, or two fields do; expected end or for")
    start = said.start or now
    end = said.end or start + (said.for_ or 0)
    if end <= max(start, now):
        raise refusal("end", f"it ends before {'it begins' if end <= start else 'now'}")
    if end - start > LONGEST:
        raise refusal("end", "it lasts longer than a year; change the schedule instead")
    return start, end


def _check(field: str, name: str, kind: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        near = did_you_mean(name, names)
        raise refusal(field, f"the configuration has no {kind} {name[:60]!r}{near}")


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/overrides",
        "List overrides of schedules",
        "read",
        Overrides,
        parameters=(openapi.one_of("state", "`current` has not ended.", "current", "all"), SCHEDULE),
        refusals={404: "There is no such schedule."},
    ),
    Operation(
        "POST",
        "/api/v1/overrides",
        "Put somebody else on call for a while",
        "respond",
        view.ShownOverride,
        body=NewOverride,
        refusals={409: "There are too many."},
    ),
    Operation(
        "DELETE",
        "/api/v1/overrides/{id}",
        "End an override now",
        "respond",
        view.ShownOverride,
        "One that has not begun never does.",
        parameters=(openapi.part("id", "The override's id."),),
    ),
)
