"""Alerts from files arrive when they should, and whatever stands in a file, no other error comes of it."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulation.alert_lines import alert_lines
from gateway.simulation.bodies import bodies
from gateway.simulation.given import Given, GivenError, one_alert
from gateway.simulation.rule_alerts import rule_alerts

NOW = 1_795_424_000_000  # 2026-11-23T08:53:20Z
MINUTE = 60_000
BODIES = Path(__file__).resolve().parents[2] / "gateway" / "standins" / "payloads"


@pytest.fixture
def file(tmp_path):
    """Writes one file after another; gives back their paths."""

    def write(content: object) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def webhook(*alerts: dict, **more: object) -> dict:
    return {"version": "4", "alerts": list(alerts)} | more


def firing(name: str, start: str = "2026-11-23T08:00:00Z", **more: object) -> dict:
    return {"status": "firing", "labels": {"alertname": name}, "startsAt": start} | more


def resolved(name: str, start: str, end: str) -> dict:
    return firing(name, start) | {"status": "resolved", "endsAt": end}


def said(found: Given) -> list[tuple[int, list[tuple[str, str]]]]:
    """Minutes after the beginning, and what arrived then: names and statuses."""
    return [
        ((one.at - found.began) // MINUTE, [(copy.labels["alertname"], copy.status) for copy in one.arrivals])
        for one in found.arrived
    ]


# --- webhook bodies ---------------------------------------------------------------------------------------


def test_a_body_arrives_at_its_newest_time_or_when_it_is_said(file):
    body = file(webhook(firing("A"), firing("B", "2026-11-23T08:10:00Z")))
    assert bodies([body], None, NOW, None).began == 1_795_421_400_000  # 08:10
    found = bodies([body], NOW, NOW, None)
    assert found.began == NOW
    assert [NOW - one.starts_at for one in found.arrived[0].arrivals] == [10 * MINUTE, 0]


def test_bodies_keep_their_distance_wherever_they_are_moved(file):
    first = file(webhook(firing("A")))
    second = file(webhook(resolved("A", "2026-11-23T08:00:00Z", "2026-11-23T08:20:00Z")))
    for at in (None, NOW):
        found = bodies([first, second], at, NOW, None)
        assert said(found) == [(0, [("A", "firing")]), (20, [("A", "resolved")])]
        assert found.arrived[1].arrivals[0].ends_at == found.began + 20 * MINUTE


def test_what_still_fires_after_all_bodies_ends_when_it_is_said(file):
    first = file(webhook(firing("A"), firing("B")))
    second = file(webhook(resolved("A", "2026-11-23T08:00:00Z", "2026-11-23T08:20:00Z")))
    found = bodies([first, second], None, NOW, 30 * MINUTE)
    assert said(found)[-1] == (30, [("B", "resolved")])


def test_a_body_without_any_time_arrives_now(file):
    assert bodies([file(webhook(firing("A", "")))], None, NOW, None).began == NOW


def test_what_prometheus_posts_by_itself_is_taken_as_firing(file):
    posted = [
        {"labels": {"alertname": "A"}, "startsAt": "2026-11-23T08:00:00Z", "endsAt": "2026-11-23T08:04:00Z"}
    ]
    found = bodies([file(posted)], None, NOW, None)
    assert said(found) == [(0, [("A", "firing")])]
    assert "all of them are taken as firing" in found.notes[0]


def test_what_is_left_out_is_said(file):
    found = bodies([file(webhook(firing("A"), {"labels": 3}, truncatedAlerts=4))], None, NOW, None)
    assert any("left 4 alerts out" in note for note in found.notes)
    assert any("alerts[1].labels: left out" in note for note in found.notes)


def test_that_nothing_fires_is_said(file):
    found = bodies(
        [file(webhook(resolved("A", "2026-11-23T08:00:00Z", "2026-11-23T08:20:00Z")))], None, NOW, None
    )
    assert "no alert fires in" in found.notes[0]


@pytest.mark.parametrize("length", range(0, 1200, 37))
def test_a_body_that_was_cut_off_anywhere_is_refused(file, length):
    with pytest.raises(GivenError, match=r"is empty|cut off|not JSON"):
        bodies([file((BODIES / "001-gw.json").read_bytes()[:length])], None, NOW, None)


@pytest.mark.parametrize("start", ["1970-01-01T00:01:00Z", "9999-12-31T00:00:00Z"])
def test_a_body_of_another_age_is_refused(file, start):
    with pytest.raises(GivenError, match="too far away"):
        bodies([file(webhook(firing("A", start)))], None, NOW, None)
    assert bodies([file(webhook(firing("A", start)))], NOW, NOW, None).began == NOW


# --- lines ------------------------------------------------------------------------------------------------


def lines(*documents: dict) -> str:
    return "\n".join(map(json.dumps, documents))


def test_alerts_of_one_moment_arrive_together_and_all_in_order(file):
    text = lines(
        {"at": "5m", "labels": {"alertname": "C"}},
        {"labels": {"alertname": "A"}, "fires": "5m"},
        {"labels": {"alertname": "B"}},
    )
    found = alert_lines(file(text), NOW, NOW, None)
    assert said(found) == [
        (0, [("A", "firing"), ("B", "firing")]),
        (5, [("A", "resolved")]),
        (5, [("C", "firing")]),
    ]


def test_moments_begin_with_the_first_of_them(file):
    text = lines(
        {"at": "2026-12-24T03:10:00+01:00", "labels": {"alertname": "B"}},
        {"at": "2026-12-24T03:00", "labels": {"alertname": "A"}},
    )
    found = alert_lines(file(text), None, NOW, None, "Europe/Berlin")
    assert said(found) == [(0, [("A", "firing")]), (10, [("B", "firing")])]


# --- rules ------------------------------------------------------------------------------------------------

RULES = """
groups:
  - name: g
    rules:
      - alert: DiskFull
        expr: 'max by (instance, env) (disk{env="prod", instance!=""}) > 1'
        for: 10m
        labels: {severity: high, team: "{{ $labels.owner }}"}
        annotations: {summary: "{{ $labels.instance }} is full: {{ $value }}"}
      - {record: x, expr: y}
