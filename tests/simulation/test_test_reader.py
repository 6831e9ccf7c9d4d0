"""Files of routing tests: what they mean, and what is said where something in them is wrong."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.problems import ConfigError
from gateway.simulation.test_reader import MONDAY, read_suite

S, M, H = 1_000, 60_000, 3_600_000
FIRES = "{labels: {alertname: A}, fires: 30m}"
HEAD = "config: c.yaml\ntests:\n  - name: n\n"


def read(text):
    return read_suite(text, Path("dir/t.yaml"))


def case(below, top=""):
    (one,) = read(f"config: c.yaml\n{top}\ntests:\n- name: n\n  alerts: [{FIRES}]\n  {below}\n").cases
    return one


def problems(text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


# --- what is read ----------------------------------------------------------------------------------------


def test_a_test_has_what_is_written():
    one = case(
        """at: 2026-12-24T03:00+01:00
  until: 2h
  answers: [{at: 20m, ack: dana}, {at: 25m, snooze: lee, for: 1h, incident: 2}]
  silences: [{matchers: [a="b", 'c=~"d|e"'], at: 1m, for: 2h}]
  failures: [{what: slack, for: 30m}, {what: pagerduty, refused: true}]
  expect_route: critical
  expect_inhibited_by: []
  expect_silent: {after: 20m, until: 1h}"""
    )
    assert one.at == 1_798_077_600_000
    assert one.until == 2 * H
    assert [(a.at, a.verb, a.by, a.lasts, a.incident) for a in one.answers] == [
        (20 * M, "ack", "dana", 0, 0),
        (25 * M, "snooze", "lee", H, 2),
    ]
    ((silence),) = one.silences
    assert ([str(m) for m in silence.matchers], silence.at, silence.lasts) == (
        ['a="b"', 'c=~"d|e"'],
        M,
        2 * H,
    )
    assert [(f.what, f.at, f.lasts, f.refused) for f in one.failures] == [
        ("slack", 0, 30 * M, False),
        ("pagerduty", 0, None, True),
    ]
    assert one.route is not None
    assert one.route.names == ("critical",)
    assert one.inhibited_by is not None
    assert one.inhibited_by.names == ()
    assert one.silent is not None
    assert (one.silent.since, one.silent.until) == (20 * M, H - 1)


def test_a_test_that_says_no_time_begins_on_a_monday_at_noon_whenever_it_runs():
    assert case("expect_silent: true").at == MONDAY


@pytest.mark.parametrize(
    ("written", "kind", "name"),
    [
        ("pagerduty", "receiver", "pagerduty"),
        ("team-a/b", "receiver", "team-a/b"),
        ('"user:dana"', "user", "dana"),
        ('"team:db"', "team", "db"),
        ('"slack:#db"', "slack", "#db"),
        ('"mail:a@b.c"', "mail", "a@b.c"),
        ('"webhook:w"', "webhook", "w"),
        ('"pagerduty:p"', "pagerduty", "p"),
        ('"odd:name"', "receiver", "odd:name"),
    ],
)
def test_who_is_told_has_a_name_of_some_kind(written, kind, name):
    ((told,),) = (one.told for one in case(f"expect: [{{at: 0s, told: [{written}]}}]").expect)
    assert (told.kind, told.name) == (kind, name)


@pytest.mark.parametrize(
    ("written", "since", "until"),
    [
        ("at: 5m, ", 5 * M, 5 * M + 5 * S),
        ("at: 5m, within: 1m, ", 5 * M, 6 * M),
        ("at: 0s, within: 0s, ", 0, 0),
        ("", 0, None),
        ("after: 1m, ", M, None),
        ("until: 15m, ", 0, 15 * M - 1),
        ("after: 1m, until: 2m, ", M, 2 * M - 1),
    ],
)
def test_an_expectation_holds_for_a_time(written, since, until):
    (one,) = case(f"expect: [{{{written}told: a}}]").expect
    assert (one.since, one.until) == (since, until)


def test_the_file_says_how_long_after_its_time_an_expectation_may_be_met():
    (one,) = case("expect: [{at: 1m, told: a}]", "defaults: {within: 1m}").expect
    assert one.until == 2 * M


def test_what_a_test_does_not_say_comes_from_the_defaults():
    given = "defaults: {at: 2026-01-01T00:00Z, answers: [{at: 1m, ack: x}], silences: [{matchers: [a=b]}]}"
    one = case("answers: []", given)
    assert (one.at, one.answers, len(one.silences)) == (1_767_225_600_000, (), 1)


def test_times_without_an_offset_are_by_the_clock_of_the_zone():
    assert case("at: 2026-12-24T03:00", "zone: Europe/Berlin").at == 1_798_077_600_000


def test_every_alert_has_the_labels_of_the_defaults_unless_it_says_otherwise():
    (one,) = read(
        """config: c.yaml
