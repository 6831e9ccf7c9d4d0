"""`decide` is total: every event in every state, with policies, answers, holds, reloads and dead deliveries.

A world of one group stands in for the store: it keeps what a decision orders, as commit.lua does.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from book import Book
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from routing.clocks import moments
from routing.decisions import Decision
from routing.events import (
    Acknowledged,
    Adopted,
    Due,
    Escalated,
    Event,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.incident import decide
from routing.incident_records import Group, Incident, Status, Told, from_record, to_record
from routing.policies import Policy, Step, Target
from routing.recorded import Recorded, from_json, to_json
from routing.recorded import decided as recorded
from routing.transitions import TRANSITIONS

MIN = 60_000
T = 1_700_000_000_000
PLACES = ["receiver: a", "receiver: b", "receiver: c"]
targets = st.sampled_from([Target("receiver", name) for name in "abc"] + [Target("schedule", "duty")])
steps = st.builds(
    Step,
    notify=st.lists(targets, max_size=2).map(tuple),
    after=st.integers(0, 20).map(lambda minutes: minutes * MIN),
    unless=st.sampled_from(["acknowledged", "resolved"]),
    policy=st.sampled_from(["", "", "", "other"]),
    severity=st.sampled_from(["", "critical"]),
    every=st.sampled_from([0, 0, 7 * MIN]),
    uncovered=st.sampled_from(["next", "wait", "fallback"]),
)


def policies(name: str) -> st.SearchStrategy[Policy]:
    return st.builds(
        Policy,
        name=st.just(name),
        steps=st.lists(steps, min_size=1, max_size=4).map(tuple),
        ack_timeout=st.sampled_from([0, 15 * MIN]),
        ack_reminder=st.sampled_from([0, 5 * MIN]),
        repeat=st.integers(0, 2),
        repeat_after=st.just(5 * MIN),
        ring_on_new_alert=st.booleans(),
        keep_ack=st.booleans(),
        keep_ack_on_reopen=st.booleans(),
    )


answers = st.one_of(
    st.builds(Acknowledged, by=st.sampled_from(["dana", "sam"]), via=st.just("test")),
    st.builds(Unacknowledged, by=st.just("dana"), via=st.just("test")),
    st.builds(Resolved, by=st.just("dana"), via=st.just("test")),
    st.builds(Escalated, by=st.just("dana"), via=st.just("test")),
    st.builds(Reassigned, by=st.just("dana"), via=st.just("test"), target=targets),
    st.builds(Reassigned, by=st.just("dana"), via=st.just("test"), policy=st.just("other")),
    st.builds(ResponderAdded, by=st.just("dana"), via=st.just("test"), target=targets),
    st.builds(Noted, by=st.just("dana"), via=st.just("test"), text=st.just("so it is")),
)


class OneGroup(RuleBasedStateMachine):
    """A group, its incident and its deliveries, as the store would keep them."""

    @initialize(page=policies("page"), other=policies("other"), plain=st.booleans(), on_call=st.booleans())
    def begins(self, page: Policy, other: Policy, plain: bool, on_call: bool) -> None:  # noqa: FBT001 - drawn
        self.book = Book({"page": page, "other": other}, on_call={"duty": "dana"} if on_call else {})
        self.now, self.told, self.deadline = T, {}, T
        self.firing, self.held, self.ended = {1}, set(), {}
        self.seq, self.rank = 1, 2
        receiver = "receiver: a" if plain else "policy:page"
        self.incident = Incident(
            number=0, status=Status.PENDING, route="{}", receiver=receiver, labels={}, group_interval=5 * MIN,
            repeat_interval=60 * MIN, opened_at=T, opened_rev=0, tick=T, policy="" if plain else "page",
        )  # fmt: skip
        self.decision = Decision(self.incident)

    def group(self, *, resumed: bool = True) -> Group:
        return Group(
            self.seq, len(self.firing), len(self.ended), max(self.firing, default=0),
            max(self.ended.values(), default=0), self.rank, held=len(self.held), resumed=resumed,
        )  # fmt: skip

    def happens(self, event: Event, *, resumed: bool = True) -> None:
        before = self.incident
        told = tuple(self.told.values())
        group = self.group(resumed=resumed)
        decision = self.decision = decide(before, event, self.now, group, told, book=self.book)
        record = Recorded(self.now, event, before, group, told, "plan", recorded(decision))
        assert from_json(json.loads(json.dumps(to_json(record)))) == record
        if decision.incident is None:
            assert before.status is Status.PENDING
            self.deadline, self.ended = None, {}
            return
        after = self.incident = replace(decision.incident, number=decision.incident.number or 7)
        statuses = {(was, becomes) for (was, _), becomes in TRANSITIONS.items()}
        via = {(a, c) for a, b in statuses for d, c in statuses if b == d}  # two changes in one decision
        assert before.status == after.status or (before.status, after.status) in statuses | via
        self.deadline = decision.deadline
        self.write(decision)

    def write(self, decision: Decision) -> None:
        if decision.quiet:
            for one in self.told.values():
                if not any(order.id == one.id and order.rings for order in decision.orders):
                    self.told[one.id] = replace(one, ring_sent=one.ring_wanted)
        for order in decision.orders:
            known = self.told[order.id]
            rings = known.ring_wanted + order.rings
            self.told[order.id] = replace(known, wanted=order.wanted, ring_wanted=rings, state="open")
        for number, ring in enumerate(decision.rings, len(self.told)):
            did = f"7.{number}"
            self.told[did] = Told(
                did, ends=True, edits=True, wanted=ring.wanted, ring_wanted=1, place=ring.place
            )
        if decision.dismiss:
            self.seq += 1
            self.ended |= dict.fromkeys([*self.firing, *self.held], self.seq)
            self.firing, self.held = set(), set()
        elif decision.shows:
            self.seq += 1
        self.ended = {one: rev for one, rev in self.ended.items() if rev > decision.leave}

    @rule(
        minutes=st.integers(0, 30),
        quiet=st.sampled_from(["", "", "nights"]),
        late=st.sampled_from([0, 0, 999_000]),
    )
    def time_passes(self, minutes: int, quiet: str, late: int) -> None:
        end = self.now + minutes * MIN
        for _ in range(200):
            if self.deadline is None or self.deadline > end:
                break
            self.now = max(self.now, self.deadline)
            self.happens(Due(quiet, None, late))
        else:
            raise AssertionError("its deadlines do not move on")
        self.now = end

    @rule(answer=answers)
    def somebody_answers(self, answer: Event) -> None:
        self.happens(answer)

    @rule()
    def all_is_sent(self) -> None:
        for one in self.told.values():
            if one.open:
                self.told[one.id] = replace(
                    one, sent=one.wanted, ring_sent=one.ring_wanted, rung=one.wanted, sent_at=self.now
                )

    @rule(place=st.sampled_from(PLACES))
    def one_refuses_for_good(self, place: str) -> None:
        for one in self.told.values():
            if one.place == place and one.open:
                self.told[one.id] = replace(one, state="dead")
                self.deadline = self.now if self.incident.policy else self.deadline

    @rule(rank=st.integers(0, 3), anew=st.booleans())
    def an_alert_fires(self, rank: int, anew: bool) -> None:  # noqa: FBT001 - drawn
        self.seq += 1
        self.firing.add(self.seq)
        self.rank = min(rank, self.rank)
        over = self.incident.status is Status.RESOLVED
        if over:
            self.happens(Due(), resumed=not anew)
        self.deadline = self.now

    @precondition(lambda self: self.firing or self.held)
    @rule()
    def all_end(self) -> None:
        self.seq += 1
        self.ended |= dict.fromkeys([*self.firing, *self.held], self.seq)
        self.firing, self.held = set(), set()
        self.deadline = self.now

    @precondition(lambda self: self.firing)
    @rule()
    def all_are_held(self) -> None:
        self.seq += 1
        self.firing, self.held = set(), self.held | self.firing
        self.deadline = self.now

    @precondition(lambda self: self.held)
    @rule()
    def nothing_is_held(self) -> None:
        self.seq += 1
        self.firing, self.held = self.firing | {self.seq}, set()
        self.deadline = self.now

    @rule(page=policies("page"))
    def the_policy_changes(self, page: Policy) -> None:
        self.book = replace(self.book, policies={**self.book.policies, "page": page})
        self.deadline = self.now

    @precondition(lambda self: self.incident.number)
    @rule(policy=st.sampled_from(["", "page", "other"]))
    def the_route_changes(self, policy: str) -> None:
        receiver = f"policy:{policy}" if policy else "receiver: b"
        self.happens(Adopted("{}/new", receiver, policy, "", 5 * MIN, 60 * MIN))

    @invariant()
    def its_record_is_read_as_it_was_written(self) -> None:
        if hasattr(self, "incident"):
            record: dict[str, Any] = json.loads(json.dumps(to_record(self.incident)))
            assert from_record(record) == self.incident

    @invariant()
    def what_is_to_come_has_a_deadline(self) -> None:
        if not hasattr(self, "incident") or not self.incident.open:
            return
        coming = moments(self.incident, self.book)
        if coming and self.deadline != self.now:
            assert self.deadline is not None
            assert self.deadline <= max(coming[0].at, self.now)

    @invariant()
    def nobody_is_rung_for_what_somebody_has_in_hand(self) -> None:
        if not hasattr(self, "incident") or self.incident.status is not Status.ACKNOWLEDGED:
            return
        rung = [order for order in self.decision.orders if order.rings] + list(self.decision.rings)
        assert all(one.unless == "resolved" for one in rung)

    @invariant()
    def clocks_stand_exactly_while_it_is_suppressed(self) -> None:
        if hasattr(self, "incident") and self.incident.open and self.deadline != self.now:
            assert bool(self.incident.stood_at) == self.incident.suppressed or not self.incident.policy


TestOneGroup = OneGroup.TestCase
TestOneGroup.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
