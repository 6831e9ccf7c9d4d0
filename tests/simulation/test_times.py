"""Times are read as meant, and what a clock shows never or twice is refused with the way out."""

from datetime import UTC, datetime

import pytest

from gateway.simulation.times import TimeError, duration, moment, place

BERLIN = "Europe/Berlin"


def shown(text: str, zone: str = "UTC") -> str:
    return datetime.fromtimestamp(moment(text, zone) / 1000, UTC).isoformat()


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("2026-12-24T03:00Z", BERLIN, "2026-12-24T03:00:00+00:00"),
        ("2026-12-24T03:00+01:00", "UTC", "2026-12-24T02:00:00+00:00"),
        ("2026-12-24T03:00-0530", "UTC", "2026-12-24T08:30:00+00:00"),
        ("2026-12-24T03:00", BERLIN, "2026-12-24T02:00:00+00:00"),
        ("2026-12-24 3:00", "UTC", "2026-12-24T03:00:00+00:00"),
        ("2026-12-24T03:00:07.5Z", "UTC", "2026-12-24T03:00:07.500000+00:00"),
        ("2026-12-24", "Asia/Tokyo", "2026-12-23T15:00:00+00:00"),
        ("2026-10-25T02:30+02:00", BERLIN, "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T02:30+01:00", BERLIN, "2026-10-25T01:30:00+00:00"),
        ("2026-03-29T03:00", BERLIN, "2026-03-29T01:00:00+00:00"),
    ],
)
def test_a_moment_counts_by_its_offset_or_else_by_the_clock_there(text, zone, meant):
    assert shown(text, zone) == meant


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("2026-03-29T02:30", BERLIN, ["never comes in Europe/Berlin", "2026-03-29T03:00+02:00"]),
        ("2026-10-04T02:15", "Australia/Lord_Howe", ["never comes", "2026-10-04T02:30+11:00"]),
        ("2026-10-25T02:30", BERLIN, ["comes twice", "T02:30+02:00 for the first", "+01:00 for the second"]),
        ("2026-02-30T01:00", "UTC", ["there is no such time as '2026-02-30T01:00'"]),
        ("2026-12-24T24:30Z", "UTC", ["there is no such time"]),
        ("tomorrow", "UTC", ["'tomorrow' is no time", "such as 2026-12-24T03:00"]),
        ("", "UTC", ["'' is no time"]),
        ("2026-12-24T03:00+99:00", "UTC", ["no possible offset"]),
        ("0001-01-01", BERLIN, ["too far away"]),
        ("9999-12-31T23:00-10:00", "UTC", ["too far away"]),
        ("9999-12-31T23:59", "UTC", ["too far away"]),
        ("9999-06-01T12:00", BERLIN, ["too far away"]),
        ("1970-12-31T23:59", "UTC", ["too far away", "1971 to 9998"]),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused_with_what_was_expected(text, zone, said):
    with pytest.raises(TimeError) as error:
        moment(text, zone)
    assert all(part in str(error.value) for part in said), error.value


def test_durations_are_written_as_in_prometheus():
    assert [duration(text) for text in ("5m", "1h30m", "0", " 250ms ")] == [300_000, 5_400_000, 0, 250]


@pytest.mark.parametrize("text", ["5", "-3m", "3 m", "", "soon", "9999999999y"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(TimeError, match="expected"):
        duration(text)


def test_a_place_that_no_machine_knows_is_refused_with_a_suggestion():
    assert place(BERLIN) == BERLIN
    assert place("") == "UTC"
    with pytest.raises(TimeError, match="did you mean 'Europe/Berlin'"):
        place("Europe/Brelin")


def test_the_place_of_a_machine_is_no_place_for_a_simulation():
    with pytest.raises(TimeError, match="another time zone on each machine"):
        place("Local")
