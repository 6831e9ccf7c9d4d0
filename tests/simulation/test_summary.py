"""What weeks come down to: pages, nights and who is woken, counted by the clock where people live."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from config.compile import compile_plan
from config.load import load_text
from gateway.simulation import summary, summary_text
from gateway.simulation.summary_html import html
from routing.alerts import Arrival, alert_key
from routing.stats import Zones
from routing.story import Arrived, Notification

CONFIG = """
route:
  receiver: hook
  group_by: [alertname]
  routes: [{matchers: [severity="critical"], policy: page}]
receivers:
  - {name: hook, webhook_configs: [{url: "http://127.0.0.1:1/hook"}]}
users:
  - {name: dana, webhook: "http://127.0.0.1:1/dana", time_zone: Europe/Berlin}
  - {name: lee, webhook: "http://127.0.0.1:1/lee"}
escalation_policies:
  - {name: page, steps: [{notify: [{user: dana}]}, {after: 5m, notify: [{user: lee}]}]}
"""
ZONES = Zones(people={"dana": "Europe/Berlin"}, teams={"db": "America/New_York"})
MINUTE = 60_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NIGHT = at("2026-11-23T21:30")  # a Monday; in Berlin half past ten at night
PAGE = Notification(
    at=NIGHT, target="dana", target_kind="user", by="slack", where="dana", kind="ring", incident=1,
    route="{}", team="db", severity="critical", policy="page", step=1, why="", firing=1, ended=0,
)  # fmt: skip


def added(*notifications: Notification) -> summary.Summary:
    tally = summary.Tally(ZONES)
    for one in notifications:
        tally.add(one)
    return tally.summary


def later(minutes: int, **changes: object) -> Notification:
    return replace(PAGE, at=NIGHT + minutes * MINUTE, **changes)


def test_several_ways_to_one_person_at_once_are_one_page():
    found = added(PAGE, replace(PAGE, at=NIGHT + 20_000, by="email"), later(10), later(10, incident=2))
    assert (found.rings, found.pages, found.people["dana"].pages, found.incidents) == (4, 3, 3, 2)


def test_who_has_been_paged_within_the_hour_is_not_woken_once_more():
    dana = added(PAGE, later(59), later(118), later(179)).people["dana"]
    assert (dana.pages, dana.at_night, dana.woken) == (4, 4, 2)


def test_a_page_before_the_night_wakes_nobody():
    found = added(later(-60 * 8), later(-60), replace(PAGE, target="lee"))
    assert (found.people["dana"].at_night, found.people["dana"].woken) == (0, 0)
    assert found.people["lee"].at_night == 0  # there it is half past nine
    assert (found.pages, found.at_night, found.woken) == (3, 0, 0)


def test_days_and_hours_are_those_of_whoever_is_paged():
    pagerduty = replace(PAGE, target="pd", target_kind="receiver", by="pagerduty")
    found = added(later(120), replace(pagerduty, at=NIGHT + 240 * MINUTE))
    assert found.hours[1][0] == 1  # Tuesday, half past midnight in Berlin
    assert found.hours[0][20] == 1  # Monday, half past eight in New York, where the team is
    assert summary_text.days(found) == {"2026-11-23": [1], "2026-11-24": [1]}


def test_what_nobody_hears_and_what_is_posted_in_a_channel_are_no_pages():
    channel = replace(PAGE, target="db", target_kind="team", where="#db")
    found = added(replace(PAGE, kind="update"), replace(PAGE, kind="end"), channel)
    assert (found.rings, found.pages, found.people) == (1, 0, {})


def test_rings_count_for_receivers_and_pages_for_teams():
    receiver = replace(PAGE, target="ops", target_kind="receiver")
    found = added(PAGE, receiver, receiver, replace(receiver, by="pagerduty", target="pd", team=""))
    assert found.receivers == {"ops": 2, "pd": 1}
    assert found.teams == {"db": 1, "": 1}


def arrived(when: int, name: str, *, firing: bool = True, stays: bool = False) -> Arrived:
    labels = {"alertname": name, "severity": "critical"}
    ends = None if firing else when
    one = Arrival(alert_key(labels), labels, {}, "firing" if firing else "resolved", when, ends, None, "")
    return Arrived(when, (one,), stays=stays)


@pytest.fixture(scope="module")
def plan():
    return compile_plan(load_text(CONFIG, "tocsin.yaml", {}))


def test_a_replay_is_summed_up_to_its_last_alert(plan):
    found = summary.of(
        plan, iter([arrived(NIGHT, "Down"), arrived(NIGHT + 3 * MINUTE, "Down", firing=False)])
    )
    assert (found.began, found.ended, found.alerts) == (NIGHT, NIGHT + 3 * MINUTE, 2)
    assert {name: one.pages for name, one in found.people.items()} == {
        "dana": 1
    }  # it ended before lee's step
    assert found.people["dana"].woken == 1


def test_alerts_that_fire_for_ever_come_to_an_end_with_the_recording(plan):
    story = [arrived(NIGHT, "Down", stays=True), arrived(NIGHT + 600 * MINUTE, "Slow", stays=True)]
    found = summary.of(plan, story)
    assert (found.ended, found.people["lee"].pages) == (NIGHT + 600 * MINUTE, 1)


def test_nothing_is_a_summary_too(plan):
    assert list(summary_text.text(summary.of(plan, []))) == ["No alerts arrived."]


def test_an_error_of_the_recording_is_not_swallowed(plan):
    def broken():
        yield arrived(NIGHT, "Down")
        raise ValueError("week.jsonl:2: no JSON")

    with pytest.raises(ValueError, match=r"week\.jsonl:2"):
        summary.of(plan, broken())


@pytest.fixture
def week() -> summary.Summary:
    found = added(
        PAGE, *(later(day * 1440, incident=day + 1) for day in range(1, 7)), later(9_000, target="lee")
    )
    found.began, found.ended, found.alerts = NIGHT, NIGHT + 7 * 1440 * MINUTE, 12
    return found


@pytest.fixture
def better() -> summary.Summary:
    found = added(PAGE, later(1440))
    found.began, found.ended, found.alerts = NIGHT, NIGHT + 7 * 1440 * MINUTE, 12
    return found


def test_the_text_says_what_counts_first(week):
    lines = list(summary_text.text(week))
    assert lines[0] == ("8 pages in 7 days, 8 of them at night: people would have been woken eight times.")
    assert lines[1] == (
        "12 alerts arrived from 2026-11-23 21:30 UTC to 2026-11-30 21:30 UTC; 7 incidents, 8 rings."
    )
    assert lines[3:6] == [
        "PERSON  PAGES  AT NIGHT  WOKEN",
        "dana        7         7      7",
        "lee         1         1      1",
    ]
    assert "22       7  " + "#" * 30 in lines


def test_where_nobody_is_woken_it_says_so(week):
    week.people.clear()
    assert next(summary_text.text(week)).endswith(": nobody would have been woken.")


def test_two_are_compared_in_a_sentence(week, better):
    assert summary_text.sentence(week, better, ("old.yaml", "new.yaml")) == (
        "With new.yaml there would have been 2 pages instead of 8 in 7 days; dana would have been woken "
        "twice instead of seven times, lee never instead of once."
    )
    lines = list(summary_text.compared(week, better, ("old.yaml", "new.yaml")))
    assert "pages             8         2" in lines
    assert "dana    7, woken 7  2, woken 2" in lines
    same = summary_text.sentence(week, week)
    assert same == "With the new there would have been 8 pages instead of 8 in 7 days."


def test_json_has_all_of_it(week, better):
    document = json.loads(json.dumps(summary_text.both(week, better)))
    before = document["before"]
    assert (before["summary"], before["pages"], before["woken"]) == (1, 8, 8)
    assert before["people"][0] == {"name": "dana", "pages": 7, "pages_at_night": 7, "woken": 7}
    assert before["pages_by_weekday_and_hour"][0][22] == 1
    assert sum(day["pages"] for day in before["pages_by_day"]) == 8
    assert document["sentence"].startswith("With the new there")


class Tags(HTMLParser):
    """Counts elements and their attributes, and complains of none that is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.loaded: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href")]


def test_the_page_loads_nothing_and_escapes_what_comes_from_outside(week, better):
    week.people["<script>alert(1)</script>"] = summary.Person(pages=3)
    for page in (html(week, "Last <week>"), html(week, "Last <week>", better, ("old<", "new&"))):
        tags = Tags(page)
        assert tags.loaded == []
        assert "script" not in tags.seen
        assert tags.seen.count("figure") >= 5
        assert "Last &lt;week&gt;" in page
    assert "Hollow: old&lt;; solid: new&amp;." in page


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "1 minute"), (45, "45 minutes"), (100, "2 hours"), (24 * 60, "24 hours"), (7 * 1440, "7 days")],
)
def test_how_long_it_is_can_be_read(minutes, said):
    assert summary_text.length(summary.Summary(began=NIGHT, ended=NIGHT + minutes * MINUTE)) == said
