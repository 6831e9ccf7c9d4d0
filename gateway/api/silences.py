"""`/api/v1/silences`: see silences, make, change and end them, and what one would hide beforehand.

A silence that would hide everything is refused with 409 unless the body says `"force": true`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, cast

import structlog
from aiohttp import web

from gateway import payload
from gateway.api import shapes
from gateway.api.query import choice, page
from gateway.api.silence_preview import Preview, preview
from gateway.api.silence_shapes import FIELDS, describe
from gateway.body import read_json_body
from gateway.payload import PayloadError
from gateway.problem import ProblemError
from gateway.store.silences import TooManySilencesError, UnknownSilenceError
from routing.matchers import Matcher, MatcherError, from_json, in_order, parse_matcher, show
from routing.silence_changes import InvalidSilenceError, Wanted, check_matchers
from routing.silences import State, has_all, state
from routing.silences import in_order as listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.auth import Auth
    from gateway.store.silences import SilenceStore
    from gateway.store.store import Store

log = structlog.get_logger()

MAX_BODY: Final = 128 * 1024
READ_MS: Final = 10_000
MAX_FILTERS: Final = 64

Which = Literal["current", "active", "pending", "expired", "all"]
_STATES: Final[dict[Which, tuple[State, ...]]] = {
    "current": (State.ACTIVE, State.PENDING),
    "active": (State.ACTIVE,),
    "pending": (State.PENDING,),
    "expired": (State.EXPIRED,),
    "all": tuple(State),
}


def routes(
    store: Store, silences: SilenceStore, auth: Auth, external_url: Callable[[], str]
) -> list[web.RouteDef]:
    """The routes; `external_url` is asked at each request, since a reload changes it."""

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        states = _STATES[cast("Which", choice(request, "state", tuple(_STATES)))]
        filters, limit = _filters(request), page(request)
        (_, known), now = await silences.load(), await silences.now()
        found = [one for one in known.all if state(one, now) in states and has_all(one, filters)]
        shown = [describe(one, now) for one in listed(found, now)[:limit]]
        return web.json_response({"silences": shown, "total": len(found)})

    async def show_one(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        (_, known), now = await silences.load(), await silences.now()
        if (found := known.find(request.match_info["id"])) is None:
            raise _unknown(request.match_info["id"])
        return web.json_response(describe(found, now))

    async def look_ahead(request: web.Request) -> web.Response:
        try:
            auth.allow(request, "read")
        except ProblemError as error:
            if error.status != 403:
                raise
            auth.allow(request, "respond")  # who may write is shown the same by a refusal
        matchers = _matchers(await _read(request))
        with _explained():
            check_matchers(matchers)
        return web.json_response((await preview(store, matchers)).shape(external_url()))

    async def put(request: web.Request) -> web.Response:
        who = auth.allow(request, "respond")
        body = await _read(request)
        wanted, force = _wanted(body, who), _truth(body, "force")
        with _explained():
            check_matchers(wanted.matchers)
        hides = None if force or await _stands(wanted) else await preview(store, wanted.matchers)
        if hides is not None and hides.refusal:
            _refuse(hides, external_url())
        with _explained():
            change = await silences.put(wanted)
        ended = change.ended.id if change.ended else None
        log.info(
            "silence.written",
            silence=change.silence.id,
            matchers=show(change.silence.matchers),
            until=shapes.moment(change.silence.ends_at),
            by=who or wanted.created_by,
            replaces=ended,
            forced=force,
        )
        body = {"silence": describe(change.silence, change.silence.updated_at), "ended": ended}
        return web.json_response({**body, "hides": hides.shape(external_url()) if hides else None})

    async def _stands(wanted: Wanted) -> bool:
        """Whether the same alerts are silenced by it already: then only its time or its words change."""
        if not wanted.id:
            return False
        (_, known), now = await silences.load(), await silences.now()
        old = known.find(wanted.id)
        return (
            old is not None
            and state(old, now) is not State.EXPIRED
            and in_order(old.matchers) == in_order(wanted.matchers)
        )

    async def expire(request: web.Request) -> web.Response:
        who = auth.allow(request, "respond")
        with _explained():
            ended = await silences.expire(request.match_info["id"])
        log.info("silence.expired", silence=ended.id, by=who)
        return web.json_response(describe(ended, await silences.now()))

    return [
        web.get("/api/v1/silences", index),
        web.post("/api/v1/silences", put),
        web.post("/api/v1/silences/preview", look_ahead),
        web.get("/api/v1/silences/{id}", show_one),
        web.delete("/api/v1/silences/{id}", expire),
    ]


# --- what was sent -------------------------------------------------------------------------------------


async def _read(request: web.Request) -> dict[str, Any]:
    try:
        document = payload.read_json(await read_json_body(request, MAX_BODY, READ_MS))
    except PayloadError as error:
        raise ProblemError(400, f"Expected a JSON object: {error}.") from None
    except ProblemError as error:
        if error.status == 413:  # whose advice is about alerts
            raise ProblemError(413, f"A silence may have {MAX_BODY} bytes.", closes=True) from None
        raise
    if not isinstance(document, dict):
        raise ProblemError(400, 'Expected a JSON object such as {"matchers": [...], "ends_at": ...}.')
    if unknown := sorted(set(document) - set(FIELDS)):
        raise _wrong(unknown[0][:40], f"there is no such field; expected some of {', '.join(FIELDS)}")
    return document


def _wanted(body: dict[str, Any], who: str) -> Wanted:
    ends_at = _time(body, "ends_at")
    if ends_at is None:
        raise _wrong("ends_at", "it is missing; expected a time such as 2026-11-23T08:48:35Z")
    comment = _text(body, "comment")
    if not comment.strip():
        raise _wrong("comment", "it is missing; expected a sentence that says why")
    return Wanted(
        id=_text(body, "id"),
        matchers=_matchers(body),
        starts_at=_time(body, "starts_at"),
        ends_at=ends_at,
        created_by=_text(body, "created_by").strip() or who,
        comment=comment,
        annotations=_annotations(body),
    )


def _matchers(body: dict[str, Any]) -> tuple[Matcher, ...]:
    given = body.get("matchers")
    if not isinstance(given, list):
        raise _wrong("matchers", 'expected a list such as ["alertname=\\"X\\""], or of objects')
    found = []
    for place, one in enumerate(given):
        try:
            found.append(parse_matcher(one) if isinstance(one, str) else from_json(one))
        except MatcherError as error:
            where = f"at character {error.column}, " if isinstance(one, str) else ""
            raise _wrong(f"matchers[{place}]", f"{where}{error}", column=error.column) from None
    return tuple(found)


def _time(body: dict[str, Any], name: str) -> int | None:
    given = body.get(name)
    if given is None:
        return None
    try:
        return payload.read_time(given if isinstance(given, str) else repr(given)[:40])
    except ValueError as error:
        raise _wrong(name, str(error)) from None


def _text(body: dict[str, Any], name: str) -> str:
    given = body.get(name)
    if given is not None and not isinstance(given, str):
        raise _wrong(name, "expected text")
    return given or ""


def _truth(body: dict[str, Any], name: str) -> bool:
    given = body.get(name, False)
    if not isinstance(given, bool):
        raise _wrong(name, "expected true or false")
    return given


def _annotations(body: dict[str, Any]) -> dict[str, str]:
    given = body.get("annotations") or {}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise _wrong("annotations", "expected an object whose values are text")
    return given


def _filters(request: web.Request) -> list[Matcher]:
    given: Sequence[str] = request.query.getall("filter", ())
    if len(given) > MAX_FILTERS:
        raise ProblemError(400, f"filter is given at most {MAX_FILTERS} times; this is {len(given)} times.")
    try:
        return [parse_matcher(one) for one in given]
    except MatcherError as error:
        raise _wrong("filter", f"at character {error.column}, {error}", column=error.column) from None


# --- how it is refused ---------------------------------------------------------------------------------


@contextmanager
def _explained() -> Iterator[None]:
    """What a silence cannot be, as a problem."""
    try:
        yield
    except InvalidSilenceError as error:
        raise _wrong(error.field, str(error)) from None
    except UnknownSilenceError as error:
        raise _unknown(str(error)) from None
    except TooManySilencesError as error:
        raise ProblemError(409, f"{error}.") from None


def _wrong(field: str, message: str, **more: Any) -> ProblemError:
    return ProblemError(400, f"{field}: {message}.", field=field, **more)


def _unknown(identity: str) -> ProblemError:
    return ProblemError(
        404, f"There is no silence {identity[:80]!r}, or it ended longer ago than silences.retention."
    )


def _refuse(hides: Preview, external_url: str) -> NoReturn:
    raise ProblemError(
        409,
        f'{hides.refusal} Narrow it with a matcher, or, if that is meant, send "force": true.',
        preview=hides.shape(external_url),
    )
