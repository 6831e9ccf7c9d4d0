"""What an incident is for the decisions about it: its record, what is known beside it, what can follow.

Only data. `incident.py` decides. All times and durations are milliseconds; alerts and changes are told from
each other by the group's revisions, whole numbers that grow with each change.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from routing.records import replace

if TYPE_CHECKING:
    from routing.policies import TargetKind, Unless

SCHEMA: Final = 1


class Status(StrEnum):
    """The status of an incident."""

    PENDING = "pending"
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Ack:
    """Who has an incident in hand: who said so, by which way, when, and until when (0 for ever).

    `reminded`: they have been told that it ends soon.
    """

    by: str
    via: str
    at: int
    until: int = 0
    reminded: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """How far one policy has come with an incident (`escalation.py`).

    Attributes:
        t0: when its first step became due (again); `unless: acknowledged` steps are planned from it.
        t_open: the first t0; `unless: resolved` steps are planned from it.
        digest: tells the policy's steps as they were from what they may be after a change of configuration.
        done: the steps that have been gone through, in rising order.
        again: (step, when) for steps that are said again.
        round: how often the whole policy has been repeated.
        last: the deliveries that the newest step rang: if each is refused, the next step does not wait.
    """

    policy: str
    t0: int
    t_open: int
    digest: str = ""
    done: tuple[int, ...] = ()
    again: tuple[tuple[int, int], ...] = ()
    round: int = 0
    last: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """A person is to be told by one more of their ways, at `at`, unless that is unnecessary by then."""

    at: int
    kind: TargetKind
    name: str
    place: str
    unless: Unless
    reason: str
    policy: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class Incident:
    """The record of an incident.

    Attributes:
        number: from 1, given when it is triggered; 0 before.
        opened_at: when its first alert fired here; `triggered_at`, `resolved_at`: 0 until then.
        opened_rev: the group's revision before its first alert: what ended earlier is not its own.
        closed_rev: the group's revision at its end, 0 while it is open.
        tick: the planned tick that comes next; ticks are planned from ticks, not from when a late worker
            got there.
        considered: the revision up to which everything has been weighed at a tick.
        rank, severity: the worst severity it ever had of what was not held (`routing/severity.py`); its name.
        firing, resolved, held: alerts, as counted at the last decision; `firing` leaves out those held.
        rung: people have been told of it. What was held from its beginning has not.
        suppressed: nobody is to be told now: all of it is held, or in a time that is quiet.
        gid: the identity of its group, "" in a record from before that was kept.
        policy: the escalation policy, "" for a plain receiver; `team`: whose it is, "" for nobody's.
        ack: who has it in hand; it stays while the status is `acknowledged`, and as a memory once resolved.
        clocks: of its policy, and of each that it was handed over to, in that order.
        later: ways of telling people that are still to come.
        stood_at: since when the clocks stand because it is suppressed, 0 while they go.
        dismissed: it was resolved by hand.
        answered_at: when somebody first acknowledged it, 0 for never.
        escalated_at: when somebody last wanted the next step, 0 for never.
    """

    number: int
    status: Status
    route: str
    receiver: str
    labels: dict[str, str]
    group_interval: int
    repeat_interval: int
    opened_at: int
    opened_rev: int
    triggered_at: int = 0
    resolved_at: int = 0
    closed_rev: int = 0
    tick: int = 0
    considered: int = 0
    rank: int = 7
    severity: str = ""
    firing: int = 0
    resolved: int = 0
    held: int = 0
    rung: bool = True
    suppressed: bool = False
    gid: str = ""
    policy: str = ""
    team: str = ""
    ack: Ack | None = None
    clocks: tuple[Clock, ...] = ()
    later: tuple[Later, ...] = ()
    stood_at: int = 0
    dismissed: bool = False
    answered_at: int = 0
    escalated_at: int = 0

    @property
    def open(self) -> bool:
        """It is triggered or acknowledged: not before its time, and not over."""
        return self.status in (Status.TRIGGERED, Status.ACKNOWLEDGED)


def to_record(incident: Incident) -> dict[str, Any]:
    """A JSON-able record that carries its schema's version."""
    return {"schema": SCHEMA, **asdict(incident)}


def from_record(record: dict[str, Any]) -> Incident:
    """The incident of a record that `to_record` made.

    What a newer version has added is left out: after a step back to this one people must still be told.

    Raises:
        ValueError: the record is of a schema that this version does not know.
    """
    if record.get("schema") != SCHEMA:
        raise ValueError(
            f"an incident's record of schema {record.get('schema')!r}; this version reads {SCHEMA}"
        )
    known = _known(Incident, record)
    ack, clocks, later = known.get("ack"), known.get("clocks", ()), known.get("later", ())
    return Incident(
        **{
            **known,
            "status": Status(known["status"]),
            "ack": Ack(**_known(Ack, ack)) if ack else None,
            "clocks": tuple(map(_clock, clocks)),
            "later": tuple(Later(**_known(Later, one)) for one in later),
        }
    )


def _known(kind: type, record: dict[str, Any]) -> dict[str, Any]:
    return {field.name: record[field.name] for field in fields(kind) if field.name in record}


def _clock(record: dict[str, Any]) -> Clock:
    clock = Clock(**_known(Clock, record))
    return replace(
        clock,
        done=tuple(clock.done),
        again=tuple((step, at) for step, at in clock.again),
        last=tuple(clock.last),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """What is counted of a group at its present revision `seq`.

    `firing` counts alerts that nothing holds, `held` those that fire and are held.
    `fired_rev` and `ended_rev` are the revisions of the newest alert that fires and of the newest that
    ended and has not left yet, 0 if there is none. `rank` is the worst severity of those that fire and are
    not held, `worst` its name.
    Deliveries of earlier incidents that still have an end to show have seen revisions up to `behind`, None
    if there are none. `resumed`: what fires had ended before, and that was no end.
    """

    seq: int
    firing: int
    ended: int
    fired_rev: int
    ended_rev: int
    rank: int
    behind: int | None = None
    held: int = 0
    worst: str = ""
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What one delivery of the incident has been told, and what it is still to be told.

    `ends` is whether an end or a part of it can be shown there: `send_resolved`, or a message that is
    edited; `updates`, whether a change that makes no sound is told there (mail: no, it stands in the next);
    `edits`, whether it changes a message that people see already.
    `rung` is the revision that the last ring showed: what fired later has not been heard there, even if an
    update has shown it. `sent_at` is when it was last told anything, 0 for never. `state` as in the store:
    `open`, `done` after the end was told, `dead` where nobody tries any more. `place` is its address; a ring
    was last ordered at `ring_at`, by the policy `rung_by`. `person` is whom it tells, "" for several.
    """

    id: str
    ends: bool
    updates: bool = True
    edits: bool = False
    state: str = "open"
    wanted: int = 0
    sent: int = 0
    ring_wanted: int = 0
    ring_sent: int = 0
    rung: int = 0
    sent_at: int = 0
    place: str = ""
    ring_at: int = 0
    rung_by: str = ""
    person: str = ""

    @property
    def open(self) -> bool:
        """There may be more to tell."""
        return self.state == "open"

    @property
    def knows(self) -> bool:
        """Somebody has been told, or will be: who was never rung gets no update."""
        return self.open and (self.sent > 0 or self.ring_wanted > self.ring_sent)
