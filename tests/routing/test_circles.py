"""Which inhibition rules can form circles: rules as people write them, with and without."""

import itertools
import time

import pytest
from inhibition_worlds import alert, rule, rules_of, verdicts

from routing.inhibition import Released, Rules

NONE = []
ALL = [(0, 1)]
TABLE = [
    ("nothing", [], NONE),
    ("one rule", ['s="critical" > s="warning"'], NONE),
    ("one rule that meets its own sources", ['a="1" > b="2"'], NONE),
    ("a rule twice", ['a="1" > b="2"'] * 2, NONE),
    ("both over the other's source", ['a="1" > a="2"', 'a="2" > a="1"'], ALL),
    ("labels that do not exclude each other", ['a="1" > b="1"', 'b="2" > c="1"'], NONE),
    ("an alert with both labels", ['a="1" > b="1"', 'b="1" > c="1"'], ALL),
    ("a ring of three", ['a="1" > a="2"', 'a="2" > a="3"', 'a="3" > a="1"'], [(0, 1, 2)]),
    ("a chain", ['a="1" > a="2"', 'a="2" > a="3"', 'a="3" > a="4"'], NONE),
    ("levels", ['s="3" > s="2"', 's="3" > s="1"', 's="2" > s="1"'], NONE),
    ("two rings", [f'a="{a}" > a="{b}"' for a, b in ("12", "34", "21", "43")], [(0, 2), (1, 3)]),
    ("a value that is not in the list", ['a="1" > a="2"', 'a="2" > a=~"3|4"'], NONE),
    ("a value that does not match", ['a="Api1" > a="2"', 'a="2" > a=~"Db.*"'], NONE),
    ("a value that matches", ['a="Api1" > a="2"', 'a="2" > a=~"Api.*"'], ALL),
    ("a value that is refused", ['a="1" > a="2"', 'a="2" > a!="1"'], NONE),
    ("expressions with a common text", ['a=~"X.+" > a=~"Y.+"', 'a=~"Y.+" > a=~".+Z"'], ALL),
    ("expressions without one", ['a=~"X.+" > a=~"Y.+"', 'a=~"Y.+" > a=~"Z.+"'], NONE),
    ("expressions that end differently", ['a=~".+X" > a="2"', 'a="2" > a=~".+Z"'], NONE),
    ("expressions that are not understood", ['a=~"(?i)x" > a="2"', 'a="2" > a=~"(?i)y"'], ALL),
    ("equal carries a value over", ['a="1",c="x" > a="2" by c', 'a="2",c="y" > a="1"'], NONE),
    ("without equal nothing does", ['a="1",c="x" > a="2"', 'a="2",c="y" > a="1"'], ALL),
    ("and on", ['a="1",c="x" > a="2" by c', 'a="2" > a="3" by c', 'a="3",c="y" > a="1"'], NONE),
    ("and back", ['a="1" > a="2" by c', 'a="2" > a="3" by c', 'a="3",c="x" > a="1",c="y"'], NONE),
    ("a missing label is a value too", ['a="1",c="" > a="2" by c', 'a="2",c="y" > a="1"'], NONE),
    # Common sets of rules that are none, though each rule's targets meet the other's sources.
    (
        "a node that is down; critical over warning",
        [
            'alertname="NodeDown" > severity=~"warning|critical" by instance',
            'severity="critical" > severity="warning" by alertname namespace',
        ],
        NONE,
    ),
    (
        "the rules that come with Prometheus on Kubernetes",
        [
            'severity="critical" > severity=~"warning|info" by namespace alertname',
            'severity="warning" > severity="info" by namespace alertname',
            'alertname="InfoInhibitor" > severity="info" by namespace',
        ],
        NONE,
    ),
    # Two outages, each over everything: when both are there, each inhibits the other.
    ("outages", ['a="System" > a=~".*" by job', 'a="Agent" > a=~".*Agent.*|Sys.*" by job'], ALL),
    ("outages with ranks", ['a="System",s="1" > s!="1"', 'a="Agent",s="2" > s="3"'], NONE),
    ("all else, whatever its severity", ['a="Down" > ', 's="critical" > s="high"'], ALL),
]


@pytest.mark.parametrize(("what", "rules", "circles"), TABLE, ids=[row[0] for row in TABLE])
def test_rules_form_circles_only_where_some_alerts_could(what, rules, circles):
    compiled = Rules(rules_of(*rules))
    assert list(compiled.circles) == circles
    assert [place for place, circle in enumerate(compiled.circle_of) if circle is not None] == sorted(
        place for circle in circles for place in circle
    )


def test_a_circle_that_is_reported_of_an_outage_over_everything_can_really_happen():
    rules = rules_of('alertname="Down" > ', 'severity="critical" > severity="high"')
    firing = [alert(0, alertname="Down", severity="high"), alert(0, alertname="Up", severity="critical")]
    assert any(isinstance(verdict, Released) for verdict in verdicts(rules, firing).values())


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ('alertname="A{}"', 'severity="warning"'),  # all with all
        ('alertname="A{}",severity="critical"', 'severity="warning",alertname=~"B{}.*"'),
        ('alertname="A{}"', 'alertname=~"(A|B){}0.*"'),
    ],
)
def test_a_thousand_rules_are_judged_in_time(source, target):
    rules = tuple(rule(source.format(n), target.format(n), "job") for n in range(1_000))
    start = time.process_time()
    Rules(rules)
    assert time.process_time() - start < 5  # a tenth of that where nothing else runs


def test_expressions_that_are_hard_to_compare_are_not_compared_for_long():
    parts = ("(Agent|System)", "[A-Z][a-z]{2,9}", "Disk[0-9]{1,40}", "(Foo|Bar|Baz)?", "Node.{5,60}")
    hard = [f".*{'.*'.join(row)}.*" for row in itertools.permutations(parts, 3)]
    rules = tuple(
        rule(f'alertname=~"{a}"', f'alertname=~"{b}",alertname!~"{c}"', "job")
        for a, b, c in zip(hard, hard[1:], hard[2:], strict=False)
    )
    start = time.process_time()
    assert Rules(rules).any
    assert time.process_time() - start < 20  # two seconds where nothing else runs
