"""What a plain model says minute by minute, `oncall.py` says too, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
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


def some_turn(random, least=0):
    """Who serves: one, two, or (if `least` is 0) nobody."""
    return tuple(random.choices("abcdef", k=random.randint(least, 2)))


def some_minute(random, near):
    """Of a day: mostly about the time of day at which the clocks change."""
    about = (near.hour * 60 + near.minute + random.randint(-125, 65)) % 1440
    return random.choice((about, about, about, random.randint(0, 1440), random.choice((0, 1440))))


def some_restriction(random, near):
    weekdays = tuple(tuple(sorted(random.choices(range(7), k=2))) for _ in range(random.choice((0, 0, 1, 2))))
    return Restriction(weekdays, some_minute(random, near) % 1440, some_minute(random, near))


def some_rotation(random, near, days):
    """The first turn begins so many days before the time `near`, or up to a day after it."""
    start = near.replace(hour=0, minute=0) + timedelta(
        days=random.randint(-days, 1), minutes=some_minute(random, near)
    )
    turns = tuple(some_turn(random, random.choice((0, 1, 1))) for _ in range(random.randint(1, 4)))
    unit, most = random.choice((("elapsed_hours", 30), ("wall_hours", 30), ("days", 3), ("weeks", 2)))
    restrictions = tuple(some_restriction(random, near) for _ in range(random.choice((0, 1, 1, 2))))
    return Rotation(turns, start, random.randint(1, most), unit, restrictions)


def some_span(random, change, days):
    """From and to anywhere, or only about the change."""
    minutes = random.choice((180, days * 1440))
    start = change + random.randint(-minutes, minutes) * MINUTE
    return Span(start, start + random.randint(0, minutes) * MINUTE, some_turn(random))


def some_layer(random, near, days, places):
    def spans():
        return tuple(some_span(random, ms(f"{near}"), days) for _ in range(random.choice((0, 0, 0, 1, 2))))

    def edge():
        return random.choice((None, None, None, some_span(random, ms(f"{near}"), days).start))

    rotations = tuple(some_rotation(random, near, days) for _ in range(random.choice((0, 1, 1, 1, 2))))
    return Layer("", rotations, spans(), spans(), random.choice(places), edge(), edge())


def some_overrides(random, near, days, names):
    spans = [some_span(random, ms(f"{near}"), days) for _ in range(random.choice((0, 0, 1, 2)))]
    who = "", "", *"abcdef"
    return tuple(
        Override("id", random.choice(names), span.start, span.end, span.people, random.choice(who))
        for span in spans
    )


def some_case(random, location, change, days, places=("",)):
    """A schedule, some of its layers elsewhere, and overrides for it and for another one.

    The clocks at the location change at that time, its rotations begin up to so many days before.
    """
    near = datetime.fromisoformat(change)
    layers = tuple(some_layer(random, near, days, places) for _ in range(random.randint(1, 3)))
    written = some_overrides(random, near, days, "s")
    return Schedule("s", location, layers, written), some_overrides(random, near, days, "ssst")


def around_a_change(random, days):
    """A case, and two moments around the change."""
    location = random.choice(sorted(CHANGES))
    change = random.choice(CHANGES[location])
    places = "", "", random.choice(sorted(CHANGES))
    case = some_case(random, location, change, days, places)
    return *case, ms(change) - days * DAY, ms(change) + days * DAY


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


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=True))
def test_a_model_that_goes_minute_by_minute_gives_the_same_shifts_around_each_change_of_clocks(random):
    agree(*around_a_change(random, 2), stride=17)


@pytest.mark.long
@settings(max_examples=3_000, deadline=None)
@given(st.randoms(use_true_random=True))
def test_it_gives_the_same_for_thousands_of_schedules_asked_about_each_minute(random):
    agree(*around_a_change(random, 4), stride=1)


@pytest.mark.long
@pytest.mark.parametrize("location", sorted(CHANGES))
def test_it_gives_the_same_over_two_years(location):
    change = CHANGES[location][0]
    since, until = ms(change) - 30 * DAY, ms(change) + 700 * DAY

    @settings(max_examples=6, deadline=None)
    @given(st.randoms(use_true_random=True))
    def each(random):
        agree(*some_case(random, location, change, 30), since, until, stride=61)

    each()
    clock.cache_clear()  # what a clock shows in two years takes 200 MB
