"""What can happen to an incident: a deadline that comes, what people say, a change of the configuration.

Only data. `incident.py` decides what it means. All times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routing.policies import Target


@dataclass(frozen=True, slots=True)
class Due:
    """The deadline has come, or may have: decide what is due now.

    `quiet` says why nobody is to be rung now, "" where people may be; it ends at `until`, None for unknown.
    `late` is by how much the deadline has passed (ms).
    """

    quiet: str = ""
    until: int | None = None
    late: int = 0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody has it in hand, for ever or (a snooze) up to `until`.

    Of each answer: `by` is who gave it, a user's name where that is known; `via`, from where, in words
    ("Slack", "PagerDuty", "mail link", "command line", "HTTP"); `delivery`, the delivery whose service
    already shows it (PagerDuty's own acknowledgement is not sent back to it), "" for none.
    """

    by: str
    via: str
    until: int = 0
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """Nobody has it in hand after all: the policy starts again."""

    by: str
    via: str
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Somebody says that it is over: its alerts are dismissed."""

    by: str
    via: str
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class Escalated:
    """The next step of the policy is wanted now."""

    by: str
    via: str


@dataclass(frozen=True, slots=True)
class Reassigned:
    """Others are to have it: `target` is told instead of step 1, or another policy begins."""

    by: str
    via: str
    target: Target | None = None
    policy: str = ""


@dataclass(frozen=True, slots=True)
class ResponderAdded:
    """Somebody is told besides, acknowledged or not."""

    by: str
    via: str
    target: Target


@dataclass(frozen=True, slots=True)
class Noted:
    """A line for the timeline."""

    by: str
    via: str
    text: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """A change of the configuration puts it under another route, which tells others, or by another policy."""

    route: str
    receiver: str
    policy: str
    team: str
    group_interval: int
    repeat_interval: int


Answer = Acknowledged | Unacknowledged | Resolved | Escalated | Reassigned | ResponderAdded | Noted
Event = Due | Answer | Adopted
