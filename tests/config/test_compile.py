"""What routes inherit, how they are called, and what integrations take from `global`."""

import json
import textwrap

import pytest

from config.compile import compile_plan, pin, unpin
from config.load import load_text
from routing.tree import walk


def plan(text, **env):
    return compile_plan(load_text(textwrap.dedent(text), "f.yaml", env))


def routes(text):
    """The tree of a configuration whose receivers are a and b."""
    found = plan(textwrap.dedent(text) + "receivers: [{name: a}, {name: b}]\n")
    return {route.key: route for route in walk(found.root)}


def integration(section, glob="{}"):
    text = f"global: {glob}\nroute: {{receiver: a}}\nreceivers: [{{name: a, {section}}}]\n"
    (found,) = plan(text).receivers["a"]
    return found


def test_the_root_has_alertmanagers_defaults():
    root = routes("route: {receiver: a}\n")["{}"]
    assert (root.receiver, root.group_by, root.matchers, root.continue_) == ("a", frozenset(), (), False)
    assert (root.group_wait, root.group_interval, root.repeat_interval) == (30_000, 300_000, 14_400_000)


def test_children_inherit_receiver_labels_and_timers_but_not_matchers_or_continue():
    found = routes("""\
        route:
          receiver: a
          group_by: [x]
          group_wait: 0s
          routes:
            - matchers: [m=1]
              continue: true
              repeat_interval: 1h
              routes: [{receiver: b, matchers: [n=2], group_wait: 5s}]
        """)
    parent, child = found['{}/{m="1"}'], found['{}/{m="1"}/{n="2"}']
    assert (parent.receiver, parent.group_by, parent.group_wait) == ("a", frozenset({"x"}), 0)
    assert (child.receiver, child.group_by, child.group_wait) == ("b", frozenset({"x"}), 5_000)
    assert (child.repeat_interval, child.group_interval) == (3_600_000, 300_000)
    assert (parent.continue_, child.continue_) == (True, False)
    assert [str(matcher) for matcher in child.matchers] == ['n="2"']


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        ("['...']", "", None),
        ("['...']", "group_by: [x]", frozenset({"x"})),
        ("['...']", "group_by: []", frozenset()),
        ("[x]", "group_by: ['...']", None),
        ("[x]", "group_by: []", frozenset()),
        ("[x]", "group_by: ~", frozenset({"x"})),
        ("[x]", "", frozenset({"x"})),
    ],
)
def test_a_child_may_replace_the_labels_that_make_a_group(parent, child, expected):
    section = f"{{matchers: [m=1]{', ' if child else ''}{child}}}"
    found = routes(f"route: {{receiver: a, group_by: {parent}, routes: [{section}]}}\n")
    assert found['{}/{m="1"}'].group_by == expected


def test_all_forms_of_matchers_count_together_and_are_sorted():
    found = routes("""\
        route:
          receiver: a
          routes:
            - matchers: ['z!="1"', '{y=2, x!~3}']
              match: {b: c}
              match_re: {owner: team-(B|C)}
        """)
    assert list(found) == ["{}", '{}/{b="c",owner=~"^(?:team-(B|C))$",x!~"3",y="2",z!="1"}']
    (route,) = found["{}"].children
    labels = {"b": "c", "owner": "team-B", "y": "2"}
    assert all(matcher.matches(labels) for matcher in route.matchers)
    assert not all(matcher.matches(labels | {"owner": "my-team-B"}) for matcher in route.matchers)


def test_equal_siblings_are_numbered_from_the_second_on_and_their_children_with_them():
    found = routes("""\
        route:
          receiver: a
          routes:
            - {matchers: [m=1], routes: [{matchers: [n=2]}]}
            - {matchers: [m=2]}
            - {matchers: [m=1], routes: [{matchers: [n=2]}]}
            - {match: {m: '1'}}
        """)
    first = '{}/{m="1"}'
    assert list(found) == [
        "{}", first, first + '/{n="2"}', '{}/{m="2"}', first + "#2", first + '#2/{n="2"}', first + "#3",
    ]  # fmt: skip


def test_a_name_is_the_key_of_its_route_and_changes_no_other():
    found = routes("""\
        route:
          receiver: a
          name: everything
          routes:
            - {matchers: [m=1], name: first, routes: [{matchers: [n=2]}]}
            - {matchers: [m=1]}
        """)
    assert list(found) == ["everything", "first", '{}/{m="1"}/{n="2"}', '{}/{m="1"}#2']


