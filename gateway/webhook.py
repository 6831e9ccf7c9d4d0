"""Where alerts come in: `POST /webhook` (Alertmanager) and `POST /api/v2/alerts` (Prometheus itself).

Decides how a sender is answered, which is all that it learns of us: 200 only after the alerts are durable;
4xx for what can never be valid, since Alertmanager does not send that again; 503 for what cannot be done
now, since that it does. What a body says is read in `gateway/payload.py`; what it means, by the intake.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson
import structlog
from aiohttp import web

from gateway import metrics, payload
from gateway.body import read_json_body
from gateway.payload import Harvest
from gateway.problem import ProblemError, request_id
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.auth import Auth
    from routing.alerts import Arrival

    Handler = Callable[[web.Request], Awaitable[web.Response]]

    class _Adder(Protocol):
        def __call__(self, harvest: Harvest, alerts: Sequence[object], first: int) -> None: ...

    _Opener = Callable[[object, "Limits", int], tuple[list[object], _Adder]]

log = structlog.get_logger(__name__)

_BATCH: Final = 250  # alerts that are checked before others have their turn: 1 ms, 3 ms if they are new


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may be, and how a posted alert without an end is meant.

    Attributes:
        body_bytes: of one body, inflated or not.
        alerts: in one body.
        read_ms: in which a body must be here.
        resolve_timeout: milliseconds for which an alert posted without `endsAt` is firing.
    """

    body_bytes: int = 32 * 1024 * 1024
    alerts: int = 50_000
    read_ms: int = 30_000
    resolve_timeout: int = 300_000


class Receipt(Protocol):
    """How many alerts of a body meant what: news, a repeat, a suspect, or kept and nobody told."""

    @property
    def accepted(self) -> int: ...
    @property
    def repeated(self) -> int: ...
    @property
    def suspect(self) -> int: ...
    @property
    def recorded(self) -> int: ...


class Intake(Protocol):
    """Makes arrivals durable (`gateway/intake.py`)."""

    async def take(self, arrivals: Sequence[Arrival], /) -> Receipt:
        """Returns when they are durable; raises `StoreUnavailableError` when that cannot be now."""
        ...


def routes(
    intake: Intake, limits: Callable[[], Limits], auth: Auth, now: Callable[[], int]
) -> list[web.RouteDef]:
    """The two routes. `limits` is asked at each request, since a reload changes them; `now` in milliseconds.

    They need the middleware `gateway.problem.problems`, and a runner with `auto_decompress=False`.
    """

    async def take_in(request: web.Request, open_body: _Opener) -> tuple[Harvest, dict[str, Any]]:
        auth.allow(request, "ingest")
        bounds = limits()
        body = await read_json_body(request, bounds.body_bytes, bounds.read_ms)
        metrics.ingest_bytes.inc(len(body))
        with metrics.ingest_duration.time():
            try:
                alerts, add = open_body(payload.read_json(body), bounds, now())
            except payload.PayloadError as error:
                raise _no_payload(error) from None
            _refuse_crowd(len(alerts), bounds.alerts)
            harvest = Harvest()
            for first in range(0, len(alerts), _BATCH):
                if first:
                    await asyncio.sleep(0)
                add(harvest, alerts[first : first + _BATCH], first)
            return harvest, await _store(request, intake, harvest)

    async def webhook(request: web.Request) -> web.Response:
        harvest, answer = await take_in(request, _from_alertmanager)
        if not harvest.arrivals:
            raise _invalid(harvest, answer, "No alert of this body is valid")
        return _json(answer)

    async def posted(request: web.Request) -> web.Response:
        harvest, answer = await take_in(request, _from_prometheus)
        if harvest.invalid:
            raise _invalid(harvest, answer, _partly(len(harvest.arrivals), harvest.invalid))
        return _json(answer)

    return [
        web.post("/webhook", _counted("webhook", webhook)),
        web.post("/api/v2/alerts", _counted("alerts", posted)),
    ]


def _from_alertmanager(document: object, _bounds: Limits, at: int) -> tuple[list[object], _Adder]:
    envelope, alerts = payload.open_webhook(document)
    if envelope.hidden:
        who = {"sender": envelope.external_url, "receiver": envelope.receiver, "group": envelope.group_key}
        log.warning("ingest.truncated", hidden=envelope.hidden, hint="max_alerts: 0 sends all", **who)
    return alerts, partial(payload.add_webhook_alerts, now=at)


def _from_prometheus(document: object, bounds: Limits, at: int) -> tuple[list[object], _Adder]:
    add = partial(payload.add_posted_alerts, now=at, resolve_timeout=bounds.resolve_timeout)
    return payload.open_posted(document), add


async def _store(request: web.Request, intake: Intake, harvest: Harvest) -> dict[str, Any]:
    """Makes the harvest durable; what the sender is told of it."""
    counts = {"accepted": 0, "repeated": 0, "suspect": 0, "recorded": 0, "invalid": harvest.invalid}
    if harvest.arrivals:
        try:
            receipt = await intake.take(harvest.arrivals)
        except StoreUnavailableError as error:
            log.warning("ingest.unavailable", reason=str(error), alerts=len(harvest.arrivals))
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The alerts cannot all be stored now. Send them again.",
                headers={"Retry-After": str(max(1, error.retry_after_s))},
            ) from None
        counts |= {"accepted": receipt.accepted, "repeated": receipt.repeated}
        counts |= {"suspect": receipt.suspect, "recorded": receipt.recorded}
    for result, count in counts.items():
        if count:
            metrics.ingest_alerts.labels(result).inc(count)
    if harvest.invalid:
        log.warning("ingest.invalid", invalid=harvest.invalid, first=asdict(harvest.problems[0]))
    problems = [asdict(problem) for problem in harvest.problems]
    return {**counts, "cut": harvest.cut, "request_id": request_id(request), "problems": problems}


def _refuse_crowd(alerts: int, limit: int) -> None:
    if alerts > limit:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"At most {limit} alerts are taken in one body; this has {alerts}. Let the sender send fewer at "
            "once (Alertmanager: a narrower group_by, or max_alerts of the webhook).",
        )


def _no_payload(error: payload.PayloadError) -> ProblemError:
    where = f"{error.field}: " if error.field else ""
    return ProblemError(HTTPStatus.BAD_REQUEST, f"Nothing was stored: {where}{error}.", field=error.field)


def _invalid(harvest: Harvest, answer: dict[str, Any], what: str) -> ProblemError:
    first = harvest.problems[0]
    where = f"alert {first.index}, {first.field}" if first.field else f"alert {first.index}"
    return ProblemError(HTTPStatus.BAD_REQUEST, f"{what}; the first, {where}: {first.message}.", **answer)


def _partly(stored: int, invalid: int) -> str:
    """`1 of 2 alerts was stored; 1 is not valid`."""
    total = stored + invalid
    return (
        f"{stored or 'None'} of {total} {'alert' if total == 1 else 'alerts'} "
        f"{'were' if stored > 1 else 'was'} stored; {invalid} {'is' if invalid == 1 else 'are'} not valid"
    )


def _json(answer: dict[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(answer), content_type="application/json")


def _counted(endpoint: str, handler: Handler) -> Handler:
    """`handler`, with each of its answers counted."""

    async def counted(request: web.Request) -> web.Response:
        status = "gone"  # nobody was left to answer
        try:
            response = await handler(request)
            status = str(response.status)
        except ProblemError as error:
            status = str(error.status)
            raise
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            status = "500"
            raise
        else:
            return response
        finally:
            metrics.ingest_requests.labels(endpoint, status).inc()

    return counted
