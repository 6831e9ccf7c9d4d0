"""Which rule files are refused: the same ones that Prometheus' own `promtool check rules` refuses."""

import re
import subprocess

import pytest

from config.problems import ConfigError
from config.rule_files import read_rules

pytestmark = pytest.mark.e2e

TOPS = [
    "",
    "# x",
    "~",
    "---\n---",
    "hello",
    "- a",
    "groups:",
    "groups: []",
    "groups: {}",
    "groups: [~]",
    "groups: [x]",
    "groups: []\nfoo: 1",
    "groups: [{name: a}, {name: b}]",
    "groups: [{name: [a]}]",
    "groups: [{name: a}, {name: a}]",
    "groups: [{rules: []}]",
    "groups: [{name: ~}]",
    "groups: [{name: ''}]",
]
GROUPS = [
    "rules:",
    "rules: []",
    "rules: x",
    "rules: {}",
    "rules: [~]",
    "rules: [x]",
    "interval: 1m",
    "interval: 5",
    "interval:",
    "interval: ''",
    "limit: 5",
    "limit: x",
    "limit: -1",
    "foo: 1",
]
RULES = [
    "alert: A, expr: up",
    "expr: up",
    "alert: A",
    "record: a, expr: up",
    "alert: A, record: a, expr: up",
    "alert: '', expr: up",
    "alert: , expr: up",
    "alert: 'a b {{ü', expr: up",
    "alert: A, expr: 5",
    "alert: A, expr: up, expr: up",
    "alert: A, expr: up, foo: 1",
    "alert: A, expr: ''",
    "alert: A, expr: [up]",
    "alert: A, expr: {a: b}",
    "record: a, expr: up, for: 5m",
    "record: a, expr: up, for: 0s",
    "record: a, expr: up, annotations: {a: b}",
    "record: a, expr: up, annotations: {}",
    "record: a, expr: up, labels: {a: b}",
]
VALUES = [
    "for: 5m",
    "for: 1h30m",
    "for: 5",
    "for: 0",
    "for: -5m",
    "for: ''",
    "for:",
    "for: [5m]",
    "for: 1m1h",
    "keep_firing_for: 5m",
    "keep_firing_for: x",
]
LABELS = [
    "",
    "[]",
    "x",
    "{}",
    "{a: b}",
    "{a: 1, b: true, c: ~, d: 1.5, e: 2001-01-01}",
    "{a: [1]}",
    "{a: {b: c}}",
    "{a: x, a: y}",
    "{a-b: x}",
    "{__name__: x}",
    "{_a: x}",
    "{'': x}",
    "{é: x}",
    "{1a: x}",
    "{A: x}",
    "{alertname: x}",
    "{a: '{{ $labels.b }}'}",
    "{1: x}",
]


def files():
    group = "groups:\n- name: a\n  "
    one = group + "rules:\n  - {alert: A, expr: up, "
    yield from TOPS
    yield from (group + text for text in GROUPS)
    yield from (f"{group}rules:\n  - {{{text}}}" for text in RULES)
    yield from (f"{one}{text}}}" for text in VALUES)
    yield from (f"{one}labels: {text}}}" for text in LABELS)
    yield from (f"{one}annotations: {text}}}" for text in LABELS if "__name__" not in text)


def test_promtool_and_we_refuse_the_same_files(tmp_path, require_peer):
    texts = dict(enumerate(files()))
    for number, text in texts.items():
        (tmp_path / f"{number}.yml").write_text(text + "\n")
    command = [require_peer("promtool"), "check", "rules", *(f"{number}.yml" for number in texts)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    theirs = {}
    for part in re.split(r"^Checking ", done.stdout + done.stderr, flags=re.MULTILINE)[1:]:
        theirs[int(part.partition(".")[0])] = "SUCCESS" in part
    differing = []
    for number, text in texts.items():
        try:
            read_rules(text, "r.yml")
            ours = True
        except ConfigError:
            ours = False
        if ours != theirs.get(number):
            differing.append((text, f"ours: {ours}"))
    assert differing == []
