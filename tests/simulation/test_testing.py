"""Routing tests on a real configuration: what happens in them, and what is known to have happened."""

import re
from pathlib import Path

import pytest

from config.problems import ConfigError
from gateway.simulation.test_reader import read_suite
from gateway.simulation.test_report import report
from gateway.simulation.testing import happenings, load, run
from routing.story import Arrived, Said, SilencesChanged

EXAMPLES = Path(__file__).resolve().parents[2] / "config" / "examples"

CONFIG = """
external_url: http://tocsin.example.com
global: {slack_app_token: "${NOBODY_HAS_IT}", smtp_smarthost: "h:25", smtp_from: t@example.com}
route:
  receiver: ops
  group_wait: 0s
  routes:
    - {name: page, matchers: [severity="critical"], policy: page}
    - {name: night, matchers: [severity="low"], mute_time_intervals: [noon]}
time_intervals: [{name: noon, time_intervals: [{times: [{start_time: "11:00", end_time: "13:00"}]}]}]
receivers:
  - {name: ops, slack_configs: [{channel: "#ops"}]}
  - {name: boss, email_configs: [{to: boss@example.com}]}
users:
  - {name: dana, email: dana@example.com}
  - {name: lee, slack_id: U024BE7LH}
schedules: [{name: weekly, layers: [{people: [dana]}]}]
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: ops}, {schedule: weekly}]
      - {after: 5m, notify: [{receiver: boss}]}
inhibit_rules:
  - {name: dc, source_matchers: [alertname="DC"], target_matchers: [severity="critical"]}
"""
ALERT = "{labels: {alertname: A, severity: critical}, fires: 30m}"


@pytest.fixture
def tried(tmp_path):
    def run_it(below, config=CONFIG):
        (tmp_path / "c.yaml").write_text(config)
        alerts = "" if "alerts:" in below else f"alerts: [{ALERT}]"
        (tmp_path / "t.yaml").write_text(f"config: c.yaml\ntests:\n- name: n\n  {alerts}\n  {below}\n")
        loaded = load([tmp_path / "t.yaml"])
        return list(run(loaded, [(suite, case) for suite in loaded.suites for case in suite.cases]))

    return run_it


@pytest.mark.parametrize(
    "below",
    [
        "expect: [{at: 0s, told: [ops, 'slack:#ops', 'user:dana', 'mail:dana@example.com']}]",
        "expect: [{at: 5m, told: boss}, {told: boss, kind: end}]",
        "answers: [{at: 3m, ack: dana}]\n  expect_silent: {after: 3m}",
        "answers: [{at: 3m, snooze: dana, for: 10m}]\n  expect: [{at: 18m, told: boss}]",
        "answers: [{at: 3m, ack: x}, {at: 4m, unack: x}]\n  expect: [{at: 9m, told: [boss]}]",
        "answers: [{at: 3m, resolve: dana}]\n  expect_not: [{told: boss}]",
        "answers: [{at: 1m, escalate: dana, incident: 1}]\n  expect: [{at: 1m, told: boss}]",
        "answers: [{at: 3m, ack: dana, incident: 2}]\n  expect: [{at: 5m, told: boss}]",
        "silences: [{matchers: [alertname=A]}]\n  expect_silent: true",
        "silences: [{matchers: [alertname=A], for: 10m}]\n  expect: [{after: 10m, until: 11m, told: ops}]",
        "silences: [{matchers: [alertname=A], at: 3m}]\n  expect_not: [{told: boss}]",
        "failures: [{what: email, for: 7m}]\n  expect: [{after: 7m, until: 13m, told: boss}]",
        "failures: [{what: boss, refused: true}]\n  expect_not: [{told: boss}]",
        "overrides: [{schedule: weekly, user: lee}]\n  expect: [{at: 0s, told: 'user:lee'}]",
        "overrides: [{schedule: weekly, user: lee, at: 1m}]\n  expect: [{at: 0s, told: 'user:dana'}]",
        "expect_route: page\n  expect_inhibited_by: []",
        "until: 1m\n  expect_not: [{told: boss}]",
        "expect: [{at: 0s, told: 'slack:#ops', text: A}]\n  expect_not: [{told: ops, text: Disk}]",
        f"alerts: [{ALERT}, {{labels: {{alertname: DC}}}}]\n  expect_inhibited_by: dc\n  until: 10m",
        "alerts: [{labels: {alertname: B}}]\n  expect: [{told: ops}]\n  expect_route: ['{}']",
        "alerts: [{labels: {a: b, severity: low}, fires: 5m}]\n  expect_silent: true\n  expect_route: night",
        "alerts: [{labels: {a: b, severity: low}}]\n  at: 2026-01-01T14:00Z\n  expect: [{at: 0s, told: ops}]",
    ],
)
def test_a_test_passes_where_the_service_would_do_as_it_says(tried, below):
    (one,) = tried(below)
    assert not one.failed, list(report(one))


