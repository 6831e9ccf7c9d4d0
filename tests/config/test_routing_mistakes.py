"""Mistakes in inhibition rules and time intervals: what is said of them, and where."""

import pytest

from config.load import ConfigError, load_text

GOOD = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def told(text):
    with pytest.raises(ConfigError) as caught:
        load_text(GOOD + text, "f.yaml", {"KEY": "x"})
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{source_matchers: [a]}", "3:37: inhibit_rules[0].source_matchers[0]: no operator after 'a'"),
        (
            "{target_matchers: a=b}",
            "3:35: inhibit_rules[0].target_matchers: 'a=b' cannot be here; expected a",
        ),
        ("{target_matchers: ['a=~\"(\"']}", "inhibit_rules[0].target_matchers[0]: not a regular expression"),
        ("{source_match: {a-b: c}}", "3:33: inhibit_rules[0].source_match.a-b: 'a-b' is no label name"),
        ("{target_match_re: {a: '['}}", "3:40: inhibit_rules[0].target_match_re.a: not a regular expression"),
        ("{equal: a}", "3:25: inhibit_rules[0].equal: 'a' cannot be here; expected a list"),
        ("{equal: ['']}", "3:27: inhibit_rules[0].equal[0]: '' is no label name"),
        (
            "{source: [a=b]}",
            "there is no key 'source' here; expected one of name, source_matchers, target_mat",
        ),
        ("a", "3:17: inhibit_rules[0]: 'a' cannot be here; expected a mapping"),
    ],
)
def test_each_mistake_in_an_inhibition_rule_is_told_with_its_place(rule, expected):
    problems = told(f"inhibit_rules: [{rule}]")
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize("key", ["time_intervals", "mute_time_intervals"])
@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("times: [{start_time: '9:00', end_time: '17:00'}]", "'9:00' is no time of day; expected HH:MM"),
        ("times: [{start_time: '22:00', end_time: '06:00'}]", "06:00 is not after 22:00"),
        ("times: [{start_time: '22:00'}]", "times[0].end_time: this key is missing"),
        ("weekdays: ['friday:monday']", "weekdays[0]: 'friday:monday' runs backwards"),
        ("weekdays: [mon]", "'mon' is no weekday"),
        ("weekdays: monday", "weekdays: 'monday' cannot be here; expected a list"),
        ("days_of_month: ['0']", "days_of_month[0]: there is no day 0 in a month"),
        ("months: [juny]", "months[0]: 'juny' is no month"),
        ("years: ['2028:2026']", "years[0]: '2028:2026' runs backwards"),
        ("location: Mars/Base", "location: 'Mars/Base' is no time zone known here"),
        ("hours: [1]", "there is no key 'hours' here"),
    ],
)
def test_each_mistake_in_an_interval_is_told_with_its_place(key, period, expected):
    problems = told(f"{key}:\n  - name: a\n    time_intervals:\n      - {period}\n")
    assert any(expected in problem and "f.yaml:6:" in problem for problem in problems), problems


def test_times_that_run_backwards_are_told_where_they_begin():
    (problem,) = told(
        "time_intervals: [{name: a, time_intervals: [{times: [{start_time: '22:00', end_time: '06:00'}]}]}]"
    )
    assert "f.yaml:3:54: time_intervals[0].time_intervals[0].times[0]: 06:00 is not after 22:00" in problem


def test_both_lists_of_intervals_share_their_names():
    (problem,) = told("time_intervals: [{name: a}]\nmute_time_intervals: [{name: a}]\n")
    assert problem.startswith("f.yaml:4:30: mute_time_intervals[0].name: the interval 'a' stands here twice")


@pytest.mark.parametrize("key", ["inhibit_grace", "inhibit_release"])
def test_durations_of_inhibition_have_units(key):
    (problem,) = told(f"{key}: 2\n")
    assert f"{key}: a number without a unit; expected a duration" in problem


def test_an_interval_that_is_nearly_named_is_suggested():
    text = (
        "route: {receiver: a, routes: [{mute_time_intervals: [night]}]}\n"
        "receivers: [{name: a}]\ntime_intervals: [{name: nights}]\n"
    )
    with pytest.raises(ConfigError, match="did you mean 'nights'"):
        load_text(text, "f.yaml", {})
