"""The judge of escalation finds what is planted: a step that is missing, a ring that was spared."""

from __future__ import annotations

import pytest
from judge_of_steps import Heard, Judge
from plain_policies import Answer, Lateness, Policy, Span, Step, Story

POLICIES = {
    "page": Policy(
        "page",
        (
            Step(0, ("first",)),
            Step(5_000, ("second",)),
            Step(9_000, ("bosses",), unless="resolved"),
        ),
        ack_timeout=20_000,
    )
}
END = Answer("end", Span(12_000, 12_000))
ACK = Answer("acknowledge", Span(2_000, 2_000), "dana", changed=True)


def message(at: float, who: str, kind: str = "ring") -> Heard:
    return Heard(at, who, kind, at)  # type: ignore[arg-type]


def wrong(answers: list[Answer], heard: list[Heard], lateness: Lateness | None = None) -> list[str]:
    judge = Judge(POLICIES, lateness or Lateness(slack=500), wire=100)
    return judge.one(Story("A", "page", Span(0, 0), [*answers, END]), heard).wrong


ENDS = [message(12_100, who, "end") for who in ("first", "second", "bosses")]
ALL = [message(10, "first"), message(5_010, "second"), message(9_010, "bosses"), *ENDS]
ACKED = [message(10, "first"), message(9_010, "bosses"), ENDS[0], ENDS[2]]


def without(heard: list[Heard], who: str) -> list[Heard]:
    return [one for one in heard if one.who != who]


def test_what_is_right_is_right() -> None:
    assert wrong([], ALL) == []
    assert wrong([ACK], ACKED) == []


@pytest.mark.parametrize("who", ["first", "second", "bosses"])
def test_a_step_that_is_missing_is_found(who: str) -> None:
    assert any(f"{who} was to be rung" in line for line in wrong([], without(ALL, who)))


def test_a_ring_that_an_acknowledgement_spared_is_found() -> None:
    assert any("second was rung at 5010 ms without reason" in line for line in wrong([ACK], ALL))


def test_an_acknowledgement_spares_nobody_from_what_only_the_end_does() -> None:
    assert any("bosses was to be rung" in line for line in wrong([ACK], without(ACKED, "bosses")))


def test_a_ring_before_its_time_is_found() -> None:
    early = [message(4_000, "second"), *without(ALL, "second"), ENDS[1]]
    assert any("second was rung at 4000 ms without reason" in line for line in wrong([], early))


def test_a_ring_that_comes_twice_is_found_unless_somebody_died() -> None:
    twice = [*ALL, message(5_300, "second")]
    assert any("twice" in line for line in wrong([], sorted(twice, key=lambda one: one.at)))
    assert wrong([], twice, Lateness([(5_200, 5_250)], slack=500)) == []


def test_a_ring_that_comes_late_is_found_unless_somebody_died() -> None:
    late = [message(8_000, "second"), *without(ALL, "second"), ENDS[1]]
    assert any("second was to be rung" in line for line in wrong([], late))
    assert wrong([], late, Lateness([(4_900, 8_900)], slack=500)) == []


def test_what_follows_an_outage_moves_and_keeps_its_distance() -> None:
    nobody = Lateness(nobody=[(1_000, 17_000)], slack=500)
    story = Story("A", "page", Span(0, 0), [Answer("end", Span(30_000, 30_000))])
    moved = [message(10, "first"), message(17_010, "second"), message(21_010, "bosses")]
    ends = [message(30_010, who, "end") for who in ("first", "second", "bosses")]
    assert Judge(POLICIES, nobody, wire=100).one(story, [*moved, *ends]).wrong == []
    at_once = [message(10, "first"), message(17_010, "second"), message(17_020, "bosses")]
    assert any("bosses" in line for line in Judge(POLICIES, nobody).one(story, [*at_once, *ends]).wrong)


def test_an_acknowledgement_that_was_never_answered_may_have_counted_or_not() -> None:
    lost = Answer("acknowledge", Span(2_000, 2_000), "dana", lost=True)
    assert wrong([lost], ALL) == wrong([lost], ACKED) == []


def test_an_acknowledgement_that_ends_starts_the_policy_again() -> None:
    snooze = Answer("snooze", Span(2_000, 2_000), "dana", lasts=4_000, changed=True)
    again = [message(10, "first"), message(6_010, "first"), message(9_010, "bosses")]
    told = [*again, message(11_010, "second"), *ENDS]
    assert wrong([snooze], told) == []
    assert any("first was to be rung at 6000" in line for line in wrong([snooze], told[:1] + told[2:]))


@pytest.mark.parametrize("who", ["first", "bosses"])
def test_an_end_that_is_missing_is_found(who: str) -> None:
    left = [one for one in ACKED if (one.who, one.kind) != (who, "end")]
    assert any(f"{who} never heard of the end" in line for line in wrong([ACK], left))


def test_an_end_to_somebody_who_was_not_rung_is_found() -> None:
    assert any("second was never rung" in line for line in wrong([ACK], [*ACKED, ENDS[1]]))


def test_a_ring_after_the_end_is_found() -> None:
    assert any("after the end" in line for line in wrong([], [*ALL, message(12_200, "second")]))
