"""`POST /heartbeat/{name}`, where beats come in by HTTP, and `GET /api/v1/heartbeats`, what became of each.

A beat needs the heartbeat's own token and no other: `Authorization: Bearer TOKEN`, `X-Heartbeat-Token`, or,
where `token_in_path` allows it, the last part of the path. A wrong name is answered as a wrong token is. The
body is of no interest. A beat is answered after it is durable.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, Literal

import structlog
from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.secret import SecretError, reveal
from config.values import show_duration
from gateway.api import shapes
from gateway.api.openapi import Operation
from gateway.auth import credentials
from gateway.problem import ProblemError
from routing.heartbeats import State, state
from routing.matchers import show

if TYPE_CHECKING:
    from config.heartbeats import HeartbeatConfig
    from gateway.auth import Auth
    from gateway.heartbeats import HeartbeatWatch
    from gateway.plan import PlanInForce
    from routing.heartbeats import Heartbeat, Pulse

log = structlog.get_logger()

HEADER: Final = "X-Heartbeat-Token"
_PATHS: Final = ("/heartbeat/{name}", "/heartbeat/{name}/{token}")


class Heard(TypedDict):
    """A beat was taken; the next one has to come by `next_by`."""

    heartbeat: str
    at: str | None
    next_by: str | None


class Shown(TypedDict):
    """A heartbeat: `waiting` is one that has not beaten yet; `labels` are those of its alert.

    `next_by` is when it is missing without a beat.
    """

    name: str
    state: State
    last_beat: str | None
    known_since: str | None
    next_by: str | None
    missing_since: str | None
    timeout: str
    ways: list[Literal["alert", "http"]]
    matchers: str | None
    labels: dict[str, str]


class AllShown(TypedDict):
    """All heartbeats, in the order of the configuration."""

    heartbeats: list[Shown]


def routes(watch: HeartbeatWatch, plan: PlanInForce, auth: Auth) -> list[web.RouteDef]:
    """The routes."""

    async def beat(request: web.Request) -> web.Response:
        heartbeat = _known(request, plan)
        if request.method == "GET" and not heartbeat.allow_get:
            raise ProblemError(
                405,
                "This heartbeat takes POST only; allow_get: true would let GET in.",
                headers={"Allow": "POST"},
            )
        at = await watch.beat(heartbeat.name)
        by = shapes.moment(at + heartbeat.timeout)
        heard: Heard = {"heartbeat": heartbeat.name, "at": shapes.moment(at), "next_by": by}
        return web.json_response(heard)

    async def index(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        kept = await watch.kept()
        shown = []
        for section, heartbeat in _configured(plan):
            pulse = one.pulse if (one := kept.get(heartbeat.name)) else None
            due = watch.due(heartbeat, pulse) if pulse else 0
            shown.append(_shape(section, heartbeat, pulse, due))
        return web.json_response({"heartbeats": shown})

    return [
        web.get("/api/v1/heartbeats", index),
        *(web.post(path, beat) for path in _PATHS),
        *(web.get(path, beat, allow_head=False) for path in _PATHS),
    ]


def _configured(plan: PlanInForce) -> list[tuple[HeartbeatConfig, Heartbeat]]:
    inforce = plan.current.plan
    return list(zip(inforce.config.heartbeats, inforce.heartbeats, strict=True))


def _known(request: web.Request, plan: PlanInForce) -> HeartbeatConfig:
    """The heartbeat that is named, with its token."""
    name = request.match_info["name"]
    section = next((one for one, _ in _configured(plan) if one.name == name), None)
    wanted = ""
    if section and (section.token or section.token_file):
        try:
            wanted = reveal(section.token, section.token_file)
        except SecretError as error:
            log.warning("heartbeat.token_unreadable", heartbeat=name, error=str(error))
            raise ProblemError(503, "The token of this heartbeat cannot be read here; see the log.") from None
    given = _given(request, in_path=section is not None and section.token_in_path)
    matches = [compare_digest(_digest(one), _digest(wanted)) for one in given]
    if section is None or not wanted or not any(matches):
        log.warning("heartbeat.refused", remote=request.remote, given=bool(given))
        raise ProblemError(
            401,
            "There is no heartbeat of this name with this token. Send the token of the heartbeat as "
            f"`Authorization: Bearer TOKEN` or as `{HEADER}`.",
            headers={"WWW-Authenticate": 'Bearer realm="tocsin heartbeat"'},
        )
    return section


def _given(request: web.Request, *, in_path: bool) -> list[str]:
    """The tokens that came with a request."""
    found = [credentials(request.headers.get("Authorization", ""))[1], request.headers.get(HEADER, "")]
    if in_path:
        found.append(request.match_info.get("token", ""))
    return [one for one in found if one]


def _digest(secret: str) -> bytes:
    return sha256(secret.encode(errors="surrogateescape")).digest()


def _shape(section: HeartbeatConfig, heartbeat: Heartbeat, pulse: Pulse | None, due: int) -> Shown:
    ways: list[Literal["alert", "http"]] = ["alert"] if section.matchers else []
    if section.token or section.token_file:
        ways.append("http")
    missed = pulse.missing if pulse else None
    return {
        "name": section.name,
        "state": state(pulse),
        "last_beat": shapes.moment(pulse.last if pulse else 0),
        "known_since": shapes.moment(pulse.known if pulse else 0),
        "next_by": shapes.moment(due),
        "missing_since": shapes.moment(missed.since if missed else 0),
        "timeout": show_duration(section.timeout),
        "ways": ways,
        "matchers": show(heartbeat.matchers) if heartbeat.matchers else None,
        "labels": dict(heartbeat.labels),
    }


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/heartbeats",
        "List heartbeats",
        "read",
        AllShown,
        "When each was last heard, and which are missing.",
    ),
)
