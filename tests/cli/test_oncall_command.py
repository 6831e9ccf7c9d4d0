"""`tocsin oncall`, from a file and from a server."""

import json
from datetime import UTC, datetime

import pytest
from rich.text import Text

from gateway.cli.week import weeks

CONFIG = """
route: {receiver: a}
receivers: [{name: a}]
users: [{name: dana, email: d@x.y}, {name: eli, email: e@x.y}, {name: fay, email: f@x.y}]
schedules:
  - name: week
    time_zone: Europe/Berlin
    layers: [{people: [dana, [eli, fay]], start: 2026-11-02 09:00}]
    overrides: [{start: 2026-12-01 18:00, end: 2036-12-03 09:00, people: eli, instead_of: fay}]
  - name: hours
    layers: [{people: [fay], restrictions: [{weekdays: ["monday:friday"], start_time: 09:00}]}]
"""
SPAN = ("--from", "2026-11-27", "--to", "2026-12-08")


@pytest.fixture
def ask(here, tmp_path):
    """`tocsin oncall ARGS...` of the configuration."""
    file = tmp_path / "tocsin.yaml"
    file.write_text(CONFIG)

    def run(*args, **env):
        return here("oncall", *args, "--config", str(file), **env)

    return run


def test_it_says_who_is_on_call_until_when_and_who_comes(ask):
    shown = ask("show", "--at", "2026-11-28 12:00")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "SCHEDULE  ON CALL   UNTIL",
        "week      eli, fay  Mon 2026-11-30 09:00 CET, then dana",
        "hours     nobody    Mon 2026-11-30 09:00 UTC, then fay",
    ]


def test_one_schedule_is_asked_for_by_its_name(ask):
    shown = ask("show", "week", "--at", "2026-11-30T08:00Z", "-o", "json")
    (one,) = json.loads(shown.out)["schedules"]
    assert (one["schedule"], one["people"]) == ("week", ["dana"])
    wrong = ask("show", "weak")
    assert (wrong.code, "there is no schedule 'weak' did you mean 'week'?" in wrong.err) == (2, True)


def test_a_calendar_fits_80_columns(ask):
    shown = ask("list", "week", *SPAN, COLUMNS="80")
    lines = shown.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1:5] == [
        "Nov 2026       Mon 23   Tue 24   Wed 25   Thu 26   Fri 27   Sat 28   Sun 29",
        "eli            ........ ........ ........ ........ ######## ######## ########",
        "fay            ........ ........ ........ ........ ######## ######## ########",
        "",
    ]
    assert lines[5:7] == [
        "Nov 2026       Mon 30   Tue 01   Wed 02   Thu 03   Fri 04   Sat 05   Sun 06",
        "dana           ...##### ######## ######## ######## ######## ######## ########",
    ]


def test_the_exact_times_stand_below_the_calendar(ask):
    rows = ask("list", "hours", *SPAN).out.partition("ON CALL\n")[2].splitlines()
    assert rows[:3] == [
        "  Fri 2026-11-27 00:00 UTC  Fri 2026-11-27 09:00 UTC  nobody",
        "  Fri 2026-11-27 09:00 UTC  Sat 2026-11-28 00:00 UTC  fay",
        "  Sat 2026-11-28 00:00 UTC  Mon 2026-11-30 09:00 UTC  nobody",
    ]


def test_a_gap_is_drawn_last_and_otherwise_than_people():
    def day(number):
        return datetime(2026, 11, number, tzinfo=UTC)

    spans = [(day(23), day(24), ("zoe", "ann")), (day(24), day(25), ()), (day(25), day(30), ("nobody",))]
    _, *lines = weeks(spans, UTC)
    assert [line.plain[:32] for line in lines if isinstance(line, Text)] == [
        "ann            ######## ........",
        "nobody         ........ ........",
        "zoe            ######## ........",
        "nobody         ........ !!!!!!!!",
        "",
    ]


def test_gaps_end_with_1_where_there_are_any(ask):
    found = ask("gaps", "--for", "8d")
    assert found.code == 1
    assert all(line.startswith("hours") for line in found.out.splitlines()[1:])
    covered = ask("gaps", "week")
    assert (covered.code, covered.out, covered.err) == (
        0,
        "",
        "Somebody is on call at any time within 30d.\n",
    )


def test_gaps_are_the_same_for_programs(ask):
    found = ask("gaps", "--for", "8d", "-o", "json")
    week, hours = json.loads(found.out)["schedules"]
    assert (found.code, week["shifts"]) == (1, [])
    assert hours["shifts"][0]["people"] == []


def test_it_says_what_comes_next(ask):
    shown = ask("next", "week")
    assert shown.out.splitlines()[0].split() == ["SCHEDULE", "SHIFT", "CHANGE", "IN", "GOES", "COMES"]
    own = ask("next", "--person", "dana")
    assert "week " in own.out
    nobody = ask("next", "--person", "gus")
    assert (nobody.code, nobody.err) == (1, "gus has no shift within 400 days.\n")


