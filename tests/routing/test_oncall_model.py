"""What a plain model says minute by minute, `oncall.py` says too, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_oncall import MINUTE, Clock, PlainSchedule

from routing import wall_clock
from routing.oncall import (
    Layer,
    Override,
    Schedule,
    Shift,
    Span,
    by_person,
    gaps,
    next_change,
    next_covered,
    on_call,
    shifts,
)
from routing.rotation import Restriction, Rotation
from routing.wall_clock import moment

DAY = 1440 * MINUTE

# Where clocks change how, and what they show when they do
CHANGES = {
    "Europe/Berlin": ("2026-03-29T02", "2026-10-25T02", "2027-03-28T02", "2027-10-31T02"),
    "America/New_York": ("2025-03-09T02", "2025-11-02T01", "2026-03-08T02", "2026-11-01T01"),
    "Australia/Sydney": ("2026-04-05T02", "2026-10-04T02"),
    "Australia/Lord_Howe": ("2025-04-06T01:30", "2025-10-05T02", "2026-04-05T01:30"),  # by half an hour
    "Pacific/Apia": ("2011-04-02T03", "2011-09-24T03", "2011-12-30T00", "2012-04-01T03"),  # without a day
    "America/Santiago": ("2025-04-05T23", "2025-09-07T00", "2026-04-04T23"),  # back over midnight
    "America/St_Johns": ("2010-03-14T00:01", "2010-11-07T00:01", "2011-03-13T00:01"),  # to the day before
    "Antarctica/Troll": ("2025-03-30T01", "2025-10-26T01", "2026-03-29T01"),  # by two hours
    "America/Havana": ("2025-03-09T00", "2025-11-02T00", "2026-03-08T00"),  # back to midnight
    "Africa/Cairo": ("2025-04-25T00", "2025-10-30T23", "2026-04-24T00"),
    "Asia/Pyongyang": ("2015-08-14T23:30", "2018-05-04T23:30"),  # for good
    "Asia/Kathmandu": ("2026-01-01T00",),  # never, and 5:45 ahead
}


@lru_cache(maxsize=24)
def clock(location, since, until):
    return Clock(location, since, until)


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def minutes(near):
    """Of a day: mostly about the time of day at which the clocks change."""
    about = st.integers(-125, 65).map(lambda minute: (near + minute) % 1440)
    return st.one_of(about, about, about, st.integers(0, 1440), st.sampled_from([0, 1440]))


def turns(low):
    """Who serves: one, two, or (if `low` is 0) nobody."""
    return st.lists(st.sampled_from("abcdef"), min_size=low, max_size=2).map(tuple)


@st.composite
def rotations(draw, near, days):
    """The first turn begins so many days before the time `near`, or up to two days after it."""
    of_day, weekday = minutes(near.hour * 60 + near.minute), st.integers(0, 6)
    restriction = st.builds(
        Restriction,
        st.just(()) | st.lists(st.tuples(weekday, weekday).map(sorted).map(tuple), max_size=2).map(tuple),
        of_day.map(lambda minute: minute % 1440),
        of_day,
    )
    unit, every = draw(
        st.one_of(
            st.tuples(st.sampled_from(["elapsed_hours", "wall_hours"]), st.integers(1, 30)),
            st.tuples(st.just("days"), st.integers(1, 3)),
            st.tuples(st.just("weeks"), st.integers(1, 2)),
        )
    )
    midnight = near.replace(hour=0, minute=0) + timedelta(days=draw(st.integers(-days, 2)))
    return Rotation(
        tuple(draw(st.lists(turns(draw(st.sampled_from([0, 1, 1]))), min_size=1, max_size=4))),
        midnight + timedelta(minutes=draw(of_day)),
        every,
        unit,
        tuple(draw(st.lists(restriction, max_size=2))),
    )


@st.composite
def cases(draw, location, change, days, others=()):
    """A schedule, some of its layers elsewhere, with overrides for it and for another one.

    The clocks at the location change at that time, its rotations begin up to so many days before.
    """
    near = datetime.fromisoformat(change)
    times = st.integers(-days * 1440, days * 1440).map(lambda minute: ms(change) + minute * MINUTE)
    spans = st.just(()) | st.lists(st.builds(Span, times, times, turns(0)), max_size=2).map(tuple)
    layer = st.builds(
        Layer,
        rotations=st.lists(rotations(near, days), min_size=1, max_size=2).map(tuple),
        spans=spans,
        holidays=spans,
        time_zone=st.sampled_from(["", *others]),
        valid_from=st.none() | st.none() | times,
        valid_until=st.none() | st.none() | times,
    )
    person = st.sampled_from(["", *"abcdef"])
    override = st.builds(Override, st.just("id"), st.sampled_from("sst"), times, times, turns(0), person)
    layers = tuple(draw(st.lists(layer, min_size=1, max_size=3)))
    of_file = st.lists(override.filter(lambda one: one.schedule == "s"), max_size=1).map(tuple)
    return Schedule("s", location, layers, draw(of_file)), draw(st.just([]) | st.lists(override, max_size=2))


@st.composite
def around_a_change(draw, days):
    """A case, and two moments around the change."""
    location = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from(CHANGES[location]))
    others = draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=2))
    return draw(cases(location, change, days, others)), ms(change) - days * DAY, ms(change) + days * DAY


def agree(schedule, overrides, since, until, stride):
    """Fails where the model and what is asked in any way differ; `on_call` is asked every so many minutes."""
    edge = 3 * DAY
    model = PlainSchedule(
        schedule, overrides, lambda location: clock(location, since - edge, until + edge), until + edge
    )
    expected = ((model.at(at), at) for at in range(since, until, MINUTE))
    parts = [(people, next(times)[1]) for people, times in groupby(expected, key=lambda one: one[0])]
    ends = [*(start for _, start in parts[1:]), until]
    plain = tuple(Shift(start, end, people) for (people, start), end in zip(parts, ends, strict=True))
    assert shifts(schedule, since, until, overrides) == plain
    assert gaps(schedule, since, until, overrides) == tuple(one for one in plain if not one.people)
    for one, following in zip(plain, [*plain[1:], None], strict=True):
        moments = {one.start, one.end - 1, *range(one.start, one.end, stride * MINUTE)}
        assert all(on_call(schedule, at, overrides) == one.people for at in moments)
        assert next_change(schedule, one.end - 1, overrides, until - one.end + 1) == (
            following and following.start
        )
        covered = one.end - 1 if one.people else following and following.start
        assert next_covered(schedule, one.end - 1, overrides, until - one.end + 1) == covered
    same_people(plain)


def same_people(plain):
    """Each person's own shifts, put together, are everybody's."""
    own = by_person(plain)
    for one in plain:
        on = {person for person, theirs in own.items() for own in theirs if own.start <= one.start < own.end}
        assert on == set(one.people)
    for theirs in own.values():
        assert all(one.end < later.start for one, later in pairwise(theirs))


@pytest.mark.parametrize("location", sorted(CHANGES))
def test_each_time_that_a_clock_shows_or_skips_is_a_moment_and_back(location):
    for change in CHANGES[location]:
        near = clock(location, ms(change) - DAY, ms(change) + DAY)
        for minute in range(near.begin, near.end):
            assert moment(location, minute * 60) == near.first[minute]
            assert moment(location, minute * 60, last=True) == near.last[minute]
            if near.first[minute] < near.first[minute + 1]:
                assert wall_clock.clock(location, near.first[minute]) == minute * 60


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(around_a_change(2))
def test_a_model_that_goes_minute_by_minute_gives_the_same_shifts_around_each_change_of_clocks(case):
    (schedule, overrides), since, until = case
    agree(schedule, overrides, since, until, stride=17)


@pytest.mark.long
@settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(around_a_change(4))
def test_it_gives_the_same_for_thousands_of_schedules_asked_about_each_minute(case):
    (schedule, overrides), since, until = case
    agree(schedule, overrides, since, until, stride=1)


@pytest.mark.long
@pytest.mark.parametrize("location", sorted(CHANGES))
def test_it_gives_the_same_over_two_years(location):
    change = CHANGES[location][0]
    since, until = ms(change) - 30 * DAY, ms(change) + 700 * DAY

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases(location, change, 30))
    def each(case):
        agree(*case, since, until, stride=61)

    each()
    clock.cache_clear()  # what a clock shows in two years takes 200 MB
