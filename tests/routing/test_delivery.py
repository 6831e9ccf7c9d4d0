"""What an attempt must be, what follows from one, and how long it is until the next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.delivery import (
    CLOSED_FOR,
    FIRST_BACKOFF,
    GIVE_UP_AFTER,
    LONGEST_BACKOFF,
    Delivery,
    Failed,
    Rejected,
    Skip,
    Told,
    Verdict,
    backoff,
    decide_delivery,
    next_attempt,
)

S, NOW = 1_000, 1_700_000_000_000
NOT_TOLD = Skip("not told: it ended before the first message could be delivered")


def delivery(
    levels: str, *, final: int = 0, unknown: bool = False, ends: bool = True, updates: bool = True
) -> Delivery:
    """`levels` are "sent/wanted rung/rings"."""
    content, ring = levels.split()
    sent, wanted = map(int, content.split("/"))
    ring_sent, ring_wanted = map(int, ring.split("/"))
    return Delivery("1.0", wanted, sent, ring_wanted, ring_sent, final, unknown, ends, updates, attempt=1)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        # while the incident is open
        (delivery("0/1 0/1"), "ring"),
        (delivery("1/2 1/2"), "ring"),
        (delivery("1/2 0/1"), "ring"),
        (delivery("2/2 1/2"), "ring"),  # a repeat shows nothing new
        (delivery("1/2 1/1"), "update"),
        (delivery("1/2 1/1", updates=False), Skip()),
        (delivery("2/2 1/1"), Skip()),
        (delivery("3/2 1/1"), Skip()),  # it showed more than was asked for
        # after its end
        (delivery("1/2 1/1", final=2), "end"),
        (delivery("1/2 1/2", final=2), "end"),  # nobody is rung for what is over
        (delivery("2/2 1/1", final=2), Skip()),
        (delivery("1/2 1/1", final=2, ends=False), Skip()),
        (delivery("1/2 1/1", final=2, updates=False), "end"),
        (delivery("0/2 0/1", final=2), NOT_TOLD),
        (delivery("0/2 0/1", final=2, ends=False), NOT_TOLD),
        (delivery("0/2 0/1", final=2, unknown=True), "end"),  # it may have rung
        (delivery("0/2 0/1", final=2, unknown=True, ends=False), Skip()),
    ],
)
def test_what_an_attempt_must_be(of: Delivery, expected: object) -> None:
    assert next_attempt(of) == expected


FRESH = delivery("1/2 1/2")
OLD = replace(FRESH, failing_since=NOW - GIVE_UP_AFTER, tries=300)
FIRST = NOW + backoff("1.0", 1, 0)


@pytest.mark.parametrize(
    ("of", "outcome", "state", "retry_at", "closed_until"),
    [
        (FRESH, Told(2), "open", None, None),
        (replace(FRESH, final=2), Told(2), "done", None, None),
        (replace(FRESH, final=3), Told(2), "open", None, None),  # it ended during the attempt
        (FRESH, Rejected("no such key"), "dead", None, None),
        (FRESH, Failed("no answer"), "open", FIRST, None),
        (FRESH, Failed("busy", after=60 * S), "open", NOW + 60 * S, None),
        (FRESH, Failed("busy", after=1), "open", FIRST, None),
        (FRESH, Failed("slow down", 60 * S, closes_target=True), "open", NOW + 60 * S, NOW + 60 * S),
        (FRESH, Failed("slow down", None, closes_target=True), "open", NOW + CLOSED_FOR, NOW + CLOSED_FOR),
        (FRESH, Failed("slow down", 0, closes_target=True), "open", NOW + FIRST_BACKOFF, NOW + FIRST_BACKOFF),
        (OLD, Failed("no answer"), "dead", None, None),
        (OLD, Failed("slow down", 60 * S, closes_target=True), "dead", None, None),
        (
            replace(OLD, failing_since=NOW - GIVE_UP_AFTER + 1),
            Failed("x", after=400 * S),
            "open",
            NOW + 400 * S,
            None,
        ),
        (OLD, Told(2), "open", None, None),
    ],
)
def test_what_follows_from_an_attempt(
    of: Delivery,
    outcome: Told | Failed | Rejected,
    state: str,
    retry_at: int | None,
    closed_until: int | None,
) -> None:
    verdict = decide_delivery(of, outcome, NOW)
    assert (verdict.state, verdict.retry_at, verdict.target_closed_until) == (state, retry_at, closed_until)


@pytest.mark.parametrize(
    ("of", "outcome", "line"),
    [
        (FRESH, Failed("no answer"), "attempt failed, will be repeated: no answer"),
        (replace(FRESH, tries=1), Failed("no answer"), ""),  # said once
        (OLD, Failed("no answer"), "given up after 24 h and 301 attempts: no answer"),
        (FRESH, Rejected("no such key"), "refused for good: no such key"),
        (FRESH, Told(2), ""),
    ],
)
def test_what_the_timeline_says(of: Delivery, outcome: Told | Failed | Rejected, line: str) -> None:
    assert decide_delivery(of, outcome, NOW).line == line


@pytest.mark.parametrize(
    ("tries", "step"), [(0, 1), (1, 2), (2, 4), (7, 128), (8, 256), (9, 300), (30, 300), (10_000, 300)]
)
def test_pauses_double_up_to_five_minutes(tries: int, step: int) -> None:
    for attempt in range(50):
        assert 0.8 * step * S <= backoff("7.1", attempt, tries) <= 1.2 * step * S


def test_pauses_differ_between_deliveries_and_never_between_two_runs() -> None:
    pauses = [backoff(f"{n}.0", 1, 9) for n in range(100)]
    assert len(set(pauses)) > 90
    assert pauses == [backoff(f"{n}.0", 1, 9) for n in range(100)]


levels = st.integers(0, 4)
deliveries = st.builds(
    Delivery,
    st.just("1.0"),
    *[levels] * 5,
    *[st.booleans()] * 3,
    st.integers(0, 9),
    st.integers(0, 99),
    st.sampled_from([0, NOW, NOW - GIVE_UP_AFTER]),
)
outcomes = st.one_of(
    st.builds(Told, levels),
    st.builds(Failed, st.just("x"), st.none() | st.integers(0, 10**7), st.booleans(), st.booleans()),
    st.builds(Rejected, st.just("x")),
)


@given(deliveries, outcomes)
def test_every_outcome_has_a_verdict_and_no_verdict_waits_for_the_past(
    of: Delivery, outcome: Told | Failed | Rejected
) -> None:
    verdict = decide_delivery(of, outcome, NOW)
    assert isinstance(verdict, Verdict)
    if isinstance(outcome, Failed) and verdict.state == "open":
        assert (verdict.retry_at or 0) >= NOW + 0.8 * FIRST_BACKOFF
        assert (verdict.retry_at or 0) <= NOW + max(1.2 * LONGEST_BACKOFF, outcome.after or 0)
    else:
        assert verdict.retry_at is None


@given(deliveries)
def test_nobody_is_told_of_an_end_who_was_never_told_of_the_beginning(of: Delivery) -> None:
    if next_attempt(of) == "end":
        assert of.sent or of.unknown
    if next_attempt(of) in ("ring", "update"):
        assert not of.final
