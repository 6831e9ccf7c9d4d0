"""A configuration is checked where its secrets are not: only what nobody can know is left out."""

import pytest

from config.load import examine

ENV = {"SET": "http://x", "EMPTY": ""}
GOOD = "route: {receiver: a}\nreceivers: [{name: a}]\n"


@pytest.fixture
def told(tmp_path):
    def told(text):
        file = tmp_path / "tocsin.yaml"
        file.write_text(text)
        problems = examine(file, ENV, without_env=True).problems
        return [str(problem).partition("tocsin.yaml:")[2] for problem in problems]

    return told


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD + "redis: {url: '${REDIS}', shards: '${SHARDS}', retention: '${DAYS}d'}",
        GOOD + "external_url: https://${HOST}/tocsin",
        GOOD + "auth: {tokens: [{name: a, hash: '${HASH}', scopes: ['${SCOPE}']}]}",
        "route: {receiver: '${TEAM}'}\nreceivers: [{name: a}]",
        "route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{api_url: '${URL}'}]}]",
        "route: {receiver: a}\nreceivers: [{name: a, email_configs: '${X}'}]",
    ],
)
def test_a_variable_without_a_value_is_no_problem_whatever_is_expected_there(told, text):
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "redis: {url: '${SET}'}", "3:15: redis.url: '${SET}' stands for a wrong value"),
        (GOOD + "redis: {shards: '${UNSET:-many}'}", "3:18: redis.shards: '${UNSET:-many}' cannot be here"),
        (GOOD + "redis: {shards: '${1}'}", "3:18: redis.shards: '${' begins no variable"),
        (GOOD + "redis: {sards: '${UNSET}'}", "3:9: redis.sards: there is no key 'sards' here"),
        (GOOD + "auth: {tokens: [{name: a, token: '${EMPTY}', scopes: [read]}]}", "'${EMPTY}' stands for"),
        (GOOD + "dedup: {reorder: soon}", "3:18: dedup.reorder: 'soon' is no duration"),
        (
            GOOD + "auth: {tokens: [{name: a, token: '${A}', hash: '${B}', scopes: [read]}]}",
            "auth.tokens[0].hash: stands beside token",
        ),
        ("route: {receiver: '${TEAM}', x: 1}\nreceivers: [", "not YAML"),
    ],
)
def test_nothing_else_is_left_out(told, text, expected):
    assert any(expected in problem for problem in told(text))
