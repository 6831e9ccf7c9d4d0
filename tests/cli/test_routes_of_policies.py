"""`tocsin routes` where routes follow policies, belong to teams and are quiet at times."""

import json

import pytest

CONFIG = """
global: {slack_app_token: x, smtp_smarthost: 'h:25', smtp_from: t@x}
route:
  receiver: last
  routes:
    - matchers: [severity="critical"]
      policy: page
      group_wait: 0s
      routes: [{matchers: [team="db"], receiver: db, active_time_intervals: [office]}]
    - name: nightly
      matchers: [severity="low"]
      team: db
      mute_time_intervals: [nights, office]
      continue: true
    - {matchers: [severity=~"low|high"], policy: mail, labels: {tier: two}}
receivers: [{name: last, webhook_configs: [{url: 'http://h'}]}, {name: db}]
teams: [{name: db, slack_channel: '#db'}, {name: web, lead: w@x}]
escalation_policies:
  - {name: page, steps: [{notify: [{team: slack}, {team: lead}]}]}
  - {name: mail, steps: [{notify: [{team: lead}]}]}
time_intervals: [{name: nights}, {name: office}]
"""


@pytest.fixture
def routes(here, tmp_path):
    """Runs `tocsin routes COMMAND --config FILE ARGS...`."""
    file = tmp_path / "tocsin.yaml"
    file.write_text(CONFIG)
    return lambda command, *arguments: here("routes", command, "--config", str(file), *arguments)


def rows(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def test_show_has_policies_teams_and_when_a_route_is_quiet(routes):
    assert rows(routes("show").out) == [
        "ROUTE RECEIVER WAIT INTERVAL REPEAT TEAM QUIET GROUP BY",
        "{} last 30s 5m 4h - - -",
        '├─ {severity="critical"} policy:page 0s 5m - - - -',
        '│ └─ {team="db"} db 0s 5m 4h - active only in office -',
        '├─ nightly {severity="low"} continue last 30s 5m 4h db mute in nights, office -',
        '└─ {severity=~"low|high"} policy:mail 30s 5m - - - -',
    ]


def test_show_as_json_has_them_under_the_keys_of_a_configuration(routes):
    root = json.loads(routes("show", "--output", "json").out)["route"]
    critical, nightly, rest = root["routes"]
    assert (critical["receiver"], critical["policy"]) == (None, "page")
    assert critical["routes"][0]["active_time_intervals"] == ["office"]
    assert (nightly["team"], nightly["mute_time_intervals"]) == ("db", ["nights", "office"])
    assert (rest["labels"], rest["policy"]) == ({"tier": "two"}, "mail")


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        (
            "dot",
            [
                '  r1 [label="policy:page\\n0s / 5m"];',
                '  r2 [label="db\\n0s / 5m / 4h\\nactive only in office"];',
            ],
        ),
        (
            "mermaid",
            ['  r1["policy:page<br>0s / 5m"]', '  r3["last<br>30s / 5m / 4h<br>mute in nights, office"]'],
        ),
    ],
)
def test_drawings_have_policies_and_when_a_route_is_quiet(routes, output, lines):
    drawn = routes("show", "--output", output).out.replace("#59;", ";").splitlines()
    assert [line for line in lines if line not in drawn] == []


@pytest.mark.parametrize(
    ("labels", "printed"),
    [
        (["severity=critical"], "policy:page"),
        (["severity=critical", "team=db"], "db"),
        (["severity=low"], "last,policy:mail"),
        ([], "last"),
    ],
)
def test_test_shows_a_policy_by_its_name_and_is_not_changed_by_intervals(routes, labels, printed):
    assert routes("test", *labels).out == printed + "\n"
    assert routes("test", f"--verify.receivers={printed}", *labels).code == 0


def test_json_and_batches_have_receivers_and_policies_apart(routes, tmp_path):
    answer = {
        "receivers": ["last"],
        "policies": ["mail"],
        "routes": ["nightly", '{}/{severity=~"low|high"}'],
    }
    assert json.loads(routes("test", "--output", "json", "severity=low").out) == answer
    (tmp_path / "sets.jsonl").write_text('{"severity": "low"}\n{"severity": "critical"}\n')
    batch = routes("test", "--batch", f"{tmp_path}/sets.jsonl").out.splitlines()
    assert [json.loads(line) for line in batch] == [
        answer,
        {"receivers": [], "policies": ["page"], "routes": ['{}/{severity="critical"}']},
    ]


def test_explain_says_whom_a_policy_tells_and_when_a_route_is_quiet(routes):
    said = rows(routes("test", "--explain", "severity=low", "team=web").out)
    assert 'told nightly {severity="low"} to last; mute in nights, office' in said
    assert 'told {severity=~"low|high"} to policy:mail, which tells team web: lead' in said
    critical = rows(routes("test", "--explain", "severity=critical", "team=web").out)
    assert any(
        "to policy:page, as no route below takes it, which tells team web: lead" in line for line in critical
    )


def test_explain_says_who_is_told_instead_of_those_who_cannot_be_reached(routes):
    said = rows(routes("test", "--explain", "severity=high").out)
    assert 'told {severity=~"low|high"} to policy:mail, which tells last instead of team: lead' in said


def test_explain_as_json_has_the_same(routes):
    found = json.loads(routes("test", "--explain", "-o", "json", "severity=low", "team=web").out)[
        "explanation"
    ]
    nightly, mail = found[2], found[3]
    assert (nightly["told"], nightly["mute_time_intervals"]) == ([], ["nights", "office"])
    assert mail["told"] == ["team web: lead"]
