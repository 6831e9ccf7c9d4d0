"""A story for programs: a document of a documented, versioned schema (`docs/simulation.schema.json`).

Of schema 1 no key goes away and none changes its meaning; keys may come. Times are RFC 3339 in UTC with
milliseconds, `after_s` are seconds since the first firing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from gateway.simulation.skipped import skipped

if TYPE_CHECKING:
    from config.compile import Plan
    from routing.incident_records import Incident
    from routing.story import Notification, Story

SCHEMA: Final = 1


def document(
    story: Story,
    explain: bool = False,  # noqa: FBT001, FBT002 - as every report has them
    messages: bool = False,  # noqa: FBT001, FBT002 - likewise
    start: int | None = None,
    plan: Plan | None = None,
) -> dict[str, Any]:
    """The story as JSON. `start`: the first firing (ms), by default the story's beginning.

    `explain`: with what each notification is about, and with what was skipped; there `plan`, which the story
    was told by, adds the steps that never came. `messages`: with texts.
    """
    start = story.began if start is None else start
    made: dict[str, Any] = {
        "schema": SCHEMA,
        "began": moment(start),
        "ended": moment(story.ended),
        "cut": story.cut,
        "notifications": [_told(one, start, explain, messages) for one in story.notifications],
        "incidents": [_incident(one) for _, one in sorted(story.incidents.items())],
        "lines": [
            {**_when(line.at, start), "incident": line.incident, "kind": line.kind, "text": line.text,
             "target": line.target}
            for line in story.lines
        ],
    }  # fmt: skip
    if explain:
        made["skipped"] = [
            {**_when(one.at, start), "incident": one.incident, "step": one.step, "target": one.target,
             "why": one.why}
            for one in skipped(story, plan.policies if plan else {})
        ]  # fmt: skip
    return made


def moment(at: int) -> str | None:
    """`2026-12-24T02:00:00.000Z`; None for 0."""
    if not at:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _when(at: int, start: int) -> dict[str, Any]:
    return {"after_s": (at - start) / 1000, "time": moment(at)}


def _told(one: Notification, start: int, explain: bool, messages: bool) -> dict[str, Any]:  # noqa: FBT001
    made: dict[str, Any] = {
        **_when(one.at, start),
        "target": one.target,
        "by": one.by,
        "kind": one.kind,
        "incident": one.incident,
        "step": one.step,
        "why": one.why,
    }
    if explain:
        made |= {
            "target_kind": one.target_kind,
            "where": one.where,
            "policy": one.policy,
            "route": one.route,
            "team": one.team,
            "severity": one.severity,
            "firing": one.firing,
            "ended": one.ended,
        }
    return made | ({"text": one.text} if messages else {})


def _incident(one: Incident) -> dict[str, Any]:
    """As `GET /api/v1/incidents` has it, without what only a running service knows."""
    ack = one.ack
    return {
        "number": one.number,
        "status": one.status.value,
        "route": one.route,
        "receiver": one.receiver or None,
        "policy": one.policy or None,
        "team": one.team or None,
        "labels": dict(one.labels),
        "severity": one.severity or None,
        "suppressed": one.suppressed,
        "firing": one.firing,
        "held": one.held,
        "resolved": one.resolved,
        "opened_at": moment(one.opened_at),
        "triggered_at": moment(one.triggered_at),
        "resolved_at": moment(one.resolved_at),
        "acknowledged_by": ack.by if ack else None,
        "acknowledged_at": moment(ack.at) if ack else None,
        "acknowledged_until": moment(ack.until) if ack else None,
    }
