"""Inhibition judged by the alerts of rule files: what never happens, what always does, and circles."""

import pytest

CLOSED = "sum by ({}) (up) == 0"


def rules(*alerts):
    """Each alert is (name, by which labels, what else it is set to)."""
    texts = [
        f"{{alert: {name}, expr: '{CLOSED.format(by)}', labels: {{{labels}}}}}" for name, by, labels in alerts
    ]
    return "groups:\n- name: g\n  rules:\n" + "".join(f"  - {text}\n" for text in texts)


def inhibit(*written):
    """Each rule is (source, target, equal)."""
    return "inhibit_rules:\n" + "".join(
        f"  - {{source_matchers: [{source}], target_matchers: [{target}], equal: [{equal}]}}\n"
        for source, target, equal in written
    )


DOWN, SLOW = ("Down", "job", "severity: critical"), ("Slow", "job", "severity: high")


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("alertname=Down", "severity=high", ""),
        ("alertname=Dawn", "severity=high", 'a source of this rule, alertname="Dawn": it never inhibits'),
        ("alertname=Down", "severity=low", 'a target of this rule, severity="low": it never inhibits'),
        ("severity=critical, job=x", "job=x", ""),
    ],
)
def test_a_rule_that_no_alert_can_meet_is_found(found, source, target, reason):
    told = found(inhibit((source, target, "job")), "TOC609", rules=rules(DOWN, SLOW))
    assert [one.partition(" can be ")[2] for one in told] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        (("Down", "job", "severity: critical"), ("Slow", "job", "severity: high"), ""),
        (
            ("Down", "", "severity: critical"),
            ("Slow", "", "severity: high"),
            "no source and no target has job",
        ),
        (("Down", "", "severity: critical"), ("Slow", "", "severity: high, job: x"), "no source has job"),
        (("Down", "", "severity: critical, job: x"), ("Slow", "", "severity: high"), "all sources have job"),
        (("Down", "", "severity: critical"), ("Slow", "job", "severity: high"), ""),
    ],
)
def test_a_label_in_equal_that_one_side_lacks_is_found(found, source, target, reason):
    config = inhibit(("severity=critical", "severity=high", "job"))
    told = found(config, "TOC610", rules=rules(source, target))
    assert [reason in one for one in told] == ([True] if reason else [])


def test_targets_that_a_rule_passes_by_are_named(found):
    config = inhibit(("severity=critical", "severity=high", "job"))
    alerts = [("Down", "", "severity: critical, job: x"), SLOW]
    alerts += [(f"Other{at}", "", "severity: high") for at in range(7)]
    (told,) = found(config, "TOC611", rules=rules(*alerts))
    names = "Other0, Other1, Other2, Other3, Other4 and 2 more"
    assert told.endswith(f"this rule never inhibits {names}, for want of the label job")


def test_a_circle_is_told_with_the_names_of_its_alerts(found):
    config = inhibit(
        ("alertname=FreeAgenticsSystemDown", 'alertname=~".+"', "job"),
        ("alertname=AgentCoordinationFailure", 'alertname=~".*Agent.*"', "job"),
    )
    alerts = rules(("FreeAgenticsSystemDown", "job", ""), ("AgentCoordinationFailure", "job", ""), SLOW)
    (told,) = found(config, "TOC612", rules=alerts)
    assert told.partition(" ")[2] == (
        "FreeAgenticsSystemDown inhibits AgentCoordinationFailure, and AgentCoordinationFailure inhibits "
        "FreeAgenticsSystemDown where job is the same, through the rules in lines 2 and 3"
    )


def test_a_circle_of_three_is_found(found):
    config = inhibit(*((f"alertname={a}", f"alertname={b}", "") for a, b in ("AB", "BC", "CA")))
    (told,) = found(config, "TOC612", rules=rules(*((name, "", "") for name in "ABC")))
    assert (
        "A inhibits B, and B inhibits C, and C inhibits A, through the rules in lines 2 and 3 and 4" in told
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("A", "", "job: x"), ("B", "", "job: y")),  # never equal
        (("A", "", "job: x"), ("B", "", "")),
    ],
)
def test_alerts_that_are_never_equal_make_no_circle(found, first, second):
    config = inhibit(("alertname=A", "alertname=B", "job"), ("alertname=B", "alertname=A", "job"))
    assert found(config, "TOC612", rules=rules(first, second)) == []


def test_a_circle_of_alerts_that_do_not_exist_is_left_to_toc201(found):
    config = inhibit(("alertname=A", "alertname=B", ""), ("alertname=B", "alertname=A", ""))
    assert found(config, "TOC612", rules=rules(("A", "", ""), ("C", "", ""))) == []
    assert len(found(config, "TOC201", rules=rules(("A", "", "")))) == 1
