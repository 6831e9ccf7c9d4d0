"""`tocsin routes show` and `tocsin routes test`."""

import json
import subprocess

import pytest

CONFIG = r"""
route:
  receiver: slack-alerts
  group_by: [alertname, cluster]
  routes:
    - matchers: [severity="critical"]
      receiver: audit
      continue: true
    - matchers: [team="db"]
      receiver: db
      group_wait: 0s
      routes:
        - matchers: ['alertname=~"Slow.*"', 'disk="a\"b"']
          receiver: db-slow
          group_interval: 1h30m
    - matchers: [team="web"]
      receiver: web "<&>"
      group_by: ['...']
receivers: [name: slack-alerts, name: audit, name: db, name: db-slow, name: 'web "<&>"']
"""
SLOW, DISK = 'alertname=~"Slow.*"', r'disk="a\"b"'
DB_PAGE = ("team=db", "severity=critical")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tocsin.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def routes(here, file):
    """Runs `tocsin routes COMMAND --config FILE ARGS...`."""
    return lambda command, *arguments: here("routes", command, "--config", str(file), *arguments)


def rows(text):
    """Lines without the space that only aligns."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_show_draws_the_tree_with_receivers_and_timings(routes):
    ended = routes("show")
    assert (ended.code, ended.err) == (0, "")
    assert rows(ended.out) == [
        "ROUTE RECEIVER WAIT INTERVAL REPEAT GROUP BY",
        "{} slack-alerts 30s 5m 4h alertname, cluster",
        '├─ {severity="critical"} continue audit 30s 5m 4h alertname, cluster',
        '├─ {team="db"} db 0s 5m 4h alertname, cluster',
        r'│ └─ {alertname=~"Slow.*",disk="a\"b"} db-slow 0s 1h30m 4h alertname, cluster',
        '└─ {team="web"} web "<&>" 30s 5m 4h ...',
    ]


def test_show_marks_the_way_of_an_alert(routes):
    marks = [line.partition("  ")[0] for line in routes("show", *DB_PAGE).out.splitlines()]
    assert marks == ["ALERT", "passed on", "told", "told", "declined", ""]


def test_a_named_route_shows_its_name_before_its_matchers(here, file):
    file.write_text(CONFIG.replace("receiver: audit", "receiver: audit\n      name: all-critical"))
    shown = here("routes", "show", "--config", str(file)).out
    assert '├─ all-critical {severity="critical"}  continue' in shown


def test_show_as_json_has_the_keys_of_a_configuration_and_what_became_of_the_alert(routes):
    root = json.loads(routes("show", "--output", "json", *DB_PAGE).out)["route"]
    (slow,) = root["routes"][1]["routes"]
    assert slow == {
        "key": r'{}/{team="db"}/{alertname=~"Slow.*",disk="a\"b"}',
        "matchers": ['alertname=~"Slow.*"', r'disk="a\"b"'],
        "receiver": "db-slow",
        "policy": None,
        "team": None,
        "labels": {},
        "mute_time_intervals": [],
        "active_time_intervals": [],
        "group_by": ["alertname", "cluster"],
        "group_wait": "0s",
        "group_interval": "1h30m",
        "repeat_interval": "4h",
        "continue": False,
        "outcome": "declined",
        "routes": [],
    }
    assert [one["outcome"] for one in root["routes"]] == ["told", "told", "not asked"]
    assert "outcome" not in json.loads(routes("show", "--output", "json").out)["route"]


def test_show_as_dot_is_a_graph_with_everything_quoted(routes):
    lines = routes("show", "--output", "dot", *DB_PAGE).out.splitlines()
    assert (lines[0], lines[-1]) == ("digraph routes {", "}")
    assert r'  r2 [label="db\n0s / 5m / 4h", style=filled, fillcolor="#b7e4c7"];' in lines
    assert r'  r4 [label="web \"<&>\"\n30s / 5m / 4h"];' in lines
    assert r'  r2 -> r3 [label="{alertname=~\"Slow.*\",disk=\"a\\\"b\"}"];' in lines


def test_show_as_mermaid_is_a_flowchart_with_everything_escaped(routes):
    lines = routes("show", "--output", "mermaid", *DB_PAGE).out.splitlines()
    assert lines[0] == "flowchart LR"
    assert '  r4["web #34;#60;#38;#62;#34;<br>30s / 5m / 4h"]' in lines
    assert '  r0 -->|"#123;severity=#34;critical#34;#125; continue"| r1' in lines
    assert lines[-3:] == ["  style r0 fill:#e9f5ec", "  style r1 fill:#b7e4c7", "  style r2 fill:#b7e4c7"]


@pytest.mark.parametrize(
    "labels",
    [(), ("team=db",), DB_PAGE, ("team=",), ("team=web", "team=db"), ("team=db,x", 'severity="critical"')],
)
@pytest.mark.e2e
def test_test_prints_exactly_what_amtool_prints(routes, file, require_peer, labels):
    command = [require_peer("amtool"), "config", "routes", "test", f"--config.file={file}", *labels]
    theirs = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert (routes("test", *labels).code, routes("test", *labels).out) == (0, theirs)


def test_test_as_json_has_receivers_policies_and_routes(routes):
    assert json.loads(routes("test", "--output", "json", *DB_PAGE).out) == {
        "receivers": ["audit", "db"],
        "policies": [],
        "routes": ['{}/{severity="critical"}', '{}/{team="db"}'],
    }


def test_explain_says_of_each_route_asked_why_and_ends_with_the_receivers(routes):
    ended = routes("test", "--explain", "team=db", "alertname=SlowQuery")
    assert rows(ended.out) == [
        "ALERT ROUTE WHY",
        "passed on {} a route below takes it",
        'declined {severity="critical"} severity="critical" fails: there is no severity',
        'told {team="db"} to db, as no route below takes it; no continue: the next one is not asked',
        f"declined {{{SLOW},{DISK}}} {DISK} fails: there is no disk; {{{SLOW}}} holds",
        "db",
    ]


def test_explain_as_json_has_each_matcher(routes):
    document = json.loads(routes("test", "--explain", "--output", "json", "team=app").out)
    assert document["receivers"] == ["slack-alerts"]
    assert document["explanation"][2] == {
        "route": '{}/{team="db"}',
        "depth": 1,
        "outcome": "declined",
        "held": [],
        "failed": 'team="db"',
        "found": "app",
        "unasked": 0,
        "told": [],
        "mute_time_intervals": [],
        "active_time_intervals": [],
    }


@pytest.mark.parametrize(
    ("expected", "code", "said"),
    [
        ("audit,db", 0, ""),
        ("db,audit", 1, "expected the receivers db,audit, but the alert goes to audit,db\n"),
    ],
)
def test_verify_receivers_is_exit_code_1_where_others_are_told_or_in_another_order(
    routes, expected, code, said
):
    ended = routes("test", f"--verify.receivers={expected}", *DB_PAGE)
    assert (ended.code, ended.out, ended.err) == (code, "audit,db\n", said)


SETS = '{"team": "db", "severity": "critical"}\n{}\n{"team": "é"}'
ANSWERS = [["audit", "db"], ["slack-alerts"], ["slack-alerts"]]


def test_a_batch_from_a_file_is_answered_line_by_line(routes, tmp_path):
    (tmp_path / "sets.jsonl").write_text(SETS)
    answers = [
        json.loads(line) for line in routes("test", "--batch", f"{tmp_path}/sets.jsonl").out.splitlines()
    ]
    assert [one["receivers"] for one in answers] == ANSWERS
    assert answers[0] == {
        "receivers": ["audit", "db"],
        "policies": [],
        "routes": ['{}/{severity="critical"}', '{}/{team="db"}'],
    }


async def test_a_batch_from_stdin_is_answered_line_by_line(shell, file):
    ended = await shell(f"printf '%s' '{SETS}' | tocsin routes test --config {file} --batch -")
    assert (ended.code, ended.err) == (0, "")
    assert [json.loads(line)["receivers"] for line in ended.out.splitlines()] == ANSWERS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "sets.jsonl:2: not JSON"),
        ("{", "sets.jsonl:2: not JSON"),
        ("[]", "sets.jsonl:2: no object; expected one JSON object of labels"),
        ('{"a": 1}', "sets.jsonl:2: the value of 'a' is no text"),
        ('{"a": "' + "x" * 1_048_576 + '"}', "sets.jsonl:2: longer than 1048576 bytes"),
    ],
)
def test_a_bad_line_ends_the_batch_after_the_answers_before_it(routes, tmp_path, line, said):
    (tmp_path / "sets.jsonl").write_text("{}\n" + line + "\n{}\n")
    ended = routes("test", "--batch", f"{tmp_path}/sets.jsonl")
    assert (ended.code, len(ended.out.splitlines())) == (1, 1)
    assert said in ended.err


def test_a_batch_that_is_not_there_is_said(routes):
    ended = routes("test", "--batch", "/nowhere/sets.jsonl")
    assert (ended.code, ended.err) == (
        1,
        "Error: /nowhere/sets.jsonl cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["team"], "'team': no operator after 'team'"),
        (["team!=db"], "'team!=db' is a condition; expected a label, name=value"),
        (["{team=db}"], "'{team=db}': a brace around one matcher"),
        (["--batch", "-", "team=db"], "expected no labels, --explain or --verify.receivers beside it"),
        (["--batch", "-", "--explain"], "expected no labels, --explain or --verify.receivers beside it"),
    ],
)
def test_what_is_no_label_set_is_misuse(routes, arguments, said):
    ended = routes("test", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_a_wrong_configuration_is_told_with_its_places(here, file):
    file.write_text("route: {receiver: b}\nreceivers: [{name: a}]\n")
    ended = here("routes", "show", "--config", str(file))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"Error: {file} has 1 problem\n  {file}:1:19: route.receiver: there is no")


def test_ten_thousand_routes_are_shown(here, file):
    leaves = ", ".join(f"{{matchers: [a=b{number}]}}" for number in range(10_000))
    file.write_text(f"route: {{receiver: a, routes: [{leaves}]}}\nreceivers: [{{name: a}}]\n")
    assert len(here("routes", "show", "--output", "dot", "--config", str(file)).out.splitlines()) == 20_004
