"""Inhibition by tables: one line of a table for each sentence of the semantics."""

import pytest
from inhibition_worlds import alert, index_of, labels_of, rule, rules_of, verdicts
from plain_inhibition import plain_walk

from routing.inhibition import Ask, Inhibited, Released, Roles, Rules
from routing.inhibition_index import Index
from routing.judge import FEW, judge, run

DOWN = rule('alertname="NodeDown"', 'severity=~"warning|critical"', "instance", name="node")
WORSE = rule('severity="critical"', 'severity="warning"', "alertname", "cluster", name="worse")


HOST = 'alertname="Down" > severity="warning" by instance'
TWO = 'a="1" > b=~"1|2"'


@pytest.mark.parametrize(
    ("what", "rule_text", "source", "target", "inhibited"),
    [
        ("the same value of equal", HOST, "alertname=Down instance=a", "severity=warning instance=a", True),
        ("another value", HOST, "alertname=Down instance=a", "severity=warning instance=b", False),
        ("missing at the target", HOST, "alertname=Down instance=a", "severity=warning", False),
        ("missing at the source", HOST, "alertname=Down", "severity=warning instance=a", False),
        ("missing at both: the same", HOST, "alertname=Down", "severity=warning", True),
        ("empty is missing", HOST, "alertname=Down instance=", "severity=warning", True),
        ("not a source", HOST, "alertname=Up instance=a", "severity=warning instance=a", False),
        ("not a target", HOST, "alertname=Down instance=a", "severity=info instance=a", False),
        ("all labels of equal count", 's="1" > s="2" by a b', "s=1 a=x b=x", "s=2 a=x b=y", False),
        ("all are equal", 's="1" > s="2" by a b', "s=1 a=x b=y", "s=2 a=x b=y", True),
        ("a label of equal twice", 's="1" > s="2" by a a', "s=1 a=x", "s=2 a=x", True),
        ("values keep their bounds", 's="1" > s="2" by a b', "s=1 a=xy b=z", "s=2 a=x b=yz", False),
        ("no equal: any source", 's="1" > s="2"', "s=1 a=x", "s=2 a=y", True),
        ("a matcher of a missing label", 's="1" > team=""', "s=1 team=a", "s=2", True),
        ("a negative matcher", 's="1" > team!="a"', "s=1 team=a", "s=2", True),
        ("all matchers of a side count", 's="1",a="x" > s="2"', "s=1 a=y", "s=2", False),
        ("target on both sides, source on one", TWO, "a=1", "a=1 b=2", True),
        ("target on one side, source on both", TWO, "a=1 b=1", "b=2", True),
        ("both on both sides", TWO, "a=1 b=1", "a=1 b=2", False),
        ("an empty rule", " > ", "a=1", "b=2", False),
        ("no matchers of the source", ' > b="2"', "a=1", "b=2", True),
        ("no matchers of the target", 'a="1" > ', "a=1", "b=2", True),
    ],
)
def test_an_alert_is_inhibited_as_alertmanager_documents(what, rule_text, source, target, inhibited):
    rules = rules_of(rule_text)
    firing = [alert(**labels_of(source)), alert(**labels_of(target))]
    verdict = verdicts(rules, firing)[firing[1].alert]
    assert verdict == (Inhibited(0, firing[0]) if inhibited else None)
    assert verdict == plain_walk(rules, firing[1], firing)


def test_an_alert_never_inhibits_itself():
    both = alert(a="1", b="1")
    assert verdicts((rule('a="1"', 'b="1"'), rule("", "")), [both]) == {both.alert: None}


def test_when_one_of_two_sources_ends_the_other_still_inhibits():
    rules = Rules((DOWN,))
    down = [alert(0, at, alertname="NodeDown", instance="a", job=f"probe-{at}") for at in (1, 2)]
    target = alert(alertname="Disk", severity="warning", instance="a")
    for first, second in (down, down[::-1]):
        index = index_of(rules, [*down, target])
        index.remove(rules.roles(first.labels).sources, first)
        assert judged(rules, target, index) == Inhibited(0, second)
        index.remove(rules.roles(second.labels).sources, second)
        assert judged(rules, target, index) is None


