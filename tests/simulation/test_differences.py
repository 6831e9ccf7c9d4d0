"""What a change of the configuration does: the derived cases tell for every alert what really happens."""

import json

import pytest
from drawn_pairs import alerts, changes, plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.simulation.differences import differences
from gateway.simulation.effects import NONE, compare, heard
from gateway.simulation.label_words import described
from gateway.simulation.run import simulate
from routing.alerts import Arrival, alert_key
from routing.story import Arrived

AT = 1_800_000_000_000
CALM = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def really(of, labels, span):
    firing = Arrival(alert_key(labels), labels, {}, "firing", AT, None, None, "")
    story = simulate(of, [Arrived(AT, (firing,), stays=True)], began=AT, until=AT + span)
    return heard(story.notifications, AT)


@CALM
@given(change=changes(), drawn=st.lists(alerts(), min_size=3, max_size=6))
def test_what_is_said_of_a_kind_of_alert_is_what_happens_to_each_of_them(change, drawn):
    old, new = map(plan, change)
    found = differences(old, new, AT)
    for labels in drawn:
        said = [
            group.effect
            for group in found.groups
            if group.rule is None and group.diagram.answer(labels) == group.answer
        ]
        happened = compare(really(old, labels, found.span), really(new, labels, found.span))
        assert [one.changes for one in said if one.changes] == [happened.changes] * bool(happened.changes)
        assert any(one.lost for one in said) == happened.lost


@CALM
@given(change=changes())
def test_a_configuration_differs_in_nothing_from_itself(change):
    assert differences(plan(change[0]), plan(change[0]), AT).groups == ()


HOOK = {"name": "hook", "webhook_configs": [{"url": "http://127.0.0.1/hook"}]}
PAGE = {"name": "page", "webhook_configs": [{"url": "http://127.0.0.1/page"}]}


def conf(*routes, **more):
    root = {"receiver": "hook", "routes": list(routes), "group_by": ["alertname"]}
    return {"route": root, "receivers": [HOOK, PAGE]} | more


def to(receiver, *matchers, **more):
    return {"receiver": receiver, "matchers": list(matchers)} | more


def said(old, new):
    found = differences(plan(old), plan(new), AT)
    return {described(group.diagram, group.answer): group.effect for group in found.groups}


TABLE = [
    (conf(), conf(to("page", "team=db")), ["team=db"]),
    (conf(to("page", "team=db")), conf(to("page", 'team=~"db|web"')), ["team=web"]),
    (conf(to("page", "team=db")), conf(to("page", "team!=db")), ["team=db", "team!=db"]),
    (conf(to("page", "a=1", "b=2")), conf(to("page", "a=1")), ["a=1, b!=2"]),
    (conf(), conf(to("page", 'a!=""')), ["a=<any>"]),
    (conf(), conf(to("page", 'a=""')), ["no a"]),
    (conf(to("page", 'a!=""')), conf(to("page", 'a!~"x|"')), ["a=x"]),
    (conf(), conf(to("page", 'a=~"api-.*"')), ['a=~"api-.*"']),
    (
        conf(to("page", 'a=~"api-.*"')),
        conf(to("page", 'a=~"api-[0-9]+"')),
        ['a=~"api-.*", a!~"api-[0-9]+"'],
    ),
    (conf(), conf(to("page")), [""]),
    (conf(to("page", "a=1"), to("hook", "b=1")), conf(to("hook", "b=1"), to("page", "a=1")), ["a=1, b=1"]),
    (conf(to("page", "a=x y")), conf(), ['a="x y"']),
]


@pytest.mark.parametrize(("old", "new", "kinds"), TABLE)
def test_the_alerts_concerned_are_said_by_as_few_labels_as_may_be(old, new, kinds):
    assert sorted(line for lines in said(old, new) for line in lines) == sorted(kinds)


def test_kinds_of_alerts_with_one_effect_stand_together():
    old = conf(to("page", "a=1"), to("page", "b=1"))
    assert set(said(old, conf())) == {("a=1", "b=1")}


def test_what_only_differs_in_texts_is_heard_by_nobody():
    other = HOOK["webhook_configs"][0] | {"max_alerts": 3}
    changed = conf() | {"receivers": [HOOK | {"webhook_configs": [other]}, PAGE]}
    found = differences(plan(conf()), plan(changed), AT)
    assert found.groups == ()
    assert found.unheard == 1


def test_a_route_that_waits_longer_and_groups_otherwise_says_both():
    old, new = (
        conf(to("page", "a=1", group_by=["a"])),
        conf(to("page", "a=1", group_by=["b"], group_wait="1m")),
    )
    (effect,) = said(old, new).values()
    assert [(one.kind, one.old, one.new) for one in effect.changes] == [("later", (30_000,), (60_000,))]
    assert effect.grouping == ("a", "b")


RULE = {"source_matchers": ["alertname=Down"], "target_matchers": ["severity=high"], "equal": ["cluster"]}


def test_a_new_inhibition_rule_is_tried_beside_its_source():
    found = differences(plan(conf()), plan(conf(inhibit_rules=[RULE])), AT)
    (group,) = found.groups
    assert described(group.diagram, group.answer) == ("severity=high",)
    assert (group.rule.new, group.effect.held, group.effect.lost) == (True, True, False)


def test_an_inhibition_rule_that_is_gone_frees_what_it_held():
    found = differences(plan(conf(inhibit_rules=[RULE])), plan(conf()), AT)
    assert [(one.rule.new, one.effect.freed) for one in found.groups] == [(False, True)]


def test_a_rule_that_is_written_otherwise_changes_nothing():
    other = RULE | {"source_matchers": ['alertname=~"Down"']}
    found = differences(plan(conf(inhibit_rules=[RULE])), plan(conf(inhibit_rules=[other])), AT)
    assert found.groups == ()


def test_alerts_that_make_each_other_silent_are_lost():
    circle = [
        {"source_matchers": ["a=1"], "target_matchers": ["a=2"]},
        {"source_matchers": ["a=2"], "target_matchers": ["a=1"]},
    ]
    found = differences(plan(conf()), plan(conf(inhibit_rules=circle)), AT)
    assert all(
        one.effect == NONE or not one.effect.lost for one in found.groups
    )  # the guard lets one through


def test_a_step_that_comes_later_is_one_difference_for_all_alerts_of_its_policy():
    steps = [{"notify": [{"receiver": "hook"}]}, {"after": "5m", "notify": [{"receiver": "page"}]}]
    route = {"policy": "p", "matchers": ["a=1"]}
    old = conf(route, escalation_policies=[{"name": "p", "steps": steps}])
    new = json.loads(json.dumps(old).replace('"5m"', '"15m"'))
    (effect,) = said(old, new).values()
    assert [(one.kind, one.who.target, one.new[0] - one.old[0]) for one in effect.changes] == [
        ("later", "page", 600_000)
    ]
