"""Between a claimed group and `routing/incident.py`: what a decision is made from, and what it means here.

Translation only: `gateway/engine.py` claims and commits, `routing/incident.py` decides. Pure but for the
modules of receivers, which say what kind of target an integration is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from config.compile import pin
from gateway.placing import POLICY
from receivers import kinds
from routing.incident_records import Decision, Group, Incident, Line, Status, Told, to_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.compile import Integration
    from gateway.placing import Placing
    from gateway.store.records import ClaimedGroup
    from routing.severity import Severities


def told(group: ClaimedGroup, incident: Incident) -> tuple[Told, ...]:
    """What each delivery of `incident` has been told; nothing before it has a number."""
    return tuple(
        Told(
            id=d.id,
            ends=d.ends,
            updates=d.updates,
            edits=d.edits,
            state=d.state,
            wanted=d.wanted,
            sent=d.sent,
            ring_wanted=d.ring_wanted,
            ring_sent=d.ring_sent,
            rung=d.rung,
            sent_at=d.sent_at,
        )
        for d in group.deliveries
        if incident.number and d.incident == incident.number
    )


def incident_of(group: ClaimedGroup) -> Incident | None:
    """The incident that is due: the open one, or one that begins now beside its predecessor's record."""
    before = group.incident
    if not group.opened or group.resumed or (before and before.status is not Status.RESOLVED):
        return before
    return Incident(
        number=0,
        status=Status.PENDING,
        route=group.meta.route,
        receiver=group.meta.receiver,
        labels=group.meta.labels,
        group_interval=group.meta.group_interval,
        repeat_interval=group.meta.repeat_interval,
        opened_at=group.opened,
        opened_rev=group.before,
        tick=group.due,
        gid=group.gid,
    )


def counted(group: ClaimedGroup, incident: Incident, severities: Severities) -> Group:
    """What is counted of the group, beside what its earlier incidents have still to show."""
    others = [
        d.sent for d in group.deliveries if d.incident != incident.number and d.state == "open" and d.ends
    ]
    worst = severities.name(group.counted.rank)
    return replace(group.counted, behind=min(others, default=None), worst=worst)


def to_write(
    group: ClaimedGroup, decision: Decision, orders: Sequence[dict[str, Any]], *, fresh: bool
) -> dict[str, Any]:
    """The decision as commit.lua reads it. `fresh`: it was about an incident that had no number yet."""
    incident = decision.incident
    return {
        "version": group.version,
        "seq": group.counted.seq,
        "opened": group.opened,
        # Closed without a number: its predecessor's record stays, which a late copy may still bring back.
        "doc": orjson.dumps(to_record(incident)).decode() if incident else group.doc,
        "number": incident.number if incident else 0,
        "open": incident is not None and incident.status is Status.TRIGGERED,
        "fresh": fresh,
        "rung": int(incident.rung) if incident else 0,
        "tick": incident.tick if incident else 0,
        "deadline": decision.deadline or 0,
        "leave": decision.leave,
        "considered": incident.considered if incident else 0,
        "opened_at": incident.opened_at if incident else 0,
        "resolved_at": incident.resolved_at if incident else 0,
        "lines": [[line.kind, line.text] for line in decision.lines],
        "orders": orders,
    }


def nothing(group: ClaimedGroup) -> dict[str, Any]:
    """Nothing follows; only the group's memories go on."""
    return to_write(group, Decision(None), [], fresh=False)


def orders_of(group: ClaimedGroup, decision: Decision, placing: Placing) -> list[dict[str, Any]]:
    """What each delivery is to do; where the receiver is rung as a whole, a delivery for each integration."""
    if decision.incident is None:
        return []
    rank = decision.incident.rank
    orders: list[dict[str, Any]] = [
        {"id": o.id, "wanted": o.wanted, "rings": o.rings, "reason": o.reason, "final": o.final, "rank": rank}
        for o in decision.orders
    ]
    if decision.ring_all:
        unfinished = [d for d in group.deliveries if d.kind == "pagerduty" and d.state != "done"]
        unfinished.sort(key=lambda d: d.state != "open")  # of a dead one only the memory is taken
        told = placing.told_first(group.meta.receiver, group.meta.team, rank)
        for position, integration in enumerate(told):
            order = _first_ring(group, decision.incident, decision.ring_all, position, integration)
            if takes := next((d for d in unfinished if d.place == order["place"]), None):
                # The same key over there: the old one's resolve could overtake a new one's trigger.
                unfinished.remove(takes)
                order["takes"] = takes.id
            orders.append(order)
    return orders


def stand_ins(group: ClaimedGroup, decision: Decision, placing: Placing) -> tuple[Line, ...]:
    """What the timeline says of those who are told for somebody who cannot be reached."""
    if not (decision.ring_all and decision.incident):
        return ()
    told = placing.told_first(group.meta.receiver, group.meta.team, decision.incident.rank)
    return tuple(
        Line("instead", f"{one.receiver} is told instead of {one.instead_of}: it cannot be reached")
        for one in told
        if one.instead_of
    )


def _first_ring(
    group: ClaimedGroup, incident: Incident, reason: str, position: int, integration: Integration
) -> dict[str, Any]:
    traits = kinds.module(integration.kind).traits(integration.config)
    place = f"{integration.kind}:{traits.target}"
    fields = {
        "gid": group.gid,
        "receiver": integration.receiver,
        "kind": integration.kind,
        "index": integration.index,
        "place": place,
        "target": traits.target,
        "where": traits.where or traits.target,
        "slots": traits.slots,
        # Whom a policy tells sees the end too, whatever is set for a receiver by itself.
        "ends": int(integration.config.send_resolved or traits.edits or incident.receiver.startswith(POLICY)),
        "updates": int(traits.updates),
        "edits": int(traits.edits),
        "base": incident.opened_rev,
        "pinned": orjson.dumps(pin(integration.config)).decode(),
    }
    return {
        "id": f"{incident.number}.{position}",
        "wanted": group.counted.seq,
        "rings": 1,
        "reason": reason,
        "final": 0,
        "rank": incident.rank,
        "place": place,
        "new": [part for pair in fields.items() for part in pair],
    }
