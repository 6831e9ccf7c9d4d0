"""Prometheus' rule files: the alerting rules in them with their places, and what is wrong with a file."""

import contextlib
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.problems import ConfigError
from config.rule_files import load_rules, read_rules

FILE = """\
groups:
  - name: database
    interval: 30s
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: DiskFull
        expr: |
          disk_free < 10
        for: 5m
        labels:
          severity: critical
          team: 'database'
        annotations:
          summary: costs ${{ $value }} a day
"""


def told(text):
    with pytest.raises(ConfigError) as caught:
        read_rules(textwrap.dedent(text), "r.yml")
    return [str(problem) for problem in caught.value.problems]


def rule(body):
    """A file whose one rule's keys begin in line 4, column 7."""
    return "groups:\n  - name: a\n    rules:\n    - " + body


def test_a_rule_is_read_with_the_places_of_its_name_and_labels():
    (found,) = read_rules(FILE, "r.yml")
    assert (found.name, found.expr, found.group) == ("DiskFull", "disk_free < 10\n", "database")
    assert (found.line, found.column) == (7, 16)
    places = [(label.name, label.value, label.line, label.column) for label in found.labels]
    assert places == [("severity", "critical", 12, 21), ("team", "database", 13, 18)]


def test_the_labels_of_a_group_are_those_of_its_rules_unless_they_say_otherwise():
    text = """
    groups:
      - name: a
        labels: {team: db, env: prod}
        rules: [{alert: A, expr: up, labels: {env: test}}]
    """
    (found,) = read_rules(textwrap.dedent(text), "r.yml")
    assert {label.name: label.value for label in found.labels} == {"team": "db", "env": "test"}


def test_a_prometheus_rule_of_kubernetes_is_read_through_its_spec():
    inner = textwrap.indent(FILE, "  ")
    (found,) = read_rules(f"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n{inner}", "r")
    assert (found.name, found.line) == ("DiskFull", 10)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n# yet\n", "groups:\n", "~", "groups: [{name: a}]"])
def test_a_file_may_have_no_rules(text):
    assert read_rules(text, "r.yml") == ()


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("{alert: A, expr: up, lable: {a: b}}", "28: lable", "did you mean 'labels'?"),
        ("{alert: A}", "7", "this rule has no expr; expected an expression in PromQL"),
        ("{expr: up}", "7", "neither alert nor record has a name; expected one of them"),
        ("{alert: A, record: b, expr: up}", "18: record", "record stands beside alert; expected only one of"),
        ("{alert: A, expr: up, for: 5}", "33: for", "'5' is no duration; expected one such as"),
        ("{alert: A, expr: up, labels: {a-b: x}}", "37: labels.a-b", "'a-b' is no name of a label"),
        ("{alert: A, expr: up, labels: [a]}", "36: labels", "a list cannot be here; expected labels"),
        ("{alert: A, expr: up, labels: {a: [1]}}", "40: labels.a", "a list cannot be here; expected text"),
        ("{record: b, expr: up, for: 5m}", "29: for", "for is for alerts; expected none beside record"),
    ],
)  # fmt: skip
def test_a_rule_that_prometheus_would_refuse_is_refused_at_its_place(body, place, message):
    (problem,) = told(rule(body))
    column, _, path = place.partition(": ")
    shown = "groups[0].rules[0]" + (f".{path}" if path else "")
    assert problem.startswith(f"r.yml:4:{column}: {shown}: ")
    assert message in problem


def test_all_that_is_wrong_is_told_at_once():
    text = "groups:\n  - rules: x\n  - {name: a}\n  - {name: a, interval: soon, limit: few}\nfoo: 1\n"
    assert [problem.partition(": ")[0] for problem in told(text)] == [
        "r.yml:2:5", "r.yml:2:12", "r.yml:4:12", "r.yml:4:25", "r.yml:4:38", "r.yml:5:1",
    ]  # fmt: skip


def test_the_problems_of_several_files_are_told_together(tmp_path):
    (tmp_path / "a.yml").write_text("groups: x\n")
    (tmp_path / "b.yml").write_text("- y\n")
    with pytest.raises(ConfigError) as caught:
        load_rules([tmp_path / name for name in ("a.yml", "b.yml", "c.yml")])
    assert [problem.message.partition(";")[0] for problem in caught.value.problems] == [
        "a text cannot be here", "a list cannot be here", "there is no such file",
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab:-[]{}#'\"&*|>\n ,") | st.characters(), max_size=60))
def test_any_text_has_rules_or_problems(text):
    with contextlib.suppress(ConfigError):
        read_rules("groups:\n- name: a\n  rules:\n" + text, "r.yml")
