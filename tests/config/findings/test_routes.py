"""Routes that nothing comes to: `TOC101`, `TOC102`, `TOC104`, and that what is said of them is true."""

import itertools
import json
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.findings.check import run
from config.findings.routes import CHECKS
from config.findings.subject import Subject
from config.load import examine
from routing.tree import Tree

HIDDEN = [
    ("by the same", '[severity="x"]', '[severity="x"]', True),
    ("by one that asks for less", '[severity="x"]', '[severity="x", team="y"]', True),
    ("by one without matchers", "[]", '[severity="x"]', True),
    ("by an expression", """['name=~".*Agent.*"']""", """['name=~"Free.*AgentDown"']""", True),
    ("by a list", """['severity=~"x|y"']""", '[severity="y"]', True),
    ("by what it is not", """['severity!="x"']""", '[severity="y"]', True),
    ("by .*, but for line breaks", """['severity=~".*"']""", "[]", True),
    ("not by one that asks for more", '[severity="x", team="y"]', '[severity="x"]', False),
    ("not by another value", '[severity="x"]', '[severity="y"]', False),
    ("not by .+, without the label", """['severity=~".+"']""", "[]", False),
    ("not by what nobody understands", """['severity=~"(?i)x"']""", """['severity=~"(?i)X"']""", False),
]


def two_routes(first: str, second: str) -> str:
    return f"""\
route:
  receiver: default
  routes:
    - receiver: first
      matchers: {first}
    - receiver: second
      matchers: {second}
"""


@pytest.mark.parametrize(("why", "first", "second", "hidden"), HIDDEN)
def test_a_route_is_hidden(found, why, first, second, hidden):
    said = found(two_routes(first, second), "TOC102")
    assert bool(said) == hidden
    assert all(one.startswith("7:17 no alert ever comes here: the route in line 4") for one in said)


def test_continue_hides_nothing(found):
    text = two_routes('[severity="x"]\n      continue: true', '[severity="x"]')
    assert found(text, "TOC102") == []


def test_several_routes_together_hide_one(found):
    text = """\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
            - matchers: [severity="high"]
            - matchers: ['severity=~"critical|high"']
              receiver: both
        """
    assert found(text, "TOC102") == [
        "6:17 no alert ever comes here: the routes in lines 4 and 5 take all that could come here"
    ]


def test_a_route_beside_a_parent_hides_what_is_below_and_only_the_first_is_told(found):
    text = """\
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              receiver: pager
            - matchers: [team="db"]
              receiver: db
              routes:
                - matchers: [severity="critical"]
                  receiver: db-pager
                  routes:
                    - matchers: [env="prod"]
                      receiver: db-prod
        """
    reason = 'the route in line 4, {severity="critical"}, takes all that could come here'
    assert found(text, "TOC101", "TOC102") == [f"9:21 no alert ever comes here: {reason}"]


CONTRADICTIONS = [
    ('[a="1", a="2"]', 'a="1" and a="2" exclude each other'),
    ("[a=\"1\", 'a!=\"1\"']", 'a!="1" and a="1" exclude each other'),
    ("['a=~\"x.*\"', 'a=~\"y.*\"', b=\"1\"]", 'a=~"x.*" and a=~"y.*" exclude each other'),
    ("['a=~\"[0-9]+\"', 'a!~\".+\"']", 'a!~".+" and a=~"[0-9]+" exclude each other'),
    ("['a=~\"1|2\"', a=\"2\"]", None),
    ("[a=\"\", 'a!~\".+\"']", None),
]  # fmt: skip


@pytest.mark.parametrize(("matchers", "reason"), CONTRADICTIONS)
def test_matchers_that_exclude_each_other(found, matchers, reason):
    text = f"route:\n  receiver: default\n  routes:\n    - matchers: {matchers}\n      receiver: a\n"
    assert found(text, "TOC101") == ([f"4:17 no alert can come here: {reason}"] if reason else [])


def test_a_contradiction_with_a_route_above_names_its_line(found):
    text = """\
        route:
          receiver: default
          routes:
            - match: {team: a}
              routes:
                - match_re: {team: b|c}
        """
    reason = 'team="a", of the route in line 4, and team=~"^(?:b|c)$" exclude each other'
    assert found(text, "TOC101") == [f"6:21 no alert can come here: {reason}"]


