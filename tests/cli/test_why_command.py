"""`tocsin incidents why`: every decision about an incident, and what would be decided otherwise today."""

from __future__ import annotations

import json

import pytest

PATH = "GET", "/api/v1/incidents/1042/why"
FIRST = {
    "at": "2025-11-24T08:15:00.000Z",
    "happened": "the wait of its group was over",
    "seen": "1 firing; worst severity critical; nobody told yet",
    "status": "pending → triggered",
    "told": [
        {"who": "ops by PagerDuty", "heard": "ring", "reason": "first", "policy": "page", "step": 1},
        {"who": "#ops by Slack", "heard": "update", "reason": "news", "policy": None, "step": None},
    ],
    "timeline": ["triggered: 1 alert firing", "step 1: telling ops"],
    "due": "2025-11-24T08:20:00.000Z",
    "plan": "aaa",
    "today": [],
}
LATER = FIRST | {
    "happened": "dana (Slack) noted something",
    "status": "triggered",
    "told": [],
    "timeline": [],
    "due": None,
    "today": ["lee by mail would get a ring too"],
}


def why(api, *decisions, complete=True, plan="aaa"):
    return 200, api.incident() | {"plan": plan, "complete": complete, "decisions": list(decisions)}


async def test_each_decision_is_told_with_what_it_was_made_from(api, server, tocsin):
    server.answers[PATH] = why(api, FIRST)
    ended = await tocsin("incidents", "why", "1042")
    assert (ended.code, ended.err) == (0, "1 decision; each would be the same today.\n")
    assert ended.out.splitlines() == [
        "#1042  triggered  critical",
        "",
        "2025-11-24 08:15:00 UTC  the wait of its group was over",
        "  Seen      1 firing; worst severity critical; nobody told yet",
        "  Status    pending → triggered",
        "  Tells     ops by PagerDuty: ring (first, of page)",
        "            #ops by Slack: update (news)",
        "  Timeline  triggered: 1 alert firing",
        "            step 1: telling ops",
        "  Next      2025-11-24 08:20:00 UTC (in 5m)",
    ]


@pytest.mark.parametrize(
    ("plan", "because"),
    [("bbb", "the configuration has changed"), ("aaa", "who was on call is known otherwise")],
)
async def test_what_would_be_otherwise_today_is_said_with_the_reason(api, server, tocsin, plan, because):
    server.answers[PATH] = why(api, FIRST, LATER, complete=False, plan=plan)
    ended = await tocsin("incidents", "why", "#1042")
    assert (ended.code, ended.err) == (0, "2 decisions; 1 would be another today.\n")
    assert "  (earlier decisions are not kept)" in ended.out.splitlines()
    assert ended.out.splitlines()[-4:] == [
        "  Tells     nobody",
        "  Next      when there is news",
        f"  Today     differs, since {because}:",
        "            lee by mail would get a ring too",
    ]


async def test_who_asks_about_held_alerts_is_told_where_the_reason_stands(api, server, tocsin):
    code, body = why(api, FIRST)
    server.answers[PATH] = code, body | {"held": 1}
    ended = await tocsin("incidents", "why", "1042")
    assert ended.err.endswith("What holds its alerts is said by `tocsin incidents show 1042`.\n")


async def test_an_incident_without_kept_decisions_says_so(api, server, tocsin):
    server.answers[PATH] = why(api, complete=False)
    ended = await tocsin("incidents", "why", "1042")
    assert (ended.code, ended.out) == (0, "#1042  triggered  critical\n")
    assert ended.err == "No decision about it is kept: it is of a version that recorded none.\n"


async def test_json_is_the_document_of_the_api(api, server, tocsin):
    server.answers[PATH] = why(api, FIRST, LATER)
    ended = await tocsin("incidents", "why", "1042", "--output", "json")
    assert (ended.code, json.loads(ended.out)) == (0, server.answers[PATH][1])


async def test_what_comes_from_outside_cannot_speak_to_the_terminal(api, server, tocsin):
    evil = "\x1b[2J\u202e"
    told = [{"who": evil, "heard": evil, "reason": evil, "policy": evil, "step": 1}]
    more = {"happened": evil, "seen": evil, "told": told, "timeline": [evil], "today": [evil]}
    server.answers[PATH] = why(api, FIRST | more)
    ended = await tocsin("incidents", "why", "1042", FORCE_COLOR="1", NO_COLOR="1")
    assert ended.code == 0
    assert not set("\x1b\u202e") & set(ended.out)


async def test_an_unknown_number_is_answered_no(server, tocsin):
    ended = await tocsin("incidents", "why", "7")
    assert (ended.code, ended.out) == (1, "")
