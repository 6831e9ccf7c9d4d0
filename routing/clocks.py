"""The clocks of an incident: what its policies have still to do, and when.

A policy runs on a clock. Its steps are planned from the clock's origin: `t0`, when the first step became
due, for steps that an acknowledgement makes unnecessary; `t_open`, the first `t0`, for those that only the
end does. Planned times come from planned times, never from when a late worker got there.

- Everything to come is a `Moment`; the earliest is the deadline.
- While the incident is suppressed its clocks stand, and go on from there.
- When an acknowledgement ends, the policy handed to last starts again, without its `unless: resolved` steps.

Nothing is carried out here (`escalation.py`), and who a target is says the `Book`. All times and durations
are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from routing.calendar import quiet
from routing.incident_records import Clock, Incident, Status
from routing.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routing.policies import Policy, Step, Target


@dataclass(frozen=True, slots=True)
class Way:
    """One way of telling somebody.

    Attributes:
        place: its address; the same for the same address.
        who: in words: `user dana: slack (on call, backend-weekly)`.
        target: what it was found by; for somebody on call, the user.
        delay: by their contact rules, since they are told.
    """

    place: str
    who: str
    target: Target
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Reached:
    """How targets can be told now: the schedules that have nobody on call, and when the first of them has."""

    ways: tuple[Way, ...] = ()
    uncovered: tuple[str, ...] = ()
    covered_at: int = 0


class Book(Protocol):
    """What is known beside the incident: the policies in force, and who a target is now."""

    def policy(self, name: str) -> Policy | None:
        """The policy, None where the configuration has it no more."""
        ...

    def reach(self, targets: Iterable[Target], incident: Incident, at: int) -> Reached:
        """How these are told of the incident at that time, by its team and severity."""
        ...

    def last_resort(self, incident: Incident, at: int) -> Reached:
        """Who is told where a policy reaches nobody at all."""
        ...

    def severity(self, name: str) -> int:
        """The rank of a severity."""
        ...


# --- what comes next -----------------------------------------------------------------------------------


class Moment(NamedTuple):
    """Something to come: when, what, of which clock and step (or which of `Incident.later`)."""

    at: int
    what: Literal["ack ends", "reminder", "step", "again", "round", "later"]
    clock: int = 0
    step: int = 0


_ORDER: Final = {"ack ends": 0, "reminder": 1, "step": 2, "again": 3, "later": 4, "round": 5}


def moments(incident: Incident, book: Book) -> list[Moment]:
    """Everything that is to come by itself, the earliest first; empty for one that is not open."""
    if not incident.open:
        return []
    found: list[Moment] = []
    ack, acknowledged = incident.ack, incident.status is Status.ACKNOWLEDGED
    if acknowledged and ack and ack.until:
        found.append(Moment(ack.until, "ack ends"))
        policy = book.policy(incident.clocks[-1].policy) if incident.clocks else None
        before = ack.until - (policy.ack_reminder if policy else 0)
        if not ack.reminded and ack.at < before < ack.until:
            found.append(Moment(before, "reminder"))
    if not incident.stood_at:
        for number, clock in enumerate(incident.clocks):
            if (known := book.policy(clock.policy)) is not None:
                found += _of_clock(number, clock, known, acknowledged=acknowledged)
        found += [
            Moment(one.at, "later", step=number)
            for number, one in enumerate(incident.later)
            if not (acknowledged and one.unless == "acknowledged")
        ]
    return sorted(found, key=lambda one: (one.at, _ORDER[one.what], one.clock, one.step))


def _of_clock(number: int, clock: Clock, policy: Policy, *, acknowledged: bool) -> Iterable[Moment]:
    def counts(step: Step) -> bool:
        return not (acknowledged and step.unless == "acknowledged")

    for position, step in enumerate(policy.steps):
        if position not in clock.done and counts(step):
            yield Moment(planned(clock, step), "step", number, position)
    for position, at in clock.again:
        if position < len(policy.steps) and counts(policy.steps[position]):
            yield Moment(opening(policy.steps[position], at), "again", number, position)
    asked = [step for step in policy.steps if step.unless == "acknowledged"]
    left = any(
        step.unless == "acknowledged" and position not in clock.done
        for position, step in enumerate(policy.steps)
    )
    if asked and not left and not acknowledged and clock.round < policy.repeat:
        yield Moment(max(planned(clock, step) for step in asked) + policy.repeat_after, "round", number)


def planned(clock: Clock, step: Step) -> int:
    """When a step is due by its clock."""
    return opening(step, (clock.t_open if step.unless == "resolved" else clock.t0) + step.after)


def opening(step: Step, at: int) -> int:
    """When what is due at that time comes: one that is held, when the next of its intervals begins."""
    if step.during and step.outside == "hold" and (closed := quiet((), step.during, at)):
        return closed.until or at
    return at


# --- how they go ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def digest(policy: Policy) -> str:
    """Tells a policy's steps from what they were before a change."""
    return blake2b(repr(policy.steps).encode(), digest_size=8).hexdigest()


