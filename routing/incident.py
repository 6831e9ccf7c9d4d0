"""The incident: what one group of alerts means for people, from its first firing alert to its end.

`decide` is the state machine. It is given the incident's record, an event, the time, what is counted of the
group and its deliveries, and the book in which policies and people stand; it answers with the new record,
what each target must be told, and the next deadline. It loads no alerts: alerts carry the revision of their
last change, so "is there anything new?" is a comparison of two numbers, whatever the size of the group.

The statuses and what changes them are one table (`transitions.py`). What else there is to know:

- A deadline has come (`Due`): who knows of the incident is told of what is new at ticks (`ticks.py`); what
  its policy has to do comes by its clocks (`clocks.py`, `escalation.py`).
- Somebody answers (`answering.py`): that changes the record at once, and what follows from it is due now.
- A change of the configuration may put it under another route (`adopting.py`).
- What holds alerts back (a silence, an inhibition) is counted, not decided here; a mute interval comes with
  the event. Neither is a status: an incident that is suppressed is triggered or acknowledged, its clocks
  stand, and it rings when nothing holds it any more.

All times and durations are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.adopting import adopted, without_what_is_gone
from routing.alerts import counted
from routing.answering import answered
from routing.clocks import begin, follow, moments, restart, shift, stand
from routing.decisions import ENDED, FIRST, GROWN, RELEASED, Decision, Line, Order
from routing.escalation import carry_out, keeps_ack
from routing.events import Adopted, Due
from routing.incident_records import Group, Incident, Status, Told
from routing.policies import Target
from routing.records import replace
from routing.telling import Telling, ring
from routing.ticks import (
    count,
    first_tick_after,
    next_look,
    order_of,
    over,
    tidy,
    what_is_new,
    why_suppressed,
)
from routing.transitions import Change, to

if TYPE_CHECKING:
    from routing.clocks import Book
    from routing.events import Event
    from routing.policies import Unless


def decide(
    incident: Incident, event: Event, now: int, group: Group, told: tuple[Told, ...], *, book: Book
) -> Decision:
    """What `event` at `now` means. Total: every event is legal in every state."""
    match event:
        case Due():
            telling = Telling(now, group.seq, told, book)
            decision = _and_what_is_due(_due(incident, event, group, telling), event, group, telling)
        case Adopted():
            decision = adopted(incident, event, now, group, told, book=book)
        case _:
            decision = answered(incident, event, now, group, told, book=book)
    return _wait_for_the_last(decision, incident, now, group)


def _wait_for_the_last(decision: Decision, incident: Incident, now: int, group: Group) -> Decision:
    """An alert's end stays in the group until deliveries of earlier incidents have shown it too."""
    if group.behind is None or decision.leave <= group.behind:
        return decision
    look_again = decision.deadline or now + incident.group_interval
    return replace(decision, leave=group.behind, deadline=look_again)


def _due(incident: Incident, event: Due, group: Group, telling: Telling) -> Decision:
    fires = group.firing + group.held > 0
    match incident.status:
        case Status.PENDING:
            return _begin(incident, event, group, telling)
        case Status.RESOLVED if fires:
            return _go_on(incident, event, group, telling)
        case Status.RESOLVED:
            return tidy(incident, telling.now, group, tuple(telling.told))
        case Status.TRIGGERED | Status.ACKNOWLEDGED:
            at_tick = telling.now >= incident.tick or _may_ring_at_last(incident, event, group)
            if not fires and (at_tick or _would_be_told(incident, telling)):
                return _end(incident, group, telling)
            return _look(incident, event, group, telling, at_tick=at_tick)


def _may_ring_at_last(incident: Incident, event: Due, group: Group) -> bool:
    """Who has been kept from being told at all does not wait for a tick on top."""
    return not incident.rung and group.firing > 0 and not event.quiet


def _would_be_told(incident: Incident, telling: Telling) -> bool:
    """A step is due, but all is over: that is no time to wake anybody, nor to wait for a tick."""
    coming = moments(incident, telling.book)
    return bool(coming) and coming[0].at <= telling.now


def _begin(incident: Incident, event: Due, group: Group, telling: Telling) -> Decision:
    """The group's wait is over: whoever fires now is told of; who ended before is not."""
    if group.firing + group.held == 0:
        return Decision(
            None, leave=group.seq, lines=(Line("closed", "ended before its time: nobody was told"),)
        )
    now = telling.now
    triggered = replace(
        to(count(incident, event, group), Change.WAITED),
        triggered_at=now,
        tick=first_tick_after(incident, now),
        considered=group.seq,
        clocks=(begin(incident.policy, now, telling.book),) if incident.policy else (),
    )
    fires = counted(group.firing + group.held)
    worst = f", worst severity {triggered.severity}" if triggered.severity else ""
    line = Line("triggered", f"triggered: {fires} firing{worst}")
    return _ring_everyone(triggered, event, group, telling, lines=(line,))


