"""Chaos: a seed, a redis-server of the test's own, a slow PagerDuty, and a gateway that can be killed."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from ears import SlowPagerDuty
from judge import judge
from processes import Gateway, RedisServer
from traffic import Traffic
from wire import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "0123456789abcdef0123456789abcdef"
CONFIG = """
route:
  receiver: people
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: people
    pagerduty_configs:
      - routing_key: {key}
        url: {url}
"""


@pytest.fixture
def seed():
    """Printed with a failure; TOCSIN_SEED=... gives it again."""
    found = int(os.environ.get("TOCSIN_SEED") or secrets.randbelow(1_000_000))
    print(f"TOCSIN_SEED={found}")
    return found


@pytest.fixture
def random(seed):
    return Random(seed)


@pytest.fixture
def folder():
    """Short, since unix sockets lie in it. TOCSIN_KEEP=1 keeps it, with the logs of a failure."""
    name = tempfile.mkdtemp(prefix="chaos-")
    yield Path(name)
    if os.environ.get("TOCSIN_KEEP"):
        print(f"kept: {name}")
    else:
        shutil.rmtree(name)


@pytest.fixture
async def redis(require_peer, folder):
    server = RedisServer(require_peer("redis-server"), folder)
    await server.start()
    yield server
    server.end()


@pytest.fixture
async def wire(folder, redis):
    """Between a gateway and its Redis."""
    made = Wire(folder / "wire.sock", redis.socket)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def pagerduty(random):
    standin = SlowPagerDuty(random)
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
def config(folder, pagerduty):
    path = folder / "tocsin.yaml"
    path.write_text(CONFIG.format(key=KEY, url=pagerduty.enqueue_url))
    return path


@dataclass
class Town:
    """All that a test needs: gateways of one configuration, traffic to them, and the judge."""

    folder: Path
    config: Path
    pagerduty: SlowPagerDuty
    random: Random
    seed: int
    gateways: list[Gateway] = field(default_factory=list)

    def gateway(self, *options: str, config: Path | None = None, port: int | None = None) -> Gateway:
        """A gateway with options of `serve`, not started yet."""
        options = ("--data-dir", str(self.folder / "data"), *options)
        self.gateways.append(Gateway(self.folder, config or self.config, *options, port=port))
        return self.gateways[-1]

    @asynccontextmanager
    async def traffic_to(self, gateway: Gateway, **how: Any) -> AsyncIterator[Traffic]:
        """Stories that go on meanwhile, and come to their end after it."""
        traffic = Traffic(gateway.url, self.random, **how)
        task = asyncio.create_task(traffic.run())
        try:
            yield traffic
            traffic.stopping.set()
            await asyncio.wait_for(task, 60)
        finally:
            task.cancel()

    async def judge(self, what: str, gateway: Gateway, traffic: Traffic, **how: Any) -> None:
        """Prints what was seen; fails where a promise was broken. `deaths`: those that excuse a repeat."""
        how = {"deaths": gateway.kills, "redis_url": gateway.store_url()} | how
        finding = await judge(gateway, traffic, self.pagerduty, **how)
        killed = f"{len(gateway.kills)} kills"
        print(f"\n{what}, seed {self.seed}: {killed}, {traffic.accepted} bodies, refused {traffic.refused}")
        print(f"    {finding}")
        assert not finding.wrong, "\n".join([f"TOCSIN_SEED={self.seed}", *finding.wrong[:20]])


@pytest.fixture
def town(folder, config, pagerduty, random, seed):
    made = Town(folder, config, pagerduty, random, seed)
    yield made
    for one in made.gateways:
        one.end()
