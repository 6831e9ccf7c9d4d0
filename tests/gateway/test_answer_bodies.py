"""What is sent with an answer: what it means for the incident, and a table of what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from aiohttp import ClientSession, web

from config.people import WAYS
from gateway.api.answer_bodies import (
    VERBS,
    Acknowledge,
    Escalate,
    Note,
    Reassign,
    Resolve,
    Responder,
    Snooze,
    TeamWay,
    Unacknowledge,
    event,
)
from gateway.api.bodies import MAX_BYTES, read
from gateway.problem import ProblemError, problems
from routing.events import (
    Acknowledged,
    Escalated,
    Noted,
    Reassigned,
    Resolved,
    ResponderAdded,
    Unacknowledged,
)
from routing.policies import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gateway.api.bodies import Body

NOW = 1_700_000_000_000  # 2023-11-14T22:13:20Z
MINUTE = 60_000
WHO = ("dana", "HTTP")


@pytest.mark.parametrize(
    ("model", "sent", "answer"),
    [
        (Acknowledge, {}, Acknowledged(*WHO)),
        (Acknowledge, {"for": "1h30m"}, Acknowledged(*WHO, NOW + 90 * MINUTE)),
        (Acknowledge, {"until": "2023-11-14T23:13:20+00:00"}, Acknowledged(*WHO, NOW + 60 * MINUTE)),
        (Acknowledge, {"until": None, "for": None, "by": "dana"}, Acknowledged(*WHO)),
        (Snooze, {"for": "5m"}, Acknowledged(*WHO, NOW + 5 * MINUTE)),
        (Unacknowledge, {}, Unacknowledged(*WHO)),
        (Resolve, {}, Resolved(*WHO)),
        (Escalate, {}, Escalated(*WHO)),
        (Note, {"text": " disk\nswapped "}, Noted(*WHO, "disk\nswapped")),
        (Responder, {"user": "kim"}, ResponderAdded(*WHO, Target("user", "kim"))),
        (Responder, {"schedule": "ops"}, ResponderAdded(*WHO, Target("schedule", "ops"))),
        (Reassign, {"user": "kim"}, Reassigned(*WHO, Target("user", "kim"))),
        (Reassign, {"schedule": "ops", "user": None}, Reassigned(*WHO, Target("schedule", "ops"))),
        (Reassign, {"team": "lead"}, Reassigned(*WHO, Target("team", "lead"))),
        (Reassign, {"policy": "page"}, Reassigned(*WHO, policy="page")),
    ],
)
def test_each_body_is_an_answer_of_whoever_says_it(model, sent, answer):
    assert event(model.model_validate(sent), *WHO, NOW) == answer


@pytest.fixture
async def send() -> AsyncIterator[Callable[[type[Body], bytes], Awaitable[tuple[int, str]]]]:
    """Sends a body to a handler that reads it; gives the status and the problem's detail."""
    reading: list[type[Body]] = []

    async def take(request: web.Request) -> web.Response:
        return web.json_response(repr(await read(request, reading.pop())))

    app = web.Application(middlewares=[problems])
    app.add_routes([web.post("/", take)])
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:

        async def send(model: type[Body], body: bytes) -> tuple[int, str]:
            reading.append(model)
            headers = {"Content-Type": "application/json"}
            async with client.post("/", data=body, headers=headers) as response:
                return response.status, (await response.json(content_type=None))["detail"]

        yield send
    await runner.cleanup()


