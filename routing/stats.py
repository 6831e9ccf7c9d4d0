"""How soon incidents are answered and solved, and how often people are rung: plain arithmetic.

It is handed incidents and the pages of each, one after the other, and adds them up by team, severity, alert
or person. A page is a ring that reached a person: one sent to a user, or to PagerDuty, which calls somebody;
what is posted in a channel is none. An incident counts for a person who was told in person or acknowledged it
last; the times of a person are those of incidents that they acknowledged.

The time to acknowledge is from `triggered_at` to `answered_at`, the time to resolve to `resolved_at`;
percentiles are by the nearest rank. Times and durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from routing.wall_clock import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from routing.incident_records import Incident

By = Literal["team", "severity", "alert", "person"]

_DAY: Final = 86_400
_FRIDAY: Final = 4
_THURSDAY: Final = 3  # on which 1970 began, counted from Monday


@dataclass(frozen=True, slots=True)
class Page:
    """Somebody was rung at `at`: a user by name, or "" for whoever PagerDuty calls."""

    at: int
    person: str = ""


@dataclass(frozen=True, slots=True)
class Office:
    """When people are at work: on weekdays from `start` to `end`, minutes of the day by their own clock."""

    start: int = 9 * 60
    end: int = 18 * 60

    def outside(self, at: int, location: str) -> bool:
        """Whether people there are not at work then."""
        day, second = divmod(clock(location, at), _DAY)
        if (day + _THURSDAY) % 7 > _FRIDAY:
            return True
        return not self.start <= second // 60 < self.end


@dataclass(frozen=True, slots=True)
class Zones:
    """Where people live: by person and by team; `default` for others."""

    people: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    default: str = "UTC"

    def of(self, person: str, team: str) -> str:
        """Of a person, else of the team."""
        return (self.people.get(person) if person else self.teams.get(team)) or self.default


@dataclass(frozen=True, slots=True)
class Spread:
    """What some durations are together; None of none."""

    count: int
    mean: int | None
    p50: int | None
    p90: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """What one team, severity, alert or person has; `name` is "" where there is none.

    `open`: not resolved yet. `acknowledged`: at any time.
    """

    name: str
    incidents: int
    open: int
    acknowledged: int
    to_acknowledge: Spread
    to_resolve: Spread
    pages: int
    pages_outside: int


@dataclass(slots=True)
class _Sum:
    incidents: int = 0
    open: int = 0
    answered: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    pages: int = 0
    outside: int = 0

    def add(self, incident: Incident, pages: Iterable[bool], *, timed: bool) -> None:
        """An incident, and for each page whether it was outside; `timed`: its times count here."""
        self.incidents += 1
        self.open += not incident.resolved_at
        if timed and incident.answered_at:
            self.answered.append(max(0, incident.answered_at - incident.triggered_at))
        if timed and incident.resolved_at:
            self.resolved.append(max(0, incident.resolved_at - incident.triggered_at))
        for outside in pages:
            self.pages += 1
            self.outside += outside

    def row(self, name: str) -> Row:
        return Row(
            name=name,
            incidents=self.incidents,
            open=self.open,
            acknowledged=len(self.answered),
            to_acknowledge=spread(self.answered),
            to_resolve=spread(self.resolved),
            pages=self.pages,
            pages_outside=self.outside,
        )


class Tally:
    """Adds up incident by incident."""

    def __init__(self, by: By, office: Office, zones: Zones) -> None:
        self._by = by
        self._office = office
        self._zones = zones
        self._sums: dict[str, _Sum] = {}
        self._all = _Sum()

    def add(self, incident: Incident, pages: Sequence[Page]) -> None:
        """One that was triggered."""
        outside = [
            self._office.outside(page.at, self._zones.of(page.person, incident.team)) for page in pages
        ]
        self._all.add(incident, outside, timed=True)
        for name in self._names(incident, pages):
            mine = outside
            if self._by == "person":
                mine = [out for page, out in zip(pages, outside, strict=True) if page.person == name]
            timed = self._by != "person" or (incident.ack is not None and incident.ack.by == name)
            self._sums.setdefault(name, _Sum()).add(incident, mine, timed=timed)

    def _names(self, incident: Incident, pages: Iterable[Page]) -> Iterator[str]:
        if self._by == "team":
            yield incident.team
        elif self._by == "severity":
            yield incident.severity
        elif self._by == "alert":
            yield incident.labels.get("alertname", "")
        else:
            people = {page.person for page in pages if page.person}
            yield from people | ({incident.ack.by} if incident.ack else set())

    def rows(self, order: Sequence[str] = ()) -> tuple[Row, ...]:
        """A row for each: as in `order`, then those with most incidents first."""
        ranked = {name: at for at, name in enumerate(order)}
        rows = [each.row(name) for name, each in self._sums.items()]
        return tuple(
            sorted(rows, key=lambda row: (ranked.get(row.name, len(ranked)), -row.incidents, row.name))
        )

    def total(self) -> Row:
        """All of them, each counted once."""
        return self._all.row("")


def spread(durations: Iterable[int]) -> Spread:
    """Their mean and percentiles."""
    found = sorted(durations)
    if not found:
        return Spread(0, None, None, None)
    return Spread(len(found), sum(found) // len(found), _percentile(found, 50), _percentile(found, 90))


def _percentile(found: Sequence[int], percent: int) -> int:
    """The least of them that so many percent do not exceed; `found` is in order."""
    return found[max(1, -(-len(found) * percent // 100)) - 1]
