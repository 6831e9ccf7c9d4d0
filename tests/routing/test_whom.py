"""What the timeline calls those who were told."""

import pytest

from routing.whom import BROUGHT_UP_TO_DATE, is_news, whom


@pytest.mark.parametrize(
    ("delivery", "said"),
    [
        (("slack", "user dana: slack", "slack:#U0DANA", "dana"), "dana by Slack"),
        (("email", "user dana: email", "dana@example.com", "dana"), "dana by mail"),
        (("slack", "team db: slack", "slack:#db", ""), "#db (team db) by Slack"),
        (("slack", "chat", "slack:#ops", ""), "#ops (chat) by Slack"),
        (("slack", "chat", "slack-webhook:3f9a1c22", ""), "chat by Slack"),
        (("pagerduty", "team db: pagerduty", "pagerduty:3f9a1c22", ""), "team db by PagerDuty"),
        (("email", "team db: lead", "boss@example.com", ""), "team db by mail (boss@example.com)"),
        (("email", "list: all", "a@x.y, b@x.y", ""), "list: all by mail (a@x.y, b@x.y)"),
        (("webhook", "hooks", "webhook:example.com:443/3f9a1c22", ""), "hooks by a webhook"),
    ],
)
def test_whoever_was_told_is_named_in_words(delivery, said):
    assert whom(*delivery) == said


def test_that_a_message_was_edited_is_no_news():
    assert is_news({"text": "told (first notification)"})
    assert not is_news({"text": f"{BROUGHT_UP_TO_DATE} (dana has it)"})
