"""`tocsin diff`: what a change of the configuration does."""

import json

import pytest

OLD = """\
global: {slack_app_token: xoxb-1, smtp_smarthost: "127.0.0.1:25", smtp_from: tocsin@example.com}
route:
  receiver: inbox
  group_by: [alertname]
  routes:
    - {matchers: [severity=high, team=db], policy: loud}
    - {matchers: ['service=~"api-.*"'], receiver: page}
receivers:
  - {name: inbox, email_configs: [{to: ops@example.com}]}
  - {name: page, pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]}
  - {name: management, email_configs: [{to: boss@example.com}]}
  - {name: nobody}
teams: [{name: db, slack_channel: "#db"}]
escalation_policies:
  - name: loud
    steps:
      - {notify: [{receiver: page}, {team: slack}]}
      - {after: 5m, notify: [{receiver: management}]}
"""
LATER = OLD.replace("[{receiver: page}, {team: slack}]", "[{team: slack}]").replace("after: 5m", "after: 15m")
DELAYED = OLD.replace("after: 5m", "after: 15m")
LOST = OLD.replace("policy: loud", "receiver: nobody")
RULES = """\
groups:
  - name: g
    rules:
      - {alert: DiskFull, expr: vector(1), labels: {severity: high, team: db}}
      - {alert: CartSlow, expr: vector(1), labels: {severity: high, team: web}}
      - {alert: Slow, expr: latency > 1, labels: {severity: high}}
"""
AT = "2026-12-24T03:00+01:00"


@pytest.fixture
def diff(here, tmp_path):
    """Runs `tocsin diff OLD NEW`, with files of these contents."""

    def run(old, new, *more, at=AT):
        for name, text in (("old.yaml", old), ("new.yaml", new)):
            (tmp_path / name).write_text(text)
        return here("diff", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml"), "--at", at, *more)

    return run


def test_an_effect_is_told_with_the_alerts_that_it_concerns(diff):
    ended = diff(OLD, LATER)
    assert ended.code == 1
    assert ended.out.splitlines()[:3] == [
        "alerts with severity=high, team=db",
        "    page: no longer told by PagerDuty, as they were after 30 s",
        "    management: told by email boss@example.com after 15 min instead of 5 min",
    ]
    assert "Complete: any other alert is treated alike" in ended.out


def test_without_a_difference_that_is_said_and_the_command_succeeds(diff):
    ended = diff(OLD, "# the same\n" + OLD)
    assert ended.code == 0
    assert ended.out.startswith("No difference between ")


def test_a_difference_that_loses_nobody_passes_where_only_losing_fails(diff):
    assert diff(OLD, DELAYED, "--fail-on", "lost").code == 0
    assert diff(OLD, LATER, "--fail-on", "lost").code == 1  # the pager is not told any more
    renamed = OLD.replace("name: management", "name: bosses").replace(
        "receiver: management", "receiver: bosses"
    )
    assert diff(OLD, renamed, "--fail-on", "lost").code == 0  # the same people by another name
    ended = diff(OLD, LOST, "--fail-on", "lost")
    assert ended.code == 1
    assert "    nobody is told any more\n" in ended.out


def test_json_says_the_same_for_programs(diff):
    document = json.loads(diff(OLD, LATER, "--output", "json").out)
    assert (document["version"], document["different"], document["lost"]) == (1, True, True)
    assert document["at"] == "2026-12-24T02:00:00.000Z"
    (difference,) = document["differences"]
    assert difference["alerts"] == ["severity=high, team=db"]
    lost, later = difference["changes"]
    assert (lost["kind"], lost["target"], lost["ways"][0]["by"]) == ("lost", "page", "pagerduty")
    assert (later["kind"], later["target"], later["new_s"][0] - later["old_s"][0]) == (
        "later",
        "management",
        600,
    )


def test_markdown_is_a_list_that_cannot_call_anybody(diff):
    ended = diff(OLD, LATER, "--output", "markdown")
    assert ended.out.splitlines()[0].startswith("### One difference between ")
    assert "- `alerts with severity=high, team=db`\n" in ended.out
    assert "boss@example.com" not in ended.out


def test_the_alerts_of_rules_are_named_for_certain_or_perhaps(diff, tmp_path):
    (tmp_path / "rules.yml").write_text(RULES)
    document = json.loads(diff(OLD, LATER, "--rules", str(tmp_path / "rules.yml"), "-o", "json").out)
    assert document["differences"][0]["rules"] == ["DiskFull"]
    assert document["differences"][0]["perhaps"] == ["Slow"]


def recorded(tmp_path, *alerts):
    path = tmp_path / "week.jsonl"
    lines = [
        {"at": 1_790_000_000_000 + at * 60_000, "status": status, "labels": labels}
        for at, status, labels in alerts
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


DISK = {"alertname": "DiskFull", "severity": "high", "team": "db"}


def test_a_recording_counts_alerts_and_pages_before_and_after(diff, tmp_path):
    file = recorded(
        tmp_path, (0, "firing", DISK), (20, "resolved", DISK), (21, "firing", {"alertname": "Cart"})
    )
    ended = diff(OLD, LATER, "--history", file)
    assert "    recorded alerts: 1\n" in ended.out
    assert ["pages", "1", "0"] in [line.split() for line in ended.out.splitlines()]
    document = json.loads(diff(OLD, LATER, "--history", file, "-o", "json").out)
    assert document["recorded"]["alerts"] == 3
    assert (document["recorded"]["old"]["pages"], document["recorded"]["new"]["pages"]) == (1, 0)


def test_expressions_that_are_only_sampled_are_named(diff):
    ended = diff(OLD, OLD.replace("api-.*", r"api-\\pL+"))
    assert r'Samples only, for these expressions: service=~"api-\\pL+"' in ended.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--at", "2026-03-29T02:30", "--zone", "Europe/Berlin"), "--at: '2026-03-29T02:30' never comes"),
        (("--at", "soon"), "--at: 'soon' is no time"),
        (("--zone", "Mars"), "--zone: "),
        (("--fail-on", "something"), "--fail-on"),
        (("--history", "nowhere.jsonl"), "does not exist"),
    ],
)
def test_wrong_use_ends_with_2_and_a_clear_word(diff, more, said):
    ended = diff(OLD, LATER, *more)
    assert ended.code == 2
    assert said in ended.err


def test_a_configuration_with_errors_is_wrong_use(diff):
    ended = diff(OLD, OLD.replace("policy: loud", "policy: quiet"))
    assert ended.code == 2
    assert "new.yaml has 1 problem" in ended.err


def test_two_configurations_are_needed(here, tmp_path):
    (tmp_path / "old.yaml").write_text(OLD)
    ended = here("diff", str(tmp_path / "old.yaml"))
    assert ended.code == 2
    assert "1 configuration given; expected two" in ended.err


def test_a_recording_cut_off_half_way_is_wrong_use(diff, tmp_path):
    (tmp_path / "week.jsonl").write_text('{"at": 1, "status": "fir')
    ended = diff(OLD, LATER, "--history", str(tmp_path / "week.jsonl"))
    assert ended.code == 2
    assert "week.jsonl:1" in ended.err
