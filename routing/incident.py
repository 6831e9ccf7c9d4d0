"""The incident: what one group of alerts means for people, from its first firing alert to its end.

`decide` is the state machine. It is given the incident's record, an event, the time, and what is counted
of the group and its deliveries; it answers with the new record, what each target must be told, and the
next deadline. It loads no alerts: alerts carry the revision of their last change, so "is there anything
new?" is a comparison of two numbers, whatever the size of the group.

    pending ---> triggered ---> resolved
       |                           ^ (goes on: the end was not one)
       +-- ended before its time: closed without a number

A route with a plain receiver notifies as Alertmanager would: at ticks, `group_wait` after the first alert
and then every `group_interval` (Alertmanager's `dispatch` and `DedupStage`); the few differences that are
meant are listed in docs/decisions/differences.md. All times and durations are milliseconds.

What holds alerts back (a silence, an inhibition) is counted, not decided here; a mute interval comes with the
event. Neither is a state: an incident that is held is triggered, and it rings when nothing holds it any more.
"""

from __future__ import annotations

from dataclasses import replace

from routing.alerts import counted
from routing.incident_records import (
    ENDED,
    FIRST,
    GROWN,
    HELD,
    PARTLY,
    RELEASED,
    REPEATED,
    Decision,
    Due,
    Event,
    Group,
    Incident,
    Line,
    Order,
    Status,
    Told,
)