def test_a_source_on_both_sides_does_not_hide_one_on_one_side():
    rules = Rules((rule('a="1"', 'b=~"1|2"'),))
    both, one = alert(0, 1, a="1", b="1"), alert(0, 2, a="1", c="3")
    target = alert(a="1", b="2")
    assert judged(rules, target, index_of(rules, [both, one, target])) == Inhibited(0, one)


def test_the_first_rule_that_hits_is_named_with_its_worst_and_oldest_source():
    target = alert(alertname="A", severity="warning", instance="a")
    sources = [
        alert(0, 5, alertname="A", severity="critical", instance="b"),
        alert(2, 1, alertname="NodeDown", instance="a"),
        alert(1, 4, alertname="NodeDown", instance="a", n="4"),
        alert(1, 3, alertname="NodeDown", instance="a", n="3"),
    ]
    assert verdicts((DOWN, WORSE), [target, *sources])[target.alert] == Inhibited(0, sources[3])
    assert verdicts((WORSE, DOWN), [target, *sources])[target.alert] == Inhibited(0, sources[0])


def test_a_silenced_or_inhibited_source_inhibits_all_the_same():
    chain = (rule('n="1"', 'n="2"'), rule('n="2"', 'n="3"'))
    one, two, three = (alert(n=str(n)) for n in (1, 2, 3))
    found = verdicts(chain, [one, two, three], lambda labels: labels == one.labels)
    assert found == {one.alert: None, two.alert: Inhibited(0, one), three.alert: Inhibited(1, two)}


# --- the guard -----------------------------------------------------------------------------------------

TOTAL = rule('alertname="SystemDown"', 'alertname=~".*"', "job", name="total")
AGENTS = rule('alertname="AgentFailure"', 'alertname=~".*(Agent|System).*"', "job", name="agents")


def test_two_rules_that_inhibit_each_others_source_leave_the_worst_to_be_told():
    down = alert(0, 20, alertname="SystemDown", job="app")
    agents = alert(1, 10, alertname="AgentFailure", job="app")
    other = alert(2, 10, alertname="SlowAgent", job="app")
    found = verdicts((TOTAL, AGENTS), [down, agents, other])
    assert found[down.alert] == Released(
        "inhibited in a circle with AgentFailure (agents), which nothing else inhibits; told as the worst"
    )
    assert found[agents.alert] == Inhibited(0, down)
    assert found[other.alert] == Inhibited(0, down)


@pytest.mark.parametrize(
    ("facts", "silenced", "released", "why"),
    [
        ([(1, 3), (1, 2), (0, 9)], "", 2, "the worst"),
        ([(1, 3), (1, 2), (1, 9)], "", 1, "the oldest"),
        ([(1, 3), (1, 2), (0, 9)], "2", 1, "the oldest"),
        ([(1, 3), (1, 2), (0, 9)], "12", 0, "the only one that is not silenced"),
        ([(1, 3), (1, 2), (0, 9)], "012", None, ""),
    ],
)
def test_of_a_circle_of_three_the_worst_then_the_oldest_that_is_not_silenced_is_told(
    facts, silenced, released, why
):
    ring = tuple(rule(f'n="{n}"', f'n="{(n + 1) % 3}"') for n in range(3))
    firing = [alert(*fact, n=str(n)) for n, fact in enumerate(facts)]
    found = verdicts(ring, firing, lambda labels: labels["n"] in silenced)
    for n, one in enumerate(firing):
        if n == released:
            assert found[one.alert].why.endswith(f"told as {why}")
        else:
            assert found[one.alert] == Inhibited((n - 1) % 3, firing[n - 1])


def test_of_equals_the_first_by_key_is_told():
    pair = [alert(alertname="SystemDown"), alert(alertname="AgentFailure")]
    found = verdicts((TOTAL, AGENTS), pair)
    first = min(one.alert for one in pair)
    assert [key for key, verdict in found.items() if isinstance(verdict, Released)] == [first]


