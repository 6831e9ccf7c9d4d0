"""The model of Alertmanager with what holds alerts back: silences, inhibition and mute intervals.

Who is held is found by walking over all alerts and all rules. What Tocsin means to do otherwise says
`differs`, with its number in docs/decisions/differences.md. The grace (24) is not in it: no story has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alertmanager_model import Alert, Copy, Entry, Group, Integration, Model, Route, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Labels = dict[str, str]
Slot = tuple[int, tuple[str, ...]]


class Rule(NamedTuple):
    source: Callable[[Labels], bool]
    target: Callable[[Labels], bool]
    equal: tuple[str, ...]

    def values(self, labels: Labels) -> tuple[str, ...]:
        return tuple(labels.get(name, "") for name in self.equal)


class Silence(NamedTuple):
    meets: Callable[[Labels], bool]
    start: int
    end: int


class Held(NamedTuple):
    """Of one alert in one group: by what it is held, and until when (a release)."""

    by: str
    until: int = 0


class State:
    """What a group has beside its alerts."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.seen: set[str] = set()  # somebody can have seen that they fire
        self.told: dict[str, int] = {}  # integration -> the version that it was told of
        self.rung = False
        self.slots: set[Slot] = set()  # news of these concern the group
        self.flapped = False
        self.version = 0  # of everything that has changed
        self.considered = 0  # up to which it has been looked at


