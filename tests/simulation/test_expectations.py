"""Stories made by hand, and what a test that expects this or that says of them."""

from pathlib import Path

import pytest

from gateway.simulation.expectations import judge
from gateway.simulation.test_reader import MONDAY, read_suite
from routing.story import Line, Notification, Reached, Story

S, M = 1_000, 60_000


def told(at, target, kind="ring", *, target_kind="receiver", by="slack", where="", why="first", text=""):
    return Notification(
        MONDAY + at, target, target_kind, by, where, kind, 1, "r", "", "critical", "p", 1, why, 1, 0, text
    )


def line(at, kind, text, target=""):
    return Line(MONDAY + at, 1, kind, text, target)


STORY = Story(
    MONDAY,
    MONDAY + 60 * M,
    notifications=[
        told(2 * S, "ops", where="#ops", text="Disk full on a"),
        told(2 * S, "dana", target_kind="user", by="email", where="dana@example.com"),
        told(5 * M, "ops", "update", where="#ops"),
        told(5 * M + 2 * S, "boss", why="step 2: nobody has acknowledged for 5 min", by="email"),
        told(10 * M, "ops", where="#ops", why="again"),
        told(30 * M, "ops", "end", where="#ops"),
    ],
    lines=[
        line(2 * S, "triggered", "triggered"),
        line(5 * M, "passed", "step 1 is passed: nobody is on call (weekly)"),
        line(5 * M, "not_told", "nobody answers", "lee by Slack"),
        line(20 * M, "acknowledged", "dana has it"),
    ],
    incidents={1: None},  # it is only counted
    reached=Reached(routes={"r", "q"}, rules={1}),
)


def failed(below, story=STORY):
    text = f"config: c\ntests:\n- name: n\n  alerts: [{{labels: {{a: b}}}}]\n  {below}\n"
    (case,) = read_suite(text, Path("t.yaml")).cases
    return judge(case, story, ["first", "second"].__getitem__)


@pytest.mark.parametrize(
    "below",
    [
        "expect: [{at: 0s, told: [ops, 'user:dana', 'slack:#ops', 'mail:dana@example.com']}]",
        "expect: [{at: 2s, within: 0s, told: ops}]",
        "expect: [{told: boss}]",
        "expect: [{after: 1m, until: 11m, told: ops}]",
        "expect: [{at: 5m, told: ops, kind: update}]",
        "expect: [{at: 30m, told: ops, kind: end}]",
        "expect: [{at: 0s, told: ops, text: full on}]",
        "expect_not: [{told: lee}, {told: boss, until: 5m}, {at: 6m, told: [ops, boss]}]",
        "expect_not: [{told: boss, kind: update}, {told: ops, text: Memory}]",
        "expect_silent: {after: 11m}",
        "expect_silent: {after: 10s, until: 5m}",
        "expect_route: [q, r]",
        "expect_inhibited_by: second",
    ],
)
def test_what_the_story_shows_is_met(below):
    assert not failed(below)


@pytest.mark.parametrize(
    ("below", "message", "reason"),
    [
        (
            "expect: [{at: 0s, told: boss}]",
            "boss was not told between 0s and 5s",
            "boss was told at 5m2s: step 2: nobody has acknowledged for 5 min",
        ),
        (
            "expect: [{at: 6m, told: lee}]",
            "lee was not told between 6m and 6m5s",
            "5m: nobody answers — lee by",
        ),
        (
            "expect: [{at: 5m, told: max}]",
            "max was not told between 5m and 5m5s",
            "5m: step 1 is passed: nobody is on call (weekly)",
        ),
        ("expect: [{at: 25m, told: max}]", "max was not told between 25m and 25m5s", "20m: dana has it"),
        (
            "expect: [{at: 0s, within: 0s, told: ops}]",
            "ops was not told at 0s",
            "ops was told at 2s, 10m: first",
        ),
        ("expect: [{told: max}]", "max was not told at all", "20m: dana has it"),
        ("expect: [{until: 2s, told: ops}]", "ops was not told before 2s", "ops was told at 2s, 10m"),
        ("expect: [{told: [max, lee]}]", "max and lee were not told at all", "nobody answers"),
        ("expect: [{told: 'user:dana', kind: end}]", "not told of the end at all", "told by a ring alone"),
        (
            "expect: [{at: 0s, told: ops, text: Memory}]",
            "ops was not told between 0s and 5s",
            "2s: its text lacks 'Memory': 'Disk full on a'",
        ),
        ("expect_not: [{told: boss}]", "boss was told at 5m2s", "5m2s: step 2: nobody has acknowledged"),
        ("expect_not: [{told: ops, kind: end}]", "ops was told of the end at 30m", "30m: first"),
        ("expect_not: [{told: ops, text: Disk}]", "ops was told at 2s", "2s: first"),
        ("expect_silent: true", "somebody was told: ops was rung at 2s, and 3 more", "2s: first"),
        ("expect_silent: {after: 10m}", "somebody was told: ops was rung at 10m", "10m: again"),
        ("expect_route: r", "the alerts went to q, r, not r", ""),
        ("expect_route: []", "the alerts went to q, r, not no route", ""),
        ("expect_inhibited_by: first", "the alerts were inhibited by second, not first", ""),
        ("expect_inhibited_by: []", "the alerts were inhibited by second, not no rule", ""),
    ],
)
def test_what_it_does_not_show_is_said_with_its_reason(below, message, reason):
    (one,) = failed(below)
    assert one.message.endswith(message)
    assert (one.spot.line, one.spot.column > 1) == (5, True)
    assert any(reason in found for found in one.reasons) or not reason, one.reasons


def test_each_expectation_fails_for_itself():
    found = failed("expect: [{told: ops}, {told: lee}, {told: [ops, max]}]\n  expect_silent: true")
    assert [[name.name for name in one.missing] for one in found] == [["lee"], ["max"], []]


def test_where_no_incident_comes_of_it_that_is_the_reason():
    (one,) = failed("expect: [{told: ops}]", Story(MONDAY))
    assert one.reasons == ("no incident came of these alerts",)


def test_where_nothing_would_tell_them_the_routes_are_named():
    story = Story(MONDAY, MONDAY, incidents=STORY.incidents, reached=Reached(routes={"r"}))
    (one,) = failed("expect: [{told: ops}]", story)
    assert one.reasons == ("nothing in this story would tell them; the alerts went to r",)
