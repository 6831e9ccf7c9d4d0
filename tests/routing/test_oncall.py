"""Who is on call: layers, rotations, restrictions, overrides, and what clocks do to them."""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

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
from routing.rotation import Restriction, Rotation, on_duty
from routing.wall_clock import FOREVER, end_at, start_at

HOUR, DAY, WEEK = 3_600_000, 86_400_000, 604_800_000
WORK = Restriction(((1, 5),), 9 * 60, 17 * 60)
NIGHT = Restriction((), 22 * 60, 6 * 60)


def wall(text):
    return datetime.fromisoformat(text)


def ms(text, location="UTC"):
    """`2026-10-25 02:30` there, of a repeated hour the first; with a `+` at the end the second."""
    shown = wall(text.rstrip("+")).replace(tzinfo=ZoneInfo(location), fold=text.endswith("+"))
    return int(shown.timestamp() * 1000)


def rotation(people, start="2026-01-05 09:00", every=1, unit="weeks", *restrictions):
    """`"ana bob+cy"`: first Ana, then Bob and Cy, then Ana again."""
    turns = tuple(tuple(turn.split("+")) for turn in people.split())
    return Rotation(turns, wall(start), every, unit, restrictions)


def schedule(*layers, location="UTC", **fields):
    """Of layers, or of rotations in a layer each."""
    made = tuple(Layer(rotations=(one,)) if isinstance(one, Rotation) else one for one in layers)
    return Schedule("it", location, made, **fields)


def override(start, end, *people, instead_of="", name="it"):
    return Override("id", name, ms(start), ms(end), people, instead_of)


def day_and_time(shift, location):
    """`25 09:00+0100`"""
    return f"{datetime.fromtimestamp(shift.start // 1000, ZoneInfo(location)):%d %H:%M%z}"


# 2026-01-05 is a Monday
@pytest.mark.parametrize(
    ("rotated", "at", "people"),
    [
        (rotation("ana bob cy"), "2026-01-05 08:59:59.999", ()),
        (rotation("ana bob cy"), "2026-01-05 09:00", ("ana",)),
        (rotation("ana bob cy"), "2026-01-12 08:59", ("ana",)),
        (rotation("ana bob cy"), "2026-01-12 09:00", ("bob",)),
        (rotation("ana bob cy"), "2026-01-26 09:00", ("ana",)),
        (rotation("ana bob cy", every=2), "2026-01-18 09:00", ("ana",)),
        (rotation("ana bob+cy"), "2026-01-12 09:00", ("bob", "cy")),
        (rotation("ana bob", unit="days"), "2026-01-06 09:00", ("bob",)),
        (rotation("ana bob", every=3, unit="days"), "2026-01-08 09:00", ("bob",)),
        (rotation("ana bob", every=12, unit="wall_hours"), "2026-01-05 21:00", ("bob",)),
        (rotation("ana bob", every=12, unit="elapsed_hours"), "2026-01-06 09:00", ("ana",)),
        (rotation("ana", "2026-01-05 09:00", 1, "weeks", WORK), "2026-01-09 16:59:59.999", ("ana",)),
        (rotation("ana", "2026-01-05 09:00", 1, "weeks", WORK), "2026-01-09 17:00", ()),
        (rotation("ana", "2026-01-05 09:00", 1, "weeks", WORK), "2026-01-10 12:00", ()),
        (rotation("ana", "2026-01-01 00:00", 1, "weeks", NIGHT), "2026-01-09 05:59", ("ana",)),
        (rotation("ana", "2026-01-01 00:00", 1, "weeks", NIGHT), "2026-01-09 22:00", ("ana",)),
        (rotation("ana", "2026-01-01 00:00", 1, "weeks", NIGHT), "2026-01-09 06:00", ()),
        (
            rotation("ana", "2026-01-01", 1, "weeks", Restriction(((5, 5),), 0, 0)),
            "2026-01-09 23:59",
            ("ana",),
        ),
        (rotation("ana", "2026-01-01", 1, "weeks", Restriction(((5, 5),), 0, 0)), "2026-01-10", ()),
        (
            rotation("ana", "2026-01-01", 1, "weeks", Restriction(((6, 6), (0, 0)))),
            "2026-01-11 12:00",
            ("ana",),
        ),
        (rotation("ana", "2026-01-01", 1, "weeks", WORK, NIGHT), "2026-01-10 23:00", ("ana",)),
        (Rotation((), wall("2026-01-05")), "2026-01-09", ()),
        (Rotation(((), ("ana",)), wall("2026-01-05"), unit="days"), "2026-01-07", ()),
    ],
)
def test_people_take_turns_within_the_hours_that_they_serve(rotated, at, people):
    assert on_call(schedule(rotated), ms(at)) == people


