"""`GET /api/v1/arrivals` gives what the service takes in to whoever listens, and holds nothing up."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession, web

from config.load import load
from config.schema import AuthConfig
from gateway.api import arrivals
from gateway.auth import Auth
from gateway.listeners import MAX_LISTENERS, MAX_WAITING, Listeners
from gateway.problem import ProblemError, problems
from gateway.service import Service
from gateway.simulation.replay import happenings
from gateway.store import connect
from routing.alerts import Arrival, alert_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CONFIG = """
route: {receiver: nobody, group_by: [alertname], group_wait: 0s}
receivers: [{name: nobody}]
"""
TOKENS = AuthConfig.model_validate({"tokens": [{"name": "rec", "token": "rec-secret", "scopes": ["read"]}]})


def body(*names: str, **more: Any) -> tuple[Arrival, ...]:
    given = {"annotations": {}, "status": "firing", "starts_at": 1, "ends_at": None, "until": None} | more
    labels = [{"alertname": name} for name in names]
    return tuple(Arrival(alert_key(one), one, generator_url="", **given) for one in labels)


class Stream:
    """What a listener reads, without what only says that the stream lives."""

    def __init__(self, response) -> None:
        self._lines = response.content

    async def next(self) -> dict[str, Any] | None:
        async with asyncio.timeout(5):
            while line := await self._lines.readline():
                found = json.loads(line)
                if found.get("notice") != "alive":
                    return found
        return None


class Place:
    """The endpoint on a server of its own."""

    def __init__(self) -> None:
        self.listeners = Listeners()
        self.auth = Auth(AuthConfig())
        self.url = ""

    @asynccontextmanager
    async def hear(self, **headers: str) -> AsyncIterator[Stream]:
        async with ClientSession(headers=headers) as client, client.get(self.url) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "application/x-ndjson"
            yield Stream(response)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    place = Place()
    app = web.Application(middlewares=[problems])
    app.add_routes(arrivals.routes(place.listeners, place.auth, 4))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    place.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/arrivals"
    yield place
    place.listeners.close()
    await runner.cleanup()
    structlog.reset_defaults()


async def test_a_listener_hears_each_body_and_of_how_many_processes_this_is_one(place):
    async with place.hear() as stream:
        first = await stream.next()
        assert (first["notice"], first["processes"], len(first["process"])) == ("listening", 4, 16)
        place.listeners.tell(body("A", "B"))
        place.listeners.tell(body("C"))
        found = [await stream.next() for _ in range(3)]
    assert [(one["labels"]["alertname"], one["body"]) for one in found] == [("A", 1), ("B", 1), ("C", 2)]
    assert found[0]["startsAt"] == "1970-01-01T00:00:00.001Z"
    assert not {"annotations", "endsAt"} & found[0].keys()


async def test_a_process_that_is_heard_already_says_so_and_asks_for_another_try(place):
    async with place.hear() as stream:
        process = (await stream.next())["process"]
        statuses = []
        async with ClientSession() as client:
            for query in (f"except={process}", "except=me"):
                async with client.get(f"{place.url}?except={'0' * 16}&{query}") as response:
                    statuses.append(response.status)
    assert statuses == [409, 400]


async def test_who_has_gone_is_heard_of_no_more(place):
    async with place.hear() as stream:
        await stream.next()
        assert len(place.listeners.ears) == 1
    async with asyncio.timeout(5):
        while place.listeners.ears:
            await asyncio.sleep(0.02)


async def test_at_the_end_what_waits_is_heard_and_that_it_is_the_end(place):
    async with place.hear() as stream:
        await stream.next()
        place.listeners.tell(body("A"))
        place.listeners.close()
        assert (await stream.next())["labels"] == {"alertname": "A"}
        end = await stream.next()
        assert (end["notice"], end["why"]) == ("end", "the service stops")
        assert await stream.next() is None


async def test_without_the_scope_nobody_listens_and_a_token_taken_back_ends_it(place):
    place.auth.use(TOKENS)
    async with ClientSession() as client, client.get(place.url) as response:
        assert response.status == 401
    async with place.hear(Authorization="Bearer rec-secret") as stream:
        await stream.next()
        place.auth.use(
            AuthConfig.model_validate({"tokens": [{"name": "x", "token": "x", "scopes": ["read"]}]})
        )
        end = await stream.next()
    assert end["why"] == "the token is no longer allowed to"


async def test_a_listener_who_is_too_slow_is_told_how_many_are_missing_and_where():
    listeners = Listeners()
    with listeners.listen() as ear:
        listeners.tell(body("A") * MAX_WAITING)
        listeners.tell(body("B", "C"))
        assert len((await ear.next(1)).arrivals) == MAX_WAITING
        listeners.tell(body("D"))
        heard = await ear.next(1)
        assert (heard.missed, heard.arrivals) == (2, body("D"))
        listeners.tell(body("E") * (MAX_WAITING + 1))
        heard = await ear.next(1)
        assert (heard.missed, heard.arrivals) == (MAX_WAITING + 1, ())
        assert await ear.next(0.01) is None


def test_no_more_than_some_listen_and_none_to_a_service_that_stops():
    listeners = Listeners()
    held = [listeners.listen() for _ in range(MAX_LISTENERS)]
    for one in held:
        one.__enter__()
    with pytest.raises(ProblemError, match="8 listen already"), listeners.listen():
        pass
    held[0].__exit__(None, None, None)
    with listeners.listen():
        pass
    listeners.close()
    with pytest.raises(ProblemError, match="The service stops"), listeners.listen():
        pass


@pytest.mark.store
async def test_what_a_whole_service_takes_in_can_be_replayed(redis_server: str, tmp_path: Path):
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    path, recorded = tmp_path / "tocsin.yaml", tmp_path / "recorded.jsonl"
    path.write_text(CONFIG)
    service = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
    await service.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{service.port}"
    posted = [
        {"labels": {"alertname": "A"}, "endsAt": "2999-01-01T00:00:00Z"},
        {"labels": {"alertname": "B"}},
    ]
    async with ClientSession() as client, client.get(f"{url}/api/v1/arrivals") as stream:
        lines = [await stream.content.readline()]
        async with client.post(f"{url}/api/v2/alerts", json=posted) as answer:
            assert answer.status == 200
        lines += [await stream.content.readline() for _ in range(2)]
        await service.stop()
        lines.append(await stream.content.read())
    structlog.reset_defaults()
    recorded.write_bytes(b"".join(lines))
    (found,) = happenings(recorded)
    assert [one.labels["alertname"] for one in found.arrivals] == ["A", "B"]
    assert found.arrivals[0].until == 32_472_144_000_000
