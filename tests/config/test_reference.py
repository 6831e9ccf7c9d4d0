"""The reference deployment: each of its 25 alerts tells exactly those that the guide promises, at once."""

import re
import subprocess

import pytest
import yaml
from reference import BY_NAME, CASES, ENV, FOLDER, RULES, address

from config.alertmanager import read_front
from config.compile import compile_plan
from config.findings.alerts import Alerts
from config.findings.check import run
from config.findings.subject import Subject
from config.first_told import told_of
from config.load import examine, load
from config.rule_files import read_rules
from gateway.cli.findings import CHECKS
from routing.policies import Target
from routing.tree import Tree, walk

PLAN = compile_plan(load(str(FOLDER / "tocsin.yaml"), ENV))
README = (FOLDER / "README.md").read_text()


def told(labels, plan=PLAN):
    """(route, whom in the plan's words, kind, address) of everybody who is told of an alert at once."""
    found = []
    for route in Tree(plan.root).match(labels):
        ways = told_of(labels, route, plan).integrations
        found += [(route.key, one.receiver, one.kind, address(one.config)) for one in ways]
    return found


# --- who is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exactly_those_are_told_at_once_that_the_guide_promises(case):
    assert sorted((kind, where) for _, _, kind, where in told(case.labels)) == case.told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_alert_opens_one_incident_with_a_policy_whatever_its_subject(case):
    routes = Tree(PLAN.root).match(case.labels)
    assert sum(bool(route.policy) for route in routes) == 1


@pytest.mark.parametrize("name", [case.name for case in CASES if case.labels["severity"] == "critical"])
def test_every_critical_alert_pages(name):
    assert "pagerduty" in {kind for _, _, kind, _ in told(BY_NAME[name].labels)}


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ("critical", ["#critical-alerts", "critical", "oncall@freeagentics.com, sre@freeagentics.com"]),
        ("high", ["#high-priority-alerts"]),
        ("medium", ["#alerts"]),
        ("unheard-of", ["#alerts"]),
    ],
)
def test_an_alert_of_no_team_tells_the_channel_for_all_others_once(severity, expected):
    assert sorted(where for *_, where in told({"alertname": "New", "severity": severity})) == expected


# --- the 25 receivers ----------------------------------------------------------------------------------

MAPPING = re.findall(r"^\| `([\w-]+)` \| `([\w-]+|\{\})`: (.+) \| (.+) \|$", README, re.MULTILINE)
LISTED = """
default-receiver critical-escalation system-down-escalation security-critical agents-critical sre-critical
high-severity medium-severity sre-team backend-team agents-team security-team database-team product-team
belief-system-alerts inference-alerts coalition-alerts backend-high database-high agents-high security-high
sre-high performance-team agents-medium backend-medium
"""


def test_the_page_names_each_of_the_25_receivers_once():
    assert [receiver for receiver, *_ in MAPPING] == LISTED.split()


@pytest.mark.parametrize(("receiver", "route", "targets", "example"), MAPPING)
def test_each_receiver_or_its_counterpart_is_reached_as_the_page_says(receiver, route, targets, example):
    case = BY_NAME.get(example.strip("`"))
    labels = case.labels if case else {"alertname": "New", "severity": "high"} if "no team" in example else {}
    reached = {(key, whom) for key, whom, *_ in told(labels)}
    assert {(route, whom) for whom in re.findall(r"`([^`]+)`", targets)} <= reached


def test_nothing_in_the_configuration_waits_for_an_alert_that_never_comes():
    """Every route, and every receiver: at once, or in a later step of a policy that is followed."""
    routes = [route for case in CASES for route in Tree(PLAN.root).match(case.labels)]
    assert {route.key for route in walk(PLAN.root)} - {"{}"} == {route.key for route in routes}
    followed = [PLAN.policies[route.policy] for route in routes if route.policy]
    later = {target for policy in followed for step in policy.steps for target in step.notify}
    at_once = {route.receiver for route in routes} | {"default-receiver"}
    assert {name for name in PLAN.receivers if Target("receiver", name) not in later} <= at_once


# --- timing, rules, check ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "wait", "interval", "repeat"),
    [
        ("{}", 10, 30, 4 * 3600),
        ("critical", 0, 30, None),
        ("high", 15, 60, None),
        ("medium", 30, 300, None),
        ("subject", 30, 300, 2 * 3600),
    ],
)
def test_alerts_wait_as_long_as_the_guide_says(route, wait, interval, repeat):
    (found,) = (one for one in walk(PLAN.root) if one.key == route)
    assert (found.group_wait, found.group_interval) == (wait * 1000, interval * 1000)
    assert repeat is None or found.repeat_interval == repeat * 1000


def test_the_rule_files_hold_the_25_alerts_with_their_labels():
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    rules = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    assert set(rules) == set(BY_NAME)
    for name, case in BY_NAME.items():
        by_metric = {"alertname": name, "job": case.labels["job"]}
        assert (rules[name]["labels"] | by_metric, rules[name]["for"]) == (case.labels, case.hold)


def test_prometheus_and_alertmanager_take_their_files(require_peer):
    rules = [require_peer("promtool"), "check", "rules", *map(str, RULES)]
    front = [require_peer("amtool"), "check-config", str(FOLDER / "alertmanager.yml")]
    for command in (rules, front):
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr


def subject(*, beside):
    document, config, problems = examine(FOLDER / "tocsin.yaml", ENV)
    assert not problems
    if not beside:
        return Subject(document, config, without_env=False, now=0)
    rules = [rule for file in RULES for rule in read_rules(file.read_text(), str(file))]
    front = read_front((FOLDER / "alertmanager.yml").read_text(), "alertmanager.yml", ())
    return Subject(document, config, without_env=False, now=0, alerts=Alerts(rules), front=front)


@pytest.mark.parametrize("beside", [False, True], ids=["by itself", "with rules and front"])
def test_the_check_finds_nothing_but_that_pagerduty_cannot_answer_yet(beside):
    assert {finding.id for finding in run(CHECKS, subject(beside=beside))} <= {"TOC341"}


def test_no_alerts_can_inhibit_each_other():
    assert PLAN.inhibition.circles == ()


def test_every_secret_comes_from_the_environment():
    written = (FOLDER / "tocsin.yaml").read_text()
    secrets = re.findall(r"(?:key|token|password|pagerduty): (\S+)", written)
    assert secrets
    assert all(value.strip("\"'").startswith("${") for value in secrets)
