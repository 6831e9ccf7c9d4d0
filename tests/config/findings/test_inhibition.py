"""Rules that never inhibit, or inhibit too much, and that what is said of them is true."""

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.findings import inhibition, inhibition_circles
from config.findings.check import run
from config.findings.subject import Subject
from config.load import examine
from routing.matchers import matches_all

IDLE = [
    ("the same sides", ('[a="1"]', '[a="1"]', "[]"), "TOC202"),
    ("sides that mean the same", ("""['a=~"1|2"']""", """['a=~"2|1"']""", "[x]"), "TOC202"),
    ("targets that are all sources", ("[a=~.*]", '[a="1"]', "[]"), None),
    ("a source of which nothing is left", ("""['a=~"1|2"']""", '[a="1"]', "[a]"), "TOC202"),
    ("no matchers at all", ("[]", "[]", "[]"), "TOC202"),
    ("an impossible source", ('[a="1", a="2"]', '[a="3"]', "[]"), "TOC203"),
    ("an impossible target", ('[a="1"]', """['a="3"', 'a!~"[0-9]"']""", "[]"), "TOC203"),
    ("an equal label that differs", ('[a="1"]', '[a="2"]', "[a, b]"), "TOC204"),
    ("an equal label that may not be", ('[a="1"]', """['a!~".+"']""", "[a]"), "TOC204"),
    ("nothing wrong", ('[a="1"]', '[a="2"]', "[b]"), None),
    ("a source that is a target too", ('[name="Down"]', "[]", "[job]"), None),
]


def rules(*written) -> str:
    keys = "source_matchers: {}, target_matchers: {}, equal: {}"
    lines = [f"  - {{{keys.format(*rule)}}}" for rule in written]
    return "\n".join(["inhibit_rules:", *lines, ""])


@pytest.mark.parametrize(("why", "rule", "code"), IDLE)
def test_a_rule_that_never_inhibits(check, why, rule, code):
    text = rules(rule)
    idle = [finding for finding in check(text) if finding.id in ("TOC202", "TOC203", "TOC204")]
    assert [finding.id for finding in idle] == ([code] if code else [])
    assert all(finding.line == 2 for finding in idle)


def test_a_label_that_is_never_equal_is_named_at_equal(found):
    text = rules(('[severity="x"]', '[severity="y"]', "[service, severity]"))
    (said,) = found(text, "TOC204")
    assert said.startswith("2:79 this rule never inhibits anything: the label 'severity' is in equal")


SYSTEM_DOWN = ('[alertname="FreeAgenticsSystemDown"]', "['alertname!=\"FreeAgenticsSystemDown\"']", "[job]")
COORDINATION = ('[alertname="AgentCoordinationFailure"]', "['alertname=~\".*Agent.*\"']", "[job]")


def test_the_two_alerts_that_swallow_an_outage_are_found_and_named(check):
    (finding,) = [one for one in check(rules(SYSTEM_DOWN, COORDINATION)) if one.id == "TOC201"]
    assert (finding.line, finding.path) == (3, "inhibit_rules[1]")
    assert 'alertname="FreeAgenticsSystemDown"' in finding.reason
    assert 'alertname="AgentCoordinationFailure"' in finding.reason
    assert "through the rules in lines 2 and 3" in finding.reason


CIRCLES = [
    ("two rules", [("[a=1]", "[a=2]", "[]"), ("[a=2]", "[a=1]", "[]")], True),
    ("three rules", [("[a=1]", "[a=2]", "[]"), ("[a=2]", "[a=3]", "[]"), ("[a=3]", "[a=1]", "[]")], True),
    ("a label that must be both", [("[a=1]", "[a=2]", "[b]"), ("[a=2, b=1]", "[a=1, b=2]", "[]")], False),
    ("equal labels that agree", [("[a=1]", "[a=2]", "[b]"), ("[a=2, b=1]", "[a=1, b=1]", "[b]")], True),
    ("a way with an end", [("[a=1]", "[a=2]", "[]"), ("[a=2]", "[a=3]", "[]")], False),
    ("one rule alone", [('[a=~"1|2"]', '[a=~"2|3"]', "[]")], False),
    (
        "expressions without a common name",
        [('[n=~"A.*"]', '[n=~"B.*"]', "[]"), ('[n=~".*C"]', '[n="A"]', "[]")],
        True,
    ),
    ("severities in their order", [("[s=x]", "[s=~y|z]", "[c]"), ("[s=y]", "[s=z]", "[c]")], False),
]