def test_a_circle_that_something_else_inhibits_stays_inhibited_until_that_ends():
    rules = (TOTAL, AGENTS, rule('alertname="Outage"', 'alertname="AgentFailure"'))
    down, agents = alert(0, alertname="SystemDown"), alert(1, alertname="AgentFailure")
    outage = alert(alertname="Outage", job="dc")
    found = verdicts(rules, [down, agents, outage])
    assert found == {
        down.alert: Inhibited(1, agents),
        agents.alert: Inhibited(0, down),
        outage.alert: None,
    }
    assert isinstance(verdicts(rules, [down, agents])[down.alert], Released)


def test_a_chain_into_a_circle_and_one_out_of_it_stay_what_they_are():
    rules = (*(rule(f'n="{a}"', f'n="{b}"') for a, b in ("12", "23", "32", "34")),)
    one, two, three, four = (alert(n=n) for n in "1234")
    found = verdicts(rules, [one, two, three, four])
    assert [found[each.alert] for each in (one, two, three, four)] == [
        None, Inhibited(0, one), Inhibited(1, two), Inhibited(3, three),
    ]  # fmt: skip
    without = verdicts(rules, [two, three, four])
    assert sum(isinstance(verdict, Released) for verdict in without.values()) == 1
    assert without[four.alert] == Inhibited(3, three)


# --- what it costs -------------------------------------------------------------------------------------


class Counting:
    """An index that counts the questions and the sources handed out."""

    def __init__(self, index):
        self.index, self.asks, self.sources = index, [], 0

    def answer(self, ask):
        found = self.index.answer(ask)
        self.asks.append(ask)
        self.sources += len(found)
        return found


def judged(rules, one, index, **options):
    return run(judge(rules, one, lambda labels: False, **options), index.answer)


def test_all_slots_of_an_alert_are_asked_for_in_one_step_and_one_source_of_each_is_enough():
    rules = Rules((DOWN, WORSE, rule('a="1"', 'severity="warning"')))
    target = alert(alertname="A", severity="warning", instance="a")
    asking = judge(rules, target, lambda labels: False)
    asks = next(asking)
    assert {ask.limit for ask in asks} == {1}
    down, worse, other = (slot.key for slot in rules.roles(target.labels).targets)
    assert [(ask.key, ask.two_sided) for ask in asks] == [
        (down, False),
        (down, True),
        (worse, False),  # no alert is critical and a warning
        (other, False),
        (other, True),
    ]
    with pytest.raises(StopIteration) as end:
        asking.send(dict.fromkeys(asks, ()))
    assert end.value.value is None


def test_who_is_no_target_of_a_rule_costs_no_question():
    with pytest.raises(StopIteration) as end:
        next(judge(Rules((DOWN,)), alert(a="1"), lambda labels: False))
    assert end.value.value is None


def test_in_a_circle_of_very_many_only_the_first_looks_at_more_than_a_few():
    rules = Rules((rule('n="A"', 'n="B"'), rule('n="B"', 'n="A"')))
    lone, *many = firing = [alert(1, 5, n="A"), *(alert(1, 9, n="B", i=str(i)) for i in range(1_000))]
    index = Counting(index_of(rules, firing))
    assert {judged(rules, one, index) for one in many} == {Inhibited(0, lone)}
    assert index.sources <= len(many) * (FEW + 1)
    assert len(index.asks) <= len(many) * 4
    assert isinstance(judged(rules, lone, index), Released)


def test_who_inhibits_a_worse_alert_that_inhibits_it_asks_no_further():
    rules = Rules((rule('n="A"', 'n="B"'), rule('n="B"', 'n="A"')))
    worse, other = alert(0, n="A"), alert(1, n="B")
    index = Counting(index_of(rules, [worse, other]))
    assert judged(rules, other, index) == Inhibited(0, worse)
    assert {ask.key for ask in index.asks} == {slot.key for slot in rules.roles(other.labels).targets}


