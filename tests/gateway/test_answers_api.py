"""People's answers over real HTTP, on a real store in which an incident escalates."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession, web
from redis.asyncio import Redis
from world import MINUTE, World

from config.schema import AuthConfig
from gateway.answers import Answers
from gateway.api import answer_bodies, answers, incidents
from gateway.auth import Auth
from gateway.problem import problems
from routing.answering import LONGEST_NOTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = """
users:
  - {name: dana, email: dana@example.com}
  - {name: kim, email: kim@example.com}
teams:
  - {name: backend, email: backend@example.com, lead: kim, on_call: weekly}
  - {name: web, email: web@example.com}
schedules:
  - name: weekly
    time_zone: UTC
    layers: [{people: [dana], start: 2023-11-01}]
escalation_policies:
  - name: page
    steps:
      - notify: [{receiver: hook}]
      - {after: 5m, notify: [{user: dana}]}
      - {after: 15m, unless: resolved, notify: [{user: kim}]}
  - {name: other, steps: [{notify: [{user: kim}]}]}
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  routes:
    - {matchers: ['plain="yes"'], receiver: hook}
    - {matchers: ['both="yes"'], policy: page, team: backend, continue: true}
    - {matchers: ['team=~".+"'], policy: page}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
global: {smtp_smarthost: "localhost:25", smtp_from: t@example.com}
"""
SCOPES = {
    "reader": ["read"],
    "dana": ["read", "respond"],
    "kim": ["read", "respond"],
    "bot": ["read", "respond"],
    "sender": ["ingest"],
}


class Api:
    """The routes on a port of this machine, each caller with a token named like itself."""

    def __init__(self, world: World, client: ClientSession) -> None:
        self.world = world
        self._client = client

    async def get(self, path: str = "", who: str = "reader") -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {who}-secret"}
        async with self._client.get(f"/api/v1/incidents{path}", headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def say(
        self, number: int, verb: str, who: str = "dana", key: str = "", **body: Any
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {who}-secret"} | ({answers.KEY: key} if key else {})
        path = f"/api/v1/incidents/{number}/{verb}"
        async with self._client.post(path, headers=headers, json=body) as response:
            return response.status, await response.json(content_type=None)

    async def fire(self, name: str = "A", **labels: str) -> None:
        await self.world.take(self.world.fires(name, **({"team": "backend"} | labels)))
        await self.world.settle()


@pytest.fixture
async def api(redis_server: str, tmp_path: Path) -> AsyncIterator[Api]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    world = await World.make(redis_server, tmp_path, CONFIG)
    tokens = [{"name": name, "token": f"{name}-secret", "scopes": scopes} for name, scopes in SCOPES.items()]
    auth = Auth(AuthConfig.model_validate({"tokens": tokens}))
    given = Answers(world.store, world.plan, world.sender)
    app = web.Application(middlewares=[problems])
    url = "http://t.test"
    app.add_routes(incidents.routes(world.store, world.plan, auth, lambda: url))
    app.add_routes(answers.routes(given, world.store, world.plan, auth, lambda: url))
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
        yield Api(world, client)
    await runner.cleanup()
    await world.close()
    structlog.reset_defaults()


async def test_an_acknowledgement_says_who_has_it_until_when_and_what_comes_next(api):
    await api.fire()
    _, before = await api.get("/1")
    assert (before["status"], before["policy"], before["team"]) == ("triggered", "page", "backend")
    assert before["next"]["at"] == "2023-11-14T22:18:20.000Z"
    assert before["next"]["text"].startswith("step 2: ")
    status, given = await api.say(1, "acknowledge", **{"for": "1h"})
    assert (status, given["number"], given["changed"]) == (200, 1, True)
    assert given["said"] == "You have it now: #1 is acknowledged until 23:13 UTC."
    _, after = await api.get("/1")
    assert {name: after[name] for name in after if name.startswith("acknowledged")} == {
        "acknowledged_by": "dana",
        "acknowledged_via": "HTTP",
        "acknowledged_at": "2023-11-14T22:13:20.000Z",
        "acknowledged_until": "2023-11-14T23:13:20.000Z",
    }
    assert (after["status"], after["answered_at"]) == ("acknowledged", "2023-11-14T22:13:20.000Z")
    assert after["next"] == given["next"]
    assert after["next"]["at"] == "2023-11-14T22:28:20.000Z"
    assert after["next"]["text"].startswith("step 3: ")


@pytest.mark.parametrize(
    ("verb", "body", "said"),
    [
        ("snooze", {"until": "2023-11-14T23:00:00Z"}, "You have it now: #1 is acknowledged until 23:00 UTC."),
        ("snooze", {"for": "1d"}, "You have it now: #1 is acknowledged until 2023-11-15 22:13 UTC."),
        ("reassign", {"user": "kim"}, "#1 is reassigned to user kim."),
        ("reassign", {"policy": "other"}, "#1 is reassigned to policy other."),
        ("responders", {"user": "kim"}, "#1: user kim is told too."),
        ("notes", {"text": "x"}, "Noted in #1."),
        ("resolve", {}, "#1 is resolved."),
    ],
)
async def test_whoever_answers_is_told_in_a_sentence_what_came_of_it(api, verb, body, said):
    await api.fire()
    assert (await api.say(1, verb, **body))[1]["said"] == said


async def test_the_second_to_acknowledge_is_told_who_was_first_and_nothing_changes(api):
    await api.fire()
    await api.say(1, "acknowledge")
    status, given = await api.say(1, "acknowledge", who="kim")
    assert (status, given["changed"]) == (200, False)
    assert given["said"] == "dana acknowledged #1 at 22:13 UTC already."


@pytest.mark.parametrize(
    ("verb", "body", "status", "line"),
    [
        ("snooze", {"until": "2023-11-15T00:00:00Z"}, "acknowledged", "dana has it for 1 h 46 min (HTTP)"),
        ("resolve", {}, "resolved", "resolved by dana"),
        ("escalate", {}, "triggered", "dana (HTTP) escalates: step 2 comes now"),
        ("reassign", {"user": "kim"}, "triggered", "kim"),
        ("reassign", {"schedule": "weekly"}, "triggered", "weekly"),
        ("reassign", {"team": "lead"}, "triggered", "lead"),
        ("reassign", {"policy": "other"}, "triggered", "other"),
        ("notes", {"text": "disk swapped"}, "triggered", "disk swapped"),
        ("responders", {"user": "kim"}, "triggered", "kim"),
        ("responders", {"schedule": "weekly"}, "triggered", "weekly"),
    ],
)
async def test_each_answer_is_given_and_stands_in_the_timeline(api, verb, body, status, line):
    await api.fire()
    said, given = await api.say(1, verb, **body)
    assert (said, given["changed"], given["incident"]["status"]) == (200, True, status)
    _, shown = await api.get("/1")
    newest = [one["text"] for one in shown["timeline"][-4:]]
    assert any(line in text and "dana" in text for text in newest), newest


async def test_an_acknowledgement_is_taken_back(api):
    await api.fire()
    await api.say(1, "acknowledge")
    status, given = await api.say(1, "unacknowledge", who="kim")
    assert (status, given["changed"], given["incident"]["status"]) == (200, True, "triggered")
    assert (await api.say(1, "unacknowledge"))[1]["changed"] is False


@pytest.mark.parametrize("verb", answer_bodies.VERBS)
async def test_answers_need_respond_and_an_incident_that_there_is(api, verb):
    body = {"snooze": {"for": "1h"}, "notes": {"text": "x"}}.get(verb.path, {})
    if verb.path in ("reassign", "responders"):
        body = {"user": "kim"}
    for who in ("reader", "sender"):
        assert (await api.say(7, verb.path, who=who, **body))[0] == 403
    status, problem = await api.say(7, verb.path, **body)
    assert (status, problem["detail"]) == (
        404,
        "There is no incident #7, or it is older than the retention.",
    )
    assert (await api.say(10**14, verb.path, **body))[0] == 404


@pytest.mark.parametrize(
    ("verb", "body", "said"),
    [
        ("reassign", {"user": "danna"}, "user: the configuration has no user 'danna'; did you mean 'dana'?"),
        (
            "reassign",
            {"policy": "pge"},
            "policy: the configuration has no policy 'pge'; did you mean 'page'?",
        ),
        ("responders", {"schedule": "x"}, "schedule: the configuration has no schedule 'x'."),
        ("acknowledge", {"until": "2023-11-14T22:13:20Z"}, "until: 2023-11-14T22:13:20.000Z is in the past"),
        ("acknowledge", {"until": "soon"}, "until: this is 'soon'; expected a time such as"),
        ("notes", {}, "text: it is missing."),
        ("resolve", {"force": True}, "force: there is no such field; expected some of by."),
    ],
)
async def test_a_slip_of_the_pen_is_said_with_its_field_and_changes_nothing(api, verb, body, said):
    await api.fire()
    _, before = await api.get("/1")
    status, problem = await api.say(1, verb, **body)
    assert (status, problem["detail"].startswith(said), problem["field"]) == (400, True, said.split(":")[0])
    assert (await api.get("/1"))[1] == before


async def test_of_two_who_acknowledge_in_the_same_moment_one_has_it(api):
    await api.fire()
    told = await asyncio.gather(*(api.say(1, "acknowledge", who=who) for who in ("dana", "kim", "bot")))
    assert sorted(given["changed"] for _, given in told) == [False, False, True]
    (first,) = {given["incident"]["acknowledged_by"] for _, given in told}
    assert sorted(given["said"].split()[0] for _, given in told) == sorted(["You", first, first])


async def test_a_bot_answers_for_somebody_and_is_named_beside_them_but_a_user_for_nobody_else(api):
    await api.fire()
    status, problem = await api.say(1, "acknowledge", by="kim")
    assert (status, problem["field"]) == (403, "by")
    _, given = await api.say(1, "acknowledge", who="bot", by="KIM@example.com")
    incident = given["incident"]
    assert (incident["acknowledged_by"], incident["acknowledged_via"]) == ("kim", "HTTP, token bot")


async def test_a_request_that_is_sent_again_with_its_key_is_answered_as_before_and_not_done_again(api):
    await api.fire()
    first = await api.say(1, "escalate", key="k1")
    assert await api.say(1, "escalate", key="k1") == first
    _, shown = await api.get("/1")
    assert len([line for line in shown["timeline"] if line["kind"] == "escalated"]) == 1
    status, problem = await api.say(1, "resolve", key="k1")
    assert (status, "make a new one" in problem["detail"]) == (422, True)
    missing = await api.say(7, "escalate", key="k2")
    assert [missing[0], (await api.say(7, "escalate", key="k2"))[1]["detail"]] == [404, missing[1]["detail"]]
    assert (await api.say(1, "escalate", key="x" * 201))[0] == 400


async def test_a_refusal_is_given_again_as_it_was_with_its_field(api):
    await api.fire()
    late = {"until": "2020-01-01T00:00:00Z"}
    first, again = [await api.say(1, "snooze", key="k1", **late) for _ in range(2)]
    assert (first[0], again[0]) == (400, 400)
    assert (first[1]["detail"], first[1]["field"]) == (again[1]["detail"], again[1]["field"])


async def test_with_the_store_away_it_is_said_when_to_try_again_and_nothing_is_done(api, monkeypatch):
    await api.fire()
    away = Redis.from_url("unix:///nowhere/redis.sock", decode_responses=True)
    for key in ("", "k1"):
        with monkeypatch.context() as patched:
            patched.setattr(api.world.store._calls, "_redis", away)
            status, problem = await api.say(1, "escalate", key=key)
        assert (status, "Try again in 5 s" in problem["detail"]) == (503, True)
    assert (await api.say(1, "escalate", key="k1"))[0] == 200
    await away.aclose()


async def test_of_many_at_once_with_one_key_one_is_done_and_the_others_are_told_so_or_to_wait(api):
    await api.fire()
    told = await asyncio.gather(*(api.say(1, "notes", key="k1", text="once") for _ in range(9)))
    assert {status for status, _ in told} <= {200, 409}
    _, shown = await api.get("/1")
    assert len([line for line in shown["timeline"] if line["kind"] == "note"]) == 1


async def test_a_note_is_as_long_as_answers_take_it(api):
    await api.fire()
    assert (await api.say(1, "notes", text="n" * LONGEST_NOTE))[0] == 200


async def test_incidents_are_listed_by_status_team_severity_and_person(api):
    for number, labels in enumerate(({}, {"severity": "critical"}, {"team": "web"}, {"plain": "yes"}, {})):
        await api.fire(f"A{number}", **labels)
    await api.say(1, "acknowledge", who="kim")
    await api.say(5, "resolve")
    await api.world.until(6 * MINUTE)

    async def numbers(query: str, who: str = "reader") -> list[int]:
        status, body = await api.get(query, who)
        assert status == 200
        return [one["number"] for one in body["incidents"]]

    assert await numbers("") == [4, 3, 2, 1]
    assert await numbers("?status=all&limit=3") == [5, 4, 3]
    assert await numbers("?status=triggered") == [4, 3, 2]
    assert await numbers("?status=acknowledged") == [1]
    assert await numbers("?status=resolved") == [5]
    assert await numbers("?team=web") == [3]
    assert await numbers("?severity=critical") == [2]
    assert await numbers("?person=KIM") == await numbers("?mine=true", who="kim") == [1]
    assert await numbers("?mine=true", who="dana") == [3, 2]  # told of them in person, as step 2
    status, problem = await api.get("?mine=true", who="bot")
    assert (status, "Say person=NAME" in problem["detail"]) == (400, True)


async def test_incidents_that_share_an_alert_are_shown_together_and_acknowledged_together(api):
    await api.fire(both="yes")
    _, shown = await api.get("/1")
    assert [one["number"] for one in shown["related"]] == [2]
    await api.say(1, "acknowledge")
    assert (await api.get("/2"))[1]["acknowledged_by"] == "dana"
    await api.say(2, "resolve")
    assert (await api.get("/1"))[1]["related"] == []