def decide(incident: Incident, event: Event, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    """What `event` at `now` means. Total: every event is legal in every state."""
    match event:
        case Due():
            return _wait_for_the_last(_due(incident, event, now, group, told), incident, now, group)


def _wait_for_the_last(decision: Decision, incident: Incident, now: int, group: Group) -> Decision:
    """An alert's end stays in the group until deliveries of earlier incidents have shown it too."""
    if group.behind is None or decision.leave <= group.behind:
        return decision
    look_again = decision.deadline or now + incident.group_interval
    return replace(decision, leave=group.behind, deadline=look_again)


def _due(incident: Incident, event: Due, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    match incident.status:
        case Status.PENDING:
            return _begin(incident, event, now, group)
        case Status.TRIGGERED if now < incident.tick and not _may_ring_at_last(incident, event, group):
            return Decision(incident, deadline=_next_deadline(incident, event, now, group, told))
        case Status.TRIGGERED if group.firing + group.held == 0:
            return _end(incident, now, group, told)
        case Status.TRIGGERED:
            return _tick(incident, event, now, group, told)
        case Status.RESOLVED if group.firing + group.held:
            return _go_on(incident, event, now, group, told)
        case Status.RESOLVED:
            return _tidy(incident, now, group, told)


def _may_ring_at_last(incident: Incident, event: Due, group: Group) -> bool:
    """Who has been kept from being told at all does not wait for a tick on top."""
    return not incident.rung and group.firing > 0 and not event.quiet


def _begin(incident: Incident, event: Due, now: int, group: Group) -> Decision:
    """The group's wait is over: whoever fires now is told of; who ended before is not."""
    if group.firing + group.held == 0:
        return Decision(
            None, leave=group.seq, lines=(Line("closed", "ended before its time: nobody was told"),)
        )
    triggered = replace(
        _count(incident, event, group),
        status=Status.TRIGGERED,
        triggered_at=now,
        tick=_first_tick_after(incident, now),
        considered=group.seq,
    )
    fires = counted(group.firing + group.held)
    worst = f", worst severity {triggered.severity}" if triggered.severity else ""
    line = Line("triggered", f"triggered: {fires} firing{worst}")
    return _ring_everyone(triggered, event, now, group, (), lines=(line,))


def _go_on(incident: Incident, event: Due, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    """An end that was not one: the same incident fires again, and those told of the end are told so."""
    again = replace(
        _count(incident, event, group),
        status=Status.TRIGGERED,
        resolved_at=0,
        closed_rev=0,
        tick=now + incident.group_interval,
        considered=group.seq,
    )
    fires = counted(group.firing + group.held)
    line = Line("triggered", f"fires again, the same episode: {fires} firing")
    return _ring_everyone(again, event, now, group, told, lines=(line,))


def _ring_everyone(
    incident: Incident,
    event: Due,
    now: int,
    group: Group,
    told: tuple[Told, ...],
    *,
    lines: tuple[Line, ...],
) -> Decision:
    """Everybody is rung for the first time (since it fires), or, where that is held, later."""
    if incident.suppressed:
        waiting = replace(incident, rung=False)
        line = Line("suppressed", _why_suppressed(event, group))
        return Decision(
            waiting,
            deadline=_next_deadline(waiting, event, now, group, told),
            leave=0 if told else group.seq,  # nobody waits for the ends of those that nobody was told of
            lines=(*lines, line),
        )
    rung = replace(incident, rung=True)
    orders = tuple(_ring(delivery, group, FIRST) for delivery in told if delivery.state != "dead")
    deadline = _first_tick_after(rung, now + incident.repeat_interval)
    return Decision(rung, orders, "" if orders else FIRST, deadline, lines=lines)


def _why_suppressed(event: Due, group: Group) -> str:
    if group.firing:
        return f"nobody is told now: {event.quiet}"
    return f"nobody is told: {counted(group.held)} firing, all held"


def _tick(incident: Incident, event: Due, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    counted = _count(incident, event, group)
    if _may_ring_at_last(incident, event, group):
        at_last = replace(counted, tick=_first_tick_after(incident, now), considered=group.seq)
        return _ring_everyone(at_last, event, now, group, told, lines=_over(incident, group))
    news = RELEASED if incident.suppressed and not incident.firing else GROWN
    orders = tuple(
        order for delivery in told if delivery.open and (order := _order(counted, now, group, delivery, news))
    )
    ticked = replace(counted, tick=_first_tick_after(incident, now), considered=group.seq)
    lines = _what_is_new(incident, ticked, event, group, orders)
    leave = min((delivery.sent for delivery in told if delivery.open and delivery.ends), default=group.seq)
    return Decision(ticked, orders, "", _next_deadline(ticked, event, now, group, told), leave, lines)


def _order(incident: Incident, now: int, group: Group, delivery: Told, news: str) -> Order | None:
    """Alertmanager's decision whether a group is notified again, for one of our deliveries.

    `news` is why it fires anew, if it does.
    """
    heard = delivery.rung if delivery.ring_wanted == delivery.ring_sent else delivery.wanted
    if group.fired_rev > heard and not incident.suppressed:
        return _ring(delivery, group, news)
    if delivery.ends and delivery.updates and group.ended_rev > max(delivery.wanted, delivery.sent):
        return Order(delivery.id, group.seq, 0, PARTLY)
    if incident.suppressed:
        # A message that people see says so; nobody gets a new one for it.
        unsaid = group.held and not group.firing and delivery.wanted < group.seq
        return Order(delivery.id, group.seq, 0, HELD) if delivery.edits and unsaid else None
    if _repeat_is_due(incident, now, delivery):
        return _ring(delivery, group, REPEATED)
    return None


def _ring(delivery: Told, group: Group, reason: str) -> Order:
    # Whoever begins next rings for all that is wanted by then: one sound is enough. But an attempt that has
    # begun already does not carry this news, so it is a ring of its own.
    return Order(delivery.id, group.seq, 1, reason)


def _repeat_is_due(incident: Incident, now: int, delivery: Told) -> bool:
    return (
        0 < delivery.sent_at < now - incident.repeat_interval and delivery.ring_wanted == delivery.ring_sent
    )


def _end(incident: Incident, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    ended = replace(
        _count(incident, Due(), group),
        status=Status.RESOLVED,
        resolved_at=now,
        closed_rev=group.seq,
        considered=group.seq,
    )
    orders = tuple(
        Order(delivery.id, group.seq, 0, ENDED, final=group.seq) for delivery in told if delivery.open
    )
    line = Line("resolved", f"resolved: {counted(group.ended)} ended")
    return Decision(ended, orders, "", now + incident.group_interval, lines=(line,))


def _tidy(incident: Incident, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    """After the end: alerts stay until every delivery that showed them has shown their end, or is dead."""
    if any(delivery.open for delivery in told):
        return Decision(incident, deadline=now + incident.group_interval)
    return Decision(incident, leave=group.seq)


def _next_deadline(incident: Incident, event: Due, now: int, group: Group, told: tuple[Told, ...]) -> int:
    """The first tick at which there can be something to say; news lowers it where it is stored."""
    if group.seq > incident.considered or group.firing + group.held == 0:
        return incident.tick
    if event.quiet and group.firing:
        # At the tick somebody looks again: the interval may be gone from the configuration by then.
        at_its_end = now < (event.until or 0) < incident.tick and not incident.rung
        return event.until if at_its_end and event.until else _first_tick_after(incident, now)
    # What is under way will be told now or later, so its repeat is not due before now + repeat_interval.
    last = min((delivery.sent_at or now for delivery in told if delivery.open), default=now)
    return _first_tick_after(incident, max(last + incident.repeat_interval, now))


def _first_tick_after(incident: Incident, moment: int) -> int:
    """The first planned tick strictly later than `moment`."""
    if incident.tick > moment:
        return incident.tick
    return incident.tick + ((moment - incident.tick) // incident.group_interval + 1) * incident.group_interval


def _count(incident: Incident, event: Due, group: Group) -> Incident:
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


def _what_is_new(
    incident: Incident, ticked: Incident, event: Due, group: Group, orders: tuple[Order, ...]
) -> tuple[Line, ...]:
    if ticked.suppressed:
        return () if incident.suppressed else (Line("suppressed", _why_suppressed(event, group)),)
    if incident.suppressed:
        return _over(incident, group)
    if group.fired_rev > incident.considered:
        return (Line("grown", f"new alerts added: {counted(group.firing)} firing"),)
    if group.ended_rev > incident.considered:
        return (Line("partly", f"some alerts resolved: {counted(group.firing)} still firing"),)
    if orders:
        return (Line("repeated", f"repeat interval elapsed: {counted(group.firing)} firing"),)
    return ()


def _over(incident: Incident, group: Group) -> tuple[Line, ...]:
    """A quiet time is over; that a hold has ended was said when it did."""
    over = Line("released", f"the quiet time is over: {counted(group.firing)} firing")
    return (over,) if incident.firing else ()
