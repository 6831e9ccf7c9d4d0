"""What an arriving copy of an alert means: the rule, line by line, and what senders do to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.alerts import (
    MAX_LABELS,
    MAX_NAME_BYTES,
    MAX_VALUE_BYTES,
    Arrival,
    Dedup,
    InvalidAlertError,
    Known,
    News,
    Status,
    alert_key,
    arrive,
    expire,
    fingerprint,
    next_deadline,
)

S, DEDUP = 1_000, Dedup()
NOW = 100_000 * S


def fires(start: int, until: int | None = None) -> Arrival:
    """A copy that fires since `start` seconds before now; `until`, seconds from now, by Prometheus' post."""
    return Arrival("k", {}, {}, "firing", NOW - start * S, None, until and NOW + until * S, "")


def ends(start: int, end: int | None) -> Arrival:
    """A copy that says: it fired `start` seconds ago and ended `end` seconds ago."""
    return Arrival("k", {}, {}, "resolved", NOW - start * S, None if end is None else NOW - end * S, None, "")


def firing(start: int, latest: int | None = None, until: int = 0, ended: int | None = None) -> Known:
    at = NOW - (start if latest is None else latest) * S
    end = 0 if ended is None else NOW - ended * S
    return Known(Status.FIRING, NOW - start * S, at, end, end, NOW + until * S if until else 0, NOW - S)


def resolved(start: int, end: int, seen: int | None = None, status: Status = Status.RESOLVED) -> Known:
    """It ended `end` seconds ago; the news of that came `seen` seconds ago."""
    came = NOW - (end if seen is None else seen) * S
    return Known(status, NOW - start * S, NOW - start * S, NOW - end * S, came, seen=came)


def suspect(start: int, end: int) -> Known:
    return resolved(start, end, status=Status.SUSPECT)


def dismissed(start: int, ended: int | None = None) -> Known:
    return replace(firing(start, ended=ended), status=Status.DISMISSED)


F, R, X, D = Status.FIRING, Status.RESOLVED, Status.SUSPECT, Status.DISMISSED
TABLE = [
    # what is known           what arrives           news            then
    (None,                    fires(60),             News.NEW,       F),
    (None,                    fires(60, until=240),  News.NEW,       F),
    (None,                    ends(60, 10),          News.RECORDED,  R),
    (None,                    ends(60, None),        News.RECORDED,  R),
    (firing(60),              fires(60),             News.REPEATED,  F),
    (firing(60),              fires(90),             News.REPEATED,  F),  # HA Prometheus: an earlier start
    (firing(60),              fires(30),             News.REPEATED,  F),  # Alertmanager was restarted
    (firing(60),              ends(60, 0),           News.ENDED,     R),
    (firing(60),              ends(60, None),        News.ENDED,     R),
    (firing(60),              ends(90, 60),          News.ENDED,     R),  # it ends as it starts
    (firing(60),              ends(90, 61),          News.RECORDED,  F),  # late news of an older episode
    (firing(90, latest=60),   ends(90, 61),          News.RECORDED,  F),  # the latest start counts
    (firing(90, latest=60),   ends(90, 60),          News.ENDED,     R),
    (firing(60, ended=90),    ends(120, 90),         News.RECORDED,  F),  # the end before, again
    (firing(60, until=200),   ends(60, 10),          News.ENDED,     R),
    (firing(60, until=200, ended=30), ends(60, 30),  News.RECORDED,  F),  # two Prometheus disagree
    (firing(60, until=200, ended=30), ends(60, 40),  News.RECORDED,  F),
    (firing(60, until=200, ended=30), ends(60, 29),  News.ENDED,     R),  # a newer end is news
    (resolved(60, 10),        ends(60, 10),          News.REPEATED,  R),
    (resolved(60, 10),        ends(60, 5),           News.REPEATED,  R),
    (resolved(60, 10),        fires(9),              News.NEW,       F),  # it began after the end
    (resolved(60, 10),        fires(10),             News.SUSPECTED, X),
    (resolved(60, 10),        fires(60),             News.SUSPECTED, X),  # from the other one of a pair
    (resolved(60, 45),        fires(60),             News.SUSPECTED, X),
    (resolved(60, 46),        fires(60),             News.CONTINUED, F),  # too late for a late copy
    (resolved(600, 300, seen=20), fires(600),        News.SUSPECTED, X),  # the news of the end counts
    (resolved(60, 10),        fires(60, until=240),  News.CONTINUED, F),  # a post is never suspect
    (suspect(60, 10),         fires(60),             News.SUSPECTED, X),
    (suspect(60, 46),         fires(60),             News.CONTINUED, F),
    (suspect(60, 10),         fires(60, until=240),  News.CONTINUED, F),
    (suspect(60, 10),         ends(60, 10),          News.REPEATED,  R),  # the end stands
    (suspect(60, 10),         fires(9),              News.NEW,       F),
    (dismissed(60),           fires(60),             News.REPEATED,  D),
    (dismissed(60, ended=30), fires(29),             News.NEW,       F),
    (dismissed(60),           ends(60, 0),           News.RECORDED,  R),
]  # fmt: skip


