"""What is added up over incidents: means and percentiles, office hours where people live, and who counts."""

import math
from datetime import UTC, datetime
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.incident_records import Ack, Incident, Status
from routing.stats import Office, Page, Spread, Tally, Zones, spread

MINUTE = 60_000


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


MONDAY = at("2026-11-23T12:00")


def incident(number=1, ack="", answered=0, resolved=0, **more):
    """Triggered at `MONDAY`; `answered` and `resolved` minutes later."""
    return Incident(
        number=number,
        status=Status.RESOLVED if resolved else Status.TRIGGERED,
        route="r",
        receiver="policy:page",
        labels=more.pop("labels", {}),
        group_interval=1,
        repeat_interval=1,
        opened_at=MONDAY,
        opened_rev=0,
        triggered_at=MONDAY,
        answered_at=MONDAY + answered * MINUTE if answered else 0,
        resolved_at=MONDAY + resolved * MINUTE if resolved else 0,
        ack=Ack(ack, "Slack", MONDAY) if ack else None,
        **more,
    )


def tally(by, *cases, zones=None, order=()):
    found = Tally(by, Office(), zones or Zones())
    for one, *pages in cases:
        found.add(one, pages)
    return {row.name: row for row in found.rows(order)}, found.total()


@pytest.mark.parametrize(
    ("when", "zone", "outside"),
    [
        ("2026-11-23T08:59", "UTC", True),  # a Monday
        ("2026-11-23T09:00", "UTC", False),
        ("2026-11-27T17:59", "UTC", False),
        ("2026-11-27T18:00", "UTC", True),
        ("2026-11-28T12:00", "UTC", True),
        ("2026-11-29T12:00", "UTC", True),
        ("2026-11-23T08:30", "Europe/Berlin", False),
        ("2026-07-27T07:30", "Europe/Berlin", False),  # in summer
        ("2026-11-22T23:30", "Asia/Tokyo", True),  # 08:30 on Monday
        ("2026-11-23T00:30", "Asia/Tokyo", False),
        ("2026-11-27T23:30", "America/Los_Angeles", False),  # still Friday there
    ],
)
def test_office_hours_are_those_of_the_clock_where_people_live(when, zone, outside):
    assert Office().outside(at(when), zone) is outside


def test_nothing_is_no_mean():
    assert spread([]) == Spread(0, None, None, None)


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(durations):
    found = spread(durations)
    assert found.mean == math.floor(fmean(durations)) or abs(found.mean - fmean(durations)) <= 1
    for percent, value in ((50, found.p50), (90, found.p90)):
        below = [one for one in durations if one <= value]
        assert len(below) * 100 >= percent * len(durations)
        assert len([one for one in durations if one < value]) * 100 < percent * len(durations)


def test_of_a_team_are_its_incidents_their_times_and_its_pages():
    night = at("2026-11-23T21:00")
    rows, total = tally(
        "team",
        (incident(1, "dana", 4, 60, team="db"), Page(night), Page(MONDAY, "dana")),
        (incident(2, "kim", 6, team="db"), Page(night, "kim")),
        (incident(3, team="web"),),
        zones=Zones(people={"kim": "America/New_York"}),
    )
    assert (rows["db"].incidents, rows["db"].open, rows["db"].acknowledged) == (2, 1, 2)
    assert rows["db"].to_acknowledge == Spread(2, 5 * MINUTE, 4 * MINUTE, 6 * MINUTE)
    assert rows["db"].to_resolve == Spread(1, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE)
    assert (rows["db"].pages, rows["db"].pages_outside) == (3, 1)  # at 16:00 kim is at work
    assert (total.incidents, total.acknowledged, total.pages) == (3, 2, 3)


def test_for_a_person_count_those_they_were_told_of_and_the_times_of_those_they_acknowledged():
    rows, total = tally(
        "person",
        (incident(1, "dana", 4, 60), Page(MONDAY, "dana"), Page(MONDAY, "kim"), Page(MONDAY)),
        (incident(2, "Slack user U1", 8),),
        (incident(3), Page(MONDAY, "kim")),
    )
    assert {name: (row.incidents, row.acknowledged, row.pages) for name, row in rows.items()} == {
        "kim": (2, 0, 2), "dana": (1, 1, 1), "Slack user U1": (1, 1, 0),
    }  # fmt: skip
    assert rows["kim"].to_acknowledge.count == rows["kim"].to_resolve.count == 0
    assert (total.incidents, total.pages) == (3, 4)


def test_severities_come_in_their_order_and_others_by_number():
    cases = [(incident(number, severity=word),) for number, word in enumerate(["low", "low", "high", ""])]
    rows, _ = tally("severity", *cases, order=("critical", "high", "low"))
    assert list(rows) == ["high", "low", ""]
    rows, _ = tally("alert", (incident(1, labels={"alertname": "A"}),), (incident(2, labels={"job": "x"}),))
    assert list(rows) == ["", "A"]
