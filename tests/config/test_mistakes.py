"""Every kind of mistake in a configuration: what is said of it, and where."""

import pytest

from config.load import ConfigError, load_text

ENV = {"KEY": "hunter2-the-secret"}
GOOD = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def told(text, name="f.yaml"):
    with pytest.raises(ConfigError) as caught:
        load_text(text, name, ENV)
    return [str(problem) for problem in caught.value.problems]


def receiver(section):
    """A configuration whose one receiver has `section`, which begins in line 5, column 5."""
    defaults = "{slack_app_token: x, smtp_smarthost: 'h:25', smtp_from: a@b}"
    return f"global: {defaults}\nroute: {{receiver: a}}\nreceivers:\n  - name: a\n    {section}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("receivers: []", "f.yaml:1:1: route: this key is missing"),
        ("- a", "f.yaml:1:1: a list cannot be here; expected a mapping"),
        ("route: {group_wait: 1s}", "f.yaml:1:1: route: the root route has no receiver"),
        (
            "route: {receiver: a, matchers: [x=y]}\nreceivers: [{name: a}]",
            "1:22: route.matchers: the root route takes",
        ),
        (
            "route: {receiver: a, match: {x: y}}\nreceivers: [{name: a}]",
            "1:22: route.match: the root route takes",
        ),
        (
            "route: {receiver: a, continue: yes}\nreceivers: [{name: a}]",
            "1:22: route.continue: the root route has no",
        ),
        ("route: {policy: x}\nreceivers: [{name: a}]", "1:9: route.policy: the root route takes no policy"),
        (
            "route: {receiver: a, active_time_intervals: [x]}\nreceivers: [{name: a}]",
            "1:22: route.active_time_intervals: the root route is never quiet",
        ),
        (
            "route: {receiver: alpa}\nreceivers: [{name: alpha}]",
            "1:19: route.receiver: there is no receiver 'alpa'",
        ),
        ("route: {receiver: alpa}\nreceivers: [{name: alpha}]", "did you mean 'alpha'?"),
        ("route: {receiver: '${KEY}'}\nreceivers: [{name: a}]", "there is no receiver '${KEY}'"),
        (GOOD + "x: 1", "f.yaml:3:1: x: there is no key 'x' here"),
        (
            "route: {receiver: a}\nreceivers: [{name: a}, {name: a}]",
            "2:31: receivers[1].name: the receiver 'a' stands",
        ),
        ("route: {receiver: a}\nreceivers: [{name: a}, {}]", "2:24: receivers[1].name: this key is missing"),
        ("route: {receiver: a}\nreceivers: [{name: a}, {name: ''}]", "receivers[1].name: '' cannot be here"),
        (GOOD + "templates: [a.tmpl]", "3:13: templates[0]: Go template files are not read"),
        (GOOD + "templates: [a.j2]", "3:13: templates[0]: template files are not read"),
        (GOOD + "template_language: go", "3:20: template_language: Go templates are not interpreted"),
        (GOOD + "template_language: jinga", "did you mean 'jinja'?"),
        (GOOD + "redis: {shards: 0}", "3:17: redis.shards: '0' cannot be here; expected at least 1"),
        (GOOD + "redis: {shards: many}", "expected a whole number"),
        (GOOD + "redis: {url: 'http://x'}", "3:15: redis.url: the address begins with none of redis://"),
        (GOOD + "dedup: {confirm: 0s}", "3:18: dedup.confirm: cannot be zero"),
        (GOOD + "limits: {body: 1}", "3:16: limits.body: '1' cannot be here; expected at least 1024"),
        (GOOD + "limits: {body: '${KEY}'}", "'${KEY}' stands for a wrong value; expected a size"),
        (
            GOOD + "external_url: tocsin.example",
            "3:15: external_url: the address begins with none of http://",
        ),
        (
            GOOD + "auth: {tokens: [{name: x, scopes: [read]}]}",
            "3:17: auth.tokens[0]: no credential; expected token",
        ),
        (GOOD + "auth: {tokens: [{name: x, token: y}]}", "3:17: auth.tokens[0].scopes: this key is missing"),
        (
            GOOD + "auth: {tokens: [{name: x, token: y, scopes: []}]}",
            "auth.tokens[0].scopes: this list is too short",
        ),
        (
            GOOD + "auth: {tokens: [{name: x, token: '', scopes: [read]}]}",
            "auth.tokens[0].token: the secret is empty",
        ),
        (GOOD + "auth: {tokens: [{name: x, hash: abc, scopes: [read]}]}", "auth.tokens[0].hash: not a hash"),
        (
            GOOD + "auth: {tokens: [{name: x, token: y, token_file: z, scopes: [read]}]}",
            "auth.tokens[0].token_file: stands beside token",
        ),
        (GOOD + "global: {resolve_timeout: 0s}", "3:27: global.resolve_timeout: cannot be zero"),
        (GOOD + "global: {smtp_smarthost: localhost}", "'localhost' is no mail server with its port"),
        (
            GOOD + "global: {smtp_auth_password: x, smtp_auth_password_file: y}",
            "stands beside smtp_auth_password",
        ),
        (
            GOOD + "global: {slack_api_url: 'http://x', slack_app_token: y}",
            "global.slack_app_token: stands beside",
        ),
        (
            GOOD + "global: {http_config: {basic_auth: {username: x}, bearer_token: y}}",
            "stands beside basic_auth",
        ),
        (
            GOOD + "global: {http_config: {tls_config: {cert_file: x}}}",
            "tls_config.cert_file: stands without key_file",
        ),
        (
            GOOD + "global: {http_config: {tls_config: {min_version: TLS9}}}",
            "expected 'TLS10', 'TLS11', 'TLS12' or",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place(text, expected):
    assert any(expected in problem for problem in told(text)), told(text)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("reciever: a", "there is no key 'reciever' here; expected another key; did you mean 'receiver'?"),
        ("receiver: b", "5:17: route.routes[0].receiver: there is no receiver 'b'"),
        ("matchers: a=b", "5:17: route.routes[0].matchers: 'a=b' cannot be here; expected a list"),
        ("matchers: [a]", "5:19: route.routes[0].matchers[0]: no operator after 'a'"),
        ("matchers: ['a=~\"(\"']", "5:22: route.routes[0].matchers[0]: not a regular expression"),
        ("matchers: ['a=\"x\", b']", "5:27: route.routes[0].matchers[0]: no operator after 'b'"),
        (
            "matchers: ['a=~\"${KEY}(\"']",
            "5:19: route.routes[0].matchers[0]: 'a=~\"${KEY}(\"' stands for a wrong",
        ),
        ("match: {1a: b}", "5:15: route.routes[0].match.1a: '1a' is no label name"),
        ("match: [a]", "5:14: route.routes[0].match: a list cannot be here; expected a mapping"),
        ("match_re: {a: '['}", "5:22: route.routes[0].match_re.a: not a regular expression"),
        ("group_by: alertname", "'alertname' cannot be here; expected a list"),
        ("group_by: ['...', a]", "5:17: route.routes[0].group_by: '...' is all labels already"),
        ("group_by: [a, b, a]", "5:17: route.routes[0].group_by: the label 'a' stands here twice"),
        ("group_by: [a, '']", "5:22: route.routes[0].group_by[1]: '' is no label name; expected any text"),
        ("group_wait: 30", "5:19: route.routes[0].group_wait: a number without a unit; expected a duration"),
        ("group_interval: 0s", "5:23: route.routes[0].group_interval: cannot be zero"),
        ("repeat_interval: 0s", "5:24: route.routes[0].repeat_interval: cannot be zero"),
        ("continue: maybe", "5:17: route.routes[0].continue: 'maybe' cannot be here; expected true or false"),
        ("routes: {}", "5:15: route.routes[0].routes: a mapping cannot be here; expected a list"),
        ("name: '{}'", "route.routes[0].name: '{}' cannot be here; expected letters"),
        ("policy: x", "5:15: route.routes[0].policy: there is no policy 'x'; expected the name of one in"),
        ("team: x", "5:13: route.routes[0].team: there is no team 'x'; expected the name of one in teams"),
        (
            "{receiver: a, policy: x}",
            "5:21: route.routes[0].policy: stands beside receiver; expected only one",
        ),
        (
            "mute_time_intervals: [x]",
            "5:29: route.routes[0].mute_time_intervals[0]: there is no interval 'x'",
        ),
        ("active_time_intervals: [x]", "route.routes[0].active_time_intervals[0]: there is no interval 'x'"),
        ("mute_time_intervals: x", "'x' cannot be here; expected a list"),
        (
            "labels: {a: 'x {{ .y }}'}",
            "5:22: route.routes[0].labels.a: templates in the labels of routes are",
        ),
        ("labels: {1a: b}", "'1a' is no label name"),
    ],
)
def test_each_mistake_in_a_route_is_told_with_its_place(route, expected):
    text = f"receivers: [{{name: a}}]\nroute:\n  receiver: a\n  routes:\n    - {route}\n"
    problems = told(text)
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("pagerduty_configs: [{}]", "5:25: receivers[0].pagerduty_configs[0]: no key of a PagerDuty service"),
        ("pagerduty_configs: [{routing_key: a, service_key: b}]", "service_key: stands beside routing_key"),
        (
            "pagerduty_configs: [{routing_key: a, routing_key_file: b}]",
            "routing_key_file: stands beside routing_key",
        ),
        (
            "pagerduty_configs: [{routing_key: '${KEY}', url: x}]",
            "pagerduty_configs[0].url: the address begins",
        ),
        ("pagerduty_configs: [{routing_key: a, timeout: 5s}]", "timeout is not supported by this version"),
        ("slack_configs: [{text: x}]", "5:21: receivers[0].slack_configs[0]: no channel; expected one"),
        (
            "slack_configs: [{channel: x, api_url: 'http://h', app_token: x}]",
            "app_token: stands beside api_url",
        ),
        ("slack_configs: [{channel: x, fields: [{title: x}]}]", "fields[0].value: this key is missing"),
        ("slack_configs: [{channel: x, actions: [{}]}]", "actions is not supported by this version"),
        (
            "slack_configs: [{channel: x, text: 'a {{ .Foo }}'}]",
            "5:43: receivers[0].slack_configs[0].text: this looks",
        ),
        ("slack_configs: [{channel: x, text: '{{ template \"x\" . }}'}]", "this looks like a Go template"),
        ("slack_configs: [{channel: x, text: '{{- range $i := .A }}'}]", "this looks like a Go template"),
        ("email_configs: [{}]", "5:21: receivers[0].email_configs[0].to: this key is missing"),
        (
            "email_configs: [{to: ''}]",
            "email_configs[0].to: '' cannot be here; expected something that is not empty",
        ),
        ("email_configs: [{to: a, headers: {a: b, A: c}}]", "headers.A: the header 'A' is the same as 'a'"),
        ("email_configs: [{to: a, tls_config: {key_file: x}}]", "key_file: stands without cert_file"),
        (
            "webhook_configs: [{}]",
            "5:23: receivers[0].webhook_configs[0]: no address; expected url or url_file",
        ),
        ("webhook_configs: [{url: 'http://h', url_file: x}]", "url_file: stands beside url"),
        (
            "webhook_configs: [{url: 'http://h', max_alerts: -1}]",
            "max_alerts: '-1' cannot be here; expected at least 0",
        ),
        (
            "webhook_configs: [{url: 'http://h', timeout: 30s1ms}]",
            "timeout: '30s1ms' is longer than one attempt may take; expected at most 30s",
        ),
        (
            "webhook_configs: [{url: 'http://h', http_config: {oauth2: {client_id: x}}}]",
            "oauth2 is not supported",
        ),
        (
            "webhook_configs: {}",
            "5:22: receivers[0].webhook_configs: a mapping cannot be here; expected a list",
        ),
        (
            "opsgenie_configs: [{}]",
            "5:5: receivers[0].opsgenie_configs: opsgenie_configs is not supported by this",
        ),
        ("webhook_config: []", "did you mean 'webhook_configs'?"),
    ],
)
def test_each_mistake_in_a_receiver_is_told_with_its_place(section, expected):
    problems = told(receiver(section))
    assert any(expected in problem for problem in problems), problems
