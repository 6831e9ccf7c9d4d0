"""Routing agrees with the real Alertmanager: the same tree and labels, asked of `amtool`."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.compile import compile_plan
from config.load import load_text
from routing.matchers import Matcher
from routing.tree import match

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
label_sets = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)), min_size=8, max_size=8, unique_by=str
)


def node(children):
    return st.fixed_dictionaries(
        {"matchers": some, "continue": st.booleans(), "routes": children},
        optional={"match": old, "match_re": old_regex},
    )


trees = st.lists(
    st.recursive(node(st.just([])), lambda inner: node(st.lists(inner, max_size=3)), max_leaves=8), max_size=4
)


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


def ask(amtool, file, labels):
    arguments = [str(Matcher(name, "=", value)) for name, value in labels.items()]
    command = [amtool, "config", "routes", "test", f"--config.file={file}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip().split(",")


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(trees, label_sets)
def test_every_label_set_reaches_the_receivers_that_amtool_names(tmp_path, require_peer, routes, sets):
    text = json.dumps(with_receivers(routes), ensure_ascii=False)
    file = tmp_path / "alertmanager.yml"
    file.write_text(text)
    root = compile_plan(load_text(text, "tocsin.yaml", {})).root
    for labels in sets:
        ours = [route.receiver for route in match(root, labels)]
        assert ours == ask(require_peer("amtool"), file, labels), labels
