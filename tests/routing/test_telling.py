"""Whom one decision rings: each place once, and spared only by what spares from everything that wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from book import Book as Known

from routing.clocks import Clock, Way
from routing.decisions import Order
from routing.escalation import carry_out
from routing.incident_records import Incident, Status, Told
from routing.policies import Policy, Step, Target
from routing.telling import Telling

if TYPE_CHECKING:
    from routing.clocks import Book

WAY = Way("hook", "a hook", Target("receiver", "hook"))
KNOWN = Told("1.0", ends=True, updates=True, edits=False, state="open", sent=1, place="hook")


def telling(*told: Told) -> Telling:
    return Telling(100, 7, told, cast("Book", None))


@pytest.mark.parametrize("order", [("acknowledged", "resolved"), ("resolved", "acknowledged")])
@pytest.mark.parametrize("told", [(), (KNOWN,)])
def test_who_is_rung_by_two_steps_at_once_is_spared_by_the_end_only(told, order) -> None:
    both = telling(*told)
    for unless in order:
        both.ring(WAY, "why", unless, "page")
    (rung,) = [*both.orders.values(), *both.rings.values()]
    assert rung.unless == "resolved"


def test_a_reminder_in_the_same_moment_keeps_nobody_from_being_rung() -> None:
    both = telling(KNOWN)
    both.orders["1.0"] = Order("1.0", 7, 0, "it ends soon", notice=True)
    both.ring(WAY, "why", "resolved", "page")
    assert both.orders["1.0"].rings == 1


@pytest.mark.parametrize(
    ("rounds", "said"), [(0, "first notification"), (1, "still nobody has acknowledged")]
)
def test_only_the_first_round_is_the_first_notification(rounds: int, said: str) -> None:
    book = Known({"page": Policy("page", (Step((Target("user", "dana"),)),), repeat=3)})
    clock = Clock("page", 0, 0, round=rounds)
    incident = Incident(1, Status.TRIGGERED, "r", "", {}, 1, 1, 0, 0, policy="page", clocks=(clock,))
    due = Telling(0, 1, (), book)
    carry_out(incident, 0, due)
    assert said in due.rings["user: dana"].reason
