"""Mistakes in severities, teams, users and policies: what is said of them, and where."""

import pytest

from config.load import ConfigError, load_text

GOOD = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def told(text):
    with pytest.raises(ConfigError) as caught:
        load_text(GOOD + text, "f.yaml", {"KEY": "hunter2"})
    return [str(problem) for problem in caught.value.problems]


def expect(text, expected):
    problems = told(text)
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("[]", "3:13: severities.names: this list is too short; expected at least 1 in it"),
        ("[a, b, A]", "3:20: severities[2]: the severity 'A' stands here twice (capitals do not count)"),
        ("[a, b, c, d, e, f, g, h, i]", "severities[8]: 9 severities; expected at most 8"),
        ("critical", "3:13: severities: 'critical' cannot be here; expected a mapping"),
        ("{names: [a], label: a-b}", "3:33: severities.label: 'a-b' is no label name"),
        (
            "{names: [a, b], aliases: {x: c}}",
            "3:42: severities.aliases.x: there is no severity 'c'; expected",
        ),
        ("{names: [a, b], aliases: {B: a}}", "3:39: severities.aliases.B: 'B' is a severity itself"),
        ("{names: [high, low], default: lo}", "severities.default: there is no severity 'lo'; expected the"),
        ("{names: [high, low], default: lo}", "did you mean 'low'?"),
        (
            "{names: [a], order: [a]}",
            "there is no key 'order' here; expected one of label, names, aliases, de",
        ),
        ("{label: a}", "severities.names: this key is missing"),
    ],
)
def test_each_mistake_in_severities_is_told_with_its_place(section, expected):
    expect(f"severities: {section}", expected)


@pytest.mark.parametrize(
    ("team", "expected"),
    [
        ("{}", "teams[0].name: this key is missing"),
        (
            "{name: x, lead: dan}",
            "3:25: teams[0].lead: there is no user 'dan'; expected the name of one in user",
        ),
        ("{name: x, lead: dan}", "or an address with @; did you mean 'dana'?"),
        ("{name: x, manager: '${KEY}'}", "teams[0].manager: there is no user '${KEY}'"),
        (
            "{name: x, slack_channel: {hihg: '#x'}}",
            "3:35: teams[0].slack_channel.hihg: there is no severity 'hihg",
        ),
        ("{name: x, slack_channel: {hihg: '#x'}}", "or default; did you mean 'high'?"),
        ("{name: x, slack_channel: []}", "slack_channel.default: "),
        (
            "{name: x, pagerduty: {sev1: '${KEY}'}}",
            "3:31: teams[0].pagerduty.sev1: there is no severity 'sev1'",
        ),
        ("{name: x, pagerduty: {p: x}}", "expected one of critical, high, medium, low, info, or default"),
        ("{name: x, pagerduty: ''}", "the secret is empty"),
        (
            "{name: x, pagerduty: a, pagerduty_file: b}",
            "pagerduty_file: stands beside pagerduty; expected only",
        ),
        (
            "{name: x, on_call: weekly}",
            "on_call is not supported by this version of Tocsin, and is not ignored",
        ),
        ("{name: x, slack: '#x'}", "there is no key 'slack' here"),
    ],
)
def test_each_mistake_in_a_team_is_told_with_its_place(team, expected):
    expect(f"teams: [{team}]\nusers: [{{name: dana, email: d@x}}]", expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("teams: [{name: x}, {name: x}]", "3:27: teams[1].name: the team 'x' stands here twice"),
        (
            "users: [{name: x, email: a}, {name: x, email: b}]",
            "users[1].name: the user 'x' stands here twice",
        ),
        (
            "users: [{name: x}]",
            "3:9: users[0]: nobody can tell this user anything; expected email, slack_id or",
        ),
        ("users: [{name: x, slack_id: '@dana'}]", "users[0].slack_id: '@dana' is no member id of Slack"),
        (
            "users: [{name: 'd@x', email: d@x}]",
            "users[0].name: 'd@x' cannot be here; expected letters, digits",
        ),
        ("team_rules: [{matchers: [a=b], team: x}]", "3:38: team_rules[0].team: there is no team 'x'"),
        ("team_rules: [{team: x}]", "team_rules[0].matchers: this key is missing"),
        ("team_rules: [{matchers: [a], team: x}]", "team_rules[0].matchers[0]: no operator after 'a'"),
        ("team_defaults: {name: x}", "team_defaults.name: there is no key 'name' here"),
        ("team_defaults: {lead: x}", "team_defaults.lead: there is no user 'x'"),
        ("schedules: [{}]", "schedules is not supported by this version"),
    ],
)
def test_each_mistake_around_teams_is_told_with_its_place(text, expected):
    expect(text, expected)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("[]", "steps: this list is too short; expected at least 1 in it"),
        ("[{}]", "escalation_policies[0].steps[0]: this step tells nobody; expected notify, such as"),
        ("[{notify: []}]", "steps[0]: this step tells nobody"),
        (
            "[{notify: [{}]}]",
            "steps[0].notify[0]: this target is nobody; expected one of receiver, team, user",
        ),
        (
            "[{notify: [{receiver: b}]}]",
            "notify[0].receiver: there is no receiver 'b'; expected the name of one",
        ),
        (
            "[{notify: [{user: b}]}]",
            "notify[0].user: there is no user 'b'; expected the name of one in users",
        ),
        (
            "[{notify: [{receiver: a, team: lead}]}]",
            "notify[0].team: stands beside receiver; expected only one",
        ),
        (
            "[{notify: [{team: slak}]}]",
            "'slak' is no way of reaching a team; expected one of slack, email, lead,",
        ),
        ("[{notify: [{team: slak}]}]", "did you mean 'slack'?"),
        ("[{notify: [{team: on_call}]}]", "nobody is on call, since this version has no schedules; expected"),
        ("[{notify: [{schedule: x}]}]", "schedule is not supported by this version"),
        ("[{notify: {receiver: a}}]", "steps[0].notify: a mapping cannot be here; expected a list"),
        ("[{notify: [{receiver: a}], every: 5m}]", "every is not supported by this version"),
        (
            "[{notify: [{receiver: a}], after: 5m}]",
            "steps[0].after: the first step is due at once; expected no",
        ),
        ("[{policy: other}]", "steps[0].policy: the first step hands over before anybody is told"),
        ("[A, {notify: [{receiver: a}]}]", "steps[1]: this step has no time; expected after"),
        ("[A, {after: 0s, policy: other}]", "steps[1]: this step has no time"),
        (
            "[A, {after: 5m, policy: othr}]",
            "steps[1].policy: there is no policy 'othr'; expected the name of",
        ),
        ("[A, {after: 5m, policy: p}]", "steps[1].policy: the policy hands over to itself"),
        ("[A, {after: 5m, policy: other, notify: [{receiver: a}]}]", "steps[1].policy: stands beside notify"),
        (
            "[A, {after: 5m, unless: acked, policy: other}]",
            "'acked' cannot be here; expected 'acknowledged' or",
        ),
        (
            "[A, {after: 9m, policy: other}, {after: 5m, policy: other}]",
            "steps[2].after: this step comes before",
        ),
        ("[A, {after: soon, policy: other}]", "steps[1].after: 'soon' is no duration"),
    ],
)
def test_each_mistake_in_the_steps_of_a_policy_is_told_with_its_place(steps, expected):
    steps = steps.replace("A", "{notify: [{receiver: a}]}")
    other = "{name: other, steps: [{notify: [{receiver: a}]}]}"
    expect(f"escalation_policies: [{{name: p, steps: {steps}}}, {other}]", expected)


