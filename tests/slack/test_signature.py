"""Slack's signature: the example that Slack's documentation gives, and what is refused."""

import pytest

from gateway.slack_signature import refusal, signature

SECRET, AT = "8f742231b10e8888abcd99yyyzzz85a5", "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNED = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_it_is_computed_as_slack_documents_it():
    assert signature(SECRET, AT, BODY) == SIGNED


@pytest.mark.parametrize(
    ("secrets", "timestamp", "given", "body", "now", "expected"),
    [
        ([SECRET], AT, SIGNED, BODY, 0, ""),
        (["another", SECRET], AT, SIGNED, BODY, 0, ""),
        ([SECRET], AT, SIGNED, BODY, 300, ""),
        ([SECRET], AT, SIGNED, BODY, -300, ""),
        ([SECRET], AT, SIGNED, BODY, 301, "its time is more than 300 s away from ours"),
        ([SECRET], AT, SIGNED, BODY, -301, "its time is more than 300 s away from ours"),
        (["another"], AT, SIGNED, BODY, 0, "its signature is wrong"),
        ([], AT, SIGNED, BODY, 0, "its signature is wrong"),
        ([SECRET], AT, SIGNED, BODY + b"&", 0, "its signature is wrong"),
        ([SECRET], "1531420619", SIGNED, BODY, 0, "its signature is wrong"),
        ([SECRET], AT, SIGNED.upper(), BODY, 0, "its signature is wrong"),
        ([SECRET], AT, SIGNED[3:], BODY, 0, "its signature is wrong"),
        ([SECRET], AT, "v0=\udcff", BODY, 0, "its signature is wrong"),
        ([SECRET], "", SIGNED, BODY, 0, "it is not signed"),
        ([SECRET], AT, "", BODY, 0, "it is not signed"),
        ([SECRET], "yesterday", SIGNED, BODY, 0, "its time cannot be read"),
        ([SECRET], "²", SIGNED, BODY, 0, "its time cannot be read"),
        ([SECRET], "9" * 5_000, SIGNED, BODY, 0, "its time cannot be read"),
    ],
)
def test_what_is_no_request_of_slacks_is_refused(secrets, timestamp, given, *, body, now, expected):
    assert refusal(secrets, timestamp, given, body, int(AT) + now) == expected
