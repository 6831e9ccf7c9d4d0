"""Rules about schedules: who is named in them, which keys go together, and who can hear of shifts.

They look at the document as written, as `rules.py` does. All of them are Tocsin's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from config.people_rules import reached_by
from config.policy_rules import unconnected
from config.schedules import local_time, parse_every
from config.written import Mistake, at_most_one, entries, mapping, names, unique, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.problems import Path

_NEWS = ("slack", "email")  # by which people hear of their shifts
_OF_TURNS = ("start", "every", "hours", "restrictions")


def mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """All that is wrong between the keys of schedules."""
    users = names(data, "users")
    yield from unique(data, "schedule", "schedules")
    for at, schedule in entries(data, "schedules"):
        for position, layer in entries(schedule, "layers"):
            yield from _layer(("schedules", at, "layers", position), layer, users)
        for position, override in entries(schedule, "overrides"):
            yield from _override(("schedules", at, "overrides", position), override, users)
    for at, user in entries(data, "users"):
        if user.get("notify_shift"):
            yield from _news(("users", at, "notify_shift"), user, mapping(data.get("global")))


def _layer(path: Path, layer: dict[str, Any], users: frozenset[str]) -> Iterator[Mistake]:
    turns = layer.get("people")
    yield from at_most_one(path, layer, ("ical", "ical_file"))
    if not turns:
        if not (layer.get("ical") or layer.get("ical_file")):
            yield Mistake(path, "this layer never has anybody; expected people, ical or ical_file")
        for key in _OF_TURNS:
            if layer.get(key):
                yield Mistake((*path, key), "this is about turns; expected people beside it", key=True)
    for number, turn in enumerate(turns if isinstance(turns, list) else ()):
        yield from _people((*path, "people", number), turn, users)
    if isinstance(turns, list) and len(turns) > 1 and not layer.get("start"):
        message = (
            "nothing says when they take turns; expected start beside it, such as start: 2026-11-02 09:00"
        )
        yield Mistake((*path, "people"), message, key=True)
    if layer.get("hours") and not _is_in_hours(layer.get("every")):
        message = "this is about turns of hours; expected every beside it in hours, such as every: 12h"
        yield Mistake((*path, "hours"), message, key=True)
    yield from _runs_forwards(path, layer, "valid_from", "valid_until")
    for number, restriction in entries(layer, "restrictions"):
        if restriction.get("start_time") == "24:00":
            where = (*path, "restrictions", number, "start_time")
            yield Mistake(where, "nothing begins at 24:00; expected 00:00, and the next weekday")
    if "holidays" in layer:
        days = mapping(layer["holidays"])
        yield from at_most_one((*path, "holidays"), days, ("ical", "ical_file"))
        yield from _people((*path, "holidays", "people"), days.get("people"), users)
        if layer["holidays"] and not (days.get("ical") or days.get("ical_file")):
            yield Mistake((*path, "holidays"), "nothing says when they are; expected ical or ical_file")


def _override(path: Path, override: dict[str, Any], users: frozenset[str]) -> Iterator[Mistake]:
    yield from _people((*path, "people"), override.get("people"), users)
    yield from unknown((*path, "instead_of"), override.get("instead_of"), "user", users, "users")
    yield from _runs_forwards(path, override, "start", "end")


def _people(path: Path, people: Any, users: frozenset[str]) -> Iterator[Mistake]:
    """One name, or a list of them; the same one twice is only told once."""
    yield from unknown(path, people, "user", users, "users")
    for number, name in enumerate(people if isinstance(people, list) else ()):
        yield from unknown((*path, number), name, "user", users, "users")


def _news(path: Path, user: dict[str, Any], glob: dict[str, Any]) -> Iterator[Mistake]:
    ways = [way for way in reached_by(user) if way in _NEWS]
    if not ways:
        message = "shifts are told by Slack and mail, and neither tells this user; expected slack_id or email"
        yield Mistake(path, message, key=True)
    for way in ways:
        if lacking := unconnected(way, glob):
            yield Mistake(path, lacking, key=True)


def _is_in_hours(every: Any) -> bool:
    try:
        return isinstance(every, str) and parse_every(every)[1] == "h"
    except PydanticCustomError:
        return True  # the schema says what is wrong with it


def _runs_forwards(path: Path, section: dict[str, Any], first: str, last: str) -> Iterator[Mistake]:
    try:
        begin, end = (local_time(str(section[key])) for key in (first, last))
    except (KeyError, PydanticCustomError):
        return
    if end <= begin:
        yield Mistake((*path, last), f"{section[last]} is not after {first}; expected a later time")
