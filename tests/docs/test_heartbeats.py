"""What the page about heartbeats shows is a valid configuration, and does what it says."""

import re
from pathlib import Path

from config.compile import compile_plan
from config.findings.check import run
from config.findings.heartbeats import CHECKS
from config.findings.subject import Subject
from config.load import load_text
from config.source import read

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "heartbeats.md").read_text()
BASE = "route: {receiver: a}\nreceivers: [{name: a}]\nteams: [{name: platform, email: a@example.com}]\n"
ENV = {"BACKUP_TOKEN": "x" * 20, "HEALTHCHECK_URL": "https://example.com/ping/1"}


def test_the_configurations_of_the_page_are_valid_and_nothing_is_found_in_them():
    text = BASE + "".join(re.findall("```yaml\n(.*?)```", PAGE, re.DOTALL))
    config = load_text(text, "tocsin.yaml", ENV)
    watchdog, backup = compile_plan(config).heartbeats
    assert watchdog.labels["severity"] == "critical"
    assert backup.timeout == 25 * 3_600_000
    assert config.beats[0].every == 60_000
    assert run(CHECKS, Subject(read(text, "tocsin.yaml", ENV), config)) == ()
