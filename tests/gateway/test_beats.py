"""Beats to others over real HTTP: only while we work, each in its own time, and no address in the log."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from config.heartbeats import BeatConfig
from config.load import load
from gateway.beats import Beats
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@dataclass
class Others:
    """A server that counts its calls by path; those to `/hang` it never answers, to `/no` it answers 500."""

    port: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.calls[request.path] += 1
        if request.path == "/hang":
            await asyncio.sleep(60)
        return web.Response(status=500 if request.path == "/no" else 200)

    def beat(self, path: str, every: int = 5, timeout: int = 5_000) -> BeatConfig:
        """More often than a configuration may say."""
        url = SecretStr(f"http://127.0.0.1:{self.port}{path}")
        return BeatConfig.model_construct(url=url, url_file=None, every=every, timeout=timeout)


@pytest.fixture
async def others() -> AsyncIterator[Others]:
    found = Others()
    runner = web.ServerRunner(web.Server(found.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


async def beating(beats: Beats, until: Callable[[], bool]) -> None:
    """Runs it until that is so."""
    task = asyncio.create_task(beats.run())
    try:
        async with asyncio.timeout(5):
            while not until():
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def works() -> str:
    return ""


async def test_an_address_that_hangs_or_fails_delays_no_other(others: Others) -> None:
    every = [others.beat("/hang"), others.beat("/no"), others.beat("/a"), others.beat("/b")]
    await beating(Beats(lambda: every, works), lambda: min(others.calls["/a"], others.calls["/b"]) >= 10)
    assert others.calls["/hang"] == 1
    assert others.calls["/no"] >= 5


async def test_nothing_is_sent_while_we_do_not_work(others: Others) -> None:
    asked, reason = 0, "the store is away"

    async def why_not() -> str:
        nonlocal asked
        asked += 1
        return reason

    beats = Beats(lambda: [others.beat("/a")], why_not)
    await beating(beats, lambda: asked >= 10)
    assert others.calls == {}
    reason = ""
    await beating(beats, lambda: others.calls["/a"] >= 2)


async def test_a_reload_brings_other_addresses(others: Others) -> None:
    every = [others.beat("/a")]
    beats = Beats(lambda: every, works)
    await beating(beats, lambda: others.calls["/a"] >= 2)
    every = [others.beat("/b")]
    others.calls.clear()
    await beating(beats, lambda: others.calls["/b"] >= 2)
    assert set(others.calls) == {"/b"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/no?key=hunter2", "it answered 500"), ("/hang?key=hunter2", "it did not answer within 0.05 s")],
)
async def test_the_log_says_what_came_of_it_once_and_shows_no_address(
    others: Others, path: str, reason: str
) -> None:
    beats = Beats(lambda: [others.beat(path, timeout=50)], works)
    with capture_logs() as logs:
        await beating(beats, lambda: sum(others.calls.values()) >= 2)
    assert logs == [{"event": "beats.failed", "log_level": "warning", "host": "127.0.0.1", "reason": reason}]


async def test_an_address_that_nobody_answers_at_is_said_without_it(tmp_path: Path) -> None:
    closed = BeatConfig.model_construct(
        url=SecretStr("http://127.0.0.1:9/hunter2"), url_file=None, every=5, timeout=500
    )
    gone = BeatConfig.model_construct(url=None, url_file=tmp_path / "gone", every=5, timeout=500)
    with capture_logs() as logs:
        await beating(Beats(lambda: [closed, gone], works), lambda: len(logs) >= 2)
    assert "hunter2" not in str(logs)
    assert "connection refused" in str(logs)


@pytest.mark.store
async def test_a_service_beats_from_when_it_works(redis_server: str, tmp_path: Path, others: Others) -> None:
    path = tmp_path / "tocsin.yaml"
    beat = f"beats: [{{url: 'http://127.0.0.1:{others.port}/ping', every: 1s}}]\n"
    path.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n" + beat)
    service = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
    assert (
        await service.why_not_working()
        == "another configuration is in force; this process must load it first"
    )
    await service.start("127.0.0.1", 0)
    try:
        async with asyncio.timeout(8):
            while not others.calls["/ping"]:
                await asyncio.sleep(0.02)
        assert await service.why_not_working() == ""
    finally:
        await service.stop()
