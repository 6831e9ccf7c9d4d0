"""The statuses of an incident and what changes them: the one table.

Every change of status goes through `to`, so what is not in the table cannot happen. The picture of it in
docs/escalation.md is made from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from routing.incident_records import Incident, Status
from routing.records import replace

if TYPE_CHECKING:
    from collections.abc import Mapping


class Change(StrEnum):
    """What changes a status, in the words of the picture."""

    WAITED = "group_wait and grace are over"
    ACKNOWLEDGED = "acknowledge, snooze"
    GIVEN_BACK = "unacknowledge, reassign"
    ACK_ENDS = "its time is over"
    RISES = "the severity rises"
    OVER = "all alerts ended"
    RESOLVED = "resolve"
    FIRES_AGAIN = "fires again"
    STILL_HELD = "fires again, the acknowledgement kept"


TRANSITIONS: Final[Mapping[tuple[Status, Change], Status]] = {
    (Status.PENDING, Change.WAITED): Status.TRIGGERED,
    (Status.TRIGGERED, Change.ACKNOWLEDGED): Status.ACKNOWLEDGED,
    (Status.TRIGGERED, Change.OVER): Status.RESOLVED,
    (Status.TRIGGERED, Change.RESOLVED): Status.RESOLVED,
    (Status.ACKNOWLEDGED, Change.GIVEN_BACK): Status.TRIGGERED,
    (Status.ACKNOWLEDGED, Change.ACK_ENDS): Status.TRIGGERED,
    (Status.ACKNOWLEDGED, Change.RISES): Status.TRIGGERED,
    (Status.ACKNOWLEDGED, Change.OVER): Status.RESOLVED,
    (Status.ACKNOWLEDGED, Change.RESOLVED): Status.RESOLVED,
    (Status.RESOLVED, Change.FIRES_AGAIN): Status.TRIGGERED,
    (Status.RESOLVED, Change.STILL_HELD): Status.ACKNOWLEDGED,
}


def to(incident: Incident, change: Change) -> Incident:
    """The incident in the status that follows. Raises KeyError for what cannot follow: a fault of ours."""
    return replace(incident, status=TRANSITIONS[incident.status, change])