def test_a_walk_that_is_too_long_tells_rather_than_loses():
    ring = Rules(tuple(rule(f'n="{n}"', f'n="{(n + 1) % 300}"') for n in range(300)))
    firing = [alert(0 if n == 0 else 1, 0, n=str(n)) for n in range(300)]
    index = Counting(index_of(ring, firing))
    verdict = judged(ring, firing[5], index)
    assert isinstance(verdict, Released)
    assert "more than 200 alerts" in verdict.why
    assert index.sources <= 201
    assert judged(ring, firing[5], index, bound=300) == Inhibited(4, firing[4])


# --- parts ---------------------------------------------------------------------------------------------


def test_the_key_of_a_rule_is_what_it_says_and_not_how_it_is_called_or_written():
    one = rule('a="1", b="2"', 'c=~"3"', "x", "y", name="one")
    same = rule('b="2", a="1", a="1"', 'c=~"3"', "y", "x", "x", name="another")
    assert one.key == same.key
    assert (
        len(
            {rule('a="1"', 'b="2"').key, rule('b="2"', 'a="1"').key, rule('a="1"', 'b="2"', "c").key, one.key}
        )
        == 4
    )


def test_slots_differ_in_rule_and_in_the_values_of_equal_alone():
    rules = Rules((rule('a="1"', 'b="2"', "x", "y"), rule('a="1"', 'b="2"')))
    (slot, other) = rules.roles({"a": "1", "x": "p", "y": "qr"}).sources
    assert rules.roles({"b": "2", "x": "p", "y": "qr", "z": "1"}).targets == (slot, other)
    assert rules.roles({"a": "1", "x": "pq", "y": "r"}).sources[0].key != slot.key
    assert rules.roles({"a": "1", "x": "pq", "y": "r"}).sources[1] == other
    assert rules.roles({"c": "3"}) == Roles()


def test_answers_that_are_forgotten_are_found_anew():
    rules = Rules((DOWN,), remember=3)
    sets = [{"alertname": "NodeDown", "instance": str(number)} for number in range(10)]
    first = [rules.roles(labels) for labels in sets]
    assert [rules.roles(labels) for labels in sets] == first
    assert len({roles.sources for roles in first}) == 10


@pytest.mark.parametrize("remember", [1, 2, 3, 4])
def test_answers_may_be_forgotten_at_any_moment(remember):
    rules, all_of_them = Rules((DOWN, WORSE), remember=remember), Rules((DOWN, WORSE))
    for number in range(10):
        for severity in ("critical", "warning", "info"):
            labels = {"alertname": "NodeDown", "severity": severity, "instance": str(number)}
            assert rules.roles(labels) == all_of_them.roles(labels)


def test_rules_that_can_never_inhibit_do_not_count():
    assert not Rules(()).any
    assert not Rules((rule("", ""), rule('a="1"', 'a="1"'))).any
    rules = Rules((rule("", ""), DOWN, DOWN))
    assert rules.any
    assert [slot.rule for slot in rules.roles({"severity": "warning"}).targets] == [1]


def test_a_rule_without_a_name_is_called_by_its_place():
    assert [Rules((DOWN, rule('a="1"', 'b="2"'))).called(place) for place in (0, 1)] == [
        "node",
        "inhibit_rules[1]",
    ]


def test_the_index_keeps_the_order_of_a_sorted_set():
    rules = Rules((rule('a="1"', 'b="2"'),))
    firing = [alert(rank, at, a="1", n=f"{rank}{at}") for rank in (1, 0) for at in (7, 3)]
    index = index_of(rules, firing)
    (slot,) = rules.roles(firing[0].labels).sources
    assert [one.labels["n"] for one in index.answer(Ask(slot.key, False, 3))] == ["03", "07", "13"]
    index.remove((slot,), alert(0, 99, a="1", n="03"))
    index.remove((slot,), alert(a="1", n="unknown"))
    assert [one.labels["n"] for one in index.answer(Ask(slot.key, False, 9))] == ["07", "13", "17"]
    assert Index().answer(Ask(slot.key, False, 9)) == ()
