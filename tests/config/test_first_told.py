"""Who is told of an alert at once: by a receiver, by a policy's first steps, or instead of those."""

import pytest

from config.compile import compile_plan
from config.first_told import told_of
from config.load import load_text
from routing.tree import Tree

TEXT = """\
global: {slack_app_token: x}
route: {receiver: root, group_by: [alertname], routes: [{matchers: [severity=~.+], policy: page}]}
receivers: [{name: root, HOOK}, {name: a, HOOK}, {name: b, HOOK}, {name: empty}]
users: [{name: dana, slack_id: U024BE7LH}]
schedules: [{name: weekly, layers: [{people: [dana], start: 2026-11-02}]}]
teams: [{name: db, on_call: weekly}, {name: web}]
escalation_policies:
  - {name: page, FALLBACK steps: [STEPS]}
  - {name: more, steps: [{notify: [{receiver: b}]}]}
""".replace("HOOK", "webhook_configs: [{url: 'http://h'}]")
A, B, NOBODY = "notify: [{receiver: a}]", "notify: [{receiver: b}]", "notify: [{receiver: empty}]"


def told(steps, fallback="", **labels):
    text = TEXT.replace("STEPS", steps).replace("FALLBACK", fallback)
    plan = compile_plan(load_text(text, "f", {}))
    (route,) = Tree(plan.root).match(labels)
    return list(told_of(labels, route, plan).names)


@pytest.mark.parametrize(
    ("labels", "steps", "expected"),
    [
        ("", f"{{{A}}}", ["root"]),
        ("severity=high", f"{{{A}}}, {{after: 5m, {B}}}", ["a"]),
        ("severity=high alertname=X", f"{{{A}, when: [alertname=X]}}, {{{B}, when: [alertname!=X]}}", ["a"]),
        ("severity=high alertname=Y", f"{{{A}, when: [alertname=X]}}, {{{B}, when: [alertname!=X]}}", ["b"]),
        ("severity=high job=X", f"{{{A}, when: [job=X]}}, {{{B}, when: [job!=X]}}", ["b"]),  # not grouped by
        ("severity=page", f"{{{A}, when: [severity=critical]}}", ["a"]),
        ("severity=high team=web", f"{{{A}, when: [team=db]}}, {{{B}, after: 5m}}", []),
        ("severity=high team=db", "{notify: [{team: on_call}]}", ["whoever is on call in weekly"]),
        (
            "severity=high",
            "{notify: [{schedule: weekly}, {receiver: a}]}",
            ["a", "whoever is on call in weekly"],
        ),
    ],
)
def test_who_is_told_at_once(labels, steps, expected):
    assert told(steps, **dict(pair.split("=") for pair in labels.split())) == expected


@pytest.mark.parametrize(
    ("steps", "fallback", "expected"),
    [
        (f"{{{NOBODY}}}", "", ["root instead of receiver: empty"]),
        (f"{{{NOBODY}}}", "fallback: [{receiver: b}],", ["b instead of receiver: empty"]),
        (f"{{{NOBODY}}}, {{after: 5m, {A}}}", "", ["a instead of receiver: empty"]),
        (f"{{{NOBODY}}}, {{after: 5m, unless: resolved, {A}}}", "", ["root instead of receiver: empty"]),
        ("{notify: [{team: on_call}]}", "", ["root instead of team: on_call"]),
    ],
)
def test_who_is_told_instead_of_nobody(steps, fallback, expected):
    assert told(steps, fallback, severity="high", team="web") == expected
