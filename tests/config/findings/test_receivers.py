"""Who is never told, and whom alerts miss: `TOC301` to `TOC311`."""

import pytest

HOOK = "webhook_configs: [{url: 'http://127.0.0.1:5001/'}]"
RECEIVERS = "receivers:\n" + "".join(f"  - {{name: {name}, {HOOK}}}\n" for name in "abcd")
UNREACHED = [
    ("named by nobody", "{matchers: [s=b], receiver: b}", {"c", "d"}),
    ("hidden", "{matchers: [s=~b|c], receiver: b}, {matchers: [s=c], receiver: c}", {"c", "d"}),
    ("a root whose children take all", "{matchers: [s=b], receiver: b}, {receiver: c}", {"a", "d"}),
    ("inherited", "{receiver: b, routes: [{matchers: [s=c]}]}", {"a", "c", "d"}),
    ("all told", ", ".join(f"{{matchers: [s={name}], receiver: {name}}}" for name in "bcd"), set()),
]  # fmt: skip


@pytest.mark.parametrize(("why", "routes", "unreached"), UNREACHED)
def test_a_receiver_that_is_never_told(found, why, routes, unreached):
    said = found(f"route: {{receiver: a, routes: [{routes}]}}\n{RECEIVERS}", "TOC301")
    assert {one.split("'")[1] for one in said} == unreached


def test_why_a_receiver_is_never_told(found):
    text = f"""\
route:
  receiver: a
  routes:
    - {{matchers: [s=x], receiver: b}}
    - {{matchers: [s=x, t=y], receiver: c}}
{RECEIVERS}"""
    assert found(text, "TOC301") == [
        "9:12 the receiver 'c' is never told: no alert is left for the route in line 5",
        "10:12 the receiver 'd' is never told: no route names it",
    ]


POLICIES = """\
route: {receiver: a, routes: [{matchers: [s=x], policy: first}]}
escalation_policies:
  - {name: first, steps: [{notify: [{receiver: b}]}, {after: 5m, policy: second}]}
  - {name: second, steps: [{notify: [{receiver: c}]}]}
  - {name: third, steps: [{notify: [{receiver: d}]}]}
"""


def test_a_policy_is_reached_through_another_and_reaches_its_receivers(found):
    assert found(POLICIES + RECEIVERS, "TOC302") == [
        "5:12 the policy 'third' is never followed: no route names it and no policy"
    ]
    assert found(POLICIES + RECEIVERS, "TOC301") == [
        "10:12 the receiver 'd' is never told: only a policy names it that is never followed itself"
    ]


def test_a_default_that_tells_nobody(found):
    text = "route: {receiver: n, routes: [{matchers: [a=1], receiver: b}]}\n"
    text += f"receivers: [{{name: n}}, {{name: b, {HOOK}}}]\n"
    reason = "an alert that no other route takes tells nobody: 'n' is empty"
    assert found(text, "TOC304") == [f"1:19 {reason}"]
    assert found(text.replace("matchers: [a=1], ", ""), "TOC304") == []


SEVERITIES = """\
severities: {names: [critical, high, low], aliases: {warning: high}, default: low}
route: {receiver: a, routes: [%s]}
"""


@pytest.mark.parametrize(
    ("routes", "forgotten"),
    [
        ("{matchers: [severity=critical]}", {"high", "low"}),
        ("{matchers: [severity=critical]}, {matchers: [severity=warning]}", {"low"}),
        ("{matchers: [severity!=low]}", {"low"}),
        ("{matchers: [severity=~.+]}", set()),
        ("{matchers: [team=x]}", set()),
    ],
)
def test_a_severity_that_no_route_asks_for(found, routes, forgotten):
    said = found(SEVERITIES % routes, "TOC303")
    assert {one.split("'")[1] for one in said} == forgotten
    assert all(one.startswith("1:") for one in said)


def test_words_that_are_no_severity_and_no_team_are_found_wherever_matchers_stand(found):
    text = (
        SEVERITIES
        % "{matchers: ['severity=~\"critical|hihg\"', team!=backnd]}, {matchers: [severity=warning]}"
    )
    text += "teams: [{name: backend}]\nteam_rules: [{matchers: [severity=urgent], team: backend}]\n"
    assert found(text, "TOC308", "TOC309") == [
        "2:44 there is no severity 'hihg'; did you mean 'high'?",
        "2:72 there is no team 'backnd' in teams; did you mean 'backend'?",
        "4:26 there is no severity 'urgent'",
    ]


def test_without_severities_and_teams_no_word_is_wrong(found):
    text = "route: {receiver: a, routes: [{matchers: [severity=sev1, team=x]}]}\n"
    assert found(text, "TOC303", "TOC308", "TOC309", "TOC310") == []


TEAMS = """\
global: {slack_app_token: '${SLACK_TOKEN}', smtp_smarthost: 'mail:25', smtp_from: a@example.com}
route: {receiver: a, routes: [{matchers: [severity=critical], policy: p}]}
escalation_policies: [{name: p, steps: [{notify: [{team: slack}, {team: lead}]}]}]
teams:
  - {name: db, slack_channel: '#db'}
  - {name: web, slack_channel: {critical: '#web'}, lead: web@example.com}
team_defaults: {%s}
"""


def test_what_a_team_lacks_is_said_with_who_stands_in(found):
    lacks = (
        "a policy tells {team: slack}, and the team 'web' has no slack_channel for high, medium, low, info"
    )
    assert found(TEAMS % "slack_channel: '#ops'", "TOC305", "TOC306", "TOC307") == [
        "5:5 a policy tells {team: lead}, and the team 'db' has no lead",
        f"6:5 {lacks}; that of team_defaults is told",
        "7:1 a policy tells {team: lead}, and an alert without a team has no lead",
    ]


def test_a_user_whom_a_policy_or_a_team_names_is_reached(found):
    text = TEAMS % "slack_channel: '#ops', lead: dana"
    text += "users: [{name: dana, email: d@example.com}, {name: lee, email: l@example.com}]\n"
    assert found(text, "TOC311") == ["8:52 nothing names the user 'lee'"]
