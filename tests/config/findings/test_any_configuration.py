"""Whatever a configuration says: a check ends, and shows nothing of what variables stand for."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.findings.check import run
from config.findings.subject import Subject
from config.load import examine
from gateway.cli.findings import CHECKS

ROOT = Path(__file__).resolve().parents[3]
FILES = [
    *(ROOT / "config" / "examples").glob("*.yaml"),
    ROOT / "config" / "examples" / "reference" / "tocsin.yaml",
    ROOT / "tests" / "config" / "reference_naive" / "tocsin.yaml",
    *(ROOT / "tests" / "conformance" / "shapes").glob("*.yml"),
]
DATA = [yaml.safe_load(file.read_text()) for file in FILES]
VALUE = "zqxj"
ENV = {name: "xoxb-1" for file in FILES for name in re.findall(r"\$\{(\w+)\}", file.read_text())} | {
    "LEAK": VALUE
}
MOST = 80  # places of a file that are tried
NOW = 1_795_000_000_000


def places(data, path=()):
    """Every key and item, with what it is in."""
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, child in children:
        yield data, key
        yield from places(child, (*path, key))


def findings(tmp_path, data, **how):
    file = tmp_path / "tocsin.yaml"
    file.write_text(json.dumps(data))
    document, config, problems = examine(file, ENV, **how)
    if problems or config is None:
        return ()
    return run(CHECKS, Subject(document, config, now=NOW, **how))


@given(st.sampled_from(DATA), st.lists(st.integers(0, 10_000), min_size=1, max_size=4))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_configuration_with_parts_left_out_is_checked_to_the_end(tmp_path, data, numbers):
    data = copy.deepcopy(data)
    for number in numbers:
        if all_places := list(places(data)):
            parent, key = all_places[number % len(all_places)]
            del parent[key]
    findings(tmp_path, data, without_env=True)


def with_variable(text: str) -> str:
    """The text with a variable in it: in place of the first value in quotes, or of all of it."""
    return re.sub(r'"[^"]*"', '"${LEAK}"', text, count=1) if '"' in text else "${LEAK}"


@pytest.mark.parametrize("at", range(len(FILES)), ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_no_finding_shows_what_a_variable_stands_for(tmp_path, at):
    texts = [n for n, (parent, key) in enumerate(places(DATA[at])) if isinstance(parent[key], str)]
    for number in texts[:: len(texts) // MOST + 1]:
        data = copy.deepcopy(DATA[at])
        parent, key = list(places(data))[number]
        parent[key] = with_variable(parent[key])
        shown = [f"{finding} {finding.advice}" for finding in findings(tmp_path, data)]
        assert not [text for text in shown if VALUE in text]


NAMES = """\
severities: [critical, '${LEAK}', low]
teams: [{name: '${LEAK}'}]
users: [{name: '${LEAK}', email: a@example.com}]
time_intervals: [{name: '${LEAK}'}]
route: {receiver: '${LEAK}', routes: [{matchers: [severity=critical, team=zqxk]}, {matchers: [severity=lw]}]}
receivers: [{name: '${LEAK}'}, {name: 'b${LEAK}'}]
escalation_policies: [{name: '${LEAK}', steps: [{notify: [{team: lead}]}]}]
inhibit_rules: [{source_matchers: ['${LEAK}=1'], target_matchers: ['${LEAK}=2'], equal: ['${LEAK}']}]
"""


def test_no_finding_shows_a_name_that_a_variable_stands_for(tmp_path):
    found = findings(tmp_path, yaml.safe_load(NAMES))
    expected = {
        "TOC204",
        "TOC301",
        "TOC302",
        "TOC303",
        "TOC304",
        "TOC308",
        "TOC309",
        "TOC310",
        "TOC311",
        "TOC406",
    }
    assert expected <= {finding.id for finding in found}
    assert not [str(finding) for finding in found if VALUE in f"{finding} {finding.advice}"]
