"""Steps, hand-overs, schedules and persons that do not do what is meant: `TOC313` to `TOC323`."""

import pytest

HOOK = "webhook_configs: [{url: 'http://127.0.0.1:5001/'}]"
TELLS = "notify: [{receiver: a}]"
TEXT = """\
severities: {names: [critical, high, low], default: low}
time_intervals:
  - {name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}
  - {name: day, time_intervals: [{times: [{start_time: '06:00', end_time: '24:00'}]}]}
route:
  receiver: a
  group_by: [alertname]
  routes: [ROUTES]
escalation_policies:
  - {name: page, steps: [STEPS]}
  - {name: more, steps: [{notify: [{receiver: a}]}, {after: 1h, notify: [{receiver: b}]}]}
receivers: [{name: a, HOOK}, {name: b, HOOK}]
""".replace("HOOK", HOOK)
ROUTE = "{matchers: [severity=high], policy: page}"


def text(steps, routes=ROUTE):
    return TEXT.replace("ROUTES", routes).replace("STEPS", steps).replace("TELLS", TELLS)


NEVER = [
    ("{TELLS, when: [alertname=x, alertname=y]}", ROUTE, "exclude each other"),
    ("{TELLS, when: [alertname=x]}", "{matchers: [alertname=y], policy: page}", "no incident that comes to"),
    ("{TELLS, when: [alertname=x]}", "{matchers: [alertname=~x|y], policy: page}", ""),
    ("{TELLS, when: [team=x]}", ROUTE, ""),
    ("{TELLS, when: [severity=low]}", ROUTE, "no incident that comes to"),
    ("{TELLS, when: [severity=critical]}", ROUTE, ""),  # it may rise
    ("{TELLS, when: [severity=~high|low]}", ROUTE, ""),
    ("{TELLS, when: [severity=low]}", "{matchers: [severity!=high], policy: page}", ""),
    ("{TELLS, when: [job=x]}", ROUTE, "no incident that comes to"),  # not grouped by
    ("{TELLS, when: [job!=x]}", ROUTE, ""),
    ("{TELLS, when: [job=x]}", "{group_by: ['...'], policy: page}", ""),
    ("{TELLS, during: [night]}", "{policy: page, mute_time_intervals: [night]}", "the routes to this policy"),
    ("{TELLS, during: [night]}", "{policy: page, mute_time_intervals: [day]}", ""),
    ("{TELLS, during: [night]}", "{policy: page, active_time_intervals: [day]}", "the routes to this policy"),
    ("{TELLS, during: [night, day]}", "{policy: page, active_time_intervals: [day]}", ""),
    ("{TELLS, during: [night]}", "{policy: page, active_time_intervals: [day]}, {policy: page}", ""),
]  # fmt: skip


@pytest.mark.parametrize(("step", "routes", "expected"), NEVER)
def test_a_step_that_is_never_carried_out(found, step, routes, expected):
    routes = routes.replace("{policy", "{matchers: [x=y], continue: true, policy")
    said = found(text(step, routes), "TOC313")
    assert [expected in one for one in said] == [True] * bool(expected)


def test_a_step_may_be_carried_out_for_an_incident_that_was_handed_over(found):
    steps = "{TELLS}, {after: 5m, policy: more}"
    handed = text(steps).replace("{after: 1h, ", "{after: 1h, when: [alertname=x], ")
    assert found(handed, "TOC313") == []
    assert len(found(handed.replace("severity=high]", "alertname=y]"), "TOC313")) == 1


