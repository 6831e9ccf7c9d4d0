"""`routing/regular.py` against RE2 and against every short text."""

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.matchers import MatcherError, compile_regex
from routing.regex_tree import needed, samples
from routing.regular import Undecided, automaton, common, exactly

ATOMS = [
    "a",
    "b",
    "-",
    ".",
    "[ab]",
    "[^a]",
    "[a-c]",
    "[^b-]",
    r"\.",
    r"\d",
    r"\w",
    r"\S",
    r"\s",
    "é",
    "1",
    "[]a]",
]
TEXTS = ["".join(chars) for size in range(5) for chars in itertools.product("ab-1", repeat=size)]


def grown(inner):
    quantified = st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}", "*?"]))
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        quantified.map(lambda two: f"({two[0]}){two[1]}"),
    )


patterns = st.recursive(st.sampled_from([*ATOMS, ""]), grown, max_leaves=6)
anchored = st.tuples(st.sampled_from(["", "^"]), patterns, st.sampled_from(["", "$"])).map("".join)


def matches(pattern, text):
    return compile_regex(pattern).search(text.encode()) is not None


@given(anchored, st.text("ab-.1é \n{]", max_size=6))
@settings(deadline=None, max_examples=400)
def test_an_automaton_takes_the_texts_that_re2_takes(pattern, text):
    made = automaton(pattern)
    assert made is not None
    assert made.matches(text) == matches(pattern, text)


@given(st.text(r"ab^$.*+?()[]{}|\-:1,dPi<>=!", max_size=9), st.text("ab-:1,{}", max_size=4))
@settings(deadline=None, max_examples=1_000)
def test_whatever_is_written_it_is_read_as_re2_reads_it_or_not_at_all(pattern, text):
    try:
        compile_regex(pattern)
    except MatcherError:
        assume(False)
    made = automaton(pattern)
    assert made is None or made.matches(text) == matches(pattern, text)


@given(st.lists(patterns, min_size=1, max_size=3), st.lists(patterns, max_size=2))
@settings(deadline=None, max_examples=300)
def test_a_common_text_is_one_and_where_there_is_none_no_text_is(matching, missing):
    try:
        found = common([automaton(one) for one in matching], [automaton(one) for one in missing])
    except Undecided:
        return
    for text in TEXTS if found is None else [found]:
        answers = [matches(p, text) for p in matching] + [not matches(p, text) for p in missing]
        assert all(answers) == (found is not None)


@pytest.mark.parametrize(
    ("matching", "missing", "found"),
    [
        ([".*Agent.*"], [], "Agent"),
        (["Free.*", ".*Agent.*"], [], "FreeAgent"),
        (["FreeAgent.*"], [".*Agent.*"], None),
        (["db-[0-9]+"], ["db-.*"], None),
        (["db-.*"], ["db-[0-9]+"], "db-"),
        ([".+"], [".*"], None),
        (["(a|b)*"], ["a*|b*"], "ab"),
        (["[^a]"], ["."], "\n"),
        (["^(?:prod|staging)$"], ["prod"], "staging"),
        ([".{3}"], [".*x.*"], "yyy"),
    ],
)
def test_common_finds_a_shortest_text(matching, missing, found):
    assert common([automaton(one) for one in matching], [automaton(one) for one in missing]) == found


@pytest.mark.parametrize(
    "pattern", ["(?i)a", r"\bfoo", r"\pL", "[[:alpha:]]", "a$b", r"\x41", "(?s).", "(x{900}){900}"]
)
def test_what_is_not_understood_is_not_guessed(pattern):
    assert automaton(pattern) is None


def test_a_question_that_explodes_is_left_open():
    with pytest.raises(Undecided):
        common([automaton(".*a.{20}"), automaton(".*b.{21}")], [automaton(".*ab.*")])


def test_a_text_is_exactly_itself():
    assert exactly("a.b").matches("a.b")
    assert not exactly("a.b").matches("axb")


@given(patterns, st.text("ab-.1é \n{]", max_size=6))
@settings(deadline=None, max_examples=300)
def test_a_sample_matches_and_what_matches_has_what_is_needed(pattern, text):
    assert all(matches(pattern, one) for one in samples(pattern))
    for one in (text, *samples(pattern)):
        if matches(pattern, one) and needed(pattern):
            assert any(part in one for part in needed(pattern))


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (".*Agent.*", ("Agent",)),
        ("Host1.*|.*Job2Down", ("Host1", "Job2Down")),
        ("a?bc", ("bc",)),
        ("a|b.*|.*", ()),
        ("(x+yz)+", ("yz",)),
        ("[ab]", ()),
    ],
)
def test_what_an_expression_needs(pattern, texts):
    assert needed(pattern) == texts
