"""How the records look in JSON: times as RFC 3339 in UTC with milliseconds, null for "not yet"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from gateway.hold_texts import said
from routing.alerts import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.store.records import StoredAlert
    from routing.incident_records import Incident


def moment(ms: float | str | None) -> str | None:
    """`2026-11-24T08:31:05.123Z`; None for 0."""
    value = int(float(ms or 0))
    if not value:
        return None
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def incident(found: Incident, external_url: str) -> dict[str, Any]:
    """An incident without its alerts."""
    return {
        "number": found.number,
        "status": found.status.value,
        "route": found.route,
        "receiver": found.receiver,
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
        "url": f"{external_url.rstrip('/')}/incidents/{found.number}",
    }


def _suppressed_by(found: Incident) -> str:
    return "a time interval of its route" if found.firing else "every alert that fires is held"


def alert(found: StoredAlert, *, resolved: bool, held: str = "") -> dict[str, Any]:
    """An alert, with Alertmanager's fingerprint; `held` is by what it is held, as it is stored."""
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


def _held_by(held: str) -> dict[str, Any]:
    by = orjson.loads(held)
    found = {"kind": by["by"], "text": said(held)}
    if by["by"] == "silence":
        found["silence"] = by["id"]
    if by["by"] == "inhibition":
        found |= {"rule": by["rule"], "source": by["source"]}
    return found


def line(found: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a timeline."""
    return {
        "at": moment(found["at"]),
        "kind": found["kind"],
        "text": found["text"],
        "target": found.get("target", ""),
    }


_LEVELS = ("incident", "index", "wanted", "sent", "ring_wanted", "ring_sent", "attempt", "tries")
_WORDS = ("id", "receiver", "kind", "state", "error")


def delivery(fields: Mapping[str, str]) -> dict[str, Any]:
    """A delivery; its pinned address, which may hold a secret, is not among the fields."""
    return {
        **{name: fields.get(name, "") for name in _WORDS},
        "target": fields.get("where") or fields.get("target", ""),
        **{name: int(float(fields.get(name) or 0)) for name in _LEVELS},
        "next_at": moment(fields.get("next_at")),
        "sent_at": moment(fields.get("sent_at")),
    }