defaults: {labels: {cluster: prod, team: db}}
tests: [{name: n, alerts: [{labels: {alertname: A, team: web}}, {labels: {alertname: B, cluster: ''}}]}]"""
    ).cases
    assert [dict(alert.labels) for alert in one.alerts] == [
        {"cluster": "prod", "team": "web", "alertname": "A"},
        {"team": "db", "alertname": "B"},
    ]


def test_alerts_with_a_name_can_be_used_by_it_and_changed():
    (one,) = read(
        """config: c.yaml
alerts: {down: {labels: {alertname: Down, team: db}, annotations: {summary: s}, fires: 30m}}
tests: [{name: n, alerts: [down, {like: down, labels: {team: web}, at: 1m, fires: 5m}]}]"""
    ).cases
    assert [(dict(a.labels), dict(a.annotations), a.at, a.fires) for a in one.alerts] == [
        ({"alertname": "Down", "team": "db"}, {"summary": "s"}, 0, 30 * M),
        ({"alertname": "Down", "team": "web"}, {"summary": "s"}, M, 5 * M),
    ]


def test_what_a_program_wrote_down_is_marked_alone_or_with_its_test():
    below = "expect: [{told: a, recorded: true}, {told: b}]"
    assert [one.recorded for one in case(below).expect] == [True, False]
    assert [one.recorded for one in case(f"recorded: true\n  {below}").expect] == [True, True]


# --- tables ----------------------------------------------------------------------------------------------

TABLE = """config: c.yaml
alerts: {down: {labels: {alertname: Down, team: <team>}}}
tests:
  - name: <team> is told
    alerts: [down]
    expect: [{at: 0s, told: <told>}, {at: 5m, told: ["user:<lead>"], text: "<b>a < b</b> <team>"}]
    examples:
      - {team: db, told: [a, "slack:#db"], lead: dana, b: "<b>"}
      - {team: web, told: b, lead: lee, b: "<b>"}
