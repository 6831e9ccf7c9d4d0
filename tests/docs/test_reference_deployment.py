"""What docs/reference-deployment.md and the example's own page show is what the commands print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from reference import CASES, ENV, FOLDER, NAIVE, RULES

from gateway.cli.findings import CODES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference-deployment.md").read_text()
README = (FOLDER / "README.md").read_text()
TOCSIN = f'tocsin() {{ "{sys.executable}" -m gateway.cli "$@"; }}\n'


def run(script, folder, env):
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **env}
    command = ["bash", "-c", "set -e -o pipefail\n" + TOCSIN + script]
    done = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def shown(page):
    """(commands, what they print) of each block."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for block in blocks:
        lines = block.splitlines()
        yield "\n".join(one[2:] for one in lines if one[:2] == "$ "), [o for o in lines if o[:2] != "$ "]


@pytest.mark.parametrize(("script", "expected"), list(shown(PAGE)), ids=["by itself", "with rules"])
def test_the_commands_print_what_the_page_shows(script, expected):
    code, printed = run(script, ROOT, {})
    assert code == 0
    assert [line for line in printed.splitlines() if line in expected] == expected


def test_the_commands_of_the_example_work_in_its_folder():
    ((script, _),) = shown(README)
    code, printed = run(script, FOLDER, ENV)
    assert code == 0, printed
    assert "policy:high" in printed.splitlines()  # what `routes test` prints last


def test_the_check_says_no_to_the_naive_one():
    code, printed = run(f"tocsin check {NAIVE} --rules {' '.join(map(str, RULES))}", FOLDER, ENV)
    assert code == 1
    assert "TOC613 warning" in printed


TEAMS = ["sre", "backend", "agents", "security", "database", "product"]
CHANNELS = {
    (severity, team): channel
    for severity, row in re.findall(r"^\| `(critical|high)` \| (.+) \|$", PAGE, re.MULTILINE)
    for team, channel in zip(TEAMS, re.findall(r"`(#[\w-]+)`", row), strict=True)
}


@pytest.mark.parametrize("case", [case for case in CASES if case.labels["severity"] != "medium"])
def test_its_table_names_the_channel_of_each_alert_but_the_outage(case):
    channel = CHANNELS[case.labels["severity"], case.labels["team"]]
    assert (("slack", channel) in case.told) == (case.name != "FreeAgenticsSystemDown")


def test_the_findings_it_names_have_pages():
    named = re.findall(r"\[(TOC\d+)\]\(findings/(TOC\d+)\.md\)", PAGE)
    assert named
    assert all(code == page and code in CODES for code, page in named)


def test_the_variables_that_it_needs_are_those_it_names():
    written = set(re.findall(r"\$\{(\w+)\}", (FOLDER / "tocsin.yaml").read_text()))
    assert written == set(re.findall(r"`([A-Z_]+)`", README)) <= set(ENV)
