"""`tocsin check FILE --rules ... --alertmanager FILE`: what stands beside a configuration."""

import json

import pytest

CONFIG = """\
route:
  receiver: inbox
  group_by: [alertname]
  routes:
    - {matchers: [severity="critical"], policy: page}
    - {matchers: [severity="high"], receiver: chat}
receivers:
  - {name: inbox, webhook_configs: [{url: "http://127.0.0.1:5001/"}]}
  - {name: chat, webhook_configs: [{url: "http://127.0.0.1:5002/"}]}
escalation_policies:
  - name: page
    steps: [{notify: [{receiver: inbox}, {receiver: chat}]}, {after: 1h, notify: [{receiver: inbox}]}]
"""
DOWN = "groups: [{name: d, rules: [{alert: Down, expr: sum(up) == 0, labels: {severity: critical}}]}]\n"
SLOW = "groups: [{name: s, rules: [{alert: Slow, expr: latency > 1, labels: {severity: high, team: web}}]}]\n"
ODD = "groups:\n  - {name: o, rules: [{alert: Odd, expr: up, labels: {severity: '{{ $labels.x }}'}}]}\n"
FRONT = """\
route: {receiver: tocsin, group_wait: 0s, group_interval: 10s, repeat_interval: 5m}
receivers:
  - name: tocsin
    webhook_configs: [{url: "http://tocsin:9199/webhook", max_alerts: 9}]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prometheus").mkdir()
    texts = {"tocsin.yaml": CONFIG, "front.yml": FRONT, "odd.yml": ODD}
    texts |= {"prometheus/a.yml": DOWN, "prometheus/b.yml": SLOW}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path


TABLE = """\
ALERT  SEVERITY  TEAM  TOLD AT ONCE
Down   critical  -     page: inbox, chat
Slow   high      -     chat
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rules", "prometheus/*.yml"),
        ("--rules", "prometheus/a.yml", "--rules", "prometheus/b.yml"),
        ("--rules", "prometheus/a.yml", "prometheus/b.yml"),  # what a shell makes of prometheus/*.yml
        ("--rules", "**/[ab].yml"),
    ],
)
def test_rule_files_are_named_by_patterns_or_one_by_one(here, folder, arguments):
    ended = here("check", "tocsin.yaml", *arguments)
    assert (ended.code, ended.out, ended.err) == (0, TABLE, "tocsin.yaml: no problems\n")


def test_what_is_not_known_is_shown_so(here, folder):
    ended = here("check", "tocsin.yaml", "--rules", "odd.yml")
    last = ended.out.splitlines()[-1]
    assert last.split(maxsplit=3) == [
        "Odd", "?", "?", "perhaps page: inbox, chat; perhaps chat; perhaps inbox",
    ]  # fmt: skip


def test_json_has_each_alert_with_its_routes(here, folder):
    document = json.loads(here("check", "tocsin.yaml", "--rules", "prometheus/*.yml", "-o", "json").out)
    assert [alert["alert"] for alert in document["alerts"]] == ["Down", "Slow"]
    slow = document["alerts"][1]
    assert (slow["file"], slow["line"], slow["labels"]) == (
        "prometheus/b.yml",
        1,
        {"severity": "high", "team": "web"},
    )
    way = {
        "route": '{}/{severity="high"}',
        "receiver": "chat",
        "policy": None,
        "told": ["chat"],
        "certain": True,
    }
    assert slow["routes"] == [way]
    assert "alerts" not in json.loads(here("check", "tocsin.yaml", "-o", "json").out)


def test_a_broken_rule_file_is_a_problem_and_the_rest_is_checked(here, folder):
    (folder / "prometheus" / "b.yml").write_text("groups: [{name: b, rules: [{alert: X}]}]\n")
    (folder / "tocsin.yaml").write_text(CONFIG.replace("group_by: [alertname]", "group_by: []"))
    ended = here("check", "tocsin.yaml", "--rules", "prometheus/*.yml")
    assert ended.code == 1
    assert "prometheus/b.yml:1:28: groups[0].rules[0]: this rule has no expr" in ended.out
    assert "TOC402" in ended.out
    assert "prometheus/b.yml: 1 problem\n" in ended.err


def test_findings_in_other_files_count_and_stand_there(here, folder):
    ended = here("check", "tocsin.yaml", "--rules", "odd.yml", "--alertmanager", "front.yml")
    assert ended.code == 1
    assert ended.out.startswith("front.yml:4:59: TOC709 error: receivers[0].webhook_configs[0].max_alerts: ")


def test_labels_that_prometheus_adds_may_be_named(here, folder):
    (folder / "odd.yml").write_text("groups: [{name: o, rules: [{alert: Odd, expr: sum(up)}]}]\n")
    ended = here("check", "tocsin.yaml", "--rules", "odd.yml", "--external-label", "severity=critical")
    assert "Odd    critical  -     page: inbox, chat" in ended.out


def test_the_receiver_that_is_tocsin_may_be_named(here, folder):
    (folder / "front.yml").write_text(FRONT.replace("/webhook", "/").replace(", max_alerts: 9", ""))
    arguments = ("check", "tocsin.yaml", "--alertmanager", "front.yml")
    assert "TOC701" in here(*arguments).out
    assert here(*arguments, "--tocsin-receiver", "tocsin").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tocsin.yaml", "--rules", "none/*.yml"), "there is no file 'none/*.yml'"),
        (("prometheus/a.yml", "--rules", "prometheus/b.yml"), "expected a tocsin.yaml beside the rule files"),
        (("tocsin.yaml", "--rules", "odd.yml", "--external-label", "a-b=c"), "'a-b=c' is no label"),
        (("tocsin.yaml", "--alertmanager", "none.yml"), "none.yml"),
        (("tocsin.yaml", "--external-label", "a=b"), "without --rules"),
        (("tocsin.yaml", "--tocsin-receiver", "x"), "without --alertmanager"),
    ],
)
def test_misuse_is_told(here, folder, arguments, said):
    ended = here("check", *arguments)
    assert ended.code == 2
    assert said in " ".join(ended.err.split())


def test_sarif_has_the_findings_of_all_files(here, folder):
    document = json.loads(here("check", "tocsin.yaml", "--alertmanager", "front.yml", "-o", "sarif").out)
    places = [one["locations"][0]["physicalLocation"] for one in document["runs"][0]["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == ["front.yml"]
