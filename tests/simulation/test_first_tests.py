"""A first file of tests: it loads, passes, covers what can be covered, and says that it is recorded."""

from pathlib import Path

import pytest

from config.findings.alerts import Alerts
from config.findings.subject import Subject
from config.rule_files import read_rules
from gateway.simulation.coverage import Run, coverage
from gateway.simulation.first_tests import FirstTests, lines
from gateway.simulation.planned import planned
from gateway.simulation.run import simulate
from gateway.simulation.test_reader import MONDAY, read_suite
from gateway.simulation.testing import happenings, load, run

YEAR = 400 * 86_400_000
NOVEMBER = MONDAY + 47 * 7 * 86_400_000  # when schedules of the examples have begun
CONFIG = """\
global: {smtp_smarthost: "127.0.0.1:25", smtp_from: tocsin@example.com}
teams:
  - {name: db, email: db@example.com, lead: dana}
  - {name: web, email: web@example.com, lead: lee, pagerduty: KEY}
route:
  receiver: ops
  routes:
    - matchers: [severity="critical"]
      policy: page
    - name: nights
      matchers: [severity="low"]
      receiver: ops
      mute_time_intervals: [night]
    - name: odd
      matchers: ['note="a \\"quoted\\", odd: text"']
      receiver: "two, three: #4"
receivers:
  - {name: ops, webhook_configs: [{url: "http://127.0.0.1/"}]}
  - {name: "two, three: #4", webhook_configs: [{url: "http://127.0.0.1/"}]}
time_intervals:
  - {name: night, time_intervals: [{times: [{start_time: "01:00", end_time: "03:00"}]}]}
  - {name: sunday, time_intervals: [{weekdays: [sunday]}]}
inhibit_rules:
  - {source_matchers: [alertname="NodeDown"], target_matchers: [severity="high"], equal: [node]}
users:
  - {name: dana, email: dana@example.com}
  - {name: lee, email: lee@example.com}
schedules:
  - name: rota
    layers:
      - {name: always, people: [dana]}
      - {people: [lee], restrictions: [{weekdays: [saturday], start_time: "10:00", end_time: "11:00"}]}
escalation_policies:
  - name: page
    steps:
      - notify: [{schedule: rota}, {team: email}, {team: pagerduty}]
      - {after: 5m, notify: [{team: lead}]}
      - {after: 10m, during: [sunday], notify: [{receiver: ops}]}
      - {after: 1h, unless: resolved, policy: last}
  - name: last
    steps:
      - {notify: [{receiver: ops}], every: 10m}
"""
RULES = """\
groups:
  - name: g
    rules:
      - {alert: Slow, expr: "sum by (team) (latency) > 1", labels: {severity: low}}
      - {alert: NodeDown, expr: "sum by (node) (up) == 0", labels: {severity: critical, team: web}}
"""


EXAMPLES = Path(__file__).resolve().parents[2] / "config" / "examples"


class Tried:
    """The first tests of a configuration, as a file, and that file run."""

    def __init__(self, folder, rules, text=CONFIG, at=MONDAY):
        config = folder / "tocsin.yaml"
        config.write_text(text)
        self.planned = planned(config, at, at + YEAR)
        alerts = Alerts(read_rules(rules, "rules.yml")) if rules else None
        subject = Subject(self.planned.document, self.planned.config, without_env=True, alerts=alerts)
        self.found = FirstTests(subject, self.planned.plan, self.play, at)
        self.text = "\n".join(lines(self.found, "tocsin.yaml", "tests.yaml", at)) + "\n"
        file = folder / "tests.yaml"
        file.write_text(self.text)
        loaded = load([file])
        self.tried = list(run(loaded, [(loaded.suites[0], case) for case in loaded.suites[0].cases]))
        runs = [Run(one.story.reached, asserts=True, recorded=one.case.recorded) for one in self.tried]
        self.coverage = coverage(subject, runs)

    def play(self, case):
        until = None if case.until is None else case.at + case.until
        return simulate(self.planned.plan, happenings(case), began=case.at, until=until)

    @property
    def names(self):
        return [one.case.name for one in self.tried]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return Tried(tmp_path_factory.mktemp("alone"), "")


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    return Tried(tmp_path_factory.mktemp("ruled"), RULES)


