"""The Watchdog of a real Alertmanager beats for two gateways; it is killed, and so is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alertmanagers import Rules
from audience import Machine
from programs import Tocsin, tocsin_command
from waiting import stays, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from programs import Program, RedisServer

CONFIG = """
global: {{resolve_timeout: 1s}}
route: {{receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers: [{{name: all, webhook_configs: [{{url: "{hook}"}}]}}]
heartbeats: [{{name: prometheus, matchers: [alertname="Watchdog"], timeout: 4s}}]
"""
FRONT = """
route: {{receiver: t, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s}}
receivers: [{{name: t, webhook_configs: [{{url: "{url}/webhook"}}]}}]
"""


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    machine = Machine()
    await machine.start()
    yield machine
    await machine.stop()


async def test_a_dead_alertmanager_is_missed_once_and_its_return_is_told(
    tmp_path: Path,
    machine: Machine,
    redis: RedisServer,
    start: Callable[..., Awaitable[None]],
    start_alertmanager: Callable[[str], Awaitable[Program]],
) -> None:
    config = CONFIG.format(hook=machine.hook)
    one, other = (Tocsin(tmp_path / name, config, "--redis", redis.url) for name in ("one", "two"))
    await start(redis)
    await start(one, other)
    front = await start_alertmanager(FRONT.format(url=other.url))

    def told() -> list[tuple[str, str]]:
        return [(body["status"], body["alerts"][0]["labels"]["alertname"]) for body in machine.bodies]

    def expect(*expected: tuple[str, str]) -> None:
        assert told() == list(expected)

    async def state() -> str:
        return str((await other.api("/heartbeats"))["heartbeats"][0]["state"])

    async def alive() -> bool:
        return await state() == "alive"

    async with Rules([front.url]) as rules:
        rules.fire("Watchdog")
        await until(alive, "the first beat")
        await stays(expect, 6)
        await front.kill()
        await until(lambda: told() == [("firing", "HeartbeatMissing")], "it to be missed", told)
        await one.kill()
        assert (await tocsin_command("heartbeats", server=other)).code == 1
        await front.start()
        missed = [("firing", "HeartbeatMissing"), ("resolved", "HeartbeatMissing")]
        await until(lambda: told() == missed, "its return to be told", told)
        await stays(lambda: expect(*missed), 3)
        assert await alive()
