"""When a heartbeat is missing and when that is over: a table each, and what holds of any story."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.heartbeats import (
    Heartbeat,
    Heartbeats,
    Missing,
    Pulse,
    due_at,
    from_record,
    missing,
    over_since,
    state,
    to_record,
)
from routing.matchers import parse_matchers

BEAT = Heartbeat("a", 600, labels={"alertname": "HeartbeatMissing", "heartbeat": "a"})
MISSED = Missing(700, BEAT.labels, {})


@pytest.mark.parametrize(
    ("pulse", "listening_since", "due"),
    [
        (Pulse(100), 0, 700),  # never heard: from when it was known
        (Pulse(100, 150), 0, 750),
        (Pulse(100, 150), 400, 750),
        (Pulse(100, 150), 500, 800),  # nobody listened before
        (Pulse(100), 5_000, 5_300),
    ],
)
def test_a_beat_is_due_after_its_timeout_and_not_before_we_have_listened(pulse, listening_since, due):
    assert due_at(BEAT, pulse, listening_since, 300) == due
    assert missing(BEAT, pulse, due - 1, listening_since, 300) is None
    assert missing(BEAT, pulse, due, listening_since, 300) == Missing(pulse.since + 600, BEAT.labels, {})


@pytest.mark.parametrize(
    ("heartbeat", "pulse", "over"),
    [
        (BEAT, Pulse(100, missing=None), None),
        (BEAT, Pulse(100, missing=MISSED), None),
        (BEAT, Pulse(100, 900, MISSED), 900),  # although it is late again by now
        (None, Pulse(100, missing=MISSED), 2_000),
        (Heartbeat("a", 1_901), Pulse(100, missing=MISSED), 2_000),
        (Heartbeat("a", 1_900), Pulse(100, missing=MISSED), None),
    ],
)
def test_what_is_missing_is_over_with_the_next_beat_or_when_nobody_misses_it(heartbeat, pulse, over):
    assert over_since(heartbeat, pulse, 2_000) == over


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 900)), max_size=40))
def test_of_each_pause_longer_than_the_timeout_is_told_once_and_of_no_other(steps):
    now, pulse, told, longest = 0, Pulse(0), 0, []
    for beats, passes in steps:
        now += passes
        if missed := missing(BEAT, pulse, now, 0, 0):
            assert missed.since == pulse.since + BEAT.timeout <= now
            pulse, told = Pulse(pulse.known, pulse.last, missed), told + 1
        if beats:
            longest.append(now - pulse.since)
            pulse = Pulse(pulse.known, now, pulse.missing)
        if (ended := over_since(BEAT, pulse, now)) is not None:
            assert ended == now >= pulse.missing.since
            pulse = Pulse(pulse.known, pulse.last)
        assert (pulse.missing is not None) == (now - pulse.since >= BEAT.timeout)
    longest.append(now - pulse.since)
    assert told == sum(pause >= BEAT.timeout for pause in longest)


def test_an_alert_beats_for_each_heartbeat_that_it_meets_and_an_alarm_for_none():
    every = Heartbeats(
        [
            Heartbeat("all", 1, parse_matchers('severity=~".*"')),
            Heartbeat("eu", 1, parse_matchers('alertname="Watchdog",cluster="eu"')),
            Heartbeat("http", 1),
        ]
    )
    assert every.beaten_by({"alertname": "Watchdog", "cluster": "eu"}) == ("all", "eu")
    assert every.beaten_by({"alertname": "Down"}) == ("all",)
    assert every.beaten_by({"alertname": "HeartbeatMissing", "heartbeat": "eu"}) == ()


def test_its_alert_is_one_with_the_end_of_it_and_survives_being_kept():
    missed = from_record(to_record(Missing(700, {"alertname": "HeartbeatMissing"}, {"summary": "s"})))
    fires, ends = missed.fires(), missed.ends(650)
    assert (fires.key, fires.starts_at, fires.status) == (ends.key, 700, "firing")
    assert (ends.ends_at, ends.status) == (700, "resolved")  # never before it began
    assert fires.annotations == {"summary": "s"}


def test_what_is_shown_of_it():
    assert state(None) == state(Pulse(1)) == "waiting"
    assert state(Pulse(1, 2)) == "alive"
    assert state(Pulse(1, 2, MISSED)) == "missing"
