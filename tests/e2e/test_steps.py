"""Steps at 0, 2 and 4 seconds by two gateways on one Redis, of which one is killed in between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from audience import Machine
from programs import Tocsin, ask, tocsin_command
from waiting import stays, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from programs import RedisServer

CONFIG = """
route:
  receiver: root
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes: [{{matchers: [team="a"], policy: page}}]
receivers:
  - name: root
    webhook_configs: [{{url: "{hook}?root"}}]
  - name: first
    webhook_configs: [{{url: "{hook}?first"}}]
  - name: second
    webhook_configs: [{{url: "{hook}?second"}}]
  - name: third
    webhook_configs: [{{url: "{hook}?third"}}]
escalation_policies:
  - name: page
    steps:
      - notify: [{{receiver: first}}]
      - {{after: 2s, notify: [{{receiver: second}}]}}
      - {{after: 4s, unless: resolved, notify: [{{receiver: third}}]}}
"""


class Town:
    """Two gateways, their Redis, and a machine that hears who is told."""

    def __init__(self, machine: Machine, gateways: tuple[Tocsin, Tocsin]) -> None:
        self.machine = machine
        self.gateways = gateways

    def rung(self) -> list[str]:
        heard = zip(self.machine.queries, self.machine.bodies, strict=True)
        return [who for who, body in heard if body["tocsin"]["kind"] == "ring"]

    async def fires(self) -> None:
        alert = {
            "labels": {"alertname": "A", "team": "a"},
            "startsAt": time.strftime("%FT%TZ", time.gmtime()),
        }
        status, text = await ask(f"{self.gateways[0].url}/api/v2/alerts", "POST", json=[alert])
        assert status == 200, text
        await until(lambda: self.rung() == ["first"], "the first to be told", self.rung)
        await until(self.is_committed, "that to be known")  # else it would be told again after a kill

    async def is_committed(self) -> bool:
        deliveries = (await self.gateways[1].api("/deliveries?state=open"))["deliveries"]
        return all(one["ring_wanted"] == one["ring_sent"] for one in deliveries)


@pytest.fixture
async def town(
    tmp_path: Path, redis: RedisServer, start: Callable[..., Awaitable[None]]
) -> AsyncIterator[Town]:
    machine = Machine()
    await machine.start()
    config = CONFIG.format(hook=machine.hook)
    gateways = tuple(Tocsin(tmp_path / name, config, "--redis", redis.url) for name in ("one", "two"))
    await start(redis)
    await start(*gateways)
    yield Town(machine, (gateways[0], gateways[1]))
    await machine.stop()


@pytest.mark.parametrize("killed", [0, 1])
async def test_nobody_answers_and_each_is_told_once(town: Town, killed: int) -> None:
    await town.fires()
    await town.gateways[killed].kill()
    await until(lambda: len(town.rung()) == 3, "all three to be told", town.rung)
    await stays(lambda: None, 2)
    assert town.rung() == ["first", "second", "third"]


async def test_who_acknowledges_keeps_the_second_from_being_told_but_not_the_third(town: Town) -> None:
    await town.fires()
    said = await tocsin_command("incidents", "ack", "1", "--as", "dana", server=town.gateways[1])
    assert said.code == 0, said.err
    await town.gateways[0].kill()
    await until(lambda: len(town.rung()) == 2, "the third to be told", town.rung)
    await stays(lambda: None, 2)
    assert town.rung() == ["first", "third"]