def test_all_of_them_pass_and_expect_something(alone, ruled):
    for one in (*alone.tried, *ruled.tried):
        assert not one.failed, one.case.name
        assert one.case.route is not None
        assert one.case.expect or one.case.silent, one.case.name


def test_they_reach_every_part_of_the_configuration(alone, ruled):
    for found in (alone.coverage, ruled.coverage):
        assert [one.name for one in found.parts if one.state == "never"] == []
        assert found.count("recorded") == len(found.parts)


@pytest.mark.parametrize("name", ["demo.yaml", "on-call.yaml", "tocsin.yaml", "reference/tocsin.yaml"])
def test_first_tests_of_the_examples_pass_and_reach_every_part(tmp_path, name):
    rules = (EXAMPLES / "reference" / "rules" / "platform.yml").read_text() if "/" in name else ""
    found = Tried(tmp_path, rules, (EXAMPLES / name).read_text(), NOVEMBER)
    assert [one.case.name for one in found.tried if one.failed] == []
    assert [one.name for one in found.coverage.parts if one.state == "never"] == []


def test_each_is_marked_as_recorded_and_the_head_of_the_file_says_what_that_means(alone):
    assert all(one.case.recorded for one in alone.tried)
    assert "not what it should do" in alone.text.partition("config:")[0]


def test_each_rule_has_its_test_whatever_else_shows_the_same(ruled):
    assert ruled.names[0].startswith("Slow")
    assert "NodeDown" in ruled.names
    assert any(name.startswith("Slow with team=") for name in ruled.names) is False  # no route asks for it


def test_a_layer_and_an_interval_have_tests_at_their_own_times(alone):
    moved = [one.case for one in alone.tried if one.case.at != MONDAY]
    assert {case.name.rpartition(", ")[2] for case in moved} == {
        "by layer 2 of rota",
        "while it is quiet",
        "in time of step 3 of page",
    }


def test_what_is_quiet_is_expected_to_be_told_when_the_interval_is_over(alone):
    (quiet,) = [one.case for one in alone.tried if one.case.name.endswith("while it is quiet")]
    assert [one.since for one in quiet.expect] == [2 * 3_600_000]
    assert quiet.route.names == ("nights",)


def test_a_test_lasts_until_the_last_step_and_no_repetition_is_waited_for(alone):
    critical = next(one.case for one in alone.tried if one.case.name == "severity=critical, team=web")
    assert critical.alerts[0].fires == 61 * 60_000
    assert [one.since for one in critical.expect] == [30_000, 330_000, 3_630_000]


def test_texts_of_every_kind_survive_being_written(alone):
    odd = next(one.case for one in alone.tried if one.case.route.names == ("odd",))
    assert odd.alerts[0].labels["note"] == 'a "quoted", odd: text'
    assert odd.expect[0].told[0].name == "two, three: #4"


def test_the_same_configuration_gives_the_same_file(alone, tmp_path):
    assert Tried(tmp_path, "").text == alone.text


def test_too_many_are_left_out_and_counted(alone, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.simulation.first_tests.MAX_TESTS", 3)
    few = Tried(tmp_path, "")
    assert len(few.tried) == 3
    assert few.found.left_out > 0
    assert f"{few.found.left_out} further tests are left out" in few.text


def test_the_moment_at_which_most_begin_stands_once_above_them(alone, tmp_path):
    text = "\n".join(lines(alone.found, "tocsin.yaml", "tests.yaml", MONDAY + 60_000))
    suite = read_suite(text, tmp_path / "tests.yaml")
    assert "defaults:\n  at: 2026-01-05T12:01Z" in text
    assert suite.cases[0].at == MONDAY + 60_000
