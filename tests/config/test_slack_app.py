"""The section `slack`: what comes back from Slack, the mistakes in it, and where messages have buttons."""

import pytest

from config.compile import compile_plan
from config.load import ConfigError, load_text
from config.slack_app import signing_secrets
from routing.policies import Target

GOOD = "route: {receiver: a}\n"
BOT = (
    "global: {slack_app_token: xoxb-1}\n"
    "users: [{name: dana, slack_id: U024BE7LH}]\n"
    "receivers: [{name: a, slack_configs: [{channel: '#a'}, {channel: '#b', buttons: false}]}]\n"
)


def loaded(text):
    return load_text(GOOD + text, "f.yaml", {"SECRET": "hunter2", "BOT": "xoxb-hunter2"})


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{socket_mode: true}", "3:9: slack.socket_mode: stands without app_token; expected an app-level"),
        ("{app_token: xapp-1}", "3:9: slack.app_token: opens no connection without socket_mode: true"),
        ("{app_token_file: /x}", "slack.app_token_file: opens no connection without socket_mode: true"),
        (
            "{socket_mode: true, app_token: '${BOT}'}",
            "slack.app_token: '${BOT}' stands for a wrong value; expected an app-level token (xapp-...)",
        ),
        ("{signing_secret: ''}", "slack.signing_secret: the secret is empty"),
        (
            "{signing_secret: a, signing_secret_file: /x}",
            "slack.signing_secret_file: stands beside signing_secret; expected only one of the two",
        ),
        ("{team_id: acme}", "slack.team_id[0]: 'acme' is no id of a workspace; expected one such as T024"),
        ("{unknown_users: refused}", "expected 'allow' or 'refuse'; did you mean 'refuse'?"),
        ("{signing_key: a}", "there is no key 'signing_key' here"),
    ],
)
def test_each_mistake_is_told_with_its_place(section, expected):
    with pytest.raises(ConfigError) as caught:
        loaded(f"receivers: [{{name: a}}]\nslack: {section}\n")
    problems = [str(problem) for problem in caught.value.problems]
    assert any(expected in problem for problem in problems), problems
    assert not any("hunter2" in problem for problem in problems)


def test_a_member_of_slack_is_one_user():
    users = "users: [{name: dana, slack_id: U024BE7LH}, {name: erin, slack_id: U024BE7LH}]\n"
    with pytest.raises(ConfigError) as caught:
        loaded(f"receivers: [{{name: a}}]\n{users}")
    [problem] = map(str, caught.value.problems)
    assert "3:67: users[1].slack_id: is the slack_id of 'dana' already" in problem


def test_one_workspace_or_several_may_be_named():
    for written, expected in (
        ("T024BE7LD", ("T024BE7LD",)),
        ("[T024BE7LD, E024BE7LD]", ("T024BE7LD", "E024BE7LD")),
    ):
        assert loaded(f"{BOT}slack: {{team_id: {written}}}\n").slack.team_id == expected


def test_several_signing_secrets_count_in_a_rotation_and_a_file_is_read_anew(tmp_path):
    assert signing_secrets(loaded(f"{BOT}slack: {{signing_secret: new old}}\n").slack) == ["new", "old"]
    file = tmp_path / "secret"
    file.write_text("new\nold\n")
    app = loaded(f"{BOT}slack: {{signing_secret_file: {file}}}\n").slack
    assert signing_secrets(app) == ["new", "old"]
    file.write_text("newer\n")
    assert signing_secrets(app) == ["newer"]


@pytest.mark.parametrize(
    ("slack", "expected"),
    [
        ("", [False, False, False]),
        ("slack: {signing_secret: a}\n", [True, False, True]),
        ("slack: {socket_mode: true, app_token: xapp-1}\n", [True, False, True]),
        ("slack: {team_id: T024BE7LD}\n", [False, False, False]),
    ],
)
def test_messages_have_buttons_where_presses_come_back_and_they_are_wanted(slack, expected):
    plan = compile_plan(loaded(BOT + slack))
    dana = plan.directory.integrations([Target("user", "dana")], "", "")
    assert [one.config.buttons for one in (*plan.receivers["a"], *dana)] == expected


def test_buttons_can_be_left_out_everywhere():
    text = BOT.replace("xoxb-1", "xoxb-1, slack_buttons: false") + "slack: {signing_secret: a}\n"
    assert not any(one.config.buttons for one in compile_plan(loaded(text)).receivers["a"])
