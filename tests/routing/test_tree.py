"""The walk through the routing tree and what makes a group."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_walk import plain_walk

from routing.explain import explain
from routing.matchers import Matcher, parse_matchers
from routing.tree import Route, Tree, group_key, group_labels, walk


def route(receiver, matchers="", children=(), *, more=False, group_by=frozenset()):
    return Route(
        key=receiver,
        receiver=receiver,
        group_by=group_by,
        group_wait=0,
        group_interval=1,
        repeat_interval=1,
        matchers=parse_matchers(matchers),
        continue_=more,
        children=tuple(children),
    )


TREE = route(
    "root",
    children=[
        route("audit", 'severity="critical"', more=True),
        route(
            "db",
            'team="db"',
            [
                route("db-page", 'severity="critical"', more=True),
                route("db-slow", 'alertname=~"Slow.*"'),
                route("db-any", 'env!="dev"', more=True),
            ],
        ),
        route("late", 'severity=~"critical|high"'),
    ],
)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({}, ["root"]),
        ({"severity": "low"}, ["root"]),
        ({"severity": "high"}, ["late"]),
        ({"severity": "critical"}, ["audit", "late"]),
        ({"team": "db"}, ["db-any"]),
        ({"team": "db", "env": "dev"}, ["db"]),
        ({"team": "db", "severity": "critical"}, ["audit", "db-page", "db-any"]),
        ({"team": "db", "severity": "critical", "alertname": "SlowQuery"}, ["audit", "db-page", "db-slow"]),
    ],
)
def test_children_are_asked_in_order_and_a_parent_answers_only_if_none_did(labels, receivers):
    assert [found.receiver for found in Tree(TREE).match(labels)] == receivers
    assert [found.receiver for found in plain_walk(TREE, labels)] == receivers


names = st.sampled_from(["a", "b", "c"])
values = st.sampled_from(["", "x", "y", "z", "é", "x-1"])
exact = st.builds(Matcher, names, st.sampled_from(["=", "!="]), values)
regexes = st.sampled_from(["x|y", "x-1|z|x", "x|", ".*", ".+", "x.*", "(?i)X|Y", "", "é|x", "^x$", "x||y"])
regex = st.builds(Matcher, names, st.sampled_from(["=~", "!~"]), regexes)
label_sets = st.lists(st.dictionaries(names, values), min_size=1, max_size=20)


some = st.lists(exact | exact | regex, max_size=2)
leaves = st.lists(st.tuples(some, st.booleans(), st.just([])), max_size=4)
branches = st.lists(st.tuples(some, st.booleans(), leaves), max_size=5)
drawn = st.lists(st.tuples(some, st.booleans(), leaves | branches), min_size=1, max_size=7)


def grown(parts, key="r"):
    """Routes from what was drawn; the key says the way to each."""
    return [
        Route(
            key=f"{key}.{at}",
            receiver=f"{key}.{at}",
            group_by=frozenset(),
            group_wait=0,
            group_interval=1,
            repeat_interval=1,
            matchers=tuple(matchers),
            continue_=more,
            children=tuple(grown(below, f"{key}.{at}")),
        )
        for at, (matchers, more, below) in enumerate(parts)
    ]


@settings(max_examples=300, deadline=None)
@given(drawn, label_sets)
def test_the_compiled_tree_answers_as_the_plain_walk_the_first_time_and_from_memory(parts, sets):
    root = route("root", children=grown(parts))
    tree = Tree(root, remember=4)  # so that it forgets, too
    for labels in [*sets, *sets]:
        assert tree.match(labels) == plain_walk(root, labels)


@given(drawn, label_sets)
def test_an_explanation_tells_of_the_same_routes_and_of_the_first_matcher_that_fails(parts, sets):
    root = route("root", children=grown(parts))
    for labels in sets:
        visits = explain(root, labels)
        assert tuple(one.route for one in visits if one.outcome == "told") == plain_walk(root, labels)
        for one in visits:
            assert all(matcher.matches(labels) for matcher in one.held)
            assert (one.failed is None) == (one.outcome != "declined")
            assert one.failed is None or not one.failed.matches(labels)


def test_routes_found_by_different_labels_and_by_scanning_stay_in_the_order_written():
    conditions = ["a=1", "b=1", "a=~1|2", 'b!="2"', "a=1", "b=1", "c=1"]
    root = route("root", children=[route(f"{at}", text, more=True) for at, text in enumerate(conditions)])
    found = Tree(root).match({"a": "1", "b": "1", "c": "1"})
    assert [one.receiver for one in found] == ["0", "1", "2", "3", "4", "5", "6"]


def test_labels_that_no_matcher_names_share_one_answer():
    tree = Tree(TREE)
    answers = {id(tree.match({"team": "db", "instance": f"db-{number}"})) for number in range(100)}
    assert (len(answers), len(tree._answers)) == (1, 1)


def test_no_more_answers_are_kept_than_asked_for():
    tree = Tree(TREE, remember=10)
    for number in range(100):
        tree.match({"team": f"t{number}"})
    assert len(tree._answers) <= 10


def test_a_route_that_asks_for_exact_values_is_found_without_asking_its_siblings():
    children = [route(f"r{at}", f"team=t{at}") for at in range(1000)]
    children.append(route("ab", "team=~a|b"))
    node = Tree(route("root", children=children))._node
    assert node.scanned == ()
    assert len(dict(node.lookups)["team"]) == 1002


def test_an_explanation_says_what_held_what_failed_first_and_where_the_search_ended():
    visits = explain(TREE, {"team": "db", "severity": "critical", "alertname": "SlowQuery"})
    told = [
        (one.depth, one.route.receiver, one.outcome, str(one.failed or ""), one.unasked) for one in visits
    ]
    assert told == [
        (0, "root", "passed on", "", 0),
        (1, "audit", "told", "", 0),
        (1, "db", "passed on", "", 1),
        (2, "db-page", "told", "", 0),
        (2, "db-slow", "told", "", 1),
    ]
    (_, audit, db, _) = explain(TREE, {"team": "web", "severity": "low"})
    assert (str(audit.failed), db.held, str(db.failed)) == ('severity="critical"', (), 'team="db"')


def test_walking_gives_parents_before_children_in_the_order_written():
    names = [found.receiver for found in walk(TREE)]
    assert names == ["root", "audit", "db", "db-page", "db-slow", "db-any", "late"]


def test_a_group_is_made_of_the_labels_named_and_present():
    by_two = route("r", group_by=frozenset({"alertname", "cluster"}))
    assert group_labels(by_two, {"alertname": "X", "pod": "p"}) == {"alertname": "X"}
    assert group_labels(route("r"), {"alertname": "X"}) == {}


def test_three_dots_group_by_every_label():
    by_all = route("r", group_by=None)
    assert group_labels(by_all, {"b": "2", "a": "1"}) == {"b": "2", "a": "1"}


def test_the_group_key_is_printed_as_alertmanager_prints_it():
    labels = {"b": "x", "a1": 'q"\\\n\x01é', "a": "1"}
    assert group_key(route('{}/{t="u"}'), labels) == r'{}/{t="u"}:{a1="q\"\\\n\x01é", a="1", b="x"}'
    assert group_key(route("{}"), {}) == "{}:{}"
