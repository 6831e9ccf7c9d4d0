"""A story as JSON: by the schema that is published, and with the words that are promised."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from gateway.simulation.report_json import document
from routing.incident_records import Clock, Status
from routing.policies import Policy, Step
from routing.story import Story

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs" / "simulation.schema.json").read_text())
CHECK = jsonschema.Draft202012Validator(SCHEMA)
MINUTE = 60_000


@pytest.mark.parametrize("name", ["night", "repeats", "silent", "hostile"])
@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("messages", [False, True])
def test_every_document_is_of_the_published_schema(name, explain, messages, request):
    made = json.loads(json.dumps(document(request.getfixturevalue(name), explain, messages)))
    CHECK.validate(made)
    described = {
        "notifications": "notification",
        "incidents": "incident",
        "lines": "line",
        "skipped": "skipped",
    }
    assert set(made) <= set(SCHEMA["properties"])
    for key, kind in described.items():
        for one in made.get(key, ()):
            assert set(one) <= set(SCHEMA["$defs"][kind]["properties"]), key


def test_a_notification_has_the_keys_that_are_promised_and_others_only_if_asked_for(night):
    promised = ["after_s", "time", "target", "by", "kind", "incident", "step", "why"]
    assert all(list(one) == promised for one in document(night)["notifications"])
    assert "text" in document(night, messages=True)["notifications"][0]
    assert document(night, explain=True)["notifications"][1]["where"] == "#backend"
    assert document(night)["notifications"][2] == {
        "after_s": 300.0,
        "time": "2026-12-24T02:05:00.000Z",
        "target": "dana",
        "by": "slack",
        "kind": "ring",
        "incident": 1,
        "step": 2,
        "why": "step 2: nobody has acknowledged for 5 min",
    }


def test_times_count_from_the_first_firing_where_that_is_not_the_beginning(night):
    made = document(night, start=night.began + 5 * MINUTE)
    assert [one["after_s"] for one in made["notifications"][:3]] == [-300.0, -300.0, 0.0]
    assert made["began"] == "2026-12-24T02:05:00.000Z"


def test_what_is_skipped_stands_in_it_only_if_asked_for(night):
    assert "skipped" not in document(night)
    (one,) = document(night, explain=True)["skipped"]
    assert (one["after_s"], one["step"]) == (300.0, 3)
    assert one["why"] == "step 3 is passed: it is outside of its time intervals"


def never(night, **change):
    steps = (
        Step(),
        Step(after=5 * MINUTE),
        Step(after=15 * MINUTE),
        Step(after=20 * MINUTE, unless="resolved"),
    )
    clock = Clock("page", t0=night.began, t_open=night.began, done=(0, 1))
    incident = replace(night.incidents[1], clocks=(clock,), **change)
    story = Story(night.began, night.ended, incidents={1: incident})
    plan = SimpleNamespace(policies={"page": Policy("page", steps)})
    return [
        (one["step"], one["after_s"], one["why"])
        for one in document(story, explain=True, plan=plan)["skipped"]
    ]


def test_steps_that_an_answer_or_the_end_came_before_are_skipped_too(night):
    assert never(night) == [
        (3, 900.0, "step 3 does not come: dana has it in hand"),
        (4, 1200.0, "step 4 does not come: it is over"),
    ]


def test_steps_that_the_end_of_the_simulation_came_before_say_so(night):
    assert never(night, ack=None, status=Status.TRIGGERED) == [
        (3, 900.0, "step 3 does not come: the simulation ends before"),
        (4, 1200.0, "step 4 does not come: the simulation ends before"),
    ]


def test_where_nobody_is_told_the_list_is_empty_and_the_lines_say_why(silent):
    made = document(silent)
    assert made["notifications"] == []
    assert [one["kind"] for one in made["lines"]] == ["triggered", "held", "suppressed", "closed"]
