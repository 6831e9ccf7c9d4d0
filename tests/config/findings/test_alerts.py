"""Findings against the alerts of rule files: each where it stands, silent where it cannot be known."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.findings.alert_routes import CHECKS
from config.findings.alerts import Alerts
from config.findings.check import run
from config.findings.subject import Subject
from config.load import load_text
from config.problems import show_path
from config.rule_files import read_rules
from config.source import read
from routing.tree import Tree

CRITICAL = "labels: {severity: critical}"


def rules(*texts):
    return "groups:\n- name: g\n  rules:\n" + "".join(f"  - {{{text}}}\n" for text in texts)


def tree(*routes):
    return "route:\n  receiver: default\n  routes:\n" + "".join(f"  - {{{text}}}\n" for text in routes)


def test_an_alert_that_only_the_default_takes_is_found_in_the_rule_file(check):
    config = tree("matchers: ['team=\"db\"'], receiver: db")
    alerts = rules("alert: A, expr: sum(up), labels: {team: web}", "alert: B, expr: up, labels: {team: db}")
    (found,) = [one for one in check(config, rules=alerts) if one.id == "TOC601"]
    assert (found.file, found.line, found.column) == ("rules.yml", 4, 13)
    assert found.reason == "the alert A, {team=\"web\"}, reaches only the default route (receiver 'default')"


@pytest.mark.parametrize("expr", ["up", "sum by (team) (up)"])
def test_of_an_alert_whose_labels_come_from_metrics_nothing_is_said(found, expr):
    config = tree("matchers: ['team=\"db\"'], receiver: db")
    assert found(config, "TOC601", "TOC602", "TOC603", rules=rules(f"alert: A, expr: {expr}")) == []


def test_where_there_is_only_the_default_it_is_no_finding(found):
    assert found("", "TOC601", rules=rules("alert: A, expr: sum(up)")) == []


NO_RULE = "no rule sets team={!r}; they set backend"


@pytest.mark.parametrize(
    ("matcher", "reasons"),
    [
        ('team="backnd"', [NO_RULE.format("backnd") + "; did you mean 'backend'?"]),
        ('team!="backnd"', [NO_RULE.format("backnd") + "; did you mean 'backend'?"]),
        ('team="ops"', [NO_RULE.format("ops")]),
        ('team!="ops"', []),
        ('team=~"backend|ops"', []),
        ('team=~"ops|web"', [NO_RULE.format("ops"), NO_RULE.format("web")]),
        ('team=~"ops.*"', []),
        ('team=""', []),
        ('place="ops"', []),
        ('alertname="Atlas"', ["there is no rule 'Atlas'; did you mean 'Atlass'?"]),
        ('alertname="Zebra"', []),
    ],
)
def test_a_value_that_no_rule_sets_is_found_where_it_is_suspicious(found, matcher, reasons):
    config = tree(f"matchers: ['{matcher}'], receiver: x")
    told = found(config, "TOC602", rules=rules("alert: Atlass, expr: sum(up), labels: {team: backend}"))
    assert told == [f"4:18 {reason}" for reason in reasons]


def test_a_value_that_some_metric_may_bring_is_found_only_if_most_rules_say_otherwise(found):
    config = tree("matchers: ['team=\"ops\"'], receiver: x")
    said, unsaid = "alert: {}, expr: up, labels: {{team: backend}}", "alert: {}, expr: up"
    most = rules(*(said.format(name) for name in "AB"), unsaid.format("C"))
    few = rules(said.format("A"), unsaid.format("B"))
    assert len(found(config, "TOC602", rules=most)) == 1
    assert found(config, "TOC602", rules=few) == []


def test_the_old_forms_of_matchers_are_looked_at_too(found):
    config = tree("match: {team: backnd}, receiver: x", "match_re: {team: 'ops|web'}, receiver: y")
    told = found(config, "TOC602", rules=rules("alert: A, expr: sum(up), labels: {team: backend}"))
    assert [one.partition(" ")[0] for one in told] == ["4:20", "5:24", "5:24"]


def test_what_the_lists_of_severities_and_teams_say_is_not_said_twice(found):
    config = "severities: [critical]\n" + tree("matchers: ['severity=\"critcal\"'], receiver: x")
    assert found(config, "TOC602", rules=rules(f"alert: A, expr: sum(up), {CRITICAL}")) == []


@pytest.mark.parametrize(
    ("routes", "reason"),
    [
        (["matchers: [team=~h.*], receiver: x"], 'none has team=~"h.*"'),
        (["receiver: x", "matchers: [team=~d.*], receiver: y"], "A would, but an earlier route takes them"),
        (["receiver: x, continue: true", "matchers: [team=~d.*], receiver: y"], ""),
        (["matchers: [team=~h.*], routes: [{matchers: [a=b], receiver: y}]"], 'none has team=~"h.*"'),
        (["matchers: [team=bd], receiver: x"], ""),
    ],
    ids=["no such label", "hidden", "by continue", "with all below it", "TOC602 says it"],
)
def test_a_route_that_no_alert_can_reach_is_found_with_the_reason(found, routes, reason):
    alerts = rules("alert: A, expr: sum(up), labels: {team: db, a: b}")
    told = found(tree(*routes), "TOC603", rules=alerts)
    said = f"no alert of the one alerting rule can come here: {reason}"
    assert [one.partition(" ")[2] for one in told] == ([said] if reason else [])


def test_a_route_with_a_variable_without_value_is_not_judged(found):
    config = tree('matchers: ["team=\\"${NOT_SET}\\""], receiver: x', "matchers: [a=b], receiver: y")
    alerts = rules("alert: A, expr: sum(up), labels: {a: b, team: db}")
    assert found(config, "TOC601", "TOC602", "TOC603", rules=alerts, without_env=True) == []


@pytest.mark.parametrize(
    ("labels", "reasons"),
    [
        ("{severity: critical}", []),
        ("{severity: Warning}", []),
        ("{severity: '{{ $labels.severity }}'}", []),
        (
            "{severity: hihg}",
            ["the alert A has the severity 'hihg', which nobody knows; did you mean 'high'?"],
        ),
        ("{}", ["the alert A has no severity"]),
        ("{severity: ''}", ["the alert A has no severity"]),
    ],
)
def test_a_severity_that_nobody_knows_or_none_is_found(found, labels, reasons):
    told = found("", "TOC604", "TOC605", rules=rules(f"alert: A, expr: sum(up), labels: {labels}"))
    assert [one.partition(" ")[2] for one in told] == reasons


def test_a_severity_may_come_from_outside_or_from_the_metric(found):
    alerts = rules("alert: A, expr: up")
    assert found("", "TOC605", rules=alerts) == [
        "4:13 the alert A has no severity, unless its metric brings one"
    ]
    assert found("", "TOC605", rules=alerts, external={"severity": None}) == []
    assert found("", "TOC605", rules=rules("alert: A, expr: 'up{severity=~\".+\"}'")) == []


POLICY = """
global: {slack_app_token: x}
teams: [{name: db, slack_channel: "#db"}]
team_rules: [{matchers: [component=disk], team: db}]
escalation_policies: [{name: page, steps: [{notify: [{team: slack}]}]}]
route:
  receiver: default
  routes:
  - {matchers: [severity=critical], policy: page, routes: [{matchers: [a=b], team: db}]}
