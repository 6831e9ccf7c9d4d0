"""A story as text: what a person reads of it."""

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulation.report_text import text
from gateway.simulation.timeline import offset, runs
from routing.story import Line, Story


def read(story, zone=UTC, **how):
    return "\n".join(text(story, zone, **how))


def test_it_says_when_what_happens_and_who_is_told_by_which_way(night):
    shown = read(night, ZoneInfo("Europe/Berlin"))
    assert "Thursday, 24 December 2026, CET (UTC+01:00)" in shown
    assert "#1  alertname=ApiDown  route critical, policy page, team backend" in shown
    rows = [" ".join(row.split()) for row in shown.splitlines()]
    assert "03:05:00 +5:00 #1 ring dana by Slack (step 2)" in rows
    assert "03:08:00 +8:00 #1 dana has it (simulation)" in rows
    assert "#backend (team backend) by Slack 1 ring, 1 update, 1 end" in rows


def test_decisions_and_reasons_stand_in_it_only_if_asked_for(night):
    assert "step 3 is passed" not in read(night)
    explained = read(night, explain=True)
    assert "step 3 is passed: it is outside of its time intervals" in explained
    assert "dana by Slack  [step 2: nobody has acknowledged for 5 min]" in explained
    assert "told (first notification)" not in explained, "the notification itself says so"


def test_a_step_that_reached_nobody_is_news(night):
    nobody = "step 1 tells nobody: nobody is on call in weekly"
    night.lines.append(Line(night.began, 1, "passed", nobody))
    assert f"#1  {nobody}\n" in read(night)


def test_a_step_is_named_with_its_policy_where_an_incident_goes_through_several(night):
    assert "dana by Slack  (step 2)" in read(night)
    night.notifications.append(replace(night.notifications[2], policy="executives", target="kim"))
    assert "dana by Slack  (page, step 2)" in read(night)
    assert "kim by Slack  (executives, step 2)" in read(night)


def test_messages_stand_below_their_rows_only_if_asked_for(night):
    assert "ApiDown\n" not in read(night)
    assert "| ApiDown\n" in read(night, messages=True)
    assert "| is down\n" in read(night, messages=True)


def test_what_is_repeated_evenly_is_one_row(repeats):
    shown = read(repeats)
    assert shown.count("ring    #ops") == 1
    assert "repeated every 4h5m, 41 times more, the last at Thu 01:25:30 (+6d 23:25:30)" in shown
    assert "42 rings" in shown
    assert "#1 is still triggered" in shown
    assert "More would follow: the simulation ends at 2026-12-31 02:00:00 (+7d 0:00:00)." in shown


def test_whom_a_service_never_told_is_named(night):
    failed = Line(night.began, 1, "not_told", "attempt failed, will be repeated", "kim by Slack")
    night.lines += [failed, replace(failed, target="dana by Slack")]
    assert "Never told, as their service takes nothing: kim by Slack\n" in read(night) + "\n"


def test_where_nobody_is_told_it_says_so_and_why(silent):
    shown = read(silent).partition("Nobody is told.\n")[2]
    assert "held: 1 alert, silence s1 by kim, until 2026-12-24 08:00:00 UTC" in shown
    assert "ended before its time: nobody was told" in shown


def test_where_nothing_happens_it_says_so(silent):
    silent.lines.clear()
    silent.incidents = {}
    assert read(silent) == "Nobody is told.\n  Nothing happens: no alert fires in this time."


def test_nothing_in_it_speaks_to_the_terminal(hostile):
    shown = read(hostile, explain=True, messages=True)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert len(shown.splitlines()) == 12


def test_where_the_clocks_change_there_is_another_heading():
    back = 1_792_890_000_000  # 2026-10-25T01:00Z
    lines = [Line(back - 1_000, 0, "note", "before"), Line(back, 0, "note", "after")]
    shown = list(text(Story(back - 1_000, lines=lines), ZoneInfo("Europe/Berlin")))
    assert shown[:5] == [
        "Sunday, 25 October 2026, CEST (UTC+02:00)",
        "  02:59:59  +0:00    before",
        "",
        "Sunday, 25 October 2026, CET (UTC+01:00)",
        "  02:00:00  +0:01    after",
    ]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "+0:00"),
        (300, "+5:00"),
        (3_905, "+1:05:05"),
        (90_000, "+1d 1:00:00"),
        (-61, "-1:01"),
        (0.9, "+0:00"),
    ],
)
def test_times_count_from_the_first_firing(seconds, shown):
    assert offset(int(seconds * 1000)) == shown


def test_messages_brought_up_to_date_together_are_one_row(night):
    changed = replace(night.notifications[4], target="dana", target_kind="user")
    night.notifications.append(changed)
    assert "update  #backend (team backend) by Slack, dana by Slack\n" in read(night)
    night.notifications[4:] = [replace(changed, text="a"), replace(changed, text="b")]
    assert read(night, messages=True).count("update  dana") == 2, "each has a text of its own"


def test_many_incidents_that_fare_the_same_are_one_row(night):
    first = night.notifications[2]
    night.notifications = [replace(first, incident=number) for number in range(1, 101)]
    rows = [row for row in read(night).splitlines() if "dana by Slack" in row]
    assert rows == [
        "  02:05:00   +5:00  #1-#100 (100)  ring    dana by Slack  (step 2)",
        "  dana by Slack  100 rings",
    ]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ([0, 10, 20, 30, 40], [(0, 4, 40)]),
        ([0, 10, 20, 30], [(0, 0, 0), (10, 0, 0), (20, 0, 0), (30, 0, 0)]),
        ([0, 10, 20, 30, 40, 90], [(0, 4, 40), (90, 0, 0)]),
        ([0, 5, 15, 25, 35, 45, 55], [(0, 0, 0), (5, 5, 55)]),
        ([0, 0, 0, 0, 0], [(0, 0, 0)] * 5),
    ],
)
def test_a_row_of_repeats_is_at_least_five_as_far_apart(times, found):
    items = [(at * 1000, "same", at) for at in times]
    assert [(run.first, run.more, run.last // 1000) for run in runs(items)] == found


def test_repeats_that_alternate_are_told_apart():
    items = [(at * 1000, at % 2, at) for at in range(10)]
    assert [(run.first, run.more, run.every) for run in runs(items)] == [(0, 4, 2000), (1, 4, 2000)]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), max_size=60).map(sorted))
def test_runs_stand_for_just_what_they_were_made_of(found):
    items = [(at * 1000, kind, kind) for at, kind in found]
    again = []
    for run in runs(items):
        again += [(run.at + n * run.every, run.first) for n in range(run.more + 1)]
        assert abs(again[-1][0] - (run.last or run.at)) <= 1_000 * max(run.more, 1)
    expected = sorted((kind, at) for at, kind, _ in items)
    drawn = sorted((kind, at) for at, kind in again)
    assert [kind for kind, _ in drawn] == [kind for kind, _ in expected]
    assert [run.at for run in runs(items)] == sorted(run.at for run in runs(items))
