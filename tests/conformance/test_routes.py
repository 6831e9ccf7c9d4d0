"""Routing agrees with the real Alertmanager: the same tree and labels, asked of `amtool`."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.compile import compile_plan
from config.load import load_text
from routing.matchers import Matcher
from routing.tree import Tree

pytestmark = pytest.mark.e2e

NAMES = ["team", "severity", "env"]
VALUES = ["db", "web", "critical", "a,b", 'q"\\', "é", "db\n"]
PATTERNS = ["db|web", ".*", ".+", "", "d.", "(?i)CRIT.*", r"[[:alpha:]]+", r"\pL+", "^db$", "db|"]

plain = st.builds(
    Matcher, st.sampled_from(NAMES), st.sampled_from(["=", "!="]), st.sampled_from([*VALUES, ""])
)
regex = st.builds(Matcher, st.sampled_from(NAMES), st.sampled_from(["=~", "!~"]), st.sampled_from(PATTERNS))
some = st.lists(plain | regex, max_size=2).map(lambda matchers: [str(matcher) for matcher in matchers])
old = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=1)
old_regex = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(PATTERNS), max_size=1)
label_sets = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES))


def node(children):
    return st.fixed_dictionaries(
        {"matchers": some, "continue": st.booleans(), "routes": children},
        optional={"match": old, "match_re": old_regex},
    )


leaf = node(st.just([]))
branch = node(st.lists(node(st.lists(leaf, max_size=2)) | leaf, max_size=3))
trees = st.lists(branch, min_size=1, max_size=4)
questions = st.lists(st.tuples(trees, label_sets), min_size=4, max_size=4, unique_by=repr)


def with_receivers(routes):
    """A whole configuration in which each route has a receiver of its own, so that receivers name routes."""
    root = {"receiver": "r0", "routes": routes}
    names = ["r0"]
    waiting = [*routes]
    while waiting:
        route = waiting.pop()
        route["receiver"] = f"r{len(names)}"
        names.append(route["receiver"])
        waiting += route["routes"]
    return {"route": root, "receivers": [{"name": name} for name in names]}


def differences(amtool, folder, asked):
    """Where amtool and we name other receivers."""

    def differs(number, routes, labels):
        text = json.dumps(with_receivers(routes), ensure_ascii=False)
        file = folder / f"{number}.yml"
        file.write_text(text)
        root = compile_plan(load_text(text, "tocsin.yaml", {})).root
        ours = [route.receiver for route in Tree(root).match(labels)]
        theirs = amtool.receivers(file, labels)
        return [] if ours == theirs else [(text, labels, ours, theirs)]

    rows = amtool.each(differs, *zip(*((at, *one) for at, one in enumerate(asked)), strict=True))
    return [difference for row in rows for difference in row]


def conformance(examples):
    """A test of so many examples, of four trees with a label set each."""
    return lambda test: settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )(given(questions)(test))


@conformance(examples=500)
def test_every_label_set_reaches_the_receivers_that_amtool_names(tmp_path, amtool, asked):
    assert differences(amtool, tmp_path, asked) == []


@pytest.mark.long
@conformance(examples=5_000)
def test_twenty_thousand_label_sets_reach_the_receivers_that_amtool_names(tmp_path, amtool, asked):
    assert differences(amtool, tmp_path, asked) == []
