"""What is typed becomes what happens; names that a configuration does not have are refused, or doubted."""

from pathlib import Path

import pytest

from config.compile import compile_plan
from config.load import load_text
from gateway.simulation.given import GivenError
from gateway.simulation.run import Failure
from gateway.simulation.scenario import Typed, answers, failures, names_of, overrides, silences
from gateway.simulation.unknown_words import doubts, words
from routing.events import Acknowledged, Resolved
from routing.story import Said

EXAMPLES = Path(__file__).resolve().parents[2] / "config" / "examples"
NOW = 1_795_424_000_000
MINUTE = 60_000
CONFIG = """
route:
  receiver: ops
  group_by: [cluster]
  routes: [{matchers: ['env=~"prod|stage"', 'team=~".+"', 'pod=~"web-.*"']}]
receivers: [{name: ops}]
inhibit_rules: [{source_matchers: [kind="root"], target_matchers: [kind="leaf"], equal: [site]}]
users: [{name: dana, email: dana@example.com}, {name: lee, email: lee@example.com}]
global: {smtp_smarthost: "localhost:25", smtp_from: tocsin@example.com}
teams: [{name: database}]
schedules: [{name: weekly, layers: [{people: [dana], start: 2026-01-05 09:00}]}]
"""


@pytest.fixture(scope="module")
def plan():
    return compile_plan(load_text(CONFIG, "tocsin.yaml", {}))


@pytest.fixture(scope="module")
def names(plan):
    return names_of([plan])


def test_answers_come_in_order_and_say_who(names):
    typed = Typed(acks=["20m"], snoozes=["5m+10m"], resolve="1h", by="dana")
    assert answers(typed, NOW, names) == [
        Said(NOW + 5 * MINUTE, Acknowledged("dana", "simulation", until=NOW + 15 * MINUTE)),
        Said(NOW + 20 * MINUTE, Acknowledged("dana", "simulation")),
        Said(NOW + 60 * MINUTE, Resolved("dana", "simulation")),
    ]


@pytest.mark.parametrize(
    ("text", "what", "since", "lasts"),
    [
        ("slack=30m", "slack", 0, 30),
        ("mail=30m", "email", 0, 30),
        ("ops=10m+5m", "ops", 10, 5),
        ("dana=1h", "dana", 0, 60),
    ],
)
def test_what_fails_has_a_beginning_and_an_end(names, text, what, since, lasts):
    begins = NOW + since * MINUTE
    assert failures(Typed(fails=[text]), NOW, names) == [Failure(what, begins, begins + lasts * MINUTE)]


def test_what_refuses_does_so_to_the_end(names):
    (found,) = failures(Typed(fails=["pagerduty=refused"]), NOW, names)
    assert found.refused
    assert found.until > NOW + 7 * 86_400_000


def test_silences_and_overrides_last_throughout(names):
    (changed,) = silences(Typed(silences=["team=db", 'env!="dev"']), NOW)
    assert [one.starts_at for one in changed.silences] == [NOW, NOW]
    (override,) = overrides(Typed(overrides=["weekly=lee,dana"]), NOW, names)
    assert (override.people, override.start < NOW) == (("lee", "dana"), True)


def test_anybody_may_answer_where_no_users_are_configured():
    names = names_of([compile_plan(load_text("route: {receiver: a}\nreceivers: [{name: a}]\n", "t", {}))])
    (said,) = answers(Typed(acks=["1m"], by="anybody"), NOW, names)
    assert said.answer.by == "anybody"
    with pytest.raises(GivenError, match="has no schedules"):
        overrides(Typed(overrides=["weekly=lee"]), NOW, names)


def test_the_words_of_a_configuration_are_those_that_it_asks_for(plan):
    known = words(plan)
    assert known["env"] == {"prod", "stage"}
    assert known["kind"] == {"root", "leaf"}
    assert known["team"] == {"database"}  # though a route asks for any team
    assert known["pod"] == known["site"] == known["cluster"] == set()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"env": "pord"}, ["nothing asks for env='pord'; did you mean 'prod'?"]),
        ({"clutser": "eu"}, ["nothing asks for the label 'clutser'; did you mean 'cluster'?"]),
        ({"team": "databse"}, ["nothing asks for team='databse'; did you mean 'database'?"]),
        ({"severity": "critcal"}, ["nothing asks for severity='critcal'; did you mean 'critical'?"]),
        ({"env": "dev", "pod": "web", "instance": "a", "severity": "warning"}, []),
        ({"cluster": "eu", "clusters": "eu"}, []),
    ],
)
def test_only_what_is_nearly_right_is_doubted(plan, labels, said):
    assert doubts(plan, [labels, labels]) == said
