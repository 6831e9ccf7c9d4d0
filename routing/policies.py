"""Escalation policies as they are written: who is told, in which order.

It carries; when a step is due is not decided here yet (only a policy's first step is carried out), and who a
target is in the end says `config/targets.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TargetKind = Literal["receiver", "team", "user"]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step tells.

    Attributes:
        name: of the receiver or the user; for a team, by which of its ways: `slack`, `email`, `lead`,
            `manager` or `pagerduty`.
    """

    kind: TargetKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a policy. Times are milliseconds since the first step was due.

    Attributes:
        notify: who is told.
        unless: what makes the step unnecessary.
        policy: the policy that the incident is handed over to; "" for none.
    """

    notify: tuple[Target, ...] = ()
    after: int = 0
    unless: Literal["acknowledged", "resolved"] = "acknowledged"
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The ordered steps that an incident goes through. `ack_timeout`: milliseconds, 0 for no end."""

    name: str
    steps: tuple[Step, ...]
    ack_timeout: int = 0
