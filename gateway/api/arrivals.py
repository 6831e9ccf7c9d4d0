"""`GET /api/v1/arrivals`: the alerts that this process takes in, a line of JSON each, while one listens.

A line is an alert, or a `notice`: `listening` is the first, `alive` comes each second in which there is
nothing else, `missed` says how many alerts are not there because the reader was too slow, `end` is the last.
No line is older than one before it. The format: `gateway/simulation/recording.py`.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from typing import TYPE_CHECKING, Final, Literal, NotRequired

import structlog
from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api.openapi import Operation, Parameter
from gateway.problem import ProblemError
from gateway.simulation.recording import alert_line, notice_line

if TYPE_CHECKING:
    from gateway.auth import Auth
    from gateway.listeners import Ear, Heard, Listeners

log = structlog.get_logger(__name__)

ALIVE_S: Final = 1.0
SLOW_S: Final = 30.0  # for whoever does not read at all
_BATCH: Final = 250  # alerts that are written before others have their turn
_MEDIA: Final = "application/x-ndjson"
_MAX_EXCEPT: Final = 64
_PROCESS: Final = re.compile("[0-9a-f]{16}")


class RecordedAlert(TypedDict):
    """An alert that arrived. Neighbours with the same `at` and `body` came together.

    `endsAt` of a firing alert is the time by which its sender repeats it.
    """

    at: str
    body: int
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: NotRequired[dict[str, str]]
    startsAt: str
    endsAt: NotRequired[str]


class Notice(TypedDict):
    """Something about the stream. `process` and `processes` stand in the first: who is heard, of how many.

    `count` says how many alerts were missed, `why` why it ends.
    """

    notice: Literal["listening", "alive", "missed", "end"]
    at: str
    process: NotRequired[str]
    processes: NotRequired[int]
    count: NotRequired[int]
    why: NotRequired[str]


def routes(listeners: Listeners, auth: Auth, processes: int) -> list[web.RouteDef]:
    """The route; `processes` is how many share our port, each with listeners of its own."""
    process = secrets.token_hex(8)

    async def stream(request: web.Request) -> web.StreamResponse:
        who = auth.allow(request, "read")
        if process in _heard_already(request):
            raise ProblemError(
                409, "The process that answers is one of those given with `except`. Ask again."
            )
        with listeners.listen() as ear:
            response = web.StreamResponse(headers={"Content-Type": _MEDIA, "Cache-Control": "no-store"})
            await response.prepare(request)
            log.info("arrivals.listening", token=who)
            sent = 0
            try:
                await _write(response, notice_line("listening", _now(), process=process, processes=processes))
                sent = await _pass_on(request, response, ear, auth)
                await response.write_eof()
            except (ConnectionError, TimeoutError):  # nobody reads any more
                if request.transport is not None:
                    request.transport.abort()
            finally:
                log.info("arrivals.listened", token=who, alerts=sent)
        return response

    return [web.get("/api/v1/arrivals", stream, allow_head=False)]


def _heard_already(request: web.Request) -> list[str]:
    given = request.query.getall("except", [])
    if len(given) > _MAX_EXCEPT or not all(_PROCESS.fullmatch(one) for one in given):
        raise ProblemError(400, f"except is the `process` of a first line, at most {_MAX_EXCEPT} times.")
    return given


async def _pass_on(request: web.Request, response: web.StreamResponse, ear: Ear, auth: Auth) -> int:
    """Writes what is heard, to the end; how many alerts that were."""
    sent, body, clock = 0, 0, asyncio.get_running_loop().time
    checked = clock()
    while True:
        heard = await ear.next(ALIVE_S)
        if clock() - checked > ALIVE_S / 2:
            checked = clock()
            if not _still_allowed(request, auth):
                await _write(response, notice_line("end", _now(), why="the token is no longer allowed to"))
                return sent
        if heard is not None:
            body += 1
            await _write_heard(response, heard, body)
            sent += len(heard.arrivals)
        elif ear.closed:
            await _write(response, notice_line("end", _now(), why="the service stops"))
            return sent
        else:
            await _write(response, notice_line("alive", _now()))


def _still_allowed(request: web.Request, auth: Auth) -> bool:
    """A token that a reload has taken away counts no more."""
    try:
        auth.allow(request, "read")
    except ProblemError:
        return False
    return True


async def _write_heard(response: web.StreamResponse, heard: Heard, body: int) -> None:
    at, arrivals, missed = heard
    if missed:
        await _write(response, notice_line("missed", at, count=missed))
    for first in range(0, len(arrivals), _BATCH):
        lines = [alert_line(arrival, at, body) for arrival in arrivals[first : first + _BATCH]]
        await _write(response, b"".join(lines))
        await asyncio.sleep(0)


async def _write(response: web.StreamResponse, lines: bytes) -> None:
    async with asyncio.timeout(SLOW_S):
        await response.write(lines)


def _now() -> int:
    return time.time_ns() // 1_000_000


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/arrivals",
        "Listen to the alerts that arrive",
        "read",
        RecordedAlert | Notice,
        "A stream of JSON lines that ends when the service stops. One process of the service is heard; the "
        "first line says of how many.",
        media=_MEDIA,
        parameters=(
            Parameter(
                "except",
                "A `process` that is heard already: another is wanted.",
                {"type": "array", "items": {"type": "string", "pattern": _PROCESS.pattern}},
            ),
        ),
        refusals={
            409: "It is one of those given with `except`.",
            503: "Eight listen already, or the service stops.",
        },
    ),
)
