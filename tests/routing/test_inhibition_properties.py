"""Inhibition with random rules and alerts: what must hold whatever is configured and whatever fires.

The first property has 10,000 cases each time, half a minute; `-m long` gives it 200,000.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inhibition_worlds import alert_sets, index_of, rule_sets, silenced, verdicts
from plain_inhibition import arrows, circles, inhibits, plain_walk, released, upstream

from routing.inhibition import Ask, Inhibited, Released, Rules

often = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


def check_world(rules, alerts):
    """Never is everyone inhibited; each answer is Alertmanager's, or that of the guard by brute force."""
    found = verdicts(rules, alerts, silenced)
    assert any(not isinstance(found[one.alert], Inhibited) or silenced(one.labels) for one in alerts)
    told = released(rules, alerts, silenced)
    for one in alerts:
        if one.alert in told:
            assert isinstance(found[one.alert], Released)
        else:
            assert found[one.alert] == plain_walk(rules, one, alerts)


@given(rule_sets, alert_sets)
@settings(often, max_examples=10_000)
def test_whatever_fires_somebody_is_told_and_all_else_is_as_alertmanager_answers(rules, alerts):
    check_world(rules, alerts)


@pytest.mark.long
@given(rule_sets, alert_sets)
@settings(often, max_examples=200_000)
def test_the_same_of_very_many(rules, alerts):
    check_world(rules, alerts)


@given(rule_sets, alert_sets)
@often
def test_of_alerts_in_a_circle_that_nothing_else_inhibits_exactly_one_is_released(rules, alerts):
    found = verdicts(rules, alerts)
    for together, outside in circles(rules, alerts).items():
        assert sum(isinstance(found[key], Released) for key in together) == (0 if outside else 1)


@given(rule_sets, alert_sets)
@often
def test_no_circle_that_alerts_form_is_missed_when_the_rules_are_loaded(rules, alerts):
    known = [{rules[place].key for place in circle} for circle in Rules(rules).circles]
    sources = arrows(rules, alerts)
    above = {key: upstream(sources, key) for key in sources}
    for one in alerts:
        for other in alerts:
            if one.alert in above[other.alert] and other.alert in above[one.alert]:
                used = {rule.key for rule in rules if inhibits(rule, other.labels, one.labels)}
                assert not used or any(used <= circle for circle in known)


@given(rule_sets, alert_sets, st.integers(1, 4))
@often
def test_a_walk_that_ends_early_tells_more_and_never_less(rules, alerts, bound):
    exact = verdicts(rules, alerts, silenced)
    for key, verdict in verdicts(rules, alerts, silenced, bound=bound).items():
        if isinstance(verdict, Released):
            assert exact[key] is not None
        else:
            assert verdict == exact[key]


@given(rule_sets, alert_sets, st.data())
@often
def test_after_ends_and_changes_all_is_as_if_only_what_fires_had_ever_been_filed(rules, alerts, data):
    compiled = Rules(rules)
    index = index_of(compiled, alerts)
    firing = []
    for one in alerts:
        slots = compiled.roles(one.labels).sources
        match data.draw(st.sampled_from(["stays", "ends", "changes"])):
            case "stays":
                firing.append(one)
            case "ends":
                index.remove(slots, one)
            case "changes":
                firing.append(replace(one, rank=1 - one.rank))
                index.add(slots, firing[-1])
    fresh = index_of(compiled, firing)
    for one in alerts:
        for slot in compiled.roles(one.labels).targets:
            for ask in (Ask(slot.key, two_sided, limit) for two_sided in (False, True) for limit in (1, 9)):
                assert index.answer(ask) == fresh.answer(ask) == filed(compiled, firing, ask)


def filed(rules, firing, ask):
    """By a look at all alerts."""
    found = [
        one
        for one in firing
        for slot in rules.roles(one.labels).sources
        if (slot.key, slot.two_sided) == (ask.key, ask.two_sided)
    ]
    return tuple(sorted(found, key=lambda one: one.order)[: ask.limit])
