"""Alertmanager's timelines (group_wait 30 s, group_interval 5 min, repeat 4 h) come out of a simulation."""

from __future__ import annotations

from telling import HOUR, MINUTE, SECOND, ends, fires, posted, story

HOOK = """
route: {receiver: hook, group_by: [cluster]}
receivers: [{name: hook, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
"""


def test_a_growing_and_shrinking_group_is_told_at_the_ticks():
    happenings = [
        fires(0, "A"),
        fires(60 * SECOND, "B"),
        ends(6 * MINUTE, "A"),
        fires(12 * MINUTE, "C"),
        ends(13 * MINUTE, "C", since=12 * MINUTE),
    ]
    assert posted(story(HOOK, happenings, 16 * MINUTE, texts=True)) == [
        (30.0, "ring", "A", ""),
        (330.0, "ring", "AB", ""),
        (630.0, "update", "B", "A"),
        (930.0, "update", "B", "C"),
    ]


def test_a_repeat_comes_at_the_first_tick_after_the_interval():
    rows = posted(story(HOOK, [fires(0)], 9 * HOUR, texts=True))
    assert [at for at, *_ in rows] == [30.0, 30.0 + 4 * 3600 + 300, 30.0 + 8 * 3600 + 600]


def test_the_end_is_told_and_a_new_episode_waits_again():
    happenings = [fires(0), ends(MINUTE), fires(6 * MINUTE), ends(20 * MINUTE, since=6 * MINUTE)]
    found = story(HOOK, happenings, texts=True)
    assert posted(found) == [
        (30.0, "ring", "A", ""),
        (330.0, "end", "", "A"),
        (390.0, "ring", "A", ""),
        (1290.0, "end", "", "A"),
    ]
    assert [one.incident for one in found.notifications] == [1, 1, 2, 2]
    assert not found.cut


def test_what_ends_before_its_time_is_told_to_nobody():
    found = story(HOOK, [fires(0), ends(10 * SECOND)])
    assert found.notifications == []
    assert [line.text for line in found.lines] == ["ended before its time: nobody was told"]


def test_a_later_resolve_is_told_at_the_next_tick_and_the_group_begins_anew():
    happenings = [fires(0, "B"), ends(4 * HOUR + 6 * MINUTE, "B"), fires(5 * HOUR, "B")]
    rows = posted(story(HOOK, happenings, 5 * HOUR + MINUTE, texts=True))
    assert rows == [
        (30.0, "ring", "B", ""),
        (14_730.0, "ring", "B", ""),
        (15_030.0, "end", "", "B"),
        (18_030.0, "ring", "B", ""),
    ]


def test_an_alert_without_an_end_is_told_for_seven_days_at_most():
    found = story(HOOK, [fires(0)])
    assert found.cut
    assert (found.ended - found.began) == 7 * 24 * HOUR
