"""How silences are made, changed and ended: the table, and Alertmanager's rules stated a second time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.matchers import Matcher, parse_matchers
from routing.silence_changes import (
    LATEST,
    MAX_COMMENT_BYTES,
    MAX_MATCHERS,
    Change,
    InvalidSilenceError,
    Wanted,
    expire,
    hides_everything,
    put,
)
from routing.silences import Silence, State, state

NOW = 100_000
ACTIVE = Silence("old", parse_matchers('a="b",c="d"'), 50_400, 200_000, "dana", "why", 50_000)
PENDING = replace(ACTIVE, starts_at=150_000)
EXPIRED = replace(ACTIVE, ends_at=60_000)


def wanted(matchers='a="b",c="d"', start=None, end=300_000, **more):
    return Wanted(parse_matchers(matchers), end, "kim", "because", starts_at=start, **more)


@pytest.mark.parametrize(
    ("known", "matchers", "start", "same_id", "starts_at"),
    [
        (None, 'a="b"', None, False, NOW),
        (None, 'a="b"', 5, False, NOW),  # a start in the past is now
        (None, 'a="b"', 120_000, False, 120_000),
        (ACTIVE, 'a="b",c="d"', 50_400, True, 50_400),
        (ACTIVE, 'a="b",c="d"', 50_999, True, 50_400),  # the same to the second: it is not moved
        (ACTIVE, 'a="b",c="d"', None, True, 50_400),
        (ACTIVE, 'c="d",a="b"', 50_400, True, 50_400),  # the order of matchers says nothing
        (ACTIVE, 'a="b",c="d"', 51_000, False, NOW),
        (ACTIVE, 'a="b",c="d"', 120_000, False, 120_000),
        (ACTIVE, 'a="b"', 50_400, False, NOW),
        (ACTIVE, 'a=~"b",c="d"', 50_400, False, NOW),
        (PENDING, 'a="b",c="d"', 150_000, True, 150_000),
        (PENDING, 'a="b",c="d"', None, True, 150_000),
        (PENDING, 'a="b",c="d"', NOW, True, NOW),
        (PENDING, 'a="b",c="d"', 170_000, True, 170_000),
        (PENDING, 'a="b",c="d"', NOW - 1, False, NOW),
        (PENDING, 'a="x"', 150_000, False, 150_000),
        (EXPIRED, 'a="b",c="d"', 50_400, False, NOW),
        (EXPIRED, 'a="b",c="d"', None, False, NOW),
    ],
)
def test_an_update_keeps_its_id_only_where_its_past_stays_true(known, matchers, start, same_id, starts_at):
    change = put(wanted(matchers, start), known, NOW, "new")
    assert change.silence.id == ("old" if same_id else "new")
    assert (change.silence.starts_at, change.silence.ends_at) == (starts_at, 300_000)
    assert (change.silence.created_by, change.silence.comment) == ("kim", "because")
    assert change.silence.updated_at == NOW
    replaced = known in (ACTIVE, PENDING) and not same_id
    assert change.ended == (expire(known, NOW) if replaced else None)


@pytest.mark.parametrize(
    ("known", "starts_at", "ends_at", "updated_at"),
    [
        (ACTIVE, 50_400, NOW, NOW),
        (PENDING, NOW, NOW, NOW),
        (EXPIRED, 50_400, 60_000, 50_000),
    ],
)
def test_ending_ends_now_and_an_ended_one_stays_as_it_was(known, starts_at, ends_at, updated_at):
    ended = expire(known, NOW)
    assert (ended.starts_at, ended.ends_at, ended.updated_at) == (starts_at, ends_at, updated_at)
    assert state(ended, NOW) is State.EXPIRED


@pytest.mark.parametrize(
    ("asked", "field", "word"),
    [
        (wanted(""), "matchers", "at least one matcher"),
        (wanted('a=""'), "matchers", "without the label"),
        (wanted('a=~".*",b=""'), "matchers", "without the label"),
        (wanted(",".join(f'l{n}="x"' for n in range(MAX_MATCHERS + 1))), "matchers", "at most 64"),
        (replace(wanted(), matchers=(Matcher("a", "=", "x" * 20_000),)), "matchers", "16384 bytes"),
        (wanted(end=NOW), "ends_at", "in the past"),
        (wanted(end=NOW - 1), "ends_at", "in the past"),
        (wanted(start=300_000), "ends_at", "before it starts"),
        (wanted(end=LATEST + 1), "ends_at", "9999"),
        (replace(wanted(), comment="é" * MAX_COMMENT_BYTES), "comment", "4096 bytes; this has 8192"),
        (replace(wanted(), comment="\ud800"), "comment", "UTF-8"),
        (replace(wanted(), created_by="x" * 257), "created_by", "256 bytes"),
        (wanted(annotations={str(n): "" for n in range(33)}), "annotations", "at most 32"),
        (wanted(annotations={"a": "x" * 9_000}), "annotations", "8192 bytes"),
    ],
)
def test_what_can_be_no_silence_is_refused_with_the_field_and_the_reason(asked, field, word):
    with pytest.raises(InvalidSilenceError, match=word) as refused:
        put(asked, None, NOW, "new")
    assert refused.value.field == field


def test_a_negative_matcher_alone_is_taken_as_alertmanager_takes_it():
    assert put(wanted('a!="x"'), None, NOW, "new").silence.id == "new"


@pytest.mark.parametrize(
    ("matchers", "everything"),
    [
        ('alertname=~".+"', True),
        ('alertname!=""', True),
        ('foo!="x"', True),
        ('foo=~".*"', True),
        ('foo!~"x|y",alertname=~"(?s).*"', True),
        ('alertname!="Watchdog",severity!="none"', True),
        ('alertname="A"', False),
        ('alertname=~".+",cluster="eu"', False),
        ('foo!=""', False),  # alerts without foo stay
        ('foo!~".+"', False),
        ('foo=~".+"', False),
        ('alertname=~"Node.*"', False),
    ],
)
def test_a_silence_that_any_alert_meets_is_recognised(matchers, everything):
    assert hides_everything(parse_matchers(matchers)) is everything


TIMES = st.integers(0, 8).map(lambda n: n * 500)
MATCHERS = st.sampled_from(("a", "b")).map(lambda value: (Matcher("l", "=", value),))
KNOWN = st.none() | st.builds(
    Silence, st.just("old"), MATCHERS, TIMES, TIMES, st.just(""), st.just(""), TIMES
)


def by_the_book(asked, known, now):
    """Alertmanager's `Set`, `canUpdate` and API checks, in its own order; None where it refuses."""
    if asked.ends_at <= asked.starts_at or asked.ends_at < now:
        return None
    if known:
        if now < known.starts_at:
            keeps = asked.starts_at >= now
        elif now < known.ends_at:
            keeps = asked.starts_at // 1_000 == known.starts_at // 1_000 and asked.ends_at >= now
        else:
            keeps = False
        if keeps and known.matchers == asked.matchers:
            return "old", asked.starts_at // 1_000, False
    return "new", max(asked.starts_at, now) // 1_000, bool(known) and now < known.ends_at


@settings(max_examples=1_000, deadline=None)
@given(st.builds(Wanted, MATCHERS, TIMES, st.just("x"), st.just("y"), st.just("old"), TIMES), KNOWN, TIMES)
def test_changes_follow_alertmanagers_rules(asked, known, now):
    if known and known.starts_at > known.ends_at:
        known = replace(known, ends_at=known.starts_at)
    expected = by_the_book(asked, known, now)
    try:
        change = put(asked, known, now, "new")
    except InvalidSilenceError:
        # Refused also what would end in this very millisecond: it would never act.
        assert expected is None or asked.ends_at == now
        return
    ended = change.ended is not None
    assert (change.silence.id, change.silence.starts_at // 1_000, ended) == expected
    assert isinstance(change, Change)
    assert state(change.silence, now) is not State.EXPIRED