# The shift changes of three days on which the clocks change, as shown there, with the distance from UTC
@pytest.mark.parametrize(
    ("location", "first", "changes"),
    [
        # skipped: the first moment after the gap
        ("Europe/Berlin", "2026-03-28 02:30", "28 02:30+0100 29 03:00+0200 30 02:30+0200"),
        ("America/New_York", "2026-03-07 02:30", "07 02:30-0500 08 03:00-0400 09 02:30-0400"),
        ("Australia/Sydney", "2026-10-03 02:30", "03 02:30+1000 04 03:00+1100 05 02:30+1100"),
        ("Australia/Lord_Howe", "2026-10-03 02:10", "03 02:10+1030 04 02:30+1100 05 02:10+1100"),
        # repeated: the first time
        ("Europe/Berlin", "2026-10-24 02:30", "24 02:30+0200 25 02:30+0200 26 02:30+0100"),
        ("America/New_York", "2026-10-31 01:30", "31 01:30-0400 01 01:30-0400 02 01:30-0500"),
        ("Australia/Sydney", "2026-04-04 02:30", "04 02:30+1100 05 02:30+1100 06 02:30+1000"),
        ("Australia/Lord_Howe", "2026-04-04 01:40", "04 01:40+1100 05 01:40+1100 06 01:40+1030"),
        ("America/St_Johns", "2010-11-06 23:30", "06 23:30-0230 07 23:30-0330 08 23:30-0330"),
        # a day that was not: its turn takes no time
        ("Pacific/Apia", "2011-12-29 09:00", "29 09:00-1000 31 00:00+1400 31 09:00+1400"),
    ],
)
def test_a_daily_shift_change_keeps_its_time_on_the_wall(location, first, changes):
    start = wall(first) - timedelta(days=14)
    it = schedule(rotation("ana bob cy dan eve", f"{start}", 1, "days"), location=location)
    found = shifts(it, ms(first, location), ms(first, location) + 4 * DAY)[:3]
    assert " ".join(day_and_time(one, location) for one in found) == changes


@pytest.mark.parametrize(
    ("location", "turn", "since", "changes"),
    [
        ("Europe/Berlin", "12 wall_hours", "2026-03-28 20:00", "28 20:00+0100 29 08:00+0200 29 20:00+0200"),
        (
            "Europe/Berlin",
            "12 elapsed_hours",
            "2026-03-28 20:00",
            "28 20:00+0100 29 09:00+0200 29 21:00+0200",
        ),
        ("Europe/Berlin", "1 wall_hours", "2026-03-29 01:00", "29 01:00+0100 29 03:00+0200 29 04:00+0200"),
        ("Europe/Berlin", "1 wall_hours", "2026-10-25 02:00", "25 02:00+0200 25 03:00+0100 25 04:00+0100"),
        ("Europe/Berlin", "1 elapsed_hours", "2026-10-25 02:00", "25 02:00+0200 25 02:00+0100 25 03:00+0100"),
        (
            "Australia/Lord_Howe",
            "6 wall_hours",
            "2026-04-05 00:00",
            "05 00:00+1100 05 06:00+1030 05 12:00+1030",
        ),
        (
            "Australia/Lord_Howe",
            "6 elapsed_hours",
            "2026-04-05 00:00",
            "05 00:00+1100 05 05:30+1030 05 11:30+1030",
        ),
        ("Antarctica/Troll", "1 wall_hours", "2026-03-29 00:00", "29 00:00+0000 29 03:00+0200 29 04:00+0200"),
        ("Pacific/Apia", "1 weeks", "2011-12-23 20:00", "23 20:00-1000 31 00:00+1400 06 20:00+1400"),
    ],
)
def test_hours_are_those_of_the_clock_or_those_that_pass(location, turn, since, changes):
    start, (every, unit) = wall(since) - timedelta(days=21), turn.split()
    it = schedule(rotation("ana bob cy dan eve", f"{start}", int(every), unit), location=location)
    found = shifts(it, ms(since, location), ms(since, location) + 3 * WEEK)[:3]
    assert " ".join(day_and_time(one, location) for one in found) == changes