@pytest.mark.parametrize(("why", "written", "circle"), CIRCLES)
def test_a_circle(found, why, written, circle):
    quoted = [tuple(part.replace('"', "") for part in rule) for rule in written]
    assert bool(found(rules(*quoted), "TOC201")) == circle


COVERED = [
    ("the same twice", ("[a=1]", "[b=2]", "[c]"), ("[a=1]", "[b=2]", "[c]"), "the one in line 2 is the same"),
    ("more equal labels", ("[a=1]", "[b=2]", "[c]"), ("[a=1]", "[b=2]", "[c, d]"), "inhibits all that this"),
    ("fewer targets", ("[s=x]", "[s!=x]", "[c]"), ("[s=x]", "[s=y]", "[c]"), "inhibits all that this"),
    ("other equal labels", ("[a=1]", "[b=2]", "[c]"), ("[a=1]", "[b=2]", "[d]"), None),
    ("another source", ("[s=x]", "[s=y]", "[c]"), ("[s=z]", "[s=y]", "[c]"), None),
    ("an exception for both sides", ("[a=1]", "[]", "[c]"), ("[a=1]", "[a=~1|2]", "[c]"), "inhibits all"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "first", "second", "reason"), COVERED)
def test_a_rule_that_another_covers(found, why, first, second, reason):
    said = found(rules(first, second), "TOC205")
    assert len(said) == bool(reason)
    assert all(one.startswith("3:5 this rule has no effect") and reason in one for one in said)


def test_without_equal_a_source_anywhere_counts_unless_it_is_one_alert(found):
    assert found(rules(("[severity=x]", "[severity=y]", "[]")), "TOC206") == [
        "2:5 one source anywhere inhibits all targets everywhere, since the rule has no equal"
    ]
    assert found(rules(("[alertname=Down]", "[severity=y]", "[]")), "TOC206") == []


# --- what is said is true ------------------------------------------------------------------------------

VALUES = ("", "a", "b")
ALERTS = [dict(zip("pq", values, strict=True)) for values in itertools.product(VALUES, repeat=2)]
matchers = st.lists(
    st.builds(
        lambda name, rest: name + rest,
        st.sampled_from("pq"),
        st.sampled_from(['="a"', '!="a"', '=~"a|b"', '=""']),
    ),
    max_size=2,
)
labels = st.lists(st.sampled_from("pq"), max_size=1)
rule = st.builds(dict, source_matchers=matchers, target_matchers=matchers, equal=labels)


def inhibits(rule, source, target):
    return (
        matches_all(rule.source, source)
        and matches_all(rule.target, target)
        and all(source[name] == target[name] for name in rule.equal)
        and not (matches_all(rule.source, target) and matches_all(rule.target, source))
    )


@given(st.lists(rule, min_size=1, max_size=4))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_rule_is_idle_or_covered_if_that_is_said_and_only_then(tmp_path, written):
    file = tmp_path / "tocsin.yaml"
    file.write_text(
        json.dumps({"route": {"receiver": "r"}, "receivers": [{"name": "r"}], "inhibit_rules": written})
    )
    document, config, _ = examine(file, {})
    subject = Subject(document, config)
    said = {
        (finding.path.split(".")[0], finding.id)
        for finding in run((*inhibition.CHECKS, *inhibition_circles.CHECKS), subject)
    }
    acts = [
        {(i, j) for i, s in enumerate(ALERTS) for j, t in enumerate(ALERTS) if inhibits(rule, s, t)}
        for rule in subject.plan.inhibition.rules
    ]
    for at, pairs in enumerate(acts):
        idle = bool({(f"inhibit_rules[{at}]", code) for code in ("TOC202", "TOC203", "TOC204")} & said)
        assert idle == (not pairs)
        if (f"inhibit_rules[{at}]", "TOC205") in said:
            assert any(pairs <= others for i, others in enumerate(acts) if i != at)
    circular = any(code == "TOC201" for _, code in said)
    assert circular == _circle(acts)


def _circle(acts) -> bool:
    """Whether some alert can be reached from itself, going from source to target."""
    reach = set().union(*acts)
    while more := {(a, d) for a, b in reach for c, d in reach if b == c} - reach:
        reach |= more
    return any(a == b for a, b in reach)
