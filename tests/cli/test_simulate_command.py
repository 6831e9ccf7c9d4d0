"""`tocsin simulate`: a story for whatever is given, and one clear sentence for what cannot be meant."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from time import perf_counter, time

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "config" / "examples" / "reference" / "tocsin.yaml"
BODIES = ROOT / "gateway" / "standins" / "payloads"
CONFIG = """
route:
  receiver: ops
  group_by: [alertname]
  routes:
    - matchers: [severity="critical"]
      group_wait: 0s
      policy: page
receivers:
  - {name: ops, slack_configs: [{channel: "#ops"}]}
  - {name: pager, pagerduty_configs: [{routing_key: "${KEY}"}]}
  - {name: bosses, email_configs: [{to: bosses@example.com}]}
global: {slack_app_token: "${TOKEN}", smtp_smarthost: "localhost:25", smtp_from: tocsin@example.com}
teams: [{name: db}, {name: web}]
users:
  - {name: dana, slack_id: U0123456789, contact: {default: [slack]}}
  - {name: lee, slack_id: U1123456789, contact: {default: [slack]}}
schedules:
  - name: weekly
    layers: [{people: [dana], start: 2026-01-05 09:00}]
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: pager}, {schedule: weekly}]
      - {after: 5m, notify: [{receiver: bosses}]}
