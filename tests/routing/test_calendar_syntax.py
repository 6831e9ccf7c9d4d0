"""How time intervals are written: what is taken, what is refused and in which words."""

import sys
import zoneinfo

import pytest

from routing.calendar_syntax import (
    CalendarError,
    parse_days_of_month,
    parse_location,
    parse_months,
    parse_times,
    parse_weekdays,
    parse_years,
)


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (parse_weekdays, "sunday", (0, 0)),
        (parse_weekdays, "monday:friday", (1, 5)),
        (parse_weekdays, "SUNDAY:Saturday", (0, 6)),
        (parse_days_of_month, "15", (15, 15)),
        (parse_days_of_month, "+1:31", (1, 31)),
        (parse_days_of_month, "-3:-1", (-3, -1)),
        (parse_days_of_month, "1:-1", (1, -1)),
        (parse_days_of_month, "20:-8", (20, -8)),
        (parse_days_of_month, "27:-1", (27, -1)),
        (parse_months, "january", (1, 1)),
        (parse_months, "June:August", (6, 8)),
        (parse_months, "1:march", (1, 3)),
        (parse_months, "13", (13, 13)),
        (parse_years, "2026", (2026, 2026)),
        (parse_years, "2026:2028", (2026, 2028)),
        (parse_location, "Europe/Berlin", "Europe/Berlin"),
        (parse_location, "UTC", "UTC"),
        (parse_location, "Local", "Local"),
        (parse_location, "", "UTC"),
    ],
)
def test_a_range_is_read_as_written(parse, text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [("00:00", "24:00", (0, 1440)), ("09:00", "17:30", (540, 1050)), ("23:59", "24:00", (1439, 1440))],
)
def test_times_are_minutes_of_the_day(start, end, expected):
    assert parse_times(start, end) == expected


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("9:00", "17:00", "'9:00' is no time of day; expected HH:MM such as 09:30"),
        ("09:00", "17", "'17' is no time of day; expected HH:MM"),
        ("09:00", "24:01", "'24:01' is no time of day"),
        ("09:00", "17:60", "'17:60' is no time of day"),
        ("09:00\n", "17:00", r"'09:00\n' is no time of day"),
        ("", "17:00", "'' is no time of day"),
        ("\u0660\u0669:00", "17:00", "is no time of day"),
        ("17:00", "09:00", "09:00 is not after 17:00; expected an end after the start; a night is two"),
        ("09:00", "09:00", "09:00 is not after 09:00"),
        ("24:00", "24:00", "24:00 is not after 24:00"),
    ],
)
def test_wrong_times_are_refused_in_plain_words(start, end, words):
    with pytest.raises(CalendarError) as refused:
        parse_times(start, end)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (parse_weekdays, "mon", "'mon' is no weekday; expected the name of a weekday such as monday"),
        (parse_weekdays, "wendesday", "did you mean 'wednesday'?"),
        (parse_weekdays, "1:5", "'1' is no weekday"),
        (parse_weekdays, "monday:", "'' is no weekday"),
        (parse_weekdays, "monday:friday:sunday", "'friday:sunday' is no weekday"),
        (parse_weekdays, "friday:monday", "'friday:monday' runs backwards; expected first:last"),
        (parse_days_of_month, "0", "there is no day 0 in a month; expected 1 to 31, or -31 to -1"),
        (parse_days_of_month, "1:32", "there is no day 32"),
        (parse_days_of_month, "-32", "there is no day -32"),
        (parse_days_of_month, "last", "'last' is no day of a month; expected 1 to 31"),
        (parse_days_of_month, "-15:5", "begins at the month's end and ends at its start"),
        (parse_days_of_month, "10:5", "'10:5' runs backwards; expected first:last such as 1:7 or -3:-1"),
        (parse_days_of_month, "-1:-3", "runs backwards"),
        (parse_days_of_month, "10:-25", "'10:-25' runs backwards in a short month"),
        (parse_days_of_month, "28:-1", "'28:-1' runs backwards in a short month"),
        (parse_months, "febuary", "'febuary' is no month; expected a name such as march"),
        (parse_months, "febuary", "did you mean 'february'?"),
        (parse_months, "november:february", "november:december and january:february"),
        (parse_months, "1.5", "'1.5' is no month"),
        (parse_years, "20x6", "'20x6' is no year; expected a number such as 2026"),
        (parse_years, "2028:2026", "runs backwards; expected first:last such as 2026:2028"),
        (parse_years, "9" * 30, "is no year"),
        (parse_location, "Europe/berlin", "did you mean 'Europe/Berlin'?"),
        (parse_location, "Europe", "no time zone known here; expected a name such as Europe/Berlin, UTC or"),
        (parse_location, "../../etc/passwd", "no time zone known here"),
        (parse_location, "/etc/localtime", "no time zone known here"),
        (parse_location, "zone.tab", "no time zone known here"),
        (parse_location, "x\0y", r"'x\x00y' is no time zone known here"),
        (parse_location, "Z" * 5_000, "ZZZ…' is no time zone known here"),
    ],
)
def test_what_is_written_wrongly_is_refused_in_plain_words(parse, text, words):
    with pytest.raises(CalendarError) as refused:
        parse(text)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 250


@pytest.fixture
def _no_zones_of_the_system():
    zoneinfo.reset_tzpath([])
    yield
    zoneinfo.reset_tzpath()


@pytest.mark.usefixtures("_no_zones_of_the_system")
def test_where_the_system_has_no_time_zones_those_of_the_package_count():
    assert parse_location("Indian/Mahe") == "Indian/Mahe"


@pytest.mark.usefixtures("_no_zones_of_the_system")
def test_a_machine_without_any_time_zones_is_told_what_it_lacks(monkeypatch):
    for module in ("tzdata", *(name for name in sys.modules if name.startswith("tzdata."))):
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(CalendarError, match="expected the package tzdata on this machine"):
        parse_location("Indian/Maldives")
    assert parse_location("UTC") == "UTC"
