"""`routing/satisfiable.py` against every label set of a small world."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.matchers import Matcher, matches_all, parse_matchers
from routing.satisfiable import Answer, can_hold, clash, find, implies

VALUES = ["", "a", "b", "ab", "ba", "aa", "x", "abc"]
WORLD = [dict(zip("pq", values, strict=True)) for values in itertools.product(VALUES, repeat=2)]

regexes = st.sampled_from(["a|b", "a.*", ".*b", ".*", ".+", "", "[ab]+", "(a|ab)", "x?", "(?i)A", "a{2}|x"])
matchers = st.one_of(
    st.builds(Matcher, st.sampled_from("pq"), st.sampled_from(["=", "!="]), st.sampled_from(VALUES)),
    st.builds(Matcher, st.sampled_from("pq"), st.sampled_from(["=~", "!~"]), regexes),
)
conditions = st.lists(matchers, max_size=4).map(tuple)


@given(conditions, st.lists(conditions, max_size=4))
@settings(deadline=None, max_examples=600)
def test_what_is_found_is_so_and_what_is_never_so_is_nowhere_in_the_world(meeting, avoiding):
    answer = find(meeting, avoiding)
    for labels in WORLD if answer.labels is None else [answer.labels]:
        so = matches_all(meeting, labels) and not any(matches_all(one, labels) for one in avoiding)
        assert so <= (not answer.never)
        assert so or answer.labels is None


@given(conditions, conditions)
@settings(deadline=None, max_examples=300)
def test_what_follows_holds_in_the_whole_world(first, second):
    if implies(first, second):
        assert all(matches_all(second, labels) for labels in WORLD if matches_all(first, labels))
    if not can_hold(first):
        assert not any(matches_all(first, labels) for labels in WORLD)


@given(conditions, st.lists(conditions, max_size=5))
@settings(deadline=None, max_examples=300)
def test_those_to_blame_suffice(meeting, avoiding):
    answer = find(meeting, avoiding)
    if answer.never:
        assert find(meeting, [avoiding[at] for at in answer.because]).never


def ask(text, *avoiding):
    return find(parse_matchers(text), [parse_matchers(one) for one in avoiding])


@pytest.mark.parametrize(
    ("text", "avoiding", "answer"),
    [
        ('a="b"', [], Answer({"a": "b"})),
        ('a="b", a="c"', [], Answer(never=True)),
        ('a="b", a=~"c.*"', [], Answer(never=True)),
        ('a=~"b|c", a!="b", a!~"c"', [], Answer(never=True)),
        ('a!="b"', [], Answer({})),
        ('a!="b", a!=""', [], Answer({"a": "x"})),
        ('a=~".+", a=~"db-.*", a!~"db-[0-9]+"', [], Answer({"a": "db-"})),
        ('severity=~"high|critical"', ['severity="high"'], Answer({"severity": "critical"})),
        (
            'severity=~"high|critical"',
            ['severity="high"', 'severity="critical"'],
            Answer(never=True, because=(0, 1)),
        ),
        ('alertname=~"FreeAgent.*"', ['a="b"', 'alertname=~".*Agent.*"'], Answer(never=True, because=(1,))),
        ('a="1"', ['a="1", b="2"', 'b!="2"'], Answer(never=True, because=(0, 1))),
        ("", ['a="1"', 'a!="1"'], Answer(never=True, because=(0, 1))),
        ("", [""], Answer(never=True, because=(0,))),
        ('a=~"(?i)x.*", a=~".*y"', [], Answer()),
        ('a=~"(?i)x.*", a="z"', [], Answer(never=True)),
    ],
)
def test_answers(text, avoiding, answer):
    assert ask(text, *avoiding) == answer


def test_a_clash_names_the_matchers_of_one_label():
    found = clash(parse_matchers('a="1", b="2", a!~"1|2"'))
    assert [str(matcher) for matcher in found] == ['a!~"1|2"', 'a="1"']
    assert clash(parse_matchers('a="1", b="2"')) == ()


def test_a_hundred_alternatives_are_no_hundred_tries():
    names = "|".join(f"Alert{number}" for number in range(100))
    avoiding = [parse_matchers(f'alertname="Alert{number}"') for number in range(100)]
    assert find(parse_matchers(f'alertname=~"{names}"'), avoiding).never
