"""`tocsin deliveries list|retry` and `tocsin receivers test` against a server with canned answers."""

import json

import pytest

from gateway.api.receivers import ATTEMPT_S

LIST = "/api/v1/deliveries?state={}&limit=50"


def not_dead(api):
    return api.problem(
        409, "Not dead", "the delivery 1042.email.0 is open; only dead ones can be tried again"
    )


async def test_dead_deliveries_are_listed_with_what_went_wrong(api, server, tocsin):
    server.answers["GET", LIST.format("dead")] = 200, {"deliveries": [api.dead]}
    ended = await tocsin("deliveries", "list")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "ID            INCIDENT  STATE  TO                     FAILED  WHEN        TARGET AND ERROR",
        (
            "1042.slack.0      1042  dead   slack-alerts/slack[0]  1       never sent  "
            "#backend  Slack refused it: channel_not_found"
        ),
    ]


async def test_every_state_says_when_something_was_or_will_be_sent(api, server, tocsin):
    server.answers["GET", LIST.format("all")] = 200, {"deliveries": [api.delivery(), api.dead, api.waiting]}
    ended = await tocsin("deliveries", "list", "--state", "all")
    for words in ("sent 4m ago", "never sent", "due in 30s"):
        assert words in ended.out


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"state": "done"}, ("done", False)),
        ({"state": "dead", "tries": 0}, ("dead", True)),
        ({"state": "open", "error": ""}, ("sent", False)),
        ({"state": "open"}, ("sent", False)),
        ({"state": "open", "sent_at": None}, ("open", False)),
        ({"state": "open", "sent": 2}, ("waiting", False)),
        ({"state": "open", "ring_sent": 0, "tries": 3}, ("waiting", True)),
        ({"state": "open", "sent": 0, "ring_sent": 0, "sent_at": None}, ("waiting", False)),
    ],
)
async def test_open_reads_waiting_or_sent_and_only_an_error_that_counts_is_shown(
    api, server, tocsin, changes, shown
):
    delivery = api.delivery(**{"error": "it was away"} | changes)
    server.answers["GET", LIST.format("all")] = 200, {"deliveries": [delivery]}
    ended = await tocsin("deliveries", "list", "--state", "all")
    row = ended.out.splitlines()[1]
    assert (row.split()[2], "it was away" in row) == shown
    document = await tocsin("deliveries", "list", "--state", "all", "-o", "json")
    assert json.loads(document.out) == {"deliveries": [delivery]}


async def test_no_dead_delivery_is_good_news_with_a_hint(server, tocsin):
    server.answers["GET", LIST.format("dead")] = 200, {"deliveries": []}
    ended = await tocsin("deliveries", "list")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "No dead deliveries.\n  --state all shows the others.\n"


async def test_json_is_the_apis_document_unchanged(api, server, tocsin):
    server.answers["GET", LIST.format("open")] = 200, {"deliveries": [api.waiting]}
    ended = await tocsin("deliveries", "list", "--state", "open", "-o", "json")
    assert json.loads(ended.out) == {"deliveries": [api.waiting]}


async def test_a_dead_delivery_is_revived_and_each_id_is_asked_once(api, server, tocsin):
    server.answers["POST", "/api/v1/deliveries/1042.slack.0/retry"] = 200, api.dead | {"state": "open"}
    ended = await tocsin("deliveries", "retry", "1042.slack.0", "1042.slack.0")
    assert (ended.code, ended.out, ended.err) == (0, "1042.slack.0: will be sent again now\n", "")
    assert len(server.requests) == 1


async def test_of_several_those_that_can_are_revived_and_the_answer_is_no(api, server, tocsin):
    server.answers["POST", "/api/v1/deliveries/1042.slack.0/retry"] = 200, api.dead | {"state": "open"}
    server.answers["POST", "/api/v1/deliveries/1042.email.0/retry"] = 409, not_dead(api)
    ended = await tocsin("deliveries", "retry", "no/such id", "1042.email.0", "1042.slack.0")
    assert (ended.code, ended.out) == (1, "1042.slack.0: will be sent again now\n")
    assert ended.err.splitlines() == [
        "no/such id: Not found: there is nothing at /api/v1/deliveries/no%2Fsuch%20id/retry",
        "1042.email.0: Not dead: the delivery 1042.email.0 is open; only dead ones can be tried again",
    ]


async def test_the_json_of_a_retry_holds_the_deliveries_and_the_problems(api, server, tocsin):
    revived = api.dead | {"state": "open"}
    server.answers["POST", "/api/v1/deliveries/1042.slack.0/retry"] = 200, revived
    server.answers["POST", "/api/v1/deliveries/1042.email.0/retry"] = 409, not_dead(api)
    ended = await tocsin("deliveries", "retry", "1042.slack.0", "1042.email.0", "--output=json")
    assert ended.code == 1
    assert json.loads(ended.out) == {
        "deliveries": [revived],
        "problems": [{"id": "1042.email.0"} | not_dead(api)],
    }


SENT = {"kind": "slack", "index": 0, "target": "#ops", "outcome": "sent", "detail": ""}
SENDING = f"Sending a test message to {{}}; an answer can take up to {ATTEMPT_S:.0f} s.\n"
REFUSED = SENT | {
    "kind": "email",
    "target": "mail.example.com:587",
    "outcome": "refused",
    "detail": "550 no such box",
}


async def test_a_receiver_that_took_the_test_is_answered_yes(server, tocsin):
    server.answers["POST", "/api/v1/receivers/ops%2Fx/test"] = 200, {"results": [SENT]}
    ended = await tocsin("receivers", "test", "ops/x")
    assert (ended.code, ended.err) == (0, SENDING.format("ops/x"))
    assert ended.out.splitlines() == ["OUTCOME  INTEGRATION  TARGET  DETAIL", "sent     slack[0]     #ops"]


async def test_one_integration_that_refused_makes_the_answer_no_and_says_what_came_back(server, tocsin):
    server.answers["POST", "/api/v1/receivers/ops/test"] = 200, {"results": [SENT, REFUSED]}
    ended = await tocsin("receivers", "test", "ops")
    assert ended.code == 1
    assert "refused  email[0]     mail.example.com:587  550 no such box" in ended.out.splitlines()
    document = await tocsin("receivers", "test", "ops", "-o", "json")
    assert (document.code, json.loads(document.out)) == (1, {"results": [SENT, REFUSED]})


async def test_a_receiver_without_integrations_tells_nobody_and_the_answer_is_no(server, tocsin):
    server.answers["POST", "/api/v1/receivers/nobody/test"] = 200, {"results": []}
    ended = await tocsin("receivers", "test", "nobody")
    assert (ended.code, ended.out) == (1, "")
    assert (
        ended.err == SENDING.format("nobody") + "The receiver nobody has no integrations: it tells nobody.\n"
    )
