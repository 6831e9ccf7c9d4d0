"""Schedules as they are written: what they become, and what is said of mistakes in them."""

from datetime import UTC, datetime

import pytest

from config.compile import compile_plan
from config.load import ConfigError, load_text
from config.schedules import calendars
from routing.oncall import on_call
from routing.rotation import Restriction

GOOD = """\
route: {receiver: a}
receivers: [{name: a}]
users: [{name: dana, email: d@x.y}, {name: eli, email: e@x.y}, {name: fay, email: f@x.y}]
"""


def config(layers="[{people: [dana]}]", more=""):
    schedule = f"schedules: [{{name: s, time_zone: Europe/Berlin, layers: {layers}{more}}}]"
    return load_text(GOOD + schedule, "f.yaml", {"CAL": "https://cal.test/hunter2.ics"})


def schedule(layers, more=""):
    return compile_plan(config(layers, more)).schedules["s"]


def at(text):
    """A moment, by the clock in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("every", "hours", "unit"),
    [
        ("weekly", "", (1, "weeks")),
        ("2w", "", (2, "weeks")),
        ("daily", "", (1, "days")),
        ("3d", "", (3, "days")),
        ("24h", "", (24, "elapsed_hours")),
        ("12h", ", hours: wall", (12, "wall_hours")),
    ],
)
def test_a_turn_lasts_as_long_as_it_is_written(every, hours, unit):
    turns = f"[{{people: [dana, [eli, fay]], start: 2026-11-02 09:00, every: {every}{hours}}}]"
    (rotation,) = schedule(turns).layers[0].rotations
    assert (rotation.every, rotation.unit) == unit
    assert rotation.people == (("dana",), ("eli", "fay"))


def test_turns_begin_by_the_clock_of_the_schedule():
    found = schedule("[{people: [dana, eli], start: 2026-11-02 09:00}]")
    moments = ["2026-11-02T07:59", "2026-11-02T08:00", "2026-11-09T07:59", "2026-11-09T08:00"]
    assert [on_call(found, at(moment)) for moment in moments] == [(), ("dana",), ("dana",), ("eli",)]


def test_who_takes_no_turns_needs_no_start():
    assert on_call(schedule("[{people: [[dana, eli]]}]"), at("2020-01-01")) == ("dana", "eli")


def test_a_night_is_written_with_an_end_before_its_start():
    night = "{weekdays: ['monday:friday'], start_time: '18:00', end_time: '08:00'}"
    (rotation,) = schedule(f"[{{people: [dana], restrictions: [{night}]}}]").layers[0].rotations
    assert rotation.restrictions == (Restriction(((1, 5),), 1080, 480),)


def test_overrides_in_the_file_are_by_the_clock_of_the_schedule():
    override = "{start: 2026-12-24 18:00, end: 2026-12-27 09:00, people: eli, instead_of: dana, comment: x}"
    (found,) = schedule("[{people: [dana]}]", f", overrides: [{override}]").overrides
    assert (found.start, found.end) == (at("2026-12-24T17:00"), at("2026-12-27T08:00"))
    assert (found.people, found.instead_of, found.id) == (("eli",), "dana", "s[1]")


def test_calendars_are_named_without_their_address():
    layers = "[{people: [dana], holidays: {ical_file: de.ics, people: fay}}, {ical: '${CAL}'}]"
    days, shifts = calendars(config(layers).schedules[0])
    assert (days.layer, days.holidays, days.people, days.where) == (0, True, ("fay",), "de.ics")
    assert (shifts.layer, shifts.holidays, shifts.where) == (1, False, "https://cal.test/…")
    assert "hunter2" not in repr(shifts)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("{people: [dan]}", "people[0]: there is no user 'dan'; expected the name of one in users; did you"),
        ("{people: [dana, [eli, fey]], start: 2026-11-02}", "people[1][1]: there is no user 'fey'"),
        ("{people: [dana, eli]}", "4:59: schedules[0].layers[0].people: nothing says when they take turns"),
        ("{people: [dana], every: 2m}", "every: '2m' is no length of a turn; expected daily, weekly, or a"),
        ("{people: [dana], every: 0d}", "every: '0d' is no length of a turn"),
        ("{people: [dana], start: monday}", "start: 'monday' is no such time; expected a date such as"),
        ("{people: [dana], start: 2026-02-30}", "start: there is no such time as '2026-02-30'"),
        ("{people: [dana], start: 2026-02-03T04:05Z}", "is no such time; expected a date such as 2026-11-02"),
        ("{people: [dana], hours: wall}", "hours: this is about turns of hours; expected every beside it"),
        ("{people: [dana], time_zone: Europe/Berlni}", "layers[0].time_zone: "),
        ("{}", "4:58: schedules[0].layers[0]: this layer never has anybody; expected people, ical or"),
        ("{start: 2026-11-02}", "this layer never has anybody"),
        ("{ical_file: a.ics, every: 1d}", "every: this is about turns; expected people beside it"),
        ("{ical: 'https://a', ical_file: b}", "ical_file: stands beside ical; expected only one of the two"),
        ("{ical: 'hunter2'}", "ical: the address begins with none of http://, https://"),
        ("{people: [dana], holidays: {people: [eli]}}", "holidays: nothing says when they are"),
        ("{people: [dana], holidays: {ical_file: a, people: [elli]}}", "there is no user 'elli'"),
        ("{people: [dana], restrictions: [{start_time: '9'}]}", "start_time: '9' is no time of day"),
        (
            "{people: [dana], restrictions: [{start_time: '24:00'}]}",
            "nothing begins at 24:00; expected 00:00",
        ),
        ("{people: [dana], restrictions: [{weekdays: [noday]}]}", "'noday' is no weekday"),
        ("{people: [dana], valid_from: 2026-02-02, valid_until: 2026-02-01}", "is not after valid_from"),
        ("{people: []}", "this layer never has anybody"),
        ("{people: [[]]}", "people[0]: this list is too short"),
    ],
)
def test_each_mistake_in_a_layer_is_told_with_its_place(layer, expected):
    told_of(f"[{layer}]", "", expected)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            ", overrides: [{start: 2026-01-02, end: 2026-01-02, people: eli}]",
            "is not after start; expected a",
        ),
        (", overrides: [{start: 2026-01-02, end: 2026-01-03}]", "overrides[0].people: this key is missing"),
        (", overrides: [{start: 2026-01-02, end: 2026-01-03, people: x}]", "there is no user 'x'"),
        (
            ", overrides: [{start: 2026-01-02, end: 2026-01-03, people: eli, instead_of: dan}]",
            "instead_of: there is no user 'dan'; expected the name of one in users; did you mean 'dana'?",
        ),
        ("}, {name: s, layers: [{people: [dana]}]", "the schedule 's' stands here twice"),
        ("}, {name: t, layers: []", "schedules[1].layers: this list is too short"),
        (", timezone: UTC", "there is no key 'timezone' here; expected one of name, time_zone"),
    ],
)
def test_each_mistake_in_a_schedule_is_told_with_its_place(more, expected):
    told_of("[{people: [dana]}]", more, expected)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (
            "webhook: 'https://a.b'",
            "notify_shift: shifts are told by Slack and mail, and neither tells this u",
        ),
        (
            "slack_id: U024BE7LH",
            "notify_shift: this is told by Slack, with no token for it; expected slack_app",
        ),
        ("email: a@b.c", "notify_shift: this is told by mail, with no mail server; expected smtp_smarthost"),
    ],
)
def test_a_wish_to_hear_of_shifts_that_nothing_could_fulfil_is_told(user, expected):
    with pytest.raises(ConfigError) as caught:
        load_text(f"{GOOD[:-2]}, {{name: gus, notify_shift: 0s, {user}}}]", "f.yaml", {})
    assert any(expected in str(problem) for problem in caught.value.problems), caught.value.problems


def told_of(layers, more, expected):
    with pytest.raises(ConfigError) as caught:
        config(layers, more)
    problems = [str(problem) for problem in caught.value.problems]
    assert any(expected in problem for problem in problems), problems
    assert "hunter2" not in str(problems)
