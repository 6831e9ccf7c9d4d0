"""Who a target is when a decision asks for it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.compile import compile_plan
from config.load import load_text
from gateway.book import NOBODY_ON_CALL, PlanBook
from gateway.placing import Placing
from routing.incident_records import Incident, Status
from routing.policies import Target

if TYPE_CHECKING:
    from pathlib import Path

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


PEOPLE = """
global: {slack_app_token: x, smtp_smarthost: 'mail:25', smtp_from: t@x}
route: {receiver: root}
receivers: [{name: root, pagerduty_configs: [{routing_key: x}], slack_configs: [{channel: '#root'}]}]
users: [{name: dana, slack_id: U024BE7LH, email: d@x, contact: [slack, {email: 2m}]}]
teams: [{name: db, slack_channel: ['#db', '#all'], email: db@x, lead: dana, manager: boss@x}]
schedules: [{name: weekly, layers: [{people: [dana], start: 2026-11-02}]}]
"""


class Dana:
    def people(self, schedule: str, at: int) -> tuple[str, ...]:
        del schedule, at
        return ("dana",)

    def next_covered(self, schedule: str, at: int) -> int | None:
        del schedule, at
        return None


TARGETS: list[tuple[Target, list[str]]] = [
    (Target("receiver", "root"), ["root by PagerDuty", "#root (root) by Slack"]),
    (Target("team", "slack"), ["#db (team db) by Slack", "#all (team db) by Slack"]),
    (Target("team", "email"), ["team db by mail"]),
    (Target("team", "lead"), ["dana (lead of team db) by Slack", "dana (lead of team db) by mail"]),
    (Target("team", "manager"), ["manager of team db by mail"]),
    (Target("user", "dana"), ["dana by Slack", "dana by mail"]),
    (Target("schedule", "weekly"), ["dana (on call, weekly) by Slack", "dana (on call, weekly) by mail"]),
]


@pytest.mark.parametrize(("target", "expected"), TARGETS)
def test_who_is_told_is_said_in_words_that_people_use(target: Target, expected: list[str]) -> None:
    book = PlanBook(Placing(compile_plan(load_text(PEOPLE, "f", {})), 1, "", {}), Dana())
    reached = book.reach([target], replace(INCIDENT, team="db"), 0)
    assert [way.who for way in reached.ways] == expected


class Broken(Dana):
    def people(self, schedule: str, at: int) -> tuple[str, ...]:
        raise ZeroDivisionError(schedule, at)


def test_where_nobody_can_say_who_is_on_call_others_are_told() -> None:
    book = PlanBook(Placing(compile_plan(load_text(PEOPLE, "f", {})), 1, "", {}), Broken())
    reached = book.reach([Target("schedule", "weekly"), Target("user", "dana")], INCIDENT, 0)
    assert (reached.uncovered, len(reached.ways)) == (("weekly",), 2)


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


def test_of_teams_that_only_labels_name_few_are_remembered() -> None:
    placing = Placing(PLACING.plan, 1, "", {})
    for number in range(10_000):
        assert placing.told(Target("receiver", "two"), f"team {number}", "critical")[0].receiver == "two"
    assert len(placing._told) <= 4_096


def test_a_key_that_is_rotated_counts_at_the_next_decision(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a" * 32)
    text = f"""
route: {{receiver: pager}}
receivers: [{{name: pager, pagerduty_configs: [{{routing_key_file: {key}}}]}}]
"""
    placing = Placing(compile_plan(load_text(text, "f", {})), 1, "", {})
    incident = replace(INCIDENT, policy="page")

    def place() -> str:
        return (
            PlanBook(placing, NOBODY_ON_CALL).reach([Target("receiver", "pager")], incident, 0).ways[0].place
        )

    before = place()
    key.write_text("b" * 32)
    os.utime(key, (1, 1))
    assert place() != before
