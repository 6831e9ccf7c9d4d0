"""How the records look in JSON: times as RFC 3339 in UTC with milliseconds, null for "not yet".

The types say it to mypy and to whoever reads the API's description (`openapi.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NotRequired

import orjson
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from gateway.store.unavailable import PlanChangedError
from routing.alerts import fingerprint
from routing.hold_texts import said
from routing.upcoming import coming_next

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.plan import PlanInForce
    from routing.incident_records import Incident as Record
    from routing.stored import StoredAlert


class Unnumbered(TypedDict):
    """An incident without its number and its alerts.

    `firing`, `held` and `resolved` count alerts; `suppressed_by` says why nobody is told now. `policy` is the
    escalation policy, null where the route has a receiver. Who acknowledged it stays to be seen after its
    end; `acknowledged_until` is null for ever; `answered_at` is when somebody first did.
    """

    status: Literal["pending", "triggered", "acknowledged", "resolved"]
    route: str
    receiver: str
    policy: str | None
    team: str | None
    labels: dict[str, str]
    severity: str | None
    suppressed: bool
    suppressed_by: str | None
    firing: int
    held: int
    resolved: int
    opened_at: str | None
    triggered_at: str | None
    resolved_at: str | None
    acknowledged_by: str | None
    acknowledged_via: str | None
    acknowledged_at: str | None
    acknowledged_until: str | None
    answered_at: str | None
    url: str


class Incident(Unnumbered):
    """An incident without its alerts; its fields are explained with `Unnumbered`."""

    number: int


class Coming(TypedDict):
    """What comes next, in words, and when."""

    text: str
    at: str | None


class Hold(TypedDict):
    """What holds an alert back; `text` says it, the other fields name it, where it has a name."""

    kind: str
    text: str
    silence: NotRequired[str]
    rule: NotRequired[str]
    source: NotRequired[str]


class Alert(TypedDict):
    """An alert; `fingerprint` is Alertmanager's. `expired`: its end was concluded, nobody reported it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    status: Literal["firing", "resolved"]
    starts_at: str | None
    ends_at: str | None
    fingerprint: str
    generator_url: str
    expired: bool
    held_by: Hold | None


class Line(TypedDict):
    """A line of a timeline: what happened, and to which target, "" for none."""

    at: str | None
    kind: str
    text: str
    target: str


class Delivery(TypedDict):
    """One target's copy of one incident.

    It shows revision `sent` of the incident and is to show `wanted`; it was heard `ring_sent` times of
    `ring_wanted`. `tries` counts failed attempts in a row.
    """

    id: str
    incident: int
    receiver: str
    kind: str
    index: int
    target: str
    state: Literal["open", "done", "dead"]
    wanted: int
    sent: int
    ring_wanted: int
    ring_sent: int
    attempt: int
    tries: int
    next_at: str | None
    sent_at: str | None
    error: str


def moment(ms: float | str | None) -> str | None:
    """`2026-11-24T08:31:05.123Z`; None for 0."""
    value = int(float(ms or 0))
    if not value:
        return None
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def incident(found: Record, external_url: str) -> Incident:
    """An incident without its alerts."""
    ack = found.ack
    return {
        "number": found.number,
        "status": found.status.value,
        "route": found.route,
        "receiver": found.receiver,
        "policy": found.policy or None,
        "team": found.team or None,
        "labels": found.labels,
        "severity": found.severity or None,
        "suppressed": found.suppressed,
        "suppressed_by": _suppressed_by(found) if found.suppressed else None,
        "firing": found.firing,
        "held": found.held,
        "resolved": found.resolved,
        "opened_at": moment(found.opened_at),
        "triggered_at": moment(found.triggered_at),
        "resolved_at": moment(found.resolved_at),
        "acknowledged_by": ack.by if ack else None,
        "acknowledged_via": ack.via if ack else None,
        "acknowledged_at": moment(ack.at) if ack else None,
        "acknowledged_until": moment(ack.until) if ack else None,
        "answered_at": moment(found.answered_at),
        "url": f"{external_url.rstrip('/')}/incidents/{found.number}",
    }


def coming(found: Record, plan: PlanInForce) -> Coming | None:
    """What comes next if nobody does anything; None for nothing, or where nobody knows at this moment."""
    try:
        text, at = coming_next(found, plan.book())
    except PlanChangedError:
        return None
    return {"text": text, "at": moment(at)} if text else None


def _suppressed_by(found: Record) -> str:
    return "a time interval of its route" if found.firing else "every alert that fires is held"


def alert(found: StoredAlert, *, resolved: bool, held: str = "") -> Alert:
    """An alert; `held` is by what it is held, as it is stored."""
    return {
        "labels": found.labels,
        "annotations": found.annotations,
        "status": "resolved" if resolved else "firing",
        "starts_at": moment(found.starts_at),
        "ends_at": moment(found.ended_at) if resolved else None,
        "fingerprint": fingerprint(found.labels),
        "generator_url": found.generator_url,
        "expired": found.expired and resolved,
        "held_by": _held_by(held) if held else None,
    }


def _held_by(held: str) -> Hold:
    by = orjson.loads(held)
    found: Hold = {"kind": by["by"], "text": said(held)}
    if by["by"] == "silence":
        found["silence"] = by["id"]
    if by["by"] == "inhibition":
        found |= {"rule": by["rule"], "source": by["source"]}
    return found


def line(found: Mapping[str, Any]) -> Line:
    """A line of a timeline."""
    return {
        "at": moment(found["at"]),
        "kind": found["kind"],
        "text": found["text"],
        "target": found.get("target", ""),
    }


def delivery(fields: Mapping[str, Any]) -> Delivery:
    """A delivery; its pinned address, which may hold a secret, is not among the fields."""

    def level(name: str) -> int:
        return int(float(fields.get(name) or 0))

    return {
        "id": fields["id"],
        "incident": level("incident"),
        "receiver": fields.get("receiver", ""),
        "kind": fields.get("kind", ""),
        "index": level("index"),
        "target": fields.get("where") or fields.get("target", ""),
        "state": fields.get("state", "open"),
        "wanted": level("wanted"),
        "sent": level("sent"),
        "ring_wanted": level("ring_wanted"),
        "ring_sent": level("ring_sent"),
        "attempt": level("attempt"),
        "tries": level("tries"),
        "next_at": moment(fields.get("next_at")),
        "sent_at": moment(fields.get("sent_at")),
        "error": fields.get("error", ""),
    }