@pytest.mark.parametrize(("known", "copy", "news", "then"), TABLE)
def test_the_rule(known: Known | None, copy: Arrival, news: News, then: Status) -> None:
    after, found = arrive(known, copy, NOW, DEDUP)
    assert (found, after.status) == (news, then)


def test_the_earliest_and_the_latest_start_are_kept() -> None:
    known, _ = arrive(None, fires(60), NOW, DEDUP)
    for start in (90, 30, 45):
        known, _ = arrive(known, fires(start), NOW, DEDUP)
    assert (known.starts_at, known.latest_start) == (NOW - 90 * S, NOW - 30 * S)


def test_the_latest_end_is_kept() -> None:
    known = resolved(60, 10)
    for end in (20, 5, 7):
        known, _ = arrive(known, ends(60, end), NOW, DEDUP)
    assert known.ended_at == NOW - 5 * S


def test_an_end_without_a_time_is_an_end_now() -> None:
    assert arrive(firing(60), ends(60, None), NOW, DEDUP)[0].ended_at == NOW


def test_of_several_deadlines_the_latest_counts_and_a_webhook_has_none() -> None:
    known, _ = arrive(None, fires(60, until=240), NOW, DEDUP)
    known, _ = arrive(known, fires(60, until=100), NOW, DEDUP)
    assert known.until == NOW + 240 * S
    known, _ = arrive(known, fires(60), NOW, DEDUP)
    assert next_deadline(known, DEDUP) == NOW + DEDUP.stale_after


# --- what senders do, as stories: (seconds, copy that arrives then, what it is)

STORIES: dict[str, list[tuple[int, Arrival, News]]] = {
    "a pair says everything twice": [
        (0, fires(0), News.NEW),
        (1, fires(0), News.REPEATED),
        (60, ends(0, -60), News.ENDED),
        (61, ends(0, -60), News.REPEATED),
    ],
    "a retry after a slow answer": [(0, fires(0), News.NEW), (31, fires(0), News.REPEATED)],
    "a whole day is replayed": [
        (0, fires(0), News.NEW),
        (60, ends(0, -60), News.ENDED),
        (200, fires(-200), News.NEW),
        (260, ends(-200, -260), News.ENDED),
        (261, fires(0), News.SUSPECTED),
        (261, ends(0, -60), News.REPEATED),
        (262, fires(-200), News.SUSPECTED),
        (262, ends(-200, -260), News.REPEATED),
    ],
    "firing, resolved, a stale firing and resolved again, from two": [
        (0, fires(0), News.NEW),
        (60, ends(0, -60), News.ENDED),
        (75, fires(0), News.SUSPECTED),
        (90, ends(0, -60), News.REPEATED),
    ],
    "the earliest start wins when two Prometheus are merged": [
        (0, fires(0), News.NEW),
        (30, fires(12), News.REPEATED),
        (60, ends(12, -60), News.ENDED),
    ],
    "a restart moves the start, and the end of before comes late": [
        (0, fires(0), News.NEW),
        (30, fires(-25), News.REPEATED),
        (31, ends(0, -20), News.RECORDED),
        (60, ends(-25, -60), News.ENDED),
    ],
    "it fired and ended between two notifications": [
        (0, ends(30, 5), News.RECORDED),
        (1, ends(30, 5), News.REPEATED),
        (100, fires(-100), News.NEW),
    ],
    "a truncated group: those cut off are silent, and silence is no end": [
        (0, fires(0), News.NEW),
        (3_600, fires(0), News.REPEATED),
    ],
    "an alert that timed out comes back with its old start": [
        (0, fires(0), News.NEW),
        (600, ends(0, -600), News.ENDED),
        (900, fires(0), News.CONTINUED),
    ],
    "it really returns, with the old start, from both of a pair": [
        (0, fires(0), News.NEW),
        (60, ends(0, -60), News.ENDED),
        (70, fires(0), News.SUSPECTED),
        (106, fires(0), News.CONTINUED),
        (107, fires(0), News.REPEATED),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=list(STORIES))
def test_what_senders_do(story: list[tuple[int, Arrival, News]]) -> None:
    known: Known | None = None
    for at, copy, news in story:
        known, found = arrive(known, copy, NOW + at * S, DEDUP)
        assert found is news, (at, copy.status)


# --- when nothing comes


@pytest.mark.parametrize(
    ("known", "deadline"),
    [
        (firing(60), NOW - S + DEDUP.stale_after),
        (firing(60, until=200), NOW + 200 * S),
        (suspect(60, 10), NOW - 10 * S + DEDUP.confirm),
        (resolved(60, 10), None),
        (replace(dismissed(60), ended_seen=NOW - 10 * S), NOW - 10 * S + DEDUP.dismissed_for),
    ],
)
def test_when_an_absence_means_something(known: Known, deadline: int | None) -> None:
    assert next_deadline(known, DEDUP) == deadline


def test_what_is_no_longer_posted_ended_at_its_deadline() -> None:
    known, news = expire(firing(60, until=200), NOW + 300 * S, DEDUP)
    assert (news, known.status, known.expired, known.ended_at) == (News.ENDED, R, True, NOW + 200 * S)


def test_what_is_stale_ended_when_it_had_been_silent_for_too_long() -> None:
    known, news = expire(firing(60), NOW + DEDUP.stale_after, DEDUP)
    assert (news, known.expired, known.ended_at) == (News.ENDED, True, NOW - S + DEDUP.stale_after)


def test_a_suspect_whom_nobody_contradicts_is_believed() -> None:
    known, news = expire(suspect(60, 10), NOW + DEDUP.confirm, DEDUP)
    assert (news, known.status, known.starts_at) == (News.CONTINUED, F, NOW - 60 * S)


def test_an_end_by_absence_is_taken_back_as_a_whole() -> None:
    known, _ = expire(firing(60, until=1), NOW + 2 * S, DEDUP)
    known, news = arrive(known, fires(60, until=240), NOW + 60 * S, DEDUP)
    assert (news, known.expired, known.starts_at) == (News.CONTINUED, False, NOW - 60 * S)


# --- identity

labels = st.dictionaries(
    st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8), min_size=1, max_size=6
)
readable = labels.filter(lambda found: all(name.isprintable() for name in found))


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({}, "cbf29ce484222325"),
        ({"severity": "warning", "job": "foo"}, "9266ef3da838ad95"),
        ({"severity": "critical", "job": "foo"}, "3b15fd163d36582e"),
        ({"severity": "critical", "job": "bar"}, "c7e68cb08e3e67f9"),
    ],
)
def test_the_fingerprint_is_alertmanagers(of: dict[str, str], expected: str) -> None:
    assert fingerprint(of) == expected


