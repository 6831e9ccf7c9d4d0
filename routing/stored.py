"""What is kept of a group and its deliveries, as a decision or an attempt sees it. Only data.

The store of the service reads it from Redis (`gateway/store/records.py`), a simulation keeps it in memory.
Times and durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from routing.incident_records import Group, Incident


@dataclass(frozen=True, slots=True)
class GroupMeta:
    """What the plan said of a group when it opened: pinned for as long as it is open."""

    route: str
    receiver: str
    labels: dict[str, str]
    group_wait: int
    group_interval: int
    repeat_interval: int
    team: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """A delivery as a decision sees it. `place` tells same addresses apart: kind, index and target."""

    id: str
    incident: int
    kind: str
    place: str
    ends: bool
    updates: bool
    edits: bool
    state: str
    wanted: int
    sent: int
    ring_wanted: int
    ring_sent: int
    rung: int
    sent_at: int
    ring_at: int
    rung_by: str
    person: str


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """One alert as a message needs it; times in milliseconds."""

    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str
    starts_at: int
    ended_at: int
    expired: bool
    revision: int


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that may be sent now: the delivery's fields, and its incident at revision `revision`.

    `waited` is for how long it has had something to say, in milliseconds. `firing` and `new_firing` count
    alerts that nothing holds, `unheard` those that no ring has shown yet, `held` the others. Where all are
    held, `firing_alerts` are some of those, and `held_by` says by what (JSON,
    each once).
    """

    fields: Mapping[str, Any]
    revision: int
    lease: int
    now: int
    waited: int
    incident: Incident
    meta: GroupMeta
    firing: int
    ended: int
    new_firing: int
    unheard: int
    held: int
    held_by: tuple[str, ...]
    firing_alerts: tuple[StoredAlert, ...]
    ended_alerts: tuple[StoredAlert, ...]
    history: tuple[tuple[int, str], ...] = ()


class GroupSeen(Protocol):
    """A group at one moment: everything that a decision about it is made from.

    `opened` is when its present incident began (0: none is open), `before` the revision before that,
    `resumed` whether what fires had ended before, and that was no end. `due` is the deadline that has come.
    """

    @property
    def gid(self) -> str: ...
    @property
    def opened(self) -> int: ...
    @property
    def before(self) -> int: ...
    @property
    def resumed(self) -> bool: ...
    @property
    def due(self) -> int: ...
    @property
    def now(self) -> int: ...
    @property
    def incident(self) -> Incident | None: ...
    @property
    def meta(self) -> GroupMeta: ...
    @property
    def counted(self) -> Group: ...
    @property
    def deliveries(self) -> Sequence[DeliveryState]: ...
