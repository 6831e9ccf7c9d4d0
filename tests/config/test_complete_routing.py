"""What the sections of complete routing become in the plan: intervals, inhibition, teams, policies."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.compile import compile_plan
from config.first_told import told_by
from config.load import examine, load_text
from routing.calendar import Period
from routing.tree import walk

END = """
receivers: [{name: a}, {name: b}]
escalation_policies: [{name: p, steps: [{notify: [{receiver: b}]}]}]
teams: [{name: x}, {name: y}]
time_intervals: [{name: night, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}]
mute_time_intervals: [{name: summer, time_intervals: [{months: ['june:august'], location: Europe/Berlin}]}]
"""


JSON_END = json.dumps(yaml.safe_load(END))[1:]


def plan(text):
    return compile_plan(load_text(text, "f.yaml", {}))


def routes(text):
    return {route.key: route for route in walk(plan(f"route: {text}{END}").root)}


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        ("policy: p", "group_wait: 1s", ("", "p")),
        ("policy: p", "receiver: b", ("b", "")),
        ("receiver: b", "policy: p", ("", "p")),
        ("group_wait: 1s", "policy: p", ("", "p")),
        ("group_wait: 1s", "group_wait: 2s", ("a", "")),
    ],
)
def test_a_receiver_or_a_policy_replaces_what_the_parent_has(parent, child, expected):
    found = routes(f"{{receiver: a, routes: [{{{parent}, name: up, routes: [{{{child}, name: down}}]}}]}}")
    assert (found["down"].receiver, found["down"].policy) == expected


parts = st.fixed_dictionaries({}, optional={"receiver": st.sampled_from("ab"), "policy": st.just("p")})
trees = st.recursive(
    parts,
    lambda inner: st.builds(lambda own, below: own | {"routes": below}, parts, st.lists(inner, max_size=3)),
)


@given(trees)
def test_every_route_tells_a_receiver_or_follows_a_policy_and_never_both(tree):
    def one(route):  # both on one route are refused
        kept = {key: value for key, value in route.items() if key != "policy" or "receiver" not in route}
        return kept | {"routes": [one(child) for child in route.get("routes", [])]}

    found = plan(json.dumps({"route": {"receiver": "a", "routes": [one(tree)]}})[:-1] + "," + JSON_END)
    for route in walk(found.root):
        assert bool(route.receiver) != bool(route.policy)
        assert route.told in ("a", "b", "policy:p")


def test_teams_and_labels_are_inherited_and_intervals_are_not():
    found = routes("""
      receiver: a
      labels: {tier: one, by: root}
      routes:
        - name: up
          team: x
          labels: {by: up}
          mute_time_intervals: [night, summer]
          active_time_intervals: [summer]
          routes: [{name: down}, {name: other, team: y, labels: {tier: two}}]""")
    up, down, other = found["up"], found["down"], found["other"]
    assert [one.name for one in up.mute] == ["night", "summer"]
    assert [one.name for one in up.active] == ["summer"]
    assert (down.mute, down.active) == ((), ())
    assert (found["{}"].team, up.team, down.team, other.team) == ("", "x", "x", "y")
    assert down.labels == (("by", "up"), ("tier", "one"))
    assert other.labels == (("by", "up"), ("tier", "two"))


def test_intervals_are_read_as_written_from_both_lists():
    found = routes("{receiver: a, routes: [{name: up, mute_time_intervals: [night, summer]}]}")["up"]
    night, summer = found.mute
    assert night.periods == (Period(times=((22 * 60, 24 * 60),)),)
    assert summer.periods == (Period(months=((6, 8),), location="Europe/Berlin"),)


def test_inhibition_rules_have_all_forms_of_matchers():
    found = plan(f"""
route: {{receiver: a}}
inhibit_rules:
  - name: first
    source_matchers: [a=b, 'c=~"d"']
    target_match: {{e: f}}
    target_match_re: {{g: 'h|i'}}
    equal: [x.y, ü]
  -
{END}""")
    first, empty = found.inhibition.rules
    assert (first.name, list(map(str, first.source))) == ("first", ['a="b"', 'c=~"d"'])
    assert list(map(str, first.target)) == ['e="f"', 'g=~"^(?:h|i)$"']
    assert first.equal == ("x.y", "ü")
    assert (empty.source, empty.target, empty.equal) == ((), (), ())
    assert (found.inhibit_grace, found.inhibit_release) == (2_000, 30_000)


def test_without_rules_nobody_waits_for_sources():
    found = plan(f"route: {{receiver: a}}\ninhibit_grace: 5s\ninhibit_release: 1m{END}")
    assert (found.inhibit_grace, found.inhibit_release) == (0, 60_000)


@pytest.mark.parametrize(
    ("section", "ranks"),
    [
        ("", {"critical": 0, "warning": 2, "p1": 2, "": 2}),
        ("severities: [P1, p2]", {"p1": 0, "P2": 1, "critical": 1}),
        ("severities: {names: [p1, p2, p3], aliases: {Page: P1}, default: p1}", {"PAGE": 0, "p3": 2, "x": 0}),
    ],
)
def test_severities_are_a_list_or_a_section(section, ranks):
    found = plan(f"route: {{receiver: a}}\n{section}{END}").severities
    assert {word: found.rank({"severity": word}) for word in ranks} == ranks


def test_the_label_of_severities_can_be_another():
    found = plan(f"route: {{receiver: a}}\nseverities: {{label: prio, names: [p1, p2, p3]}}{END}").severities
    assert found.rank({"prio": "p3", "severity": "p1"}) == 2


def test_the_team_of_an_alert_is_found_by_label_route_and_rule():
    found = plan(f"route: {{receiver: a, team: y}}\nteam_rules: [{{matchers: [job=x], team: x}}]{END}")
    assert found.team_of({"team": "x"}, found.root) == "x"
    assert found.team_of({"job": "x"}, found.root) == "y"
    bare = plan(f"route: {{receiver: a}}\nteam_rules: [{{matchers: [job=x], team: x}}]{END}")
    assert bare.team_of({"job": "x"}, bare.root) == "x"


def test_a_plan_is_made_where_variables_have_no_value(tmp_path):
    file = tmp_path / "tocsin.yaml"
    file.write_text(
        "route: {receiver: '${A}', routes: [{mute_time_intervals: ['${B}'], policy: p}, {policy: '${C}'}]}\n"
        "receivers: [{name: a}]\n"
        "severities: {names: [high, low], aliases: {x: '${D}'}, default: '${E}'}\n"
        "escalation_policies: [{name: p, steps: [{notify: [{receiver: '${F}'}, {user: '${G}'}]}]}]\n"
    )
    config = examine(file, {}, without_env=True).config
    found = compile_plan(config)
    assert found.severities.rank({}) == 1
    assert told_by("p", "", "high", found, lambda _: True) == ((), ())
    assert found.root.children[0].mute == ()


def test_any_text_is_a_label_name_in_group_by_as_in_alertmanager():
    found = routes("{receiver: a, group_by: [service.name, 'größe', 'a b']}")["{}"]
    assert found.group_by == frozenset({"service.name", "größe", "a b"})
