"""Many matchers asked at once answer as each of them does."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.at_once import IN_A_SET, WORTH, Conditions, Expressions
from routing.matchers import Matcher, matches_all

PATTERNS = [
    *("", ".*", ".+", "a", "b?a", "a|b", "a.*", ".*b.*", "[ab]+", "[^a]*", "^a$", "(?s)a.b"),
    *("(?i)A", "ä?", r"\pL+", "web-1.*", r"web-\d"),
]
VALUES = st.sampled_from(["", "a", "b", "ab", "AB", "a\nb", "ä", "web-1", "web-12"])
NAMES = st.sampled_from(["x", "y"])
MATCHERS = st.one_of(
    st.builds(Matcher, NAMES, st.sampled_from(["=", "!="]), VALUES),
    st.builds(Matcher, NAMES, st.sampled_from(["=~", "!~"]), st.sampled_from(PATTERNS)),
)


def alone(patterns: list[str], value: str) -> list[str]:
    return [one for one in patterns if Matcher("x", "=~", one).matches({"x": value})]


@given(st.lists(st.sampled_from(PATTERNS), unique=True), st.text("abAB\né", max_size=4))
@example(PATTERNS, "a\n")
def test_an_expression_is_met_as_if_it_were_asked_by_itself(patterns, value):
    assert list(Expressions(patterns).met_by(value)) == alone(patterns, value)


@given(
    st.lists(st.lists(MATCHERS, max_size=3), max_size=80),
    st.lists(st.dictionaries(NAMES, VALUES), max_size=4),
)
def test_a_conjunction_is_met_if_each_of_its_matchers_is(conjunctions, label_sets):
    conditions = Conditions(conjunctions)
    for labels in label_sets:
        assert conditions.met(conditions.mask(labels)) == [matches_all(one, labels) for one in conjunctions]


def test_more_expressions_than_one_set_takes_keep_their_order():
    patterns = [f"web-{n}?" for n in range(3 * IN_A_SET)]
    assert Expressions(patterns).met_by("web-") == tuple(patterns[:10])


@pytest.mark.parametrize("value", ["a" * 303, "abend25x25", "bbbbbbend40zz40", "end", ""])
def test_expressions_that_are_too_much_for_one_set_are_asked_one_by_one(value):
    hard = [f"(.*{letter}.{{100}}){{3}}" for letter in "abcdefghijkl"]
    large = [f"(a|b|[c-z]){{0,{n}}}end{n}.*[xyz]{{0,60}}.*{n}" for n in range(20, 20 + IN_A_SET)]
    assert len(hard) > WORTH
    for patterns in (hard, large):
        assert list(Expressions(patterns).met_by(value)) == alone(patterns, value)
