"""What one group of alerts means for people: `decide` as tables, and what holds of every decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from book import Book
from hypothesis import given
from hypothesis import strategies as st

from routing.decisions import ENDED, FIRST, GROWN, PARTLY, REPEATED, Decision, Order
from routing.events import Due, Event
from routing.incident import decide
from routing.incident_records import Ack, Clock, Group, Incident, Status, Told, from_record, to_record

S, MIN, HOUR = 1_000, 60_000, 3_600_000
T = 1_700_000_000_000
PENDING = Incident(
    number=0,
    status=Status.PENDING,
    route="{}",
    receiver="hook",
    labels={},
    group_interval=5 * MIN,
    repeat_interval=4 * HOUR,
    opened_at=T - 30 * S,
    opened_rev=0,
    tick=T,
)
OPEN = replace(
    PENDING, number=7, status=Status.TRIGGERED, triggered_at=T - 5 * MIN, considered=3, firing=2, rank=2
)
OVER = replace(OPEN, status=Status.RESOLVED, resolved_at=T - 5 * MIN, closed_rev=3, firing=0)


def group(
    seq: int, firing: int, ended: int = 0, *, fired_rev: int = 1, ended_rev: int = 0, rank: int = 2
) -> Group:
    return Group(seq, firing, ended, fired_rev if firing else 0, ended_rev if ended else 0, rank)


def told(rev: int, ago: int = 5 * MIN, **other: object) -> Told:
    """It has shown, and rung for, revision `rev`, `ago` ms ago."""
    levels = {"wanted": rev, "sent": rev, "ring_wanted": 1, "ring_sent": 1, "rung": rev, "sent_at": T - ago}
    return Told("7.0", **{"ends": True, **levels, **other})  # type: ignore[arg-type]  # levels are integers


WAITING = Told("7.0", ends=True, wanted=3, ring_wanted=1)  # its first ring has not gone out yet


def decided(incident: Incident, event: Event, now: int, group: Group, told: tuple[Told, ...]) -> Decision:
    return decide(incident, event, now, group, told, book=Book())


def rung(decision: Decision) -> list[str]:
    """Why those are rung who have no delivery yet."""
    return [ring.reason for ring in decision.rings]


def kinds(decision: Decision) -> list[str]:
    return [line.kind for line in decision.lines]


# --- the group's wait is over


def test_who_fires_when_the_wait_is_over_is_told_of() -> None:
    decision = decided(PENDING, Due(), T, group(2, 2, rank=1), ())
    assert decision.incident
    assert (decision.incident.status, decision.incident.triggered_at) == (Status.TRIGGERED, T)
    assert (rung(decision), decision.orders, kinds(decision)) == ([FIRST], (), ["triggered"])
    assert (decision.incident.rank, decision.incident.firing) == (1, 2)


def test_its_next_ticks_are_planned_from_its_first() -> None:
    decision = decided(PENDING, Due(), T, group(1, 1), ())
    assert decision.incident
    assert decision.incident.tick == T + 5 * MIN
    assert decision.deadline == T + 4 * HOUR + 5 * MIN  # a repeat; news will bring it forward


def test_who_ended_before_is_told_to_nobody() -> None:
    decision = decided(PENDING, Due(), T, group(2, 0, 1, ended_rev=2), ())
    assert (decision.incident, decision.rings, decision.leave, kinds(decision)) == (
        None,
        (),
        2,
        ["closed"],
    )


# --- a tick: Alertmanager's decision, for one delivery

RING, UPDATE = 1, 0
TICKS = {
    # name: (the group, the delivery, (reason, rings) or None)
    "nothing new": (group(3, 2, fired_rev=2), told(3), None),
    "one more fires": (group(4, 3, fired_rev=4), told(3), (GROWN, RING)),
    "one fires, another ended": (group(5, 2, 1, fired_rev=4, ended_rev=5), told(3), (GROWN, RING)),
    "one ended": (group(4, 1, 1, ended_rev=4), told(3), (PARTLY, UPDATE)),
    "one ended, and it cannot be shown": (group(4, 1, 1, ended_rev=4), told(3, ends=False), None),
    "one ended, and no mail is worth that": (group(4, 1, 1, ended_rev=4), told(3, updates=False), None),
    "one ended, which was shown already": (group(4, 1, 1, ended_rev=4), told(3, sent=4), None),
    "one fires, which an update has shown": (group(4, 3, fired_rev=4), told(3, sent=4), (GROWN, RING)),
    "the repeat interval is over": (group(3, 2), told(3, ago=4 * HOUR + 1), (REPEATED, RING)),
    "the repeat interval is just not over": (group(3, 2), told(3, ago=4 * HOUR), None),
    "a repeat is due and one ended": (group(4, 1, 1, ended_rev=4), told(3, ago=5 * HOUR), (PARTLY, UPDATE)),
    "a repeat of a mail is due and one ended": (
        group(4, 1, 1, ended_rev=4), told(3, ago=5 * HOUR, updates=False), (REPEATED, RING)),
    "its first ring still waits": (group(3, 2, fired_rev=3), WAITING, None),
    "its first ring still waits, and one more fires": (group(4, 3, fired_rev=4), WAITING, (GROWN, RING)),
    "its first ring still waits, long since": (group(3, 2), replace(WAITING, sent_at=0), None),
    "it is dead": (group(4, 3, fired_rev=4), told(3, state="dead"), None),
}  # fmt: skip


@pytest.mark.parametrize(("of", "delivery", "expected"), TICKS.values(), ids=list(TICKS))
def test_what_a_tick_makes_of(of: Group, delivery: Told, expected: tuple[str, int] | None) -> None:
    decision = decided(OPEN, Due(), T, of, (delivery,))
    orders = [(order.reason, order.rings) for order in decision.orders]
    assert orders == ([expected] if expected else [])
    assert all(order.wanted == of.seq and order.final == 0 for order in decision.orders)


@pytest.mark.parametrize(
    ("of", "delivery", "deadline"),
    [
        (group(3, 2), told(3), T + 4 * HOUR),  # the first tick later than 4 h after the last message
        (group(3, 2), told(3, ago=4 * HOUR), T + 5 * MIN),
        (group(4, 3, fired_rev=4), told(3), T + 4 * HOUR),
        (group(3, 2), told(3, state="dead"), T + 4 * HOUR + 5 * MIN),
    ],
)
def test_when_it_needs_attention_next(of: Group, delivery: Told, deadline: int) -> None:
    assert decided(OPEN, Due(), T, of, (delivery,)).deadline == deadline


@pytest.mark.parametrize("late", [1, 4 * MIN, 5 * MIN, 17 * MIN])
def test_a_late_tick_does_not_move_those_to_come(late: int) -> None:
    decision = decided(OPEN, Due(), T + late, group(4, 3, fired_rev=4), (told(3),))
    assert decision.incident
    assert (decision.incident.tick - T) % (5 * MIN) == 0
    assert decision.incident.tick > T + late


def test_before_its_tick_nothing_is_told() -> None:
    decision = decided(OPEN, Due(), T - 1, group(4, 3, fired_rev=4), (told(3),))
    assert (decision.orders, decision.deadline, decision.incident) == ((), T, OPEN)


@pytest.mark.parametrize(
    ("deliveries", "leave"),
    [
        ((told(3),), 3),
        ((told(3), told(2)), 2),
        ((told(3), told(2, state="dead")), 3),  # nobody waits for the dead
        ((told(3), told(2, state="done")), 3),
        ((told(3), told(1, ends=False)), 3),  # an end is not shown there anyway
        ((told(1, ends=False),), 4),
        ((WAITING,), 0),
        ((), 4),
    ],
)
def test_ended_alerts_stay_until_all_who_show_ends_have_shown_them(
    deliveries: tuple[Told, ...], leave: int
) -> None:
    assert decided(OPEN, Due(), T, group(4, 1, 1, ended_rev=4), deliveries).leave == leave


# --- the end, and after it


def test_when_nobody_fires_any_more_whoever_was_told_is_told_the_end() -> None:
    deliveries = (told(3), replace(told(3, ends=False), id="7.1"), replace(told(3, state="dead"), id="7.2"))
    decision = decided(OPEN, Due(), T, group(5, 0, 2, ended_rev=5), deliveries)
    assert decision.orders == (Order("7.0", 5, 0, ENDED, final=5), Order("7.1", 5, 0, ENDED, final=5))
    assert decision.incident
    assert (decision.incident.status, decision.incident.resolved_at, decision.incident.closed_rev) == (
        Status.RESOLVED, T, 5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("delivery", "leave", "deadline"),
    [(told(3), 0, T + 5 * MIN), (told(3, state="done"), 3, None), (told(3, state="dead"), 3, None)],
)
def test_after_the_end_its_alerts_leave_when_all_have_heard(
    delivery: Told, leave: int, deadline: int | None
) -> None:
    decision = decided(OVER, Due(), T, group(3, 0, 2, ended_rev=3), (delivery,))
    assert (decision.leave, decision.deadline, decision.incident) == (leave, deadline, OVER)


def test_an_end_that_was_none_is_taken_back_from_all_who_were_told_of_it() -> None:
    deliveries = (told(3, state="done"), replace(told(3, state="dead"), id="7.1"))
    decision = decided(OVER, Due(), T, group(4, 1, fired_rev=4), deliveries)
    assert decision.orders == (Order("7.0", 4, 1, FIRST),)
    assert decision.incident
    assert (decision.incident.status, decision.incident.number, decision.incident.resolved_at) == (
        Status.TRIGGERED, 7, 0,
    )  # fmt: skip
    assert decision.incident.tick == T + 5 * MIN


def test_where_all_deliveries_are_dead_new_ones_are_made() -> None:
    decision = decided(OVER, Due(), T, group(4, 1, fired_rev=4), (told(3, state="dead"),))
    assert (decision.orders, rung(decision)) == ((), [FIRST])


def test_the_worst_severity_that_it_ever_had_is_kept() -> None:
    decision = decided(replace(OPEN, rank=0), Due(), T, group(4, 1, 1, ended_rev=4, rank=3), (told(3),))
    assert decision.incident
    assert decision.incident.rank == 0


# --- of every decision

small = st.integers(0, 6)
groups = st.builds(Group, small, small, small, small, small, st.integers(0, 4))
tolds = st.builds(
    Told,
    st.sampled_from(["7.0", "7.1"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["open", "done", "dead"]),
    *[small] * 5,
    st.sampled_from([0, T - 5 * HOUR, T - MIN, T]),
)
incidents = st.builds(
    replace,
    st.sampled_from([PENDING, OPEN, OVER]),
    tick=st.sampled_from([0, T - 3 * HOUR, T - MIN, T, T + MIN]),
    considered=small,
    closed_rev=small,
)


@given(incidents, groups, st.lists(tolds, max_size=3).map(tuple))
def test_every_incident_has_a_decision(incident: Incident, of: Group, deliveries: tuple[Told, ...]) -> None:
    decision = decided(incident, Due(), T, of, deliveries)
    if decision.incident and decision.incident.status is Status.TRIGGERED:
        assert decision.deadline  # an incident that is open is looked at again
        assert decision.incident.tick > T
    assert decision.leave <= max(of.seq, *(delivery.sent for delivery in deliveries), 0)
    assert not any(order.rings for order in decision.orders if order.final)
    known = {delivery.id for delivery in deliveries if delivery.state != "dead"}
    assert {order.id for order in decision.orders} <= known


@given(incidents, groups, st.lists(tolds, max_size=3).map(tuple))
def test_who_has_heard_all_is_not_rung_before_the_repeat_is_due(
    incident: Incident, of: Group, deliveries: tuple[Told, ...]
) -> None:
    heard = tuple(
        replace(one, rung=of.seq, sent=of.seq, wanted=of.seq, ring_wanted=1, ring_sent=1, sent_at=T - MIN)
        for one in deliveries
    )
    group_now = replace(of, fired_rev=min(of.fired_rev, of.seq), ended_rev=min(of.ended_rev, of.seq))
    decision = decided(replace(incident, status=Status.TRIGGERED), Due(), T, group_now, heard)
    assert not any(order.rings for order in decision.orders)


@given(incidents)
def test_a_record_is_read_as_it_was_written(incident: Incident) -> None:
    assert from_record(to_record(incident)) == incident


def test_what_a_newer_version_has_added_to_a_record_is_left_out() -> None:
    incident = replace(OPEN, ack=Ack("dana", "test", T), clocks=(Clock("page", T, T),))
    record = to_record(incident) | {"new": 1}
    record["clocks"] = [record["clocks"][0] | {"new": 1}]
    assert from_record(record | {"ack": record["ack"] | {"new": 1}}) == incident


@pytest.mark.parametrize("schema", [0, 2, None, "1"])
def test_a_record_of_another_schema_is_refused(schema: object) -> None:
    with pytest.raises(ValueError, match="this version reads 1"):
        from_record(to_record(OPEN) | {"schema": schema})