"""


def test_each_line_of_a_table_is_a_test_with_its_values_filled_in():
    cases = read(TABLE).cases
    assert [(one.name, one.test, one.example, one.alerts[0].labels["team"]) for one in cases] == [
        ("db is told", "<team> is told", 1, "db"),
        ("web is told", "<team> is told", 2, "web"),
    ]
    told = [[[name.written for name in one.told] for one in case.expect] for case in cases]
    assert told == [[["a", "slack:#db"], ["user:dana"]], [["b"], ["user:lee"]]]
    assert [one.expect[1].text for one in cases] == ["<b>a < b</b> db", "<b>a < b</b> web"]


def test_examples_of_the_same_name_are_told_apart_by_their_number():
    names = [one.name for one in read(TABLE.replace("<team> is told", "told")).cases]
    assert names == ["told [1]", "told [2]"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "user:<lead>",
            "user:<lad>",
            "6:60: tests[0].expect[1].told[0]: the examples have no 'lad'; expected",
        ),
        ("user:<lead>", "user:<lad>", "did you mean 'lead'?"),
        ("user:<lead>", "user:<told>", "<told> stands inside of a text, and is a list in an example"),
        (
            "lead: lee, ",
            "",
            "9:9: tests[0].examples[1]: this example gives no 'lead', but the first one does",
        ),
        ("lead: lee", "leed: lee", "gives no 'lead', but the first one does; did you mean 'leed'?"),
        ("{team: web", "{x: 1, team: web", "the first example gives no 'x', but this one does"),
        ("told: b,", "told: '',", "9:28: tests[0].expect[0].told: there is no value; expected who is told"),
    ],
)
def test_a_mistake_in_a_table_is_shown_where_it_stands(old, new, expected):
    found = problems(TABLE.replace(old, new))
    assert any(expected in one for one in found), found


def test_a_placeholder_without_a_table_is_a_mistake():
    found = problems(TABLE[: TABLE.index("    examples:")].replace("<b>a < b</b>", ""))
    assert "dir/t.yaml:2:49: alerts.down.labels.team: <team> stands for a column of examples:" in found[0]


# --- what is wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ":1:1: the file is empty; expected config: and tests:"),
        ("# nothing\n---\n", ":1:1: "),
        ("[]", ":1:1: a list cannot be here; expected config: and tests:"),
        ("tests: []", ":1:1: config: is missing; expected the path of a tocsin.yaml"),
        ("config: c", ":1:1: tests: is missing"),
        ("config: c\ntests: []", ":2:8: tests: no test at all"),
        ("config: c\ntests: {}", ":2:8: tests: a mapping cannot be here; expected a list of tests"),
        ("config: c\ntset: []", ":2:1: tset: there is no key 'tset' here; expected one of config, zone"),
        ("config: c\ntest: []", "did you mean 'tests'?"),
        ("config: c\nzone: Mars/North\ntests: []", ":2:7: zone: "),
        ("config: c\ndefaults: {team: x}\ntests: []", ":2:12: defaults.team: there is no key 'team' here"),
        ("config: c\ntests: [x]", ":2:9: tests[0]: 'x' cannot be here; expected a test"),
        ("config: c\ntests: [{alerts: []}]", ":2:9: tests[0]: this test has no name"),
        ("config: c\ntests: [{name: n}]", ":2:9: tests[0]: no alert fires in this test"),
        ("config: c\n\ttests: []", ":2:1: not YAML: a tab in the indentation; expected spaces"),
        ("config: c\nconfig: d\ntests: []", ":2:1: config: the key 'config' stands here twice"),
        (
            f"config: c\ntests: [{{name: n, alerts: [{FIRES}]}}, {{name: n, alerts: [{FIRES}]}}]",
            "tests[1].name: the test 'n' stands here twice; the first is in line 2; expected unique names",
        ),
        (f"config: c\ntests: [{{name: n, alerts: [{FIRES}], examples: []}}]", "examples: no example at all"),
        (
            f"config: c\ntests: [{{name: n, alerts: [{FIRES}], examples: [{{}}]}}]",
            "this example gives nothing",
        ),
        (
            f"config: c\ntests: [{{name: n, alerts: [{FIRES}], examples: [x]}}]",
            "expected a line of the table",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(text, expected):
    found = problems(text)
    assert any(one.startswith("dir/t.yaml:") and expected in one for one in found), found


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("at: 25:00", ":4:9: tests[0].at: '25:00' is no time; expected one such as 2026-12-24T03:00"),
        ("at: [x]", "tests[0].at: a list cannot be here; expected a time"),
        ("until: 0s", "tests[0].until: cannot be zero"),
        ("alerts: []", "tests[0].alerts: no alert fires in this test"),
        ("alerts: x", "tests[0].alerts: 'x' cannot be here; expected a list of alerts"),
        ("alerts: [down]", "alerts[0]: there is no alert 'down'; expected the name of one in alerts:"),
        ("alerts: [{}]", "alerts[0]: this alert has no labels"),
        (
            "alerts: [{labels: {}}]",
            "alerts[0].labels: no alert can have these labels: an alert needs at least",
        ),
        ("alerts: [{labels: {a: [b]}}]", "alerts[0].labels.a: a list cannot be here; expected text"),
        ("alerts: [{labels: {a: b}, fires: x}]", "alerts[0].fires: 'x' is no duration; expected"),
        ("alerts: [{labels: {a: b}, fires: 0s}]", "alerts[0].fires: cannot be zero"),
        ("alerts: [{labels: {a: b}, at: 5m}]", "alerts: no alert fires at 0s; expected that one does"),
        ("alerts: [{labels: {a: b}, fire: 1m}]", "alerts[0].fire: there is no key 'fire' here"),
        ("answers: [{ack: x}]", "answers[0]: at: is missing; expected how long after the first firing"),
        ("answers: [{at: 1m}]", "answers[0]: nobody says anything here; expected one of ack, unack, resolve"),
        ("answers: [{at: 1m, ack: a, resolve: a}]", "answers[0]: ack and resolve together; expected one of"),
        ("answers: [{at: 1m, snooze: a}]", "answers[0]: this snooze has no end; expected for:"),
        ("answers: [{at: 1m, ack: a, for: 1h}]", "answers[0].for: only a snooze has an end"),
        ("answers: [{at: 1m, akc: a}]", "answers[0].akc: there is no key 'akc' here"),
        (
            "answers: [{at: 1m, ack: a, incident: x}]",
            "incident: 'x' cannot be here; expected a number such as 1",
        ),
        ("silences: [{for: 1h}]", "silences[0]: matchers: is missing"),
        ("silences: [{matchers: ['a=\"b']}]", "silences[0].matchers[0]: "),
        ('silences: [{matchers: [a=~".*"]}]', "silences[0]: every matcher is met by alerts without"),
        ("failures: [{for: 1h}]", "failures[0]: what: is missing"),
        ("failures: [{what: slack, refused: yes}]", "refused: 'yes' cannot be here; expected true or false"),
        ("overrides: [{user: a}]", "overrides[0]: schedule: is missing"),
        (
            "overrides: [{schedule: a, user: {}}]",
            "overrides[0].user: a mapping cannot be here; expected a user",
        ),
        ("expect: {told: a}", "expect: a mapping cannot be here; expected a list such as"),
        ("expect: [{at: 1m}]", "expect[0]: told: is missing"),
        ("expect: [{told: []}]", "expect[0].told: nobody is named"),
        ("expect: [{told: 'user:'}]", "expect[0].told: 'user:' names nobody; expected a receiver's name"),
        ("expect: [{told: 'email:a@b.c'}]", "is no name of who is told; did you mean 'mail:a@b.c'?"),
        ("expect: [{at: 5, told: a}]", "expect[0].at: a number without a unit; expected a duration"),
        ("expect: [{at: 1m, after: 1m, told: a}]", "expect[0].after: after stands beside at"),
        ("expect: [{within: 1m, told: a}]", "expect[0].within: within says nothing without at"),
        ("expect: [{after: 2m, until: 1m, told: a}]", "expect[0]: until comes before after"),
        ("expect: [{at: 5m, told: a}]\n    until: 5m", "expect[0].at: this comes after the test's until, 5m"),
        ("expect: [{told: a, kind: rign}]", "kind: 'rign' cannot be here; expected ring, update or end; did"),
        ("expect: [{told: a, recorded: 1}]", "recorded: '1' cannot be here; expected true or false"),
        ("expect_silent: [x]", "expect_silent: a list cannot be here; expected true, or from when to when"),
        ("expect_route: {a: b}", "expect_route: a mapping cannot be here; expected a list of routes"),
        ("expct: []", "tests[0].expct: there is no key 'expct' here; expected one of name, at"),
    ],
)
def test_a_mistake_in_a_test_names_its_place_and_what_was_expected(below, expected):
    alerts = "" if below.startswith("alerts:") else f"    alerts: [{FIRES}]\n"
    found = problems(f"{HEAD}    {below}\n{alerts}")
    assert any(one.startswith("dir/t.yaml:4:") and expected in one for one in found), found


PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "\n",
    "<team>",
    "<x",
    "0s",
    "5m",
    "''",
    "&a ",
    "*a",
    "<<: ",
    "#",
    "|",
    "\t",
]


@given(cuts=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30), st.sampled_from(PIECES)), max_size=4))
@settings(max_examples=100, deadline=None)
def test_whatever_is_typed_it_is_read_or_refused_with_places(cuts):
    text = TABLE
    for at, length, piece in cuts:
        text = text[:at] + piece + text[at + length :]
    found = []
    try:
        cases = read(text).cases
    except ConfigError as error:
        cases, found = (), error.problems
    assert cases or found
    assert all(one.line >= 1 and one.column >= 1 and one.message for one in found)


def test_all_mistakes_are_told_together_in_the_order_of_the_file():
    found = problems("config: c\ntests:\n- {name: a}\n- {nam: b}\n")
    assert [one.split(":")[1] for one in found] == ["3", "4", "4", "4"]
