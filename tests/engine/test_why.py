"""Why an incident came as it did: every decision, the same when made again, or what differs now is said."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession, web
from world import HOUR, MINUTE, SECOND, World

from config.schema import AuthConfig
from gateway.api import why
from gateway.auth import Auth
from gateway.problem import problems
from gateway.store import keys
from receivers.base import Message, Outcome, Refused, Sent
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
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = """
teams: [{name: db, slack_channel: "#db", on_call: db}]
users: [{name: dana, webhook: "http://dana.test/"}, {name: lee, webhook: "http://lee.test/"}]
schedules: [{name: db, layers: [{people: [WHO]}]}]
escalation_policies:
  - name: page
    ack_timeout: 30m
    steps:
      - notify: [{receiver: hook}]
      - {after: 5m, notify: [{team: on_call}]}
      - {after: 15m, unless: resolved, notify: [{receiver: board}]}
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 10s
  routes:
    - {matchers: [severity="critical"], policy: page, group_wait: 0s}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
  - name: board
    webhook_configs: [{url: "http://board.test/"}]
"""


@pytest.fixture
async def world(redis_server: str, tmp_path: Path) -> AsyncIterator[World]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    made = await World.make(redis_server, tmp_path, CONFIG.replace("WHO", "dana"))
    yield made
    await made.close()
    structlog.reset_defaults()


@asynccontextmanager
async def api(world: World) -> AsyncIterator[tuple[ClientSession, str]]:
    tokens = [{"name": scope, "token": f"{scope}-secret", "scopes": [scope]} for scope in ("read", "ingest")]
    app = web.Application(middlewares=[problems])
    auth = Auth(AuthConfig.model_validate({"tokens": tokens}))
    app.add_routes(why.routes(world.store, world.plan, auth, lambda: "http://tocsin.test"))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as client:
        yield client, f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/incidents"
    await runner.cleanup()


async def ask(world: World, number: int = 1, who: str = "read") -> tuple[int, Any]:
    async with api(world) as (client, url):
        headers = {"Authorization": f"Bearer {who}-secret"}
        async with client.get(f"{url}/{number}/why", headers=headers) as response:
            return response.status, await response.json()


async def decisions(world: World, number: int = 1) -> list[dict[str, Any]]:
    status, body = await ask(world, number)
    assert (status, body["complete"]) == (200, True)
    return body["decisions"]


async def nobody_answers(world: World) -> None:
    await world.take(world.fires("Down", severity="critical", team="db"))
    await world.until(20 * MINUTE)


async def test_each_decision_says_what_happened_what_was_seen_and_who_was_told(world):
    await nobody_answers(world)
    first, step, *_ = await decisions(world)
    assert first == {
        "at": "2023-11-14T22:13:20.000Z",
        "happened": "the wait of its group was over",
        "seen": "1 firing; worst severity critical; nobody told yet",
        "status": "pending → triggered",
        "told": [
            {
                "who": "hook by a webhook",
                "heard": "ring",
                "reason": "first notification",
                "policy": "page",
                "step": 1,
            }
        ],
        "timeline": [
            "triggered: 1 alert firing, worst severity critical",
            "step 1: telling hook by a webhook: first notification",
        ],
        "due": "2023-11-14T22:18:20.000Z",
        "plan": world.plan.current.plan.digest[:12],
        "today": [],
    }
    assert step["happened"].startswith("step 2 was due")
    assert [(one["who"], one["step"]) for one in step["told"] if one["heard"] == "ring"] == [
        ("dana by a webhook", 2)
    ]


async def everything_happens(world: World) -> None:
    """A story with all that people can say, a dead receiver, late work and a reload."""
    dead = {"http://board.test/"}
    world.recorder.answer = lambda message: answer(message, dead)
    await nobody_answers(world)
    for event in (
        Acknowledged("dana", "test"),
        Noted("dana", "test", "so it is"),
        Unacknowledged("dana", "test"),
        ResponderAdded("dana", "test", Target("user", "lee")),
        Reassigned("dana", "test", Target("user", "lee")),
        Reassigned("dana", "test", policy="page"),
        Escalated("dana", "test"),
        Acknowledged("lee", "test", world.now + HOUR),
    ):
        await world.answer(1, event)
        await world.until(world.now - world.began + 90 * SECOND)
    await world.take(world.fires("Down", severity="critical", team="db", instance="2"))
    await world.pass_to(2 * HOUR)  # nobody works meanwhile
    await world.until(3 * HOUR)
    await world.answer(1, Resolved("lee", "test"))
    await world.until(4 * HOUR)


def answer(message: Message, dead: set[str]) -> Outcome:
    return Refused("no such address") if message.receiver == "board" and dead else Sent()


async def test_by_the_same_configuration_every_decision_is_the_same_again(world):
    await everything_happens(world)
    found = await decisions(world)
    assert len(found) > 15
    assert [(one["happened"], one["today"]) for one in found if one["today"]] == []


async def reload(world: World, *changes: tuple[str, str]) -> None:
    text = world.path.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    world.path.write_text(text)
    await world.plan.reload()


async def test_where_the_configuration_has_changed_it_says_what_would_be_different(world):
    await nobody_answers(world)
    before = world.plan.current.plan.digest[:12]
    await reload(world, ("[{people: [dana]}]", "[{people: [lee]}]"))
    status, body = await ask(world)
    assert (status, body["plan"] != before) == (200, True)
    found = {one["happened"]: one["today"] for one in body["decisions"] if one["today"]}
    assert list(found) == ["step 2 was due and a tick of its group"]
    assert found["step 2 was due and a tick of its group"][:2] == [
        "lee by a webhook would get a ring too",
        "dana by a webhook would get no ring",
    ]
    assert {one["plan"] for one in body["decisions"]} == {before}


async def test_a_change_that_moves_an_incident_is_one_of_its_decisions(world):
    await nobody_answers(world)
    await reload(world, ("policy: page, group_wait", "receiver: board, group_wait"))
    await world.until(21 * MINUTE)
    happened = [one["happened"] for one in await decisions(world)]
    assert any(one.startswith("a change of the configuration put it under the route") for one in happened)


async def test_a_quiet_time_that_is_new_in_the_configuration_is_seen(world):
    await nobody_answers(world)
    always = "time_intervals: [{name: always, time_intervals: [{}]}]\nroute:\n"
    await reload(
        world,
        ("route:\n  receiver: hook\n", f"{always}  receiver: hook\n"),
        ("policy: page, ", "policy: page, mute_time_intervals: [always], "),
    )
    first = (await decisions(world))[0]
    assert "hook by a webhook would get no ring" in first["today"]


async def test_an_incident_without_records_is_shown_as_incomplete(world):
    await nobody_answers(world)
    for shard in range(world.store.shards):
        await world.redis.delete(f"{keys.prefix(shard)}:w:1")
    status, body = await ask(world)
    assert (status, body["complete"], body["decisions"], body["number"]) == (200, False, [], 1)


async def test_it_needs_the_scope_read_and_a_number_that_there_is(world):
    await nobody_answers(world)
    assert [(await ask(world, 1, who="ingest"))[0], (await ask(world, 2))[0]] == [403, 404]


async def test_two_who_ask_at_once_are_answered_alike(world):
    await nobody_answers(world)
    async with api(world) as (client, url):
        headers = {"Authorization": "Bearer read-secret"}
        answers = await asyncio.gather(*(client.get(f"{url}/1/why", headers=headers) for _ in range(5)))
        bodies = [await one.json() for one in answers]
    assert all(body == bodies[0] for body in bodies)


async def test_what_cannot_be_recorded_is_done_all_the_same(world: World):
    await world.take(world.fires("A", severity="critical", team="db"))
    no_name: Any = 2.5
    await world.answer(1, Escalated(no_name, "HTTP"))
    rung = [note.receiver for note in world.notes if note.message.kind == "ring"]
    assert rung == ["hook", "user dana: webhook"]
