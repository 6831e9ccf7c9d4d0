"""Groups, timers and intervals: `TOC401` to `TOC409`."""

from datetime import UTC, datetime

import pytest

PAGER = "receivers: [{name: p, pagerduty_configs: [{routing_key: '${PAGERDUTY_KEY}'}]}, {name: h}]\n"
GROUPS = [
    ("instance", "{receiver: p, group_by: [alertname, instance]}", "1:32 grouped by instance"),
    ("everything", "{receiver: p, group_by: [...]}", "1:32 grouped by all labels"),
    (
        "inherited",
        "{receiver: h, group_by: [pod], routes: [{matchers: [a=1], receiver: p}]}",
        "1:32 grouped by",
    ),
    ("a policy", "{receiver: h, routes: [{policy: x, group_by: [pod, id]}]}", "1:53 grouped by id and pod"),
    ("coarse", "{receiver: p, group_by: [alertname, cluster]}", None),
    ("nobody's phone", "{receiver: h, group_by: [alertname, instance]}", None),
    ("coarse again", "{receiver: h, group_by: [pod], routes: [{receiver: p, group_by: [job]}]}", None),
]
POLICY = "escalation_policies: [{name: x, steps: [{notify: [{receiver: p}]}]}]\n"


@pytest.mark.parametrize(("why", "route", "said"), GROUPS)
def test_groups_that_explode_where_they_page(found, why, route, said):
    text = f"route: {route}\n" + PAGER + POLICY
    assert [one[: len(said or "")] for one in found(text, "TOC401")] == ([said] if said else [])


@pytest.mark.parametrize(
    ("route", "places"),
    [
        ("{receiver: p}", ["1:8"]),
        ("{receiver: h, routes: [{matchers: [a=1], policy: x}]}", ["1:8"]),
        ("{receiver: p, routes: [{matchers: [a=1], group_by: []}, {matchers: [a=2]}]}", ["1:8", "1:59"]),
        ("{receiver: h, routes: [{matchers: [alertname=Down], policy: x}]}", []),
        ("{receiver: p, routes: [{receiver: h}]}", []),
        ("{receiver: p, group_by: [job]}", []),
        ("{receiver: p, group_by: [...]}", []),
        ("{receiver: h}", []),
    ],
)
def test_everything_in_one_incident_where_it_pages(found, route, places):
    said = found(f"route: {route}\n{PAGER}{POLICY}", "TOC402")
    assert [one.split()[0] for one in said] == places


TIMERS = [
    ("repeat_interval: 1m", "TOC403", "1:39 repeat_interval (1m) is shorter than group_interval (5m)"),
    ("group_interval: 5h", "TOC403", "1:38 repeat_interval (4h) is shorter than group_interval (5h)"),
    ("group_wait: 1h30m", "TOC404", "1:34 group_wait (1h30m) is longer than group_interval (5m)"),
    ("group_interval: 10s", "TOC404", "1:38 group_wait (30s) is longer than group_interval (10s)"),
    ("group_interval: 5m, repeat_interval: 5m, group_wait: 5m", None, ""),
]


@pytest.mark.parametrize(("timers", "code", "said"), TIMERS)
def test_timers_that_do_not_work_together(check, timers, code, said):
    found = [one for one in check(f"route: {{receiver: h, {timers}}}\n") if one.id in ("TOC403", "TOC404")]
    assert [one.id for one in found] == ([code] if code else [])
    assert all(f"{one.line}:{one.column} {one.reason}".startswith(said) for one in found)


def test_timers_from_above_are_said_once_where_they_stand(found):
    text = "route: {receiver: h, repeat_interval: 1m, routes: [{matchers: [a=1]}, {matchers: [a=2]}]}\n"
    assert len(found(text, "TOC403")) == 1


NOW = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp() * 1_000)
INTERVALS = [
    ("{days_of_month: ['31'], months: [april]}", "never"),
    ("{days_of_month: ['30'], months: [february]}", "never"),
    ("{days_of_month: ['29'], months: [february], weekdays: [monday]}", ""),
    ("{years: ['2020:2025']}", "never"),
    ("{years: ['2026']}", ""),
    ("{years: ['2090']}", ""),
    ("{years: ['2026'], months: ['1:10']}", "never"),
    ("{}", "always"),
    ("{weekdays: ['sunday:saturday'], days_of_month: ['1:31']}", "always"),
    ("{weekdays: ['monday:friday']}, {weekdays: [saturday, sunday]}", "always"),
    ("{weekdays: ['monday:friday']}, {weekdays: [saturday]}", ""),
    ("{times: [{start_time: '00:00', end_time: '24:00'}], location: Europe/Berlin}", "always"),
    ("{times: [{start_time: '00:00', end_time: '23:59'}]}", ""),
    ("{days_of_month: ['-31:-1']}", "always"),
    ("{years: ['2026:2030']}", ""),
]


@pytest.mark.parametrize(("periods", "holds"), INTERVALS)
def test_an_interval_that_never_or_always_holds(check, periods, holds):
    text = f"time_intervals: [{{name: x, time_intervals: [{periods}]}}]\n"
    codes = {"TOC406": "never", "TOC407": "always"}
    found = [one for one in check(text, now=NOW) if one.id in codes]
    assert [(codes[one.id], one.column) for one in found] == ([(holds, 25)] if holds else [])


def test_a_route_with_no_moment_left_and_an_interval_that_no_route_names(found):
    text = """\
        time_intervals:
          - {name: days, time_intervals: [{weekdays: ['monday:friday']}]}
          - {name: nights, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}
          - {name: mondays, time_intervals: [{weekdays: [monday]}]}
        route:
          receiver: a
          routes:
            - {matchers: [x=1], active_time_intervals: [mondays], mute_time_intervals: [days]}
            - {matchers: [x=2], active_time_intervals: [days], mute_time_intervals: [mondays]}
        """
    assert found(text, "TOC408", "TOC409") == [
        "3:12 no route and no policy names the time interval 'nights'",
        "8:80 this route may never tell anybody: its intervals leave no moment for it",
    ]
