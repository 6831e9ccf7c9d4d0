"""The simulator: the decisions of the service in virtual time, with everything kept in memory.

Alerts arrive, people answer, silences and the configuration change; what follows is decided by the functions
that the service asks (`tree.py`, `weighing.py`, `incident.py`, `attempts.py`...). What a receiver answers,
and how a message looks, is handed in with the `Town`. Time jumps from one deadline to the next. Nobody dies,
nobody is late and there is one process: then the service tells the same, to the millisecond.

All times are milliseconds since the epoch.
"""

from __future__ import annotations

from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any, Final

from routing.adoption import adopted_by, differs
from routing.answering import RELATED_AT_MOST, refusal
from routing.deadlines import Deadlines
from routing.deciding import besides, counted, incident_of, orders_of, tells, told, written
from routing.decisions import Decision
from routing.decisions import Line as Decided
from routing.events import Acknowledged, Due
from routing.incident import decide
from routing.incident_records import Status
from routing.records import replace
from routing.simulated_attempts import SimulatedAttempts
from routing.simulated_commit import commit, view
from routing.simulated_deliveries import SimulatedDeliveries
from routing.simulated_group import Row, SimulatedGroup
from routing.simulated_holds import SimulatedHolds
from routing.simulated_plan import SimulatedPlan, meta_of
from routing.story import Arrived, Line, Reached, Reloaded, Said, SilencesChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from routing.events import Answer, Event
    from routing.incident_records import Incident
    from routing.simulated_commit import Seen
    from routing.stored import GroupMeta
    from routing.story import Happening, Notification
    from routing.town import Placing, Town, TownBook

TOO_MANY: Final = 1_000_000


