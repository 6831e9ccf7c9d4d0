"""`POST /api/v1/receivers/{name}/test`: a marked test message through the real way, and what came back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Literal

from aiohttp import web
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from config.values import MAX_ATTEMPT
from gateway.api import openapi
from gateway.api.openapi import Operation
from gateway.problem import ProblemError
from receivers import traits
from receivers.base import Message, Refused, Retry, Sent, ShownAlert

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.compile import Integration
    from gateway.auth import Auth
    from gateway.plan import PlanInForce
    from receivers.base import Outcome, Receiver

ATTEMPT_S: Final = MAX_ATTEMPT / 1_000

Word = Literal["sent", "retry", "refused"]


class Result(TypedDict):
    """What came back from one target; `retry`: a real message would be tried again later."""

    kind: str
    index: int
    target: str
    outcome: Word
    detail: str


class Results(TypedDict):
    """What came back from each target of the receiver."""

    results: list[Result]


def routes(
    plan: PlanInForce, auth: Auth, receiver: Callable[[str], Receiver], external_url: Callable[[], str]
) -> list[web.RouteDef]:
    """The route. `receiver` gives the process's own receiver of a kind."""

    async def test(request: web.Request) -> web.Response:
        auth.allow(request, "admin")
        name = request.match_info["name"]
        integrations = plan.current.plan.receivers.get(name)
        if integrations is None:
            raise ProblemError(404, f"The configuration has no receiver {name!r}.")
        message = _test_message(name, external_url())
        results = await asyncio.gather(*(_try(receiver, one, message) for one in integrations))
        return web.json_response({"results": results})

    return [web.post("/api/v1/receivers/{name}/test", test)]


async def _try(receiver: Callable[[str], Receiver], integration: Integration, message: Message) -> Result:
    try:
        async with asyncio.timeout(ATTEMPT_S):
            outcome = await receiver(integration.kind).send(integration.config, message, {})
    except TimeoutError:
        outcome = Retry(f"no answer within {ATTEMPT_S:.0f} s")
    word, detail = _said(outcome)
    return {
        "kind": integration.kind,
        "index": integration.index,
        "target": traits.of(integration.kind, integration.config).target,
        "outcome": word,
        "detail": detail,
    }


def _said(outcome: Outcome) -> tuple[Word, str]:
    match outcome:
        case Sent(_, note):
            return "sent", note
        case Retry():
            return "retry", outcome.reason
        case Refused(reason):
            return "refused", reason


def _test_message(receiver: str, external_url: str) -> Message:
    now = time.time_ns() // 1_000_000
    labels = {"alertname": "TocsinTest", "severity": "info"}
    summary = "This is a test of Tocsin. Nothing is wrong, nobody has to do anything."
    alert = ShownAlert(labels, {"summary": summary}, "firing", now, 0, "")
    return Message(
        kind="ring",
        reason="test",
        incident=0,
        status="firing",
        receiver=receiver,
        route="test",
        group_labels={"alertname": "TocsinTest"},
        common_labels=labels,
        common_annotations=dict(alert.annotations),
        alerts=[alert],
        firing=1,
        resolved=0,
        severity="info",
        opened_at=now,
        resolved_at=0,
        now=now,
        url=external_url,
        external_url=external_url,
        delivery=f"test-{now}",
        revision=1,
        ring=1,
        dedup_key=f"tocsin-test-{now}",
        test=True,
    )


OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v1/receivers/{name}/test",
        "Send a test message",
        "admin",
        Results,
        "Really sends it, marked as a test, to each target of the receiver.",
        parameters=(openapi.part("name", "The receiver's name in the configuration."),),
    ),
)
