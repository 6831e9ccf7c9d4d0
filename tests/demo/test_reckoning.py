"""The demo judges itself: what was due by the recording, against what the stand-ins took."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from config.compile import compile_plan
from config.load import load
from gateway.demo.reckoning import Due, Tally, complaints, due
from gateway.demo.stage import CONFIGURATION
from gateway.demo.story import LEAST_GAP_S, Answer, Scene, scenes

if TYPE_CHECKING:
    from config.compile import Plan


@pytest.fixture(scope="module")
def plan() -> Plan:
    secrets = {"PAGERDUTY_KEY": "k" * 32, "SLACK_TOKEN": "xoxb-t", "SLACK_SIGNING_SECRET": "s" * 32}
    return compile_plan(load(CONFIGURATION, secrets))


def body(*alerts: tuple[str, str], team: str = "backend") -> Scene:
    """A webhook with alerts `(instance, status)` of one high alert."""
    labels = {"alertname": "Slow", "severity": "high", "team": team}
    found = [{"labels": {**labels, "instance": instance}, "status": status} for instance, status in alerts]
    return Scene(0.0, "alertmanager-a", b"", {"alerts": found})


def test_the_recording_keeps_its_order_and_fits_into_half_a_minute() -> None:
    story = scenes()
    gaps = [after.at - before.at for before, after in pairwise(story)]
    assert len(story) == 23
    assert min(gaps) >= LEAST_GAP_S - 1e-6
    assert story[-1].at < 25
    assert {scene.sender for scene in story} == {"alertmanager-a", "alertmanager-b"}


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ([body(("a", "firing"))], Tally(begun=1)),
        ([body(("a", "firing")), body(("a", "firing"))], Tally(begun=1)),
        ([body(("a", "firing")), body(("a", "firing"), ("b", "firing"))], Tally(begun=1, more=1)),
        ([body(("a", "firing"), ("b", "firing")), body(("a", "resolved"), ("b", "firing"))], Tally(begun=1)),
        ([body(("a", "firing")), body(("a", "resolved"))], Tally(begun=1, ended=1)),
        ([body(("a", "firing")), body(("a", "resolved")), body(("a", "firing"))], Tally(begun=2, ended=1)),
        ([body(("a", "resolved"))], Tally()),
        ([body(("a", "firing"), team="database")], Tally()),
    ],
)
def test_what_a_team_must_be_told_follows_from_the_recording(
    plan: Plan, story: list[Scene], expected: Tally
) -> None:
    places = due(story, plan).places
    assert places["#backend"] == expected
    assert places["backend@example.com"] == expected
    assert places["PagerDuty"] == Tally()


GOOD: dict[str, Any] = {
    "expected": Due(1, 1, {"PagerDuty": Tally(1, 1)}),
    "found": {"PagerDuty": Tally(1, 1)},
    "answers": [Answer(200, {})],
    "incidents": [{"status": "resolved"}],
    "dead": [],
}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({}, []),
        ({"found": {"PagerDuty": Tally(1, 1, quiet=3)}}, []),
        ({"answers": [Answer(503, {})]}, ["a webhook was answered 503"]),
        ({"incidents": [{"status": "triggered"}]}, ["the gateway: resolved incidents: 1 due, 0 came"]),
        (
            {"found": {}},
            ["PagerDuty: incidents begun: 1 due, 0 came", "PagerDuty: incidents ended: 1 due, 0 came"],
        ),
        ({"found": {"PagerDuty": Tally(2, 1)}}, ["PagerDuty: incidents begun: 1 due, 2 came"]),
        ({"found": {"PagerDuty": Tally(1, 1, 1)}}, ["PagerDuty: further news: 0 due, 1 came"]),
        (
            {"found": {"PagerDuty": Tally(1, 1), "#alerts": Tally(begun=1)}},
            ["#alerts: incidents begun: 0 due, 1 came"],
        ),
        ({"dead": [{"target": "slack:#x", "error": "no"}]}, ["slack:#x was given up: no"]),
    ],
)
def test_whatever_differs_is_said(seen: dict[str, Any], said: list[str]) -> None:
    assert complaints(**(GOOD | seen)) == said
