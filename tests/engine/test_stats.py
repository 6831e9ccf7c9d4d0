"""Statistics of what really happened, in virtual time, and over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web
from world import HOUR, MINUTE, START, World

from config.schema import AuthConfig
from gateway import stats
from gateway.api import stats as api
from gateway.auth import Auth
from gateway.problem import problems
from routing.events import Acknowledged
from routing.stats import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

CONFIG = """
global: {smtp_smarthost: "mail.test:25", smtp_from: t@example.com, slack_app_token: xoxb-1}
route:
  receiver: root
  group_by: [alertname]
  group_wait: 0s
  routes:
    - matchers: [severity="critical"]
      policy: page
receivers:
  - name: root
    webhook_configs: [{url: "http://root.test"}]
  - name: pager
    pagerduty_configs: [{routing_key: R0123456789ABCDEFR0123456789ABCD}]
teams: [{name: db, slack_channel: "#db"}]
users: [{name: dana, email: dana@example.com, time_zone: America/New_York}]
escalation_policies:
  - name: page
    steps:
      - notify: [{team: slack}, {receiver: pager}]
      - after: 5m
        notify: [{user: dana}]
"""
DANA = Acknowledged("dana", "command line")


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(CONFIG)


async def a_night(world: World) -> None:
    """At 22:13 UTC on a Tuesday: one is acknowledged and ends, one is told to a plain receiver."""
    await world.take(world.fires("A", severity="critical", team="db"))
    await world.take(world.fires("B"))
    await world.until(7 * MINUTE)
    await world.answer(1, DANA)
    await world.until(20 * MINUTE)
    await world.take(world.ends("A", severity="critical", team="db"))
    await world.until(HOUR)


async def test_a_page_is_what_reached_a_person_or_pagerduty_and_nothing_else(world: World) -> None:
    await world.take(world.fires("A", severity="critical", team="db"), world.fires("B"))
    await world.until(HOUR)
    found = {one.labels["alertname"]: pages async for one, pages in stats.triggered(world.store, 0, 1 << 52)}
    assert found == {"A": (Page(START), Page(START + 5 * MINUTE, "dana")), "B": ()}


async def test_only_what_was_triggered_in_the_time_counts(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(HOUR)
    await world.take(world.fires("B"), world.ends("A"))
    await world.until(2 * HOUR)

    async def between(since: int, until: int) -> list[str]:
        found = stats.triggered(world.store, START + since, START + until)
        return sorted([one.labels["alertname"] async for one, _ in found])

    assert await between(0, 2 * HOUR) == ["A", "B"]
    assert await between(1, 2 * HOUR) == ["B"]
    assert await between(0, HOUR) == ["A"]


async def test_many_incidents_are_read_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE", 3)
    await world.take(*(world.fires(f"A{number}") for number in range(10)))
    await world.until(MINUTE)
    await world.take(*(world.ends(f"A{number}") for number in range(5)))
    await world.until(HOUR)
    found = [one.labels["alertname"] async for one, _ in stats.triggered(world.store, 0, 1 << 52)]
    assert sorted(found) == [f"A{number}" for number in range(10)]


@pytest.fixture
async def ask(world: World) -> AsyncIterator[Any]:
    auth = AuthConfig.model_validate({"tokens": [{"name": "r", "token": "r-secret", "scopes": ["read"]}]})
    app = web.Application(middlewares=[problems])
    app.add_routes(api.routes(world.store, world.plan, Auth(auth)))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/stats"
    async with ClientSession(headers={"Authorization": "Bearer r-secret"}) as client:

        async def request(**query: str) -> tuple[int, Any]:
            async with client.get(url, params=query) as response:
                return response.status, await response.json(content_type=None)

        yield request
    await runner.cleanup()


async def test_the_api_sums_up_by_team(world: World, ask: Any) -> None:
    await a_night(world)
    status, answer = await ask()
    assert status == 200
    rows = {row["name"]: row for row in answer["rows"]}
    assert set(rows) == {"db", None}
    assert rows["db"]["time_to_acknowledge"] == {"count": 1, "mean": 420.0, "p50": 420.0, "p90": 420.0}
    assert rows["db"]["acknowledged_share"] == 1.0
    assert (rows["db"]["pages"], rows["db"]["pages_out_of_hours"]) == (2, 1)  # for dana it is 17:18
    assert (answer["total"]["incidents"], answer["total"]["open"]) == (2, 1)


async def test_the_api_sums_up_by_person_and_by_other_office_hours(world: World, ask: Any) -> None:
    await a_night(world)
    _, answer = await ask(by="person", office="09:00-17:00")
    (dana,) = answer["rows"]
    assert (dana["name"], dana["pages"], dana["pages_out_of_hours"]) == ("dana", 1, 1)
    _, answer = await ask(by="alert", zone="America/New_York")
    assert answer["total"]["pages_out_of_hours"] == 0
    _, answer = await ask(by="severity", since="1m")
    assert answer["rows"] == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"by": "week"}, "by is one of team, severity, alert, person; this is 'week'."),
        ({"since": "yesterday"}, "since is a duration such as 30d, or a time"),
        ({"since": "2026-11-23T08:00:00"}, "since is a duration such as 30d, or a time"),
        ({"office": "9-18"}, "office is a time of day such as 09:00-18:00; this is '9-18'."),
        ({"office": "18:00-09:00"}, "office is a time of day"),
        ({"zone": "Mars/Base"}, "zone is a time zone such as Europe/Berlin; 'Mars/Base' is none"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_what_was_expected(
    ask: Any, query: dict[str, str], said: str
) -> None:
    status, answer = await ask(**query)
    assert (status, said in answer["detail"]) == (400, True), answer
