"""A configuration can be simulated where its secrets are not at hand, and what cannot count is said."""

from pathlib import Path

import pytest

from config.problems import ConfigError
from gateway.simulation.planned import planned

EXAMPLES = Path(__file__).resolve().parents[2] / "config" / "examples"
AT = 1_795_424_000_000
CONFIG = """
route: {receiver: ops}
receivers:
  - name: ops
    slack_configs: [{channel: "%s", api_url: "${HOOK}"}]
"""
WITH_CALENDAR = """
users: [{name: dana, email: dana@example.com}]
schedules: [{name: nights, layers: [{%s}]}]
"""


@pytest.fixture
def plan_of(tmp_path):
    def plan_of(text: str, **env: str):
        file = tmp_path / "tocsin.yaml"
        file.write_text(text)
        return planned(file, AT, AT + 86_400_000, env)

    return plan_of


@pytest.mark.parametrize("file", [*EXAMPLES.glob("*.yaml"), EXAMPLES / "reference" / "tocsin.yaml"], ids=str)
def test_every_example_has_a_plan_without_any_secret(file):
    assert planned(file, AT, AT, {}).notes == ()


def test_a_variable_that_people_would_see_is_named(plan_of):
    (note,) = plan_of(CONFIG % "#${CHANNEL}").notes
    assert "CHANNEL is not set; its name stands for the value" in note
    assert plan_of(CONFIG % "#${CHANNEL}", CHANNEL="ops", HOOK="https://hooks.example.com").notes == ()


def test_all_that_is_wrong_with_a_configuration_is_said(plan_of):
    with pytest.raises(ConfigError) as error:
        plan_of("route: {reciever: x}\nreceivers: []\n")
    assert "did you mean 'receiver'" in str(error.value)


def test_a_calendar_in_a_file_counts(plan_of, tmp_path):
    event = "BEGIN:VEVENT\nUID:1\nDTSTART:20261101T000000Z\nDTEND:20261201T000000Z\nSUMMARY:{}\nEND:VEVENT\n"
    events = event.format("dana") + event.format("somebody else").replace("UID:1", "UID:2")
    (tmp_path / "x.ics").write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n")
    found = plan_of(CONFIG % "#ops" + WITH_CALENDAR % "ical_file: x.ics")
    assert [span.people for span in found.plan.schedules["nights"].layers[0].spans] == [("dana",)]
    assert "nobody among the users is somebody else" in found.notes[0]


def test_a_calendar_behind_an_address_is_left_out_and_said(plan_of):
    found = plan_of(CONFIG % "#ops" + WITH_CALENDAR % "ical: https://cal.example.com/secret")
    assert "left out" in found.notes[0]
    assert "secret" not in found.notes[0]
