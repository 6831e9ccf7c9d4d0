"""What all tests may ask for: the real programs that they need, and an empty Redis."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from gateway.store.binaries import installed_servers

# Before any test imports them, so that a failed assertion in them shows what was compared.
pytest.register_assert_rewrite("alertmanagers", "audience", "house", "programs", "stage", "waiting")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Tests that run side by side are given the width of a terminal that they do not have.
os.environ.pop("COLUMNS", None)


def peer(name: str) -> str:
    """The path of a program that tests talk to. Without it they are skipped; where CI asks, they fail."""
    if found := shutil.which(name):
        return found
    if os.environ.get("TOCSIN_REQUIRE_PEERS") == "1":
        pytest.fail(f"{name} is not installed, and TOCSIN_REQUIRE_PEERS=1 asks for it")
    pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="session")
def require_peer() -> Callable[[str], str]:
    """`require_peer("prometheus")` is its path, or the test is skipped (or fails, see `peer`)."""
    return peer


@pytest.fixture(scope="session")
def _redis_socket() -> Iterator[str]:
    """One server for the session; it syncs nothing, since no test of it is about durability."""
    servers = asyncio.run(installed_servers())
    program = str(servers[0]) if servers else peer("redis-server")
    with tempfile.TemporaryDirectory(prefix="tocsin-redis-") as folder:
        socket = f"{folder}/redis.sock"
        command = [program, "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for_answer(socket, process)
        yield socket
        process.terminate()
        process.wait(10)


def wait_for_answer(socket: str, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers; it has 10 s."""
    end = time.monotonic() + 10
    with redis.Redis(unix_socket_path=socket) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                assert process.poll() is None, "the server ended at once"
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.02)  # a process that starts tells nobody when it listens
            else:
                return


@pytest.fixture
def redis_server(_redis_socket: str) -> str:
    """The URL (`unix://...`) of a real, empty server."""
    with redis.Redis(unix_socket_path=_redis_socket) as client:
        client.flushall()
    return f"unix://{_redis_socket}"