def test_receivers_hold_their_integrations_in_order_with_an_index_for_each_kind():
    found = plan("""\
        route: {receiver: a}
        receivers:
          - name: a
            webhook_configs: [{url: "http://x"}, {url: "http://y"}]
            pagerduty_configs: [{routing_key: k}]
          - name: "null"
        """).receivers
    assert [(each.kind, each.index) for each in found["a"]] == [
        ("pagerduty", 0),
        ("webhook", 0),
        ("webhook", 1),
    ]
    assert found["null"] == ()


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("pagerduty_configs: [{routing_key: k}]", True),
        ("slack_configs: [{api_url: 'http://h'}]", False),
        ("email_configs: [{to: a, smarthost: 'h:25', from: b}]", False),
        ("webhook_configs: [{url: 'http://h'}]", True),
        ("slack_configs: [{api_url: 'http://h', send_resolved: true}]", True),
    ],
)
def test_the_end_is_sent_where_alertmanager_sends_it(section, expected):
    assert integration(section).config.send_resolved is expected


def test_mail_takes_from_global_what_it_does_not_say_itself():
    glob = (
        "{smtp_smarthost: 'g:25', smtp_from: g@x, smtp_require_tls: no, smtp_auth_password: g, smtp_hello: g}"
    )
    taken = integration("email_configs: [{to: t}]", glob).config
    own = integration(
        "email_configs: [{to: t, from: o@x, smarthost: 'o:25', require_tls: true, auth_password_file: o}]",
        glob,
    ).config
    assert (taken.from_, taken.smarthost, taken.require_tls, taken.hello) == ("g@x", "g:25", False, "g")
    assert taken.auth_password.get_secret_value() == "g"
    assert (own.from_, own.smarthost, own.require_tls, own.hello) == ("o@x", "o:25", True, "g")
    assert (own.auth_password, str(own.auth_password_file)) == (None, "o")


def test_slack_takes_its_way_in_from_global_only_if_it_has_none():
    glob = "{slack_app_token_file: /g, slack_app_url: 'http://s/api/chat.postMessage'}"
    taken = integration("slack_configs: [{channel: c}]", glob).config
    own = integration("slack_configs: [{channel: c, api_url: 'http://o'}]", glob).config
    assert (str(taken.app_token_file), taken.api_url, taken.app_url) == ("/g", None, "http://s/api/")
    assert (own.app_token_file, own.api_url.get_secret_value()) == (None, "http://o")


def test_a_service_key_is_a_routing_key_and_the_address_comes_from_global():
    taken = integration("pagerduty_configs: [{service_key: k}]", "{pagerduty_url: 'http://g/x'}").config
    own = integration(
        "pagerduty_configs: [{routing_key_file: /k, url: 'http://o'}]", "{pagerduty_url: 'http://g'}"
    ).config
    assert (taken.routing_key.get_secret_value(), taken.service_key, taken.url) == ("k", None, "http://g/x")
    assert (str(own.routing_key_file), own.url) == ("/k", "http://o")


@pytest.mark.parametrize(
    "section", ["webhook_configs: [{url: 'http://h'}]", "pagerduty_configs: [{routing_key: k}]"]
)
def test_connections_come_from_global_and_a_bearer_token_is_an_authorization(section):
    http = integration(section, "{http_config: {bearer_token: t, proxy_url: 'http://p'}}").config.http_config
    assert (http.bearer_token, http.authorization.type) == (None, "Bearer")
    assert http.authorization.credentials.get_secret_value() == "t"


@pytest.mark.parametrize(
    "section",
    [
        "pagerduty_configs: [{routing_key: k, class: c, details: {a: b}, links: [{href: h, text: t}]}]",
        "slack_configs: [{api_url: 'http://h/x', fields: [{title: t, value: v, short: true}]}]",
        "email_configs: [{to: t, from: f, smarthost: 'h:25', auth_password: p, tls_config: {ca_file: /c}}]",
        "webhook_configs: [{url_file: /u, secret: s, timeout: 5s, http_config: {basic_auth: {password: p}}}]",
    ],
)
def test_an_integration_survives_being_pinned(section):
    original = integration(section)
    pinned = json.loads(json.dumps(pin(original.config)))
    assert unpin(original.kind, pinned) == original.config
    assert unpin(original.kind, pinned | {"of_another_version": 1}) == original.config


def test_a_time_limit_that_is_refused_now_can_still_be_pinned_in_the_store():
    pinned = pin(integration("webhook_configs: [{url_file: /u}]").config) | {"timeout": 45_000}
    assert unpin("webhook", pinned).timeout == 45_000


def test_the_digest_changes_with_anything_in_the_configuration():
    text = "route: {receiver: a}\nreceivers: [{name: a, pagerduty_configs: [{routing_key: '${K:-k}'}]}]\n"
    assert plan(text).digest == plan("# a comment\n" + text).digest
    assert plan(text).digest != plan(text, K="other").digest
    assert plan(text).digest != plan(text + "external_url: http://x\n").digest