def test_whose_shift_is_over_is_not_called_back_in_the_repeated_hour():
    it = schedule(rotation("ana bob", "2026-10-24 02:30", 1, "days"), location="Europe/Berlin")
    moments = ("2026-10-25 02:29", "2026-10-25 02:30", "2026-10-25 02:10+", "2026-10-25 02:40+")
    assert [on_call(it, ms(at, "Europe/Berlin"))[0] for at in moments] == ["ana", "bob", "bob", "bob"]


@pytest.mark.parametrize(
    ("location", "start", "end", "since", "opened"),
    [
        ("Europe/Berlin", "02:30", "06:00", "2026-03-29", ("2026-03-29 03:00", "2026-03-29 06:00")),
        ("Europe/Berlin", "00:00", "02:30", "2026-03-29", ("2026-03-29 00:00", "2026-03-29 03:00")),
        ("Europe/Berlin", "02:30", "06:00", "2026-10-25", ("2026-10-25 02:30", "2026-10-25 06:00")),
        ("Europe/Berlin", "00:00", "02:30", "2026-10-25", ("2026-10-25 00:00", "2026-10-25 02:30+")),
        ("Europe/Berlin", "02:10", "02:20", "2026-10-25", ("2026-10-25 02:10", "2026-10-25 02:20+")),
        ("Australia/Lord_Howe", "00:00", "01:40", "2026-04-05", ("2026-04-05 00:00", "2026-04-05 01:40+")),
        ("Australia/Sydney", "22:00", "02:30", "2026-10-03", ("2026-10-03 22:00", "2026-10-04 03:00")),
        ("America/New_York", "22:00", "01:30", "2026-10-31", ("2026-10-31 22:00", "2026-11-01 01:30+")),
        ("Pacific/Apia", "22:00", "06:00", "2011-12-29", ("2011-12-29 22:00", "2011-12-31 06:00")),
        ("Pacific/Apia", "09:00", "17:00", "2011-12-30", ("2011-12-31 09:00", "2011-12-31 17:00")),
    ],
)
def test_hours_of_duty_begin_the_first_time_and_end_the_last(location, start, end, since, opened):
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    it = schedule(rotation("ana", "2011-01-01", 1, "days", Restriction((), first, last)), location=location)
    begin = ms(since, location) + 1
    served = [one for one in shifts(it, begin - 8 * HOUR, begin + 2 * DAY) if one.people]
    one = next(one for one in served if one.end > begin + 1 and one.start >= begin - 1)
    assert (one.start, one.end) == tuple(ms(text, location) for text in opened)


def test_clocks_that_are_put_back_over_midnight_do_not_end_the_day_before_early():
    friday = Restriction(((5, 5),), 23 * 60 + 59, 23 * 60 + 59)  # and Saturday, which has a second 23:59
    it = schedule(rotation("ana", "2010-01-01", 1, "days", friday), location="America/St_Johns")
    moments = ("2010-11-05 23:58:59", "2010-11-05 23:59", "2010-11-07 00:00:30", "2010-11-06 23:58:59+")
    assert [len(on_call(it, ms(at, "America/St_Johns"))) for at in moments] == [0, 1, 1, 1]
    assert on_call(it, ms("2010-11-06 23:59+", "America/St_Johns")) == ()


@pytest.mark.parametrize(
    ("at", "people"),
    [
        ("2026-01-05 08:00", ("low",)),
        ("2026-01-05 12:00", ("high",)),
        ("2026-01-06 12:00", ("bob", "low")),  # a holiday with somebody of its own
        ("2026-01-07 12:00", ("low",)),  # a holiday with nobody
        ("2026-01-08 08:00", ("cal",)),
        ("2026-01-08 12:00", ("high", "cal")),
        ("2026-01-12 12:00", ("low",)),  # no longer valid
    ],
)
def test_the_last_layer_that_has_somebody_counts(at, people):
    high = Layer(
        rotations=(
            rotation("high", "2026-01-01", 1, "weeks", WORK),
            rotation("high", "2026-01-01", 1, "weeks", WORK),
        ),
        spans=(Span(ms("2026-01-08"), ms("2026-01-09"), ("cal",)),),
        holidays=(
            Span(ms("2026-01-06"), ms("2026-01-07"), ("bob", "low")),
            Span(ms("2026-01-07"), ms("2026-01-08")),
        ),
        valid_from=ms("2026-01-05"),
        valid_until=ms("2026-01-12"),
    )
    assert on_call(schedule(rotation("low", "2026-01-01"), high), ms(at)) == people


