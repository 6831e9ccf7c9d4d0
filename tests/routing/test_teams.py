"""Whose an alert is."""

import pytest

from routing.matchers import parse_matchers
from routing.teams import Ownership, TeamRule

RULES = (
    TeamRule(parse_matchers('service=~"api|web"'), "backend"),
    TeamRule(parse_matchers('service="api",zone="eu"'), "sre"),
    TeamRule(parse_matchers("job=db"), "database"),
)
OWNERSHIP = Ownership(frozenset({"backend", "database", "sre"}), RULES)


@pytest.mark.parametrize(
    ("labels", "of_route", "team"),
    [
        ({"team": "sre", "service": "api"}, "database", "sre"),
        ({"service": "api"}, "database", "database"),
        ({"service": "api", "zone": "eu"}, "", "backend"),
        ({"job": "db"}, "", "database"),
        ({"job": "cache"}, "", ""),
        ({}, "", ""),
        ({"team": "nobody"}, "database", "database"),
        ({"team": "nobody", "job": "db"}, "", "database"),
        ({"team": ""}, "sre", "sre"),
        ({"team": "nobody"}, "", ""),
        ({}, "gone", ""),
    ],
)
def test_the_label_counts_first_then_the_route_then_the_first_rule(labels, of_route, team):
    assert OWNERSHIP.team_of(labels, of_route) == team
