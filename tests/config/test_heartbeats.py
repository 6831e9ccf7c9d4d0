"""Heartbeats and beats as they are written: what becomes of them, and what is said of mistakes."""

import pytest

from config.compile import compile_plan
from config.load import ConfigError, load_text

GOOD = "route: {receiver: a}\nreceivers: [{name: a}]\n"
WATCHDOG = 'matchers: [alertname="Watchdog"], timeout: 10m'


def load(text):
    return load_text(GOOD + text, "f.yaml", {"TOKEN": "hunter2-hunter2"})


def test_the_alert_of_a_missing_one_carries_what_routes_need():
    text = (
        "severities: {label: prio, names: [P1, P2]}\nteams: [{name: db, email: a@example.com}]\n"
        f"heartbeats: [{{name: eu, {WATCHDOG}, severity: P1, team: db, labels: {{cluster: eu}},"
        " annotations: {runbook_url: 'https://example.com/r'}}]\n"
    )
    (found,) = compile_plan(load(text)).heartbeats
    assert found.labels == {
        "alertname": "HeartbeatMissing", "heartbeat": "eu", "prio": "P1", "team": "db", "cluster": "eu",
    }  # fmt: skip
    assert set(found.annotations) == {"summary", "description", "runbook_url"}
    assert found.timeout == 600_000


def test_what_is_not_said_has_a_default():
    beats = load("beats: [{url: 'https://example.com/ping/1'}]\n").beats
    assert (beats[0].every, beats[0].timeout) == (60_000, 10_000)


def told(text):
    with pytest.raises(ConfigError) as caught:
        load(text)
    return "\n".join(str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            "name: a, timeout: 1m",
            "3:14: heartbeats[0]: no beat can come, so that it would be missing for ever",
        ),
        (f"name: a b, {WATCHDOG}", "3:21: heartbeats[0].name: 'a b' can be no part of an address"),
        (f"name: a, {WATCHDOG}}}, {{name: a, {WATCHDOG}", "the heartbeat 'a' stands here twice"),
        ("name: a, token: x", "heartbeats[0].timeout: this key is missing"),
        ("name: a, token: x, timeout: 0s", "heartbeats[0].timeout: cannot be zero"),
        ("name: a, token: x, token_file: y, timeout: 1m", "token_file: stands beside token"),
        (f"name: a, {WATCHDOG}, allow_get: true", "allow_get means nothing without a token"),
        (f"name: a, {WATCHDOG}, token_in_path: yes", "token_in_path means nothing without a token"),
        (f"name: a, {WATCHDOG}, severity: hihg", "there is no severity 'hihg'; expected one of critical,"),
        (f"name: a, {WATCHDOG}, severity: hihg", "did you mean 'high'?"),
        (f"name: a, {WATCHDOG}, team: db", "heartbeats[0].team: there is no team 'db'"),
        (f"name: a, {WATCHDOG}, labels: {{team: b}}", "the label team has a key of its own"),
        (f"name: a, {WATCHDOG}, labels: {{alertname: b}}", "the label alertname is set by Tocsin"),
        ("name: a, matchers: [a], timeout: 1m", "heartbeats[0].matchers[0]: "),
    ],
)
def test_each_mistake_in_a_heartbeat_is_told_with_its_place(keys, expected):
    assert expected in told(f"heartbeats: [{{{keys}}}]")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("every: 1m", "3:9: beats[0]: no address; expected url or url_file"),
        ("url: 'ftp://x'", "beats[0].url: the address begins with none of http://, https://"),
        ("url: 'http://x', every: 10ms", "beats[0].every: this is too often; expected at least 1s"),
        ("url: 'http://x', timeout: 1h", "beats[0].timeout: '1h' is longer than one attempt may take"),
        ("url: 'http://x', url_file: y", "beats[0].url_file: stands beside url"),
    ],
)
def test_each_mistake_in_a_beat_is_told_with_its_place(keys, expected):
    assert expected in told(f"beats: [{{{keys}}}]")


def test_no_secret_of_them_is_shown():
    config = load(
        "heartbeats: [{name: a, token: '${TOKEN}', timeout: 1m}]\nbeats: [{url: 'https://x/${TOKEN}'}]"
    )
    assert "hunter2" not in repr(config)
