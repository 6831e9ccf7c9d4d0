"""Answers: what somebody says to an incident, and what it changes.

An answer changes the record and what is shown, and drops what need not be heard any more; what follows from
it otherwise (a policy that starts again) is due at once, and is decided as everything that is due. The same
answer twice changes nothing the second time: who was first is in the record. One that comes too late is
recorded. All times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from routing.clocks import Book, begin, caught_up, planned, restart
from routing.decisions import Decision, Line, Order
from routing.escalation import tell
from routing.events import (
    Acknowledged,
    Escalated,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.incident_records import Ack, Incident, Status
from routing.policies import Target
from routing.records import replace
from routing.telling import Telling, name_of, ring, spoken
from routing.ticks import tidy
from routing.transitions import Change, to

if TYPE_CHECKING:
    from routing.events import Answer
    from routing.incident_records import Group, Told

LONGEST_NOTE: Final = 2_000
RELATED_AT_MOST: Final = 500
"""Of an incident that is acknowledged so many alerts are looked at for incidents that share them: a page."""
A_MOMENT: Final = 30_000
"""Who wants the next step this soon after somebody did wants the same one."""
SAME: Final = 60_000
"""An acknowledgement that would only end this much later is the same one, pressed twice."""


class Names(Book, Protocol):
    """What is asked of a configuration whether an answer makes sense."""

    def unknown(self, target: Target) -> str:
        """Why a target that a person named cannot be told, "" if it can."""
        ...


def refusal(answer: Answer, book: Names) -> str:
    """Why an answer makes no sense, for whoever gave it; "" if it does."""
    match answer:
        case Reassigned(policy=policy) if policy and book.policy(policy) is None:
            return f"There is no escalation policy {policy!r}."
        case Reassigned(target=None, policy=""):
            return "To whom? Name a user, a schedule or a policy."
        case Reassigned(target=Target() as target) | ResponderAdded(target=target):
            return book.unknown(target)
        case Noted(text=text) if not text.strip():
            return "The note is empty."
        case Noted(text=text) if len(text) > LONGEST_NOTE:
            return f"A note has at most {LONGEST_NOTE} characters; this has {len(text)}."
        case _:
            return ""


def answered(
    incident: Incident, answer: Answer, now: int, group: Group, told: tuple[Told, ...], *, book: Book
) -> Decision:
    """What an answer means. Total: a late one is recorded and changes nothing."""
    telling = Telling(now, group.seq, told, book)
    if not incident.open:
        if not isinstance(answer, Noted):
            said = "after its end: nothing changes" if incident.number else "before its time: nothing changes"
            telling.say("late", f"{_WORDS[type(answer)]} by {answer.by} ({answer.via}) {said}")
        else:
            telling.say("note", f"{answer.by} ({answer.via}): {answer.text}")
        if incident.status is Status.RESOLVED:
            return replace(tidy(incident, now, group, told), lines=tuple(telling.lines))
        return Decision(incident, deadline=incident.tick, lines=tuple(telling.lines))
    if isinstance(answer, Resolved):
        return _resolve(incident, answer, group, telling)
    return _decision(_change(incident, answer, telling), answer, group, telling)


def _change(incident: Incident, answer: Answer, telling: Telling) -> Incident:
    match answer:
        case Acknowledged():
            return _acknowledge(incident, answer, telling)
        case Unacknowledged():
            return _give_back(incident, answer, telling)
        case Escalated():
            return _escalate(incident, answer, telling)
        case Reassigned():
            return _reassign(incident, answer, telling)
        case ResponderAdded():
            return _ask_for_help(incident, answer, telling)
        case Noted():
            telling.say("note", f"{answer.by} ({answer.via}): {answer.text}")
    return incident


def _ask_for_help(incident: Incident, answer: ResponderAdded, telling: Telling) -> Incident:
    incident = caught_up(incident, telling.now)
    ways = telling.book.reach((answer.target,), incident, telling.now).ways
    said = ", ".join(way.who for way in ways) or f"{answer.target}, who cannot be reached"
    telling.say("responder", f"{answer.by} ({answer.via}) asks {said} to help")
    return ring(incident, ways, telling, f"{answer.by} asks for help", unless="resolved", by="")


_WORDS: Final = {
    Acknowledged: "acknowledged",
    Unacknowledged: "given back",
    Resolved: "resolved",
    Escalated: "escalated",
    Reassigned: "reassigned",
    ResponderAdded: "a responder was asked for",
}


def _decision(incident: Incident, answer: Answer, group: Group, telling: Telling) -> Decision:
    """The record, and what those who know of it see; what is due by it comes at once, by itself."""
    seq = group.seq + 1
    # Who comes second is told so; everybody else has heard who was first.
    notice = isinstance(answer, Acknowledged) and incident.ack is not None and incident.ack.by == answer.by
    reason = telling.lines[-1].text if telling.lines else ""
    orders = dict(telling.orders)
    for one in telling.told if telling.lines else ():
        # A ring that is on its way there has still to hear of it.
        shown_already = getattr(answer, "delivery", "") == one.id and one.ring_wanted == one.ring_sent
        hears = one.edits or (notice and one.person != answer.by)  # nobody needs a mail of what they just did
        if one.knows and one.id not in orders and not shown_already and hears:
            orders[one.id] = Order(one.id, seq, 0, reason, notice=notice)
    if telling.lines and incident.considered == group.seq:
        incident = replace(incident, considered=seq)
    return Decision(
        incident,
        tuple(replace(order, wanted=seq) for order in orders.values()),
        rings=tuple(replace(one, wanted=seq) for one in telling.rings.values()),
        deadline=telling.now,
        lines=tuple(telling.lines),
        shows=bool(telling.lines),
        quiet=incident.status is Status.ACKNOWLEDGED,
        carried=tuple(telling.carried),
    )


def _acknowledge(incident: Incident, answer: Acknowledged, telling: Telling) -> Incident:
    now, ack = telling.now, incident.ack
    policy = telling.book.policy(incident.clocks[-1].policy) if incident.clocks else None
    until = answer.until or (now + policy.ack_timeout if policy and policy.ack_timeout else 0)
    if incident.status is Status.ACKNOWLEDGED and ack is not None:
        by_another = ack.by != answer.by and not answer.until
        no_news = ack.by == answer.by and abs(until - ack.until) < SAME
        if by_another or no_news:
            if by_another:
                telling.say("acknowledged", f"{answer.by} ({answer.via}) too, but {ack.by} was first")
            return incident
    else:
        incident = to(incident, Change.ACKNOWLEDGED)
    length = f" for {spoken(answer.until - now)}" if answer.until else ""
    telling.say("acknowledged", f"{answer.by} has it{length} ({answer.via})")
    return replace(
        incident,
        ack=Ack(answer.by, answer.via, now, until),
        answered_at=incident.answered_at or now,
        later=tuple(one for one in incident.later if one.unless == "resolved"),
    )


def _give_back(incident: Incident, answer: Unacknowledged, telling: Telling) -> Incident:
    if incident.status is not Status.ACKNOWLEDGED:
        return incident
    telling.say("unacknowledged", f"{answer.by} ({answer.via}) gives it back: nobody has it in hand")
    free = replace(to(incident, Change.GIVEN_BACK), ack=None)
    return restart(free, telling.now, telling.book)


def _resolve(incident: Incident, answer: Resolved, group: Group, telling: Telling) -> Decision:
    """Its alerts are dismissed, in a revision of their own, in which those who know of it see the end."""
    final = group.seq + 1
    ended = replace(
        to(incident, Change.RESOLVED),
        resolved_at=telling.now,
        closed_rev=final,
        considered=final,
        firing=0,
        held=0,
        resolved=group.ended + group.firing,
        dismissed=True,
        suppressed=False,
        answered_at=incident.answered_at or telling.now,
    )
    said = f"resolved by {answer.by} ({answer.via})"
    orders = tuple(Order(one.id, final, 0, said, final=final) for one in telling.told if one.open)
    line = Line("dismissed", said)
    return Decision(
        ended,
        orders,
        deadline=telling.now + incident.group_interval,
        lines=(line,),
        shows=True,
        quiet=True,
        dismiss=True,
    )


def _escalate(incident: Incident, answer: Escalated, telling: Telling) -> Incident:
    """The next step of the newest policy is carried out now; those after it keep their distance to it."""
    if not incident.clocks:
        telling.say("escalated", f"{answer.by} ({answer.via}) escalates, but there is no policy")
        return incident
    if telling.now - incident.escalated_at < A_MOMENT:
        telling.say("escalated", f"{answer.by} ({answer.via}) escalates too: the next step came a moment ago")
        return incident
    incident = caught_up(incident, telling.now)
    number = len(incident.clocks) - 1
    clock = incident.clocks[number]
    policy = telling.book.policy(clock.policy)
    steps = policy.steps if policy else ()
    position = next((n for n in range(len(steps)) if n not in clock.done), None)
    if position is None:
        telling.say("escalated", f"{answer.by} ({answer.via}) escalates, but there is no further step")
        return incident
    incident = replace(incident, escalated_at=telling.now)
    name = name_of(incident, number, position)
    telling.say("escalated", f"{answer.by} ({answer.via}) escalates: {name} comes now")
    early = planned(clock, steps[position]) - telling.now
    if early > 0:
        of_end = steps[position].unless == "resolved"
        # Where only rounds are still to come by t0, they were to come before this step perhaps: they stay.
        follows = any(step.unless == "acknowledged" for step in steps[position:])
        moved = replace(
            clock,
            t0=clock.t0 - (early if follows else 0),
            t_open=clock.t_open - (early if of_end else 0),
        )
        incident = replace(incident, clocks=(*incident.clocks[:-1], moved))
    return tell(incident, number, position, f"{answer.by} escalates", telling)


def _reassign(incident: Incident, answer: Reassigned, telling: Telling) -> Incident:
    incident = caught_up(incident, telling.now)
    target = answer.target
    to_whom = f"{target.kind} {target.name}" if target else f"policy {answer.policy}"
    telling.say("reassigned", f"{answer.by} ({answer.via}) reassigns it to {to_whom}")
    if incident.status is Status.ACKNOWLEDGED:
        incident = replace(to(incident, Change.GIVEN_BACK), ack=None)
    if answer.policy:
        clock = begin(answer.policy, telling.now, telling.book)
        return replace(incident, policy=answer.policy, clocks=(clock,), later=())
    incident = restart(incident, telling.now, telling.book)
    if target is None:
        return incident
    ways = telling.book.reach((target,), incident, telling.now).ways
    if not ways:  # then the policy's first step tells somebody
        telling.say("passed", f"{target.kind} {target.name} cannot be reached")
        return incident
    if incident.clocks:  # whoever is named stands in for the first step
        *others, last = incident.clocks
        places = tuple(way.place for way in ways if not way.delay)
        first = replace(last, done=tuple(sorted({*last.done, 0})), last=places)
        incident = replace(incident, clocks=(*others, first))
    reason = f"{answer.by} reassigns it to {to_whom}"
    return ring(incident, ways, telling, reason, unless="acknowledged", by=incident.policy)
