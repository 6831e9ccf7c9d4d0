"""Escalation: carries out what of an incident's policies is due, and says who is told by it.

- What is due comes in its order (`clocks.py`), whichever policy it belongs to.
- An acknowledgement keeps every ring but `unless: resolved`; it may end by itself.
- A hand-over adds a policy; who is due by two of them within a minute is rung once.
- Where a step comes late because nobody worked, all that follows moves by as much: nobody gets the first page
  and the last in the same second.
- A step that can reach nobody, or whose every delivery was refused for good, brings the next one forward.

It decides nothing about alerts, and knows no addresses: who a target is says the `Book`. All times and
durations are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from routing.calendar import quiet
from routing.clocks import Moment, begin, moments, rest, restart, restarted, shift
from routing.decisions import FIRST, Order
from routing.incident_records import Clock, Incident, Status
from routing.policies import Target
from routing.records import replace
from routing.telling import name_of, ring, spoken
from routing.transitions import Change, to

if TYPE_CHECKING:
    from routing.clocks import Book, Reached
    from routing.policies import Policy, Step
    from routing.telling import Telling

TOLERATED: Final = 10_000
"""A step that is later than this is late because nobody worked."""
LOOK_AGAIN: Final = 60_000


def carry_out(incident: Incident, late: int, telling: Telling) -> Incident:
    """Everything that is due at `telling.now`, in its order, for an incident that is open.

    `late` is how long ago that was.
    """
    moved = 0
    while (coming := moments(incident, telling.book)) and coming[0].at <= telling.now:
        moment = coming[0]
        match moment.what:
            case "ack ends":
                incident = _ack_ends(incident, moment.at, telling)
                continue
            case "reminder":
                incident = _remind(incident, telling)
                continue
            case "step":
                incident = _step(incident, moment, telling, "")
            case "again":
                incident = _say_again(incident, moment, telling)
            case "round":
                incident = _next_round(incident, moment, telling)
            case "later":
                incident = _by_another_way(incident, moment, telling)
        moved = late if late > TOLERATED else 0
    incident = _not_in_vain(incident, telling)
    if moved:
        telling.say("overdue", f"{spoken(moved)} late, as nobody worked: all that follows moves by as much")
        incident = shift(incident, moved)
    return incident


def _ack_ends(incident: Incident, at: int, telling: Telling) -> Incident:
    by = incident.ack.by if incident.ack else "somebody"
    telling.say("ack_ended", f"the acknowledgement by {by} has ended")
    return restart(replace(to(incident, Change.ACK_ENDS), ack=None), at, telling.book)


def keeps_ack(incident: Incident, book: Book) -> bool:
    """Its policy lets an acknowledgement stay when the severity rises."""
    policy = book.policy(incident.policy)
    return policy is not None and policy.keep_ack


def _changed(incident: Incident, number: int, clock: Clock) -> Incident:
    clocks = list(incident.clocks)
    clocks[number] = clock
    return replace(incident, clocks=tuple(clocks))


def tell(incident: Incident, number: int, position: int, why: str, telling: Telling) -> Incident:
    """A step that somebody wants now: acknowledged or not, it is heard."""
    moment = Moment(telling.now, "step", number, position)
    wanted = _step(incident, moment, telling, why)
    telling.orders = {key: replace(one, unless="resolved") for key, one in telling.orders.items()}
    telling.rings = {key: replace(one, unless="resolved") for key, one in telling.rings.items()}
    return wanted


def _step(incident: Incident, moment: Moment, telling: Telling, why: str) -> Incident:
    """One step, with `why` in words where it does not come by its time."""
    clock = incident.clocks[moment.clock]
    policy = telling.book.policy(clock.policy)
    if policy is None:
        return incident
    step = policy.steps[moment.step]
    name = name_of(incident, moment.clock, moment.step)
    incident = _changed(
        incident, moment.clock, replace(clock, done=tuple(sorted({*clock.done, moment.step})))
    )
    if passed := _not_now(incident, step, telling.now):
        telling.say("passed", f"{name} is passed: {passed}")
        return incident
    if step.notify:
        incident = _tell(incident, moment, step, why or _because(step, incident, clock), telling)
    if step.policy:
        telling.carried.append((clock.policy, moment.step + 1))
        incident = _hand_over(incident, name, step, telling)
    return incident


def _not_now(incident: Incident, step: Step, now: int) -> str:
    """Why a step is not for this incident, or not for this time; "" where it is for both."""
    if not all(matcher.matches(labels_of(incident)) for matcher in step.when):
        return "it is for other incidents (when)"
    if step.during and step.outside == "pass" and quiet((), step.during, now):
        return "it is outside of its time intervals"
    return ""


def _tell(
    incident: Incident,
    moment: Moment,
    step: Step,
    because: str,
    telling: Telling,
) -> Incident:
    name = name_of(incident, moment.clock, moment.step)
    clock = incident.clocks[moment.clock]
    policy = telling.book.policy(clock.policy)
    if policy is None:
        return incident
    reached = telling.book.reach(step.notify, incident, telling.now)
    ways, missed = reached.ways, _missed(step, reached)
    waits = reached.covered_at if reached.uncovered and step.uncovered == "wait" else 0
    if waits and not ways:  # looked at again soon: somebody may take over by an override
        waits = min(waits, telling.now + LOOK_AGAIN)
    if waits and moment.what == "step":
        telling.say("passed", f"{name} waits{' for the next shift' if ways else ''}: {missed}")
    elif not waits and reached.uncovered:
        instead = step.uncovered == "fallback"
        fallback = telling.book.reach(policy.fallback if instead else (), incident, telling.now).ways
        if fallback:
            too = " too" if ways else ""
            telling.say("instead", f"{name}: the fallback is told{too}, since {missed}")
        elif ways:
            telling.say("passed", f"{name}: {missed}")
        ways = (*ways, *(one for one in fallback if one.place not in {way.place for way in ways}))
    every = moment.at + step.every if step.every and (ways or moment.what == "again") else 0
    if again := min((at for at in (every, waits) if at), default=0):
        clock = replace(clock, again=(*clock.again, (moment.step, again)))
        incident = _changed(incident, moment.clock, clock)
    if not ways and waits:
        return incident
    if not ways:
        telling.say("passed", f"{name} tells nobody: {missed}")
        return _bring_forward(incident, moment.clock, telling, f"{name} tells nobody, since {missed}")
    reason = because if because == FIRST else f"{name}: {because}"
    clock = replace(clock, last=tuple(way.place for way in ways if not way.delay))
    incident = _changed(incident, moment.clock, clock)
    told = [f"{way.who} after {spoken(way.delay)}" if way.delay else way.who for way in ways]
    telling.say("step", f"{name}: telling {', '.join(told)}: {because}")
    telling.carried.append((clock.policy, moment.step + 1))
    return ring(incident, ways, telling, reason, unless=step.unless, by=clock.policy, step=moment.step + 1)


def _missed(step: Step, reached: Reached) -> str:
    if reached.uncovered:
        return f"nobody is on call in {', '.join(reached.uncovered)}"
    return f"{', '.join(map(str, step.notify))} cannot be reached"


def _because(step: Step, incident: Incident, clock: Clock) -> str:
    if step.unless == "resolved":
        return f"not resolved after {spoken(step.after)}" if step.after else FIRST
    if step.after:
        return f"nobody has acknowledged for {spoken(step.after)}"
    if incident.ack or incident.answered_at:
        return "nobody has it in hand"
    return _because_again(step) if clock.round else FIRST


def _hand_over(incident: Incident, name: str, step: Step, telling: Telling) -> Incident:
    runs = any(clock.policy == step.policy for clock in incident.clocks)
    rank = telling.book.severity(step.severity) if step.severity else incident.rank
    treated = f", treated as {step.severity} from now on" if rank < incident.rank else ""
    handed = f"{step.policy} runs already" if runs else f"handed over to {step.policy}"
    telling.say("handed_over", f"{name}: {handed}{treated}")
    if rank < incident.rank:
        incident = replace(incident, rank=rank, severity=step.severity)
        if incident.status is Status.ACKNOWLEDGED and not keeps_ack(incident, telling.book):
            telling.say("severity", "the acknowledgement ends, since the severity has risen")
            free = replace(to(incident, Change.RISES), ack=None)
            if runs:
                return restart(free, telling.now, telling.book)
            clocks = tuple(rest(clock, telling.now, telling.book) for clock in free.clocks)
            incident = replace(free, clocks=clocks)
    if runs:
        return incident
    policy, ack = telling.book.policy(step.policy), incident.ack
    if ack and incident.status is Status.ACKNOWLEDGED and not ack.until and policy and policy.ack_timeout:
        ack = replace(ack, until=telling.now + policy.ack_timeout)
        telling.say("handed_over", f"the acknowledgement by {ack.by} ends in {spoken(policy.ack_timeout)}")
    new = begin(step.policy, telling.now, telling.book)
    return replace(incident, ack=ack, clocks=(*incident.clocks, new))


def _bring_forward(incident: Incident, number: int, telling: Telling, why: str) -> Incident:
    """The next step is due at once. After the last, somebody has to be told all the same."""
    policy = telling.book.policy(incident.clocks[number].policy)
    if policy is None or incident.status is Status.ACKNOWLEDGED:
        return incident
    for position, step in enumerate(policy.steps):
        if position in incident.clocks[number].done:
            continue
        if step.during and step.outside == "hold" and quiet((), step.during, telling.now):
            continue
        passed = _not_now(incident, step, telling.now)
        incident = _step(incident, Moment(telling.now, "step", number, position), telling, why)
        if not passed:
            return incident
    return _fall_back(incident, number, policy, telling, why)


def _fall_back(incident: Incident, number: int, policy: Policy, telling: Telling, why: str) -> Incident:
    """No step is left: the fallback is told; where nobody has been rung since it opened, the last resort."""
    since = min(clock.t_open for clock in incident.clocks)
    rung = any(one.knows and one.ring_at >= since for one in telling.told) or telling.orders
    dead = {one.place for one in telling.told if one.state == "dead"}
    ways = telling.book.reach(policy.fallback, incident, telling.now).ways
    ways = tuple(way for way in ways if way.place not in dead)
    if not ways and not telling.rings and not rung:
        ways = telling.book.last_resort(incident, telling.now).ways
        ways = tuple(way for way in ways if way.place not in dead)
    if not ways:
        return incident
    telling.say("instead", f"telling {', '.join(way.who for way in ways)} instead of nobody: {why}")
    places = tuple(way.place for way in ways if not way.delay)
    incident = _changed(incident, number, replace(incident.clocks[number], last=places))
    return ring(incident, ways, telling, why, unless="acknowledged", by=policy.name)


def _not_in_vain(incident: Incident, telling: Telling) -> Incident:
    """Where all whom the newest step told have refused it for good, the next one does not wait."""
    dead = {one.place for one in telling.told if one.state == "dead"}
    alive = {one.place for one in telling.told if one.state != "dead"}
    for number, clock in enumerate(incident.clocks):
        if not clock.last or any(place not in dead - alive for place in clock.last) or incident.stood_at:
            continue
        if any(place in telling.rings for place in clock.last):  # it is being tried again
            continue
        incident = _changed(incident, number, replace(clock, last=()))
        why = "everybody who was told before refused it for good"
        incident = _bring_forward(incident, number, telling, why)
    return incident


def _say_again(incident: Incident, moment: Moment, telling: Telling) -> Incident:
    """A step that is said again; planned from its plan, and after an outage once and not for each time."""
    clock = incident.clocks[moment.clock]
    others = tuple(one for one in clock.again if one[0] != moment.step)
    incident = _changed(incident, moment.clock, replace(clock, again=others))
    policy = telling.book.policy(clock.policy)
    if policy is None:
        return incident
    step = policy.steps[moment.step]
    at = moment.at
    while step.every and at + step.every <= telling.now:
        at += step.every
    if step.every and _not_now(incident, step, telling.now):
        later = replace(clock, again=(*others, (moment.step, at + step.every)))
        return _changed(incident, moment.clock, later)
    return _tell(incident, moment._replace(at=at), step, _because_again(step), telling)


def _because_again(step: Step) -> str:
    return "still not resolved" if step.unless == "resolved" else "still nobody has acknowledged"


def _next_round(incident: Incident, moment: Moment, telling: Telling) -> Incident:
    clock = restarted(incident.clocks[moment.clock], moment.at, telling.book)
    rounds = incident.clocks[moment.clock].round + 1
    telling.say("step", f"nobody has acknowledged: {clock.policy} begins again, round {rounds + 1}")
    return _changed(incident, moment.clock, replace(clock, round=rounds))


def _by_another_way(incident: Incident, moment: Moment, telling: Telling) -> Incident:
    """A person's next way, as their contact rules say; the address is the one that counts by now."""
    due = incident.later[moment.step]
    incident = replace(
        incident, later=tuple(one for number, one in enumerate(incident.later) if number != moment.step)
    )
    reached = telling.book.reach((Target(due.kind, due.name),), incident, telling.now)
    for way in reached.ways:
        if way.place == due.place:
            telling.say("step", f"telling {way.who} too: {due.reason}")
            telling.ring(way, due.reason, due.unless, due.policy, due.step)
            return incident
    telling.say("passed", f"{due.kind} {due.name} is not told by one more way: it is gone")
    return incident


def _remind(incident: Incident, telling: Telling) -> Incident:
    """Who has it in hand is told that this ends soon; where nobody knows how, everybody sees it."""
    ack = incident.ack
    if ack is None:
        return incident
    text = f"the acknowledgement by {ack.by} ends in {spoken(ack.until - telling.now)}"
    telling.say("reminded", text)
    ways = telling.book.reach((Target("user", ack.by),), incident, telling.now).ways
    for way in ways:
        telling.ring(way, text, "resolved", "")
    for one in telling.told if not ways else ():
        if one.knows:
            telling.orders[one.id] = Order(one.id, telling.seq, 0, text, notice=True)
    return replace(incident, ack=replace(ack, reminded=True))


def labels_of(incident: Incident) -> dict[str, str]:
    """What `when` is asked of: the group's labels, and the incident's severity and team."""
    return {**incident.labels, "severity": incident.severity, "team": incident.team}
