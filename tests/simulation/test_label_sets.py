"""Which cases are derived from two configurations: one for every way in which alerts can be treated."""

from drawn_pairs import alerts, changes, plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.simulation.label_sets import SAME, UNKNOWN, derive
from routing.matchers import matches_all, parse_matchers
from routing.tree import Tree

CALM = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def behaviour(of, labels):
    """What a configuration says of an alert, asked in the plainest way."""
    routes = []
    for route in Tree(of.root).match(labels):
        timers = (route.group_by, route.group_wait, route.group_interval)
        if not route.policy:
            routes.append((timers, route.receiver))
            continue
        team, severity = of.team_of(labels, route), of.severities.name(of.severities.rank(labels))
        grouped = {k: v for k, v in labels.items() if route.group_by is None or k in route.group_by}
        asked = {**grouped, "severity": severity, "team": team}
        steps = [
            (
                step.after,
                step.notify,
                [one.config for one in of.directory.integrations(step.notify, team, severity)],
            )
            for step in of.policies[route.policy].steps
            if matches_all(step.when, asked)
        ]
        routes.append((timers, steps))
    return routes, of.inhibit_grace if of.inhibition.roles(labels).targets else 0


def inhibited_by(of, labels, other):
    known = {rule.key for rule in other.inhibition.rules}
    live = {rule.key: rule for rule in of.inhibition.rules if set(rule.source) != set(rule.target)}
    return {key for key, rule in live.items() if key not in known and matches_all(rule.target, labels)}


@CALM
@given(change=changes(), drawn=st.lists(alerts(), min_size=5, max_size=20))
def test_every_alert_is_treated_alike_or_stands_for_a_case(change, drawn):
    old, new = map(plan, change)
    derived = derive(old, new)
    assert not derived.sampled
    assert derived.most is None
    for labels in drawn:
        answer = derived.diagram.answer(labels)
        if answer == SAME:
            assert behaviour(old, labels) == behaviour(new, labels)
            assert not inhibited_by(old, labels, new) | inhibited_by(new, labels, old)
            continue
        case = derived.cases[answer]
        assert behaviour(old, labels) == behaviour(old, case.labels)
        assert behaviour(new, labels) == behaviour(new, case.labels)
        for one, other in ((old, new), (new, old)):
            assert inhibited_by(one, labels, other) == inhibited_by(one, case.labels, other)


@CALM
@given(change=changes())
def test_every_case_is_one_that_its_own_example_belongs_to(change):
    derived = derive(*map(plan, change))
    for answer, case in derived.cases.items():
        assert derived.diagram.answer(case.labels) == answer
        assert case.old != case.new or case.rules


@CALM
@given(change=changes())
def test_a_case_is_described_by_all_label_sets_that_belong_to_it_and_no_others(change):
    diagram = derive(*map(plan, change)).diagram
    for answer in sorted(diagram.answers({}), reverse=True)[:4]:
        for cube in diagram.cubes(answer):
            known = {diagram.labels[label].name: mask for label, mask in cube.items()}
            assert diagram.answers(known) == {answer}


@CALM
@given(change=changes())
def test_a_configuration_and_itself_differ_in_nothing(change):
    assert derive(plan(change[0]), plan(change[0])).diagram.root == SAME


def small(*matchers, receiver="page", **more):
    route = {"matchers": list(matchers), "receiver": receiver}
    return plan({
        "route": {"receiver": "hook", "routes": [route]},
        "receivers": [
            {"name": name, "webhook_configs": [{"url": f"http://127.0.0.1/{name}"}]}
            for name in ("hook", "page")
        ],
    } | more)  # fmt: skip


def test_the_cases_of_expressions_are_complete_where_they_can_be_compared():
    derived = derive(small('service=~"api-.*"'), small('service=~"api-[a-z]+"'))
    assert not derived.sampled
    assert len(derived.cases) == 1
    (case,) = derived.cases.values()
    found = [text.matches(case.labels) for text in parse_matchers('service=~"api-.*", service=~"api-[a-z]+"')]
    assert found == [True, False]


def test_an_expression_that_cannot_be_compared_is_said_to_be_sampled():
    derived = derive(small(r'service=~"api-\\pL+"'), small('service="api-x"'))
    assert [str(one) for one in derived.sampled] == [r'service=~"api-\\pL+"']


def test_values_that_occur_make_samples_better():
    old, new = small(r'service=~"(?i)api-\\pL+"'), small('service="x"')
    assert len(derive(old, new, [{"service": "API-new"}]).cases) == len(derive(old, new).cases) + 1


def many(count):
    """A configuration and none of its routes: each route takes alerts beside all the others."""
    routes = [
        {"matchers": [f"label{n}=x"], "receiver": "page", "continue": True, "group_wait": f"{n + 1}s"}
        for n in range(count)
    ]
    return small("a=b"), small("a=b", route={"receiver": "hook", "routes": routes})


def test_of_too_many_cases_those_with_few_labels_are_looked_at_and_that_is_said():
    derived = derive(*many(12), work=20_000)
    assert derived.most == 2
    assert len(derived.cases) > 12
    assert UNKNOWN in derived.diagram.answers({})
    assert derived.diagram.answer({"label1": "x", "label2": "x", "label3": "x"}) == UNKNOWN
    one = derived.cases[derived.diagram.answer({"label3": "x", "label7": "x"})]
    assert one.labels == {"label3": "x", "label7": "x"}


def test_what_a_step_asks_of_a_label_that_makes_no_group_is_asked_of_a_missing_one():
    def conf(when):
        steps = [
            {"notify": [{"receiver": "hook"}]},
            {"notify": [{"receiver": "page"}], "after": "5m", "when": when},
        ]
        route = {"matchers": ["a=b"], "policy": "p"}
        return small(
            route={"receiver": "hook", "group_by": ["zone"], "routes": [route]},
            escalation_policies=[{"name": "p", "steps": steps}],
        )

    never, always = ["instance=x"], ["instance!=x"]
    assert derive(conf(never), conf(["instance=y"])).diagram.root == SAME
    assert len(derive(conf(never), conf(always)).cases) == 1
    assert len(derive(conf(always), conf(["zone=eu"])).cases) == 1
