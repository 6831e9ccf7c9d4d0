"""Mistakes in escalation policies: what is said of them, and where."""

import pytest

from config.load import ConfigError, load_text

GOOD = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def told(text):
    with pytest.raises(ConfigError) as caught:
        load_text(GOOD + text, "f.yaml", {})
    return [str(problem) for problem in caught.value.problems]


def expect(text, expected):
    problems = told(text)
    assert any(expected in problem for problem in problems), problems


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
        ("[{notify: [{schedule: x}]}]", "notify[0].schedule: there is no schedule 'x'; expected the name of"),
        ("[{notify: {receiver: a}}]", "steps[0].notify: a mapping cannot be here; expected a list"),
        ("[{notify: [{receiver: a}], every: 0s}]", "steps[0].every: cannot be zero; expected a duration"),
        ("[A, {after: 5m, policy: other, every: 5m}]", "steps[1].every: stands without notify, what is said"),
        (
            "[{notify: [{receiver: a}], after: 5m}]",
            "steps[0].after: the first step is due at once; expected no",
        ),
        ("[{policy: other}]", "steps[0].policy: the step hands over at once; expected after, or this policy"),
        ("[A, {notify: [{receiver: a}]}]", "steps[1]: this step has no time; expected after"),
        ("[A, {after: 0s, policy: other}]", "steps[1].policy: the step hands over at once; expected after"),
        ("[A, {notify: [{receiver: a}], when: [a=b]}]", "the one above it to have a when or during"),
        ("[A, {after: 5m, policy: other}, A]", "steps[2]: this step comes before the one above it"),
        (
            "[A, {after: 5m, policy: othr}]",
            "steps[1].policy: there is no policy 'othr'; expected the name of",
        ),
        ("[A, {after: 5m, policy: p}]", "steps[1].policy: the policy hands over to itself"),
        ("[{notify: [{receiver: a}], severity: high}]", "severity: stands without policy, the severity that"),
        (
            "[A, {after: 5m, policy: other, severity: hihg}]",
            "there is no severity 'hihg'; expected one of cri",
        ),
        ("[A, {after: 5m, policy: other, severity: hihg}]", "did you mean 'high'?"),
        ("[{notify: [{receiver: a}], when: [a]}]", "steps[0].when[0]: no operator after 'a'"),
        (
            "[{notify: [{receiver: a}], during: [x]}]",
            "steps[0].during[0]: there is no interval 'x'; expected",
        ),
        ("[{notify: [{receiver: a}], outside: hold}]", "steps[0].outside: stands without during, the time"),
        ("[{notify: [{receiver: a}], outside: holds}]", "'holds' cannot be here; expected 'pass' or 'hold'"),
        (
            "[{notify: [{receiver: a}], uncovered: wait}]",
            "steps[0].uncovered: this step tells nobody's on-ca",
        ),
        (
            "[{notify: [{team: on_call}], uncovered: fallback}]",
            "steps[0].uncovered: this policy has no fallback; expected fallback beside its steps",
        ),
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


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            "ack_reminder: 5m",
            "ack_reminder: no acknowledgement ends here, so nobody is reminded of it; expec",
        ),
        ("ack_timeout: 5m, ack_reminder: 5m", "ack_reminder: the reminder would come before the acknowledge"),
        ("ack_timeout: 0s", "ack_timeout: cannot be zero"),
        ("repeat: 0", "repeat.times: '0' cannot be here; expected at least 1"),
        ("repeat: {after: 5m}", "repeat.times: this key is missing"),
        ("repeat: {times: 2, after: 0s}", "repeat.after: cannot be zero"),
        ("repeat: often", "repeat.times: 'often' cannot be here; expected a whole number"),
        ("fallback: [{team: x}]", "fallback[0].team: 'x' is no way of reaching a team"),
        ("fallback: [{receiver: x}]", "fallback[0].receiver: there is no receiver 'x'"),
        ("on_new_alert: rings", "on_new_alert: 'rings' cannot be here; expected 'update' or 'ring'"),
        ("keep_ack: perhaps", "keep_ack: 'perhaps' cannot be here; expected true or false"),
        ("dismissed_for: 4h", "dismissed_for: there is no key 'dismissed_for' here; expected another key"),
    ],
)
def test_each_mistake_in_the_keys_of_a_policy_is_told_with_its_place(keys, expected):
    steps = "steps: [{notify: [{receiver: a}]}]"
    expect(f"escalation_policies: [{{name: p, {keys}, {steps}}}]", f"escalation_policies[0].{expected}")


def test_steps_of_the_same_time_are_told_apart_by_their_conditions():
    steps = "[{notify: [{receiver: a}], when: [a=b]}, {notify: [{receiver: a}], when: [a!=b]}]"
    assert load_text(GOOD + f"escalation_policies: [{{name: p, steps: {steps}}}]", "f", {})


@pytest.mark.parametrize("step", ["{notify: [{team: phone}]}", "{notify: [{user: dana}], untill: resolved}"])
def test_a_list_whose_only_item_is_wrong_is_not_too_short_besides(step):
    assert not [one for one in told(f"escalation_policies: [{{name: p, steps: [{step}]}}]") if "short" in one]


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
