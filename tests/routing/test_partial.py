"""What is said of partly known labels holds for every label set that they may turn out to be."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.matchers import Matcher
from routing.partial import (
    ABSENT,
    ANYTHING,
    SOMETHING,
    PartialLabels,
    PartialTree,
    Values,
    all_fit,
    fits,
    one,
)
from routing.tree import Route, Tree

NAMES = ["team", "env"]
VALUES = ["", "a", "b", "ab"]  # all that a label is in these tests

matchers = st.builds(
    Matcher,
    st.sampled_from(NAMES),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from([*VALUES, ".*", ".+"]),
)
known = st.builds(
    lambda only, present: Values(frozenset(only) - ({""} if present else set()), present=present),
    st.sets(st.sampled_from(VALUES), min_size=2),
    st.booleans(),
) | st.sampled_from([ANYTHING, SOMETHING, ABSENT, one("a")])
partly = st.builds(PartialLabels, st.dictionaries(st.sampled_from(NAMES), known), st.booleans())


@st.composite
def trees(draw, depth=3):
    children = draw(st.lists(trees(depth - 1), max_size=3)) if depth else []
    return Route(
        key="", receiver=draw(st.sampled_from("xyz")), group_by=None, group_wait=0, group_interval=1,
        repeat_interval=1, matchers=tuple(draw(st.lists(matchers, max_size=2))),
        continue_=draw(st.booleans()), children=tuple(children),
    )  # fmt: skip


def completions(labels):
    """Every label set that these may be."""
    sets = [{}]
    for name in NAMES:
        values = labels.of(name)
        possible = [
            v for v in VALUES if (v in values.only if values.only is not None else v or not values.present)
        ]
        sets = [{**rest, name: value} for rest in sets for value in possible]
    return [{name: value for name, value in one.items() if value} for one in sets]


@pytest.mark.parametrize(
    ("matcher", "values", "answer"),
    [
        (Matcher("a", "=", "x"), one("x"), True),
        (Matcher("a", "=", "x"), one("y"), False),
        (Matcher("a", "=", "x"), Values(frozenset({"x", "y"})), None),
        (Matcher("a", "=~", "x|y"), Values(frozenset({"x", "y"})), True),
        (Matcher("a", "=", "x"), ABSENT, False),
        (Matcher("a", "!=", "x"), ABSENT, True),
        (Matcher("a", "=", "x"), ANYTHING, None),
        (Matcher("a", "=", ""), SOMETHING, False),
        (Matcher("a", "!=", ""), SOMETHING, True),
        (Matcher("a", "=~", ".+"), SOMETHING, True),
        (Matcher("a", "!~", ".*"), ANYTHING, False),
        (Matcher("a", "=~", "x.*"), SOMETHING, None),
    ],
)
def test_an_answer_is_given_where_it_is_certain(matcher, values, answer):
    assert fits(matcher, values) is answer


@given(matchers=st.lists(matchers, max_size=3), labels=partly)
def test_what_is_certain_of_matchers_holds_for_every_completion(matchers, labels):
    answer = all_fit(matchers, labels)
    if answer is not None:
        assert {all(m.matches(full) for m in matchers) for full in completions(labels)} <= {answer}


@settings(max_examples=300)
@given(root=trees(), labels=partly)
def test_what_is_certain_of_routes_holds_for_every_completion(root, labels):
    root = replace(root, matchers=())
    found = PartialTree(root).match(labels)
    possible, certain = {id(route) for route, _ in found}, {id(route) for route, sure in found if sure}
    tree = Tree(root)
    for full in completions(labels):
        told = {id(route) for route in tree.match(full)}
        assert certain <= told <= possible


@settings(max_examples=200)
@given(root=trees(), labels=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES[1:])))
def test_where_all_is_known_the_answer_is_that_of_the_tree(root, labels):
    root = replace(root, matchers=())
    known = PartialLabels({name: one(value) for name, value in labels.items()}, more=False)
    found = PartialTree(root).match(known)
    assert all(certain for _, certain in found)
    assert {id(route) for route, _ in found} == {id(route) for route in Tree(root).match(labels)}


@given(st.lists(known, min_size=2, max_size=2))
def test_both_and_either_of_two_are_what_they_say(pair):
    def holds(values):
        return {
            v for v in VALUES if (v in values.only if values.only is not None else v or not values.present)
        }

    left, right = pair
    assert holds(left | right) >= holds(left) | holds(right)
    assert holds(left & right) == holds(left) & holds(right)
