"""A reference deployment with the mistakes that people make: `tocsin check` finds each, where it was made."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from reference import BY_NAME, CASES, ENV, NAIVE, RULES, address, text

from config.compile import compile_plan
from config.findings.alerts import Alerts
from config.findings.check import run
from config.findings.subject import Subject
from config.load import ConfigError, examine, load_text
from config.rule_files import read_rules
from gateway.cli.findings import CHECKS
from routing.tree import Tree

UNREACHED = {"agents-critical", "agents-high", "agents-medium", "belief-system-alerts", "coalition-alerts"}
SHADOW = '{matchers: [team="agents"], receiver: agents-team}'
CONTINUED = '{matchers: [team="agents"], receiver: agents-team, continue: true}'

# (code, how the line begins in which it is found)
FOUND = [
    # A team's route without continue takes all that comes after it.
    ("TOC102", '- {matchers: [team="agents"], receiver: agents-high}'),
    ("TOC301", "- {name: agents-high,"),
    ("TOC603", '- {matchers: [team="agents"], receiver: agents-high}'),
    ("TOC603", '- {matchers: [category="coordination"], receiver: agents-critical}'),
    ("TOC603", '- {matchers: [component="belief_system"], receiver: belief-system-alerts}'),
    ("TOC603", '- {matchers: [component="coalitions"], receiver: coalition-alerts}'),
    ("TOC603", '- {matchers: [category="coordination"], receiver: agents-medium}'),
    # Two critical alerts page nobody: one because of that, one since its receiver has no PagerDuty.
    ("TOC613", "- alert: AgentCoordinationFailure"),
    ("TOC613", "- alert: SystemMemoryUsageCritical"),
    # Management after five minutes, C-level after fifteen: it is promised, and neither ever hears of it.
    ("TOC102", '- {matchers: [severity="critical"], receiver: management,'),
    ("TOC102", '- {matchers: [severity="critical"], receiver: c-level,'),
    ("TOC603", '- {matchers: [severity="critical"], receiver: management,'),
    ("TOC603", '- {matchers: [severity="critical"], receiver: c-level,'),
    ("TOC301", "- name: management"),
    ("TOC301", "- name: c-level"),
    # The outage and the failure that it causes silence each other; and so could alerts that are yet to come.
    ("TOC612", '- source_matchers: [alertname="AgentCoordinationFailure"]'),
    ("TOC201", '- source_matchers: [severity="critical"]'),
]


def findings(change=("", ""), rules=RULES, folder=None):
    """What `tocsin check --rules` finds in the naive file, if some of it were written otherwise."""
    file = NAIVE
    if change[0]:
        assert NAIVE.read_text().count(change[0]) == 1
        file = folder / "tocsin.yaml"
        file.write_text(NAIVE.read_text().replace(*change))
    document, config, problems = examine(file, ENV)
    assert not problems
    alerts = (
        Alerts(rule for one in rules for rule in read_rules(one.read_text(), str(one))) if rules else None
    )
    return run(CHECKS, Subject(document, config, without_env=False, now=0, alerts=alerts))


def place(finding):
    """The beginning of the line that a finding names; of a label of a rule, that of its rule."""
    lines = Path(finding.file).read_text().splitlines()[: finding.line]
    if Path(finding.file) != NAIVE:
        return next(line for line in reversed(lines) if "- alert: " in line).strip()
    return lines[-1].strip()


def test_every_mistake_is_found_where_it_was_made_and_nothing_else():
    found = [(finding.id, place(finding)) for finding in findings()]
    missing = [want for want in FOUND if not any(i == want[0] and p.startswith(want[1]) for i, p in found)]
    assert missing == []
    assert Counter(code for code, _ in found) == Counter(code for code, _ in FOUND)


def test_without_the_rule_files_what_is_wrong_whatever_the_alerts_are_is_found():
    by_itself = [code for code, _ in FOUND if not code.startswith("TOC6")]
    assert Counter(finding.id for finding in findings(rules=[])) == Counter(by_itself)


def test_it_is_said_which_route_hides_and_who_is_told_instead():
    said = {finding.id: finding.reason for finding in findings()}
    line = 1 + NAIVE.read_text()[: NAIVE.read_text().index(SHADOW)].count("\n")
    assert f'the route in line {line}, {{team="agents"}}, takes all that could come here' in said["TOC102"]
    assert said["TOC613"].endswith("told: sre-team, sre-critical")
    assert "FreeAgenticsSystemDown inhibits AgentCoordinationFailure, and" in said["TOC612"]


@pytest.mark.parametrize(
    ("change", "mended"),
    [
        ((SHADOW, CONTINUED), {"agents-high", "agents-critical", "belief", "coalition", "agents-medium",
                               "AgentCoordinationFailure is critical"}),
        (("  - name: sre-critical # forgotten: pagerduty_configs",
          '  - name: sre-critical\n    pagerduty_configs: [{routing_key: "${PAGERDUTY_CRITICAL_KEY}"}]'),
         {"SystemMemoryUsageCritical is critical"}),
        (('target_matchers: [alertname=~".*Agent.*"]',
          'target_matchers: [alertname=~".*Agent.*", alertname!="FreeAgenticsSystemDown"]'),
         {"FreeAgenticsSystemDown inhibits AgentCoordinationFailure"}),
    ],
    ids=["continue", "pagerduty", "circle"],
)  # fmt: skip
def test_what_is_mended_is_found_no_more(change, mended, tmp_path):
    def said(found):
        return [f"{one.reason} {place(one) if one.file == str(NAIVE) else ''}" for one in found]

    before, after = said(findings()), [one.reason for one in findings(change, folder=tmp_path)]
    assert all(any(word in text for text in before) for word in mended)
    assert not [text for text in after if any(word in text for word in mended)]
    assert len(after) < len(before)


# --- the mistakes are real -----------------------------------------------------------------------------

PLAN = compile_plan(load_text(NAIVE.read_text(), "naive", ENV))


def receivers(labels):
    return [route.receiver for route in Tree(PLAN.root).match(labels)]


def test_five_of_its_25_receivers_are_never_reached():
    those_to_come = [{"alertname": "New"}, {"alertname": "New", "severity": "high"}]
    labels = [case.labels for case in CASES] + those_to_come
    reached = {name for one in labels for name in receivers(one)}
    assert set(PLAN.receivers) - reached == UNREACHED | {"management", "c-level"}
    assert len(PLAN.receivers) == 25 + 2


@pytest.mark.parametrize("name", [case.name for case in CASES if case.labels["severity"] == "critical"])
def test_two_of_its_critical_alerts_page_nobody(name):
    told = [one for receiver in receivers(BY_NAME[name].labels) for one in PLAN.receivers[receiver]]
    pages = [address(one.config) for one in told if one.kind == "pagerduty"]
    assert bool(pages) == (name not in ("AgentCoordinationFailure", "SystemMemoryUsageCritical"))


def test_alertmanager_takes_it_without_a_word_and_sends_alerts_the_same_way(require_peer, tmp_path):
    amtool, file = require_peer("amtool"), tmp_path / "alertmanager.yml"
    file.write_text(text(NAIVE))
    assert subprocess.run([amtool, "check-config", file], capture_output=True, timeout=30).returncode == 0
    for case in CASES[::4]:
        labels = [f"{name}={value}" for name, value in case.labels.items()]
        command = [amtool, "config", "routes", "test", f"--config.file={file}", *labels]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.stdout.strip().split(",") == receivers(case.labels)


BROKEN = [
    (r"receiver: c-level,", "receiver: c-levels,"),
    (r"  - name: management\b.*\n.*\n", ""),
    (r"  - \{name: sre-team", "  - {name: sre-high"),
    (r"group_wait: 0s", "group_wait: 0sec"),
    (r"email_configs: \[\{to: ciso@", "email_configs: [{title: ciso@"),
]


@pytest.mark.parametrize(("pattern", "instead"), BROKEN)
def test_what_alertmanager_refuses_is_refused_here_too(require_peer, tmp_path, pattern, instead):
    broken = re.sub(pattern, instead, text(NAIVE), count=1)
    (tmp_path / "alertmanager.yml").write_text(broken)
    command = [require_peer("amtool"), "check-config", tmp_path / "alertmanager.yml"]
    assert subprocess.run(command, capture_output=True, timeout=30).returncode != 0
    with pytest.raises(ConfigError):
        load_text(broken, "naive", {})
