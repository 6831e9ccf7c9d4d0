"""Configurations in parts: what a test does not say is filled in, so that an example is about one thing."""

import textwrap
from pathlib import Path

import pytest
import yaml

from config.alertmanager import read_front
from config.findings.alerts import Alerts
from config.findings.check import run
from config.findings.subject import Subject
from config.load import ConfigError, examine
from config.rule_files import read_rules
from gateway.cli.findings import CHECKS

NOW = 1_795_500_000_000  # a day in November 2026, as the pages have it
ENV = {
    "SLACK_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "5ec7e7",
    "PAGERDUTY_KEY": "R0123456789ABCDEF",
    "PAGERDUTY_WEBHOOK_SECRET": "whsec",
    "PAGERDUTY_API_TOKEN": "u+12",
}


def completed(text: str) -> str:
    """The configuration with a root route and the receivers that are only named; its lines stay in place."""
    text = textwrap.dedent(text)
    data = yaml.safe_load(text) or {}
    if "route" not in data:
        text += "route: {receiver: default}\n"
        data["route"] = {"receiver": "default"}
    named = dict.fromkeys(_receivers(data["route"]) + _targets(data))
    if "receivers" not in data:
        hook = "webhook_configs: [{url: 'http://127.0.0.1:5001/'}]"
        text += "receivers:\n" + "".join(f"  - {{name: {name}, {hook}}}\n" for name in named)
    return text


def _receivers(route: dict) -> list[str]:
    own = [route["receiver"]] if "receiver" in route else []
    return own + [name for child in route.get("routes", ()) for name in _receivers(child)]


def _targets(data: dict) -> list[str]:
    steps = [step for policy in data.get("escalation_policies", ()) for step in policy["steps"]]
    return [to["receiver"] for step in steps for to in step.get("notify", ()) if "receiver" in to]


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Runs all checks over the text of a configuration: `[finding, ...]`."""
    monkeypatch.chdir(tmp_path)

    def run_over(
        text: str, *, rules: str = "", alertmanager: str = "", receiver="", external=None, now=0,
        without_env=False,
    ):  # fmt: skip
        file = Path("tocsin.yaml")
        file.write_text(completed(text))
        document, config, problems = examine(file, ENV, without_env=without_env)
        if problems:
            raise ConfigError(problems)
        beside = {}
        if rules:
            beside["alerts"] = Alerts(read_rules(textwrap.dedent(rules), "rules.yml"), external)
        if alertmanager:
            named = (receiver,) if receiver else ()
            beside["front"] = read_front(textwrap.dedent(alertmanager), "alertmanager.yml", named)
        return run(CHECKS, Subject(document, config, without_env=without_env, now=now, **beside))

    return run_over


@pytest.fixture
def found(check):
    """As `check`, of one code or several: `["4:7 reason", ...]`."""

    def places(text: str, *codes: str, **how) -> list[str]:
        return [f"{f.line}:{f.column} {f.reason}" for f in check(text, **how) if f.id in codes]

    return places


@pytest.fixture
def check_example(check):
    """Runs all checks over a page's example: the codes of what is found."""

    def codes(example) -> list[str]:
        files = {"rules": example.rules, "alertmanager": example.alertmanager}
        return [finding.id for finding in check(example.config, **files, now=NOW)]

    return codes
