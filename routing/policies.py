"""Escalation policies as they are written: who is told, in which order, when, and on what condition.

It carries; when a step is due says `escalation.py`, and who a target is in the end `config/targets.py`. All
durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from routing.calendar import TimeInterval
    from routing.matchers import Matcher

TargetKind = Literal["receiver", "team", "user", "schedule"]
Unless = Literal["acknowledged", "resolved"]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step tells.

    Attributes:
        name: of the receiver, the user or the schedule; for a team, by which of its ways: `slack`, `email`,
            `lead`, `manager`, `pagerduty` or `on_call`.
    """

    kind: TargetKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a policy.

    Attributes:
        notify: who is told.
        after: since the clock's origin (`escalation.py`).
        unless: what makes the step unnecessary.
        policy: the policy that the incident is handed over to; "" for none.
        severity: what the incident is treated as from the hand-over on; "" for what it is.
        when: matchers of the incident's labels; a step that they do not meet is passed.
        during: the time intervals in which the step is carried out; empty for any time.
        outside: what happens outside of them: the step is passed, or held until one begins.
        every: how often it is said again while its condition holds, 0 for once.
        uncovered: what happens if nobody is on call: the next step is due at once, or the step waits for the
            next shift, or the policy's fallback is told.
    """

    notify: tuple[Target, ...] = ()
    after: int = 0
    unless: Unless = "acknowledged"
    policy: str = ""
    severity: str = ""
    when: tuple[Matcher, ...] = ()
    during: tuple[TimeInterval, ...] = ()
    outside: Literal["pass", "hold"] = "pass"
    every: int = 0
    uncovered: Literal["next", "wait", "fallback"] = "next"


@dataclass(frozen=True, slots=True)
class Policy:
    """The ordered steps that an incident goes through.

    Attributes:
        ack_timeout: after which an acknowledgement ends by itself, 0 for never.
        ack_reminder: how long before that who acknowledged is reminded, 0 for not at all.
        repeat: how many times more the whole is gone through if nobody acknowledges; `repeat_after` is the
            pause between its last step and the first of the next round.
        fallback: who is told where a step that asks for it, or the last step, can reach nobody.
        ring_on_new_alert: an alert of no higher severity that joins is heard, and not only shown.
        keep_ack: an acknowledgement stays when the severity rises.
        keep_ack_on_reopen: it stays when the incident is opened again.
        reopen_within: what fires anew within this time of the end opens the same incident again.
    """

    name: str
    steps: tuple[Step, ...]
    ack_timeout: int = 0
    ack_reminder: int = 0
    repeat: int = 0
    repeat_after: int = 0
    fallback: tuple[Target, ...] = ()
    ring_on_new_alert: bool = False
    keep_ack: bool = False
    keep_ack_on_reopen: bool = False
    reopen_within: int = 300_000