def _go_on(incident: Incident, event: Due, group: Group, telling: Telling) -> Decision:
    """It fires again: an end that was not one, or, under a policy, soon enough to be the same matter."""
    now, ack = telling.now, incident.ack
    policy = telling.book.policy(incident.policy)
    reopened = not group.resumed or incident.dismissed
    stays = not reopened or (policy is not None and policy.keep_ack_on_reopen and not incident.dismissed)
    kept = stays and ack is not None and (not ack.until or ack.until > now)
    fires = counted(group.firing + group.held)
    if incident.dismissed:
        line = Line("reopened", f"it was resolved by hand, and still fires: {fires} firing")
    elif reopened and incident.policy:
        line = Line("reopened", f"fires anew soon after its end: opened again, {fires} firing")
    else:
        line = Line("triggered", f"fires again, the same episode: {fires} firing")
    again = replace(
        to(count(incident, event, group), Change.STILL_HELD if kept else Change.FIRES_AGAIN),
        ack=ack if kept else None,
        resolved_at=0,
        closed_rev=0,
        tick=now + incident.group_interval,
        considered=group.seq,
        dismissed=False,
        stood_at=0,
    )
    if incident.policy and reopened:
        again = replace(again, clocks=(begin(incident.policy, now, telling.book),), later=())
    elif incident.stood_at == 0:  # the clocks stood while it seemed to be over
        again = shift(again, now - incident.resolved_at)
    else:
        again = shift(again, now - incident.stood_at)
    return _ring_everyone(again, event, group, telling, lines=(line,))


def _ring_everyone(
    incident: Incident, event: Due, group: Group, telling: Telling, *, lines: tuple[Line, ...]
) -> Decision:
    """Everybody is rung for the first time (since it fires), or, where that is held, later.

    Where its policy begins, that says who is rung, and whoever knows it from before only sees that it fires.
    """
    now, told = telling.now, tuple(telling.told)
    if incident.policy:
        incident = stand(incident, now)
    if incident.suppressed:
        waiting = replace(incident, rung=False)
        line = Line("suppressed", why_suppressed(event, group))
        return Decision(
            waiting,
            deadline=next_look(waiting, event, now, group, told),
            leave=0 if told else group.seq,  # nobody waits for the ends of those that nobody was told of
            lines=(*lines, line),
        )
    rung = replace(incident, rung=True)
    alive = [delivery for delivery in told if delivery.state != "dead"]
    if incident.policy:  # but for those whose ring was dropped before they had been told anything
        alive = [one for one in alive if one.sent > 0 or one.ring_wanted > one.ring_sent]
    in_hand = incident.status is Status.ACKNOWLEDGED
    if in_hand and not alive and not incident.policy:  # since before anybody was told; if that ends, they are
        waiting = replace(incident, rung=False)
        return Decision(waiting, deadline=next_look(waiting, event, now, group, told), lines=lines)
    orders: tuple[Order, ...] = ()
    begins = bool(incident.clocks) and not incident.clocks[-1].done
    if incident.policy and (begins or in_hand):
        orders = tuple(Order(one.id, group.seq, 0, FIRST) for one in alive if one.updates)
    elif alive:
        unless: Unless = "resolved" if in_hand else "acknowledged"
        orders = tuple(Order(one.id, group.seq, 1, FIRST, unless=unless, by=incident.policy) for one in alive)
    elif not incident.policy:  # else its clock says who is told
        ways = telling.book.reach((Target("receiver", incident.receiver),), incident, now).ways
        rung = ring(rung, ways, telling, FIRST, unless="acknowledged", by="")
    if incident.policy:
        deadline = next_look(rung, event, now, group, told)
    else:
        deadline = first_tick_after(rung, now + rung.repeat_interval)
    return Decision(rung, orders, deadline=deadline, lines=lines)


