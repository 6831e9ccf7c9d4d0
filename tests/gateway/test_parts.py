"""The parts of a service that should never end: they begin again, and `/-/ready` says whether they work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession

from config.load import load
from gateway import parts
from gateway import service as module
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture
async def service(
    redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    monkeypatch.setattr(parts, "AGAIN_S", 0.01)
    path = tmp_path / "tocsin.yaml"
    path.write_text(CONFIG)
    made = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
    await made.start("127.0.0.1", 0)
    yield made
    await made.stop()


async def ready(service: Service) -> tuple[int, str]:
    url = f"http://127.0.0.1:{service.port}/-/ready"
    async with ClientSession() as client, client.get(url) as response:
        return response.status, await response.text()


async def is_ready(service: Service) -> None:
    async with asyncio.timeout(5):
        while (await ready(service))[0] != 200:
            await asyncio.sleep(0.02)


class Fails:
    """In place of a call of the store: fails so often, in a way that nobody has foreseen."""

    def __init__(self, real: Any, times: int) -> None:
        self.real, self.left = real, times

    async def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self.left:
            self.left -= 1
            raise TypeError("nobody has foreseen this")
        return await self.real(*arguments, **named)


@pytest.mark.parametrize("call", ["claim", "sweep"])
async def test_a_part_that_failed_in_an_unexpected_way_begins_again(service: Service, call: str) -> None:
    await is_ready(service)
    fails = Fails(getattr(service.store, call), 3)
    setattr(service.store, call, fails)
    service.engine.claimed_at = service.engine.swept_at = 0.0
    async with asyncio.timeout(10):
        while fails.left:
            await asyncio.sleep(0.02)
    await is_ready(service)


@pytest.mark.parametrize("call", ["claim", "sweep"])
async def test_it_is_not_ready_while_nothing_is_claimed_or_swept(
    service: Service, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await is_ready(service)
    monkeypatch.setattr(module, "AT_WORK_WITHIN_S", 1.5)
    fails = Fails(getattr(service.store, call), 1_000_000)
    setattr(service.store, call, fails)
    async with asyncio.timeout(5):
        while (await ready(service))[0] == 200:
            await asyncio.sleep(0.05)
    status, text = await ready(service)
    assert (status, "has not claimed or swept" in text) == (503, True)
    fails.left = 0
    await is_ready(service)
