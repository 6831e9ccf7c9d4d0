"""The server that we are connected to becomes a replica, and the address leads to the new primary."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import redis

from gateway.store import connect
from gateway.store.arguments import Timing
from gateway.store.store import Store
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.store


class Servers:
    """Two real servers, and an address that leads to one of them."""

    def __init__(self, folder: Path) -> None:
        self.address = folder / "address.sock"
        self.sockets = {name: folder / f"{name}.sock" for name in "ab"}

    def lead_to(self, name: str) -> None:
        self.address.unlink(missing_ok=True)
        self.address.symlink_to(self.sockets[name])

    def ask(self, name: str, *command: str) -> object:
        with redis.Redis(unix_socket_path=str(self.sockets[name])) as client:
            return client.execute_command(*command)


@pytest.fixture
def servers(tmp_path: Path, require_peer: Callable[[str], str]) -> Iterator[Servers]:
    program, servers = require_peer("redis-server"), Servers(tmp_path)
    with ExitStack() as stack:
        for name, socket in servers.sockets.items():
            command = [
                program,
                "--port",
                "0",
                "--unixsocket",
                str(socket),
                "--dir",
                str(tmp_path),
                "--save",
                "",
            ]
            process = subprocess.Popen([*command, "--dbfilename", f"{name}.rdb"], stdout=subprocess.DEVNULL)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            answers(socket)
        servers.lead_to("a")
        yield servers


def answers(socket: Path) -> None:
    retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.02), 500)
    with redis.Redis(unix_socket_path=str(socket), retry=retry) as client:
        client.ping()


@pytest.fixture
async def store(servers: Servers) -> AsyncIterator[Store]:
    client = connect.connect(f"unix://{servers.address}")
    store = Store(client, 2, Timing())
    assert await store.adopt_plan("one", loaded=True)
    yield store
    await client.aclose()


async def test_a_call_that_was_refused_by_a_replica_is_the_last_one_that_goes_there(
    servers: Servers, store: Store
) -> None:
    servers.ask("a", "REPLICAOF", "127.0.0.1", "1")
    servers.lead_to("b")
    with pytest.raises(StoreUnavailableError, match="read only replica"):
        await store.next_number()
    assert [await store.next_number() for _ in range(20)] == list(range(1, 21))
    assert servers.ask("b", "GET", "t:number") == b"20"


async def test_a_script_that_was_refused_is_the_last_one_too(servers: Servers, store: Store) -> None:
    servers.ask("a", "REPLICAOF", "127.0.0.1", "1")
    servers.lead_to("b")
    with pytest.raises(StoreUnavailableError):
        await store.sweep(0)
    assert await store.adopt_plan("one", loaded=False)
    assert servers.ask("b", "HGET", "t:{1}:plan", "digest") == b"one"


async def test_where_the_address_leads_to_the_same_server_it_is_used_again_once_it_may_be(
    servers: Servers, store: Store
) -> None:
    servers.ask("a", "REPLICAOF", "127.0.0.1", "1")
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            await store.next_number()
    servers.ask("a", "REPLICAOF", "NO", "ONE")
    assert await store.next_number() == 1