def _look(incident: Incident, event: Due, group: Group, telling: Telling, *, at_tick: bool) -> Decision:
    """What has become of it since it was looked at last; at a tick, those who know are told what is new."""
    now, told = telling.now, tuple(telling.told)
    if not at_tick and not incident.policy:
        return Decision(incident, deadline=next_look(incident, event, now, group, told))
    seen = stand(count(incident, event, group), now)
    if seen.suppressed and incident.rung:  # what nobody is told of now rises when it is told
        seen = replace(seen, rank=incident.rank, severity=incident.severity)
    seen = _worse(incident, seen, group, telling)
    if at_tick:
        seen = replace(seen, tick=first_tick_after(incident, now), considered=group.seq)
    if _may_ring_at_last(incident, event, group):
        lines = over(incident, group) if incident.suppressed else ()
        return _ring_everyone(seen, event, group, telling, lines=lines)
    released = incident.suppressed and not incident.firing and not seen.suppressed
    news, orders = RELEASED if released else GROWN, []
    policy = telling.book.policy(incident.policy)
    loud = released or (policy is not None and policy.ring_on_new_alert)
    for one in told if at_tick or released else ():
        order = order_of(seen, now, group, one, news, loud=loud) if one.open else None
        if order and (order.rings or one.knows or not incident.policy):
            orders.append(order)
    lines = (
        what_is_new(incident, seen, event, group, tuple(orders)) if at_tick or _turned(incident, seen) else ()
    )
    leave = 0
    if at_tick:
        leave = min((one.sent for one in told if one.open and one.ends), default=group.seq)
    return Decision(
        seen, tuple(orders), deadline=next_look(seen, event, now, group, told), leave=leave, lines=lines
    )


def _turned(incident: Incident, seen: Incident) -> bool:
    return incident.suppressed != seen.suppressed


def _worse(incident: Incident, seen: Incident, group: Group, telling: Telling) -> Incident:
    """A severity that rises is news that nobody has acknowledged: the policy starts again."""
    rises = incident.rung and group.firing and group.rank < incident.rank and not seen.suppressed
    if not rises or (not incident.policy and incident.status is Status.TRIGGERED):
        return seen
    telling.say("severity", f"the severity rises to {seen.severity or 'a worse one'}")
    if seen.status is Status.ACKNOWLEDGED:
        if seen.policy and seen.ack and keeps_ack(seen, telling.book):
            for one in telling.told:
                if one.knows:
                    reason = f"the severity rises; {seen.ack.by} has it in hand"
                    order = Order(one.id, telling.seq, 1, reason, unless="resolved", by=seen.policy)
                    telling.orders[one.id] = order
            ways = telling.book.reach((Target("user", seen.ack.by),), seen, telling.now).ways
            return ring(seen, ways, telling, "the severity rises", unless="resolved", by=seen.policy)
        seen = replace(to(seen, Change.RISES), ack=None)
    return restart(seen, telling.now, telling.book)


def _end(incident: Incident, group: Group, telling: Telling) -> Decision:
    now = telling.now
    ended = replace(
        to(count(incident, Due(), group), Change.OVER),
        resolved_at=now,
        closed_rev=group.seq,
        considered=group.seq,
    )
    orders = tuple(Order(one.id, group.seq, 0, ENDED, final=group.seq) for one in telling.told if one.open)
    ended_now = f"{counted(group.ended)} ended" if group.ended else "what was held has ended"
    line = Line("resolved", f"resolved: {ended_now}")
    return Decision(ended, orders, deadline=now + incident.group_interval, lines=(line,))


def _and_what_is_due(decision: Decision, event: Due, group: Group, telling: Telling) -> Decision:
    """What the clocks have to do by now, on top; and when they have to do something next."""
    incident = decision.incident
    if incident is None or not incident.open:
        return decision
    stood = incident.status
    incident = without_what_is_gone(follow(incident, telling.now, telling.book), telling)
    incident = carry_out(incident, event.late, telling)
    orders = {order.id: order for order in decision.orders} | telling.orders
    lines = (*decision.lines, *telling.lines)
    rings = tuple(telling.rings.values())
    shows = bool(telling.lines) and any(one.knows for one in telling.told)
    if shows:  # where people see it already, they see what has happened
        seq = group.seq + 1
        for one in telling.told:
            if one.knows and one.edits and one.id not in orders:
                orders[one.id] = Order(one.id, seq, 0, telling.lines[-1].text)
        orders = {key: replace(order, wanted=seq) for key, order in orders.items()}
        rings = tuple(replace(one, wanted=seq) for one in rings)
        if incident.considered == group.seq:
            incident = replace(incident, considered=seq)
    coming = moments(incident, telling.book)
    deadlines = [at for at in (decision.deadline, *(one.at for one in coming[:1])) if at is not None]
    if incident.status is not stood:  # what an acknowledgement has kept quiet until now
        deadlines.append(telling.now)
    return replace(
        decision,
        incident=incident,
        orders=tuple(orders.values()),
        rings=rings,
        deadline=min(deadlines, default=None),
        lines=lines,
        shows=shows,
        climbs=incident.status is Status.TRIGGERED and bool(coming),
        carried=tuple(telling.carried),
    )