def test_what_a_variable_stands_for_is_not_shown_and_without_a_value_nothing_is_said(found, monkeypatch):
    text = two_routes("['team=\"${SLACK_TOKEN}\"']", "['team=\"${SLACK_TOKEN}\"', a=b]")
    (said,) = found(text, "TOC102")
    assert "xoxb" not in said
    assert found(text.replace("SLACK_TOKEN", "UNSET"), "TOC102", without_env=True) == []


def test_a_continue_at_the_end_is_said_at_its_key(found):
    text = two_routes('[a="1"]\n      continue: true', '[b="1"]\n      continue: true')
    assert found(text, "TOC104") == ["9:7 no route follows that could be asked too"]


POLICIES = """\
escalation_policies:
  - {name: one, steps: [{notify: [{receiver: default}]}]}
  - {name: two, steps: [{notify: [{receiver: default}]}]}
"""
TWICE = [
    ("both take it", "[severity=x]", "[team=y]", True),
    ("the first takes all", "[]", "[team=y]", True),
    ("no alert has both", "[team=x]", "[team=y]", False),
    ("expressions with nothing in common", "[name=~A.*]", "[name=~B.*]", False),
]


@pytest.mark.parametrize(("why", "first", "second", "twice"), TWICE)
def test_an_alert_opens_two_incidents(found, why, first, second, twice):
    text = two_routes(f"{first}\n      continue: true\n      policy: one", f"{second}\n      policy: two")
    text = text.replace("- receiver: first", "- name: first").replace("- receiver: second", "- name: second")
    said = found(text + POLICIES, "TOC103")
    assert len(said) == twice
    assert all(one.startswith("6:7 an alert such as {") and "in line 8" in one for one in said)


def test_a_policy_below_a_route_that_goes_on_counts_and_a_receiver_does_not(found):
    text = """\
        route:
          receiver: default
          routes:
            - matchers: [a=1]
              continue: true
              routes:
                - {matchers: [b=1], policy: one}
            - {matchers: [c=1], receiver: chat}
            - {matchers: [d=1], policy: two}
        """
    (said,) = found(textwrap.dedent(text) + POLICIES, "TOC103")
    assert said.startswith("5:7 an alert such as {a=")
    assert "in line 9" in said
    quiet = text.replace("policy: two", "receiver: other")
    assert found(textwrap.dedent(quiet) + POLICIES, "TOC103") == []


# --- what is said is true ------------------------------------------------------------------------------

VALUES = ("", "a", "b", "ab")
WORLD = [dict(zip("pq", values, strict=True)) for values in itertools.product(VALUES, repeat=2)]
matchers = st.tuples(st.sampled_from("pq"), st.sampled_from(["=", "!=", "=~", "!~"])).flatmap(
    lambda start: st.sampled_from(
        ["a", "b", "", "a|b"] if start[1][-1] != "~" else ["a|b", "a.*", ".+", "", "b?"]
    ).map(lambda value: f'{start[0]}{start[1]}"{value}"')
)
routes = st.recursive(
    st.builds(dict, matchers=st.lists(matchers, max_size=2), **{"continue": st.booleans()}),
    lambda inner: st.builds(
        dict, matchers=st.lists(matchers, max_size=2), routes=st.lists(inner, min_size=1, max_size=3),
        **{"continue": st.booleans()},
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(routes, min_size=1, max_size=4))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_alert_comes_to_a_route_of_which_that_is_said_and_one_to_every_other(tmp_path, trees):
    file = tmp_path / "tocsin.yaml"
    file.write_text(json.dumps({"route": {"receiver": "r", "routes": trees}, "receivers": [{"name": "r"}]}))
    document, config, _ = examine(file, {})
    subject = Subject(document, config)
    dead = {finding.path.rpartition(".matchers")[0] for finding in run(CHECKS, subject) if finding.fails}
    tree = Tree(subject.plan.root)
    reached = {route.key for labels in WORLD for route in tree.match(labels)}
    for placed in subject.routes:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in placed.path)[1:]
        said = any(path == one or path.startswith(f"{one}.") for one in dead)
        below = {one.route.key for one in subject.routes if placed in one.lineage}
        if said:
            assert not below & reached
        elif subject.reach.of(placed).answer.labels is not None:
            assert below & {route.key for route in tree.match(subject.reach.of(placed).answer.labels)}