@pytest.mark.parametrize(
    ("below", "lines"),
    [
        (
            "answers: [{at: 3m, ack: dana}]\n  expect: [{at: 5m, told: boss}]",
            [
                "    3m     dana has it (simulation)",
                "  - 5m     boss was expected",
                ":6:12: boss was not told between 5m and 5m5s",
                "      3m: dana has it (simulation)",
            ],
        ),
        (
            "expect_not: [{told: boss, until: 10m}]",
            [
                "    2s     user:dana by mail (dana@example.com), step 1 of page",
                "  + 5m2s   boss by mail (boss@example.com), step 2 of page",
                "boss was told at 5m2s",
                "      5m2s: step 2: nobody has acknowledged for 5 min",
            ],
        ),
        (
            "overrides: [{schedule: weekly, user: lee}]\n  expect: [{at: 0s, told: 'user:dana'}]",
            [
                "  - 0s     user:dana was expected",
                "    2s     user:lee by Slack (U024BE7LH), step 1 of page",
            ],
        ),
        (
            "silences: [{matchers: [alertname=A]}]\n  expect: [{at: 0s, told: ops}]",
            ["held: 1 alert, silence silence-1 by simulation"],
        ),
        ("failures: [{what: boss, refused: true}]\n  expect: [{told: boss}]", ["it refuses everything"]),
        (
            "answers: [{at: 0s, ack: dana}, {at: 1m, ack: lee}]\n  expect: [{told: boss}]",
            ["      1m: lee has it", "      0s: dana answers, but no incident is open"],
        ),
        ("expect: [{told: ops, text: Disk}]", ["its text lacks 'Disk': "]),
    ],
)
def test_a_test_that_fails_shows_both_timelines_and_the_reason(tried, below, lines):
    (one,) = tried(below)
    shown = "\n".join(report(one))
    assert shown.startswith("FAIL ")
    assert all(line in shown for line in lines), shown


def test_what_a_story_has_gone_through_is_known(tried):
    (one,) = tried("expect: [{at: 0s, told: ops}]")
    reached = one.story.reached
    assert (reached.routes, reached.steps) == ({"page"}, {("page", 1), ("page", 2)})
    assert {schedule for schedule, _ in reached.asked} == {"weekly"}


def test_silences_come_before_alerts_and_alerts_before_answers():
    text = f"config: c\ntests: [{{name: n, alerts: [{ALERT}, {ALERT}], answers: [{{at: 0s, ack: x}}], "
    (case,) = read_suite(text + "silences: [{matchers: [a=b], at: 1m}, {matchers: [a=c]}]}]", Path("t")).cases
    found = [(type(one), one.at - case.at) for one in happenings(case)]
    assert found == [
        (SilencesChanged, 0),
        (Arrived, 0),
        (Said, 0),
        (SilencesChanged, 60_000),
        (Arrived, 1_800_000),
    ]


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("expect: [{told: bos}]", ":5:19: tests[0].expect[0].told: the configuration has no receiver 'bos'"),
        (
            "expect_not: [{told: 'slack:#pos'}]",
            "the configuration has no channel '#pos'; did you mean '#ops'?",
        ),
        (
            "expect_route: pages",
            "tests[0].expect_route: the configuration has no route 'pages'; did you mean",
        ),
        ("expect_inhibited_by: [x]", "the configuration has no inhibition rule 'x'"),
        ("until: 1h", "tests[0]: nothing is expected, so it cannot fail; expected expect, expect_not,"),
        ("expect: []", "nothing is expected"),
        ("failures: [{what: mail}]", "the configuration has no service (pagerduty, slack, email, webhook)"),
        ("overrides: [{schedule: w, user: lee}]", "the configuration has no schedule 'w'"),
        (
            "overrides: [{schedule: weekly, user: le}]",
            "the configuration has no user 'le'; did you mean 'lee'?",
        ),
    ],
)
def test_what_would_never_fail_or_names_what_there_is_not_is_an_error(tried, below, expected):
    with pytest.raises(ConfigError) as caught:
        tried(below)
    assert re.search(r"t\.yaml:[35]:", str(caught.value))
    assert expected in str(caught.value)


def test_what_is_wrong_with_the_configuration_is_told_too(tried, tmp_path):
    with pytest.raises(ConfigError) as caught:
        tried("expect_silent: true", "route: {receiver: x}\n")
    assert f"{tmp_path}/c.yaml:1:" in str(caught.value)


def test_a_configuration_that_is_not_there_is_an_error_of_the_test_file(tmp_path):
    (tmp_path / "t.yaml").write_text(f"config: d.yaml\ntests: [{{name: n, alerts: [{ALERT}]}}]")
    with pytest.raises(ConfigError) as caught:
        load([tmp_path / "t.yaml"])
    assert f"t.yaml:1:9: config: there is no file {tmp_path}/d.yaml" in str(caught.value)


def test_several_files_read_the_configuration_that_they_share_once(tmp_path):
    config = EXAMPLES / "tocsin.yaml"
    for name in ("a.yaml", "b.yaml"):
        test = f"{{name: n, alerts: [{ALERT}], expect_silent: true}}"
        (tmp_path / name).write_text(f"config: {config}\ntests: [{test}]")
    loaded = load([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    one, other = map(loaded.plan_of, loaded.suites)
    assert one is other