@pytest.mark.parametrize(
    ("model", "sent", "said"),
    [
        (Acknowledge, b"[]", "Expected a JSON object; this is a list."),
        (Acknowledge, b"null", "Expected a JSON object; this is null."),
        (Acknowledge, b"true", "Expected a JSON object; this is true or false."),
        (Acknowledge, b"{", "Expected a JSON object: the body is not JSON at line 1"),
        (Acknowledge, b'{"by": "\xff"}', "Expected a JSON object: the body is not UTF-8"),
        (Acknowledge, b'{"untill": "x"}', "untill: there is no such field; did you mean 'until'?"),
        (Acknowledge, b'{"x": 1}', "x: there is no such field; expected some of by, for, until."),
        (Acknowledge, b'{"for_": "1h"}', "for_: there is no such field; did you mean 'for'?"),
        (Acknowledge, b'{"for": "1h", "until": "2099-01-01T00:00:00Z"}', "both for and until are given"),
        (Acknowledge, b'{"for": 60}', "for: not a duration but a number; expected text such as 30m"),
        (Acknowledge, b'{"for": "60"}', "for: a number without a unit; expected a duration such as 30s"),
        (Acknowledge, b'{"for": "0s"}', "for: this is no time at all; expected a duration such as 30m"),
        (Acknowledge, b'{"for": "-1h"}', "for: '-1h' is no duration; expected a duration"),
        (Acknowledge, b'{"for": "300y"}', "for: '300y' is longer than 292 years"),
        (Acknowledge, b'{"until": "08:00"}', "until: this is '08:00'; expected a time such as 2026"),
        (Acknowledge, b'{"until": 8}', "until: not a time but a number; expected text such as 2026"),
        (Acknowledge, b'{"until": "2026-01-01T00:00:00"}', "until: this is '2026-01-01T00:00:00'; expected"),
        (Acknowledge, b'{"until": "2026-02-30T00:00:00Z"}', "until: there is no such time as '2026-02-30"),
        (Acknowledge, b'{"until": "0001-01-01T00:00:00Z"}', "until: this is no time; expected"),
        (Acknowledge, b'{"by": 7}', "by: expected text; this is a number."),
        (Acknowledge, b'{"by": null}', "by: expected text; this is null."),
        (Acknowledge, b'{"by": "a\\nb"}', "by: it has characters that cannot be shown"),
        (Acknowledge, b'{"by": "\\u202eanad"}', "by: it has characters that cannot be shown"),
        (Acknowledge, b'{"by": "' + b"x" * 101 + b'"}', "by: expected at most 100 characters; these are 101"),
        (Snooze, b"", "nothing says how long; expected for or until."),
        (Snooze, b'{"for": "1h", "until": "2099-01-01T00:00:00Z"}', "both for and until are given"),
        (Resolve, b'{"until": "x"}', "until: there is no such field; expected some of by."),
        (Note, b"{}", "text: it is missing."),
        (Note, b'{"text": " "}', "text: it is empty."),
        (Note, b'{"text": ["a"]}', "text: expected text; this is a list."),
        (
            Note,
            b'{"text": "' + b"x" * 2_001 + b'"}',
            "text: expected at most 2000 characters; these are 2001",
        ),
        (Note, b" " * 40_000, "A body may have 32768 bytes here."),
        (Responder, b"{}", "nothing says who or what; expected one of user, schedule."),
        (Responder, b'{"policy": "p"}', "policy: there is no such field; expected some of by, user, sch"),
        (Reassign, b'{"user": ""}', "user: it is empty."),
        (Reassign, b'{"user": "a", "policy": "b"}', "user and policy are given; expected one of user, sch"),
        (Reassign, b'{"team": "fax"}', "team: expected 'slack', 'email', 'lead', 'manager', 'pagerduty' or"),
    ],
)
async def test_what_is_no_good_is_refused_with_the_field_and_what_was_expected(send, model, sent, said):
    status, detail = await send(model, sent)
    assert status == (413 if len(sent) > MAX_BYTES else 400)
    assert detail.startswith(said)
    assert "Value error" not in detail


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"until": "2023-11-14T22:13:20Z"}, "until: 2023-11-14T22:13:20.000Z is in the past"),
        ({"until": "2023-11-14T23:13:20+02:00"}, "until: 2023-11-14T21:13:20.000Z is in the past"),
        ({"until": "2024-11-16T00:00:00Z"}, "until: it would end in more than a year"),
        ({"for": "367d"}, "for: it would end in more than a year"),
    ],
)
def test_an_end_lies_ahead_and_within_a_year(sent, said):
    with pytest.raises(ProblemError) as refused:
        event(Snooze.model_validate(sent), *WHO, NOW)
    assert (refused.value.status, refused.value.detail.startswith(said)) == (400, True)


def test_a_body_is_needed_where_it_says_something_that_cannot_be_left_out():
    for verb in VERBS:
        try:
            verb.body.model_validate({})
            needs = False
        except ValueError:
            needs = True
        assert verb.needs is needs


def test_the_ways_of_a_team_are_those_of_the_configuration():
    assert get_args(TeamWay) == WAYS
