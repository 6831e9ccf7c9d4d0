"""The reference deployment's own tests: they pass, they reach everything, and they notice a mistake.

Each mutant is one mistake as people make them: a matcher, an order, a delay, a policy, a target, a schedule.
"""

# ruff: noqa: E501 - a line for each mistake

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from reference import FOLDER

from config.problems import ConfigError
from gateway.simulation.testing import load, run

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = (FOLDER / "tocsin.yaml").read_text()

MUTANTS = {
    # matchers
    "critical alerts are those called crit": ('matchers: [severity="critical"]\n      policy', 'matchers: [severity="crit"]\n      policy'),
    "high takes in medium": ('- name: high\n      matchers: [severity="high"]', '- name: high\n      matchers: [severity=~"high|medium"]'),
    "the policy of medium asks for its name in capitals": ('- name: medium\n      matchers: [severity="medium"]', '- name: medium\n      matchers: [severity="Medium"]'),
    "performance is written performence": ('[category="performance"]', '[category="performence"]'),
    "the belief system is asked by category": ('[component="belief_system"]', '[category="belief_system"]'),
    "business is everything else": ('[category="business"]', '[category!="business"]'),
    "product hears twice, others never": ('team!~"product|"', 'team=~"product|"'),
    # order
    "inference does not go on": ('matchers: [component="inference"]\n          continue: true', 'matchers: [component="inference"]'),
    "subjects do not go on to their team": ('team!~"product|"]\n      continue: true', 'team!~"product|"]'),
    "coalitions do not go on": ('matchers: [component="coalitions"]\n          continue: true', 'matchers: [component="coalitions"]'),
    # delays
    "management after 50 minutes": ("- after: 5m\n        notify: [{receiver: management}]", "- after: 50m\n        notify: [{receiver: management}]"),
    "the C-level after 10 minutes": ("- after: 15m\n        unless: resolved\n        notify: [{receiver: c-level}]", "- after: 10m\n        unless: resolved\n        notify: [{receiver: c-level}]"),
    "the lead of security waits like others": ("- after: 10m\n        when:", "- after: 15m\n        when:"),
    "critical alerts wait for their group": ("policy: critical\n      group_wait: 0s", "policy: critical\n      group_wait: 30s"),
    "the reminder of medium comes after three hours": ("- after: 30m\n        notify: [{team: slack}]", "- after: 3h\n        notify: [{team: slack}]"),
    "subjects are reminded every four hours": ("repeat_interval: 2h", "repeat_interval: 4h"),
    "high becomes critical after three hours": ("- after: 2h\n        unless: resolved\n        policy: critical", "- after: 3h\n        unless: resolved\n        policy: critical"),
    # policies
    "an acknowledgement keeps the C-level from hearing": ("unless: resolved\n        notify: [{receiver: c-level}]", "notify: [{receiver: c-level}]"),
    "management hears although somebody has it": ("- after: 5m\n        notify", "- after: 5m\n        unless: resolved\n        notify"),
    "high alerts go by the policy of medium": ('matchers: [severity="high"]\n      policy: high', 'matchers: [severity="high"]\n      policy: medium'),
    "medium never becomes high": ("policy: high\n        severity: high", "policy: medium\n        severity: high"),
    "what becomes critical is told as before": ("policy: critical\n        severity: critical", "policy: critical\n        severity: high"),
    "a system that is down goes the usual way too": ('- when: [alertname!="FreeAgenticsSystemDown"]', '- when: [alertname!="SystemDown"]'),
    # targets
    "critical alerts tell no pager": ("notify: [{team: pagerduty}, {team: slack}, {receiver: critical-escalation}]", "notify: [{team: slack}, {receiver: critical-escalation}]"),
    "the lead is mailed as manager": ('when: [team!="security"]\n        notify: [{team: lead}]', 'when: [team!="security"]\n        notify: [{team: manager}]'),
    "the channels of security are those of sre": ('["#security-incidents", "#security"]', '["#sre-alerts", "#sre"]'),
    "incidents are told in alerts": ('{channel: "#incidents", mention: "@here"}', '{channel: "#alerts"}'),
    "the lead of the database is that of the backend": ("lead: database-lead@", "lead: backend-lead@"),
    # inhibition
    "a critical component silences only medium": ('target_matchers: [severity=~"high|medium"]', 'target_matchers: [severity="medium"]'),
    "an outage silences other jobs": ('target_matchers: [alertname!="FreeAgenticsSystemDown"]\n    equal: [job]', 'target_matchers: [alertname!="FreeAgenticsSystemDown"]\n    equal: []'),
    "agents silence the outage": ("""target_matchers: ['alertname=~".*Agent.*"', alertname!="FreeAgenticsSystemDown"]""", """target_matchers: ['alertname=~"Agent.*"']"""),
    "no memory silences nothing": ('[alertname="AgentMemoryUsageWarning"]', '[alertname="AgentMemoryWarning"]'),
}  # fmt: skip


def failing(folder: Path, config: str) -> list[str]:
    """The tests that fail with this configuration, or what the tests name and it does not have any more."""
    (folder / "tocsin.yaml").write_text(config)
    shutil.copy(FOLDER / "tests.yaml", folder)
    try:
        loaded = load([folder / "tests.yaml"])
    except ConfigError as error:
        return list(map(str, error.problems))
    cases = [(suite, case) for suite in loaded.suites for case in suite.cases]
    return [tried.case.name for tried in run(loaded, cases) if tried.failed]


def test_every_promise_of_the_guide_is_kept(tmp_path: Path):
    assert failing(tmp_path, CONFIG) == []


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_mistake_in_the_configuration_makes_a_test_fail(tmp_path: Path, mistake: str):
    right, wrong = MUTANTS[mistake]
    assert CONFIG.count(right) == 1
    assert failing(tmp_path, CONFIG.replace(right, wrong))