class HeldModel(Model):
    """`quiet(route, at)`: until when the route's intervals keep it quiet, 0 if they do not."""

    def __init__(
        self,
        routes: Callable[[Labels], Iterable[Route]],
        rules: tuple[Rule, ...],
        quiet: Callable[[str, int], int],
        release: int,
        order: Callable[[Labels, int], object] | None = None,
    ) -> None:
        """`order`: of an alert and its start; of a circle the first is told. None: no rules form one."""
        super().__init__(routes)
        self._rules = rules
        self._quiet = quiet
        self._release = release
        self._order = order
        self._silences: list[Silence] = []
        self._labels: dict[str, Labels] = {}
        self._state: dict[str, State] = {}

    def silence(self, silence: Silence, now: int) -> None:
        self.run(now)
        self._silences.append(silence)
        self.run(now)

    def of(self, group: Group) -> State:
        return self._state.setdefault(group.name, State())

    # --- what comes in ---------------------------------------------------------------------------------

    def receive(self, copies: Iterable[Copy], now: int) -> None:
        self.run(now)
        before = self._firing()
        for copy in copies:
            self._labels[copy.name] = dict(copy.labels)
            super().receive([copy], now)
        moved = before ^ self._firing()
        slots = {slot for name in moved for slot in self._slots(self._labels[name], source=True)}
        for group in self._groups.values():
            if self.of(group).slots & slots:
                self._judge(group, now)
        self.run(now)

    def _insert(self, group: Group, copy: Copy, now: int) -> None:
        state, before = self.of(group), group.alerts.get(copy.name, Alert()).status
        was_present = group.alerts.get(copy.name, Alert()).present
        was_open = bool(group.flush_at)
        super()._insert(group, copy, now)
        alert = group.alerts[copy.name]
        if alert.status == before:
            return
        state.version += 1
        if before == "firing":
            held = state.held.pop(copy.name, None)
            if held and copy.name not in state.seen:  # differs 22: of what nobody saw, nobody sees the end
                alert.present = False
        elif alert.status == "firing":
            if was_present:
                state.flapped = True
            else:
                state.seen.discard(copy.name)
        if group.flush_at and not was_open:
            state.rung, state.told = False, {}

    def _firing(self) -> set[str]:
        groups = self._groups.values()
        return {name for group in groups for name, alert in group.alerts.items() if alert.status == "firing"}

    # --- who is held -----------------------------------------------------------------------------------

    def _slots(self, labels: Labels, *, source: bool) -> set[Slot]:
        return {
            (place, rule.values(labels))
            for place, rule in enumerate(self._rules)
            if (rule.source if source else rule.target)(labels)
        }

    def _silenced(self, labels: Labels, now: int) -> bool:
        return any(one.meets(labels) for one in self._silences if one.start <= now < one.end)

    def _inhibitors(self, name: str) -> set[str]:
        labels = self._labels[name]
        return {
            other
            for other in self._firing()
            for rule in self._rules
            if rule.target(labels) and rule.source(self._labels[other])
            if rule.values(self._labels[other]) == rule.values(labels)
            if not (rule.source(labels) and rule.target(self._labels[other]))
        }

    def _upstream(self, name: str) -> set[str]:
        """All that inhibit it, through others too."""
        found: set[str] = set()
        todo = [name]
        while todo:
            new = self._inhibitors(todo.pop()) - found
            found |= new
            todo += new
        return found

    def _inhibited(self, name: str, now: int) -> bool:
        above = self._upstream(name)
        if self._order is None or name not in above:
            return bool(above)
        circle = {other for other in above if name in self._upstream(other)}  # differs 26
        loud = [other for other in circle if not self._silenced(self._labels[other], now)]
        return circle != above or name != min(loud, key=self._place)

    def _place(self, name: str) -> object:
        assert self._order
        starts = [g.alerts[name].latest_start for g in self._groups.values() if name in g.alerts]
        return self._order(self._labels[name], min(starts))

    def _can_be_chosen(self, name: str) -> bool:
        labels = self._labels[name]
        return (
            self._order is not None
            and any(r.source(labels) for r in self._rules)
            and name in self._upstream(name)
        )

    def _judge(self, group: Group, now: int, *, flushing: bool = False) -> None:
        state, freed, changed = self.of(group), False, False
        state.flapped = False
        for name in group.present("firing"):
            labels, was = self._labels[name], state.held.get(name)
            if self._silenced(labels, now):
                held = Held("silence")
            else:
                for other in {name} | (self._upstream(name) if self._order else set()):
                    state.slots |= self._slots(self._labels[other], source=False)
                if self._inhibited(name, now):
                    held = Held("inhibition")
                elif was and was.by == "inhibition":  # differs 25
                    held = Held("release", now + self._release)
                elif was and was.by == "release" and was.until > now:
                    held = was
                else:
                    held = None
            if held:
                state.held[name] = held
                changed |= not was
            elif was:
                del state.held[name]
                group.alerts[name].episode += 1  # differs 23: the end of a hold is news
                freed = True
        state.version += changed or freed
        if freed and not flushing and group.flushed and not state.rung:  # differs 23: at once
            self._ring_at_last(group, now)

    # --- what is due -----------------------------------------------------------------------------------

    def run(self, until: int) -> None:
        while True:
            flushes = (group.flush_at for group in self._groups.values() if group.flush_at)
            due = min([*flushes, *self._due()], default=until + 1)
            if due > until:
                return
            self._now, before = due, self._now
            self._look(due, before)
            super().run(due)

    _now = 0

    def _due(self) -> Iterable[int]:
        """Moments at which something else than a flush can happen."""
        for silence in self._silences:
            yield from (at for at in (silence.start, silence.end) if at > self._now)
        for group in self._groups.values():
            state = self.of(group)
            yield from (held.until for held in state.held.values() if held.until > self._now)
            if group.flush_at and group.flushed and not state.rung and state.version == state.considered:
                until = self._quiet(group.route.key, self._now)
                if until > self._now:
                    yield until

    def _look(self, now: int, before: int) -> None:
        silences = any(now in (one.start, one.end) for one in self._silences)
        for group in self._groups.values():
            state = self.of(group)
            firing = group.present("firing")
            differs = [
                n for n in firing if self._silenced(self._labels[n], now) != self._by(state, n, "silence")
            ]
            if (silences and (differs or any(map(self._can_be_chosen, firing)))) or any(
                held.until == now for held in state.held.values()
            ):
                self._judge(group, now)
            waits = group.flush_at and group.flushed and not state.rung and state.version == state.considered
            if waits and self._quiet(group.route.key, before) == now:
                self._ring_at_last(group, now)

    @staticmethod
    def _by(state: State, name: str, by: str) -> bool:
        return name in state.held and state.held[name].by == by

    def _ring_at_last(self, group: Group, now: int) -> None:
        if group.present("firing") - set(self.of(group).held) and not self._quiet(group.route.key, now):
            self._judge(group, now, flushing=True)
            if group.present("firing") - set(self.of(group).held):
                self._ring(group, now)

    # --- who is told -----------------------------------------------------------------------------------

    def _flush(self, group: Group, now: int) -> None:
        self._now, state = now, self.of(group)
        first, group.flushed = not group.flushed, True
        group.flush_at = now + group.route.group_interval
        firing, ended = group.present("firing"), group.present("resolved", "suspect")
        if first and not firing:
            group.incidents -= 1
        if first or state.flapped or self._would_ring(group, now):
            self._judge(group, now, flushing=True)
        free = firing - set(state.held)
        suppressed = bool(firing) and (not free or bool(self._quiet(group.route.key, now)))
        if not state.rung:
            if firing and not suppressed:
                self._ring(group, now)
        else:
            for to in group.route.integrations:
                self._tell(group, to, now, suppressed=suppressed)
        if not suppressed:
            state.seen |= free
        state.considered = state.version
        for name in ended:
            group.alerts[name].present = False
        if not firing:
            group.flush_at = 0
            state.held.clear()

    def _would_ring(self, group: Group, now: int) -> bool:
        state, firing = self.of(group), group.present("firing")
        free = firing - set(state.held)
        if not free or self._quiet(group.route.key, now):
            return False
        if not state.rung:
            return True
        fire = {(name, group.alerts[name].episode) for name in free}
        entries = [group.log[to.name] for to in group.route.integrations]
        repeat = now - group.route.repeat_interval
        return any(not fire <= entry.firing or entry.at < repeat for entry in entries)

    def _ring(self, group: Group, now: int) -> None:
        """Everybody is told for the first time."""
        state, ended = self.of(group), group.present("resolved", "suspect")
        state.rung, state.considered = True, state.version
        for to in group.route.integrations:
            missed = group.missed.pop(to.name, set()) | ended
            self._say(group, to, now, "ring", missed)
        for name in ended:
            group.alerts[name].present = False
        state.seen |= group.present("firing") - set(state.held)

    def _tell(self, group: Group, to: Integration, now: int, *, suppressed: bool) -> None:
        state, entry = self.of(group), group.log[to.name]
        firing, ended = group.present("firing"), group.present("resolved", "suspect")
        fire = {(name, group.alerts[name].episode) for name in firing - set(state.held)}
        end = {(name, group.alerts[name].episode) for name in ended}
        missed = (group.missed.pop(to.name, set()) | ended) - firing
        if not firing:
            self._say(group, to, now, "end", missed)
        elif not suppressed and not fire <= entry.firing:
            self._say(group, to, now, "ring", missed)
        elif to.ends and to.updates and not end <= entry.ended:
            self._update(group, to, now, missed)
        elif suppressed and to.edits and not fire and state.told[to.name] < state.version:
            self._update(group, to, now, missed)  # what people see already says that all is held
        elif not suppressed and entry.at < now - group.route.repeat_interval:
            self._say(group, to, now, "ring", missed)
        else:
            group.missed[to.name] = missed

    def _update(self, group: Group, to: Integration, now: int, missed: set[str]) -> None:
        version = self.of(group).version
        self._judge(group, now, flushing=True)
        self._say(group, to, now, "update", missed)
        self.of(group).told[to.name] = version

    def _say(self, group: Group, to: Integration, now: int, kind: str, missed: set[str]) -> None:
        state, firing = self.of(group), group.present("firing")
        free = firing - set(state.held)
        fire = {(name, group.alerts[name].episode) for name in free}
        end = {(name, group.alerts[name].episode) for name in group.present("resolved", "suspect")}
        if kind == "update":  # shown, but not heard
            fire &= group.log[to.name].firing
        group.log[to.name] = Entry(fire, end, now)
        state.told[to.name] = state.version
        state.seen |= free or firing  # differs 27: where all that fire are held, they are shown
        if kind != "end" or to.ends:
            shown = frozenset(missed) if to.ends else frozenset[str]()
            incident = (group.name, group.incidents)
            self.told.append(Told(now, to.name, kind, incident, frozenset(free or firing), shown))
