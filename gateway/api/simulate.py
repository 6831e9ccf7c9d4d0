"""`POST /api/v1/simulate`: who would be told of an alert, by the configuration in force. Nobody is.

A simulation is bounded: in what is sent, in how many messages it tells of, in time, and in how many go on at
once. It runs in a thread beside the loop, which goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NotRequired

import orjson
from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.api.bodies import read
from gateway.api.openapi import Operation
from gateway.api.simulate_body import Scene, Simulate, scene
from gateway.problem import ProblemError
from gateway.simulation.report_json import document
from gateway.simulation.run import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.compile import Plan
    from gateway.auth import Auth
    from gateway.oncall import OnCall
    from gateway.plan import PlanInForce
    from gateway.store.silences import SilenceStore
    from routing.oncall import Override
    from routing.story import Story

MAX_BYTES: Final = 256 * 1024
MAX_NOTIFICATIONS: Final = 10_000
MAX_LINES: Final = 100_000
WITHIN_S: Final = 8.0  # less than the command line waits for an answer
AT_ONCE: Final = 2


class Simulation(TypedDict):
    """What would happen, as `tocsin simulate --output json` tells it (docs/simulation.schema.json).

    `notifications` are who would be told, in the order of time. `cut`: more would follow after seven days.
    """

    schema: int
    began: str | None
    ended: str | None
    cut: bool
    notifications: list[dict[str, Any]]
    incidents: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    skipped: NotRequired[list[dict[str, Any]]]


class Bounds:
    """How far one simulation may go; `watch` ends it, in whatever thread it runs."""

    def __init__(self, within_s: float) -> None:
        self._end = time.monotonic() + within_s
        self._within_s = within_s
        self.stopped = False

    def watch(self, story: Story) -> None:
        """Raises `ProblemError` where it takes too long, or tells too much."""
        if self.stopped or time.monotonic() > self._end:
            raise _too_much(f"It would take longer than {self._within_s:g} s.")
        if len(story.notifications) > MAX_NOTIFICATIONS or len(story.lines) > MAX_LINES:
            raise _too_much(f"It would tell of more than {MAX_NOTIFICATIONS} messages.")


def _too_much(what: str) -> ProblemError:
    return ProblemError(
        422, f"{what} Send fewer alerts, or let them fire for a shorter time; `tocsin simulate` has no limit."
    )


def routes(
    plan: PlanInForce, on_call: OnCall, silences: SilenceStore, auth: Auth, *, within_s: float = WITHIN_S
) -> list[web.RouteDef]:
    """The route; a simulation takes `within_s` seconds at most."""
    running: set[Bounds] = set()

    async def run(request: web.Request) -> web.Response:
        auth.allow(request, "read")
        sent = await read(request, Simulate, MAX_BYTES)
        in_force = plan.current.plan
        (_, known), now = await silences.load(), await silences.now()
        told = scene(sent, in_force, now, [*known.all])
        overrides = [one for name in on_call.schedules for one in on_call.overrides(name)]
        of = replace(in_force, schedules=on_call.schedules)  # with what calendars say
        if len(running) >= AT_ONCE:
            raise ProblemError(
                429,
                f"{AT_ONCE} simulations are under way; try again in a few seconds.",
                headers={"Retry-After": "5"},
            )
        bounds = Bounds(within_s)
        running.add(bounds)
        try:
            body = await asyncio.to_thread(_told, told, of, overrides, sent, bounds)
        finally:
            bounds.stopped = True  # whoever waited for it may have gone
            running.discard(bounds)
        return web.Response(body=body, content_type="application/json")

    return [web.post("/api/v1/simulate", run)]


def _told(told: Scene, plan: Plan, overrides: Sequence[Override], sent: Simulate, bounds: Bounds) -> bytes:
    story = simulate(
        plan,
        told.happenings,
        began=told.began,
        failures=told.failures,
        overrides=overrides,
        texts=sent.messages,
        watch=bounds.watch,
    )
    return orjson.dumps(document(story, sent.explain, sent.messages, plan=plan))


OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v1/simulate",
        "Simulate who would be told",
        "read",
        Simulation,
        "By the configuration in force, with the present silences and overrides; nothing is sent.",
        body=Simulate,
        refusals={
            422: "It would take too long, or tell of too many messages.",
            429: "Others are simulated; `Retry-After` says when to try again.",
        },
    ),
)
