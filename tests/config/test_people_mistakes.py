"""Mistakes in severities, teams and users: what is said of them, and where."""

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
            "3:28: teams[0].on_call: there is no schedule 'weekly'; expected the name of",
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
            "3:9: users[0]: nobody can tell this user anything; expected email, slack_id, page",
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
        ("team_defaults: {on_call: x}", "team_defaults.on_call: there is no schedule 'x'"),
    ],
)
def test_each_mistake_around_teams_is_told_with_its_place(text, expected):
    expect(text, expected)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (
            "contact: [slak]",
            "3:43: users[0].contact.default[0]: 'slak' is no way of telling a person; expected",
        ),
        ("contact: [slak]", "one of slack, email, pagerduty, webhook; did you mean 'slack'?"),
        ("contact: [{slak: 2m}]", "contact.default[0]: 'slak' is no way of telling a person"),
        ("contact: [slack]", "users[0].contact[0]: this user has no slack; expected slack_id beside contact"),
        ("contact: [pagerduty]", "has no pagerduty; expected pagerduty or pagerduty_file beside contact"),
        ("contact: {high: [{webhook: 5m}]}", "contact.high[0]: this user has no webhook; expected webhook"),
        ("contact: [email, {email: 5m}]", "users[0].contact.default: email stands here twice; expected"),
        ("contact: {high: []}", "users[0].contact.high: no way at all, so that nothing would tell them"),
        ("contact: {hihg: [email]}", "users[0].contact.hihg: there is no severity 'hihg'; expected one of"),
        ("contact: [{email: soon}]", "users[0].contact.default[0].email: 'soon' is no duration"),
        ("contact: [{email: 1m, slack: 2m}]", "contact.default[0]: 2 ways in one item; expected one, such"),
        ("time_zone: Berlin", "users[0].time_zone: 'Berlin'"),
        ("webhook: ftp://x", "users[0].webhook: the address begins with none of http://, https://"),
        ("notify_shift: yes", "users[0].notify_shift: 'yes' is no duration"),
    ],
)
def test_each_mistake_in_how_a_user_is_told_is_told_with_its_place(user, expected):
    expect(f"users: [{{name: dana, email: d@x, {user}}}]", expected)