def test_policies_have_unique_names():
    policy = "{name: p, steps: [{notify: [{receiver: a}]}]}"
    (problem,) = told(f"escalation_policies: [{policy}, {policy}]")
    assert "escalation_policies[1].name: the policy 'p' stands here twice" in problem


TARGETS = """
users: [{name: dana, email: d@x, slack_id: U024BE7LH}]
teams: [{name: x, lead: dana, manager: m@x}]
escalation_policies: [{name: p, steps: [{notify: [TARGET]}]}]
"""


@pytest.mark.parametrize(
    ("target", "glob", "expected"),
    [
        (
            "{team: slack}",
            "",
            "6:58: escalation_policies[0].steps[0].notify[0].team: this is told by Slack, with",
        ),
        ("{team: slack}", "slack_api_url: 'http://h'", "an incoming webhook posts into its own channel only"),
        (
            "{team: email}",
            "",
            "notify[0].team: this is told by mail, with no mail server; expected smtp_smarthost",
        ),
        (
            "{team: email}",
            "smtp_smarthost: 'h:25'",
            "this is told by mail, with no sender; expected smtp_from",
        ),
        ("{team: manager}", "", "notify[0].team: this is told by mail, with no mail server"),
        (
            "{team: lead}",
            "smtp_smarthost: 'h:25', smtp_from: t@x",
            "notify[0].team: this is told by Slack, with",
        ),
        ("{user: dana}", "slack_app_token: x", "notify[0].user: this is told by mail, with no mail server"),
    ],
)
def test_a_target_needs_the_connection_that_it_is_told_through(target, glob, expected):
    expect(f"global: {{{glob}}}{TARGETS.replace('TARGET', target)}", expected)


def test_a_target_whose_connections_are_there_is_accepted():
    glob = "global: {slack_app_token_file: x, smtp_smarthost: 'h:25', smtp_from: t@x}"
    targets = "{team: slack}, {team: email}, {team: lead}, {team: manager}, {team: pagerduty}, {user: dana}"
    assert load_text(GOOD + glob + TARGETS.replace("TARGET", targets), "f", {})