def begin(policy: str, now: int, book: Book) -> Clock:
    """A policy starts with an incident."""
    known = book.policy(policy)
    return Clock(policy, t0=now, t_open=now, digest=digest(known) if known else "")


def shift(incident: Incident, by: int) -> Incident:
    """All that is to come by its clocks moves."""
    return replace(
        incident,
        clocks=tuple(
            replace(
                clock,
                t0=clock.t0 + by,
                t_open=clock.t_open + by,
                again=tuple((step, at + by) for step, at in clock.again),
            )
            for clock in incident.clocks
        ),
        later=tuple(replace(one, at=one.at + by) for one in incident.later),
    )


def stand(incident: Incident, now: int) -> Incident:
    """Its clocks stand while it is suppressed, and go on where they stood."""
    if incident.suppressed:
        return incident if incident.stood_at else replace(incident, stood_at=now)
    if not incident.stood_at:
        return incident
    return replace(shift(incident, max(0, now - incident.stood_at)), stood_at=0)


def caught_up(incident: Incident, now: int) -> Incident:
    """Where its clocks stand, they do so from now on: what begins now has not stood before."""
    if not incident.stood_at:
        return incident
    return replace(shift(incident, max(0, now - incident.stood_at)), stood_at=now)


def restart(incident: Incident, now: int, book: Book) -> Incident:
    """The policy handed to last starts again at its first step, without its `unless: resolved` steps."""
    if not incident.clocks:
        return replace(incident, later=())
    incident = caught_up(incident, now)
    *others, last = incident.clocks
    return replace(
        incident,
        clocks=(*(rest(clock, now, book) for clock in others), restarted(last, now, book)),
        later=tuple(one for one in incident.later if one.unless == "resolved"),
    )


def restarted(clock: Clock, now: int, book: Book) -> Clock:
    """A clock from its first step; what only the end makes unnecessary is not gone through again."""
    policy = book.policy(clock.policy)
    stays = (
        {number for number, step in enumerate(policy.steps) if step.unless == "resolved"} if policy else ()
    )
    return replace(
        clock,
        t0=now,
        done=tuple(step for step in clock.done if step in stays),
        again=tuple((step, at) for step, at in clock.again if step in stays),
        round=0,
        last=(),
    )


def rest(clock: Clock, now: int, book: Book) -> Clock:
    """What an acknowledgement has kept a policy from does not come back once another has taken over.

    What was still to come keeps its time.
    """
    policy = book.policy(clock.policy)
    if policy is None:
        return clock
    asked = {number for number, step in enumerate(policy.steps) if step.unless == "acknowledged"}
    past = {number for number in asked if planned(clock, policy.steps[number]) <= now}
    again = tuple((step, at) for step, at in clock.again if step not in asked or at > now)
    rested = replace(clock, done=tuple(sorted({*clock.done, *past})), again=again)
    ends = [moment for moment in _of_clock(0, rested, policy, acknowledged=False) if moment.what == "round"]
    return replace(rested, round=policy.repeat) if ends and ends[0].at <= now else rested


def follow(incident: Incident, now: int, book: Book) -> Incident:
    """The configuration has changed a policy's steps: those whose time is past count as done.

    What is due at this moment is not past, and no time passes while the clocks stand.
    """
    now, clocks = incident.stood_at or now, []
    for clock in incident.clocks:
        policy = book.policy(clock.policy)
        if policy is not None and clock.digest != digest(policy):
            done = tuple(n for n, step in enumerate(policy.steps) if planned(clock, step) < now)
            again = tuple((n, at) for n, at in clock.again if n in done and policy.steps[n].every)
            clock = replace(clock, digest=digest(policy), done=done, again=again, last=())  # noqa: PLW2901 - one pass
        clocks.append(clock)
    return replace(incident, clocks=tuple(clocks))
