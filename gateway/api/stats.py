"""`GET /api/v1/stats`: how soon incidents are answered and solved, and how often people are rung."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast, get_args

from aiohttp import web
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.values import parse_duration
from gateway import stats
from gateway.api import openapi, shapes
from gateway.api.openapi import Operation, Parameter
from gateway.api.query import choice
from gateway.problem import ProblemError
from routing.stats import By, Office, Tally, Zones
from routing.wall_clock import clock

if TYPE_CHECKING:
    from config.compile import Plan
    from gateway.auth import Auth
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from routing.stats import Row, Spread

OFFICE: Final = "09:00-18:00"
SINCE: Final = "30d"

_OFFICE: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)


class Durations(TypedDict):
    """Seconds: the mean, and what half of them and nine of ten do not exceed; null where there are none."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None


class Stats(TypedDict):
    """Of one team, severity, alert or person; `name` is null for those that have none.

    `acknowledged_share`: of all of them, from 0 to 1. `pages`: rings that reached a person, by whatever way,
    or PagerDuty; `pages_out_of_hours`: those on weekends, and those before or after `office`, by the clock
    where they live.
    """

    name: str | None
    incidents: int
    open: int
    acknowledged: int
    acknowledged_share: float | None
    time_to_acknowledge: Durations
    time_to_resolve: Durations
    pages: int
    pages_out_of_hours: int


class AllStats(TypedDict):
    """`total` counts each incident once."""

    by: By
    since: str | None
    until: str | None
    office: str
    rows: list[Stats]
    total: Stats


def routes(store: Store, plan: PlanInForce, auth: Auth) -> list[web.RouteDef]:
    """The route."""

    async def show(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        by = cast("By", choice(request, "by", get_args(By)))
        now = await store.now()
        since = _since(request.query.get("since", SINCE), now)
        written, office = _office(request.query.get("office", OFFICE))
        inforce = plan.current.plan
        tally = Tally(by, office, _zones(inforce, request.query.get("zone", "UTC")))
        async for incident, pages in stats.triggered(store, since, now + 1):
            tally.add(incident, pages)
        body: AllStats = {
            "by": by,
            "since": shapes.moment(since),
            "until": shapes.moment(now),
            "office": written,
            "rows": [_shape(row) for row in tally.rows(inforce.severities.names if by == "severity" else ())],
            "total": _shape(tally.total()),
        }
        return web.json_response(body)

    return [web.get("/api/v1/stats", show)]


def _since(text: str, now: int) -> int:
    """A duration before now, or a time with its zone."""
    try:
        return max(0, now - parse_duration(text))
    except PydanticCustomError:
        pass
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return max(0, int(at.timestamp() * 1_000))
    except (ValueError, OverflowError):
        pass
    raise ProblemError(
        400,
        f"since is a duration such as 30d, or a time such as 2026-11-23T08:00:00Z; this is {text[:40]!r}.",
    )


def _office(text: str) -> tuple[str, Office]:
    found = _OFFICE.fullmatch(text)
    if found:
        start, end = (int(found[at]) * 60 + int(found[at + 1]) for at in (1, 3))
        if start < end <= 24 * 60:
            return text, Office(start, end)
    raise ProblemError(400, f"office is a time of day such as {OFFICE}; this is {text[:40]!r}.")


def _zones(plan: Plan, default: str) -> Zones:
    """People live where they say; a team, where its on-call schedule's clock hangs."""
    try:
        clock(default or "nowhere", 0)  # without a name it would be taken
    except (LookupError, ValueError, OSError):
        raise ProblemError(
            400, f"zone is a time zone such as Europe/Berlin; {default[:40]!r} is none that is known here."
        ) from None
    schedules = {team: plan.schedules.get(plan.directory.on_call_of(team)) for team in (*plan.teams, "")}
    return Zones(
        people={user.name: user.time_zone for user in plan.config.users},
        teams={team: schedule.time_zone for team, schedule in schedules.items() if schedule},
        default=default,
    )


def _shape(row: Row) -> Stats:
    return {
        "name": row.name or None,
        "incidents": row.incidents,
        "open": row.open,
        "acknowledged": row.acknowledged,
        "acknowledged_share": round(row.acknowledged / row.incidents, 4) if row.incidents else None,
        "time_to_acknowledge": _durations(row.to_acknowledge),
        "time_to_resolve": _durations(row.to_resolve),
        "pages": row.pages,
        "pages_out_of_hours": row.pages_outside,
    }


def _durations(spread: Spread) -> Durations:
    def seconds(value: int | None) -> float | None:
        return None if value is None else value / 1_000

    return {
        "count": spread.count,
        "mean": seconds(spread.mean),
        "p50": seconds(spread.p50),
        "p90": seconds(spread.p90),
    }


def _text(name: str, about: str, default: str) -> Parameter:
    return Parameter(name, about, {"type": "string", "minLength": 1, "maxLength": 64, "default": default})


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/stats",
        "Sum up incidents by team, severity, alert or person",
        "read",
        AllStats,
        "Of those that were triggered since then and that are still kept (`redis.retention`).",
        parameters=(
            openapi.one_of("by", "What each row is about.", *get_args(By)),
            _text("since", "A duration before now, or a time with its zone (RFC 3339).", SINCE),
            _text("office", "When people are at work, from Monday to Friday.", OFFICE),
            _text("zone", "Where those live of whom the configuration does not say it.", "UTC"),
        ),
    ),
)