@pytest.mark.parametrize(
    ("when", "routes", "count"),
    [
        ("[job=x]", ROUTE, 1),
        ("[job!=x]", ROUTE, 1),
        ("[alertname=x, severity=high, team=x]", ROUTE, 0),
        ("[job=x]", "{group_by: [job], policy: page}", 0),
        ("[job=x]", "{group_by: ['...'], policy: page}", 0),
    ],
)
def test_a_step_asks_for_a_label_that_incidents_do_not_have(found, when, routes, count):
    said = found(text(f"{{TELLS, when: {when}}}", routes), "TOC314")
    assert len(said) == count
    assert all(
        "it asks for the label 'job', by which the route in line 8 does not group" in one for one in said
    )


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ("after: 5m", "after: 5m", 1),
        ("after: 5m", "after: 6m", 0),
        ("after: 5m", "after: 5m, unless: resolved", 0),
        ("after: 5m, when: [alertname=x]", "after: 5m, when: [alertname!=x]", 0),
        ("after: 5m, when: [alertname=x]", "after: 5m, when: [alertname=x]", 1),
        ("after: 5m, during: [night]", "after: 5m, during: [day]", 0),
        ("after: 5m", "after: 5m, policy: more", 0),
    ],
)
def test_two_steps_at_the_same_time(found, first, second, count):
    said = found(text(f"{{TELLS}}, {{TELLS, {first}}}, {{TELLS, {second}}}"), "TOC315")
    assert len(said) == count
    assert all("together with the one in line 10, 5m after the first" in one for one in said)


def test_a_first_step_that_does_not_come_again(found):
    assert found(text("{TELLS, unless: resolved}, {TELLS, after: 5m, unless: resolved}"), "TOC316") == [
        "10:52 this step does not come again when an acknowledgement ends"
    ]


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ("{TELLS}", 1),
        ("{TELLS, when: [a=b]}, {TELLS, when: [a!=b]}", 1),
        ("{TELLS}, {TELLS, after: 5m}", 0),
        ("{TELLS, every: 5m}", 0),
        ("{TELLS}, {after: 5m, policy: more}", 0),
        ("{TELLS}], repeat: 2, fallback: [{receiver: a}", 0),
    ],
)
def test_a_policy_that_tells_people_once(found, steps, count):
    assert len(found(text(steps), "TOC317")) == count


def test_only_of_policies_that_routes_name_it_is_said_that_they_tell_people_once(found):
    assert found(text("{TELLS}").replace("policy: page", "policy: more"), "TOC317") == []


@pytest.mark.parametrize(
    ("targets", "count"),
    [
        ("{receiver: none}", 1),
        ("{receiver: none}, {receiver: a}", 0),
        ("{receiver: none}, {team: slack}", 0),
        ("{receiver: a}", 0),
    ],
)
def test_a_step_whose_receivers_are_empty(found, targets, count):
    config = "global: {slack_app_token: x}\n" + text(f"{{TELLS}}, {{after: 5m, notify: [{targets}]}}")
    assert len(found(config.replace("receivers: [", "receivers: [{name: none}, "), "TOC323")) == count


LOOPS = """\
route: {receiver: a, routes: [{matchers: [x=y], policy: NAME}]}
escalation_policies:
  - name: one
    steps: [{TELLS}, {after: 5m, policy: two}]
  - name: two
    steps: [{TELLS}, {after: 5m, policy: three}]
  - name: three
    steps: [{TELLS}, {after: 5m, policy: BACK}]
""".replace("TELLS", TELLS)


