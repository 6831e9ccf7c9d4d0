"""What a decision about an incident is: the new record, and what each delivery is to do.

Only data. `incident.py` decides. All times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from routing.incident_records import Incident
    from routing.policies import Unless

FIRST: Final = "first notification"
GROWN: Final = "new alerts added"
PARTLY: Final = "some alerts resolved"
ENDED: Final = "all alerts resolved"
HELD: Final = "every alert that fires is held"
RELEASED: Final = "no longer held"
REPEATED: Final = "repeat interval elapsed"


@dataclass(frozen=True, slots=True)
class Order:
    """What one delivery is to do: show revision `wanted`, be heard `rings` times more.

    `final` is the closing revision when this is the end, else 0. `unless` is what makes the ring unnecessary
    right before it is sent, `by` the policy that wants it, by its `step` (from 1; 0 for none). A `notice`
    makes no sound, and is told even where updates are not.
    """

    id: str
    wanted: int
    rings: int
    reason: str
    final: int = 0
    unless: Unless = "acknowledged"
    by: str = ""
    step: int = 0
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """A delivery is to be made for this place, and heard."""

    place: str
    wanted: int
    reason: str
    unless: Unless = "acknowledged"
    by: str = ""
    step: int = 0


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
        rings: for those of whom there is no delivery yet.
        deadline: when it needs attention next, None if only news can change anything.
        leave: ended alerts of revisions up to this one have been shown to all and leave the group.
        lines: for the timeline.
        shows: what people see of it has changed without any alert's doing, so it is a revision of its own.
        quiet: rings that are still to be heard and that an acknowledgement makes unnecessary are dropped.
        dismiss: its alerts are over for us, whatever their sender says.
        carried: (policy, step from 1) that have been carried out by it.
        climbs: nobody has it in hand, and there are steps to come: it does not end because nobody reports it.
    """

    incident: Incident | None
    orders: tuple[Order, ...] = ()
    rings: tuple[Ring, ...] = ()
    deadline: int | None = None
    leave: int = 0
    lines: tuple[Line, ...] = ()
    shows: bool = False
    quiet: bool = False
    dismiss: bool = False
    climbs: bool = False
    carried: tuple[tuple[str, int], ...] = ()
