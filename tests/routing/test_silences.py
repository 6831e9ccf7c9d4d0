"""Which silences an alert meets, in which state they are, and that the index never changes an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.matchers import Matcher, matches_all, parse_matchers
from routing.silences import (
    Silence,
    Silences,
    State,
    from_record,
    has_all,
    in_order,
    state,
    to_record,
)

START, END = 1_000, 2_000


def silence(matchers, start=START, end=END, identity="s"):
    return Silence(identity, parse_matchers(matchers), start, end, "dana", "why", start, {"ticket": "7"})


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START - 1, State.PENDING),
        (START, State.ACTIVE),
        (END - 1, State.ACTIVE),
        (END, State.EXPIRED),
        (END + 1, State.EXPIRED),
    ],
)
def test_a_silence_is_active_at_its_start_and_expired_at_its_end(now, expected):
    one = silence('a="b"')
    assert state(one, now) is expected
    assert bool(Silences([one]).matching({"a": "b"}, now)) is (expected is State.ACTIVE)


def test_a_silence_that_was_ended_before_its_start_never_acts():
    ended = silence('a="b"', START, START)
    assert state(ended, START) is State.EXPIRED
    assert Silences([ended]).matching({"a": "b"}, START) == ()
    assert Silences([ended]).next_change(0) is None


@pytest.mark.parametrize(
    ("matchers", "labels", "met"),
    [
        ('a="b"', {"a": "b", "c": "d"}, True),
        ('a="b"', {}, False),
        ('a="b",c="d"', {"a": "b"}, False),
        ('a="b",c=""', {"a": "b"}, True),
        ('a=~"b|c"', {"a": "c"}, True),
        ('a=~"b|c"', {"a": "bc"}, False),
        (r'a=~"x\\.y|z"', {"a": "x.y"}, True),
        (r'a=~"x\\.y|z"', {"a": "xxy"}, False),
        (r'a=~"x\\|y"', {"a": "x|y"}, True),
        (r'a=~"x\\\\|y"', {"a": "y"}, True),
        (r'a=~"x\\\\|y"', {"a": "x\\"}, True),
        ('a=~"b|"', {}, False),  # with c below: an empty alternative needs no label
        ('a=~"b.*"', {"a": "bcd"}, True),
        ('a=~"(?i)B"', {"a": "b"}, True),
        ('a!="b"', {}, True),
        ('a!="b"', {"a": "b"}, False),
        ('a!=""', {}, False),
        ('a!=""', {"a": "x"}, True),
        ('a!~".+"', {"c": "x"}, True),
        ('a!~"|b"', {"a": "c"}, True),
    ],
)
def test_an_alert_meets_a_silence_if_it_meets_every_matcher(matchers, labels, met):
    one = silence(matchers + (',c="x"' if matchers == 'a=~"b|"' else ""))
    assert bool(Silences([one]).matching(labels, START)) is met


def test_an_empty_label_is_a_missing_one():
    found = Silences([silence('a=""'), silence('a!=""'), silence('a=~".*"')])
    assert len(found.matching({"a": ""}, START)) == 2


def test_what_lasts_longest_is_named_first():
    short, long = silence('a="b"', end=END), silence('a="b"', end=END + 5)
    assert Silences([short, long]).matching({"a": "b"}, START) == (long, short)


def test_the_next_change_is_the_next_start_or_end_of_any_silence():
    found = Silences([silence('a="b"', 10, 20), silence('a="c"', 15, 30), silence('a="d"', 40, 40)])
    moments = [found.next_change(now) for now in (0, 10, 14, 15, 20, 29, 30, 99)]
    assert moments == [10, 15, 15, 20, 30, 30, None, None]


def test_the_list_shows_what_acts_now_then_what_will_then_what_did():
    rows = {"e1": (0, 10), "p2": (70, 90), "a1": (10, 60), "p1": (60, 99), "a2": (10, 55), "e2": (0, 20)}
    silences = [silence('a="b"', start, end, name) for name, (start, end) in rows.items()]
    assert [one.id for one in in_order(silences, 50)] == ["a2", "a1", "p1", "p2", "e2", "e1"]


def test_a_filter_compares_matchers_as_they_are_written():
    one = silence('a="b",c=~"d.*"')
    assert has_all(one, parse_matchers('c=~"d.*"'))
    assert has_all(one, ())
    assert not has_all(one, parse_matchers('c="d"'))
    assert not has_all(one, parse_matchers('a=~"b"'))


def test_a_record_gives_the_silence_back():
    one = silence('a="b","é.x"!~"c|d"')
    assert from_record(to_record(one)) == one
    assert Silences([one]).find("s") is one
    assert Silences([one]).find("t") is None


NAMES = st.sampled_from(("a", "b", "c"))
VALUES = st.sampled_from(("", "x", "y", "xy", "x.y", "xyy", "xx"))
PATTERNS = st.sampled_from(
    ("", "x", "x|y", "x.*", ".*", ".+", "|x", "x\\.y|y", "(x|y)y", "[^x]", "xy?", "xy+", "x{2}")
)
MATCHERS = st.one_of(
    st.builds(Matcher, NAMES, st.sampled_from(("=", "!=")), VALUES),
    st.builds(Matcher, NAMES, st.sampled_from(("=~", "!~")), PATTERNS),
)
SILENCES = st.builds(
    Silence,
    id=st.uuids().map(str),
    matchers=st.lists(MATCHERS, min_size=1, max_size=3).map(tuple),
    starts_at=st.integers(0, 9),
    ends_at=st.integers(0, 9),
    created_by=st.just(""),
    comment=st.just(""),
    updated_at=st.just(0),
)
LABELS = st.dictionaries(NAMES, VALUES)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from((0, 2, 64)),
    st.lists(SILENCES, max_size=40),
    st.lists(LABELS, min_size=1, max_size=5),
    st.integers(0, 9),
)
def test_the_index_answers_as_if_every_silence_were_asked(crowd, silences, alerts, now):
    found = Silences(silences, crowd=crowd)
    active = [one for one in silences if state(one, now) is State.ACTIVE]
    for labels in alerts * 2:  # the second time from memory
        expected = {one.id for one in active if matches_all(one.matchers, labels)}
        assert {one.id for one in found.matching(labels, now)} == expected
        assert len(found.matching(labels, now)) == len(expected)
    later = [
        moment for one in silences for moment in (one.starts_at, one.ends_at) if one.starts_at < one.ends_at
    ]
    assert found.next_change(now) == min((moment for moment in later if moment > now), default=None)


def test_what_is_remembered_of_values_is_bounded(monkeypatch):
    monkeypatch.setattr("routing.silences._REMEMBERED", 10)
    found = Silences([silence('a=~"x.+"')])
    for number in range(50):
        assert found.matching({"a": f"x{number}"}, START)
    assert len(found._known) <= 10
