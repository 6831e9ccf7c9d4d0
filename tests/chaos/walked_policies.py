"""Escalation walked plainly: what docs/escalation.md says of a policy, an incident and its answers.

Where it cannot be known what came first (a step was due while whoever worked on it died, and somebody
answered), both courses are walked: `Walker.courses` gives all that are possible, and a judge asks whether
what was heard fits one of them. Nothing of the project is imported. All times are milliseconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plain_policies import Clock, Course, Moment, Ring, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plain_policies import Answer, Lateness, Policy, Step, Story

TICK = 1_000.0  # the interval of the groups (random_policies.py)
TOLERATED = 10_000.0  # a step that is later than this moves all that follow
TOGETHER = 60_000.0  # who is told by two policies within this time is rung once
A_MOMENT = 30_000.0  # who escalates this soon after somebody did wants the same step
SAME = 60_000.0  # an acknowledgement by the same person that ends so much later is the same one
MOST_STATES = 1_500  # in which one story can have been: with more, nothing can be said of it
ACK_ENDS, STEP, AGAIN, ROUND = 0, 2, 3, 5


class Walker:
    """Walks the courses of stories under some policies."""

    def __init__(self, policies: Mapping[str, Policy], lateness: Lateness) -> None:
        self.policies = policies
        self.lateness = lateness

    def courses(self, story: Story) -> Iterator[Course]:
        """All courses that are possible. Raises OverflowError where these are too many to say anything."""
        todo = [(Course((Clock(story.policy, story.fired, story.fired),)), 0)]
        met: set[tuple[Course, int]] = set()
        while todo:
            course, said = todo.pop()
            if (course, said) in met:
                continue
            met.add((course, said))
            if len(met) > MOST_STATES:
                raise OverflowError(f"{story.name}: more than {MOST_STATES} states")
            if course.over is not None:
                yield course
                continue
            answer, coming = story.answers[said], self._next(course)
            for moment in coming:
                if self.lateness.decided(moment.at).lo <= answer.at.hi:
                    todo += [(one, said) for one in self._carried_out(course, moment)]
            if all(answer.at.lo <= self.lateness.decided(moment.at).hi for moment in coming):
                todo += [(one, said + 1) for one in self._answered(course, answer)]

    # --- what is to come --------------------------------------------------------------------------------

    def _next(self, course: Course) -> list[Moment]:
        """What comes next; two where it cannot be known whether an acknowledgement ends before the other."""
        steps: list[Moment] = []
        for number, clock in enumerate(course.clocks):
            steps += self._of_clock(number, clock, free=not course.by)
        ends = [Moment(course.until, ACK_ENDS, 0, 0)] if course.by and course.until else []
        firsts = sorted(
            (min(one, key=lambda moment: (moment.at.lo, *moment[1:])) for one in (steps, ends) if one),
            key=lambda moment: (moment.at.lo, *moment[1:]),
        )
        unsure = any(moment.at.lo < moment.at.hi for moment in firsts)
        both = len(firsts) > 1 and unsure and firsts[1].at.lo <= firsts[0].at.hi
        return firsts if both else firsts[:1]

    def _of_clock(self, number: int, clock: Clock, *, free: bool) -> Iterator[Moment]:
        policy = self.policies[clock.policy]
        asked = {n for n, step in enumerate(policy.steps) if step.unless == "acknowledged"}
        counts = set(range(len(policy.steps))) if free else set(range(len(policy.steps))) - asked
        for n in counts - clock.done:
            origin = clock.t0 if n in asked else clock.t_open
            yield Moment(origin.later(policy.steps[n].after), STEP, number, n)
        for n, at in clock.again:
            if n in counts:
                yield Moment(at, AGAIN, number, n)
        if free and asked and asked <= clock.done and clock.round < policy.repeat:
            last = max(policy.steps[n].after for n in asked)
            yield Moment(clock.t0.later(last + policy.repeat_after), ROUND, number, 0)

    # --- what is due ------------------------------------------------------------------------------------

    def _carried_out(self, course: Course, moment: Moment) -> list[Course]:
        decided = self.lateness.decided(moment.at)
        least, most = decided.lo - moment.at.lo, decided.hi - moment.at.lo
        found = self._carried_out_in_time(course, moment)
        if moment.order == ACK_ENDS or most <= TOLERATED:
            return found
        todo, found = found, []
        while todo:  # what is due in the same moment comes with it
            one = todo.pop()
            coming = self._next(one)
            if coming and coming[0].at == moment.at:
                todo += self._carried_out_in_time(one, coming[0])
            else:  # nobody gets the first page and the last in the same second
                found.append(_moved(one, least if least > TOLERATED else 0.0, most))
        return found

    def _carried_out_in_time(self, course: Course, moment: Moment) -> list[Course]:
        if moment.order == ACK_ENDS:
            return [self._starts_again(course, moment.at)]
        clock = course.clocks[moment.clock]
        if moment.order == ROUND:
            once_more = replace(self._restarted(clock, moment.at), round=clock.round + 1)
            return [_with(course, moment.clock, once_more)]
        if moment.order == AGAIN:
            rest = tuple(one for one in clock.again if one != (moment.step, moment.at))
            return self._told(_with(course, moment.clock, replace(clock, again=rest)), moment)
        return self._step(course, moment)

    def _step(self, course: Course, moment: Moment, *, forced: bool = False) -> list[Course]:
        clock = course.clocks[moment.clock]
        step = self.policies[clock.policy].steps[moment.step]
        course = _with(course, moment.clock, replace(clock, done=clock.done | {moment.step}))
        found = self._told(course, moment, forced=forced) if step.tells else [course]
        return [self._handed_over(one, step, moment.at) if step.policy else one for one in found]

    def _told(self, course: Course, moment: Moment, *, forced: bool = False) -> list[Course]:
        clock = course.clocks[moment.clock]
        step = self.policies[clock.policy].steps[moment.step]
        if step.every:
            again = (*clock.again, (moment.step, moment.at.later(step.every)))
            course = _with(course, moment.clock, replace(clock, again=again))
        found = [course]
        for who in step.tells:
            unless = "resolved" if forced else step.unless
            found = [new for one in found for new in self._rung(one, who, moment.at, unless, clock.policy)]
        return found

    def _rung(self, course: Course, who: str, at: Span, unless: str, policy: str) -> list[Course]:
        """Rung, or not where another policy has rung them a moment ago, or perhaps."""
        before = next((one for one in course.last if one[0] == who), None)
        ring = Ring(who, at, self.lateness.heard(at), unless, policy)
        decided = self.lateness.decided(at)
        mine = (who, decided, policy, True)
        last = (*(one for one in course.last if one is not before), mine)
        rung = replace(course, rings=(*course.rings, ring), last=last)
        if before is None or before[2] == policy or at.lo - before[1].hi >= TOGETHER:
            return [rung]
        if at.hi - before[1].lo < TOGETHER and before[3]:
            return [course]
        return [rung, course]

    def _handed_over(self, course: Course, step: Step, at: Span) -> Course:
        if any(clock.policy == step.policy for clock in course.clocks):
            return course
        clocks, by, until = course.clocks, course.by, course.until
        if step.raises and not course.raised and by and not self.policies[clocks[0].policy].keep_ack:
            clocks, by, until = tuple(self._rested(clock, at) for clock in clocks), "", None
        timeout = self.policies[step.policy].ack_timeout
        if by and until is None and timeout:  # it applies from the hand-over on
            until = at.later(timeout)
        new = Clock(step.policy, at, at)
        return replace(course, clocks=(*clocks, new), by=by, until=until, raised=course.raised or step.raises)

    # --- how clocks begin again -------------------------------------------------------------------------

    def _starts_again(self, course: Course, at: Span) -> Course:
        *others, last = course.clocks
        clocks = (*(self._rested(clock, at) for clock in others), self._restarted(last, at))
        return replace(course, clocks=clocks, by="", until=None)

    def _restarted(self, clock: Clock, at: Span) -> Clock:
        steps = self.policies[clock.policy].steps
        stays = {n for n, step in enumerate(steps) if step.unless == "resolved"}
        again = tuple(one for one in clock.again if one[0] in stays)
        return replace(clock, t0=at, done=clock.done & stays, again=again, round=0)

    def _rested(self, clock: Clock, at: Span) -> Clock:
        """What it was kept from does not come back; what is still to come keeps its time."""
        policy = self.policies[clock.policy]
        asked = {n for n, step in enumerate(policy.steps) if step.unless == "acknowledged"}
        past = {n for n in asked if clock.t0.lo + policy.steps[n].after <= at.hi}
        again = tuple(one for one in clock.again if one[0] not in asked or one[1].lo > at.hi)
        rested = replace(clock, done=clock.done | past, again=again)
        rounds = [one for one in self._of_clock(0, rested, free=True) if one.order == ROUND]
        if any(one.at.lo <= at.hi for one in rounds):
            return replace(rested, round=policy.repeat)
        return rested

    # --- what is answered -------------------------------------------------------------------------------

    def _answered(self, course: Course, answer: Answer) -> list[Course]:
        """What follows from it; nothing where it was answered otherwise than this course would have it."""
        found = self._change(course, answer)
        differs = found != [course]
        if answer.changed is not None and answer.changed != differs:
            return []
        return [course, *found] if answer.lost else found

    def _change(self, course: Course, answer: Answer) -> list[Course]:
        match answer.verb:
            case "acknowledge" | "snooze":
                return [self._acknowledged(course, answer)]
            case "unacknowledge":
                return [self._starts_again(course, answer.at)] if course.by else [course]
            case "escalate":
                return self._escalated(course, answer)
            case "resolve":
                over = replace(course, over=answer.at)
                return [self._dropped(over, answer.at, answer.at.hi, ("acknowledged", "resolved"))]
            case "end":  # which is told at a tick; what is on its way to be told till then may be
                over = replace(course, over=answer.at)
                tick = self.lateness.decided(answer.at.later(TICK)).hi
                return [self._dropped(over, answer.at, tick, ("acknowledged", "resolved"))]

    def _acknowledged(self, course: Course, answer: Answer) -> Course:
        timeout = self.policies[course.clocks[-1].policy].ack_timeout
        lasts = answer.lasts or timeout
        until = answer.at.later(lasts) if lasts else None
        if course.by:
            if until is None or course.until is None:
                no_news = until is course.until
            else:
                no_news = abs(until.lo - course.until.lo) < SAME
            if not answer.lasts if course.by != answer.by else no_news:
                return course
        acked = replace(course, by=answer.by, until=until)
        return self._dropped(acked, answer.at, answer.at.hi, ("acknowledged",))

    def _dropped(self, course: Course, at: Span, last_at: float, what: tuple[str, ...]) -> Course:
        """Rings that may not have been heard by `at` need not be, and after `last_at` may not be."""
        rings, unsure = [], set()
        for ring in course.rings:
            if ring.unless in what and ring.by_then >= at.lo and ring.dropped > last_at:
                ring = replace(ring, dropped=last_at, certain=False)  # noqa: PLW2901 - one pass
                unsure.add(ring.who)
            rings.append(ring)
        last = tuple((*one[:3], False) if one[0] in unsure else one for one in course.last)
        return replace(course, rings=tuple(rings), last=last)

    def _escalated(self, course: Course, answer: Answer) -> list[Course]:
        at, before = answer.at, course.escalated
        if before is None or at.lo - before.hi >= A_MOMENT:
            return self._next_step_now(course, at)
        if at.hi - before.lo < A_MOMENT or answer.changed is False:
            return [course]
        found = self._next_step_now(course, at)
        return found if answer.changed else [course, *found]

    def _next_step_now(self, course: Course, at: Span) -> list[Course]:
        number, clock = len(course.clocks) - 1, course.clocks[-1]
        steps = self.policies[clock.policy].steps
        position = next((n for n in range(len(steps)) if n not in clock.done), None)
        if position is None:
            return [course]
        of_end = steps[position].unless == "resolved"
        planned = (clock.t_open if of_end else clock.t0).later(steps[position].after)
        soonest, latest = max(0.0, planned.lo - at.hi), max(0.0, planned.hi - at.lo)
        early = Span(-latest, -soonest)
        exact = Span(at.lo - steps[position].after, at.hi - steps[position].after) if soonest else None
        if latest and of_end:
            clock = replace(clock, t_open=exact or clock.t_open.plus(early))
            if any(step.unless == "acknowledged" for step in steps[position:]):
                clock = replace(clock, t0=clock.t0.plus(early))
        elif latest:
            clock = replace(clock, t0=exact or clock.t0.plus(early))
        course = replace(_with(course, number, clock), escalated=at)
        return self._step(course, Moment(at, STEP, number, position), forced=True)


def _with(course: Course, number: int, clock: Clock) -> Course:
    clocks = list(course.clocks)
    clocks[number] = clock
    return replace(course, clocks=tuple(clocks))


def _moved(course: Course, least: float, most: float) -> Course:
    clocks = tuple(
        replace(
            clock,
            t0=clock.t0.later(least, most),
            t_open=clock.t_open.later(least, most),
            again=tuple((step, at.later(least, most)) for step, at in clock.again),
        )
        for clock in course.clocks
    )
    return replace(course, clocks=clocks)