def test_a_layer_may_hang_its_clocks_elsewhere():
    tokyo = Layer(rotations=(rotation("yui", "2026-01-01", 1, "days", WORK),), time_zone="Asia/Tokyo")
    it = schedule(rotation("ana", "2026-01-01", 1, "days", WORK), tokyo, location="Europe/Berlin")
    assert shifts(it, ms("2026-01-05"), ms("2026-01-06")) == (
        Shift(ms("2026-01-05"), ms("2026-01-05 08:00"), ("yui",)),
        Shift(ms("2026-01-05 08:00"), ms("2026-01-05 16:00"), ("ana",)),
        Shift(ms("2026-01-05 16:00"), ms("2026-01-06"), ()),
    )


@pytest.mark.parametrize(
    ("overrides", "people"),
    [
        ([], ("ana", "bob")),
        ([override("2026-01-06", "2026-01-07", "cy")], ("cy",)),
        ([override("2026-01-06", "2026-01-07")], ()),
        ([override("2026-01-06", "2026-01-06 12:00", "cy")], ("ana", "bob")),
        ([override("2026-01-06 12:00", "2026-01-07", "cy", "cy")], ("cy",)),
        ([override("2026-01-06", "2026-01-07", "cy", instead_of="ana")], ("cy", "bob")),
        ([override("2026-01-06", "2026-01-07", "bob", instead_of="ana")], ("bob",)),
        ([override("2026-01-06", "2026-01-07", instead_of="ana")], ("bob",)),
        ([override("2026-01-06", "2026-01-07", "cy", "dan", instead_of="bob")], ("ana", "cy", "dan")),
        ([override("2026-01-06", "2026-01-07", "cy", instead_of="eve")], ("ana", "bob")),
        ([override("2026-01-06", "2026-01-07", "cy", name="other")], ("ana", "bob")),
        ([override("2026-01-06", "2026-01-07", "cy"), override("2026-01-01", "2026-01-09", "dan")], ("dan",)),
        (
            [
                override("2026-01-06", "2026-01-07", "cy", instead_of="ana"),
                override("2026-01-06", "2026-01-07", "dan", instead_of="cy"),
            ],
            ("dan", "bob"),
        ),
    ],
)
def test_overrides_win_and_the_last_of_them_most(overrides, people):
    assert on_call(schedule(rotation("ana+bob")), ms("2026-01-06 12:00"), overrides) == people


def test_an_override_that_is_given_wins_over_one_of_the_file():
    it = schedule(rotation("ana"), overrides=(override("2026-01-06", "2026-01-08", "bob"),))
    given = [override("2026-01-07", "2026-01-08", "cy")]
    assert on_call(it, ms("2026-01-06"), given) == ("bob",)
    assert on_call(it, ms("2026-01-07"), given) == ("cy",)


def test_shifts_are_cut_where_people_change_and_nowhere_else():
    it = schedule(rotation("ana ana bob", unit="days"), Layer(spans=(Span(ms("2026-01-05"), 0, ("eve",)),)))
    assert shifts(it, ms("2026-01-05"), ms("2026-01-08 12:00")) == (
        Shift(ms("2026-01-05"), ms("2026-01-05 09:00"), ()),
        Shift(ms("2026-01-05 09:00"), ms("2026-01-07 09:00"), ("ana",)),
        Shift(ms("2026-01-07 09:00"), ms("2026-01-08 09:00"), ("bob",)),
        Shift(ms("2026-01-08 09:00"), ms("2026-01-08 12:00"), ("ana",)),
    )
    assert shifts(it, ms("2026-01-08"), ms("2026-01-08")) == ()


def test_what_is_next_is_found_and_only_within_the_horizon():
    it, friday = schedule(rotation("ana", "2026-01-01", 1, "weeks", WORK)), ms("2026-01-09 16:00")
    evening, monday = ms("2026-01-09 17:00"), ms("2026-01-12 09:00")
    assert next_change(it, friday) == evening
    assert next_change(it, evening) == monday
    assert next_covered(it, friday) == friday
    assert next_covered(it, evening) == monday
    assert next_covered(it, evening, horizon=2 * DAY) is None
    assert next_change(it, evening, horizon=2 * DAY) is None
    assert gaps(it, friday, monday + 1) == (Shift(evening, monday, ()),)


