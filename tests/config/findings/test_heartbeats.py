"""Heartbeats: too short a timeout, too wide matchers, no alert; and what they change in other findings."""

import pytest

RULES = """
groups:
  - name: meta
    rules:
      - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
      - {alert: Idle, expr: time() - ended > 60, labels: {severity: none}}
      - {alert: Down, expr: up == 0, labels: {severity: critical}}
"""
FRONT = """
route:
  receiver: chat
  routes:
    - {matchers: [alertname="Watchdog"], receiver: tocsin, repeat_interval: 1m, group_interval: 15s}
    - {matchers: [severity="critical"], receiver: tocsin, repeat_interval: 3h}
receivers:
  - {name: chat}
  - {name: tocsin, webhook_configs: [{url: 'http://tocsin:9199/webhook'}]}
"""


def heartbeat(matchers='alertname="Watchdog"', timeout="10m", more=""):
    return f"heartbeats: [{{name: a, matchers: ['{matchers}'], timeout: {timeout}{more}}}]\n"


@pytest.mark.parametrize(
    ("timeout", "front", "said"),
    [
        ("10m", "", ""),
        ("5m10s", "", ""),
        ("5m9s", "", "where it is set up as recommended, after up to 5m10s, which is longer than this"),
        ("76s", FRONT, ""),
        ("75s", FRONT, ""),
        ("1m", FRONT, "the Alertmanager in front repeats it after up to 1m15s, which is longer than this"),
    ],
)
def test_a_timeout_is_longer_than_the_repeat_of_who_brings_the_alert(found, timeout, front, said):
    told = found(heartbeat(timeout=timeout), "TOC901", alertmanager=front)
    assert bool(told) == bool(said)
    assert not said or said in told[0]


@pytest.mark.parametrize(
    ("matchers", "rules", "said"),
    [
        ('alertname="Watchdog"', "", ""),
        ('severity="none"', "", "alerts of any name are beats of this heartbeat, so that nobody hears"),
        ('alertname=~"Watchdog|Down"', "", "several alerts are, so that nobody hears of them"),
        ('alertname=~"Watch.*"', "", "alerts of any name are beats"),
        ('alertname=~"Watch.*"', RULES, ""),
        ('severity="none"', RULES, "Watchdog and Idle are beats of this heartbeat, so that nobody hears of"),
    ],
)  # fmt: skip
def test_a_heartbeat_has_one_alert(found, matchers, rules, said):
    told = found(heartbeat(matchers), "TOC902", rules=rules)
    assert bool(told) == bool(said)
    assert not said or said in told[0]


def test_a_heartbeat_of_no_alert_is_found_only_with_rules(found):
    assert found(heartbeat('alertname="Watchdg"'), "TOC903") == []
    (told,) = found(heartbeat('alertname="Watchdg"'), "TOC903", rules=RULES)
    assert told == "1:34 no rule makes an alert that meets this: no beat will come"


def test_a_heartbeat_by_http_has_none_of_these(found):
    text = "heartbeats: [{name: a, token: not-a-real-one, timeout: 1m}]\n"
    assert found(text, "TOC901", "TOC902", "TOC903", rules=RULES, alertmanager=FRONT) == []


ROUTES = """
route:
  receiver: default
  routes:
    - {matchers: [severity="critical"], receiver: pager}
    - {matchers: [alertname="HeartbeatMissing"], receiver: pager}
"""


def test_what_beats_is_judged_as_no_alert_and_what_tells_of_it_as_one(found):
    assert len(found(ROUTES, "TOC601", "TOC603", rules=RULES)) == 3
    told = found(ROUTES + heartbeat('severity="none"'), "TOC601", "TOC603", "TOC604", rules=RULES)
    assert told == []


def test_an_alarm_that_only_the_default_route_takes_is_found_where_the_heartbeat_stands(check):
    text = ROUTES.replace('alertname="HeartbeatMissing"', 'alertname="Other"')
    told = [one for one in check(text + heartbeat(), rules=RULES) if one.id == "TOC601"]
    assert ("tocsin.yaml", "heartbeats[0]") in [(one.file, one.path) for one in told]
    told = check(text + heartbeat(more=", severity: critical"), rules=RULES)
    assert ("TOC601", "heartbeats[0]") not in [(one.id, one.path) for one in told]
