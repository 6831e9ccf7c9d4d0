"""What docs/on-call.md shows loads, names every key there is, and states the limits as they are."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from config.compile import compile_plan
from config.load import load_text
from config.schedules import LayerConfig
from config.section import keys_of
from gateway import calendars, feeds, ical, named_calendars, recurrence
from routing.oncall import on_call
from routing.wall_clock import start_at

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "on-call.md").read_text()
(SNIPPET,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
REST = """
global: {smtp_smarthost: 'h:25', smtp_from: t@x}
route: {receiver: a}
receivers: [{name: a}]
"""


@pytest.fixture
def schedule():
    return compile_plan(load_text(SNIPPET + REST, "docs", {"ONCALL_ICAL": "https://a.b/c"})).schedules[
        "backend-weekly"
    ]


@pytest.mark.parametrize(
    ("when", "people"),
    [
        ("2026-11-02T08:59", ()),
        ("2026-11-02T09:00", ("dana",)),
        ("2026-11-09T09:00", ("ade",)),
        ("2026-11-16T09:00", ("dana", "kim")),
        ("2026-11-17T23:00", ("kim",)),
        ("2026-12-24T19:00", ("ade",)),
    ],
)
def test_the_schedule_is_who_it_says(schedule, when, people):
    assert on_call(schedule, start_at(datetime.fromisoformat(when), "Europe/Berlin")) == people


def test_every_key_of_a_layer_is_in_the_table():
    table = PAGE.partition("## A layer")[2].partition("\n\nAll times")[0]
    named = set(
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )
    assert named | {"name"} == set(keys_of(LayerConfig))


def test_the_limits_are_as_they_are_said():
    days = [part // named_calendars.DAY for part in (named_calendars.PAST, named_calendars.AHEAD)]
    days += [part // named_calendars.DAY for part in (feeds.PAST, feeds.AHEAD)]
    assert [part // 1_000 for part in (calendars.EVERY, calendars.FILE_EVERY)] == [5 * 60, 30]
    assert [calendars.TIMEOUT_S, ical.MAX_BYTES, recurrence.MOST_EVENTS] == [20, 2**20, 5_000]
    assert days == [100, 400, 31, 190]
