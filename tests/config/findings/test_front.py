"""What an Alertmanager in front delays, hides or cuts off: each where it stands in its own file."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.alertmanager import read_front
from config.findings.check import run
from config.findings.front_routes import CHECKS
from config.findings.subject import Subject
from config.load import load_text
from config.problems import show_path
from config.source import read
from routing.tree import Tree

GOOD = """\
route:
  receiver: tocsin
  group_wait: 0s
  group_interval: 10s
  repeat_interval: 5m
receivers:
  - name: tocsin
    webhook_configs:
      - url: http://tocsin:9199/webhook
        send_resolved: true
        max_alerts: 0
  - name: chat
    slack_configs: [{api_url: 'http://x/', text: '{{ template "slack.default.text" . }}'}]
    some_new_configs: [{a: b}]
"""
ALL = [f"TOC{number}" for number in range(701, 713)]


@pytest.fixture
def told(found):
    """What family 7 finds: `["3:3 group_wait is ...", ...]`, or only some codes."""

    def places(alertmanager, *codes, config="", **how):
        return found(config, *(codes or ALL), alertmanager=alertmanager, **how)

    return places


def routed(*routes):
    """GOOD with routes below the root, from line 7 on."""
    head, _, rest = GOOD.partition("receivers:")
    return f"{head}  routes:\n" + "".join(f"    - {{{text}}}\n" for text in routes) + "receivers:" + rest


def test_what_the_guide_recommends_has_no_finding(told):
    assert told(GOOD) == []


def test_receivers_of_any_kind_and_go_templates_are_no_trouble(check):
    assert [one for one in check("", alertmanager=GOOD) if one.file == "alertmanager.yml"] == []


@pytest.mark.parametrize(
    ("line", "instead", "place", "reason"),
    [
        ("group_wait: 0s", "group_wait: 30s", "3:3", "group_wait is 30s: Tocsin hears of a new group"),
        ("  group_wait: 0s\n", "", "1:1", "group_wait is not set, and then is 30s"),
        ("group_interval: 10s", "group_interval: 1m", "4:3", "group_interval is 1m"),
        ("repeat_interval: 5m", "repeat_interval: 4h", "5:3", "repeat_interval is 4h: Tocsin seldom hears"),
        ("repeat_interval: 5m", "repeat_interval: 1d", "5:3", "an alert that goes on counts as stale"),
        ("send_resolved: true", "send_resolved: false", "10:9", "never hears that an alert has ended"),
        ("max_alerts: 0", "max_alerts: 50", "11:9", "of a group of more than 50 alerts the rest"),
        ("max_alerts: 0", "payload: {a: b}", "11:9", "this replaces the body"),
        ("max_alerts: 0", "timeout: 2s", "11:9", "after 2s Alertmanager breaks off"),
        ("max_alerts: 0", "timeout: 10s", "", ""),
        ("max_alerts: 0", "timeout: 0s", "", ""),
        (
            "receivers:",
            "inhibit_rules: [{}, {}]\nreceivers:",
            "6:1",
            "what its 2 rules inhibit never reaches",
        ),
        ("receivers:", "inhibit_rules: []\nreceivers:", "", ""),
        ("/webhook", "/hook", "6:1", "no receiver has a webhook that leads to Tocsin"),
        ("/webhook", "/tocsin/webhook/", "", ""),
    ],
)
def test_one_thing_that_is_wrong_is_found_where_it_stands(told, line, instead, place, reason):
    found = told(GOOD.replace(line, instead))
    assert [one.partition(" ")[0] for one in found] == ([place] if place else [])
    assert all(reason in one for one in found)


OPEN = "receiver: chat"
CRITICAL = "matchers: [severity=critical]"


@pytest.mark.parametrize(
    ("routes", "lines"),
    [
        ([OPEN], [7]),
        ([f"{CRITICAL}, {OPEN}"], [7]),
        ([f"{OPEN}, continue: true"], [7]),  # the root is not told where a child is
        ([f"{OPEN}, continue: true", "receiver: tocsin"], []),
        ([f"{CRITICAL}, {OPEN}, continue: true", "receiver: tocsin"], []),
        (["receiver: tocsin, continue: true", OPEN], []),
        (["receiver: tocsin", OPEN], []),
        ([f"{CRITICAL}, receiver: tocsin, continue: true", f"{CRITICAL}, {OPEN}"], []),
        ([f"{CRITICAL}, receiver: tocsin, continue: true", OPEN], [8]),
        ([f"{CRITICAL}, {OPEN}, continue: true", f"{CRITICAL}, {OPEN}", "receiver: tocsin"], [7, 8]),
        ([f"{CRITICAL}, {OPEN}, continue: true", "matchers: [a=b], receiver: chat"], [7, 8]),
        ([f"{OPEN}, routes: [{{receiver: tocsin}}]"], []),
        ([f"{OPEN}, routes: [{{{CRITICAL}, receiver: tocsin}}]"], [7]),
    ],
)  # fmt: skip
def test_a_route_whose_alerts_may_not_reach_tocsin_is_found(told, routes, lines):
    found = told(routed(*routes), "TOC702")
    assert [int(one.partition(":")[0]) for one in found] == lines


matchers = st.builds(
    '{}{}"{}"'.format, st.sampled_from("ab"), st.sampled_from(["=", "!=", "=~"]), st.sampled_from("xy")
)
own = {
    "matchers": st.lists(matchers, max_size=2),
    "continue": st.booleans(),
    "receiver": st.sampled_from(["tocsin", "chat"]),
}
leaves = st.fixed_dictionaries(own)
routes = st.recursive(
    leaves, lambda inner: st.fixed_dictionaries(own | {"routes": st.lists(inner, max_size=3)}), max_leaves=6
)


@settings(max_examples=100, deadline=None)
@given(st.lists(routes, min_size=1, max_size=4), st.sampled_from(["tocsin", "chat"]))
def test_no_alert_is_hidden_without_a_finding(children, receiver):
    hook = {"webhook_configs": [{"url": "http://tocsin:9199/webhook"}]}
    top = {"receiver": receiver, "routes": children}
    text = json.dumps({"route": top, "receivers": [{"name": "tocsin", **hook}, {"name": "chat"}]})
    subject = Subject(read(text, "t", {}), load_text(text, "t", {}), front=read_front(text, "t"))
    flagged = {one.path for one in run(CHECKS, subject) if one.id == "TOC702"}
    places = {id(placed.route): show_path((*placed.path, "receiver")) for placed in subject.routes}
    tree = Tree(subject.plan.root)
    for a, b in itertools.product(["", "x", "y", "z"], repeat=2):
        found = tree.match({"a": a, "b": b})
        if all(route.receiver != "tocsin" for route in found):
            assert flagged & {places[id(route)] for route in found}


def test_a_timer_is_told_once_where_it_is_set_and_not_of_routes_that_are_not_told(told):
    inherited = routed("receiver: tocsin, group_wait: 1m, routes: [{matchers: [a=b]}, {matchers: [c=d]}]")
    assert told(inherited) == ["7:26 group_wait is 1m: Tocsin hears of a new group that much later"]
    other = routed(f"{CRITICAL}, receiver: chat, group_wait: 1m")
    assert told(other, "TOC703") == []


def test_intervals_on_the_way_to_tocsin_are_found(told):
    text = routed(
        f"{CRITICAL}, mute_time_intervals: [nights]",
        f"{CRITICAL}, receiver: chat, active_time_intervals: [x]",
    )
    (found,) = told(text, "TOC706")
    assert found.startswith("7:39 in these times Tocsin is told nothing")


TWO = GOOD.replace(
    "    slack_configs", "    webhook_configs: [{url: 'http://logger/webhook'}]\n    slack_configs"
)


def test_of_several_webhooks_the_user_or_the_address_says_which_is_tocsin(told):
    (found,) = told(TWO)
    assert found == "6:1 the webhooks of 'chat' and 'tocsin' lead to different addresses"
    assert told(TWO, receiver="tocsin") == []
    assert told(TWO, config="external_url: https://tocsin/\n") == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tocsn", "there is no receiver 'tocsn'; did you mean 'tocsin'?"),
        ("chat", "the receiver 'chat' has no webhook"),
    ],
)
def test_a_receiver_that_cannot_be_it_is_refused(told, name, reason):
    assert told(GOOD, receiver=name) == [f"6:1 {reason}"]


def test_the_only_webhook_may_hide_its_address_in_a_file(told):
    hidden = GOOD.replace("url: http://tocsin:9199/webhook", "url_file: /etc/url")
    assert told(hidden.replace("max_alerts: 0", "max_alerts: 5"), "TOC701", "TOC709") != []
    assert told(hidden, "TOC701") == []


AUTH = "auth: {tokens: [{name: a, token: not-so-secret-a, scopes: [ingest]}]}\n"


@pytest.mark.parametrize(
    ("url", "more", "glob", "wrong"),
    [
        ("http://tocsin:9199/webhook", "", "", True),
        ("http://user:x@tocsin:9199/webhook", "", "", False),
        ("http://tocsin:9199/webhook", "http_config: {basic_auth: {username: a}}", "", False),
        ("http://tocsin:9199/webhook", "http_config: {follow_redirects: true}", "", True),
        (
            "http://tocsin:9199/webhook",
            "",
            "global: {http_config: {authorization: {credentials: x}}}\n",
            False,
        ),
    ],
)
def test_a_webhook_without_login_is_found_where_tocsin_asks_for_one(told, url, more, glob, wrong):
    text = glob + GOOD.replace("http://tocsin:9199/webhook", url).replace(
        "max_alerts: 0", more or "max_alerts: 0"
    )
    assert bool(told(text, "TOC712", config=AUTH)) == wrong
    assert told(text, "TOC712") == []
