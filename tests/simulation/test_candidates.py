"""Alerts that first tests are made of: they go where they are meant to go."""

import pytest

from config.findings.alerts import Alerts
from config.findings.subject import Subject
from config.load import examine
from config.rule_files import read_rules
from gateway.simulation.candidates import candidates
from routing.matchers import matches_all
from routing.tree import Tree, walk

CONFIG = """\
severities: [critical, high]
teams: [{name: db}, {name: web}]
route:
  receiver: ops
  routes:
    - name: beats
      matchers: [alertname="Watchdog"]
      receiver: ops
    - name: page
      matchers: [severity="critical"]
      policy: page
    - name: named
      matchers: [alertname=~"Disk.*", zone!=""]
      receiver: ops
      continue: true
    - {name: owned, matchers: [team=~".+"], receiver: ops}
    - {name: dead, matchers: [severity="critical", team="db"], receiver: ops}
receivers:
  - {name: ops, webhook_configs: [{url: "http://127.0.0.1/"}]}
heartbeats:
  - {name: prometheus, matchers: [alertname="Watchdog"], timeout: 5m}
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: ops}]
      - {after: 5m, when: [region="north"], notify: [{receiver: ops}]}
inhibit_rules:
  - {source_matchers: [alertname="NodeDown"], target_matchers: [severity="high"], equal: [node]}
  - {name: never, source_matchers: [a="x", a="y"], target_matchers: [severity="high"]}
"""
RULES = """\
groups:
  - name: g
    rules:
      - {alert: DiskFull, expr: "disk > 1", labels: {severity: high, zone: a}}
      - {alert: Watchdog, expr: vector(1)}
      - {alert: Somewhere, expr: "sum by (team) (up) == 0", labels: {severity: high}}
      - {record: x, expr: up}
"""


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    file = tmp_path_factory.mktemp("candidates") / "tocsin.yaml"
    file.write_text(CONFIG)
    document, config, problems = examine(file)
    assert not problems
    return Subject(document, config, alerts=Alerts(read_rules(RULES, "rules.yml")))


def test_every_route_that_alerts_can_come_to_has_one(subject):
    tree = Tree(subject.plan.root)
    told = {route.key for one in candidates(subject) for labels in one.alerts for route in tree.match(labels)}
    keys = {route.key for route in walk(subject.plan.root)}
    assert told == keys - {"beats", "dead"}  # nothing but beats, and nothing at all, goes there


def test_alerts_of_rule_files_come_first_with_all_that_is_known_of_their_labels(subject):
    made = [one for one in candidates(subject) if one.always]
    assert made == list(candidates(subject))[: len(made)]
    assert made[0].name == "DiskFull"
    assert made[0].alerts == ({"alertname": "DiskFull", "severity": "high", "zone": "a"},)


def test_an_unknown_label_has_a_value_for_each_route_that_it_leads_to(subject):
    somewhere = [one for one in candidates(subject) if one.name.startswith("Somewhere")]
    assert [one.name for one in somewhere] == ["Somewhere with team=x", "Somewhere"]


def test_every_severity_and_every_team_has_one(subject):
    every = [labels for one in candidates(subject) for labels in one.alerts]
    assert {labels.get("severity") for labels in every} >= {"critical", "high", None}
    assert {labels.get("team") for labels in every} >= {"db", "web", None}


def test_a_step_with_a_condition_has_one_that_meets_it(subject):
    (one,) = [one for one in candidates(subject) if "region=north" in one.name]
    assert one.alerts[0]["severity"] == "critical"


def test_an_inhibition_rule_has_a_source_and_a_target_with_equal_labels(subject):
    (one,) = [one for one in candidates(subject) if one.name.startswith("inhibition: ")]
    rule = subject.plan.inhibition.rules[0]
    source, target = one.alerts
    assert matches_all(rule.source, source)
    assert matches_all(rule.target, target)
    assert source.get("node") == target.get("node")


def test_a_beat_is_none_and_what_says_that_it_is_missing_is_one(subject):
    names = {labels["alertname"] for one in candidates(subject) for labels in one.alerts}
    assert "Watchdog" not in names
    assert "HeartbeatMissing" in names


def test_no_two_are_alike(subject):
    alerts = [[dict(labels) for labels in one.alerts] for one in candidates(subject)]
    assert all(alerts.count(one) == 1 for one in alerts)


def test_without_rule_files_the_configuration_alone_gives_them(subject):
    alone = list(candidates(Subject(subject.document, subject.config)))
    assert alone
    assert not any(one.always for one in alone)
