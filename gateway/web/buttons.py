"""The buttons of an incident's page: which there are as it stands, and what each answers.

What an answer means decides `routing/answering.py`; `desk.py` gives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from routing.events import Acknowledged, Escalated, Resolved, Unacknowledged
from routing.incident_records import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from routing.events import Answer
    from routing.incident_records import Incident

HOUR: Final = 3_600_000


class Button(NamedTuple):
    """Its value in the form, what stands on it, and whether it is the one that most are looking for."""

    value: str
    label: str
    main: bool = False


_ACKNOWLEDGE: Final = Button("acknowledge", "Acknowledge", main=True)
_GIVE_BACK: Final = Button("unacknowledge", "Give it back")
_SNOOZES: Final = (Button("snooze-1h", "Snooze 1 h"), Button("snooze-4h", "Snooze 4 h"))
_ESCALATE: Final = Button("escalate", "Escalate now")
_RESOLVE: Final = Button("resolve", "Resolve")

# value -> the answer, given by whom, via what, and when (ms)
ANSWERS: Final[dict[str, Callable[[str, str, int], Answer]]] = {
    "acknowledge": lambda by, via, _: Acknowledged(by, via),
    "unacknowledge": lambda by, via, _: Unacknowledged(by, via),
    "snooze-1h": lambda by, via, now: Acknowledged(by, via, now + HOUR),
    "snooze-4h": lambda by, via, now: Acknowledged(by, via, now + 4 * HOUR),
    "escalate": lambda by, via, _: Escalated(by, via),
    "resolve": lambda by, via, _: Resolved(by, via),
}


def buttons(incident: Incident) -> tuple[Button, ...]:
    """Those that make sense now; none once it is over."""
    escalate = (_ESCALATE,) if incident.clocks else ()
    if incident.status is Status.TRIGGERED:
        return (_ACKNOWLEDGE, *_SNOOZES, *escalate, _RESOLVE)
    if incident.status is Status.ACKNOWLEDGED:
        return (*_SNOOZES, _GIVE_BACK, *escalate, _RESOLVE)
    return ()
