"""From an attempt that begins to the message that a receiver is handed.

Times are milliseconds. Decides nothing: what is new and what has ended was counted by the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.store import reading
from receivers.base import Message, ShownAlert
from routing.hold_texts import said
from routing.incident_records import Status
from routing.upcoming import coming_next

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from gateway.store.store import Store
    from receivers.base import Kind
    from routing.clocks import Book
    from routing.incident_records import Incident
    from routing.severity import Severities
    from routing.stored import Begun, StoredAlert

DEDUP_KEY: Final = "tocsin-{gid}"
HOLDS_SAID: Final = 3


def compose(
    kind: Kind,
    did: str,
    begun: Begun,
    external_url: str,
    store: Store | None,
    *,
    severities: Severities,
    route_labels: dict[str, str],
    book: Book | None = None,
) -> Message:
    """The message of an attempt: firing alerts first, then those that ended since the target last looked.

    Without a `store` only those alerts can be shown that are in `begun`.
    """
    incident, fields = begun.incident, begun.fields
    held_only = begun.held > 0 and begun.firing == 0
    firing = begun.held if held_only else begun.firing

    def worst_first(alert: StoredAlert) -> tuple[int, int, list[tuple[str, str]]]:
        return severities.rank(alert.labels), alert.starts_at, sorted(alert.labels.items())

    over = incident.status is Status.RESOLVED
    alerts = [shown(alert, resolved=False) for alert in sorted(begun.firing_alerts, key=worst_first)]
    tells_ends = fields.get("ends") == "1"  # else it is told who fires, and nothing of those who ended
    ended = begun.ended if tells_ends else 0
    alerts += [
        shown(alert, resolved=True) for alert in sorted(begun.ended_alerts, key=worst_first) if tells_ends
    ]
    since = max(int(fields.get("sent") or 0), int(fields.get("base") or 0))
    until = begun.revision if tells_ends else since
    severity = _severity(alerts, incident, severities)
    all_shown = len(alerts) >= firing + ended or held_only
    upcoming, upcoming_at = coming_next(incident, book) if book else ("", 0)
    pages = None
    if store is not None and not all_shown:
        pages = _pages(store, fields["gid"], since, until, firing=not over)
    return Message(
        kind=kind,
        reason=fields.get("reason", ""),
        incident=incident.number,
        status="resolved" if over else "firing",
        receiver=fields["receiver"],
        route=incident.route,
        route_labels=route_labels,
        group_labels=incident.labels,
        common_labels=common([alert.labels for alert in alerts]) or incident.labels,
        common_annotations=common([alert.annotations for alert in alerts]),
        alerts=alerts,
        firing=firing,
        resolved=ended,
        severity=severity,
        grade=severities.grade(severity),
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        now=begun.now,
        url=f"{external_url.rstrip('/')}/incidents/{incident.number}",
        external_url=external_url,
        delivery=f"{did}-{incident.opened_at}",
        revision=begun.revision,
        ring=int(fields.get("ring_wanted") or 0),
        dedup_key=DEDUP_KEY.format(gid=fields["gid"]),
        new_firing=begun.new_firing,
        all_alerts=pages,
        held=begun.held,
        held_by=_held_by(begun.held_by) if held_only else "",
        acknowledged=incident.ack if incident.status is Status.ACKNOWLEDGED else None,
        upcoming=upcoming,
        upcoming_at=upcoming_at,
        history=begun.history,
        escalates=fields.get("escalates") == "1",
        person=fields.get("person", ""),
        answerable=True,
    )


async def _pages(
    store: Store, gid: str, since: int, until: int, *, firing: bool
) -> AsyncIterator[Sequence[ShownAlert]]:
    """Every alert of the message, read when a receiver carries them all."""
    if firing:
        async for page in reading.alerts(store, gid, "f", 0, reading.EVER):
            yield [shown(alert, resolved=False) for alert in page]
    async for page in reading.alerts(store, gid, "e", since + 1, until):
        yield [shown(alert, resolved=True) for alert in page]


def shown(alert: StoredAlert, *, resolved: bool) -> ShownAlert:
    """A stored alert as a message shows it."""
    return ShownAlert(
        labels=alert.labels,
        annotations=alert.annotations,
        status="resolved" if resolved else "firing",
        starts_at=alert.starts_at,
        ends_at=alert.ended_at if resolved else 0,
        generator_url=alert.generator_url,
        expired=alert.expired and resolved,
    )


def common(sets: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them have with the same value."""
    if not sets:
        return {}
    first, *others = sets
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in others)}


def _held_by(holds: Sequence[str]) -> str:
    more = "; and more" if len(holds) > HOLDS_SAID else ""
    return "; ".join(sorted(said(hold) for hold in holds)[:HOLDS_SAID]) + more


def _severity(alerts: Iterable[ShownAlert], incident: Incident, severities: Severities) -> str:
    """The worst alert's own word for its severity; the rank's name where it is not among those shown."""
    label = severities.label
    words = {severities.rank(a.labels): a.labels[label] for a in alerts if a.labels.get(label)}
    return words.get(incident.rank, incident.severity) if words else ""
