"""Time intervals: what they contain, and until when a route is quiet, by the clock on the wall."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_calendar import plain_contains

from routing.calendar import HORIZON, Period, TimeInterval, contains, quiet
from routing.calendar_syntax import (
    parse_days_of_month,
    parse_months,
    parse_times,
    parse_weekdays,
    parse_years,
)

DAY = 86_400_000
FIELDS = {
    "weekdays": parse_weekdays,
    "days_of_month": parse_days_of_month,
    "months": parse_months,
    "years": parse_years,
}


def period(text):
    """`times=09:00-17:00,18:00-19:00 weekdays=monday:friday @Europe/Berlin`"""
    fields = {}
    for word in text.split():
        key, _, values = word.partition("=")
        if word.startswith("@"):
            fields["location"] = word[1:]
        elif key == "times":
            fields["times"] = tuple(parse_times(*times.split("-")) for times in values.split(","))
        else:
            fields[key] = tuple(FIELDS[key](value) for value in values.split(","))
    return Period(**fields)


def interval(*texts, name="it"):
    return TimeInterval(name, tuple(period(text) for text in texts))


def ms(text, location="UTC", *, second_time=False):
    """What the clock on the wall shows there, as milliseconds; of an hour that comes twice the first."""
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(location), fold=second_time)
    return int(wall.timestamp() * 1000)


# 2026-11-24 is a Tuesday
@pytest.mark.parametrize(
    ("texts", "inside", "outside"),
    [
        ([""], ["1999-12-31 23:59", "2026-11-24"], []),
        ([], [], ["2026-11-24"]),
        (["times=09:00-17:00"], ["2026-11-24 09:00", "2026-11-24 16:59:59.999"], ["2026-11-24 17:00"]),
        (["times=09:00-17:00"], [], ["2026-11-24 08:59:59.999"]),
        (["times=22:00-24:00,00:00-06:00"], ["2026-11-24 23:59:59", "2026-11-25"], ["2026-11-25 06:00"]),
        (["weekdays=monday:friday"], ["2026-11-24", "2026-11-27 23:59"], ["2026-11-28", "2026-11-29"]),
        (["weekdays=sunday,saturday"], ["2026-11-28", "2026-11-29"], ["2026-11-27", "2026-11-30"]),
        (["days_of_month=1:7"], ["2026-11-01", "2026-11-07 23:59"], ["2026-11-08", "2026-10-31"]),
        (["days_of_month=-1"], ["2026-11-30", "2026-02-28", "2028-02-29"], ["2028-02-28", "2026-12-30"]),
        (["days_of_month=-3:-1"], ["2026-02-26", "2026-02-28", "2026-12-29"], ["2026-02-25", "2026-12-28"]),
        (["days_of_month=25:31"], ["2026-02-28", "2026-11-30"], ["2026-02-24", "2026-03-01"]),
        (["days_of_month=31"], ["2026-12-31"], ["2026-11-30", "2026-02-28"]),
        (["days_of_month=29:31"], ["2028-02-29"], ["2026-02-28"]),
        (["days_of_month=-31:-30"], ["2026-12-01", "2026-12-02", "2026-11-01"], ["2026-02-01", "2026-11-02"]),
        (["days_of_month=20:-8"], ["2026-11-20", "2026-11-23"], ["2026-11-24", "2026-02-22"]),
        (["days_of_month=27:-1"], ["2026-12-31", "2026-02-28"], ["2026-12-26", "2026-02-26"]),
        (["months=december:december"], ["2026-12-31 23:59"], ["2026-11-30", "2027-01-01"]),
        (["months=1:march"], ["2026-03-31"], ["2026-04-01", "2025-12-31"]),
        (["months=13"], [], ["2026-01-01", "2026-12-31"]),
        (["years=2026:2027"], ["2026-01-01", "2027-12-31 23:59:59"], ["2025-12-31 23:59:59", "2028-01-01"]),
        (["times=09:00-10:00 weekdays=tuesday"], ["2026-11-24 09:30"], ["2026-11-25 09:30"]),
        (["times=09:00-10:00 weekdays=tuesday"], [], ["2026-11-24 10:30"]),
        (["months=may", "weekdays=tuesday"], ["2026-05-01", "2026-11-24"], ["2026-11-25"]),
        (["times=09:00-10:00 @Asia/Kolkata"], ["2026-11-24 03:30", "2026-11-24 04:29"], ["2026-11-24 09:00"]),
        (["weekdays=tuesday @Asia/Kolkata"], ["2026-11-23 18:30"], ["2026-11-24 18:30"]),
        (["days_of_month=1 @America/New_York"], ["2026-11-02 04:59"], ["2026-11-01 03:59"]),
        (["years=2027 @Pacific/Kiritimati"], ["2026-12-31 10:00"], ["2026-12-31 09:59"]),
    ],
)
def test_an_interval_contains_what_every_given_field_of_one_of_its_periods_does(texts, inside, outside):
    it = interval(*texts)
    assert [text for text in inside if not contains(it, ms(text))] == []
    assert [text for text in outside if contains(it, ms(text))] == []


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("location", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_the_last_day_of_a_month_is_the_same_whatever_the_clocks_do(month, location):
    last = interval(f"days_of_month=-1 @{location}")
    after = datetime(2026 + month // 12, month % 12 + 1, 1, 0, 30)  # noqa: DTZ001 - a wall clock
    assert contains(last, ms((after - timedelta(hours=1)).isoformat(), location))
    assert not contains(last, ms((after - timedelta(hours=25)).isoformat(), location))
    assert not contains(last, ms(after.isoformat(), location))


def test_the_hour_that_the_clocks_skip_belongs_to_nothing():
    skipped = interval("times=02:00-03:00 days_of_month=29 months=march @Europe/Berlin")
    start = ms("2026-03-29 00:00", "Europe/Berlin")
    assert not any(contains(skipped, at) for at in range(start, start + DAY, 60_000))


def test_the_hour_that_comes_twice_counts_twice():
    twice = interval("times=02:00-03:00 days_of_month=25 months=october @Europe/Berlin")
    start = ms("2026-10-25 00:00", "Europe/Berlin")
    assert sum(contains(twice, at) for at in range(start, start + DAY, 60_000)) == 120


def test_local_is_the_zone_of_this_machine(monkeypatch):
    import time  # noqa: PLC0415 - only here

    it = interval("times=09:00-10:00 @Local")
    try:
        for zone in ("Asia/Kolkata", "America/New_York"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert contains(it, ms("2026-07-01 09:30", zone))
            assert not contains(it, ms("2026-07-01 10:30", zone))
    finally:
        monkeypatch.undo()
        time.tzset()


# --- quiet ---------------------------------------------------------------------------------------------

OFFICE = interval("times=09:00-17:00 weekdays=monday:friday @Europe/Berlin", name="office")
NIGHTS = interval("times=22:00-24:00,00:00-06:00 @Europe/Berlin", name="nights")
NOON = interval("times=12:00-13:00 @Europe/Berlin", name="noon")


@pytest.mark.parametrize(
    ("mute", "active", "at", "why", "until"),
    [
        ([], [], "2026-11-24 23:00", None, None),
        ([NIGHTS], [], "2026-11-24 21:59:59", None, None),
        ([NIGHTS], [], "2026-11-24 22:00", 'mute interval "nights"', "2026-11-25 06:00"),
        ([NIGHTS], [], "2026-11-25 05:59:59.999", 'mute interval "nights"', "2026-11-25 06:00"),
        ([NIGHTS, NOON], [], "2026-11-25 12:30", 'mute interval "noon"', "2026-11-25 13:00"),
        ([], [OFFICE], "2026-11-24 12:30", None, None),
        ([], [OFFICE], "2026-11-27 17:00", 'outside of the active interval "office"', "2026-11-30 09:00"),
        (
            [],
            [OFFICE, NOON],
            "2026-11-28 09:00",
            'outside of the active intervals "office", "noon"',
            "2026-11-28 12:00",
        ),
        ([NOON], [OFFICE], "2026-11-24 12:00", 'mute interval "noon"', "2026-11-24 13:00"),
        (
            [NIGHTS],
            [OFFICE],
            "2026-11-24 22:00",
            'mute interval "nights" and outside of the active interval "office"',
            "2026-11-25 09:00",
        ),
    ],
)  # fmt: skip
def test_a_route_is_quiet_in_a_mute_interval_and_outside_of_the_active_ones(mute, active, at, why, until):
    found = quiet(tuple(mute), tuple(active), ms(at, "Europe/Berlin"))
    assert (found and found.why) == why
    assert (found and found.until) == (until and ms(until, "Europe/Berlin"))


@pytest.mark.parametrize(
    ("mute", "location", "at", "until"),
    [
        # forward: 02:00 becomes 03:00, so what ends at 02:30 ends at 03:00, and what begins then is shorter
        ("times=00:00-02:30", "Europe/Berlin", "2026-03-29 01:59", "2026-03-29 03:00"),
        ("times=00:00-06:00", "Europe/Berlin", "2026-03-29 01:00", "2026-03-29 06:00"),
        ("days_of_month=29", "Europe/Berlin", "2026-03-29 00:00", "2026-03-30 00:00"),
        # back: 03:00 becomes 02:00 again, so what ends at 02:30 ends, comes again and ends again
        ("times=00:00-02:30", "Europe/Berlin", "2026-10-25 00:00", "2026-10-25 02:30"),
        ("times=00:00-03:00", "Europe/Berlin", "2026-10-25 02:59", "2026-10-25 03:00"),
        ("times=01:00-02:00", "America/New_York", "2026-11-01 01:30", "2026-11-01 02:00"),
        ("times=00:00-02:30", "America/New_York", "2026-03-08 01:30", "2026-03-08 03:00"),
        ("times=01:00-02:00", "Australia/Lord_Howe", "2026-04-05 01:15", "2026-04-05 02:00"),
        ("times=01:00-02:15", "Australia/Lord_Howe", "2026-10-04 01:15", "2026-10-04 02:30"),
        ("times=22:00-24:00", "Asia/Kolkata", "2026-11-24 23:00", "2026-11-25 00:00"),
        # no clock in Havana shows 00:00 on that day
        ("weekdays=saturday", "America/Havana", "2026-03-07 12:00", "2026-03-08 01:00"),
        # Samoa had no 30th of December
        ("days_of_month=29", "Pacific/Apia", "2011-12-29 12:00", "2011-12-31 00:00"),
        ("days_of_month=30", "Asia/Kolkata", "2026-11-30 12:00", "2026-12-01 00:00"),
        ("months=2:12", "Europe/Berlin", "2026-02-01 00:00", "2027-01-01 00:00"),
        ("years=2026", "Europe/Berlin", "2026-01-01 00:00", "2027-01-01 00:00"),
        ("times=23:59-24:00", "Europe/Berlin", "2026-12-31 23:59", "2027-01-01 00:00"),
    ],
)
def test_the_quiet_ends_when_the_clock_on_the_wall_says_so(mute, location, at, until):
    found = quiet((interval(f"{mute} @{location}"),), (), ms(at, location))
    assert datetime.fromtimestamp(found.until / 1000, UTC) == datetime.fromtimestamp(
        ms(until, location) / 1000, UTC
    )


def test_what_ends_in_the_hour_that_comes_twice_begins_again_with_it():
    first = quiet(
        (interval("times=00:00-02:30 @Europe/Berlin"),), (), ms("2026-10-25 02:00", "Europe/Berlin")
    )
    again = ms("2026-10-25 02:00", "Europe/Berlin", second_time=True)
    second = quiet((interval("times=00:00-02:30 @Europe/Berlin"),), (), again)
    assert second.until - first.until == 60 * 60_000
    assert first.until == again - 30 * 60_000


@pytest.mark.parametrize(
    ("mute", "active"),
    [
        ([""], []),
        (["times=00:00-24:00 @Europe/Berlin"], []),
        (["times=00:00-12:00", "times=12:00-24:00"], []),
        (["years=2000:2100"], []),
        ([], ["days_of_month=30 months=february"]),
        ([], ["years=2030 times=09:00-17:00"]),
        ([], []),
    ],
)
def test_a_quiet_that_does_not_end_within_the_horizon_has_no_end(mute, active):
    mute = (interval(*mute),) if mute else ()
    found = quiet(mute, () if mute else (interval(*active),), ms("2026-11-24 12:00"))
    assert found.until is None


def test_a_quiet_of_a_year_is_seen_to_its_end():
    at = ms("2026-01-01 00:00")
    assert quiet((), (interval("years=2027"),), at).until == ms("2027-01-01 00:00")
    assert quiet((), (interval("months=1 days_of_month=1 times=10:00-10:01"),), at + DAY // 2).until == (
        ms("2027-01-01 10:00")
    )
    assert HORIZON > 366 * DAY


# --- against a plain reading of the rules --------------------------------------------------------------


def ranges(low, high, most=2):
    pair = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda two: (min(two), max(two)))
    return st.lists(pair, max_size=most).map(tuple)


days = st.sampled_from(["1", "1:7", "-1", "-3:-1", "28:31", "20:-8", "-31:-30", "27:-1", "-7:-2"])
times = ranges(0, 1439).map(lambda found: tuple((begin, end + 1) for begin, end in found))
ROUND = ((120, 180), (0, 150), (90, 150), (1320, 1440), (0, 1440), (149, 150), (0, 120), (30, 60))
locations = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Havana"]
)
periods = st.builds(
    Period,
    times=times | st.lists(st.sampled_from(ROUND), max_size=2).map(tuple),
    weekdays=ranges(0, 6),
    days_of_month=st.lists(days.map(parse_days_of_month), max_size=2).map(tuple),
    months=ranges(1, 12),
    years=st.just(()) | ranges(2025, 2028),
    location=locations,
)
often = st.builds(Period, times=times | st.just(((120, 180),)), weekdays=ranges(0, 6, 1), location=locations)
intervals = st.builds(TimeInterval, st.just("i"), st.lists(periods | often, max_size=2).map(tuple))
CHANGES = ["2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01"]  # of clocks
moments = st.builds(
    lambda day, minutes, rest: ms(day) + minutes * 60_000 + rest,
    st.sampled_from([*CHANGES, "2026-02-28", "2026-12-31"]),
    st.integers(-1440, 2880),
    st.sampled_from([0, 1, 59_999]),
) | st.integers(ms("2025-01-01"), ms("2028-12-31"))


@settings(max_examples=500, deadline=None)
@given(intervals, moments)
@example(TimeInterval("i", (period("days_of_month=-1 @Europe/Berlin"),)), ms("2026-03-31 12:00"))
def test_an_interval_contains_what_a_plain_reading_of_the_rules_says(it, at):
    assert contains(it, at) == plain_contains(it, at)


CLOCKS = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("America/Havana", "2026-03-08"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Kolkata", "2026-03-29"),  # whose clocks never change
]


@settings(max_examples=150, deadline=None)
@given(st.lists(intervals, max_size=2).map(tuple), st.lists(intervals, max_size=2).map(tuple), moments)
def test_the_quiet_ends_at_the_first_minute_that_is_not_quiet(mute, active, at):
    ends_when_it_should(mute, active, at)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CLOCKS), st.integers(-60, 240), st.sampled_from(ROUND), st.booleans())
def test_so_it_does_where_the_clocks_change(where, minutes, times, muted):
    location, day = where
    it = (TimeInterval("i", (Period((times,), location=location),)),)
    ends_when_it_should(it if muted else (), () if muted else it, ms(day, location) + minutes * 60_000)


def ends_when_it_should(mute, active, at):
    def is_quiet(moment):
        outside = bool(active) and not any(contains(it, moment) for it in active)
        return outside or any(contains(it, moment) for it in mute)

    found = quiet(mute, active, at)
    assert (found is not None) == is_quiet(at)
    if found is None:
        return
    first = at // 60_000 * 60_000 + 60_000
    last = first + DAY if found.until is None else min(found.until, first + DAY)
    assert all(is_quiet(moment) for moment in range(first, last, 60_000))
    assert found.until is None or not is_quiet(found.until)
