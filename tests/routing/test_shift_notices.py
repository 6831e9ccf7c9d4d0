"""Who is told of a shift, and when: table by table, and each piece of news once."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.oncall import Layer, Override, Schedule
from routing.rotation import Rotation
from routing.shift_notices import due

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_767_225_600_000  # 2026-01-01 00:00 UTC
LEADS = {"dana": 15 * MINUTE, "eli": 0}


def schedule(*turns, every=1):
    start = datetime(2026, 1, 1)  # noqa: DTZ001 - what a clock on a wall shows has no zone
    return Schedule("s", "UTC", (Layer(rotations=(Rotation(turns, start, every, "days"),)),))


PLAN = schedule(("dana",), ("eli",), ("fay",))


def told(since, until, plan=PLAN, overrides=(), leads=LEADS):
    found = due(plan, overrides, leads, START + since, START + until)
    return [((one.at - START) / HOUR, one.what, one.person) for one in found]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (0, 12 * HOUR, []),
        (12 * HOUR, 24 * HOUR, [(24, "ends", "dana"), (24, "begins", "eli")]),
        (24 * HOUR, 48 * HOUR, [(48, "ends", "eli")]),
        (48 * HOUR, 72 * HOUR, [(71.75, "soon", "dana"), (72, "begins", "dana")]),
        (72 * HOUR - 15 * MINUTE, 72 * HOUR - MINUTE, []),
        (71 * HOUR, 72 * HOUR - 15 * MINUTE, [(71.75, "soon", "dana")]),
    ],
)
def test_those_who_wish_are_told_before_at_the_start_and_at_the_end(since, until, expected):
    assert sorted(told(since, until)) == sorted(expected)


def test_nobody_is_told_who_does_not_wish_to_be():
    assert told(0, 30 * DAY, leads={}) == []
    assert {person for _, _, person in told(0, 30 * DAY)} == {"dana", "eli"}


def test_a_shift_that_goes_on_while_others_change_is_one():
    plan = schedule(("dana", "eli"), ("dana",), ("fay",))
    assert told(0, 2 * DAY, plan) == [(24, "ends", "eli"), (48, "ends", "dana")]


def test_somebody_who_stands_in_is_told_and_so_is_who_is_relieved():
    swap = Override("1", "s", START + 6 * HOUR, START + 8 * HOUR, ("eli",))
    assert told(0, 12 * HOUR, overrides=(swap,)) == [
        (6, "ends", "dana"),
        (6, "begins", "eli"),
        (7.75, "soon", "dana"),
        (8, "begins", "dana"),
        (8, "ends", "eli"),
    ]


def test_a_notice_says_the_whole_shift_however_long_it_is():
    plan = schedule(("fay",), ("dana",), every=30)
    (soon,) = due(plan, (), LEADS, START + 29 * DAY, START + 30 * DAY - 1)
    assert (soon.shift.start - START, soon.shift.end - START) == (30 * DAY, 60 * DAY)
    assert not soon.endless


def test_who_is_always_on_call_is_told_once_that_there_is_no_end():
    start = Override("1", "s", START + HOUR, START + 5_000 * DAY, ("dana",))
    (begins,) = due(Schedule("s"), (start,), {"dana": 0}, START, START + DAY)
    assert (begins.what, begins.endless) == ("begins", True)


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 10 * 24), min_size=2, max_size=12, unique=True).map(sorted),
    spans=st.lists(st.tuples(st.integers(0, 240), st.integers(1, 40)), max_size=4),
    lead=st.sampled_from([0, 20 * MINUTE, 30 * HOUR]),
)
def test_looking_often_or_seldom_finds_the_same_news_once(cuts, spans, lead):
    overrides = tuple(
        Override(str(n), "s", START + at * HOUR, START + (at + long) * HOUR, (("eli", "fay")[n % 2],))
        for n, (at, long) in enumerate(spans)
    )
    leads = {"dana": lead, "eli": HOUR, "fay": 0}
    cuts = [START + cut * HOUR for cut in cuts]

    def keys(since, until):
        return [one.key for one in due(PLAN, overrides, leads, since, until)]

    often = [key for a, b in pairwise(cuts) for key in keys(a, b)]
    assert sorted(often) == sorted(keys(cuts[0], cuts[-1]))
    assert len(set(often)) == len(often)
