"""Who a target is when a decision asks for it."""

from __future__ import annotations

from config.compile import compile_plan
from config.load import load_text
from gateway.book import NOBODY_ON_CALL, PlanBook
from gateway.placing import Placing
from routing.incident_records import Incident, Status
from routing.policies import Target

TEXT = """
global: {smtp_smarthost: 'mail:25', smtp_from: t@x}
route: {receiver: one}
receivers:
  - {name: one, email_configs: [{to: one@x}]}
  - {name: two, email_configs: [{to: two@x}]}
  - {name: both, email_configs: [{to: two@x}, {to: one@x, text: other}]}
"""
PLACING = Placing(compile_plan(load_text(TEXT, "f", {})), 1, "", {})
INCIDENT = Incident(1, Status.TRIGGERED, "r", "", {}, 1, 1, 0, 0, policy="p")


def places(*receivers: str) -> list[str]:
    book = PlanBook(PLACING, NOBODY_ON_CALL)
    targets = [Target("receiver", name) for name in receivers]
    return [way.place for way in book.reach(targets, INCIDENT, 0).ways]


def test_mail_to_others_by_the_same_server_is_another_place_in_every_decision() -> None:
    assert len({*places("one"), *places("two")}) == 2


def test_a_place_is_the_same_in_every_decision() -> None:
    assert places("one", "two") == places("one") + places("two")


def test_one_address_that_is_told_in_two_ways_is_two_places() -> None:
    assert len(set(places("one", "both"))) == 3
