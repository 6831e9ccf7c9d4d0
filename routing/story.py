"""A story: what happens in a simulated world, and what follows for people. Only data.

`simulator.py` takes what happens (`Happening`) and tells what follows. All times are milliseconds since the
epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.alerts import Arrival
    from routing.delivery import Kind
    from routing.events import Answer
    from routing.incident_records import Incident
    from routing.silences import Silence

TargetKind = Literal["receiver", "user", "team"]


# --- what happens ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived:
    """Copies of alerts arrive together, as one webhook brings them.

    `stays`: their sender keeps repeating those that fire, so that none of them is ever stale.
    """

    at: int
    arrivals: tuple[Arrival, ...]
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody answers an incident; `number` 0 means every one that is open."""

    at: int
    answer: Answer
    number: int = 0


@dataclass(frozen=True, slots=True)
class SilencesChanged:
    """From now on these are all the silences that there are."""

    at: int
    silences: tuple[Silence, ...]


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Another configuration is in force: what `Simulator` was given as its plan, anew."""

    at: int
    plan: Any


Happening = Arrived | Said | SilencesChanged | Reloaded


# --- what follows ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notification:
    """Somebody is told: the receiver took it at `at`.

    Attributes:
        target, target_kind: the receiver's, user's or team's bare name; the team "" is nobody's.
        by: `pagerduty`, `slack`, `email` or `webhook`.
        where: whom people read about: `#backend`, `ops@example.com`; never a secret.
        kind: a `ring` is heard, an `update` is not, the `end` says that it is over.
        policy, step: what rang, from 1; "" and 0 where no step did.
        why: the reason, as the timeline gives it.
        text: the message as its service shows it, "" where none was asked for.
    """

    at: int
    target: str
    target_kind: TargetKind
    by: str
    where: str
    kind: Kind
    incident: int
    route: str
    team: str
    severity: str
    policy: str
    step: int
    why: str
    firing: int
    ended: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an incident's timeline; `incident` 0 for what belongs to none. `kind` as the service has it:
    triggered, step, passed, told, not_told, skipped, acknowledged, resolved, held, suppressed..."""  # noqa: D209

    at: int
    incident: int
    kind: str
    text: str
    target: str = ""


@dataclass(slots=True)
class Reached:
    """What of a configuration a story has gone through.

    Attributes:
        routes: keys of routes to which an alert belonged.
        steps: (policy, step from 1) that were carried out, whoever was reached.
        rules: numbers (from 0) of inhibition rules that held an alert.
        asked: (schedule, at) of each question who is on call.
        intervals: keys of routes whose time intervals kept somebody from being told.
    """

    routes: set[str] = field(default_factory=set)
    steps: set[tuple[str, int]] = field(default_factory=set)
    rules: set[int] = field(default_factory=set)
    asked: set[tuple[str, int]] = field(default_factory=set)
    intervals: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Story:
    """All that happened between `began` and `ended`.

    `incidents`: each as it was left, by number. `cut`: more would follow, but the time was over.
    """

    began: int
    ended: int = 0
    notifications: list[Notification] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    reached: Reached = field(default_factory=Reached)
    cut: bool = False
