"""Deciding: what a decision about a group is made from, and what it means for what is kept of it.

The service (commit.lua) and a simulation write what `written` says. Pure translation: `incident.py` decides.
Times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from routing.incident_records import Group, Incident, Status, Told
from routing.records import replace
from routing.tree import POLICY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routing.clocks import Book
    from routing.decisions import Decision, Ring
    from routing.severity import Severities
    from routing.stored import GroupSeen


class Addresses(Protocol):
    """What is known of the places that a book has reached."""

    def fields(self, place: str, incident: Incident) -> Mapping[str, Any]:
        """What a new delivery keeps of its place: kind, receiver, target, what it shows..."""
        ...


def told(group: GroupSeen, incident: Incident) -> tuple[Told, ...]:
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


def incident_of(group: GroupSeen, book: Book) -> Incident | None:
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


def counted(group: GroupSeen, incident: Incident, severities: Severities) -> Group:
    """What is counted of the group, beside what its earlier incidents have still to show."""
    others = [
        d.sent for d in group.deliveries if d.incident != incident.number and d.state == "open" and d.ends
    ]
    worst = severities.name(group.counted.rank)
    behind = min(others, default=None)
    return replace(group.counted, behind=behind, worst=worst, resumed=group.resumed)


def tells(decision: Decision) -> bool:
    """Somebody would be rung, or an incident begins."""
    begins = decision.incident is not None and not decision.incident.number
    return bool(decision.rings) or begins or any(order.rings for order in decision.orders)


def besides(group: GroupSeen, decision: Decision) -> Decision:
    """What came beside a deadline that has passed leaves that due, and as late as it is.

    Else nobody would know after an outage how late the steps are, and all of them would come at once.
    """
    if decision.incident is None or not decision.incident.open or not 0 < group.due <= group.now:
        return decision
    return replace(decision, deadline=group.due)


def written(
    group: GroupSeen,
    decision: Decision,
    orders: Sequence[dict[str, Any]],
    *,
    fresh: bool,
    dismissed_for: int = 0,
) -> dict[str, Any]:
    """What is to be written of a decision (commit.lua). `fresh`: the incident had no number before."""
    incident = decision.incident
    return {
        "seq": group.counted.seq,
        "opened": group.opened,
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
        "interval": incident.group_interval if incident else 0,
    }


def orders_of(group: GroupSeen, decision: Decision, addresses: Addresses) -> list[dict[str, Any]]:
    """What each delivery is to do, and the deliveries that are to be made (`new` says of what place)."""
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
            "step": one.step,
            "notice": one.notice,
        }
        for one in decision.orders
    ]
    unfinished = [d for d in group.deliveries if d.kind == "pagerduty" and d.state != "done"]
    unfinished = [d for d in unfinished if d.incident != incident.number or d.state == "dead"]
    unfinished.sort(key=lambda d: d.state != "open")  # of a dead one only the memory is taken
    died = {d.place: d.id for d in group.deliveries if d.incident == incident.number and d.state == "dead"}
    for position, ring in enumerate(decision.rings, _first_free(group, incident)):
        order = _first_ring(group, incident, ring, position, addresses)
        # A step that is said again and again makes no delivery each time that it is refused.
        order["id"] = died.get(ring.place, order["id"])
        if takes := next((d for d in unfinished if d.place == ring.place), None):
            # The same key over there: the old one's resolve could overtake a new one's trigger.
            unfinished.remove(takes)
            order["takes"] = takes.id
        orders.append(order)
    return orders


def _first_free(group: GroupSeen, incident: Incident) -> int:
    """The number of the incident's next delivery."""
    prefix = f"{incident.number}."
    taken = [int(d.id.removeprefix(prefix)) for d in group.deliveries if d.id.startswith(prefix)]
    return max(taken, default=-1) + 1


def _first_ring(
    group: GroupSeen, incident: Incident, ring: Ring, position: int, addresses: Addresses
) -> dict[str, Any]:
    return {
        "id": f"{incident.number}.{position}",
        "wanted": ring.wanted,
        "rings": 1,
        "reason": ring.reason,
        "final": 0,
        "rank": incident.rank,
        "unless": ring.unless,
        "by": ring.by,
        "step": ring.step,
        "notice": False,
        "new": {
            "gid": group.gid,
            **addresses.fields(ring.place, incident),
            "place": ring.place,
            "base": incident.opened_rev,
            "escalates": int(bool(incident.policy)),
        },
    }
