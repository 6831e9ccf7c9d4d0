"""Heartbeats: signs of life that have to come again and again, and what it means when one does not come.

A missing beat is an ordinary alert, `HeartbeatMissing`, which goes through the routes like any other. This
module says when a heartbeat is missing, when that is over, and how the alert looks. It keeps nothing and
tells nobody; `gateway/heartbeats.py` does.

Rules: a beat is due `timeout` after the last one, or after the heartbeat was first known. Absence counts only
while we listened: after a start, or a time in which the store was away, nothing is missing before `patience`
has passed. What was missing is over with the next beat, whatever we heard in between. An alert that a
heartbeat's matchers meet is a beat while it fires; its end is none, and neither is routed.

All times and durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from routing.alerts import Arrival, alert_key
from routing.matchers import matches_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.matchers import Matcher

ALERT: Final = "HeartbeatMissing"
LABEL: Final = "heartbeat"

State = Literal["alive", "waiting", "missing"]
"""`waiting`: for its first beat."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life that is expected.

    Attributes:
        timeout: how long after a beat the next one must be here.
        matchers: the alerts that are beats while they fire; empty where beats come by HTTP only.
        labels, annotations: of the alert that says that it is missing.
    """

    name: str
    timeout: int
    matchers: tuple[Matcher, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class Heartbeats:
    """All heartbeats of a configuration."""

    def __init__(self, every: Iterable[Heartbeat] = ()) -> None:
        self._by_name = {one.name: one for one in every}
        self._matched = tuple(one for one in self._by_name.values() if one.matchers)

    def __iter__(self) -> Iterator[Heartbeat]:
        return iter(self._by_name.values())

    def find(self, name: str) -> Heartbeat | None:
        """The heartbeat of this name, None where there is none (any more)."""
        return self._by_name.get(name)

    @property
    def take_alerts(self) -> bool:
        """Whether an alert can be a beat at all."""
        return bool(self._matched)

    def beaten_by(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The heartbeats whose matchers an alert meets; one that says that a beat is missing is none."""
        if labels.get("alertname") == ALERT:
            return ()
        return tuple(one.name for one in self._matched if matches_all(one.matchers, labels))


@dataclass(frozen=True, slots=True)
class Missing:
    """The alert that says that a heartbeat is missing, as it was opened: since when, and its labels."""

    since: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def fires(self) -> Arrival:
        """The alert, firing."""
        labels = dict(self.labels)
        return Arrival(
            alert_key(labels), labels, dict(self.annotations), "firing", self.since, None, None, ""
        )

    def ends(self, at: int) -> Arrival:
        """The end of the alert."""
        return self.fires()._replace(status="resolved", ends_at=max(at, self.since))


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is kept of a heartbeat: when it was first known, its last beat (0: none yet), what is missing."""

    known: int
    last: int = 0
    missing: Missing | None = None

    @property
    def since(self) -> int:
        """From when its next beat counts."""
        return self.last or self.known


def state(pulse: Pulse | None) -> State:
    """As it is shown."""
    if pulse and pulse.missing:
        return "missing"
    return "alive" if pulse and pulse.last else "waiting"


def due_at(heartbeat: Heartbeat, pulse: Pulse, listening_since: int, patience: int) -> int:
    """When it is missing unless a beat comes before."""
    return max(pulse.since + heartbeat.timeout, listening_since + patience)


def missing(
    heartbeat: Heartbeat, pulse: Pulse, now: int, listening_since: int, patience: int
) -> Missing | None:
    """What has to be told of it now; None where a beat is not due yet, or that it is missing is known."""
    if pulse.missing or now < due_at(heartbeat, pulse, listening_since, patience):
        return None
    return Missing(pulse.since + heartbeat.timeout, heartbeat.labels, heartbeat.annotations)


def over_since(heartbeat: Heartbeat | None, pulse: Pulse, now: int) -> int | None:
    """When what was missing was over; None where it still is, or nothing was.

    `heartbeat` is None where the configuration has it no longer: then nobody misses it. Nor does anybody
    while a timeout that was made longer has not passed.
    """
    if pulse.missing is None:
        return None
    if pulse.last >= pulse.missing.since:
        return pulse.last
    return now if heartbeat is None or now < pulse.since + heartbeat.timeout else None


def to_record(missed: Missing) -> dict[str, Any]:
    """A JSON-able record."""
    return {
        "since": missed.since,
        "labels": dict(missed.labels),
        "annotations": dict(missed.annotations),
    }


def from_record(record: Mapping[str, Any]) -> Missing:
    """What `to_record` made a record of."""
    return Missing(record["since"], record["labels"], record["annotations"])
