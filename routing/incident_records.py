"""What an incident is for the decisions about it: its record, what is known beside it, what can follow.

Only data. `incident.py` decides. All times and durations are milliseconds; alerts and changes are told from
each other by the group's revisions, whole numbers that grow with each change.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

SCHEMA: Final = 1

FIRST: Final = "first notification"
GROWN: Final = "new alerts added"
PARTLY: Final = "some alerts resolved"
ENDED: Final = "all alerts resolved"
HELD: Final = "every alert that fires is held"
RELEASED: Final = "no longer held"
REPEATED: Final = "repeat interval elapsed"


class Status(StrEnum):
    """The status of an incident."""

    PENDING = "pending"
    TRIGGERED = "triggered"
    RESOLVED = "resolved"


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


def to_record(incident: Incident) -> dict[str, Any]:
    """A JSON-able record that carries its schema's version."""
    return {"schema": SCHEMA, **asdict(incident)}


def from_record(record: dict[str, Any]) -> Incident:
    """The incident of a record that `to_record` made.

    Raises:
        ValueError: the record is of a schema that this version does not know.
    """
    if record.get("schema") != SCHEMA:
        raise ValueError(
            f"an incident's record of schema {record.get('schema')!r}; this version reads {SCHEMA}"
        )
    fields = {name: value for name, value in record.items() if name != "schema"}
    return Incident(**{**fields, "status": Status(fields["status"])})


@dataclass(frozen=True, slots=True)
class Group:
    """What is counted of a group at its present revision `seq`.

    `firing` counts alerts that nothing holds, `held` those that fire and are held.
    `fired_rev` and `ended_rev` are the revisions of the newest alert that fires and of the newest that
    ended and has not left yet, 0 if there is none. `rank` is the worst severity of those that fire and are
    not held, `worst` its name.
    Deliveries of earlier incidents that still have an end to show have seen revisions up to `behind`, None
    if there are none.
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


@dataclass(frozen=True, slots=True)
class Told:
    """What one delivery of the incident has been told, and what it is still to be told.

    `ends` is whether an end or a part of it can be shown there: `send_resolved`, or a message that is
    edited; `updates`, whether a change that makes no sound is told there (mail: no, it stands in the next);
    `edits`, whether it changes a message that people see already.
    `rung` is the revision that the last ring showed: what fired later has not been heard there, even if an
    update has shown it. `sent_at` is when it was last told anything, 0 for never. `state` as in the store:
    `open`, `done` after the end was told, `dead` where nobody tries any more.
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

    @property
    def open(self) -> bool:
        """There may be more to tell."""
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class Due:
    """The deadline has come, or may have: decide what is due now.

    `quiet` says why nobody is to be rung now, "" where people may be; it ends at `until`, None for unknown.
    """

    quiet: str = ""
    until: int | None = None


Event = Due


@dataclass(frozen=True, slots=True)
class Order:
    """What one delivery is to do: show revision `wanted`, be heard `rings` times more.

    `final` is the closing revision when this is the end, else 0.
    """

    id: str
    wanted: int
    rings: int
    reason: str
    final: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an event.

    Attributes:
        incident: the new record, None when it is closed without a number.
        orders: for the deliveries that there are.
        ring_all: the reason, where a delivery must be made and rung for each integration of the receiver.
        deadline: when it needs attention next, None if only news can change anything.
        leave: ended alerts of revisions up to this one have been shown to all and leave the group.
        lines: for the timeline.
    """

    incident: Incident | None
    orders: tuple[Order, ...] = ()
    ring_all: str = ""
    deadline: int | None = None
    leave: int = 0
    lines: tuple[Line, ...] = ()