@pytest.mark.parametrize("it", [schedule(), schedule(Layer()), schedule(rotation("ana", "2126-01-01"))])
def test_a_schedule_without_anybody_is_one_gap(it):
    assert on_call(it, 0) == ()
    assert next_change(it, 0) is None
    assert next_covered(it, 0) is None
    assert gaps(it, 0, DAY) == (Shift(0, DAY, ()),)


def test_own_shifts_go_on_while_others_come_and_go():
    it = schedule(Layer(rotations=(rotation("ana", "2026-01-01"), rotation("bob cy bob", unit="days"))))
    own = by_person(shifts(it, ms("2026-01-05 09:00"), ms("2026-01-08 09:00")))
    assert {person: len(theirs) for person, theirs in own.items()} == {"ana": 1, "bob": 2, "cy": 1}
    assert own["ana"] == (Shift(ms("2026-01-05 09:00"), ms("2026-01-08 09:00"), ("ana",)),)


@pytest.mark.parametrize("unit", ["elapsed_hours", "wall_hours", "days", "weeks"])
@pytest.mark.parametrize("location", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_there_is_an_answer_to_the_end_of_the_calendar(unit, location):
    it = schedule(rotation("ana bob", "2026-01-01", 7, unit, NIGHT), location=location)
    late = int(datetime.fromisoformat("9999-12-31T23:59:59+00:00").timestamp() * 1000)
    assert on_call(it, late) in ((), ("ana",), ("bob",))
    assert shifts(it, late - 370 * DAY, late + 400 * DAY)[-1].end == late + 400 * DAY


@pytest.mark.parametrize(
    ("shown", "location", "first", "last"),
    [
        ("2026-07-01 12:00", "Europe/Berlin", "2026-07-01T10:00Z", "2026-07-01T10:00Z"),
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:00Z", "2026-03-29T01:00Z"),
        ("2026-10-25 02:00", "Europe/Berlin", "2026-10-25T00:00Z", "2026-10-25T01:00Z"),
        ("2026-10-25 02:59:59", "Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25T01:59:59Z"),
        ("2026-10-25 03:00", "Europe/Berlin", "2026-10-25T02:00Z", "2026-10-25T02:00Z"),
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30T10:00Z", "2011-12-30T10:00Z"),
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04T14:45Z", "2026-04-04T15:15Z"),
    ],
)
def test_what_a_clock_shows_is_a_moment_or_two(shown, location, first, last):
    moments = (start_at(wall(shown), location), end_at(wall(shown), location))
    assert moments == tuple(int(datetime.fromisoformat(text).timestamp() * 1000) for text in (first, last))


def test_the_clock_of_this_machine_counts_where_it_is_asked_for(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    it = schedule(rotation("ana bob", "2026-10-24 02:30", 1, "days"), location="Local")
    found = on_call(it, ms("2026-10-25 02:10+", "Europe/Berlin")), start_at(wall("2026-03-29 02:30"), "Local")
    monkeypatch.undo()
    time.tzset()
    assert found == (("bob",), ms("2026-03-29 03:00", "Europe/Berlin"))


def test_what_is_beyond_the_calendar_never_comes():
    assert start_at(wall("9999-06-01"), "UTC") == FOREVER
    assert start_at(wall("9998-12-31"), "UTC") < FOREVER


def test_an_unknown_time_zone_is_said_to_be_unknown():
    with pytest.raises(LookupError):
        start_at(wall("2026-01-01"), "Mars/Olympus")


def asked_in_a_year(monkeypatch, it):
    """How often a rotation is asked while the shifts of a year are found."""
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr("routing.oncall.on_duty", lambda *its: asked.append(its) or on_duty(*its))
        shifts(it, ms("2026-02-01"), ms("2027-02-01"))
    return len(asked)


def test_ten_layers_are_asked_no_more_often_than_each_of_them_alone(monkeypatch):
    layers = [rotation("ana bob", f"2026-01-05 {hour:02}:00", 1, "days", WORK) for hour in range(10)]
    alone = sum(asked_in_a_year(monkeypatch, schedule(one)) for one in layers)
    assert asked_in_a_year(monkeypatch, schedule(*layers)) <= alone


def test_layers_that_others_hide_are_not_asked(monkeypatch):
    hidden = [rotation("bob cy", unit="days") for _ in range(9)]
    assert asked_in_a_year(monkeypatch, schedule(*hidden, rotation("ana", "2026-01-01"))) == 1