def test_a_report_says_how_it_is_spread(ask):
    shown = ask("report", "week", *SPAN)
    rows = {line.split()[0]: line.split()[1:] for line in shown.out.splitlines()[1:]}
    assert rows["dana"][:2] == ["168", "1"]
    assert rows["eli"][-1] == "-"


def test_overrides_of_the_file_are_listed(ask):
    shown = ask("override", "list")
    assert "week[1]" in shown.out
    assert "the configuration" in shown.out


def test_a_calendar_in_a_file_counts_and_an_address_is_said_not_to(here, tmp_path):
    (tmp_path / "a.ics").write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20261224T100000Z\nDTEND:20261224T110000Z\n"
        "SUMMARY:eli\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    layers = "[{people: [dana]}, {ical_file: a.ics}, {ical: 'https://cal.test/hunter2'}]"
    file = tmp_path / "tocsin.yaml"
    file.write_text(CONFIG.replace("[{people: [dana, [eli, fay]], start: 2026-11-02 09:00}]", layers))
    shown = here("oncall", "show", "week", "--at", "2026-12-24T10:30Z", "--config", str(file))
    assert "eli" in shown.out
    assert "the calendar https://cal.test/… cannot be read: it has an address" in shown.err
    assert "hunter2" not in shown.err


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("show", "--at", "noon"), "'noon' is no time; expected a time such as 2026-12-24T18:00Z"),
        (("list", "--to", "2020-01-01"), "which is not after now"),
        (("list", "--to", "+900d"), "it spans more than 400 days"),
        (("gaps", "--for", "30"), "a number without a unit"),
        (("report", "a", "b"), "give one, or none for all together"),
    ],
)
def test_what_is_typed_wrongly_is_said(ask, args, expected):
    ended = ask(*args)
    assert (ended.code, expected in ended.err) == (2, True), ended


def test_a_file_without_schedules_says_so(here, tmp_path):
    (tmp_path / "t.yaml").write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    ended = here("oncall", "show", "--config", str(tmp_path / "t.yaml"))
    assert (ended.code, "no schedule is configured" in ended.err) == (1, True)


# --- from a server -------------------------------------------------------------------------------------

NOW = {
    "schedule": "week",
    "time_zone": "Europe/Berlin",
    "people": ["dana"],
    "until": "2025-11-25T08:00:00.000Z",
    "next": {"start": "2025-11-25T08:00:00.000Z", "people": ["eli"]},
    "warnings": ["the calendar https://c/… cannot be read: \x1b[31m"],
}
MADE = {
    "id": "ab12",
    "schedule": "week",
    "people": ["eli"],
    "start": "2025-11-24T17:00:00.000Z",
    "end": "2025-11-24T20:00:00.000Z",
    "state": "pending",
}


@pytest.fixture
def schedules(server):
    server.answers[("GET", "/api/v1/schedules")] = (200, {"schedules": [NOW]})
    server.answers[("GET", "/api/v1/oncall?at=now")] = (200, {"schedules": [NOW]})
    return server


async def test_a_server_is_asked_where_no_file_is_named(tocsin, schedules):
    shown = await tocsin("oncall", "show")
    assert shown.out.splitlines()[1] == "week      dana     Tue 2025-11-25 09:00 CET, then eli"
    assert shown.err == "week: the calendar https://c/… cannot be read: \\x1b[31m\n"


async def test_an_override_is_added_by_the_clock_of_the_schedule(tocsin, schedules):
    sent = []

    async def keep():
        request = schedules.requests[-1]
        if request.method == "POST":
            sent.append(await request.json())

    schedules.before = keep
    schedules.answers[("POST", "/api/v1/overrides")] = (200, MADE)
    span = ("--start", "2025-11-24 18:00", "--until", "2025-11-24T20:00Z")
    made = await tocsin("oncall", "override", "add", "week", "eli", *span, "-c", "swap")
    assert (made.code, made.out) == (0, "ab12\n")
    assert made.err == (
        "On call in week from Mon 2025-11-24 18:00 CET until Mon 2025-11-24 21:00 CET: eli.\n"
    )
    (body,) = sent
    assert (body["start"], body["end"]) == ("2025-11-24T17:00:00.000Z", "2025-11-24T20:00:00.000Z")


async def test_overrides_are_removed_one_by_one(tocsin, schedules):
    schedules.answers[("DELETE", "/api/v1/overrides/ab12")] = (200, MADE)
    ended = await tocsin("oncall", "override", "remove", "ab12", "gone")
    assert (ended.code, ended.out) == (1, "ab12: removed\n")


async def test_a_calendars_address_is_printed_alone(tocsin, schedules):
    schedules.answers[("GET", "/api/v1/users/dana/feed")] = (200, {"url": "https://t/x.ics?token=1"})
    shown = await tocsin("oncall", "feed", "--person", "dana")
    assert shown.out == "https://t/x.ics?token=1\n"
    assert (await tocsin("oncall", "feed")).code == 2