@given(readable)
def test_the_order_of_labels_is_of_no_account(found: dict[str, str]) -> None:
    assert alert_key(dict(reversed(found.items()))) == alert_key(found)


@given(readable, st.text(min_size=1, max_size=5).filter(str.isprintable))
def test_an_empty_value_is_no_label(found: dict[str, str], name: str) -> None:
    without = {n: v for n, v in found.items() if n != name}
    if without:
        assert alert_key(without | {name: ""}) == alert_key(without)


@given(readable, readable)
def test_other_labels_are_another_alert(one: dict[str, str], other: dict[str, str]) -> None:
    assert (alert_key(one) == alert_key(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "b", "c": "d"}, {"a": "bc", "d": "x"}),
        ({"ab": "c"}, {"a": "bc"}),
        ({"a": "1:b1:c"}, {"a": "1", "b": "1:c"}),
        ({"a": "x", "b": "y"}, {"a": "x1:b1:y"}),
        ({"a": "1:a"}, {"a1": ":a"}),
        ({"a": "ä"}, {"a": "a\u0308"}),
        ({"a": " b"}, {"a": "b"}),
    ],
)
def test_labels_do_not_run_into_each_other(one: dict[str, str], other: dict[str, str]) -> None:
    assert alert_key(one) != alert_key(other)


@pytest.mark.parametrize(
    "found",
    [
        {f"n{n}": "v" for n in range(MAX_LABELS)},
        {"n" * MAX_NAME_BYTES: "v"},
        {"n": "v" * MAX_VALUE_BYTES},
        {"ü" * (MAX_NAME_BYTES // 2): "v"},
        {"n": "line\nbreak\x00"},
        {f"n{n}": "" for n in range(999)} | {"a": "b"},
    ],
)
def test_what_is_just_within_the_limits_is_taken(found: dict[str, str]) -> None:
    assert len(alert_key(found)) == 16


@pytest.mark.parametrize(
    ("found", "field", "said"),
    [
        ({}, "labels", "at least one label"),
        ({"a": ""}, "labels", "at least one label"),
        ({f"n{n}": "v" for n in range(MAX_LABELS + 1)}, "labels", "at most 128 labels"),
        ({"n" * (MAX_NAME_BYTES + 1): "v"}, "labels", "at most 1024 bytes"),
        ({"ü" * (MAX_NAME_BYTES // 2) + "n": "v"}, "labels", "at most 1024 bytes"),
        ({"a": "v" * (MAX_VALUE_BYTES + 1)}, "labels.a", "at most 16384 bytes"),
        ({"a": "€" * (MAX_VALUE_BYTES // 3 + 1)}, "labels.a", "at most 16384 bytes"),
        ({"": "v"}, "labels", "cannot be empty"),
        ({"a": "b", "": "v"}, "labels", "cannot be empty"),
        ({"a\x00b": "v"}, "labels", "no control characters"),
        ({"a": 5}, "labels.a", "is int"),
        ({"a": None}, "labels.a", "is null"),
        ({"a": ["b"]}, "labels.a", "is list"),
        ({"a": {"b": "c"}}, "labels.a", "is dict"),
    ],
)
def test_what_can_never_be_valid_is_refused_with_its_field(
    found: dict[str, Any], field: str, said: str
) -> None:
    for _ in range(2):  # the second time as the first
        with pytest.raises(InvalidAlertError, match=said) as caught:
            alert_key(found)
        assert caught.value.field == field
