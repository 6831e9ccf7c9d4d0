"""What holds alerts back in a simulation: silences, inhibition, and whom their news concerns.

As `gateway/holds.py` and `gateway/sources.py` with weigh.lua and mark.lua. `weighing.py` judges. Times are
milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING, Final

from routing.hold_texts import kind as kind_of
from routing.incident_records import Status
from routing.inhibition import Source
from routing.inhibition_index import Index
from routing.silences import Silences
from routing.weighing import Scales, ToWeigh, Weighed, weigh

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routing.hold_texts import Lines
    from routing.inhibition import Slot
    from routing.silences import Silence
    from routing.simulated_group import SimulatedGroup
    from routing.simulator import Simulator

WHOLE: Final = 1_000  # alerts up to which a group is always weighed as a whole


class SimulatedHolds:
    """The judge of a simulation. `walk_at`: when it has to be looked where silences make a difference."""

    def __init__(self, world: Simulator) -> None:
        self._world = world
        self._silences = Silences(())
        self._version = 0
        self.walk_at: float = inf
        self._index = Index()
        self._filed: dict[str, tuple[Source, tuple[Slot, ...]]] = {}
        self._moved: dict[str, None] = {}
        self._concerned: set[str] = set()  # slots that sources have left
        self._waiting: dict[str, set[str]] = defaultdict(set)
        self._registered: dict[str, set[str]] = defaultdict(set)

    @property
    def moved(self) -> bool:
        """Sources have moved, and the index has not been told of them."""
        return bool(self._moved or self._concerned)

    def change(self, silences: tuple[Silence, ...]) -> None:
        """These are all the silences from now on."""
        self._silences = Silences(silences)
        self._version += 1
        self.walk_at = self._world.now

    def matter(self) -> bool:
        """Whether anything could hold an alert now."""
        return self._world.placing.plan.inhibition.any or bool(self._silences.all)

    def to_be_weighed(self, group: SimulatedGroup) -> bool:
        """Nobody has judged its alerts by the present news (begin.lua)."""
        unjudged = any(revision > group.weighed for revision in group.firing.values())
        return group.marked or self._version > group.by or (self.matter() and unjudged)

    def weigh(self, group: SimulatedGroup, *, beginning: bool = False) -> Lines:
        """Judges the group's alerts by what is true now; the lines for a timeline that begins."""
        plan, weighed = self._world.placing.plan, Weighed()
        alerts, whole = _to_weigh(group, self._world.now, self._version)
        scales = Scales(
            plan.inhibition, plan.inhibit_release, self._silences, self._world.placing, self._world.now
        )
        asking = weigh(group.gid, alerts, weighed, scales, group.weighed)
        asks = next(asking, None)
        while asks is not None:
            for ask in asks:
                self._waiting[ask.key].add(group.gid)
                self._registered[group.gid].add(ask.key)
            try:
                asks = asking.send({ask: self._index.answer(ask) for ask in asks})
            except StopIteration:
                asks = None
        self._world.reached.rules |= weighed.rules
        for key, slots in weighed.filed:
            self.source(group, key, slots)
        if _write(group, weighed, self._world.now, self._version, whole=whole):
            self._world.deliveries.let_out(group, self._world.now)
        lines = weighed.news.all() if beginning else weighed.news.news()
        incident = group.incident
        if not beginning and group.opened and incident and incident.status is Status.TRIGGERED:
            self._world.tell(incident.number, lines)
        self._world.schedule(group)
        return lines

    def source(self, group: SimulatedGroup, key: str, slots: tuple[Slot, ...] | None = None) -> None:
        """A firing alert is filed as a source; the index is told of it at the end of this moment's steps."""
        alert = group.alerts[key]
        if alert.copy is None:
            return
        if slots is None:
            slots = self._world.placing.plan.inhibition.roles(alert.copy.labels).sources
        member = f"{key}.{group.gid}"
        source = Source(key, member, alert.rank, alert.known.starts_at, alert.copy.labels)
        known = self._filed.get(member)
        if known is None or known[1] != slots or known[0].order != source.order:
            if known:
                self._index.remove(known[1], known[0])
            self._filed[member] = source, slots
            self._moved[member] = None

    def sources_end(self, group: SimulatedGroup, keys: Iterable[str]) -> None:
        """These alerts have ended, as sources too."""
        for key in keys:
            self.source_ends(f"{key}.{group.gid}")

    def source_ends(self, member: str) -> None:
        """It holds nobody from now on; those whom that concerns are told of it by `sync`."""
        if known := self._filed.pop(member, None):
            self._index.remove(known[1], known[0])
            self._concerned |= {slot.key for slot in known[1]}

    def sync(self) -> None:
        """The index is told of sources that have moved, and the groups that this concerns are marked."""
        concerned, self._concerned = self._concerned, set()
        for member in self._moved:
            if (known := self._filed.get(member)) is not None:
                self._index.add(known[1], known[0])
                concerned |= {slot.key for slot in known[1]}
        self._moved.clear()
        self._mark(concerned)

    def _mark(self, slot_keys: Iterable[str]) -> None:
        for gid in sorted({gid for key in slot_keys for gid in self._waiting.get(key, ())}):
            self.mark_group(gid)

    def forget(self, gid: str) -> None:
        """The group is gone."""
        for key in self._registered.pop(gid, ()):
            self._waiting[key].discard(gid)
            if not self._waiting[key]:
                del self._waiting[key]

    def mark_group(self, gid: str) -> None:
        """What may hold its alerts has changed (mark.lua)."""
        if (group := self._world.groups.get(gid)) is not None:
            group.mark(self._world.now + (len(group.firing) + len(group.held)) // 5)
            self._world.schedule(group)

    def walk(self) -> None:
        """After silences have changed, begun or ended: those groups are judged in which that matters."""
        rules = self._world.placing.plan.inhibition
        for gid in sorted(self._world.groups):
            group = self._world.groups[gid]
            if any(
                copy is not None
                and (
                    bool(self._silences.matching(copy.labels, self._world.now)) != (kind_of(by) == "silence")
                    or rules.in_a_circle(copy.labels)
                )
                for copy, by in (
                    (group.alerts[key].copy, group.held.get(key, "")) for key in (*group.firing, *group.held)
                )
            ):
                self.mark_group(gid)
        self.walk_at = self._silences.next_change(self._world.now) or inf


def _to_weigh(group: SimulatedGroup, now: int, version: int) -> tuple[list[ToWeigh], bool]:
    """What is to be judged (`gateway/to_weigh.py`), and whether that is all of it."""
    small = len(group.firing) + len(group.held) <= WHOLE
    whole = group.marked or group.by < version or small
    wanted = [(key, rev, "") for key, rev in group.firing.items() if whole or rev > group.weighed]
    wanted += [(key, 0, by) for key, by in group.held.items() if whole or 0 < group.waits.get(key, 0) <= now]
    found = []
    for key, revision, was in wanted:
        alert = group.alerts[key]
        if alert.copy:
            found.append(
                ToWeigh(
                    key,
                    alert.copy.labels,
                    alert.rank,
                    alert.known.starts_at,
                    revision,
                    was,
                    group.waits.get(key, 0),
                )
            )
    return found, whole


def _write(group: SimulatedGroup, weighed: Weighed, now: int, version: int, *, whole: bool) -> bool:
    """Writes what was judged (weigh.lua); whether it has let some out."""
    free_before, let_out = len(group.firing), False
    group.waits = {key: until for key, until in group.waits.items() if until > now}
    for key, was, by, until in weighed.changes:
        alert = group.alerts[key]
        if not was and by:
            del group.firing[key]
            if alert.fired > group.shown:  # nobody can have seen it, but perhaps what was before
                alert.fired = alert.shown or 0
            group.ranks[alert.rank] -= 1
            group.changed = True
        elif was and not by:
            alert.shown, alert.fired, alert.ended = alert.fired, group.seq + 1, 0
            group.firing[key] = alert.fired
            group.ranks[alert.rank] += 1
            group.changed = let_out = True
        if by:
            group.held[key] = by
        else:
            group.held.pop(key, None)
        if until:
            group.waits[key] = until
        else:
            group.waits.pop(key, None)
    if group.changed:
        group.seq += 1
        if group.opened > 0 and group.tick > 0:
            turned = group.clocked == 1 and (free_before == 0) != (not group.firing)
            group.hurry(now if turned or (let_out and group.rung == 0) else group.next_tick(now))
    group.weighed, group.by = group.seq, version
    if whole:
        group.judged = group.marks
    group.changed = False
    return let_out
