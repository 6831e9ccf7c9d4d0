"""The alertmanager.yml of an Alertmanager in front: only what decides which alerts come is read."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.alertmanager import read_front
from config.findings import front as front_checks
from config.findings import front_routes, front_webhook
from config.findings.check import run
from config.findings.subject import Subject
from config.load import load_text
from config.problems import ConfigError
from config.source import read

SHAPES = sorted((Path(__file__).parents[1] / "conformance" / "shapes").glob("*.yml"))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda file: file.stem)
def test_what_amtool_accepts_is_read(shape):
    front = read_front(shape.read_text(), shape.name)
    assert front.root.receiver
    assert {webhook.receiver for webhook in front.webhooks} <= front.receivers


def test_what_a_route_does_not_say_comes_from_above():
    text = """
route:
  receiver: a
  group_wait: 1m
  routes:
    - {matchers: [x=y], match: {z: w}, repeat_interval: 1h}
    - {receiver: b, continue: true}
"""
    root = read_front(text, "f.yml").root
    first, second = root.children
    assert (first.receiver, second.receiver, first.continue_, second.continue_) == ("a", "b", False, True)
    assert [str(matcher) for matcher in first.matchers] == ['z="w"', 'x="y"']
    timers = {name: (timer.value, timer.path) for name, timer in first.timers.items()}
    assert timers == {
        "group_wait": (60_000, ("route", "group_wait")),
        "group_interval": (300_000, None),
        "repeat_interval": (3_600_000, ("route", "routes", 0, "repeat_interval")),
    }


def test_variables_mean_nothing_there():
    assert read_front("route: {receiver: '${NOT_SET}'}", "f.yml").root.receiver == "${NOT_SET}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("receivers: []", "f.yml:1:1: no route; expected an alertmanager.yml with route: and receivers:"),
        ("- a", "f.yml:1:1: no route; expected an alertmanager.yml with route: and receivers:"),
        (
            "route: {group_wait: soon}",
            "f.yml:1:21: route.group_wait: this is no duration; expected one such as",
        ),
        ("route: {routes: [{matchers: [a]}]}", "f.yml:1:31: route.routes[0].matchers[0]: "),
        ("route: {routes: [{match_re: {a: '('}}]}", "f.yml:1:34: route.routes[0].match_re.a: not a regular"),
        ("route: {", "f.yml:2:1: not YAML"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, problem):
    with pytest.raises(ConfigError) as caught:
        read_front(text, "f.yml")
    assert str(caught.value.problems[0]).startswith(problem)


NAMES = ["name", "webhook_configs", "url", "timeout", "max_alerts", "send_resolved", "http_config", "payload"]
keys = st.sampled_from([*NAMES, "routes", "receiver", "matchers", "match", "inhibit_rules", "continue"])
documents = st.recursive(
    st.none() | st.sampled_from(["a", "1", "http://[", "http://tocsin/webhook", "true", "false"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
PLAIN = (
    "route: {receiver: r}\nreceivers: [{name: r}]\nauth: {tokens: [{name: a, token: b, scopes: [read]}]}\n"
)


@settings(max_examples=200, deadline=None)
@given(documents, documents, documents)
def test_whatever_has_the_wrong_shape_is_a_problem_or_passed_over(route, receivers, rules):
    written = {"route": route, "receivers": receivers, "inhibit_rules": rules, "global": rules}
    with contextlib.suppress(ConfigError):
        front = read_front(json.dumps(written), "f.yml")
        subject = Subject(read(PLAIN, "t", {}), load_text(PLAIN, "t", {}), front=front)
        run((*front_checks.CHECKS, *front_routes.CHECKS, *front_webhook.CHECKS), subject)
