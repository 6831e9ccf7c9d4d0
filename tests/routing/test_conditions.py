"""Many matchers asked together answer as each of them does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routing.conditions import Conditions
from routing.matchers import Matcher, matches_all

VALUES = st.sampled_from(["", "a", "b", "ab", "a\nb", "ä", "web-1", "web-12"])
PATTERNS = st.sampled_from(
    ["a", "a|b", ".*", ".+", "web-1.*", "[ab]+", "a)|(b", "", "ä?", "(?s)a.b", "web-\\d"]
)
NAMES = st.sampled_from(["x", "y"])
MATCHERS = st.one_of(
    st.builds(Matcher, NAMES, st.sampled_from(["=", "!="]), VALUES),
    st.builds(Matcher, NAMES, st.sampled_from(["=~", "!~"]), PATTERNS.filter(lambda p: p != "a)|(b")),
)


@given(
    st.lists(st.lists(MATCHERS, max_size=3), max_size=80),
    st.lists(st.dictionaries(NAMES, VALUES), max_size=4),
)
def test_what_is_met_is_what_each_matcher_says(conjunctions, label_sets) -> None:
    conditions = Conditions(conjunctions)
    for labels in label_sets:
        assert conditions.met(conditions.mask(labels)) == [matches_all(one, labels) for one in conjunctions]


def test_expressions_too_large_for_one_automaton_are_asked_one_by_one() -> None:
    large = [Matcher("x", "=~", f"(a|b|[c-z]){{0,{n}}}end{n}.*[xyz]{{0,60}}.*{n}") for n in range(20, 66)]
    conditions = Conditions([[one] for one in large])
    for value in ("abend25x25", "bbbbbbend40zz40", "end", ""):
        assert conditions.met(conditions.mask({"x": value})) == [one.matches({"x": value}) for one in large]
