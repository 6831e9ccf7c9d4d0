"""Messages for the tests of receivers: an incident of two alerts, changed as a test wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from receivers.base import Message, ShownAlert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OPENED = 1_795_010_700_000  # 2026-11-18 14:05 UTC
NOW = OPENED + 13 * 60_000


def shown_alert(
    number: int = 1,
    status: str = "firing",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **changes: Any,
) -> ShownAlert:
    """Alert `number` of the incident; `labels` and `annotations` are added to the usual ones."""
    usual = {
        "alertname": "HighAPIResponseTime",
        "cluster": "eu-west",
        "instance": f"api-{number}:8000",
        "job": "backend",
        "severity": "critical",
    }
    said = {"summary": "High API response time detected", "runbook_url": "https://docs.example.com/latency"}
    fields: dict[str, Any] = {
        "labels": usual | dict(labels or {}),
        "annotations": said | dict(annotations or {}),
        "status": status,
        "starts_at": OPENED,
        "ends_at": NOW if status == "resolved" else 0,
        "generator_url": "http://prometheus.example.com/graph?g0.expr=up",
    }
    return ShownAlert(**fields | changes)


def shared(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of `maps` say alike."""
    first = maps[0] if maps else {}
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in maps)}


def message(alerts: Sequence[ShownAlert] | None = None, **changes: Any) -> Message:
    """A ring for `alerts` (two firing ones if not given)."""
    alerts = [shown_alert(1), shown_alert(2)] if alerts is None else alerts
    firing = sum(alert.status == "firing" for alert in alerts)
    fields: dict[str, Any] = {
        "kind": "ring" if firing else "end",
        "reason": "first notification" if firing else "all alerts resolved",
        "incident": 1042,
        "status": "firing" if firing else "resolved",
        "receiver": "backend",
        "route": '{}/{team="backend"}',
        "group_labels": {"alertname": "HighAPIResponseTime", "cluster": "eu-west"},
        "common_labels": shared([alert.labels for alert in alerts]),
        "common_annotations": shared([alert.annotations for alert in alerts]),
        "alerts": alerts,
        "firing": firing,
        "resolved": len(alerts) - firing,
        "severity": "critical",
        "opened_at": OPENED,
        "resolved_at": 0 if firing else NOW,
        "now": NOW,
        "url": "https://tocsin.example.com/incidents/1042",
        "external_url": "https://tocsin.example.com",
        "delivery": "d-7f3a",
        "revision": 3,
        "ring": 1,
        "dedup_key": "c0ffee",
    }
    return Message(**fields | changes)


@pytest.fixture
def make_message() -> Callable[..., Message]:
    """`make_message(alerts, **changes)`: see `message`."""
    return message


@pytest.fixture
def make_alert() -> Callable[..., ShownAlert]:
    """`make_alert(number, status, labels, annotations, **changes)`: see `shown_alert`."""
    return shown_alert
