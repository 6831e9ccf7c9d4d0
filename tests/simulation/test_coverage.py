"""Which parts of a configuration count as reached, by hand-made records of what stories went through."""

from datetime import UTC, datetime

import pytest

from config.findings.subject import Subject
from config.load import examine
from gateway.simulation import coverage_report
from gateway.simulation.coverage import Run, coverage
from routing.story import Reached

CONFIG = """\
global: {smtp_smarthost: "127.0.0.1:25", smtp_from: tocsin@example.com}
route:
  receiver: ops
  routes:
    - matchers: [severity="critical"]
      policy: page
    - name: tree
      matchers: [team=~".*"]
      routes:
        - {name: owned, matchers: [team!=""], receiver: ops, mute_time_intervals: [weekend]}
        - {name: stray, matchers: [team=""], receiver: ops}
    - {name: dead, matchers: [team="x"], receiver: ops}
receivers:
  - {name: ops, webhook_configs: [{url: "http://127.0.0.1/"}]}
time_intervals:
  - {name: weekend, time_intervals: [{weekdays: ["saturday", "sunday"]}]}
inhibit_rules:
  - {source_matchers: [a="b"], target_matchers: [c="d"]}
  - {name: named, source_matchers: [a="c"], target_matchers: [c="e"]}
users:
  - {name: dana, email: dana@example.com}
  - {name: lee, email: lee@example.com}
schedules:
  - name: rota
    layers:
      - {name: always, people: [dana]}
      - {people: [lee], restrictions: [{weekdays: [sunday]}]}
    overrides:
      - {start: 2026-11-23, end: 2026-11-24, people: [lee]}
escalation_policies:
  - name: page
    steps:
      - notify: [{schedule: rota}]
      - {after: 5m, notify: [{receiver: ops}]}
  - name: unused
    steps:
      - notify: [{receiver: ops}]
"""


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    file = tmp_path_factory.mktemp("coverage") / "tocsin.yaml"
    file.write_text(CONFIG)
    document, config, problems = examine(file)
    assert not problems
    return Subject(document, config)


def states(subject, *runs):
    return {f"{one.kind} {one.name}": one.state for one in coverage(subject, runs).parts}


def at(day):
    return int(datetime(2026, 11, day, 12, tzinfo=UTC).timestamp() * 1000)


def test_without_tests_no_part_is_reached_and_each_has_its_line(subject):
    parts = coverage(subject, ()).parts
    assert {one.state for one in parts} == {"never"}
    lines = CONFIG.splitlines()
    for one in parts:
        assert lines[one.line - 1].strip(), one
    owned = next(one for one in parts if one.name == "owned")
    assert "name: owned" in lines[owned.line - 1]
    assert owned.path == "route.routes[1].routes[0]"


@pytest.mark.parametrize(
    ("run", "state"),
    [
        (Run(Reached(routes={"stray"}), asserts=True), "asserted"),
        (Run(Reached(routes={"stray"}), asserts=True, recorded=True), "recorded"),
        (Run(Reached(routes={"stray"}), asserts=False), "unasserted"),
        (Run(Reached(routes={"stray"}), asserts=False, recorded=True), "unasserted"),
        (Run(Reached(), asserts=True), "never"),
    ],
)
def test_what_a_test_reaches_counts_by_what_the_test_expects(subject, run, state):
    assert states(subject, run)["route stray"] == state


def test_of_several_tests_the_best_counts(subject):
    recorded = Run(Reached(routes={"stray"}), asserts=True, recorded=True)
    asserted = Run(Reached(routes={"stray"}), asserts=True)
    assert states(subject, recorded, asserted, recorded)["route stray"] == "asserted"


def test_a_route_that_is_never_told_itself_is_reached_with_one_below_it(subject):
    found = states(subject, Run(Reached(routes={"owned"}), asserts=True))
    assert found["route tree"] == "asserted"
    assert found["route {}"] == "asserted"  # `tree` takes whatever comes to it
    assert found["route stray"] == "never"