"""


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        ("{severity: critical}", 1),
        ("{severity: critical, team: db}", 0),
        ("{severity: critical, component: disk}", 0),
        ("{severity: critical, a: b}", 0),
        ("{severity: high}", 0),
    ],
)
def test_an_alert_without_team_is_found_where_its_policy_tells_teams(found, labels, count):
    told = found(POLICY, "TOC607", rules=rules(f"alert: A, expr: sum(up), labels: {labels}"))
    assert len(told) == count


def test_a_team_that_there_is_not_is_found_at_the_label(found):
    alerts = rules("alert: A, expr: sum(up), labels: {severity: high, team: dbs}")
    said = "the alert A has the team 'dbs', which is not in teams; did you mean 'db'?"
    assert found(POLICY, "TOC606", rules=alerts) == [f"4:62 {said}"]


names = st.sampled_from(["a", "b"])
label_sets = st.dictionaries(names, st.sampled_from(["x", "y"]))
matchers = st.builds(
    "{}{}'{}'".format, names, st.sampled_from(["=", "!=", "=~"]), st.sampled_from(["x", "y", "x|y"])
)
routes = st.fixed_dictionaries(
    {
        "matchers": st.lists(matchers.map(lambda text: text.replace("'", '"')), max_size=2),
        "continue": st.booleans(),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.lists(routes, min_size=1, max_size=4), st.lists(label_sets, min_size=1, max_size=3))
def test_where_all_labels_are_known_the_tree_says_the_same(children, alerts):
    text = json.dumps({"route": {"receiver": "r", "routes": children}, "receivers": [{"name": "r"}]})
    written = {"groups": [{"name": "g", "rules": [
        {"alert": f"A{at}", "expr": "sum(up)", "labels": labels} for at, labels in enumerate(alerts)
    ]}]}  # fmt: skip
    given_rules = Alerts(read_rules(json.dumps(written), "rules.yml"))
    subject = Subject(read(text, "t", {}), load_text(text, "t", {}), alerts=given_rules)
    told = {f.path: f.id for f in run(CHECKS, subject)}
    tree = Tree(subject.plan.root)
    reached = [tree.match({"alertname": f"A{at}", **labels}) for at, labels in enumerate(alerts)]
    for at, found in enumerate(reached):
        only_default = found == (subject.plan.root,)
        assert (told.get(f"groups[0].rules[{at}].alert") == "TOC601") == only_default
    for placed in subject.routes[1:]:
        if told.get(show_path(placed.path)) == "TOC603":
            assert not any(placed.route in found for found in reached)