class Simulator:
    """A world with one configuration, in which nothing has happened yet.

    Attributes:
        now: the time.
        reached: what of the configuration has been gone through.
        incidents: each as it is by now, by number.
    """

    def __init__(
        self,
        town: Town,
        plan: Any,
        began: int,
        *,
        tell: Callable[[Notification], None],
        say: Callable[[Line], None] | None = None,
    ) -> None:
        """`tell` is called with each notification, `say` with each line of a timeline.

        Without `say` what is over is forgotten, so that a story of any length takes bounded memory.
        """
        self.now = began
        self.town = town
        self.reached = Reached()
        self.incidents: dict[int, Incident] = {}
        self.deliveries = SimulatedDeliveries()
        self._say = say
        self._numbers = count(1)
        self.plan = SimulatedPlan(self, plan)
        self.groups: dict[str, SimulatedGroup] = {}
        self._due, self._looks = Deadlines(), Deadlines()
        self.holds = SimulatedHolds(self)
        self.attempts = SimulatedAttempts(self, tell)

    @property
    def placing(self) -> Placing:
        """What the plan in force says of alerts."""
        return self.plan.placing

    # --- time ---

    def run(self, happenings: Iterable[Happening], until: int) -> bool:
        """Lets everything happen up to `until`; whether more would follow then."""
        for happening in happenings:
            if happening.at > until:
                break
            self._pass_to(happening.at)
            self._happens(happening)
            self._settle()
        self._pass_to(until)
        return any(group.next < inf for group in self.groups.values()) or len(self.deliveries.due) > 0

    def _next(self) -> float:
        return min(self._due.first(), self._looks.first(), self.deliveries.due.first(), self.holds.walk_at)

    def _pass_to(self, at: int) -> None:
        while (upcoming := self._next()) <= at:
            self.now = max(self.now, int(upcoming))
            self._settle()
        self.now = max(self.now, at)

    def _settle(self) -> None:
        """Everything that is due now is done: groups first, then what is to be sent."""
        for _ in range(TOO_MANY):
            worked = False
            self.deliveries.claim(self.now)
            claimed = []  # what ends now has ended before anything is decided about it
            while (gid := self._due.pop(self.now) or self._looks.pop(self.now)) is not None:
                if self._claimed(self.groups[gid]):
                    claimed.append(self.groups[gid])
                worked = True
            for group in claimed:
                self._decide(group)
                self.schedule(group)
            if self.holds.walk_at <= self.now:
                self.holds.walk()
                worked = True
            if self.holds.moved:
                self.holds.sync()
                worked = True
            if worked:
                continue
            if not self.deliveries.claimed:
                return
            while self.deliveries.claimed:
                self.attempts.attempt(self.deliveries.claimed.popleft())
        raise RuntimeError(f"a simulation comes to no rest at {self.now}")

    def schedule(self, group: SimulatedGroup) -> None:
        """It is looked at when its deadlines say."""
        self._due.put(group.gid, min(group.next, group.timers.first()))
        self._looks.put(group.gid, group.first_look())

    # --- what happens ---

    def _happens(self, happening: Happening) -> None:
        match happening:
            case Arrived(_, arrivals, stays):
                self._take(arrivals, stays=stays)
            case Said(_, answer, number):
                self._answer(answer, number)
            case SilencesChanged(_, silences):
                self.holds.change(silences)
            case Reloaded(_, plan):
                self.plan.reload(plan)

    def _take(self, arrivals: Sequence[Any], *, stays: bool) -> None:
        """As `gateway/intake.py` hands copies over: group by group, in the order of the body.

        First to each copy's first group, then to its others, as it counts each copy once.
        """
        firsts: dict[str, list[Row]] = {}
        others: dict[str, list[Row]] = {}
        metas: dict[str, str] = {}
        for copy in arrivals:
            placed = self.placing.placed(copy.key, copy.labels)
            row = Row(copy, placed.rank, placed.patience, bool(placed.slots))
            into = firsts
            for place in placed.places:
                into.setdefault(place.gid, []).append(row)
                metas.setdefault(place.gid, place.meta)
                into = others
            for gid in self.plan.strays.get(copy.key, ()) if copy.status == "resolved" else ():
                if gid in self.groups:
                    into.setdefault(gid, []).append(row)
                    into = others
            if not placed.places and (beats := self.placing.beats(copy.key, copy.labels)):
                self.tell(0, [("beat", f"a beat of {', '.join(beats)}: it belongs to no incident")])
        for rows in (firsts, others):
            for gid, of_group in rows.items():
                meta = meta_of(metas[gid]) if gid in metas else self.groups[gid].meta
                self._take_into(gid, of_group, meta, stays=stays)

    def _take_into(self, gid: str, rows: Sequence[Row], meta: GroupMeta, *, stays: bool) -> None:
        group = self.groups.get(gid)
        if group is None:
            group = self.groups[gid] = SimulatedGroup(gid, meta)
        self.reached.routes.add(meta.route)
        fire, ended = group.take(rows, self.now, self.plan.dedup, meta, stays=stays)
        for key in fire:
            self.holds.source(group, key)
        # What ended and fires again in one body fires.
        self.holds.sources_end(group, [key for key in ended if not group.fires(key)])
        self.schedule(group)

    def _answer(self, answer: Answer, number: int) -> None:
        """Somebody answers one incident, or all that are open."""
        numbers = [number] if number else [n for n, one in sorted(self.incidents.items()) if one.open]
        if not any(n in self.incidents for n in numbers):
            self.tell(0, [("late", f"{answer.by} answers, but no incident is open")])
        why = refusal(answer, self.book())
        if why and any(n in self.incidents for n in numbers):
            self.tell(0, [("late", f"{answer.by} is refused: {why}")])
        for one in numbers if not why else ():
            if one in self.incidents:
                group = self.groups.get(self.incidents[one].gid)
                before = group.incident if group else None
                if group and before and before.number == one:
                    self._decide_answer(group, before, answer)
                    if isinstance(answer, Acknowledged) and before.open and before.policy:
                        self._related(group, before, answer)
                self._settle()

    def _decide_answer(self, group: SimulatedGroup, incident: Incident, answer: Answer) -> None:
        book, seen = self.book(), self._seen(group)
        decision = self._decided(seen, incident, answer, book, self.now)
        if (decision.incident or incident) != incident or decision.lines:
            self._commit(group, seen, besides(seen, decision), book, fresh=False)

    def _related(self, group: SimulatedGroup, incident: Incident, answer: Acknowledged) -> None:
        """Who has one of two incidents with the same alert and policy in hand has both."""
        seen = {group.gid}
        by_revision = sorted(group.firing.items(), key=lambda one: (one[1], one[0]))
        for key, _ in by_revision[:RELATED_AT_MOST]:
            copy = group.alerts[key].copy
            for place in self.placing.placed(key, copy.labels).places if copy else ():
                other = self.groups.get(place.gid)
                if place.gid in seen or other is None:
                    continue
                seen.add(place.gid)
                its = other.incident
                if its and its.open and its.policy == incident.policy:
                    self._decide_answer(other, its, answer)

    # --- groups ---

    def _claimed(self, group: SimulatedGroup) -> bool:
        """A deadline of the group has come (claim.lua); whether something is to be decided."""
        ended = group.expire(self.now, self.plan.dedup)
        self.holds.sources_end(group, ended)
        group.save(self.now)
        if group.next <= self.now or group.first_look() <= self.now:
            return True
        if group.next == inf and not group.alerts and self.deliveries.rests(group):
            self._forget(group)
        else:
            self.schedule(group)
        return False

    def _forget(self, group: SimulatedGroup) -> None:
        del self.groups[group.gid]
        self._due.drop(group.gid)
        self._looks.drop(group.gid)
        self.holds.forget(group.gid)
        group.deliveries.clear()
        if group.incident:
            self.let_go(group, group.incident.number)

    def let_go(self, group: SimulatedGroup, number: int) -> None:
        """Of an incident that is over, and of which nobody is to be told more, nothing need be kept."""
        if self._say is None and not self.deliveries.of(number, group):
            self.incidents.pop(number, None)
            self.attempts.forget(number)
            self.deliveries.drop_all_of(number)

    def _decide(self, group: SimulatedGroup) -> None:
        due = group.next <= self.now
        held = min(group.waits.values(), default=0)
        if group.marked or 0 < held <= self.now or not due:
            self.holds.weigh(group)
            if not due:
                return
        book, seen = self.book(), self._seen(group)
        incident = incident_of(seen, book)
        if incident is None:  # only memories of ended alerts
            self._commit(group, seen, Decision(None), book, fresh=False)
            return
        decision = self._decided(seen, incident, self._event(seen, incident), book, seen.due)
        unjudged = seen.counted.fired_rev > group.weighed
        if self.holds.matter() and (tells(decision) or unjudged):
            beginning, before = incident.status is Status.PENDING, seen.counted
            lines = self.holds.weigh(group, beginning=beginning)
            seen = self._seen(group)
            if seen.counted != before:
                decision = self._decided(seen, incident, self._event(seen, incident), book, seen.due)
            if beginning:
                decision = replace(decision, lines=(*decision.lines, *(Decided(*line) for line in lines)))
        if decision.incident and decision.incident.open and not decision.incident.number:
            numbered = replace(decision.incident, number=next(self._numbers))
            decision = replace(decision, incident=numbered)
        self._commit(group, seen, decision, book, fresh=incident.number == 0)

    def _event(self, seen: Seen, incident: Incident) -> Due:
        quiet = self.placing.quiet(incident.route, self.now)
        if quiet:
            self.reached.intervals.add(incident.route)
        late = self.now - seen.due
        return Due(quiet.why, quiet.until, late) if quiet else Due(late=late)

    def _decided(self, seen: Seen, incident: Incident, event: Event, book: TownBook, now: int) -> Decision:
        known = counted(seen, incident, self.placing.plan.severities)
        return decide(incident, event, now, known, told(seen, incident), book=book)

    def _seen(self, group: SimulatedGroup) -> Seen:
        return view(group, self.now, self.deliveries.states(group.deliveries))

    def book(self) -> TownBook:
        """What decisions are made by now."""
        return self.town.book(self.placing, self.now, self.reached)

    def _commit(
        self,
        group: SimulatedGroup,
        seen: Seen,
        decision: Decision,
        book: TownBook,
        *,
        fresh: bool,
        claims: bool = True,
    ) -> None:
        """commit.lua; see `SimulatedDeliveries.order` for `claims`."""
        orders = orders_of(seen, decision, book)
        dismissed_for = self.plan.dedup.dismissed_for
        write = written(seen, decision, orders, fresh=fresh, dismissed_for=dismissed_for)
        earlier = group.incident
        commit(group, write, decision.incident, self.now, self.plan.dedup)
        number = write["number"]
        if decision.incident and number:
            self.incidents[number] = decision.incident
        self.tell(number, write["lines"])
        self.reached.steps.update(decision.carried)
        if decision.quiet:
            self.deliveries.quiet(group, number)
        for did, before in self.deliveries.order(group, orders, number, self.now, claims=claims):
            self.attempts.taken_over(did, before, number)
        if fresh:
            gone = self.deliveries.forget_finished(group, number)
            if number and earlier and earlier.number != number:
                gone.add(earlier.number)  # perhaps nobody was told of it
            for old in gone:
                self.let_go(group, old)
        self.schedule(group)

    def tell(self, incident: int, lines: Iterable[Sequence[str]]) -> None:
        """Lines for the timeline of an incident: kind, text, and whom it concerns."""
        for line in lines:
            self.attempts.history(incident, line)
            if self._say is not None:
                kind, text, *target = line
                self._say(Line(self.now, incident, kind, text, *target))

    def carry_over(self, group: SimulatedGroup, meta: GroupMeta) -> None:
        """Its incident goes on under the route of which this is kept, if others are told by it."""
        incident = group.incident
        if incident is None or not differs(group.meta, meta):
            return
        book, seen = self.book(), self._seen(group)
        decision = self._decided(seen, incident, adopted_by(meta), book, self.now)
        self._commit(group, seen, besides(seen, decision), book, fresh=False, claims=False)
        interval = decision.incident.group_interval if decision.incident else group.interval
        group.meta, group.interval = meta, interval

    def hurry(self, group: SimulatedGroup) -> None:
        """The steps of its policy may have changed: it is looked at at once (hurry.lua)."""
        if group.clocked and group.next > self.now:
            group.next = self.now
            self.schedule(group)
