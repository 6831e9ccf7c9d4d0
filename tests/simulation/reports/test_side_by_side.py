"""Two stories beside each other."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.simulation.side_by_side import pairs, side_by_side
from routing.story import Notification, Story

NAMES = ("a.yaml", "b.yaml")
BEGAN, MINUTE = 1_798_077_600_000, 60_000


def told(minute, target):
    at = BEGAN + minute * MINUTE
    return Notification(at, target, "user", "slack", "", "ring", 1, "r", "", "", "page", 1, "", 1, 0)


def compared(one, other):
    return [" ".join(line.split()) for line in side_by_side(one, other, NAMES)]


def also(story, place, **change):
    """The same story, but for one message."""
    told = list(story.notifications)
    told[place] = replace(told[place], **change)
    return replace(story, notifications=told)


def test_what_is_the_same_has_no_mark(night):
    lines = compared(night, night)
    assert lines[0] == "Times count from Thursday, 24 December 2026, 02:00:00 UTC."
    assert "+5:00 +5:00 ring dana by Slack" in lines
    assert lines[-2] == "Both tell the same: 5 messages at the same times."
    assert lines[-1] == "Updates, which make no sound, are left out: 1 by a.yaml, 1 by b.yaml."


def test_what_comes_at_another_time_stands_in_one_row(night):
    later = also(night, 2, at=night.notifications[2].at + 600_000)
    assert "~ +5:00 +15:00 ring dana by Slack (10 min later)" in compared(night, later)
    assert "~ +15:00 +5:00 ring dana by Slack (10 min earlier)" in compared(later, night)


def test_what_only_one_of_them_tells_is_marked_as_in_a_diff(night):
    lines = compared(night, also(night, 3, target="mia"))
    assert "- +5:00 - ring lee by mail" in lines
    assert "+ - +5:00 ring mia by mail" in lines
    assert lines[-2] == "Of 6 messages: 4 the same, 1 only by a.yaml (-), 1 only by b.yaml (+)."


def test_what_comes_at_the_same_time_is_paired_before_what_comes_sooner(night):
    sooner = replace(night.notifications[2], at=night.began)
    more = replace(night, notifications=[sooner, *night.notifications])
    assert [pair.sort for pair in pairs(more, night)].count("only in the first") == 1
    assert "- +0:00 - ring dana by Slack" in compared(more, night)


def test_whose_step_it_was_does_not_matter_but_another_text_is_said(night):
    assert compared(night, also(night, 2, step=3, policy="other"))[-2].startswith("Both tell the same")
    lines = compared(night, also(night, 0, text="other words"))
    assert "* +0:00 +0:00 ring pagerduty by PagerDuty (with another text)" in lines


def test_repeats_that_fare_alike_are_one_row(repeats):
    fewer = replace(repeats, notifications=repeats.notifications[:21])
    lines = compared(repeats, fewer)
    assert "+0:30 +0:30 ring #ops (ops) by Slack; repeated every 4h5m, 20 times more" in lines
    assert "- +3d 13:45:30 - ring #ops (ops) by Slack; repeated every 4h5m, 20 times more" in lines
    assert lines[-1] == "More would follow by b.yaml: the simulation ends at +7d 0:00:00."


def test_the_same_group_is_compared_with_itself_where_both_have_it(night):
    labels = {"alertname": "Other"}
    two = {1: night.incidents[1], 2: replace(night.incidents[1], number=2, labels=labels)}
    told = [replace(night.notifications[2], incident=2), replace(night.notifications[2], incident=1)]
    one = replace(night, incidents=two, notifications=told)
    other = replace(night, incidents=two, notifications=told[:1])
    assert [pair.sort for pair in pairs(one, other)] == ["same", "only in the first"]


def test_where_neither_tells_anybody_it_says_so(silent):
    assert compared(silent, silent) == ["Nobody is told, neither by a.yaml nor by b.yaml."]


def test_nothing_in_it_speaks_to_the_terminal(hostile, night):
    shown = "\n".join(side_by_side(hostile, night, ("\x1b[1m", "b")))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_each_message_stands_in_one_pair_and_what_is_at_the_same_time_is_paired(left, right):
    def story(minutes):
        return Story(BEGAN, notifications=[told(minute, "dana") for minute in sorted(minutes)])

    found = pairs(story(left), story(right))
    assert sorted(pair.one_at for pair in found if pair.one) == sorted(minute * MINUTE for minute in left)
    assert sorted(pair.other_at for pair in found if pair.other) == sorted(m * MINUTE for m in right)
    assert [pair.sort for pair in found].count("same") == (Counter(left) & Counter(right)).total()
