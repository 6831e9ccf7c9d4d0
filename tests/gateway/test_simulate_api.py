"""Who would be told, over real HTTP on a real store: what is sent, what counts, and where it ends."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession, web
from world import HOUR, MINUTE, World

from config.schema import AuthConfig
from gateway.api import simulate
from gateway.auth import Auth
from gateway.problem import problems
from routing.matchers import Matcher
from routing.oncall import Override
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

# The world starts on 2023-11-14 22:13:20 UTC.
CONFIG = """
teams: [{name: db, slack_channel: "#db", on_call: db}]
users: [{name: dana, webhook: "http://dana.test/"}, {name: lee, webhook: "http://lee.test/"}]
schedules: [{name: db, layers: [{people: [dana]}]}]
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
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 1m
  routes: [{matchers: [severity="critical"], policy: page}]
receivers:
  - {name: hook, webhook_configs: [{url: "http://hook.test/"}]}
  - {name: board, webhook_configs: [{url: "http://board.test/"}]}
"""
PAGE = {"labels": {"alertname": "Down", "severity": "critical", "team": "db"}, "fires": "30m"}
NOISY = {"labels": {"alertname": "Noisy"}}  # its receiver repeats each two minutes


class Api:
    def __init__(self, world: World, client: ClientSession, url: str) -> None:
        self.world = world
        self._client = client
        self._url = f"{url}/api/v1/simulate"

    async def post(self, body: Any, who: str = "read", **sent: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {who}-secret"}
        given = {"data": body, "headers": headers | sent} if sent else {"json": body, "headers": headers}
        async with self._client.post(self._url, **given) as response:
            return response.status, await response.json(content_type=None)

    async def told(self, body: Any, kind: str = "ring") -> list[tuple[float, str]]:
        """(seconds, target) of everybody who is rung."""
        status, found = await self.post(body)
        assert status == 200, found
        return [(one["after_s"], one["target"]) for one in found["notifications"] if one["kind"] == kind]


@pytest.fixture
async def within_s(request: pytest.FixtureRequest) -> float:
    return getattr(request, "param", 8.0)


@pytest.fixture
async def api(redis_server: str, tmp_path: Path, within_s: float) -> AsyncIterator[Api]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    world = await World.make(redis_server, tmp_path, CONFIG)
    tokens = [{"name": scope, "token": f"{scope}-secret", "scopes": [scope]} for scope in ("read", "ingest")]
    app = web.Application(middlewares=[problems])
    auth = Auth(AuthConfig.model_validate({"tokens": tokens}))
    silences = world.holds.silence_store
    app.add_routes(simulate.routes(world.plan, world.oncall, silences, auth, within_s=within_s))
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as client:
        yield Api(world, client, f"http://127.0.0.1:{runner.addresses[0][1]}")
    await world.close()
    await runner.cleanup()
    structlog.reset_defaults()


# --- what counts ---------------------------------------------------------------------------------------


async def test_it_says_who_would_be_told_and_changes_nothing(api):
    before = await api.world.redis.dbsize()
    assert await api.told(PAGE) == [(0, "hook"), (300, "dana"), (900, "board")]
    assert (await api.world.redis.dbsize(), api.world.notes) == (before, [])


async def test_it_begins_now_or_when_it_is_said(api):
    _, now = await api.post(PAGE)
    _, later = await api.post(PAGE | {"at": "2026-12-24T03:00:00+01:00"})
    assert (now["began"], later["began"]) == ("2023-11-14T22:13:20.000Z", "2026-12-24T02:00:00.000Z")


ANSWERS: dict[str, tuple[list[dict[str, Any]], list[tuple[float, str]]]] = {
    "ack": ([{"at": "3m", "ack": "dana"}], [(0, "hook"), (900, "board"), (1680, "dana")]),  # whom it reminds
    "ack for a while": (
        [{"at": "3m", "ack": "dana", "for": "4m"}],
        [(0, "hook"), (420, "hook"), (720, "dana"), (900, "board")],
    ),
    "unack": (
        [{"at": "3m", "ack": "dana"}, {"at": "4m", "unack": "dana"}],
        [(0, "hook"), (240, "hook"), (540, "dana"), (900, "board")],
    ),
    "resolve": ([{"at": "3m", "resolve": "lee"}], [(0, "hook")]),
    "escalate": ([{"at": "1m", "escalate": "lee"}], [(0, "hook"), (60, "dana"), (900, "board")]),
    "of one incident": (
        [{"at": "3m", "ack": "dana", "incident": 1}],
        [(0, "hook"), (900, "board"), (1680, "dana")],
    ),
    "of no incident": (
        [{"at": "3m", "ack": "dana", "incident": 7}],
        [(0, "hook"), (300, "dana"), (900, "board")],
    ),
}


@pytest.mark.parametrize(("answers", "told"), ANSWERS.values(), ids=list(ANSWERS))
async def test_answers_count(api, answers, told):
    assert await api.told(PAGE | {"answers": answers}) == told


async def test_several_alerts_fire_each_in_its_time(api):
    alerts = [
        {"labels": PAGE["labels"], "at": "10m", "fires": "1m"},
        {"labels": PAGE["labels"] | {"alertname": "Other"}, "at": "12m"},
    ]
    told = await api.told({"alerts": alerts, "fires": "2m"})
    assert told == [(0, "hook"), (120, "hook")]  # it counts from the first firing


async def test_present_silences_and_overrides_count(api):
    now = api.world.now
    matcher = Matcher("alertname", "=", "Down")
    wanted = Wanted(
        matchers=(matcher,), starts_at=now, ends_at=now + 10 * MINUTE, created_by="dana", comment="works"
    )
    override = Override("", "db", now, now + HOUR, ("lee",), "", "dana", "")
    await api.world.oncall.override_store.add(override)
    await api.world.oncall.keep_up()
    assert await api.told(PAGE) == [(0, "hook"), (300, "lee"), (900, "board")]
    await api.world.holds.silence_store.put(wanted)
    assert (await api.told(PAGE))[0] == (600, "hook")
    assert await api.told(PAGE | {"silences": []}) == [(0, "hook"), (300, "lee"), (900, "board")]
    other = {"matchers": 'team="db"', "at": "0s", "for": "20m"}
    assert (await api.told(PAGE | {"silences": [other]}))[0] == (1200, "hook")


async def test_a_service_that_fails_is_told_later_or_never(api):
    away = {"what": "webhook", "for": "2m"}
    assert (await api.told(PAGE | {"failures": [away]}))[0][0] > 60
    never = {"what": "hook", "refused": True}
    assert await api.told(PAGE | {"failures": [never]}) == [(0, "dana"), (900, "board")]


async def test_reasons_and_messages_come_where_they_are_asked_for(api):
    _, plain = await api.post(PAGE)
    _, whole = await api.post(PAGE | {"explain": True, "messages": True})
    assert "skipped" not in plain
    assert "text" not in plain["notifications"][0]
    assert whole["notifications"][0]["policy"] == "page"
    assert "Down" in whole["notifications"][0]["text"]


# --- what is refused ------------------------------------------------------------------------------------

LABELS = {"alertname": "Down"}
REFUSED: dict[str, tuple[Any, str, str]] = {
    "nothing": ({}, "", "no alert is given"),
    "both": ({"labels": LABELS, "alerts": [{"labels": LABELS}]}, "", "labels and alerts are given"),
    "an unknown field": ({"labels": LABELS, "fire": "1m"}, "fire", "did you mean"),
    "an unknown field inside": ({"alerts": [{"labels": LABELS, "x": 1}]}, "alerts.0.x", "no such field"),
    "a label that is no text": ({"labels": {"a": 1}}, "labels.a", "expected text; this is a number"),
    "no labels": ({"alerts": [{"labels": LABELS}, {"labels": {}}]}, "alerts.1.labels", "at least one label"),
    "a label without a name": ({"labels": {"": "x"}}, "labels", "label"),
    "no alert but text": ({"alerts": ["Down"]}, "alerts.0", "expected an object; this is text"),
    "no list": ({"alerts": LABELS}, "alerts", "expected a list; this is an object"),
    "too many": ({"alerts": [{"labels": LABELS}] * 101}, "alerts", "at most 100 of them; these are 101"),
    "no duration": ({"labels": LABELS, "fires": "soon"}, "fires", "duration"),
    "no time": ({"labels": LABELS, "at": "tomorrow"}, "at", "time"),
    "too far away": ({"labels": LABELS, "at": "9999-12-31T00:00:00Z"}, "at", "1970 to 9998"),
    "beyond the end": ({"alerts": [{"labels": LABELS, "at": "8d"}]}, "alerts.0.at", "7 days"),
    "nobody": (PAGE | {"answers": [{"at": "1m", "ack": "dnaa"}]}, "answers.0.ack", "did you mean 'dana'"),
    "two answers": (PAGE | {"answers": [{"at": "1m", "ack": "a", "resolve": "a"}]}, "answers.0", "are given"),
    "no answer": (PAGE | {"answers": [{"at": "1m"}]}, "answers.0", "nothing says what is answered"),
    "an end of nothing": (
        PAGE | {"answers": [{"at": "1m", "resolve": "dana", "for": "1m"}]},
        "answers.0",
        "for belongs to ack",
    ),
    "no matchers": (PAGE | {"silences": [{"matchers": "a=~("}]}, "silences.0.matchers", "at character"),
    "all": (PAGE | {"silences": [{"matchers": 'a=~".*"'}]}, "silences.0.matchers", "at least one"),
    "not present": (PAGE | {"silences": "none"}, "silences", "'present'"),
    "nothing that fails": (
        PAGE | {"failures": [{"what": "pager"}]},
        "failures.0.what",
        "the configuration has no 'pager'; expected pagerduty, slack, email, webhook, or a receiver or user",
    ),
}


@pytest.mark.parametrize(("body", "field", "said"), REFUSED.values(), ids=list(REFUSED))
async def test_what_cannot_be_meant_is_refused_with_its_field(api, body, field, said):
    status, problem = await api.post(body)
    assert (status, problem["field"].startswith(field)) == (400, True), problem
    assert said in problem["detail"]


async def test_what_is_too_long_or_no_json_is_refused(api):
    long = {"labels": LABELS, "annotations": {"summary": "x" * 256 * 1024}}
    assert (await api.post(long))[0] == 413
    assert (await api.post(b"{", **{"Content-Type": "application/json"}))[0] == 400


async def test_it_needs_the_scope_read(api):
    assert (await api.post(PAGE, who="ingest"))[0] == 403


# --- where it ends --------------------------------------------------------------------------------------


async def test_one_that_tells_of_too_many_messages_is_refused(api):
    many = [{"labels": {"alertname": f"Noisy{number}"}} for number in range(20)]
    status, problem = await api.post({"alerts": many})
    assert (status, "more than 10000 messages" in problem["detail"]) == (422, True)


@pytest.mark.parametrize("within_s", [0.2], indirect=True)
async def test_one_that_takes_too_long_is_ended(api):
    began = time.monotonic()
    status, problem = await api.post(NOISY | {"messages": True})
    assert (status, "longer than 0.2 s" in problem["detail"]) == (422, True)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("within_s", [1.0], indirect=True)
async def test_only_two_go_on_at_once_and_the_loop_goes_on_meanwhile(api):
    slow = NOISY | {"messages": True}
    waiting = [asyncio.create_task(api.post(slow)) for _ in range(2)]
    await asyncio.sleep(0.3)
    longest, before = 0.0, time.monotonic()
    status, problem = await api.post(PAGE)
    for _ in range(10):
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    assert (status, "try again" in problem["detail"]) == (429, True)
    assert longest < 0.5
    await asyncio.gather(*waiting)
    assert (await api.post(PAGE))[0] == 200
