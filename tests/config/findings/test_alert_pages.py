"""`TOC613`: alerts of the worst severity that page nobody, found only where that is certain."""

import pytest

CONFIG = """\
global: {slack_app_token: xoxb-1, smtp_smarthost: "mail.example.com:25", smtp_from: tocsin@example.com}
route:
  receiver: default
  routes:
    - {matchers: [team="web"], receiver: pager}
    - {matchers: [team="db"], %s}
receivers:
  - {name: default, slack_configs: [{channel: "#alerts"}]}
  - {name: pager, pagerduty_configs: [{routing_key: "${PAGERDUTY_KEY}"}]}
  - {name: chat, slack_configs: [{channel: "#db"}]}
  - {name: hook, webhook_configs: [{url: "http://pager.example.com/"}]}
  - {name: nobody}
teams:
  - {name: web, pagerduty: "${PAGERDUTY_KEY}"}
  - {name: db, slack_channel: "#db"}
escalation_policies:
  - {name: page, steps: [{notify: [{team: pagerduty}]}]}
  - {name: later, steps: [{notify: [{team: slack}]}, {after: 5m, notify: [{receiver: pager}]}]}
  - {name: handed-over, steps: [{notify: [{team: slack}]}, {after: 1h, policy: later}]}
  - {name: in-a-ring, steps: [{notify: [{team: slack}]}, {after: 1h, policy: ring}]}
  - {name: ring, steps: [{notify: [{team: slack}]}, {after: 1h, policy: in-a-ring}]}
"""


def rules(labels, *, others="{severity: critical, team: web}", expr="sum(up)"):
    return f"""\
groups:
  - name: g
    rules:
      - {{alert: Other, expr: sum(up), labels: {others}}}
      - {{alert: Down, expr: {expr}, labels: {labels}}}
"""


def said(check, way, labels="{severity: critical, team: db}", **more):
    found = check(CONFIG % way, rules=rules(labels, **more))
    return [f"{one.file}:{one.line} {one.reason}" for one in found if one.id == "TOC613"]


def test_it_is_found_at_the_rule_with_those_who_are_told(check):
    reason = "Down is critical and pages nobody, while others so severe do; told: chat"
    assert said(check, "receiver: chat") == [f"rules.yml:5 {reason}"]


@pytest.mark.parametrize(
    "way",
    [
        "receiver: chat",
        "receiver: nobody",
        "policy: in-a-ring",
        "policy: page",  # whose team has no PagerDuty, so that the root's receiver stands in
    ],
)
def test_an_alert_that_pages_nobody_is_found(check, way):
    assert len(said(check, way)) == 1


@pytest.mark.parametrize(
    "way",
    [
        "receiver: pager",
        "receiver: hook",  # nobody here knows whether it pages
        "policy: later",
        "policy: handed-over",
        'receiver: chat, continue: true}\n    - {matchers: [severity="critical"], receiver: pager',
    ],
)
def test_an_alert_that_pages_in_any_way_sooner_or_later_is_not(check, way):
    assert said(check, way) == []


@pytest.mark.parametrize(
    "labels", ["{severity: high, team: db}", "{team: db}", '{severity: "{{ $labels.how }}", team: db}']
)
def test_only_what_is_certainly_of_the_worst_severity_counts(check, labels):
    assert said(check, "receiver: chat", labels) == []


def test_an_alert_that_may_go_elsewhere_counts_as_told_there(check):
    assert said(check, "receiver: chat", "{severity: critical}", expr="up") == []


def test_where_nobody_is_paged_of_any_alert_it_is_meant_so(check):
    assert said(check, "receiver: chat", others="{severity: high, team: web}") == []
