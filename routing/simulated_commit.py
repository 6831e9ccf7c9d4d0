"""What a decision sees of a group in memory, and what it changes there (`view` in group.lua; commit.lua).

What a decision orders of deliveries is in `simulated_deliveries.py`. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from routing.alerts import Dedup, Status
from routing.incident_records import Group
from routing.records import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.incident_records import Incident
    from routing.simulated_group import SimulatedGroup
    from routing.stored import DeliveryState, GroupMeta


@dataclass(frozen=True, slots=True)
class Seen:
    """See `routing.stored.GroupSeen`."""

    gid: str
    opened: int
    before: int
    resumed: bool
    due: int
    now: int
    incident: Incident | None
    meta: GroupMeta
    counted: Group
    deliveries: Sequence[DeliveryState]


def view(group: SimulatedGroup, now: int, deliveries: Sequence[DeliveryState]) -> Seen:
    """What a decision is made from (group.lua, `view`)."""
    rank = min((rank for rank, count in group.ranks.items() if count > 0), default=7)
    counted = Group(
        group.seq,
        len(group.firing),
        len(group.over),
        max(group.firing.values(), default=0),
        max(group.over.values(), default=0),
        rank,
        held=len(group.held),
    )
    due = 0 if group.next == inf else int(group.next)
    return Seen(
        group.gid,
        group.opened,
        group.before,
        group.resumed,
        due,
        now,
        group.incident,
        group.meta,
        counted,
        deliveries,
    )


def commit(
    group: SimulatedGroup, written: dict[str, Any], incident: Incident | None, now: int, dedup: Dedup
) -> None:
    """Writes a decision, but for what concerns deliveries (commit.lua)."""
    if written["leave"] > group.left:
        for key in [key for key, revision in group.over.items() if revision <= written["leave"]]:
            del group.over[key]
            if group.alerts[key].known.status not in (Status.SUSPECT, Status.DISMISSED):
                group.alerts[key].copy = None
        group.left = written["leave"]
    group.shown = max(group.shown, written["considered"], written["leave"])
    if written["dismiss"]:
        _dismiss(group, written["seq"], now, dedup)
    group.latest = 0
    group.rung, group.clocked = written["rung"], written["clocked"]
    group.worst, group.climbs = written["worst"], written["climbs"]
    if incident is not None:
        group.incident = incident
    fires = bool(group.firing or group.held)
    anew = not written["open"] and group.seq != written["seq"] and fires
    if not anew:
        group.tick, group.resumed = written["tick"], False
        if not written["open"]:
            group.opened = 0
        group.next = written["deadline"] or inf
        if group.seq != written["seq"] and group.seq > 0:
            group.next = min(group.next, now)
        if group.died:
            group.next, group.died = now, False
    elif group.opened == written["opened"]:
        group.next = max(now + group.meta.group_wait, group.patient)
        group.opened, group.before, group.resumed, group.tick, group.rung = now, written["seq"], False, 0, 0
    if written["shows"]:
        group.seq += 1


def _dismiss(group: SimulatedGroup, seq: int, now: int, dedup: Dedup) -> None:
    """Its alerts fire no longer for us, whatever their sender says."""
    for key in [*group.firing, *group.held]:
        alert = group.alerts[key]
        if alert.fired > seq:
            continue
        alert.known = replace(alert.known, status=Status.DISMISSED, ended_at=now, ended_seen=now)
        if alert.fired > 0:
            alert.ended = group.over[key] = seq + 1
        if group.held.pop(key, None) is None:
            del group.firing[key]
            group.ranks[alert.rank] -= 1
        group.waits.pop(key, None)
        group.timers.put(key, now + dedup.dismissed_for)