@pytest.mark.parametrize(
    ("name", "back", "expected"),
    [
        (
            "one",
            "one",
            ["8:60 the policy 'one' runs already, since the incident came from there by the steps in"],
        ),
        (
            "one",
            "two",
            ["8:60 the policy 'two' runs already, since the incident came from there by the step in"],
        ),
        (
            "two",
            "one",
            ["4:60 the policy 'two' runs already, since the incident came from there by the steps in"],
        ),
        ("one", "four", []),
    ],
)
def test_policies_that_hand_over_in_a_circle(found, name, back, expected):
    four = f"  - {{name: four, steps: [{{{TELLS}}}]}}\n"
    said = found(LOOPS.replace("NAME", name).replace("BACK", back) + four, "TOC318")
    assert [one[: len(start)] for one, start in zip(said, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("severity", "routes", "count"),
    [
        ("critical", ROUTE, 0),
        ("high", ROUTE, 1),
        ("low", ROUTE, 1),
        ("high", "{matchers: [severity=~critical|low], policy: page}", 0),
        ("high", "{matchers: [severity!=low], policy: page}", 0),  # what says nothing is low
        ("high", "{matchers: [severity=~critical|high], policy: page}", 1),
        ("high", "{matchers: [x=y], policy: page}", 0),
        ("high", ROUTE + ", {matchers: [severity=low], policy: page}", 0),
    ],
)
def test_a_hand_over_with_a_severity_that_is_no_worse(found, severity, routes, count):
    step = f"{{after: 5m, policy: more, severity: {severity}}}"
    assert len(found(text(f"{{TELLS}}, {step}", routes), "TOC320")) == count


SCHEDULES = """\
global: {slack_app_token: x}
users: [{name: dana, slack_id: U024BE7LH}]
schedules:
  - name: week
    time_zone: Europe/Berlin
    layers:
      - people: [dana]
        start: 2026-11-02 09:00
        restrictions: [{weekdays: ['monday:friday']}]
  - {name: always, layers: [{people: [dana], start: 2026-11-02}]}
teams: [{name: x, on_call: week}, {name: y, on_call: always}]
route: {receiver: a, routes: [{policy: page}]}
escalation_policies:
  - {name: page, fallback: [{receiver: a}], steps: [{STEP}]}
"""
FRIDAY = 1_795_791_600_000  # 2026-11-27 16:00 in Berlin


@pytest.mark.parametrize(
    ("step", "count"),
    [
        ("notify: [{schedule: week}]", 1),
        ("notify: [{team: on_call}]", 1),
        ("notify: [{schedule: always}]", 0),
        ("notify: [{schedule: week}, {schedule: always}]", 1),
        ("notify: [{schedule: week}, {receiver: a}]", 0),
        ("notify: [{schedule: week}], uncovered: fallback", 0),
        ("notify: [{schedule: week}], uncovered: next", 0),
    ],
)
def test_a_step_for_whoever_is_on_call_when_nobody_is(found, step, count):
    when = "from Sat 2026-11-28 00:00 to Mon 2026-11-30 00:00 (Europe/Berlin) nobody is on call in 'week'"
    said = found(SCHEDULES.replace("STEP", step), "TOC321", now=FRIDAY)
    assert [when in one for one in said] == [True] * count


def test_users_in_schedules_are_named(found):
    assert found(SCHEDULES.replace("STEP", "notify: [{schedule: week}]"), "TOC311") == []


@pytest.mark.parametrize(
    ("contact", "where"),
    [
        ("[slack, {email: 5m}]", []),
        ("[{email: 1s}, slack]", []),
        (
            "[{slack: 1m}, {email: 5m}]",
            ["2:65 of what is critical this user hears after 1m, and not at once"],
        ),
        ("{high: [{email: 1m}]}", []),
        (
            "{Critical: [{email: 1m}], default: [slack]}",
            ["2:75 of what is critical this user hears after 1m"],
        ),
        ("{high: [slack], default: [{email: 1m}]}", ["2:90 of what is critical this user hears after 1m"]),
    ],
)
def test_a_person_who_hears_nothing_at_once(found, contact, where):
    user = f"{{name: d, email: d@x, slack_id: U024BE7LH, contact: {contact}}}"
    said = found(f"route: {{receiver: a}}\nusers: [{user}]\n", "TOC322")
    assert [place.partition(" ")[2] in one for one, place in zip(said, where, strict=True)] == [True] * len(
        where
    )


def test_a_time_interval_of_a_step_is_used(found):
    assert found(text("{TELLS, during: [night]}"), "TOC409") == [
        "4:12 no route and no policy names the time interval 'day'"
    ]


@pytest.mark.parametrize(("when", "code"), [("[severity=hihg]", "TOC308"), ("[team=x]", "TOC309")])
def test_words_in_when_are_known_ones(found, when, code):
    teams = "teams: [{name: db, email: d@x}]\n"
    assert len(found(teams + text(f"{{TELLS, when: {when}}}"), code)) == 1
