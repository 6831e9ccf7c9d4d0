"""Ticks: when those who know of an incident are told of what is new, as Alertmanager would tell them.

A group is looked at `group_wait` after its first alert and then every `group_interval` (Alertmanager's
`dispatch` and `DedupStage`); the few differences that are meant are listed in docs/decisions/differences.md.
Under a policy the same is shown, but not heard: that is what its steps are for. All times and durations are
milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.alerts import counted
from routing.decisions import HELD, PARTLY, REPEATED, Decision, Line, Order
from routing.incident_records import Incident, Status
from routing.records import replace

if TYPE_CHECKING:
    from routing.events import Due
    from routing.incident_records import Group, Told


def order_of(
    incident: Incident, now: int, group: Group, delivery: Told, news: str, *, loud: bool
) -> Order | None:
    """Alertmanager's decision whether a group is notified again, for one of our deliveries.

    `incident` has been counted anew; `news` is why it fires anew, if it does. `loud`: under a policy, that is
    to be heard, unless somebody has it in hand.
    """
    heard = delivery.rung if delivery.ring_wanted == delivery.ring_sent else delivery.wanted
    if group.fired_rev > heard and not incident.suppressed:
        if not incident.policy:
            # Alertmanager's: an acknowledgement ends its repeats, and nothing else.
            return Order(delivery.id, group.seq, 1, news, unless="resolved")
        if incident.status is Status.TRIGGERED and loud:
            return Order(delivery.id, group.seq, 1, news, by=incident.policy)
        if delivery.updates and group.fired_rev > delivery.wanted:
            return Order(delivery.id, group.seq, 0, news)
    if delivery.ends and delivery.updates and group.ended_rev > max(delivery.wanted, delivery.sent):
        return Order(delivery.id, group.seq, 0, PARTLY)
    if incident.suppressed:
        # A message that people see says so; nobody gets a new one for it.
        unsaid = group.held and not group.firing and delivery.wanted < group.seq
        return Order(delivery.id, group.seq, 0, HELD) if delivery.edits and unsaid else None
    if _repeat_is_due(incident, now, delivery):
        return Order(delivery.id, group.seq, 1, REPEATED)
    return None


def _repeat_is_due(incident: Incident, now: int, delivery: Told) -> bool:
    """What is under a policy is never repeated (`every` on a step is), nor what somebody has in hand."""
    return (
        not incident.policy
        and incident.status is Status.TRIGGERED
        and 0 < delivery.sent_at < now - incident.repeat_interval
        and delivery.ring_wanted == delivery.ring_sent
    )


def next_look(incident: Incident, event: Due, now: int, group: Group, told: tuple[Told, ...]) -> int | None:
    """The first tick at which there can be something to say; news lowers it where it is stored."""
    if group.seq > incident.considered or group.firing + group.held == 0:
        return incident.tick
    if event.quiet and group.firing:
        # At the tick somebody looks again: the interval may be gone from the configuration by then.
        at_its_end = now < (event.until or 0) < incident.tick and (not incident.rung or bool(incident.policy))
        return event.until if at_its_end and event.until else first_tick_after(incident, now)
    if incident.policy or incident.status is Status.ACKNOWLEDGED:
        return None
    # What is under way will be told now or later, so its repeat is not due before now + repeat_interval.
    last = min((delivery.sent_at or now for delivery in told if delivery.open), default=now)
    return first_tick_after(incident, max(last + incident.repeat_interval, now))


def first_tick_after(incident: Incident, moment: int) -> int:
    """The first planned tick strictly later than `moment`."""
    if incident.tick > moment:
        return incident.tick
    return incident.tick + ((moment - incident.tick) // incident.group_interval + 1) * incident.group_interval


def count(incident: Incident, event: Due, group: Group) -> Incident:
    """The incident with what is counted of its group now."""
    worse = group.firing > 0 and group.rank <= incident.rank
    return replace(
        incident,
        firing=group.firing,
        resolved=group.ended,
        held=group.held,
        rank=group.rank if worse else incident.rank,
        severity=group.worst if worse else incident.severity,
        suppressed=group.firing + group.held > 0 and (group.firing == 0 or bool(event.quiet)),
    )


def what_is_new(
    incident: Incident, ticked: Incident, event: Due, group: Group, orders: tuple[Order, ...]
) -> tuple[Line, ...]:
    """What the timeline says of a tick."""
    if ticked.suppressed:
        return () if incident.suppressed else (Line("suppressed", why_suppressed(event, group)),)
    if incident.suppressed:
        return over(incident, group)
    if group.fired_rev > incident.considered:
        return (Line("grown", f"new alerts added: {counted(group.firing)} firing"),)
    if group.ended_rev > incident.considered:
        return (Line("partly", f"some alerts resolved: {counted(group.firing)} still firing"),)
    if orders:
        return (Line("repeated", f"repeat interval elapsed: {counted(group.firing)} firing"),)
    return ()


def over(incident: Incident, group: Group) -> tuple[Line, ...]:
    """A quiet time is over; that a hold has ended was said when it did."""
    line = Line("released", f"the quiet time is over: {counted(group.firing)} firing")
    return (line,) if incident.firing else ()


def why_suppressed(event: Due, group: Group) -> str:
    """Why nobody is told."""
    if group.firing:
        return f"nobody is told now: {event.quiet}"
    return f"nobody is told: {counted(group.held)} firing, all held"


def tidy(incident: Incident, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    """After the end: alerts stay until every delivery that showed them has shown their end, or is dead."""
    if any(delivery.open for delivery in told):
        return Decision(incident, deadline=now + incident.group_interval)
    return Decision(incident, leave=group.seq)