"""
AT = ("--at", "2026-12-24T03:00Z")
CRITICAL = ("alertname=ApiDown", "severity=critical", "team=db")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Writes files into the folder in which the command runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "500")

    def write(name: str, text: str | bytes) -> str:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    write("tocsin.yaml", CONFIG)
    return write


@pytest.fixture
def simulate(files, here):
    def run(*args: str):
        return here("simulate", "tocsin.yaml", *args)

    return run


@pytest.fixture
def told(simulate):
    """Who is told when, as (seconds, kind, target)."""

    def run(*args: str):
        ended = simulate(*args, "--output", "json")
        assert ended.code == 0, ended.err
        found = json.loads(ended.out)["notifications"]
        return [(one["after_s"], one["kind"], one["target"]) for one in found]

    return run


def rings(found):
    return sorted((at, who) for at, kind, who in found if kind == "ring")


# --- what happens ---------------------------------------------------------------------------------------


def test_a_story_is_told_without_secrets_and_without_a_server(simulate):
    ended = simulate(*CRITICAL, *AT, "--fires", "10m")
    assert (ended.code, ended.err) == (0, "")
    assert "Thursday, 24 December 2026, UTC" in ended.out
    assert "03:05:00   +5:00  #1  ring    bosses by mail (bosses@example.com)" in ended.out
    assert "resolved: 1 alert ended" in ended.out


def test_an_alert_that_nobody_answers_goes_through_every_step(told):
    assert rings(told(*CRITICAL, *AT)) == [(0.0, "dana"), (0.0, "pager"), (300.0, "bosses")]


def test_an_acknowledgement_in_time_spares_the_next_step(told):
    assert "bosses" not in [who for _, who in rings(told(*CRITICAL, *AT, "--ack", "3m", "--by", "dana"))]


def test_a_snooze_ends_and_the_policy_begins_again(told):
    found = rings(told(*CRITICAL, *AT, "--snooze", "3m+10m"))
    assert (780.0, "pager") in found
    assert (1080.0, "bosses") in found


def test_who_resolves_by_hand_ends_it(told):
    assert (120.0, "end", "pager") in told(*CRITICAL, *AT, "--resolve", "2m")


def test_a_service_that_refuses_brings_the_next_step_forward_where_nobody_else_was_told(told):
    found = rings(told(*CRITICAL, *AT, "--fail", "pagerduty=refused", "--fail", "dana=refused"))
    assert found == [(0.0, "bosses")]


def test_a_service_that_is_away_is_told_when_it_is_back(told):
    (at,) = (at for at, who in rings(told(*CRITICAL, *AT, "--fail", "pager=1m+2m")) if who == "pager")
    assert at == 0
    (at,) = (at for at, who in rings(told(*CRITICAL, *AT, "--fail", "pager=2m")) if who == "pager")
    assert 120 <= at < 420


def test_a_silence_keeps_everybody_from_being_told_and_is_named(simulate):
    ended = simulate(*CRITICAL, *AT, "--silence", "team=db", "--fires", "1h")
    assert "Nobody is told." in ended.out
    assert 'silence {team="db"}' in ended.out


def test_somebody_else_can_be_put_on_call(told):
    assert (0.0, "lee") in rings(told(*CRITICAL, *AT, "--override", "weekly=lee"))


def test_times_are_read_and_shown_by_the_clock_of_a_place(simulate):
    ended = simulate(*CRITICAL, "--at", "2026-12-24T03:00", "--zone", "Asia/Tokyo", "--fires", "1m")
    assert "JST (UTC+09:00)" in ended.out
    ended = simulate(*CRITICAL, "--at", "2026-12-24T03:00", "--zone", "Asia/Tokyo", "-o", "json")
    assert json.loads(ended.out)["began"] == "2026-12-23T18:00:00.000Z"


@pytest.mark.parametrize("at", [(), ("--at", "now")])
def test_it_begins_now_where_nothing_else_is_said(simulate, at):
    began = json.loads(simulate(*CRITICAL, *at, "--fires", "1m", "-o", "json").out)["began"]
    assert abs(datetime.fromisoformat(began).timestamp() - time()) < 60


def test_messages_are_shown_if_asked_for(simulate):
    assert "ApiDown" in simulate(*CRITICAL, *AT, "--show-messages", "--fires", "1m").out.partition("|")[2]
    document = json.loads(simulate(*CRITICAL, *AT, "--show-messages", "-o", "json").out)
    assert all(one["text"] for one in document["notifications"])


def test_every_decision_is_explained_if_asked_for(simulate):
    assert "step 1: telling" in simulate(*CRITICAL, *AT, "--explain").out


def test_a_drawing_and_a_page_are_written(simulate):
    assert simulate(*CRITICAL, *AT, "-o", "mermaid").out.startswith("sequenceDiagram")
    assert simulate(*CRITICAL, *AT, "-o", "html").out.startswith("<!DOCTYPE html>")


# --- alerts from files ----------------------------------------------------------------------------------


def test_a_real_webhook_body_arrives_when_its_newest_alert_began(here):
    ended = here("simulate", str(REFERENCE), "--payload", str(BODIES / "002-trunc.json"), "-o", "json")
    assert json.loads(ended.out)["began"] == "2026-11-23T08:48:35.382Z"
    assert "Alertmanager left 3 alerts out of it (max_alerts)" in ended.err


@pytest.mark.parametrize("body", sorted(BODIES.glob("*.json")), ids=lambda path: path.name)
def test_every_recorded_body_has_a_story(here, body):
    assert here("simulate", str(REFERENCE), "--payload", str(body), *AT, "--fires", "1h").code == 0


def test_alerts_of_a_file_fire_when_it_says(told, files):
    lines = [
        {"at": "10m", "labels": {"alertname": "B", "severity": "critical"}},
        {"labels": {"alertname": "A", "severity": "critical"}, "fires": "1m"},
    ]
    files("storm.jsonl", "\n".join(map(json.dumps, lines)))
    found = rings(told("--alerts", "storm.jsonl", *AT))
    assert found[0] == (0.0, "dana")
    assert (900.0, "bosses") in found
    assert (300.0, "bosses") not in found


RULES = """
groups:
  - name: g
    rules:
      - {alert: ApiDown, expr: up == 0, for: 2m, labels: {severity: critical}}
      - {alert: DiskFull, expr: 'disk{env="prod"} > 1', labels: {severity: high}}
