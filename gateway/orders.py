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
from routing.decisions import Decision
from routing.incident_records import Group, Incident, Status, Told, to_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.compile import Integration
    from gateway.book import PlanBook
    from gateway.store.records import ClaimedGroup
    from routing.clocks import Book
    from routing.decisions import Ring
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
            place=d.place,
            ring_at=d.ring_at,
            rung_by=d.rung_by,
            person=d.person,
        )
        for d in group.deliveries
        if incident.number and d.incident == incident.number
    )


def incident_of(group: ClaimedGroup, book: Book) -> Incident | None:
    """The incident that is due: the open one, or one that begins now beside its predecessor's record.

    Under a policy, what fires anew soon after the end opens the same incident again.
    """
    before = group.incident
    if not group.opened or group.resumed or (before and before.status is not Status.RESOLVED):
        return before
    receiver = group.meta.receiver
    policy = receiver.removeprefix(POLICY) if receiver.startswith(POLICY) else ""
    if before and before.policy and not before.dismissed and (known := book.policy(before.policy)):
        soon = group.opened - before.resolved_at <= known.reopen_within
        if soon and before.route == group.meta.route:
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
        policy=policy,
        team=group.meta.team,
    )


def counted(group: ClaimedGroup, incident: Incident, severities: Severities) -> Group:
    """What is counted of the group, beside what its earlier incidents have still to show."""
    others = [
        d.sent for d in group.deliveries if d.incident != incident.number and d.state == "open" and d.ends
    ]
    worst = severities.name(group.counted.rank)
    behind = min(others, default=None)
    return replace(group.counted, behind=behind, worst=worst, resumed=group.resumed)


def to_write(
    group: ClaimedGroup,
    decision: Decision,
    orders: Sequence[dict[str, Any]],
    *,
    fresh: bool,
    dismissed_for: int = 0,
    meta: str = "",
) -> dict[str, Any]:
    """The decision as commit.lua reads it. `fresh`: it was about an incident that had no number yet.

    `meta` is what the group keeps of the plan from now on, "" for what it has.
    """
    incident = decision.incident
    return {
        "version": group.version,
        "seq": group.counted.seq,
        "opened": group.opened,
        # Closed without a number: its predecessor's record stays, which a late copy may still bring back.
        "doc": orjson.dumps(to_record(incident)).decode() if incident else group.doc,
        "number": incident.number if incident else 0,
        "open": incident is not None and incident.open,
        "fresh": fresh,
        "rung": int(incident.rung) if incident else 0,
        # What must not wait for a tick: a worse alert, and that all is held or no longer.
        "clocked": int(incident is not None and incident.open and bool(incident.policy)),
        "worst": incident.rank if incident and incident.open and incident.policy else 0,
        "shows": decision.shows,
        "quiet": decision.quiet,
        "climbs": int(decision.climbs),
        "dismiss": dismissed_for if decision.dismiss else 0,
        "tick": incident.tick if incident else 0,
        "deadline": decision.deadline or 0,
        "leave": decision.leave,
        "considered": incident.considered if incident else 0,
        "opened_at": incident.opened_at if incident else 0,
        "resolved_at": incident.resolved_at if incident else 0,
        "lines": [[line.kind, line.text] for line in decision.lines],
        "orders": orders,
        "meta": meta,
        "interval": incident.group_interval if incident else 0,
    }


def besides(group: ClaimedGroup, decision: Decision) -> Decision:
    """What came beside a deadline that has passed leaves that due, and as late as it is.

    Else nobody would know after an outage how late the steps are, and all of them would come at once.
    """
    if decision.incident is None or not decision.incident.open or not 0 < group.due <= group.now:
        return decision
    return replace(decision, deadline=group.due)


def nothing(group: ClaimedGroup) -> dict[str, Any]:
    """Nothing follows; only the group's memories go on."""
    return to_write(group, Decision(None), [], fresh=False)


def orders_of(group: ClaimedGroup, decision: Decision, book: PlanBook) -> list[dict[str, Any]]:
    """What each delivery is to do, and the deliveries that are to be made."""
    incident = decision.incident
    if incident is None:
        return []
    orders: list[dict[str, Any]] = [
        {
            "id": one.id,
            "wanted": one.wanted,
            "rings": one.rings,
            "reason": one.reason,
            "final": one.final,
            "rank": incident.rank,
            "unless": one.unless,
            "by": one.by,
            "notice": one.notice,
        }
        for one in decision.orders
    ]
    unfinished = [d for d in group.deliveries if d.kind == "pagerduty" and d.state != "done"]
    unfinished = [d for d in unfinished if d.incident != incident.number or d.state == "dead"]
    unfinished.sort(key=lambda d: d.state != "open")  # of a dead one only the memory is taken
    died = {d.place: d.id for d in group.deliveries if d.incident == incident.number and d.state == "dead"}
    for position, ring in enumerate(decision.rings, _first_free(group, incident)):
        order = _first_ring(group, incident, ring, position, book.at(ring.place))
        # A step that is said again and again makes no delivery each time that it is refused.
        order["id"] = died.get(ring.place, order["id"])
        if takes := next((d for d in unfinished if d.place == ring.place), None):
            # The same key over there: the old one's resolve could overtake a new one's trigger.
            unfinished.remove(takes)
            order["takes"] = takes.id
        orders.append(order)
    return orders


def _first_free(group: ClaimedGroup, incident: Incident) -> int:
    """The number of the incident's next delivery."""
    prefix = f"{incident.number}."
    taken = [int(d.id.removeprefix(prefix)) for d in group.deliveries if d.id.startswith(prefix)]
    return max(taken, default=-1) + 1


def _first_ring(
    group: ClaimedGroup, incident: Incident, ring: Ring, position: int, integration: Integration
) -> dict[str, Any]:
    traits = kinds.module(integration.kind).traits(integration.config)
    fields = {
        "gid": group.gid,
        "receiver": integration.receiver,
        "person": integration.person,
        "kind": integration.kind,
        "index": integration.index,
        "place": ring.place,
        "target": traits.target,
        "where": traits.where or traits.target,
        "slots": traits.slots,
        # Whom a policy tells sees the end too, whatever is set for a receiver by itself.
        "ends": int(integration.config.send_resolved or traits.edits or bool(incident.policy)),
        "updates": int(traits.updates),
        "edits": int(traits.edits),
        "base": incident.opened_rev,
        "escalates": int(bool(incident.policy)),
        "pinned": orjson.dumps(pin(integration.config)).decode(),
    }
    return {
        "id": f"{incident.number}.{position}",
        "wanted": ring.wanted,
        "rings": 1,
        "reason": ring.reason,
        "final": 0,
        "rank": incident.rank,
        "unless": ring.unless,
        "by": ring.by,
        "notice": False,
        "new": [part for pair in fields.items() for part in pair],
    }
