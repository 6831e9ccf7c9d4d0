"""Who is rung when, and who is told of the end, by what docs/escalation.md says, in plain Python.

A simulation that keeps lists and asks everything anew at each moment: slow, and obvious. It knows nothing of
Tocsin's code: it is the other of two witnesses. Alerts are grouped by one label into incidents of one route,
which leads to a policy; a place is one way of reaching somebody. All times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE = 60_000
RELEASE = 30_000  # an inhibited alert that outlives its source waits for so long
LATE = 10_000
A_MOMENT = 30_000  # who escalates this soon after somebody did wants the same step
NEVER = 10**15

Spans = tuple[tuple[int, int], ...]


class Step(NamedTuple):
    """`notify`: (kind, name) of receivers, users and schedules. `when`: of which groups, empty for all."""

    notify: tuple[tuple[str, str], ...]
    after: int = 0
    unless: str = "acknowledged"
    every: int = 0
    policy: str = ""
    severity: str = ""
    when: tuple[str, ...] = ()
    during: Spans = ()
    outside: str = "pass"
    uncovered: str = "next"


class Policy(NamedTuple):
    steps: tuple[Step, ...]
    repeat: int = 0
    repeat_after: int = 0
    ack_timeout: int = 0
    reminder: int = 0
    fallback: tuple[tuple[str, str], ...] = ()
    ring_on_new: bool = False
    keep_ack: bool = False
    keep_ack_on_reopen: bool = False
    reopen_within: int = 300_000


class House(NamedTuple):
    """`users`: their ways, each a place and a delay. `on_call`: (start, end, people) of a schedule."""

    route: str
    policies: dict[str, Policy]
    users: dict[str, tuple[tuple[str, int], ...]]
    on_call: dict[str, tuple[tuple[int, int, tuple[str, ...]], ...]]
    severities: tuple[str, ...]
    group_wait: int
    group_interval: int
    dismissed_for: int
    quiet: Spans = ()
    refuses: frozenset[str] = frozenset()
    root: str = "root"
    inhibits: tuple[tuple[str, str], ...] = ()  # (source, target), by the alerts' names


class Alert(NamedTuple):
    name: str
    group: str
    severity: str


class Told(NamedTuple):
    at: int
    kind: str
    place: str
    incident: int


class Silence(NamedTuple):
    names: str
    start: int
    end: int


class Ack(NamedTuple):
    by: str
    at: int
    until: int  # NEVER: for ever
    reminded: bool = False


class Later(NamedTuple):
    at: int
    place: str
    unless: str
    policy: str


@dataclass
class Clock:
    policy: str
    t0: int
    t_open: int
    done: set[int] = field(default_factory=set)
    waits: dict[int, int] = field(default_factory=dict)  # steps that wait for a shift, or are said again
    round: int = 0
    vain_at: int = NEVER  # when everybody refused what the newest step told


@dataclass
class Incident:
    number: int
    rank: int
    clocks: list[Clock]
    tick: int
    ack: Ack | None = None
    rung: dict[str, tuple[int, str]] = field(default_factory=dict)  # place -> when last, by which policy
    later: list[Later] = field(default_factory=list)
    ended_at: int = 0
    by_hand: bool = False  # so it ended
    stands: bool = False
    policy: str = ""  # it began with, or was given to by somebody
    look: int = NEVER  # when it is seen what alerts have done, at a tick
    joined: int = 0  # when the last alert did
    escalated_at: int = -NEVER


@dataclass
class Group:
    name: str
    firing: dict[str, Alert] = field(default_factory=dict)
    dismissed: dict[str, tuple[int, Alert]] = field(default_factory=dict)  # until when they are
    unseen: set[str] = field(default_factory=set)  # alerts that have ended since the last look
    joining: bool = False  # they are no more, and it is seen at the next tick
    held: dict[str, str] = field(default_factory=dict)
    release: dict[str, int] = field(default_factory=dict)
    pending: int = NEVER  # until then its first message waits
    incident: Incident | None = None

    @property
    def open(self) -> bool:
        return self.incident is not None and not self.incident.ended_at


Due = tuple[int, int, str, int, int]  # when, what first, what, which clock or entry, which step


class Model:
    """`told` is what came of it. `skip` lets time pass while nobody works."""

    def __init__(self, house: House) -> None:
        self.house, self.now, self._asleep_from = house, 0, NEVER
        self.told: list[Told] = []
        self.unsaid = False  # somebody asked for something while all was over already, but not yet told
        self._groups: dict[str, Group] = {}
        self._silences: list[Silence] = []
        self._incidents: list[tuple[Group, Incident]] = []

    # --- what happens ----------------------------------------------------------------------------------

    def fires(self, alert: Alert) -> None:
        group = self._groups.setdefault(alert.group, Group(alert.group))
        if alert.name in group.firing or alert.name in group.dismissed:
            return
        group.firing[alert.name] = alert
        before = group.incident
        if before and not before.ended_at:
            if alert.name not in group.unseen:  # else nobody has seen that it had ended
                before.joined = self.now
            self._news(group)
        elif (
            before
            and not before.by_hand
            and self.now <= before.ended_at + self.house.policies[before.policy].reopen_within
        ):
            self._reopen(group, keep=self.house.policies[before.policy].keep_ack_on_reopen)
        elif group.pending == NEVER:
            group.pending = self.now + self.house.group_wait
        self.look()

    def ends(self, name: str) -> None:
        for group in self._groups.values():
            if group.firing.pop(name, None):
                group.unseen.add(name)
                self._news(group)
            group.dismissed.pop(name, None)
        self.look()

    def silence(self, silence: Silence) -> None:
        self._silences.append(silence)
        self.look()

    def answer(self, number: int, kind: str, by: str, until: int = 0, target: str = "") -> None:
        if not 1 <= number <= len(self._incidents):
            return
        group, incident = self._incidents[number - 1]
        self.unsaid |= group.open and not group.firing
        if not incident.ended_at and group.incident is incident:
            getattr(self, f"_{kind}")(group, incident, by, until, target)
            self._touch(group)
        self.look()

    def reload(self, house: House) -> None:
        self.house = house
        for group, incident in self._incidents:
            if incident.ended_at or group.incident is not incident:
                continue
            if house.route != incident.clocks[0].policy:
                incident.clocks = [Clock(house.route, self.now, self.now)]
                incident.later = []
            else:
                for clock in incident.clocks:
                    self._past_is_done(clock)
        self.look()

    def skip(self, until: int) -> None:
        self._asleep_from = self.now
        self.now = until
        self.run(until)
        self._asleep_from = NEVER

    def run(self, until: int) -> None:
        while True:
            self.look()
            due = [(*min(found), group) for group in self._groups.values() if (found := self._due(group))]
            edges = [at for one in self._silences for at in (one.start, one.end) if at > self.now]
            edges += [at for span in self._quiet_spans() for at in span if at > self.now]
            edges += [at for group in self._groups.values() for at in group.release.values() if at > self.now]
            first = min((one[0] for one in due), default=NEVER)
            moment = min([first, *edges])
            if moment > until:
                break
            self._pass_to(max(self.now, moment))
            if first <= moment:
                at, _, what, which, step, group = min(due, key=lambda one: (one[:2], one[5].name))
                if (at, what, which, step) not in [(one[0], *one[2:]) for one in self._due(group)]:
                    continue  # it is held since this moment
                if group.open and not group.firing and what != "dismissed":  # that is no time to wake anybody
                    self._end(group, self._of(group))
                else:
                    self._touch(group)
                    getattr(self, f"_due_{what}")(group, at, which, step)
        self._pass_to(until)

    def _pass_to(self, moment: int) -> None:
        """The clocks of what is suppressed stand: whatever they were to do comes later by as much."""
        for group in self._groups.values():
            if group.incident and group.open and group.incident.stands:
                self._shift(group.incident, moment - self.now)
        self.now = moment
        self.look()

    # --- what holds alerts, and what is worse than before ----------------------------------------------

    def look(self) -> None:
        """Who is held now; so whether the clocks stand, and whether it has become worse."""
        for group in self._groups.values():
            for name in group.firing:
                self._judge(group, name)
            group.held = {name: by for name, by in group.held.items() if name in group.firing}
            group.release = {name: at for name, at in group.release.items() if name in group.firing}
            if (incident := group.incident) is None or not group.open:
                continue
            stands = self._suppressed(group)
            if stands != incident.stands:
                incident.stands = stands
                self._touch(group)
                if not stands and not incident.ack:  # who knows of it hears that it is let go
                    for place in list(incident.rung):
                        self._ring(incident, place, "")
            free = [self._rank(alert) for name, alert in group.firing.items() if name not in group.held]
            rank = min(free, default=99)
            if rank < incident.rank:
                was, incident.rank = incident.rank, rank
                if was < 99:
                    self._worse(group, incident)
                    self._touch(group)

    def _judge(self, group: Group, name: str) -> None:
        silenced = any(name in one.names and one.start <= self.now < one.end for one in self._silences)
        fire = {other for each in self._groups.values() for other in each.firing}
        inhibited = any(target == name and source in fire for source, target in self.house.inhibits)
        was = group.held.pop(name, "")
        if was == "inhibition" and not inhibited:
            group.release[name] = self.now + RELEASE
        if inhibited or silenced:
            group.release.pop(name, None)
            group.held[name] = "silence" if silenced else "inhibition"
        elif group.release.get(name, 0) > self.now:
            group.held[name] = "release"
        elif was and group.incident:
            group.release.pop(name, None)
            group.incident.joined = self.now
            self._news(group)

    def _suppressed(self, group: Group) -> bool:
        quiet = any(start <= self.now < end for start, end in self._quiet_spans())
        return bool(group.firing) and (quiet or set(group.firing) <= set(group.held))

    def _quiet_spans(self) -> Spans:
        return self.house.quiet

    def _rank(self, alert: Alert) -> int:
        return self.house.severities.index(alert.severity)

    def _worse(self, group: Group, incident: Incident) -> None:
        """The severity has risen: who acknowledged has not seen that."""
        if incident.ack and self.house.policies[incident.policy].keep_ack:
            for place in list(incident.rung):
                self._ring(incident, place, "")
            if incident.ack.by in self.house.users:
                self._tell(incident, [("user", incident.ack.by)], "resolved", "")
        else:
            incident.ack = None
            self._again(incident, self.now)

    # --- what is due -----------------------------------------------------------------------------------

    def _due(self, group: Group) -> list[Due]:
        if group.pending < NEVER:
            return [(group.pending, 0, "trigger", 0, 0)]
        incident = group.incident
        if incident is None:
            return []
        due: list[Due] = [(until, 0, "dismissed", 0, 0) for until, _ in group.dismissed.values()]
        if incident.ended_at:
            return due
        due += [(incident.look, 1, "tick", 0, 0)]
        if ack := incident.ack:
            due += [(ack.until, 2, "ack_end", 0, 0)]
            reminder = self._last(incident).reminder
            if reminder and not ack.reminded and ack.until - reminder > ack.at:
                due += [(ack.until - reminder, 3, "reminder", 0, 0)]
        if not incident.stands:
            for which, clock in enumerate(incident.clocks):
                due += [(at, 4, "step", which, i) for i, at in self._plan(clock).items()]
                if not incident.ack and (at := self._repeats(clock)) < NEVER:
                    due += [(at, 5, "round", which, 0)]
                due += [(clock.vain_at, 7, "vain", which, 0)]
            due += [(later.at, 6, "later", i, 0) for i, later in enumerate(incident.later)]
        return [one for one in due if one[0] < NEVER]

    def _plan(self, clock: Clock) -> dict[int, int]:
        """When each step that is still to come does."""
        plan = {}
        for i, step in enumerate(self._policy(clock).steps):
            if i in clock.done and i not in clock.waits:
                continue
            origin = clock.t0 if step.unless == "acknowledged" else clock.t_open
            plan[i] = self._opening(step, clock.waits.get(i, origin + step.after))
        return plan

    def _opening(self, step: Step, at: int) -> int:
        """When a step comes that is due then. One that is held for ever is not held."""
        if step.outside == "pass":
            return at
        return min((max(at, start) for start, end in step.during if max(at, start) < end), default=at)

    def _repeats(self, clock: Clock) -> int:
        policy = self._policy(clock)
        mine = [i for i, step in enumerate(policy.steps) if step.unless == "acknowledged"]
        if clock.round >= policy.repeat or not set(mine) <= clock.done or not mine:
            return NEVER
        last = max(self._opening(policy.steps[i], clock.t0 + policy.steps[i].after) for i in mine)
        return last + policy.repeat_after

    def _due_trigger(self, group: Group, _at: int, _which: int, _step: int) -> None:
        group.pending = NEVER
        if not group.firing:
            return
        incident = Incident(
            len(self._incidents) + 1,
            min((self._rank(a) for n, a in group.firing.items() if n not in group.held), default=99),
            [Clock(self.house.route, self.now, self.now)],
            self.now + self.house.group_interval,
            policy=self.house.route,
        )
        group.incident = incident
        self._incidents.append((group, incident))

    def _due_tick(self, group: Group, _at: int, _which: int, _step: int) -> None:
        incident = self._of(group)
        incident.tick = self._tick_after(incident)
        incident.look, group.unseen = NEVER, set()
        policy = self.house.policies[incident.policy]
        if policy.ring_on_new and not incident.ack and not incident.stands:
            for place, (heard, _) in list(incident.rung.items()):
                if heard < incident.joined:
                    self._ring(incident, place, "")

    def _tick_after(self, incident: Incident) -> int:
        late = max(0, self.now - incident.tick) // self.house.group_interval
        return (
            incident.tick
            if incident.tick > self.now
            else incident.tick + (late + 1) * self.house.group_interval
        )

    def _news(self, group: Group) -> None:
        """An alert has begun, ended, or is held or free now: that is looked at at the next tick."""
        if group.open:
            incident = self._of(group)
            incident.look = min(incident.look, self._tick_after(incident))

    def _touch(self, group: Group) -> None:
        """Something else has happened: what is to be seen is seen, if the last look is long ago."""
        if group.open and group.firing and self.now >= self._of(group).tick:
            self._due_tick(group, self.now, 0, 0)

    def _due_ack_end(self, group: Group, at: int, _which: int, _step: int) -> None:
        incident = self._of(group)
        incident.ack = None
        self._again(incident, self.now if incident.stands else at)

    def _due_reminder(self, group: Group, _at: int, _which: int, _step: int) -> None:
        incident = self._of(group)
        assert incident.ack
        incident.ack = incident.ack._replace(reminded=True)
        if not incident.stands:
            for place, _ in self.house.users.get(incident.ack.by, ()):
                self._ring(incident, place, "")

    def _due_dismissed(self, group: Group, _at: int, _which: int, _step: int) -> None:
        """They still fire: that opens it again, or they join what has been opened since, at a tick."""
        alerts = [alert for until, alert in group.dismissed.values() if until <= self.now]
        if group.open and not group.joining:
            look, group.joining = self._tick_after(self._of(group)), True
            group.dismissed |= {alert.name: (look, alert) for alert in alerts}
            return
        group.joining = False
        group.firing |= {alert.name: alert for alert in alerts}
        group.dismissed = {n: one for n, one in group.dismissed.items() if n not in group.firing}
        if not group.open:
            self._reopen(group, keep=False)

    def _due_round(self, group: Group, at: int, which: int, _step: int) -> None:
        incident = self._of(group)
        clock = incident.clocks[which]
        clock.round += 1
        self._restart(clock, at)

    def _due_vain(self, group: Group, _at: int, which: int, _step: int) -> None:
        incident = self._of(group)
        incident.clocks[which].vain_at = NEVER
        self._bring_forward(group, incident, incident.clocks[which])

    def _due_later(self, group: Group, at: int, which: int, _step: int) -> None:
        incident = self._of(group)
        later = incident.later.pop(which)
        self._lateness(incident, at)
        self._ring(incident, later.place, later.policy)

    def _due_step(self, group: Group, at: int, which: int, i: int) -> None:
        incident = self._of(group)
        clock = incident.clocks[which]
        step = self._policy(clock).steps[i]
        self._lateness(incident, at)
        said_again = i in clock.waits
        clock.waits.pop(i, None)
        clock.done.add(i)
        if incident.ack and step.unless == "acknowledged":
            return
        if at >= self._asleep_from and self.now - at > LATE:
            at = self.now
        if self._applies(group, step):
            self._carry_out(group, incident, clock, i, at, said_again=said_again)
        elif step.every and said_again:
            clock.waits[i] = at + step.every

    def _applies(self, group: Group, step: Step) -> bool:
        """Whether it is for this incident, and for this time."""
        passed = step.outside == "pass" and self._outside(step)
        return not passed and (not step.when or group.name in step.when)

    def _outside(self, step: Step) -> bool:
        return bool(step.during) and not any(start <= self.now < end for start, end in step.during)

    def _lateness(self, incident: Incident, at: int) -> None:
        if at >= self._asleep_from and self.now - at > LATE:
            self._shift(incident, self.now - at)

    # --- steps -----------------------------------------------------------------------------------------

    def _carry_out(
        self, group: Group, incident: Incident, clock: Clock, i: int, at: int, *, said_again: bool = False
    ) -> None:
        policy = self._policy(clock)
        step = policy.steps[i]
        empty = [name for kind, name in step.notify if kind == "schedule" and not self._people(name)]
        targets = step.notify + (policy.fallback if empty and step.uncovered == "fallback" else ())
        covered = min((self._next_covered(name) for name in empty), default=NEVER)
        waits = step.uncovered == "wait" and covered < NEVER
        if waits:
            clock.waits[i] = covered
        if waits and len(empty) == len(targets):  # somebody may take over by an override
            clock.waits[i] = min(covered, self.now + MINUTE)
        tried = any(kind != "schedule" or self._people(name) for kind, name in targets)
        if step.every and (tried or said_again):
            clock.waits[i] = min(clock.waits.get(i, NEVER), at + step.every)
        clock.vain_at = NEVER
        if not self._tell(incident, targets, step.unless, clock.policy) and step.notify:
            if tried:
                clock.vain_at = self.now
            elif not waits:
                self._bring_forward(group, incident, clock)
        if step.policy:
            self._hand_over(group, incident, step)

    def _tell(self, incident: Incident, targets: Iterable[tuple[str, str]], unless: str, policy: str) -> bool:
        """Whether anybody could be told."""
        reached = False
        for kind, name in targets:
            if kind == "receiver":
                reached |= self._ring(incident, name, policy)
                continue
            for person in self._people(name) if kind == "schedule" else (name,):
                for place, delay in self.house.users[person]:
                    if delay:
                        incident.later.append(Later(self.now + delay, place, unless, policy))
                        reached = True
                    else:
                        reached |= self._ring(incident, place, policy)
        return reached

    def _bring_forward(self, group: Group, incident: Incident, clock: Clock) -> None:
        """The next step comes now, the others at their times. After the last, somebody must be told."""
        steps = self._policy(clock).steps
        if incident.ack:
            return
        for i, step in enumerate(steps):
            if i in clock.done or (step.outside == "hold" and self._outside(step)):
                continue
            clock.done.add(i)
            if self._applies(group, step):
                self._carry_out(group, incident, clock, i, self.now)
                return
        told = self._tell(incident, self._policy(clock).fallback, "acknowledged", clock.policy)
        if not told and all(at == -NEVER for at, _ in incident.rung.values()):  # nobody, since it is open
            self._ring(incident, self.house.root, clock.policy)

    def _hand_over(self, group: Group, incident: Incident, step: Step) -> None:
        if step.policy not in [clock.policy for clock in incident.clocks]:
            incident.clocks.append(Clock(step.policy, self.now, self.now))
            timeout = self._last(incident).ack_timeout
            if incident.ack and incident.ack.until == NEVER and timeout:
                incident.ack = incident.ack._replace(until=self.now + timeout)
        rank = self.house.severities.index(step.severity) if step.severity else 99
        if rank < incident.rank:
            incident.rank = rank
            if incident.ack:
                self._worse(group, incident)

    def _ring(self, incident: Incident, place: str, policy: str) -> bool:
        """Whether it was heard there, now or a moment ago."""
        at, by = incident.rung.get(place, (-NEVER, ""))
        if at == self.now or (self.now - at < MINUTE and by != policy and by and policy):
            return True
        if place in self.house.refuses:
            return False
        incident.rung[place] = (self.now, policy)
        self.told.append(Told(self.now, "ring", place, incident.number))
        return True

    def _restart(self, clock: Clock, at: int) -> None:
        clock.t0 = at
        steps = self._policy(clock).steps
        mine = {i for i, step in enumerate(steps) if step.unless == "acknowledged"}
        clock.done -= mine
        clock.waits = {i: at for i, at in clock.waits.items() if i not in mine}

    def _again(self, incident: Incident, at: int) -> None:
        """The policy handed to last begins again; what others were kept from meanwhile is past."""
        *others, last = incident.clocks
        for clock in others:
            self._past_is_done(clock)
            if self._repeats(clock) <= self.now:
                clock.round = self._policy(clock).repeat
        last.round = 0
        self._restart(last, at)
        incident.later = [later for later in incident.later if later.unless == "resolved"]

    def _shift(self, incident: Incident, by: int) -> None:
        for clock in incident.clocks:
            clock.t0 += by
            clock.t_open += by
            clock.waits = {i: at + by for i, at in clock.waits.items()}
        incident.later = [later._replace(at=later.at + by) for later in incident.later]

    # --- answers ---------------------------------------------------------------------------------------

    def _acknowledge(self, _group: Group, incident: Incident, by: str, until: int, _target: str) -> None:
        snoozes = bool(until)
        timeout = self._last(incident).ack_timeout
        until = until or (self.now + timeout if timeout else NEVER)
        if incident.ack and incident.ack.by == by and abs(until - incident.ack.until) < MINUTE:
            return  # pressed twice
        if incident.ack and incident.ack.by != by and not snoozes:
            return
        incident.ack = Ack(by, self.now, until)
        incident.later = [later for later in incident.later if later.unless == "resolved"]

    def _unacknowledge(self, _group: Group, incident: Incident, _by: str, _until: int, _target: str) -> None:
        if incident.ack:
            incident.ack = None
            self._again(incident, self.now)

    def _resolve(self, group: Group, incident: Incident, _by: str, _until: int, _target: str) -> None:
        until = self.now + self.house.dismissed_for
        group.dismissed |= {name: (until, alert) for name, alert in group.firing.items()}
        group.firing, incident.by_hand = {}, True
        self._end(group, incident)

    def _escalate(self, group: Group, incident: Incident, _by: str, _until: int, _target: str) -> None:
        """The next step of the newest policy comes now, in any case; the others keep their distance."""
        clock = incident.clocks[-1]
        plan = {i: at for i, at in self._plan(clock).items() if i not in clock.waits}
        if not plan or self.now - incident.escalated_at < A_MOMENT:
            return
        incident.escalated_at = self.now
        i = min(plan)
        step = self._policy(clock).steps[i]
        early = max(0, plan[i] - self.now)
        if any(later.unless == "acknowledged" for later in self._policy(clock).steps[i:]):
            clock.t0 -= early
        if step.unless == "resolved":
            clock.t_open -= early
        clock.done.add(i)
        if self._applies(group, step):
            self._carry_out(group, incident, clock, i, self.now)

    def _reassign(self, _group: Group, incident: Incident, _by: str, _until: int, target: str) -> None:
        incident.ack = None
        kind, name = target.split(":")
        if kind == "policy":
            incident.policy, incident.later = name, []
            incident.clocks = [Clock(name, self.now, self.now)]
            return
        self._again(incident, self.now)
        if self._tell(incident, [(kind, name)], "acknowledged", incident.policy):
            incident.clocks[-1].done.add(0)

    def _responder(self, _group: Group, incident: Incident, _by: str, _until: int, target: str) -> None:
        kind, name = target.split(":")
        self._tell(incident, [(kind, name)], "resolved", "")

    # --- the end and after it --------------------------------------------------------------------------

    def _end(self, _group: Group, incident: Incident) -> None:
        incident.ended_at = self.now
        for place in incident.rung:
            self.told.append(Told(self.now, "end", place, incident.number))
        incident.later = []

    def _reopen(self, group: Group, *, keep: bool) -> None:
        """The same incident, from its beginning."""
        incident = self._of(group)
        incident.ended_at, incident.by_hand, incident.joined = 0, False, self.now
        shown = [place for place in incident.rung if not place.endswith("email")]  # a mail cannot be changed
        incident.rung = dict.fromkeys(shown, (-NEVER, ""))
        incident.tick = self.now + self.house.group_interval
        incident.clocks = [Clock(incident.policy, self.now, self.now)]
        if not keep or (incident.ack and incident.ack.until <= self.now):
            incident.ack = None

    # --- small questions -------------------------------------------------------------------------------

    def _of(self, group: Group) -> Incident:
        assert group.incident
        return group.incident

    def _policy(self, clock: Clock) -> Policy:
        return self.house.policies[clock.policy]

    def _last(self, incident: Incident) -> Policy:
        return self._policy(incident.clocks[-1])

    def _people(self, schedule: str) -> tuple[str, ...]:
        return tuple(
            person
            for start, end, people in self.house.on_call[schedule]
            if start <= self.now < end
            for person in people
        )

    def _next_covered(self, schedule: str) -> int:
        return min((start for start, _, _ in self.house.on_call[schedule] if start > self.now), default=NEVER)

    def _past_is_done(self, clock: Clock) -> None:
        for i, step in enumerate(self._policy(clock).steps):
            origin = clock.t0 if step.unless == "acknowledged" else clock.t_open
            if self._opening(step, origin + step.after) <= self.now:
                clock.done.add(i)
