"""Asking many expressions at once gives what asking each gives."""

from hypothesis import given
from hypothesis import strategies as st

from routing.at_once import WORTH, Expressions
from routing.matchers import Matcher

PATTERNS = ["a", "a|b", "a.*", ".*", ".+", "", "(?i)A", "^a$", "[^a]*", r"\pL+", "b?a", ".*b.*"]

patterns = st.lists(st.sampled_from(PATTERNS), unique=True) | st.just(PATTERNS)


@given(patterns, st.text(st.sampled_from("abAB\né"), max_size=4))
def test_the_answer_is_that_of_each_by_itself(patterns, value):
    alone = [p for p in patterns if Matcher("x", "=~", p).matches({"x": value})]
    assert list(Expressions(patterns).met_by(value)) == alone


def test_expressions_that_are_too_much_for_one_set_are_asked_one_by_one():
    hard = [f"(.*{letter}.{{100}}){{3}}" for letter in "abcdefghijkl"]
    assert len(hard) > WORTH
    assert Expressions(hard).met_by("a" * 303) == (hard[0],)
