"""Calendars as others write them, and ours as others read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from config.schedules import Calendar
from gateway import ical
from gateway.ical import CalendarError, Entry
from routing.oncall import Layer, Schedule, Shift, Span, shifts
from routing.rotation import Restriction, Rotation

BERLIN = "Europe/Berlin"
CALENDAR = Calendar("1", None, None, "x.ics", 0, holidays=False, people=(), location=BERLIN)
HOLIDAYS = replace(CALENDAR, holidays=True, people=("fay",))
USERS = {name: name for name in ("dana", "eli", "fay")} | {"dana@x.y": "dana", "eli@x.y": "eli"}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


def text(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\nUID:{n}\n{event}\nEND:VEVENT\n" for n, event in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}END:VCALENDAR\n"


def read(*events: str, calendar: Calendar = CALENDAR) -> ical.Read:
    return ical.read(text(*events), calendar, at("2026-10-01"), at("2027-10-01"), USERS)


def shown(found: ical.Read) -> list[tuple[str, str, str]]:
    def when(moment: int) -> str:
        return datetime.fromtimestamp(moment / 1000, UTC).strftime("%m-%dT%H:%M")

    return [(when(span.start), when(span.end), " ".join(span.people)) for span in found.spans]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("DTSTART:20261102T090000Z\nDTEND:20261102T170000Z", ("11-02T09:00", "11-02T17:00")),
        ("DTSTART;TZID=America/New_York:20261102T090000\nDURATION:PT2H", ("11-02T14:00", "11-02T16:00")),
        ("DTSTART:20261102T090000\nDTEND:20261102T170000", ("11-02T08:00", "11-02T16:00")),
        ("DTSTART;VALUE=DATE:20261102\nDTEND;VALUE=DATE:20261104", ("11-01T23:00", "11-03T23:00")),
        ("DTSTART;VALUE=DATE:20261102", ("11-01T23:00", "11-02T23:00")),
    ],
)
def test_a_time_belongs_to_its_own_zone_else_to_the_schedules(times, expected):
    assert shown(read(f"{times}\nSUMMARY:dana")) == [(*expected, "dana")]


def test_a_recurring_event_keeps_to_its_clock_and_to_its_exceptions():
    weekly = "DTSTART;TZID=Europe/Berlin:20261019T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4"
    found = read(
        f"{weekly}\nEXDATE;TZID=Europe/Berlin:20261102T090000\nSUMMARY:dana",
        "DTSTART:20261101T090000Z\nSTATUS:CANCELLED\nDURATION:PT1H\nSUMMARY:eli",
    )
    assert [start for start, *_ in shown(found)] == ["10-19T07:00", "10-26T08:00", "11-09T08:00"]


@pytest.mark.parametrize(
    ("says", "people", "unknown"),
    [
        ("SUMMARY:Dana", "dana", ()),
        ("SUMMARY:eli\\, Dana and fay", "eli dana fay", ()),
        ("SUMMARY:dana\\, Gus", "dana", ("Gus",)),
        ("SUMMARY:On call: Dana Smith (dana@x.y)", "dana", ()),
        ("ATTENDEE;CN=E:mailto:ELI@x.y\nATTENDEE:mailto:gus@x.y\nSUMMARY:dana", "eli", ()),
        ("ATTENDEE:mailto:gus@x.y\nSUMMARY:dana", "dana", ()),
    ],
)
def test_an_event_is_its_attendees_or_its_titles(says, people, unknown):
    found = read(f"DTSTART:20261102T090000Z\nDTEND:20261102T170000Z\n{says}")
    assert [one[2] for one in shown(found)] == [people]
    assert found.unknown == unknown


def test_an_event_that_names_nobody_is_nobodys_and_said():
    found = read("DTSTART:20261102T090000Z\nDTEND:20261102T170000Z\nSUMMARY:Gus of Backend")
    assert found == ical.Read((), ("Gus of Backend",))


def test_of_holidays_only_the_days_count():
    found = read("DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas", calendar=HOLIDAYS)
    assert shown(found) == [("12-24T23:00", "12-25T23:00", "fay")]
    assert found.unknown == ()


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        ("2026", "FREQ=SECONDLY", "an event recurs more often than 48 times a day"),
        ("2026", "FREQ=MINUTELY;INTERVAL=5", "more often than 48 times a day"),
        ("2026", f"FREQ=DAILY;BYMINUTE={','.join(map(str, range(60)))}", "more often than 48 times a day"),
        ("2026", "FREQ=HOURLY;BYMINUTE=0,1,2", "more often than 48 times a day"),
        ("2026", "FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8;BYMINUTE=0,10,20,30,40,50", ""),
        ("0001", "FREQ=HOURLY", "its events recur more than 20000 times"),
        ("1970", "FREQ=HOURLY;INTERVAL=8", ""),
        ("2026", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", ""),
        ("2020", "FREQ=MONTHLY;BYDAY=-1FR", ""),
        ("2020", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", ""),
    ],
)
def test_what_recurs_without_measure_is_refused(start, rule, expected):
    event = f"DTSTART:{start}1002T090000Z\nRRULE:{rule}\nSUMMARY:dana"
    if not expected:
        read(event)
        return
    with pytest.raises(CalendarError, match=expected):
        read(event)


def test_many_that_recur_are_counted_together_unless_they_are_over():
    event = "DTSTART:20200102T090000Z\nRRULE:FREQ=DAILY{}\nSUMMARY:dana"
    with pytest.raises(CalendarError, match="its events recur more than 20000 times"):
        read(*[event.format("")] * 60)
    assert read(*[event.format(";UNTIL=20200202T000000Z")] * 1_000).spans == ()
    assert read(*[event.format(";COUNT=5")] * 1_000).spans == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<html>hunter2</html>", "no iCal calendar: BEGIN:VCALENDAR is missing"),
        ("", "no iCal calendar"),
        ("BEGIN:VCALENDAR\nhunter2", "it cannot be understood"),
        (text("DTSTART:hunter2\nSUMMARY:dana"), "it cannot be understood"),
        ("BEGIN:VCALENDAR\n" + "x" * 2**20, "larger than 1 MiB"),
        (text(*["DTSTART:20261102T090000Z"] * 5_001), "5001 events; at most 5000 are read"),
    ],
)
def test_what_is_no_calendar_is_refused_without_a_word_of_it(text, expected):
    with pytest.raises(CalendarError, match=expected) as caught:
        ical.read(text, CALENDAR, 0, at("2027-01-01"), USERS)
    assert "hunter2" not in str(caught.value)


# --- out -----------------------------------------------------------------------------------------------


def read_by_others(text: str, since: int, until: int) -> list[tuple[int, int, str]]:
    """What two other libraries find in it, in the order of time."""
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(
        datetime.fromtimestamp(since / 1000, UTC), datetime.fromtimestamp(until / 1000, UTC)
    )

    def ms(value: icalendar.vDDDTypes) -> int:
        return int(value.dt.timestamp()) * 1_000

    return sorted((ms(one["DTSTART"]), ms(one["DTEND"]), str(one["SUMMARY"])) for one in found)


PEOPLE = ("dana", "eli", "fay")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Pacific/Auckland")


@settings(max_examples=40, deadline=None)
@given(
    turns=st.lists(st.sets(st.sampled_from(PEOPLE), max_size=2).map(sorted).map(tuple), min_size=1),
    every=st.integers(1, 3),
    unit=st.sampled_from(["days", "weeks"]),
    zone=st.sampled_from(ZONES),
    hours=st.tuples(st.integers(0, 23), st.integers(1, 24)),
)
def test_others_read_the_same_shifts_over_clock_changes(turns, every, unit, zone, hours):
    restriction = Restriction(start=hours[0] * 60, end=hours[1] * 60)
    start = datetime(2026, 1, 5, 9)  # noqa: DTZ001 - what a clock on a wall shows has no zone
    rotation = Rotation(tuple(turns), start, every, unit, (restriction,))
    schedule = Schedule("s", zone, (Layer(rotations=(rotation,)),))
    since, until = at("2026-02-20"), at("2026-04-20")
    own = [one for one in shifts(schedule, since, until) if one.people]
    entries = [Entry("s", one, ", ".join(one.people)) for one in own]
    expected = [(one.start, one.end, ", ".join(one.people)) for one in own]
    assert read_by_others(ical.write("s", entries, since), since, until) == expected


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=120))
def test_any_name_survives_and_no_line_is_too_long(name):
    shift = Shift(at("2026-11-02"), at("2026-11-03"), ("x",))
    written = ical.write(name, [Entry("s", shift, name)], at("2026-11-01"))
    assert all(len(line.encode(errors="replace")) <= 75 for line in written.split("\r\n"))
    ((_, _, title),) = read_by_others(written, at("2026-11-01"), at("2026-11-05"))
    assert title == "".join(char for char in name if char.isprintable() or char == "\n")


def test_we_read_what_we_write():
    own = Shift(at("2026-11-02T09:00"), at("2026-11-09T09:00"), ("dana", "eli"))
    written = ical.write("s", [Entry("s", own, "dana, eli")], at("2026-11-01"))
    found = ical.read(written, CALENDAR, at("2026-10-01"), at("2027-01-01"), USERS)
    assert found.spans == (Span(own.start, own.end, own.people),)
