"""`GET /api/v1/incidents/{number}/why`: each decision about an incident, and if it would be the same today.

Every decision was recorded with what it was made from (`gateway/store/decisions.py`). It is made again by the
configuration that is in force and by who is on call as it is known now; nothing is changed by that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal

import structlog
from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api import openapi, shapes
from gateway.api.openapi import Operation
from gateway.problem import ProblemError
from gateway.store import reading
from gateway.store.decisions import decisions
from routing.events import Due
from routing.recorded import DIGITS, replayed
from routing.whom import whom
from routing.why import differences, happened, seen, status_of, tells

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.auth import Auth
    from gateway.book import PlanBook
    from gateway.plan import PlanInForce
    from gateway.store.store import Store
    from routing.recorded import Recorded
    from routing.why import Tells

log = structlog.get_logger()


class ToldBy(TypedDict):
    """Somebody whom a decision told.

    `heard`: a ring is to be heard, an update changes what is shown, a notice is told and makes no sound.
    `step` is that of the `policy`, from 1; both are null where no step wanted it.
    """

    who: str
    heard: Literal["ring", "update", "notice", "end"]
    reason: str
    policy: str | None
    step: int | None


class Decision(TypedDict):
    """One decision.

    `happened` says what it was about, `seen` what was counted, `status` what the incident was and became.
    `told` and `timeline` are what followed, `due` when it was to be looked at next. `plan` begins the digest
    of the configuration by which it was made. `today` lists what the same decision would be now, where that
    is something else; it is empty where it would be the same.
    """

    at: str | None
    happened: str
    seen: str
    status: str
    told: list[ToldBy]
    timeline: list[str]
    due: str | None
    plan: str
    today: list[str]


class Why(shapes.Incident):
    """An incident with the decisions about it, the oldest first.

    `plan` begins the digest of the configuration in force. Only the newest 200 decisions are kept: `complete`
    says whether these are all, as far as they can be read.
    """

    plan: str
    complete: bool
    decisions: list[Decision]


def routes(
    store: Store, plan: PlanInForce, auth: Auth, external_url: Callable[[], str]
) -> list[web.RouteDef]:
    """The route; `external_url` is asked at each request, since a reload changes it."""

    async def show(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        number = int(request.match_info["number"])
        if (found := await reading.incident(store, number)) is None:
            raise ProblemError(404, f"There is no incident #{number}, or it is older than the retention.")
        shard, incident = found
        kept = await decisions(store, shard, number)
        names = await _names(store, shard, number)
        shown = []
        for one in kept.decisions:
            shown.append(_decision(one, plan, names))
            await asyncio.sleep(0)  # each is made anew, and others have their turn
        begins = bool(kept.decisions) and not kept.decisions[0].incident.number
        body: Why = {
            **shapes.incident(incident, external_url()),
            "plan": plan.current.plan.digest[:DIGITS],
            "complete": begins and not kept.unreadable,
            "decisions": shown,
        }
        return web.json_response(body)

    return [web.get(r"/api/v1/incidents/{number:\d{1,15}}/why", show)]


async def _names(store: Store, shard: int, number: int) -> dict[str, str]:
    """Whom each delivery tells, by its id and by its place."""
    found: dict[str, str] = {}
    for one in await reading.deliveries_of(store, shard, number):
        shown = whom(one["kind"], one["receiver"], one.get("where") or one["target"], one.get("person", ""))
        found[one["id"]] = found[one["place"]] = shown
    return found


def _decision(one: Recorded, plan: PlanInForce, names: dict[str, str]) -> Decision:
    book = plan.book(one.now if isinstance(one.event, Due) else 0)  # as the engine and the answers do
    then = tells(one, one.decided, lambda at: names.get(at, at))
    return {
        "at": shapes.moment(one.now),
        "happened": happened(one, book),
        "seen": seen(one),
        "status": status_of(one.incident, one.decided),
        "told": [_told(each) for each in then],
        "timeline": [line.text for line in one.decided.lines],
        "due": shapes.moment(one.decided.deadline),
        "plan": one.plan,
        "today": _today(one, plan, book, names),
    }


def _told(one: Tells) -> ToldBy:
    return {
        "who": one.who,
        "heard": one.heard,
        "reason": one.reason,
        "policy": one.policy or None,
        "step": one.step or None,
    }


def _today(one: Recorded, plan: PlanInForce, book: PlanBook, names: dict[str, str]) -> list[str]:
    """What it would be now. What cannot be decided any more keeps nobody from seeing what was."""

    def name(at: str) -> str:
        if at in names:
            return names[at]
        try:
            fields = book.fields(at, one.incident)
        except KeyError:
            return at
        return whom(fields["kind"], fields["receiver"], fields["where"], fields["person"])

    try:
        quiet = plan.current.quiet(one.incident.route, one.now)
        return differences(one, replayed(one, book, quiet), name)
    except Exception as error:
        log.exception("decision.not_replayed", incident=one.incident.number)
        return [f"it could not be decided now: {type(error).__name__}"]


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/incidents/{number}/why",
        "Show every decision about an incident",
        "read",
        Why,
        "Each is made again by the configuration in force; `today` says what would come out otherwise.",
        parameters=(openapi.NUMBER,),
    ),
)