"""


def test_each_rule_fires_its_for_after_the_beginning(told, files):
    files("rules.yml", RULES)
    found = rings(told("--rules", "*.yml", *AT))
    assert found[0] == (30.0, "ops")  # of DiskFull, which fires at once
    assert (120.0, "pager") in found


def test_labels_beside_rules_choose_and_add(simulate, files):
    files("rules.yml", RULES)
    ended = simulate("--rules", "rules.yml", "alertname=DiskFull", "severity=critical", *AT, "--explain")
    assert "policy page" in ended.out
    assert "ApiDown" not in ended.out


def test_a_shell_may_make_several_files_of_rules(here, files):
    files("a.yml", RULES)
    files("b.yml", RULES.replace("ApiDown", "DbDown"))
    for args in (
        ("tocsin.yaml", "--rules", "a.yml", "b.yml", "alertname=DbDown"),
        ("--rules", "a.yml", "b.yml", "tocsin.yaml", "alertname=DbDown"),
    ):
        ended = here("simulate", *args, *AT)
        assert (ended.code, "DbDown" in ended.out) == (0, True), ended.err
    assert "expected a tocsin.yaml beside them" in here("simulate", "--rules", "a.yml", "b.yml").err


def test_a_shell_may_make_several_bodies_of_one(simulate):
    bodies = [str(BODIES / name) for name in ("001-gw.json", "002-trunc.json")]
    assert simulate("--payload", *bodies, *AT, "--fires", "1h").code == 0


def line(at: str, status: str, **labels: str) -> str:
    return json.dumps({"at": f"2026-11-23T{at}Z", "status": status, "labels": labels}) + "\n"


WEEK = line("02:00:00", "firing", alertname="A", severity="critical") + line(
    "03:00:00", "resolved", alertname="A", severity="critical"
)


def test_a_recording_is_summed_up_or_told_as_a_whole(simulate, files):
    files("week.jsonl", WEEK)
    document = json.loads(simulate("--replay", "week.jsonl", "-o", "json").out)
    assert (document["alerts"], document["incidents"], document["people"][0]["name"]) == (2, 1, "dana")
    assert "+5:00  #1  ring    bosses" in simulate("--replay", "week.jsonl", "--timeline").out


def test_two_configurations_are_told_beside_each_other(simulate, files):
    files("other.yaml", CONFIG.replace("after: 5m", "after: 15m"))
    ended = simulate(*CRITICAL, *AT, "--compare", "other.yaml")
    assert ended.code == 0
    assert "other.yaml" in ended.out
    stories = json.loads(simulate(*CRITICAL, *AT, "--compare", "other.yaml", "-o", "json").out)["stories"]
    assert [one["config"] for one in stories] == ["tocsin.yaml", "other.yaml"]
    files("week.jsonl", WEEK)
    assert "other.yaml" in simulate("--replay", "week.jsonl", "--compare", "other.yaml").out


# --- words that look mistyped, and what cannot be meant ---------------------------------------------------


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("severity=critcal", "did you mean 'critical'?"),
        ("sevrity=critical", "did you mean 'severity'?"),
        ("team=dbb", "did you mean 'db'?"),
    ],
)
def test_a_label_that_looks_mistyped_is_doubted_and_used(simulate, label, said):
    ended = simulate("alertname=ApiDown", label, *AT)
    assert (ended.code, said in ended.err) == (0, True), ended.err


def test_a_label_like_nothing_in_the_configuration_is_no_mistake(simulate):
    assert simulate(*CRITICAL, "instance=db-1:9187", *AT).err == ""


NO_ALERT = "no alert is given"
MISTAKES = {
    (): NO_ALERT,
    ("ApiDown",): "no operator after 'ApiDown'",
    ("team!=db",): "expected a label, name=value",
    ("team=",): "at least one label with a value",
    (*CRITICAL, "--at", "tomorrow"): "--at: 'tomorrow' is no time; expected one such as 2026-12-24T03:00",
    (*CRITICAL, "--at", "2026-03-29T02:30", "--zone", "Europe/Berlin"): "never comes in Europe/Berlin",
    (*CRITICAL, "--zone", "Europe/Brelin"): "did you mean 'Europe/Berlin'",
    (*CRITICAL, "--fires", "0s"): "--fires: it cannot be 0s",
    (*CRITICAL, "--fires", "10"): "--fires: a number without a unit; expected a duration such as 30s",
    (*CRITICAL, "--ack", "soon"): "--ack soon: 'soon' is no duration",
    (*CRITICAL, "--ack", "10m", "--resolve", "5m"): "--ack 10m contradicts --resolve 5m",
    (*CRITICAL, "--resolve", "10m", "--fires", "5m"): "the alert has ended by then",
    (*CRITICAL, "--snooze", "10m"): "expected when and for how long, such as 10m+1h",
    (*CRITICAL, "--snooze", "10m+0s"): "lasts no time",
    (*CRITICAL, "--snooze", "10m+292y", "--at", "9998-01-01"): "it would end after the year 9998",
    (*CRITICAL, "--ack", "8d"): "--ack 8d: a story ends after 7 days",
    (*CRITICAL, "--by", "dana"): "expected --ack, --snooze or --resolve beside it",
    (*CRITICAL, "--ack", "1m", "--by", "danna"): "there is no user 'danna'",
    (*CRITICAL, "--fail", "slack"): "expected what and how long",
    (*CRITICAL, "--fail", "slak=30m"): "did you mean 'slack'?",
    (
        *CRITICAL,
        "--fail",
        "slack=refusd",
    ): "--fail slack=refusd: 'refusd' is no duration; expected what",
    (*CRITICAL, "--fail", "slack=1m+"): "--fail slack=1m+: '' is no duration",
    (*CRITICAL, "--snooze", "10m+"): "--snooze 10m+: '' is no duration",
    (*CRITICAL, "alertname=B"): "alertname is given twice, as 'ApiDown' and as 'B'; expected it once",
    (*CRITICAL, "--fail", "slack=soon"): "'soon' is no duration",
    (*CRITICAL, "--silence", "team=~'('"): "--silence",
    (*CRITICAL, "--silence", 'team=~".*"'): "expected at least one that needs a value",
    (*CRITICAL, "--override", "weekly"): "expected SCHEDULE=USER",
    (*CRITICAL, "--override", "weekley=dana"): "did you mean 'weekly'?",
    (*CRITICAL, "--override", "weekly=leee"): "did you mean 'lee'?",
    (*CRITICAL, "--payload", "body.json"): "--payload and labels each say what arrives",
    (*CRITICAL, "--timeline"): "--timeline says nothing without --replay",
    (*CRITICAL, "--compare", "tocsin.yaml", "-o", "mermaid"): "--compare has no drawing",
    ("--payload", "nowhere.json"): "nowhere.json cannot be read: No such file or directory",
    ("--payload", "."): ". cannot be read: Is a directory",
    ("--rules", "nothing-*.yml"): "there is no file 'nothing-*.yml'",
}


@pytest.mark.parametrize("args", MISTAKES, ids=" ".join)
def test_what_cannot_be_meant_ends_with_2_and_a_sentence(simulate, args):
    ended = simulate(*args)
    assert (ended.code, ended.out) == (2, "")
    assert MISTAKES[args] in ended.err
    assert "Traceback" not in ended.err


BAD_FILES = {
    "an empty body": ("--payload", "", "is empty; expected alerts in it"),
    "a body cut off": ("--payload", (BODIES / "001-gw.json").read_bytes()[:200], "seems to be cut off"),
    "no webhook": ("--payload", '{"version": "5"}', 'version: expected "4"'),
    "no alerts in it": ("--payload", '{"version": "4", "alerts": []}', "expected at least one alert"),
    "no valid alert": ("--payload", '{"version": "4", "alerts": [{}]}', "no alert in it can be used"),
    "an empty list": ("--payload", "[]", "no alert in it can be used"),
    "empty lines": ("--alerts", "\n\n", "is empty; expected alerts in it"),
    "a body that is no text": ("--payload", b"\xff{}", "file: the body is not UTF-8 at byte 0\n"),
    "a line that is no text": (
        "--alerts",
        b"\xff\n{}\n",
        "file:1: this is not UTF-8, so it is no text;",
    ),
    "a recording that is no text": (
        "--replay",
        b"\xff\n{}\n",
        "file:1: this is not UTF-8, so it is no text\n",
    ),
    "a line cut off": (
        "--alerts",
        '{"labels": {"a": "b"}}\n{"labels"',
        "file:2: the file ends in the middle",
    ),
    "a line that is no JSON": ("--alerts", 'a\n{"labels": {"a": "b"}}\n', "file:1: no JSON at column 1"),
    "a line that is no object": ("--alerts", "[1]\n", "file:1: expected an alert such as"),
    "a key that there is not": ("--alerts", '{"label": {}}\n', "did you mean 'labels'?"),
    "no labels": ("--alerts", '{"at": "1m"}\n', "file:1: this alert has no labels"),
    "a label that is no text": ("--alerts", '{"labels": {"a": 1}}\n', "labels.a: expected text in quotes"),
    "no time": ("--alerts", '{"labels": {"a": "b"}, "at": "soon"}\n', "at: 'soon' is no time"),
    "fires for no time": ("--alerts", '{"labels": {"a": "b"}, "fires": "0s"}\n', "fires: expected longer"),
    "a recording": ("--alerts", WEEK, "read these with --replay"),
    "an empty recording": ("--replay", "", "is empty; expected one alert as JSON on each line"),
    "a recording cut off": ("--replay", WEEK[:150], "file:2: the file ends in the middle of this line"),
    "rules that are none": ("--rules", "groups: 3\n", "file has 1 problem"),
    "no rules": ("--rules", "groups: []\n", "there is no alerting rule in file"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_used_ends_with_2_and_its_place(simulate, files, case):
    option, content, said = BAD_FILES[case]
    files("file", content)
    ended = simulate(option, "file")
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err, ended.err


def test_a_configuration_with_errors_ends_with_2_and_all_of_them(here, files):
    files("tocsin.yaml", "route: {reciever: ops}\nreceivers: [{name: ops, slack: []}]\n")
    ended = here("simulate", "tocsin.yaml", "a=b")
    assert ended.code == 2
    assert "tocsin.yaml has 3 problems" in ended.err
    assert "tocsin.yaml:1:9: route.reciever" in ended.err


def test_moments_and_durations_together_need_a_beginning(simulate, files):
    files(
        "mixed.jsonl", '{"labels": {"a": "b"}, "at": "2026-12-24T03:00Z"}\n{"labels": {"a": "c"}, "at": "1m"}'
    )
    assert "Say when it begins with --at" in simulate("--alerts", "mixed.jsonl").err
    assert simulate("--alerts", "mixed.jsonl", *AT).code == 0
    assert "before the beginning" in simulate("--alerts", "mixed.jsonl", "--at", "2026-12-25T03:00").err


def test_options_of_one_story_do_not_go_with_a_sum(simulate, files):
    files("week.jsonl", WEEK)
    for options in (["--ack", "3m"], list(AT), ["--fires", "1h"], ["--explain"], ["-o", "mermaid"]):
        ended = simulate("--replay", "week.jsonl", *options)
        assert (ended.code, "--replay" in ended.err) == (2, True), options
    assert simulate("--replay", "week.jsonl", "--timeline", "--ack", "3m").code == 0


def test_an_answer_that_comes_when_nothing_is_open_is_said_to_be_in_vain(simulate):
    assert "no incident is open" in simulate(*CRITICAL, *AT, "--fires", "5m", "--ack", "3h").out


def test_one_alert_takes_a_whole_process_little_time(files):
    took = []
    for _ in range(3):
        before = perf_counter()
        command = [sys.executable, "-m", "gateway.cli", "simulate", "tocsin.yaml", *CRITICAL, *AT]
        subprocess.run(command, check=True, capture_output=True, env={"PYTHONPATH": str(ROOT)})
        took.append(perf_counter() - before)
    assert min(took) < 3  # 0.5 s on an idle machine; `make bench` holds it to that


def test_nothing_that_only_a_service_needs_is_imported(files):
    heavy = "aiohttp", "asyncio", "structlog", "jinja2", "redis", "slack_sdk", "ssl"
    script = (
        "import sys; from gateway.cli import main\n"
        f"sys.argv = ['tocsin', 'simulate', 'tocsin.yaml', *{CRITICAL!r}]\n"
        f"try: main()\nfinally: print('LOADED', [m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert "LOADED []" in done.stdout, done.stdout + done.stderr
