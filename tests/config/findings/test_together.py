"""A configuration, its rule file and the Alertmanager in front: all is well; then one mistake at a time."""

import pytest

CONFIG = """\
global: {slack_app_token: "${SLACK_TOKEN}"}
severities: {names: [critical, high, medium], default: high}
auth: {tokens: [{name: alertmanager, token: "${SLACK_TOKEN}", scopes: [ingest]}]}
teams:
  - {name: shop, slack_channel: "#shop", lead: dana}
  - {name: platform, slack_channel: "#platform", lead: kim}
users: [{name: dana, slack_id: U024BE7LH}, {name: kim, slack_id: U024BE7LJ}]
route:
  receiver: inbox
  group_by: [alertname, cluster]
  routes:
    - matchers: [severity="critical"]
      policy: page
    - matchers: [severity="high"]
      policy: look
    - matchers: [severity="medium", component=~"checkout|cart"]
      receiver: shop-reports
    - matchers: [severity="medium"]
      receiver: reports
inhibit_rules:
  - source_matchers: [alertname="ClusterDown"]
    target_matchers: [alertname!="ClusterDown"]
    equal: [cluster]
  - source_matchers: [severity="critical", component!=""]
    target_matchers: [severity=~"high|medium"]
    equal: [cluster, component]
escalation_policies:
  - {name: page, steps: [{notify: [{receiver: pager}, {team: slack}]}]}
  - {name: look, steps: [{notify: [{team: slack}]}]}
"""
RULES = """\
groups:
  - name: shop
    rules:
      - record: cluster:checkout_errors:rate5m
        expr: sum by (cluster) (rate(checkout_requests_total{code=~"5.."}[5m]))
      - alert: CheckoutFailing
        expr: cluster:checkout_errors:rate5m / sum by (cluster) (rate(checkout_requests_total[5m])) > 0.1
        for: 2m
        labels: {severity: critical, team: shop, component: checkout}
      - alert: CheckoutSlow
        expr: histogram_quantile(0.9, sum by (cluster, le) (rate(checkout_seconds_bucket[5m]))) > 2
        labels: {severity: high, team: shop, component: checkout}
      - alert: CartsLeft
        expr: avg by (cluster) (carts_left) > 0.7
        labels: {severity: medium, team: shop, component: cart}
  - name: platform
    labels: {team: platform}
    rules:
      - alert: ClusterDown
        expr: sum by (cluster) (up{job="api"}) == 0 or absent(up{job="api", cluster="a"})
        labels: {severity: critical, component: cluster}
      - alert: DiskFull
        expr: node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes < 0.1
        labels: {severity: high, component: disk}
      - alert: CertificateEnds
        expr: min without (instance) (certificate_seconds) < 7 * 86400
        labels: {severity: medium, component: certificates}
"""
FRONT = """\
global: {resolve_timeout: 5m}
templates: ['/etc/alertmanager/*.tmpl']
route:
  receiver: tocsin
  group_by: [cluster]
  group_wait: 0s
  group_interval: 10s
  repeat_interval: 5m
receivers:
  - name: tocsin
    webhook_configs:
      - url: https://tocsin.example.com/webhook
        send_resolved: true
        http_config: {authorization: {credentials_file: /etc/alertmanager/token}}
  - name: pager
    opsgenie_configs: [{api_key: x, message: '{{ template "title" . }}'}]
"""


@pytest.fixture
def codes(check):
    def run(config=CONFIG, rules=RULES, front=FRONT):
        found = check(config, rules=rules, alertmanager=front)
        return sorted({one.id for one in found if one.id[3] in "67"})

    return run


SECOND_RULE = CONFIG[
    CONFIG.index('  - source_matchers: [severity="critical"') : CONFIG.index("escalation_policies")
]
CIRCLE = """\
  - source_matchers: [alertname="CheckoutFailing"]
    target_matchers: [severity="critical"]
    equal: [cluster]
"""


def test_all_is_well_together(codes):
    assert codes() == []


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        ('"medium"]\n      receiver: reports', '"low"]\n      receiver: reports', "601 603"),
        ('component=~"checkout|cart"', 'component=~"chekout|kart"', "602"),
        ('component=~"checkout|cart"', 'component=~"chekout|cart"', "602"),
        ('alertname="ClusterDown"]\n', 'alertname="ClusterDwn"]\n', "602 609"),
        ('alertname="ClusterDown"]\n', 'alertname="RegionIsGone"]\n', "609"),
        ("equal: [cluster]", "equal: [region]", ""),  # metrics may bring it
        ("{name: platform,", "{name: platforms,", "606"),
        ("names: [critical, high, medium]", "names: [critical, high]", "604"),
        ('[alertname!="ClusterDown"]', '[severity=~".+"]', ""),
        (SECOND_RULE, CIRCLE, "612"),
        ('severity="high"', 'severity="high", component!="disk"', "601"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_configuration_is_found(codes, written, instead, expected):
    assert written in CONFIG
    assert codes(config=CONFIG.replace(written, instead)) == [f"TOC{code}" for code in expected.split()]


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        ("{severity: critical, team: shop,", "{severity: critcal, team: shop,", "601 604"),
        ("{severity: high, team: shop,", "{team: shop,", "601 605"),
        ("{severity: high, team: shop,", "{severity: high, team: shp,", "606"),
        ("{severity: high, team: shop,", "{severity: high,", "607"),
        ("component: cart}", "component: carts}", "602"),
        ("alert: ClusterDown", "alert: ClusterGone", "602 609"),
        ("component: cluster", "component: clusters", ""),
        ("avg by (cluster) (carts_left) > 0.7", "avg by (cluster) (carts_left > 0.7", "608"),
    ],
)
def test_a_mistake_in_the_rules_is_found(codes, written, instead, expected):
    assert written in RULES
    assert codes(rules=RULES.replace(written, instead)) == [f"TOC{code}" for code in expected.split()]


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        ("/webhook", "/alerts", "701"),
        ("receivers:", "  routes: [{matchers: [a=b], receiver: pager}]\nreceivers:", "702"),
        ("group_wait: 0s", "group_wait: 5s", "703"),
        ("group_interval: 10s", "group_interval: 30s", "704"),
        ("repeat_interval: 5m", "repeat_interval: 3h", "705"),
        ("receivers:", "  routes: [{matchers: [a=b], mute_time_intervals: [x]}]\nreceivers:", "706"),
        ("receivers:", "inhibit_rules: [{target_matchers: [a=c]}]\nreceivers:", "707"),
        ("send_resolved: true", "send_resolved: no", "708"),
        ("send_resolved: true", "max_alerts: 20", "709"),
        ("send_resolved: true", "payload: {text: x}", "710"),
        ("send_resolved: true", "timeout: 1s", "711"),
        ("http_config:", "my_http_config:", "712"),
    ],
)  # fmt: skip
def test_a_mistake_in_front_is_found(codes, written, instead, expected):
    assert written in FRONT
    assert codes(front=FRONT.replace(written, instead)) == [f"TOC{expected}"]
