"""What the end-to-end tests start: everything is real but PagerDuty, Slack and the mailbox's owner."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from alertmanagers import Pair, Wire, alertmanager
from audience import Audience
from programs import Program, RedisServer, Tocsin
from stage import Stage

from gateway.standins.smtp import SmtpStandin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

ROUTE = """\
  group_by: [cluster]
  group_wait: 0s
  group_interval: 1s
"""
SHARDS = "redis: {shards: 3}\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Ends what was started, last things first, whatever became of the test."""
    async with AsyncExitStack() as entered:
        yield entered


@pytest.fixture
async def make_audience(stack: AsyncExitStack) -> Callable[[], Awaitable[Audience]]:
    """`await make_audience()`: people who are told, listening."""

    async def make() -> Audience:
        audience = Audience()
        await audience.start()
        stack.push_async_callback(audience.stop)
        return audience

    return make


@pytest.fixture
async def audience(make_audience: Callable[[], Awaitable[Audience]]) -> Audience:
    return await make_audience()


@pytest.fixture
async def mail_server(stack: AsyncExitStack) -> SmtpStandin:
    """A mail server that takes nothing without STARTTLS and a login."""
    server = SmtpStandin(users={"tocsin": "correct horse"})
    await server.start()
    stack.push_async_callback(server.stop)
    return server


@pytest.fixture
def start(stack: AsyncExitStack) -> Callable[..., Awaitable[None]]:
    """`await start(program, ...)`: they run until the test ends."""

    async def start(*programs: Program) -> None:
        for program in programs:
            stack.push_async_callback(program.finish)
        await asyncio.gather(*(program.start() for program in programs))

    return start


@pytest.fixture
def serve(start: Callable[..., Awaitable[None]], tmp_path: Path) -> Callable[..., Awaitable[Tocsin]]:
    """`await serve(config, *options, name=...)`: a Tocsin that runs until the test ends."""

    async def serve(config: str, *options: str, name: str = "tocsin") -> Tocsin:
        tocsin = Tocsin(tmp_path / name, config, *options)
        await start(tocsin)
        return tocsin

    return serve


@pytest.fixture
def redis(tmp_path: Path, require_peer: Callable[[str], str]) -> RedisServer:
    """Debian's redis-server, not started yet."""
    return RedisServer(require_peer("redis-server"), tmp_path / "redis")


@pytest.fixture
def start_alertmanager(
    stack: AsyncExitStack, require_peer: Callable[[str], str], tmp_path: Path
) -> Callable[[str], Awaitable[Program]]:
    """`await start_alertmanager(config)`: one without a cluster."""

    async def start(config: str) -> Program:
        program = alertmanager(require_peer("prometheus-alertmanager"), tmp_path, "alone", config)
        stack.push_async_callback(program.finish)
        await program.start()
        return program

    return start


@pytest.fixture
def make_stage(
    stack: AsyncExitStack,
    make_audience: Callable[[], Awaitable[Audience]],
    serve: Callable[..., Awaitable[Tocsin]],
    require_peer: Callable[[str], str],
    tmp_path: Path,
) -> Callable[..., Awaitable[Stage]]:
    """`await make_stage(name=options, ...)`: a pair, and a Tocsin with those options for each name."""

    async def make(**named: tuple[str, ...]) -> Stage:
        program = require_peer("prometheus-alertmanager")
        audiences = {name: await make_audience() for name in named}
        tocsins = await asyncio.gather(
            *(
                serve(audiences[name].config(ROUTE, more=SHARDS), *options, name=name)
                for name, options in named.items()
            )
        )
        wires = [Wire(f"{tocsin.url}/webhook") for tocsin in tocsins]
        for wire in wires:
            await wire.start()
            stack.push_async_callback(wire.stop)
        pair = Pair(program, tmp_path, wires)
        stack.push_async_callback(pair.finish)
        await pair.start()
        return Stage(pair, wires, audiences, dict(zip(named, tocsins, strict=True)))

    return make
