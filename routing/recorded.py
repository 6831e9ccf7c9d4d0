"""Recorded decisions: exactly what one was made from, so that it can be made again, and what it was.

A record is JSON without what a field has by default. `replayed` makes the decision anew by another book; what
it all means in words says `why.py`, where records are kept says `gateway/store/decisions.py`. Times are
milliseconds.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from routing import events
from routing.decisions import Line, Order, Ring
from routing.events import Due
from routing.incident import decide
from routing.incident_records import SCHEMA, Group, Incident, Told, from_record
from routing.policies import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.calendar import Quiet
    from routing.clocks import Book
    from routing.decisions import Decision
    from routing.events import Event

_EVENTS: Final = {
    kind.__name__.lower(): kind
    for kind in (
        events.Due,
        events.Acknowledged,
        events.Unacknowledged,
        events.Resolved,
        events.Escalated,
        events.Reassigned,
        events.ResponderAdded,
        events.Noted,
        events.Adopted,
    )
}
DIGITS: Final = 12
"""So much of a plan's digest tells it from others."""
_KNOWN: Final[dict[type[Any], tuple[tuple[str, Any], ...]]] = {}
_PLAIN: Final = (str, int, bool, dict, type(None))


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided, but for the incident's new record: its status, and what people notice of it."""

    status: str
    orders: tuple[Order, ...] = ()
    rings: tuple[Ring, ...] = ()
    deadline: int | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One decision: the arguments of `decide`, the beginning of the plan's digest, and what came out."""

    at: int
    event: Event
    incident: Incident
    group: Group
    told: tuple[Told, ...]
    plan: str
    decided: Decided

    @property
    def now(self) -> int:
        """When it was really made: a deadline may have passed before that."""
        return self.at + self.event.late if isinstance(self.event, Due) else self.at

    @property
    def idle(self) -> bool:
        """Somebody looked, and nothing followed."""
        so = self.decided
        nothing = so.status == self.incident.status and not (so.orders or so.rings or so.lines)
        return isinstance(self.event, Due) and nothing


def decided(decision: Decision) -> Decided:
    """What is recorded of a decision."""
    status = str(decision.incident.status) if decision.incident else ""
    return Decided(status, decision.orders, decision.rings, decision.deadline, decision.lines)


def made(
    incident: Incident,
    event: Event,
    now: int,
    group: Group,
    told: tuple[Told, ...],
    *,
    book: Book,
    plan: str,
) -> tuple[Decision, Recorded]:
    """What `decide` says, and the record of it; `plan` is the digest of the plan that the book is of."""
    decision = decide(incident, event, now, group, told, book=book)
    return decision, Recorded(now, event, incident, group, told, plan[:DIGITS], decided(decision))


# --- made again ----------------------------------------------------------------------------------------


def replayed(one: Recorded, book: Book, quiet: Quiet | None) -> Decided:
    """The same decision by this book; `quiet`: the interval that the route would be in at `one.now`."""
    event = one.event
    if isinstance(event, Due):
        event = replace(event, quiet=quiet.why if quiet else "", until=quiet.until if quiet else None)
    return decided(decide(one.incident, event, one.at, one.group, one.told, book=book))


# --- as JSON -------------------------------------------------------------------------------------------


def to_json(one: Recorded) -> dict[str, Any]:
    """The record as JSON has it. It begins with `idle` where nothing followed (commit.lua looks at that)."""
    idle: dict[str, Any] = {"idle": True} if one.idle else {}
    return idle | {
        "schema": SCHEMA,
        "at": one.at,
        "event": {"kind": type(one.event).__name__.lower(), **_brief(one.event)},
        "incident": _brief(one.incident),
        "group": _brief(one.group),
        "told": [_brief(each) for each in one.told],
        "plan": one.plan,
        "decided": _brief(one.decided),
    }


def from_json(record: Mapping[str, Any]) -> Recorded:
    """The record that `to_json` made; what a newer version has added is left out.

    Raises:
        ValueError, KeyError, TypeError: it is of another schema, or it is none.
    """
    found = record["decided"]
    return Recorded(
        at=int(record["at"]),
        event=_event(record["event"]),
        incident=from_record({**record["incident"], "schema": record.get("schema")}),
        group=_whole(Group, record["group"]),
        told=tuple(_whole(Told, each) for each in record["told"]),
        plan=str(record["plan"]),
        decided=Decided(
            status=found["status"],
            orders=tuple(_whole(Order, each) for each in found.get("orders", ())),
            rings=tuple(_whole(Ring, each) for each in found.get("rings", ())),
            deadline=found.get("deadline"),
            lines=tuple(_whole(Line, each) for each in found.get("lines", ())),
        ),
    )


def _event(record: Mapping[str, Any]) -> Event:
    known = _EVENTS[record["kind"]]
    event: Event = _whole(known, record)
    target = getattr(event, "target", None)
    if target is not None and isinstance(event, events.Reassigned | events.ResponderAdded):
        event = replace(event, target=_whole(Target, target))
    return event


def _brief(one: object) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    found = {}
    for name, default in _fields(type(one)):
        value = getattr(one, name)
        if value != default:
            found[name] = _jsonable(value)
    return found


def _jsonable(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, tuple):
        return [_jsonable(each) for each in value]
    return _brief(value)


def _fields(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Name and default of each field; a default that equals nothing where there is none."""
    found = _KNOWN.get(kind)
    if found is None:
        found = _KNOWN[kind] = tuple((each.name, _default(each)) for each in fields(kind))
    return found


def _default(one: Field[Any]) -> Any:
    return MISSING if one.default is MISSING else one.default


def _whole(kind: Any, record: Mapping[str, Any]) -> Any:
    names = [name for name, _ in _fields(kind)]
    return kind(**{name: record[name] for name in names if name in record})
