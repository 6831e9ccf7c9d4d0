"""Policies, answers and stories for judges of escalation, as plain as docs/escalation.md tells of them.

Nothing of the project is imported. All times are milliseconds; a `Span` is a time of which only the bounds
are known. What follows from them walks `walked_policies.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


Verb = Literal["acknowledge", "unacknowledge", "snooze", "escalate", "resolve", "end"]


class Span(NamedTuple):
    """A time between two bounds."""

    lo: float
    hi: float

    def later(self, ms: float, more: float | None = None) -> Span:
        """By at least `ms`, at most `more`."""
        return Span(self.lo + ms, self.hi + (ms if more is None else more))

    def plus(self, by: Span) -> Span:
        """By a time of which only the bounds are known."""
        return Span(self.lo + by.lo, self.hi + by.hi)


@dataclass(frozen=True)
class Step:
    after: float
    tells: tuple[str, ...]
    unless: str = "acknowledged"
    every: float = 0
    policy: str = ""
    raises: bool = False  # what it is handed over to treats it as worse than it was


@dataclass(frozen=True)
class Policy:
    name: str
    steps: tuple[Step, ...]
    ack_timeout: float = 0
    repeat: int = 0
    repeat_after: float = 0
    keep_ack: bool = False


@dataclass(frozen=True)
class Answer:
    """What was said to an incident, when, and whether that changed anything (None: that is not known).

    `end`: its only alert ended, as was answered 200.
    """

    verb: Verb
    at: Span
    by: str = ""
    lasts: float = 0  # of a snooze
    changed: bool | None = None
    lost: bool = False  # it was never answered: perhaps it was done, perhaps not


@dataclass
class Story:
    """One incident: by which policy, when its alert was posted, what was answered; the end comes last."""

    name: str
    policy: str
    fired: Span
    answers: list[Answer] = field(default_factory=list)


class Lateness:
    """How late work may be: (from, until) are times in which whoever has claimed something may be dead.

    `nobody`: times in which nobody at all worked. `slack`: what the machine takes in any case.
    """

    def __init__(
        self,
        deaths: Sequence[tuple[float, float]] = (),
        nobody: Sequence[tuple[float, float]] = (),
        slack: float = 0,
    ) -> None:
        self.deaths = sorted([*deaths, *nobody])
        self.nobody = sorted(nobody)
        self.slack = slack

    def decided(self, planned: Span) -> Span:
        """When a step that is planned then can have been decided."""
        return Span(_out_of(planned.lo, self.nobody), _out_of(planned.hi, self.deaths) + self.slack)

    def heard(self, planned: Span) -> float:
        """By when what a step says must have been heard."""
        return _out_of(self.decided(planned).hi, self.deaths) + self.slack

    def lost(self, since: float, until: float) -> bool:
        """Somebody died between the two."""
        return any(begin <= until and since <= end for begin, end in self.deaths)


def _out_of(at: float, times: Sequence[tuple[float, float]]) -> float:
    for begin, end in times:  # in their order, so what begins later is met later
        if begin <= at < end:
            at = end
    return at


@dataclass(frozen=True)
class Ring:
    """Somebody is to be rung. `by_then`: when it must have been heard; `dropped`: when it became needless."""

    who: str
    at: Span
    by_then: float
    unless: str
    policy: str
    dropped: float = inf
    certain: bool = True


@dataclass(frozen=True)
class Clock:
    policy: str
    t0: Span
    t_open: Span
    done: frozenset[int] = frozenset()
    again: tuple[tuple[int, Span], ...] = ()
    round: int = 0


class Moment(NamedTuple):
    at: Span
    order: int  # of what is due in the same moment
    clock: int
    step: int


@dataclass(frozen=True)
class Course:
    """One way in which it can have gone so far."""

    clocks: tuple[Clock, ...]
    raised: bool = False
    by: str = ""  # who has it in hand, "" for nobody
    until: Span | None = None
    rings: tuple[Ring, ...] = ()
    last: tuple[tuple[str, Span, str, bool], ...] = ()  # who was rung, when, by which policy, for sure
    over: Span | None = None
    escalated: Span | None = None  # when somebody last wanted the next step
