"""Whose words they are that come over HTTP."""

from __future__ import annotations

import pytest

from config.users import UserConfig
from gateway.api.speaker import speaker
from gateway.problem import ProblemError

USERS = (UserConfig(name="Dana", email="dana@example.com"), UserConfig(name="kim"))


@pytest.mark.parametrize(
    ("token", "by", "agent", "expected"),
    [
        # a token that has a user's name
        ("Dana", "", "", ("Dana", "HTTP")),
        ("dana", "", "tocsin-cli", ("Dana", "command line")),
        ("dana", "DANA@example.com", "", ("Dana", "HTTP")),
        # a token of nobody in particular
        ("chatbot", "", "", ("chatbot", "HTTP")),
        ("chatbot", "dana", "", ("Dana", "HTTP, token chatbot")),
        ("chatbot", "KIM", "tocsin-cli", ("kim", "command line, token chatbot")),
        ("chatbot", "somebody else", "", ("somebody else", "HTTP, token chatbot")),
        # no tokens
        ("", "", "", ("somebody", "HTTP")),
        ("", "kim", "", ("kim", "HTTP")),
        ("", "root", "tocsin-cli", ("root", "command line")),
    ],
)
def test_who_speaks_follows_from_the_token_and_from_whom_it_says_to_speak_for(token, by, agent, expected):
    assert speaker(token, by, USERS, agent) == expected


@pytest.mark.parametrize("by", ["kim", "Slack user U123", "dana@example.org"])
def test_a_users_own_token_speaks_for_nobody_else(by):
    with pytest.raises(ProblemError) as refused:
        speaker("dana", by, USERS)
    assert refused.value.status == 403
    assert refused.value.detail.startswith("by: the token 'dana' is Dana's own and answers for nobody else")


def test_a_user_without_an_address_is_not_everybody_without_one():
    assert speaker("", " ", USERS) == ("somebody", "HTTP")
    assert speaker("chatbot", "", (UserConfig(name="kim"),)) == ("chatbot", "HTTP")
