"""The walk through the routing tree and what makes a group."""

import pytest

from routing.matchers import parse_matchers
from routing.tree import Route, group_key, group_labels, match, walk


def route(receiver, matchers="", children=(), *, more=False, group_by=frozenset()):
    return Route(
        key=receiver,
        receiver=receiver,
        group_by=group_by,
        group_wait=0,
        group_interval=1,
        repeat_interval=1,
        matchers=parse_matchers(matchers),
        continue_=more,
        children=tuple(children),
    )


TREE = route(
    "root",
    children=[
        route("audit", 'severity="critical"', more=True),
        route(
            "db",
            'team="db"',
            [
                route("db-page", 'severity="critical"', more=True),
                route("db-slow", 'alertname=~"Slow.*"'),
                route("db-any", 'env!="dev"', more=True),
            ],
        ),
        route("late", 'severity=~"critical|high"'),
    ],
)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({}, ["root"]),
        ({"severity": "low"}, ["root"]),
        ({"severity": "high"}, ["late"]),
        ({"severity": "critical"}, ["audit", "late"]),
        ({"team": "db"}, ["db-any"]),
        ({"team": "db", "env": "dev"}, ["db"]),
        ({"team": "db", "severity": "critical"}, ["audit", "db-page", "db-any"]),
        ({"team": "db", "severity": "critical", "alertname": "SlowQuery"}, ["audit", "db-page", "db-slow"]),
    ],
)
def test_children_are_asked_in_order_and_a_parent_answers_only_if_none_did(labels, receivers):
    assert [found.receiver for found in match(TREE, labels)] == receivers


def test_walking_gives_parents_before_children_in_the_order_written():
    names = [found.receiver for found in walk(TREE)]
    assert names == ["root", "audit", "db", "db-page", "db-slow", "db-any", "late"]


def test_a_group_is_made_of_the_labels_named_and_present():
    by_two = route("r", group_by=frozenset({"alertname", "cluster"}))
    assert group_labels(by_two, {"alertname": "X", "pod": "p"}) == {"alertname": "X"}
    assert group_labels(route("r"), {"alertname": "X"}) == {}


def test_three_dots_group_by_every_label():
    by_all = route("r", group_by=None)
    assert group_labels(by_all, {"b": "2", "a": "1"}) == {"b": "2", "a": "1"}


def test_the_group_key_is_printed_as_alertmanager_prints_it():
    labels = {"b": "x", "a1": 'q"\\\n\x01é', "a": "1"}
    assert group_key(route('{}/{t="u"}'), labels) == r'{}/{t="u"}:{a1="q\"\\\n\x01é", a="1", b="x"}'
    assert group_key(route("{}"), {}) == "{}:{}"
