"""The JSON that a webhook receives: Alertmanager's version 4, and what Tocsin knows beside it.

Writes an incident as Alertmanager's `notify/webhook` does, so that whatever understands its posts understands
these. Meant differences: `status`, `commonLabels` and `commonAnnotations` are those of all alerts, even where
`max_alerts` hides some; the object `tocsin` is added. Alerts are encoded as their pages arrive, and a body
ends at 32 MiB.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from receivers.base import SHOWN_ALERTS
from routing.alerts import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from receivers.base import Message, ShownAlert
    from routing.incident_records import Ack

MAX_BODY: Final = 32 * 1024 * 1024
_INLINE: Final = 20_000  # characters in labels; their fingerprints take about three milliseconds
_NEVER: Final = "0001-01-01T00:00:00Z"
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")

_Order = tuple[str, str, list[tuple[str, str]]]
_Encoded = tuple[_Order, bytes]


async def write_body(message: Message, max_alerts: int) -> bytes:
    """The whole body. `max_alerts` 0 means all of them; what is left out is counted in `truncatedAlerts`."""
    if message.all_alerts is None:
        encoded = await _in_turn(message.alerts)
    else:
        encoded = []
        async for page in message.all_alerts:
            encoded += await _in_turn(page)
            if max_alerts and len(encoded) > 2 * max_alerts + 1_000:  # no need to hold what will be cut
                encoded = sorted(encoded)[:max_alerts]
    if len(encoded) <= SHOWN_ALERTS:
        return _assemble(message, encoded, max_alerts)
    return await asyncio.to_thread(_assemble, message, encoded, max_alerts)


def body_of_shown(message: Message, max_alerts: int) -> bytes:
    """The body with those alerts only that every message shows."""
    return _assemble(message, _encode(message.alerts), max_alerts)


async def _in_turn(alerts: Sequence[ShownAlert]) -> list[_Encoded]:
    """Encoded at once if they are few and small, else in a thread."""
    if sum(len(value) for alert in alerts for value in alert.labels.values()) <= _INLINE:
        return _encode(alerts)
    return await asyncio.to_thread(_encode, alerts)


def _encode(alerts: Sequence[ShownAlert]) -> list[_Encoded]:
    """Each alert as JSON, with what Alertmanager sorts by: job, instance, then all labels."""
    return [(_order(alert.labels), _json(alert)) for alert in alerts]


def _order(labels: Mapping[str, str]) -> _Order:
    return labels.get("job", ""), labels.get("instance", ""), sorted(labels.items())


def _json(alert: ShownAlert) -> bytes:
    return orjson.dumps(
        {
            "status": alert.status,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": moment(alert.starts_at),
            "endsAt": moment(alert.ends_at) if alert.status == "resolved" and alert.ends_at else _NEVER,
            "generatorURL": alert.generator_url,
            "fingerprint": fingerprint(alert.labels),
        }
    )


def _assemble(message: Message, encoded: list[_Encoded], max_alerts: int) -> bytes:
    shown = [text for _, text in sorted(encoded)]
    if max_alerts:
        shown = shown[:max_alerts]
    if sum(map(len, shown)) > MAX_BODY:
        shown = _fitting(shown)
    total = max(message.firing + message.resolved, len(encoded))
    body: dict[str, Any] = {
        "receiver": _META.sub(r"\\\g<0>", message.receiver),
        "status": message.status,
        "alerts": [orjson.Fragment(text) for text in shown],
        "notification_reason": message.reason,
        "groupLabels": dict(message.group_labels),
        "commonLabels": dict(message.common_labels),
        "commonAnnotations": dict(message.common_annotations),
        "routeLabels": dict(message.route_labels),
        "externalURL": message.external_url,
        "version": "4",
        "groupKey": _group_key(message.route, message.group_labels),
        "truncatedAlerts": total - len(shown),
        "tocsin": {
            "incident": message.incident,
            "status": message.status,
            "severity": message.severity,
            "held": message.held,
            "held_by": message.held_by,
            "url": message.url,
            "kind": message.kind,
            "acknowledged": _acknowledged(message.acknowledged),
            "upcoming": _upcoming(message),
            "delivery": message.delivery,
            "revision": message.revision,
            "ring": message.ring,
            "test": message.test,
        },
    }
    return orjson.dumps(body)


def _acknowledged(ack: Ack | None) -> dict[str, Any] | None:
    if ack is None:
        return None
    until = moment(ack.until) if ack.until else None
    return {"by": ack.by, "via": ack.via, "at": moment(ack.at), "until": until}


def _upcoming(message: Message) -> dict[str, str] | None:
    return {"what": message.upcoming, "at": moment(message.upcoming_at)} if message.upcoming else None


def _fitting(texts: list[bytes]) -> list[bytes]:
    room, count = MAX_BODY, 0
    for text in texts:
        room -= len(text)
        if room < 0:
            break
        count += 1
    return texts[:count]


def _group_key(route: str, labels: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{name}={orjson.dumps(value).decode()}" for name, value in sorted(labels.items()))
    return f"{route}:{{{pairs}}}"


def moment(milliseconds: int) -> str:
    """RFC 3339 with as many digits as are needed, as Go prints it: `2026-11-24T14:05:00.25Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    fraction = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{_second(seconds)}{fraction}Z"


@lru_cache(maxsize=4_096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
