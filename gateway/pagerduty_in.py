"""`POST /pagerduty/webhook`: PagerDuty's webhooks v3, believed by their signature and kept before the answer.

Decides what is taken: a signed event about an incident, done by a person, not too old, and each only once.
What it means is worked on afterwards (`pagerduty_answers.py`), since PagerDuty wants its answer within 5 s,
drops what is answered 4xx, and disables a subscription that fails again and again: so only a wrong signature
is refused, and whatever else is not for us is taken and left.

Rules: PagerDuty's "Webhooks overview" (payload), "Behavior" (answers, retries, 256 KB) and "Verifying
signatures" (several `v1=`, HMAC-SHA256 of the raw body).
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog
from aiohttp import web

from config.pagerduty_app import webhook_secrets
from config.secret import SecretError
from gateway import metrics, payload
from gateway.body import read_within
from gateway.payload import PayloadError
from gateway.problem import ProblemError
from gateway.store.pagerduty import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from config.pagerduty_app import PagerDutyAppConfig
    from gateway.store.pagerduty import Events

log = structlog.get_logger(__name__)

PATH: Final = "/pagerduty/webhook"
MAX_BYTES: Final = 256 * 1024
READ_MS: Final = 4_000
SIGNATURES: Final = 16  # looked at in one header
CLIENT: Final = "Tocsin"  # as our own events name themselves

Kind = Literal["acknowledged", "resolved", "unacknowledged"]
_KINDS: Final[dict[str, Kind]] = {
    "incident.acknowledged": "acknowledged",
    "incident.resolved": "resolved",
    "incident.unacknowledged": "unacknowledged",
}


def routes(
    events: Events, app: Callable[[], PagerDutyAppConfig], arrived: Callable[[], None]
) -> list[web.RouteDef]:
    """The route. `arrived` is called when there is something to work on."""

    async def take(request: web.Request) -> web.Response:
        if not app().answers:
            raise ProblemError(
                404, "PagerDuty's webhooks are not taken here: pagerduty.webhook_secret is not set."
            )
        too_large = f"A webhook may have {MAX_BYTES} bytes."
        raw = bytes(await read_within(request, MAX_BYTES, READ_MS, too_large))
        _refuse_unsigned(request, raw, app())
        event = _understood(raw)
        if event is None:
            metrics.pagerduty_events.labels("ignored").inc()
            return web.json_response({"result": "ignored"}, status=202)
        result = await events.take(event, app().replay_window)
        metrics.pagerduty_events.labels(result).inc()
        log.info("pagerduty.event", event_id=event.id, what=event.kind, result=result)
        if result == "full":
            raise ProblemError(503, "Too many events wait already. Send it again later.")
        if result == "kept":
            arrived()
        return web.json_response({"result": result}, status=202)

    return [web.post(PATH, take)]


def _refuse_unsigned(request: web.Request, raw: bytes, app: PagerDutyAppConfig) -> None:
    try:
        secrets = webhook_secrets(app)
    except SecretError as error:
        log.error("pagerduty.no_secret", error=str(error))  # noqa: TRY400 - no traceback: a file is missing
        raise ProblemError(503, "Signatures cannot be checked now. Send it again later.") from None
    if not signed(raw, request.headers.get("X-PagerDuty-Signature", ""), secrets):
        log.warning("pagerduty.wrong_signature", remote=request.remote)
        metrics.pagerduty_events.labels("refused").inc()
        raise ProblemError(
            401,
            "X-PagerDuty-Signature holds no signature of this body with a secret that is known here. "
            "Check pagerduty.webhook_secret against the webhook subscription.",
        )


def signed(raw: bytes, header: str, secrets: Iterable[str]) -> bool:
    """Whether one of the header's signatures was made with one of the secrets; as quick if none was."""
    given = [part.strip().encode(errors="surrogateescape") for part in header.split(",")[:SIGNATURES]]
    found = False
    for secret in secrets:
        expected = b"v1=" + hmac.new(secret.encode(), raw, sha256).hexdigest().encode()
        for signature in given:
            found |= hmac.compare_digest(expected, signature)
    return found


def _understood(raw: bytes) -> Event | None:
    try:
        document = payload.read_json(raw)
    except PayloadError as error:
        log.warning("pagerduty.unreadable", error=str(error))
        return None
    found = document.get("event") if isinstance(document, dict) else None
    return event_of(found) if isinstance(found, dict) else None


def event_of(said: dict[str, Any]) -> Event | None:
    """The event, or None where it is none of our business.

    That is whatever our own events did, what PagerDuty did by itself (its time-outs; only that it takes an
    acknowledgement back is worth a line), and an incident that was merged into another.
    """
    kind = _KINDS.get(str(said.get("event_type")))
    identity, incident = said.get("id"), _dict(said.get("data"))
    at = _milliseconds(said.get("occurred_at"))
    if kind is None or at is None or not isinstance(identity, str) or not identity:
        return None
    agent, client = _dict(said.get("agent")), _dict(said.get("client"))
    by = _text(agent.get("type"))
    if by.endswith("integration_reference") or client.get("name") == CLIENT:
        return None
    by_itself = by in ("", "service_reference")
    if by_itself and kind != "unacknowledged":
        return None
    where, key = _text(incident.get("id")), _text(incident.get("incident_key"))
    merged = _dict(incident.get("resolve_reason")).get("type") == "merge_resolve_reason"
    if merged or not (where or key):
        return None
    return Event(
        id=sha256(identity.encode(errors="surrogateescape")).hexdigest()[:32],
        kind=kind,
        at=at,
        incident=where,
        key=key,
        person=_text(agent.get("id")) if by == "user_reference" else "",
        name="" if by_itself else _text(agent.get("summary")),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value[:300] if isinstance(value, str) else ""


def _milliseconds(value: Any) -> int | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return int(at.timestamp() * 1000) if at.tzinfo else None
