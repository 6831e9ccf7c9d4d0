"""What docs/escalation.md shows loads, names every key there is, and draws the statuses as they are.

After a change of them: `TOCSIN_WRITE_DOCS=1 python -m pytest tests/docs/test_escalation.py`.
"""

import os
import re
from pathlib import Path

import pytest
import yaml

from config.findings.check import run
from config.findings.subject import Subject
from config.load import examine
from config.policies import PolicyConfig, StepConfig
from config.section import keys_of
from gateway.cli.findings import CHECKS
from routing.transitions import TRANSITIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "escalation.md"
TEXT = PAGE.read_text()
SNIPPETS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
REST = """
global: {slack_app_token: x, smtp_smarthost: 'h:25', smtp_from: t@x}
users: [{name: dana, slack_id: U024BE7LH}]
schedules: [{name: weekly, layers: [{people: [dana], start: 2026-11-02}]}]
team_defaults: {slack_channel: '#a', lead: dana, on_call: weekly, pagerduty: x}
"""


def whole(snippet):
    written = yaml.safe_load(snippet)
    names = [policy["name"] for policy in written["escalation_policies"]]
    routes = ", ".join(f"{{matchers: [x={name}], policy: {name}}}" for name in names)
    route = f"route: {{receiver: a, group_by: [alertname], routes: [{routes}]}}\n"
    snippet += "" if "route" in written else route
    receivers = set(re.findall(r"receiver: ([\w-]+)", snippet))
    told = ", ".join(f"{{name: {name}, webhook_configs: [{{url: 'http://h'}}]}}" for name in receivers)
    return snippet + REST + f"receivers: [{told}]\n"


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_each_snippet_does_what_is_meant(snippet, tmp_path):
    file = tmp_path / "tocsin.yaml"
    file.write_text(whole(snippet))
    document, config, problems = examine(file, {})
    assert not problems
    found = run(CHECKS, Subject(document, config, now=1_795_500_000_000))
    assert [str(one) for one in found if one.id.startswith("TOC3") and one.id < "TOC330"] == []


@pytest.mark.parametrize(("section", "title"), [(StepConfig, "Steps"), (PolicyConfig, "Policies")])
def test_the_tables_have_every_key(section, title):
    chapter = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    keys = re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE)
    assert sorted(keys) == sorted(set(keys_of(section)) - {"name"})


def drawn():
    arrows = {}
    for (start, change), end in TRANSITIONS.items():
        arrows.setdefault((start, end), []).append(change)
    lines = ["stateDiagram-v2", "    [*] --> pending", "    pending --> [*]: ended before its time"]
    lines += [f"    {start} --> {end}: {'<br/>'.join(changes)}" for (start, end), changes in arrows.items()]
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def test_the_picture_is_made_from_the_table_of_transitions():
    made = re.sub(r"```mermaid\n.*?```", drawn(), TEXT, flags=re.DOTALL)
    if os.environ.get("TOCSIN_WRITE_DOCS") == "1":
        PAGE.write_text(made)
    assert made == PAGE.read_text(), "draw it anew: see the first lines of this test"
