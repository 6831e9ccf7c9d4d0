"""What is known beforehand of an alert's labels: a table of rules, and what is claimed of them."""

import pytest

from config.alert_labels import labels_of, result_labels
from config.rule_files import read_rules


def shown(labels):
    """`a=x|y` for its possible values, `a=?` for any, `a=+` for any but none; `...` if there may be more."""
    texts = []
    for name, values in sorted(labels.known.items()):
        what = "?" if not values.present else "+"
        only = None if values.only is None else "|".join(sorted(values.only))
        texts.append(f"{name}={what if only is None else only}")
    return " ".join(texts + ["..."] * labels.more)


@pytest.mark.parametrize(
    ("expr", "known"),
    [
        ("up", "..."),
        ('up{job="x"} == 0', "job=x ..."),
        ('up{job="x", job!="y", env=~"a|b", env!="b", d=~".+", e!="f", g=""}', "d=+ e=? env=a g= job=x ..."),
        ("1", ""),
        ("vector(1)", ""),
        ("time() > 5", ""),
        ("hour() > 5", ""),
        ('hour(up{a="b"})', "a=b ..."),
        ("sum(up)", ""),
        ('sum by (job, env) (up{job="x"})', "env=? job=x"),
        ('sum without (job) (up{job="x"})', "job= ..."),
        ('topk by (job) (3, up{job="x"})', "job=x ..."),
        ('count_values by (a) ("version", up)', "a=? version=+"),
        ('quantile_over_time(0.9, up{a="b"}[5m])', "a=b ..."),
        ('rate(up{a="b"}[5m]) > 0.1', "a=b ..."),
        ("histogram_quantile(0.9, sum by (le, job) (rate(x[5m]))) > 1", "job=? le=?"),
        ('absent(up{job="x", env=~"a|b"})', "env= job=x"),
        ('absent(sum(up{job="x"}))', ""),
        ('absent((up{job="x"}))', "job=?"),
        ('absent_over_time(up{job="x", job!=""}[5m])', "job=?"),
        ('label_replace(up, "a", "b", "", "")', "a=b ..."),
        ('label_replace(up, "a", "b", "c", "d")', "a=? ..."),
        ('label_replace(sum by (c) (up), "a", "b", "c", "d")', "a=|b c=?"),
        ('label_replace(up, "a", "$1", "c", "(.*)")', "a=? ..."),
        ('label_join(up, "a", "-", "b", "c")', "a=? ..."),
        ('info(up{a="b"})', "..."),
        ('up{a="b"} or up{a="c"}', "a=b|c ..."),
        ('up{a="b"} or sum(up)', "a=|b ..."),
        ('up{a="b"} unless up{c="d"}', "a=b ..."),
        ('up{a="b"} > up{c="d"}', "a=b c=d ..."),
        ('up{a="b"} and on (e) up{c="d", e="f"}', "a=b e=f ..."),
        ('up{a="b"} / on (e, a) up{e="f"}', "a=b e=f"),
        ('up{a="b"} / ignoring (a) up{e="f"}', "a= e=f ..."),
        ('up{a="b"} * on (e) group_left (v) up{e="f", v="1"}', "a=b e=f v=1 ..."),
        ('up{v="1"} * on (e) group_right (v) up{a="b"}', "a=b e=? v=1 ..."),
        ("sum by (a) (up) > 1", "a=?"),
        ('-up{a="b"}', "a=b ..."),
        ('max_over_time((up{a="b"} == 0)[1h:5m])', "a=b ..."),
        ("this is not PromQL", "..."),
    ],
)  # fmt: skip
def test_of_a_result_only_what_is_certain_is_claimed(expr, known):
    assert shown(result_labels(expr)) == known


def rule(text):
    (found,) = read_rules(f"groups: [{{name: g, rules: [{{alert: A, {text}}}]}}]", "r.yml")
    return found


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("expr: up", "alertname=A ..."),
        ("expr: sum(up), labels: {severity: high}", "alertname=A severity=high"),
        ("expr: 'sum by (team) (up)', labels: {team: '{{ $labels.team }}'}", "alertname=A team=?"),
        ("expr: 'sum by (team) (up)', labels: {team: ''}", "alertname=A team="),
        ("expr: 'up{alertname=\"B\"}', labels: {alertname: C}", "alertname=A ..."),
    ],
)
def test_the_labels_of_the_rule_come_over_those_of_the_expression(text, known):
    assert shown(labels_of(rule(text))) == known


@pytest.mark.parametrize(
    ("text", "external", "known"),
    [
        ("expr: sum(up)", {"env": "prod"}, "alertname=A env=prod"),
        ("expr: 'sum by (env) (up)'", {"env": "prod"}, "alertname=A env=+"),
        ("expr: sum(up), labels: {env: test}", {"env": "prod"}, "alertname=A env=test"),
        ("expr: sum(up)", {"env": None}, "alertname=A env=+"),
        ("expr: 'up{env=~\"|a\"} == sum by (env) (up)'", {"env": "c"}, "alertname=A env=+"),
    ],
)  # fmt: skip
def test_external_labels_are_added_where_they_are_missing(text, external, known):
    assert shown(labels_of(rule(text), external)) == known