"""


def test_labels_come_from_the_rule_and_from_who_asks(file):
    found = rule_alerts([Path(file(RULES))], NOW, None, {"instance": "db-1", "team": "db"})
    (alert,) = found.arrived[0].arrivals
    assert found.began == NOW + 10 * MINUTE
    assert alert.labels == {
        "alertname": "DiskFull", "env": "prod", "severity": "high", "instance": "db-1", "team": "db",
    }  # fmt: skip
    assert alert.annotations == {"summary": "db-1 is full: {{ $value }}"}
    assert found.notes == ()


def test_what_rules_do_not_tell_is_said(file):
    (note,) = rule_alerts([Path(file(RULES))], NOW, None, {}).notes
    assert note.startswith("the value of instance is not known from the rules, so DiskFull go")


def test_a_rule_of_another_name_is_suggested(file):
    with pytest.raises(GivenError, match=r"makes an alert 'DiskFul'; did you mean 'DiskFull'"):
        rule_alerts([Path(file(RULES))], NOW, None, {"alertname": "DiskFul"})


# --- whatever comes ---------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["at", "labels", "fires", "annotations", "alerts", "version", "startsAt", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda document: json.dumps(document).encode()))
def test_whatever_stands_in_a_file_it_is_alerts_or_an_error_of_ours(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "whatever"
    path.write_bytes(content)
    for read in (
        lambda: bodies([str(path)], None, NOW, None),
        lambda: alert_lines(str(path), None, NOW, None),
    ):
        with suppress(GivenError):
            assert read().arrived


def test_no_alert_can_have_these_labels():
    with pytest.raises(GivenError, match="at least one label with a value"):
        one_alert({"team": ""}, NOW, None)
