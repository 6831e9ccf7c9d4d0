"""Why: a recorded decision in words: what happened, what was counted, who is told, what would differ today.

Everything is said of `recorded.py`'s records; nothing is decided. Times in words are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from routing.clocks import moments
from routing.events import (
    Acknowledged,
    Adopted,
    Due,
    Escalated,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.incident_records import Status
from routing.telling import name_of, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routing.clocks import Book
    from routing.decisions import Order
    from routing.events import Answer
    from routing.incident_records import Incident
    from routing.recorded import Decided, Recorded

    Names = Callable[[str], str]
    """A delivery's id or a place -> whom that tells: `dana by Slack`."""

Heard = Literal["ring", "update", "notice", "end"]


@dataclass(frozen=True, slots=True)
class Tells:
    """Somebody is told: `who`, whether they hear it, the reason, and the policy's step, "" and 0 for none.

    `place` is their address, the same for the same one.
    """

    who: str
    place: str
    heard: Heard
    reason: str
    policy: str
    step: int


# --- what happened -------------------------------------------------------------------------------------


def happened(one: Recorded, book: Book) -> str:
    """What the decision was about: what somebody said, or what had come."""
    event = one.event
    match event:
        case Due():
            late = f", {spoken(event.late)} late" if event.late >= 1_000 else ""
            return f"{_come(one, book)}{late}"
        case Acknowledged(until=until):
            return f"{_by(event)} acknowledged it{f', until {_time(until)}' if until else ''}"
        case Unacknowledged():
            return f"{_by(event)} gave it back"
        case Resolved():
            return f"{_by(event)} resolved it"
        case Escalated():
            return f"{_by(event)} wanted the next step"
        case Reassigned(target=target, policy=policy):
            return f"{_by(event)} reassigned it to {f'policy {policy}' if policy else target}"
        case ResponderAdded(target=target):
            return f"{_by(event)} wanted {target} to be told too"
        case Noted():
            return f"{_by(event)} noted something"
        case Adopted(route=route):
            return f"a change of the configuration put it under the route {route}"


def _come(one: Recorded, book: Book) -> str:
    incident, group = one.incident, one.group
    fires, news = group.firing + group.held > 0, group.seq > incident.considered
    match incident.status:
        case Status.PENDING:
            return "the wait of its group was over"
        case Status.RESOLVED:
            return "it fired again" if fires else "it was looked at after its end"
        case Status.TRIGGERED | Status.ACKNOWLEDGED:
            found = list(dict.fromkeys(_due(one, book)))
            if one.at >= incident.tick:
                found.append("a tick of its group, with news" if news else "a tick of its group")
            if not found:
                found.append("something was new" if news else "it was looked at")
            return " and ".join(found)


def _due(one: Recorded, book: Book) -> Iterator[str]:
    """What its clocks had to do by then, as its policies are known to the book."""
    for moment in moments(one.incident, book):
        if moment.at > one.at:
            return
        match moment.what:
            case "ack ends":
                yield "the acknowledgement ended"
            case "reminder":
                yield "the acknowledgement was about to end"
            case "step":
                yield f"{name_of(one.incident, moment.clock, moment.step)} was due"
            case "again":
                yield f"{name_of(one.incident, moment.clock, moment.step)} was due again"
            case "round":
                yield "its policy had nobody left and began again"
            case "later":
                yield f"{one.incident.later[moment.step].name} was to be told by one more way"


def _by(event: Answer) -> str:
    return f"{event.by} ({event.via})" if event.via else event.by


def seen(one: Recorded) -> str:
    """What was counted: alerts, why nobody was to be rung, and what deliveries there were."""
    group, event = one.group, one.event
    parts = [f"{group.firing} firing"]
    if group.held:
        parts.append(f"{group.held} held")
    if group.ended:
        parts.append(f"{group.ended} ended")
    if group.worst and group.firing:
        parts.append(f"worst severity {group.worst}")
    if isinstance(event, Due) and event.quiet:
        parts.append(f"quiet: {event.quiet}")
    parts.append(_deliveries(one))
    return "; ".join(parts)


def _deliveries(one: Recorded) -> str:
    if not one.told:
        return "nobody told yet"
    dead = sum(each.state == "dead" for each in one.told)
    waits = sum(each.open and each.ring_wanted > each.ring_sent for each in one.told)
    told = sum(each.sent > 0 for each in one.told)
    more = [f"{told} told"] + [f"{waits} still to be rung"] * bool(waits) + [f"{dead} dead"] * bool(dead)
    count = len(one.told)
    return f"{count} {'delivery' if count == 1 else 'deliveries'}: {', '.join(more)}"


# --- what was decided ----------------------------------------------------------------------------------


def tells(one: Recorded, made: Decided, name: Names) -> list[Tells]:
    """Whom a decision tells, in its order."""
    places = {each.id: each.place for each in one.told}
    found = [
        Tells(
            name(order.id),
            places.get(order.id, order.id),
            _heard(order),
            order.reason,
            order.by if order.rings else "",
            order.step if order.rings else 0,
        )
        for order in made.orders
    ]
    return found + [
        Tells(name(ring.place), ring.place, "ring", ring.reason, ring.by, ring.step) for ring in made.rings
    ]


def _heard(order: Order) -> Heard:
    if order.final:
        return "end"
    if order.notice:
        return "notice"
    return "ring" if order.rings else "update"


def status_of(incident: Incident, made: Decided) -> str:
    """`triggered`, or `triggered → acknowledged`."""
    if not made.status:
        return f"{incident.status} → closed"
    return made.status if made.status == incident.status else f"{incident.status} → {made.status}"


# --- what differs --------------------------------------------------------------------------------------


def differences(one: Recorded, today: Decided, name: Names) -> list[str]:
    """What the same decision would be today, where that is not what it was; empty where it is."""
    then = one.decided
    found = []
    if today.status != then.status:
        found.append(f"it would be {today.status or 'closed'}, not {then.status or 'closed'}")
    before = {each.place: each for each in tells(one, then, name)}
    after = {each.place: each for each in tells(one, today, name)}
    for place, each in after.items():
        was = before.get(place)
        if was is None:
            found.append(f"{each.who} would get {_a(each)} too")
        elif was.heard != each.heard:
            found.append(f"{each.who} would get {_a(each)}, not {_a(was)}")
        elif (was.policy, was.step) != (each.policy, each.step):
            found.append(f"{each.who} would be rung by {_step(each)}, not by {_step(was)}")
    found += [f"{each.who} would get no {each.heard}" for place, each in before.items() if place not in after]
    if today.deadline != then.deadline:
        found.append(_due_again(then.deadline, today.deadline))
    said, would_say = ([line.text for line in made.lines] for made in (then, today))
    found += [f"the timeline would say: {text}" for text in would_say if text not in said]
    found += [f"the timeline would not say: {text}" for text in said if text not in would_say]
    return found


def _due_again(was: int | None, would: int | None) -> str:
    if would is None:
        then = "" if was is None else f", as it did at {_time(was)}"
        return f"it would not come due again{then}"
    then = "" if was is None else f", not at {_time(was)}"
    return f"it would come due again at {_time(would)}{then}"


def _a(one: Tells) -> str:
    return f"an {one.heard}" if one.heard in ("update", "end") else f"a {one.heard}"


def _step(one: Tells) -> str:
    return f"step {one.step} of {one.policy}" if one.policy else "no step"


def _time(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
