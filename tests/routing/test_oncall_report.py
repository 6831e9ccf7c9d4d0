"""How on-call time is spread: hours, nights, weekends, shifts, each person's by the clock where they live."""

from datetime import UTC, datetime

import pytest

from routing.oncall import Layer, Override, Schedule, Span
from routing.oncall_report import Load, report
from routing.rotation import Rotation

HOUR = 3_600_000


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def schedule(*spans, name="it", location="UTC"):
    """Of `("2026-01-05 09:00", "2026-01-06", "ana")`."""
    made = tuple(Span(ms(start), ms(end), tuple(people)) for start, end, *people in spans)
    return Schedule(name, location, (Layer(spans=made),))


def loads(*schedules, zones=None, overrides=()):
    """Hours, shifts, hours at night, nights, hours at weekends, weekends; of each person."""
    found = report(schedules, ms("2026-01-01"), ms("2026-12-31"), overrides, zones)
    return {
        one.person: (
            one.time / HOUR,
            one.shifts,
            one.night_time / HOUR,
            one.nights,
            one.weekend_time / HOUR,
            one.weekends,
        )
        for one in found
    }


# 2026-01-05 is a Monday
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-01-05 09:00", "2026-01-05 17:00", (8, 1, 0, 0, 0, 0)),
        ("2026-01-05 21:00", "2026-01-06 08:00", (11, 1, 9, 1, 0, 0)),
        ("2026-01-05 06:00", "2026-01-05 23:00", (17, 1, 2, 2, 0, 0)),
        ("2026-01-09 12:00", "2026-01-12 12:00", (72, 1, 27, 3, 48, 1)),
        ("2026-01-05 00:00", "2026-01-19 00:00", (336, 1, 126, 15, 96, 2)),
    ],
)
def test_hours_nights_and_weekends_are_counted(start, end, expected):
    assert loads(schedule((start, end, "ana"))) == {"ana": expected}


@pytest.mark.parametrize(
    ("zones", "night"),
    [({}, 9), ({"ana": ""}, 9), ({"bob": "Asia/Tokyo"}, 9), ({"ana": "Asia/Tokyo"}, 1), ({"ana": "UTC"}, 8)],
)
def test_a_night_is_night_where_the_person_lives(zones, night):
    it = schedule(("2026-01-05 21:00", "2026-01-06 06:00", "ana"), location="Europe/Berlin")
    assert loads(it, zones=zones)["ana"][2] == night


def test_the_night_in_which_clocks_change_is_as_long_as_it_is():
    spring = schedule(("2026-03-28 12:00", "2026-03-29 12:00", "ana"), location="Europe/Berlin")
    autumn = schedule(("2026-10-24 12:00", "2026-10-25 12:00", "ana"), location="Europe/Berlin")
    assert (loads(spring)["ana"][2], loads(autumn)["ana"][2]) == (8, 10)


def test_who_is_on_call_in_two_schedules_at_once_is_so_once():
    one = schedule(("2026-01-05 09:00", "2026-01-05 17:00", "ana"), ("2026-01-07", "2026-01-08", "ana"))
    two = schedule(("2026-01-05 12:00", "2026-01-05 20:00", "ana", "bob"), name="two")
    assert loads(one, two) == {"ana": (11 + 24, 3, 9, 2, 0, 0), "bob": (8, 1, 0, 0, 0, 0)}


def test_an_override_is_counted_for_who_takes_over():
    it = schedule(("2026-01-05 09:00", "2026-01-05 17:00", "ana"))
    taken = Override("id", "it", ms("2026-01-05 12:00"), ms("2026-01-05 13:00"), ("bob",))
    assert loads(it, overrides=[taken]) == {"ana": (7, 2, 0, 0, 0, 0), "bob": (1, 1, 0, 0, 0, 0)}


def test_only_what_lies_between_the_moments_counts():
    it = Schedule(
        "it", "UTC", (Layer(rotations=(Rotation((("ana",),), datetime.fromisoformat("2020-01-01")),)),)
    )
    found = report(iter([it]), ms("2026-01-05"), ms("2026-01-06"), iter(()))
    assert found == (Load("ana", 24 * HOUR, 1, 9 * HOUR, 2, 0, 0),)


def test_nobody_bears_nothing():
    assert report([schedule()], ms("2026-01-05"), ms("2026-01-06")) == ()
