"""No result of Prometheus' own engine disproves what we claim of an expression's labels beforehand."""

import json
import re
import subprocess

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from config.alert_labels import readable, result_labels
from routing.matchers import parse_matchers

pytestmark = pytest.mark.e2e

LABELS = ["a", "b", "c"]
SERIES = [
    *('m{a="x",b="1"}', 'm{a="x",b="2",c="p"}', 'm{a="y",b="1",c="q"}', 'm{b="3"}'),
    *('n{a="x",b="1"}', 'n{a="x",c="p"}', 'n{a="y",d="z"}', 'one{c="p",v="1"}', 'one{c="q",v="2"}'),
]
MATCHERS = [
    "",
    '{a="x"}',
    '{a=~"x|y"}',
    '{a!=""}',
    '{b!="1",c=~".+"}',
    '{c=""}',
    '{a="x",b="2"}',
    '{a=~"x|",b="1"}',
]

names = st.lists(st.sampled_from(LABELS), max_size=2, unique=True).map(lambda some: f"({', '.join(some)})")
selectors = st.builds(str.__add__, st.sampled_from(["m", "n", "one"]), st.sampled_from(MATCHERS))
matching = st.just("") | st.builds("{} {}".format, st.sampled_from(["on", "ignoring"]), names)
grouping = st.sampled_from(["group_left ()", "group_right ()"]) | st.sampled_from(
    ["group_left (v)", "group_right (d)"]
)
one_sided = st.builds("{} {}".format, matching.filter(bool), grouping)


def larger(inner):
    grouped = st.just("") | st.builds("{} {}".format, st.sampled_from(["by", "without"]), names)
    return st.one_of(
        st.builds("{} {} ({})".format, st.sampled_from(["sum", "max", "group", "count"]), grouped, inner),
        st.builds("topk {} (2, {})".format, grouped, inner),
        st.builds('count_values {} ("v", {})'.format, grouped, inner),
        st.builds(
            "({}) {} {} ({})".format, inner, st.sampled_from(["and", "or", "unless"]), st.just(""), inner
        ),
        st.builds("({}) {} {} ({})".format, inner, st.sampled_from(["and", "unless"]), matching, inner),
        st.builds("({}) {} {} ({})".format, inner, st.sampled_from(["*", ">=", "== bool"]), matching, inner),
        st.builds("({}) * {} ({})".format, inner, one_sided, inner),
        st.builds("({}) {} 1".format, inner, st.sampled_from([">=", "*", "- 5 *"])),
        st.builds("{}({})".format, st.sampled_from(["abs", "-", "vector(1) or ", "absent"]), inner),
        st.builds("{}(({})[2m:1m])".format, st.sampled_from(["sum_over_time", "absent_over_time"]), inner),
        st.builds(
            'label_replace({}, "{}", "{}", "{}", "{}")'.format,
            inner,
            st.sampled_from(["a", "d"]),
            st.sampled_from(["z", "", "$1"]),
            st.sampled_from(["a", "c", "b"]),
            st.sampled_from(["x", "(.*)", "p|", ""]),
        ),
    )


def results(promtool, folder, exprs):
    """What the engine gives for each expression: label sets, or nothing where it refuses."""
    tests = [{"expr": expr, "eval_time": "5m", "exp_samples": []} for expr in exprs]
    series = [{"series": text, "values": f"{value}x10"} for value, text in enumerate(SERIES)]
    unit = {"evaluation_interval": "1m", "tests": [{"input_series": series, "promql_expr_test": tests}]}
    (folder / "test.yml").write_text(json.dumps(unit))
    command = [promtool, "test", "rules", str(folder / "test.yml")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30)
    for part in (said.stdout + said.stderr).split("    expr: ")[1:]:
        if "got:" in part:
            expr, _ = json.JSONDecoder().raw_decode(part)
            for braced in re.findall(r"(\{[^}]*\}) -?[0-9+.]", part.partition("got:")[2]):
                yield expr, {m.name: m.value for m in parse_matchers(braced) if m.name != "__name__"}


def test_the_engine_is_asked(tmp_path, require_peer):
    asked = ["sum by (a) (m)", "m{c=''}"]
    found = list(results(require_peer("promtool"), tmp_path, asked))
    assert ("sum by (a) (m)", {"a": "y"}) in found
    assert ("m{c=''}", {"a": "x", "b": "1"}) in found


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # each try starts a promtool: no time to make a failing list shorter
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(exprs=st.lists(st.recursive(selectors, larger, max_leaves=4), min_size=12, max_size=12))
def test_no_result_of_the_engine_disproves_a_claim(tmp_path, require_peer, exprs):
    assert [expr for expr in exprs if not readable(expr)] == []
    for expr, labels in results(require_peer("promtool"), tmp_path, exprs):
        claimed = result_labels(expr)
        for name in {*LABELS, "d", "v", "le", *labels}:
            values, value = claimed.of(name), labels.get(name, "")
            assert values.only is None or value in values.only, (expr, name, labels)
            assert value or not values.present, (expr, name, labels)
