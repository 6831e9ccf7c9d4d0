"""What the documentation shows is a configuration that loads, and does what is said of it."""

import re
from pathlib import Path

import pytest

from config.compile import compile_plan
from config.first_told import told_of
from config.load import load_text
from routing.tree import Tree

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENV = dict.fromkeys(("SLACK_TOKEN", "BACKEND_PAGERDUTY", "PAGERDUTY_CRITICAL", "PAGERDUTY_OTHERS"), "x")
ROUTE = "route: {receiver: team}\n"
REST = {
    "severities": ROUTE,
    "users": f"{ROUTE}global: {{slack_app_token: x, smtp_smarthost: 'h:25', smtp_from: t@x}}\n",
    "inhibit_grace": ROUTE,
}


def snippets(page):
    return re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("text", snippets("routing.md") + snippets("teams.md")[1:])
def test_each_snippet_loads(text):
    text += REST.get(text.partition(":")[0], "")
    assert load_text(f"{text}receivers: [{{name: team}}]\n", "docs", ENV)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (
            {"severity": "critical", "team": "backend"},
            ["team backend: pagerduty", "team backend: slack", "team backend: email"],
        ),
        ({"severity": "high", "team": "security"}, ["team security: slack", "team security: lead"]),
        (
            {"severity": "high", "job": "postgres-1"},
            ["team backend: slack", "team backend: slack", "team backend: lead", "team backend: lead"],
        ),
        ({"severity": "medium"}, ["no team: slack"]),
    ],
)
def test_three_policies_serve_all_teams_as_the_page_says(labels, expected):
    plan = compile_plan(load_text(snippets("teams.md")[0], "docs", ENV))
    (route,) = Tree(plan.root).match(labels)
    assert [one.receiver for one in told_of(labels, route, plan).integrations] == expected