def test_a_route_that_no_alert_can_come_to_is_never_reached_and_says_so(subject):
    dead = next(one for one in coverage(subject, ()).parts if one.name == "dead")
    assert (dead.state, dead.note) == ("never", "no alert can come here")


def test_a_policy_that_no_route_leads_to_says_so(subject):
    notes = {one.name: one.note for one in coverage(subject, ()).parts if one.kind == "step"}
    assert notes == {
        "page, step 1": "",
        "page, step 2": "",
        "unused, step 1": "no alert can come to this policy",
    }


def test_rules_are_called_by_name_or_by_place(subject):
    found = states(subject, Run(Reached(rules={0}), asserts=True))
    assert found["inhibition rule inhibit_rules[0]"] == "asserted"
    assert found["inhibition rule named"] == "never"


@pytest.mark.parametrize(
    ("day", "first", "second"),
    [
        (24, "asserted", "never"),  # a Tuesday
        (22, "never", "asserted"),  # a Sunday
        (23, "never", "never"),  # an override takes dana's place
    ],
)
def test_of_a_schedule_the_layer_counts_by_which_somebody_was_on_call(subject, day, first, second):
    found = states(subject, Run(Reached(asked={("rota", at(day))}), asserts=True))
    assert (found["layer rota, layer always"], found["layer rota, layer 2"]) == (first, second)


def test_intervals_count_where_they_kept_a_route_quiet(subject):
    name = "time intervals owned, mute_time_intervals weekend"
    assert states(subject, Run(Reached(routes={"owned"}), asserts=True))[name] == "never"
    assert states(subject, Run(Reached(intervals={"owned"}), asserts=True))[name] == "asserted"


def test_names_that_the_configuration_does_not_have_count_nothing(subject):
    strange = Reached({"gone"}, {("gone", 1), ("page", 9)}, {7}, {("gone", 0)}, {"gone"})
    assert coverage(subject, [Run(strange, asserts=True)]).count("never") == len(coverage(subject, ()).parts)


def test_the_report_counts_recorded_apart_and_gives_places(subject):
    runs = [
        Run(Reached(routes={"owned", "stray"}), asserts=True),
        Run(Reached(steps={("page", 1)}), asserts=True, recorded=True),
        Run(Reached(steps={("page", 2)}), asserts=False),
    ]
    found = coverage(subject, runs)
    lines = list(coverage_report.text(found))
    assert lines[0].endswith("28.5 % asserted, 7.1 % besides only recorded")
    assert any(line.split() == ["routes", "4", "0", "6"] for line in lines)
    place = f"{subject.document.file}:33:9"
    reasons = {line.partition(": ")[2].rpartition(": ")[0]: line.rpartition(": ")[2] for line in lines[7:]}
    assert reasons["step page, step 1"].startswith("only recorded tests reach it")
    assert reasons["step page, step 2"] == "only tests that expect nothing reach it"
    assert any(line.startswith(f"{place}: step page, step 1: ") for line in lines)


def test_what_no_test_reaches_is_told_first_and_of_many_only_some(subject, monkeypatch):
    monkeypatch.setattr(coverage_report, "MAX_SHOWN", 2)
    recorded = Run(Reached(routes={"stray"}, steps={("page", 1)}), asserts=True, recorded=True)
    lines = list(coverage_report.text(coverage(subject, [recorded])))[7:]
    assert [line.partition(": ")[0][:3] for line in lines[2:3]] == ["and"]
    assert lines[2] == "and 8 more (--output json names all): no test reaches it"
    assert [line.rpartition(": ")[2][:23] for line in lines[3:]] == ["only recorded tests rea"] * 3


def test_the_document_adds_up(subject):
    found = coverage_report.document(coverage(subject, [Run(Reached(routes={"owned"}), asserts=True)]))
    for kind, counts in found["kinds"].items():
        of_kind = [part for part in found["parts"] if part["kind"] == kind]
        assert counts.pop("total") == sum(counts.values()) == len(of_kind)
    assert found["asserted_percent"] == 21.4


def test_a_percentage_is_never_rounded_up_to_all(subject):
    assert coverage_report._rounded(99.96) == 99.9
