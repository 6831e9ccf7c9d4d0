"""Adoption: after a change of the configuration, which groups go on as which, and which alerts stray.

A group that all its firing alerts have left, for one other that does not exist yet, stays what it is: it goes
on as that other one. Other alerts that have left a group fire there until their end. What the change means
for an incident says `adopting.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from routing.events import Adopted
from routing.tree import POLICY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from routing.stored import GroupMeta

Aliases = dict[str, str]
"""Group that alerts belong to -> group that they are kept in."""


@dataclass(slots=True)
class _Group:
    """A group with firing alerts: where they belong now.

    `own` says what the plan has of it, None where an alert belongs elsewhere; `others`, to which groups
    all of those belong that have been looked at.
    """

    own: Any
    others: dict[str, Any]
    gone: list[str] = field(default_factory=list)


class Adoption:
    """One change of the configuration: `look_at` each firing alert, then `settle`."""

    def __init__(self, bare: Any, generation: str, before: Mapping[str, str]) -> None:
        """`bare` places by the new plan alone; `before` is what has counted until now."""
        self._bare = bare
        self._generation = generation
        self._before = dict(before)
        self._groups: dict[str, _Group] = {}
        self._natural: set[str] = set()

    def look_at(self, gid: str, key: str, labels: Mapping[str, str]) -> None:
        """One alert that fires in a group."""
        placed = self._bare.placed(key, labels).places
        places = {self._before.get(place.gid, place.gid): place for place in placed}
        self._natural.update(places)
        group = self._groups.get(gid)
        if group is None:
            group = self._groups[gid] = _Group(places.get(gid), places)
        else:
            group.others = {one: place for one, place in group.others.items() if one in places}
        if gid in places:
            group.own = group.own or places[gid]
        else:
            group.gone.append(key)

    def asked(self) -> set[str]:
        """The groups of which `settle` must know whether they exist."""
        moved = [group for gid, group in self._groups.items() if self._left(gid, group)]
        return {*self._before.values(), *(one for group in moved for one in group.others)}

    def _left(self, gid: str, group: _Group) -> bool:
        return group.own is None and gid not in self._natural

    def settle(self, existing: Collection[str]) -> Aliases:
        """Which group goes on as which from now on."""
        found = {new: old for new, old in self._before.items() if old in existing}
        found |= {new: old for new, old in self._before.items() if new in found.values()}
        taken: set[str] = set()
        for gid, group in sorted(self._groups.items()):  # of two that could, always the same one
            if self._left(gid, group):
                for one, place in group.others.items():
                    if place.gid not in taken and one not in existing:
                        taken.add(place.gid)
                        self._goes_on(found, gid, place.gid)
                        break
        return found

    def _goes_on(self, found: Aliases, gid: str, new: str) -> None:
        """Should alerts come that belong to the old one by its own name, they are another matter."""
        another = blake2b(f"{gid} {self._generation}".encode(), digest_size=8).hexdigest()
        for name in [gid, *(name for name, old in found.items() if old == gid)]:
            found[name] = another
        found[new] = gid

    def strays(self, found: Aliases) -> dict[str, tuple[str, ...]]:
        """Alert key -> groups in which it fires although it belongs to others now."""
        strays: dict[str, tuple[str, ...]] = {}
        for gid, group in sorted(self._groups.items()):
            if group.gone and not self._goes_on_as(gid, group, found):
                for key in group.gone:
                    strays[key] = (*strays.get(key, ()), gid)
        return strays

    def by_now(self, found: Aliases) -> dict[str, Any]:
        """What the plan has of each group that goes on (a `Placement`)."""
        groups = sorted(self._groups.items())
        by = {gid: group.own or self._goes_on_as(gid, group, found) for gid, group in groups}
        return {gid: place for gid, place in by.items() if place is not None}

    def _goes_on_as(self, gid: str, group: _Group, found: Aliases) -> Any:
        return next((place for place in group.others.values() if found.get(place.gid) == gid), None)


def differs(was: GroupMeta, will: GroupMeta) -> bool:
    """Others are told, or by another route. Timers alone stay as they were when the group opened."""
    return (was.route, was.receiver, was.team) != (will.route, will.receiver, will.team)


def adopted_by(meta: GroupMeta) -> Adopted:
    """The event: an incident goes on under this route."""
    policy = meta.receiver.removeprefix(POLICY) if meta.receiver.startswith(POLICY) else ""
    return Adopted(meta.route, meta.receiver, policy, meta.team, meta.group_interval, meta.repeat_interval)
