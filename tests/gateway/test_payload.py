"""What a body says, read: the recorded webhooks, times, and what one odd field does to one alert."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway
from gateway import payload
from gateway.payload import Harvest
from routing.alerts import alert_key

PAYLOADS = Path(gateway.__file__).parent / "standins" / "payloads"
RECORDED = sorted(PAYLOADS.glob("*.json"))
NOW = 1_795_424_000_000  # 2026-11-23T08:53:20Z
TIMEOUT = 300_000
KIB = 1024

ALERT = {
    "status": "firing",
    "labels": {"alertname": "Down", "severity": "critical"},
    "annotations": {"summary": "it is down"},
    "startsAt": "2026-11-23T08:50:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "0123456789abcdef",
}


def from_webhook(*alerts: object) -> Harvest:
    harvest = Harvest()
    payload.add_webhook_alerts(harvest, json.loads(json.dumps(alerts)), 0, NOW)
    return harvest


def from_prometheus(*alerts: object) -> Harvest:
    harvest = Harvest()
    payload.add_posted_alerts(harvest, json.loads(json.dumps(alerts)), 0, NOW, TIMEOUT)
    return harvest


def at(clock: str) -> int:
    return int(datetime.fromisoformat(f"2026-11-23T{clock}+00:00").timestamp()) * 1000


# --- recorded webhooks -----------------------------------------------------------------------------------


def test_all_23_recorded_webhooks_are_here_and_in_the_list_of_arrivals():
    listed = [json.loads(line)["file"] for line in (PAYLOADS / "arrivals.jsonl").read_text().splitlines()]
    assert len(RECORDED) == 23
    assert sorted(listed) == [path.name for path in RECORDED]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_webhook_gives_each_of_its_alerts_as_it_was_sent(path):
    body = path.read_bytes()
    envelope, alerts = payload.open_webhook(payload.read_json(body))
    harvest = Harvest()
    payload.add_webhook_alerts(harvest, alerts, 0, NOW)
    sent = json.loads(body)
    assert (harvest.invalid, harvest.cut, len(harvest.arrivals)) == (0, 0, len(sent["alerts"]))
    assert envelope.hidden == sent["truncatedAlerts"]
    for arrival, alert in zip(harvest.arrivals, sent["alerts"], strict=True):
        assert arrival.key == alert_key(alert["labels"])
        assert (arrival.labels, arrival.annotations) == (alert["labels"], alert["annotations"])
        assert (arrival.status, arrival.generator_url) == (alert["status"], alert["generatorURL"])
        assert (arrival.ends_at is None) == (alert["status"] == "firing")
        assert arrival.until is None


def test_the_envelope_shows_the_receivers_real_name_and_what_was_held_back():
    document = {
        "version": "4", "receiver": "web\\.hook", "status": "firing", "groupKey": "{}:{}", "alerts": [ALERT],
        "notification_reason": "new alerts added", "externalURL": "http://am", "truncatedAlerts": 3, "x": 1,
    }  # fmt: skip
    envelope, _ = payload.open_webhook(document)
    assert envelope == payload.Envelope("web.hook", "firing", "{}:{}", "new alerts added", "http://am", 3)


def test_an_odd_envelope_loses_no_alert():
    document = {"version": "4", "receiver": 7, "groupKey": None, "truncatedAlerts": "x", "alerts": [ALERT]}
    envelope, alerts = payload.open_webhook(document)
    assert envelope == payload.Envelope("", "", "", "", "", 0)
    assert len(from_webhook(*alerts).arrivals) == 1


# --- times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T08:53:20Z", NOW),
        ("2026-11-23T08:53:20.5Z", NOW + 500),
        ("2026-11-23T08:53:20.38221Z", NOW + 382),
        ("2026-11-23T08:53:20.739266876Z", NOW + 739),
        ("2026-11-23T10:53:20.000999999+02:00", NOW),
        ("2026-11-23T03:23:20-05:30", NOW),
        ("2026-11-23t08:53:20z", NOW),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+05:30", None),  # minus the offset this is no date at all
        ("0000-12-31T19:03:58-04:56", None),  # the same moment, as Go prints it in New York
    ],
)
def test_a_time_is_read_to_the_millisecond(text, expected):
    assert payload.read_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "1795424000", "2026-11-23", "2026-11-23T08:53Z", "2026-11-23T08:53:20",
        "2026-11-23 08:53:20Z", "20261123T085320Z", "2026-11-23T08:53:20+0200", "2026-11-23T08:53:20,5Z",
        "2026-11-23T08:53:20.Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:01Z",
        "2026-11-23T08:53:60Z", "2026-11-23T08:53:20+24:00", "1969-12-31T23:59:59Z", "0999-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z", "-2026-11-23T08:53:20Z", "9999-12-31T23:59:59-01:00",
        "\uff12026-11-23T08:53:20Z", "2026-11-23T08:53:20Z\n",
        "2026-11-23T08:53:20." + "1" * 99 + "Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_what_was_expected(text):
    with pytest.raises(ValueError, match=r"expected a time|no such time"):
        payload.read_time(text)


@given(
    st.timedeltas(min_value=timedelta(days=1), max_value=timedelta(days=2_932_000)),
    st.integers(-1439, 1439),
)
def test_every_moment_reads_the_same_in_every_zone(since, minutes):
    local = (datetime(1970, 1, 1, tzinfo=UTC) + since).astimezone(timezone(timedelta(minutes=minutes)))
    assert payload.read_time(local.isoformat()) == since // timedelta(milliseconds=1)


# --- what an alert of a webhook means --------------------------------------------------------------------

YEAR_1 = "0001-01-01T00:00:00Z"


ENDED = {"status": "resolved", "endsAt": "2026-11-23T08:52:00Z"}


@pytest.mark.parametrize(
    ("changes", "status", "starts_at", "ends_at"),
    [
        ({}, "firing", at("08:50:00"), None),
        ({"endsAt": None}, "firing", at("08:50:00"), None),
        ({"endsAt": "2026-11-23T09:00:00Z"}, "firing", at("08:50:00"), at("09:00:00")),
        (ENDED, "resolved", at("08:50:00"), at("08:52:00")),
        ({"status": "resolved"}, "resolved", at("08:50:00"), None),
        ({"startsAt": YEAR_1}, "firing", NOW, None),
        ({"startsAt": ""}, "firing", NOW, None),
        ({"startsAt": None, **ENDED}, "resolved", at("08:52:00"), at("08:52:00")),
    ],
)
def test_a_webhooks_alert_says_itself_whether_it_fires(changes, status, starts_at, ends_at):
    [arrival] = from_webhook({**ALERT, **changes}).arrivals
    assert (arrival.status, arrival.starts_at, arrival.ends_at, arrival.until) == (
        status,
        starts_at,
        ends_at,
        None,
    )


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("08:50:00", "09:00:00", ("firing", at("08:50:00"), None, at("09:00:00"))),
        ("08:50:00", "08:52:00", ("resolved", at("08:50:00"), at("08:52:00"), None)),
        ("08:50:00", "08:53:20", ("resolved", at("08:50:00"), NOW, None)),
        ("08:50:00", "08:50:00", ("resolved", at("08:50:00"), at("08:50:00"), None)),
        ("08:50:00", None, ("firing", at("08:50:00"), None, NOW + TIMEOUT)),
        (None, None, ("firing", NOW, None, NOW + TIMEOUT)),
        (None, "09:00:00", ("firing", at("09:00:00"), None, at("09:00:00"))),
        (None, "08:52:00", ("resolved", at("08:52:00"), at("08:52:00"), None)),
        ("08:55:00", None, ("firing", at("08:55:00"), None, NOW + TIMEOUT)),
    ],
)
def test_a_posted_alert_is_completed_as_alertmanager_does(starts, ends, expected):
    alert = {"labels": {"alertname": "Down"}}
    alert |= {"startsAt": f"2026-11-23T{starts}Z"} if starts else {}
    alert |= {"endsAt": f"2026-11-23T{ends}Z"} if ends else {}
    [arrival] = from_prometheus(alert).arrivals
    assert (arrival.status, arrival.starts_at, arrival.ends_at, arrival.until) == expected
    assert (arrival.annotations, arrival.generator_url) == ({}, "")


def test_a_posted_alert_that_would_start_after_its_timeout_is_invalid_as_in_alertmanager():
    harvest = from_prometheus({"labels": {"alertname": "Down"}, "startsAt": "2026-11-23T08:58:21Z"})
    assert [problem.field for problem in harvest.problems] == ["endsAt"]


@pytest.mark.parametrize("read", [from_webhook, from_prometheus])
def test_a_label_without_a_value_is_no_label(read):
    with_empty = {**ALERT, "labels": {**ALERT["labels"], "team": ""}}
    [arrival, plain] = read(with_empty, ALERT).arrivals
    assert arrival.labels == ALERT["labels"]
    assert arrival.key == plain.key


# --- what an alert can never be --------------------------------------------------------------------------

INVALID = [
    ("text", "", "this is a string"),
    (None, "", "missing or null"),
    ([], "", "this is a list"),
    ({**ALERT, "labels": None}, "labels", "missing or null"),
    ({**ALERT, "labels": ["a"]}, "labels", "this is a list"),
    ({**ALERT, "labels": {}}, "labels", "at least one label"),
    ({**ALERT, "labels": {"a": ""}}, "labels", "at least one label"),
    ({**ALERT, "labels": {"": "a"}}, "labels", "cannot be empty"),
    ({**ALERT, "labels": {"a": 1}}, "labels.a", "string"),
    ({**ALERT, "labels": {"a": ["b"]}}, "labels.a", "string"),
    ({**ALERT, "startsAt": 1795424000}, "startsAt", "this is a number"),
    ({**ALERT, "startsAt": "yesterday"}, "startsAt", "'yesterday'"),
    ({**ALERT, "endsAt": "1969-12-31T23:59:59Z"}, "endsAt", "1970 to 9999"),
    ({**ALERT, "endsAt": "2026-11-23T08:49:59Z"}, "endsAt", "before it starts"),
]


@pytest.mark.parametrize("read", [from_webhook, from_prometheus])
@pytest.mark.parametrize(("alert", "field", "message"), INVALID)
def test_an_invalid_alert_is_named_and_its_neighbours_stay(read, alert, field, message):
    harvest = read(ALERT, alert, ALERT)
    assert (len(harvest.arrivals), harvest.invalid) == (2, 1)
    [problem] = harvest.problems
    assert (problem.index, problem.field) == (1, field)
    assert message in problem.message


@pytest.mark.parametrize("status", ["unknown", "", "FIRING", None, 1, ["firing"]])
def test_a_webhooks_alert_has_one_of_two_statuses(status):
    harvest = from_webhook({**ALERT, "status": status})
    assert [problem.field for problem in harvest.problems] == ["status"]


def test_only_the_first_problems_are_told_and_all_are_counted():
    harvest = from_webhook(*[{"labels": {}}] * 100)
    assert (harvest.invalid, len(harvest.problems)) == (100, payload.SHOWN_PROBLEMS)


# --- what is only decoration -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotations", "kept"),
    [
        (None, {}),
        ({"a": 5, "b": None, "c": ["x"]}, {"a": "5", "b": "null", "c": '["x"]'}),
        ("text", {}),
        ({"a": "é" * 40 * KIB}, {"a": "é" * 32_766 + "…"}),
        ({"a": "x" * 64 * KIB}, {"a": "x" * 64 * KIB}),
        ({"a": "x" * 64 * KIB + "y"}, {"a": "x" * (64 * KIB - 3) + "…"}),
        ({"a": "1", "b" * 300 * KIB: "2", "c": "3"}, {"a": "1"}),
    ],
)
def test_annotations_are_cut_to_size_and_never_lose_an_alert(annotations, kept):
    harvest = from_webhook({**ALERT, "annotations": annotations})
    assert harvest.arrivals[0].annotations == kept
    assert harvest.cut == (annotations is not None and kept != annotations)


@given(st.dictionaries(st.text(max_size=9), st.integers(0, 90 * KIB), max_size=12))
def test_an_alerts_annotations_together_never_exceed_their_limit(sizes):
    annotations = {name: "ü" * (size // 2) for name, size in sizes.items()}
    [arrival] = from_webhook({**ALERT, "annotations": annotations}).arrivals
    size = sum(len(name.encode()) + len(text.encode()) for name, text in arrival.annotations.items())
    assert size <= payload.MAX_ANNOTATIONS_BYTES
    assert all(len(text.encode()) <= payload.MAX_ANNOTATION_BYTES for text in arrival.annotations.values())


def test_an_annotation_nested_too_deep_to_be_text_is_left_empty():
    nested = json.loads("[" * 400 + "]" * 400)
    harvest = Harvest()
    payload.add_webhook_alerts(harvest, [{**ALERT, "annotations": {"a": nested}}], 0, NOW)
    assert (harvest.arrivals[0].annotations, harvest.cut) == ({"a": ""}, 1)


@pytest.mark.parametrize("url", ["http://x/" + "é" * 16 * KIB, 5, ["http://x"]])
def test_a_link_that_cannot_be_kept_whole_is_left_out(url):
    harvest = from_webhook({**ALERT, "generatorURL": url})
    assert (harvest.arrivals[0].generator_url, harvest.cut) == ("", 1)


# --- the quick way and the careful one -------------------------------------------------------------------

_VALUES = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=2), max_size=2)
_LABELS = st.dictionaries(st.text(max_size=3), st.text(max_size=3) | _VALUES, max_size=4)
_TIMES = st.sampled_from([ALERT["startsAt"], YEAR_1, "2026-11-23T09:00:00Z", "", "x"]) | _VALUES
_ALERTS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["firing", "resolved"]) | _VALUES,
        "labels": _LABELS | _VALUES,
        "annotations": _LABELS | _VALUES,
        "startsAt": _TIMES,
        "endsAt": _TIMES,
        "generatorURL": _VALUES,
    },
)


@given(_ALERTS | _VALUES)
def test_the_quick_way_reads_an_alert_as_the_careful_one_does(alert):
    quick = payload._plain(alert)
    if quick is not None:
        assert quick == payload._careful(alert)


@given(st.lists(_ALERTS | _VALUES, max_size=6))
def test_every_alert_is_either_taken_or_named(alerts):
    for read in (from_webhook, from_prometheus):
        harvest = read(*alerts)
        assert len(harvest.arrivals) + harvest.invalid == len(alerts)
        assert len(harvest.problems) == harvest.invalid
