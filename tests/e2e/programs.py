"""The real programs of these tests, each a process of its own with its log in a file.

A program is started, asked whether it answers, ended or killed, and can be started again as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import redis
import redis.asyncio
from waiting import until

COMMAND = Path(sys.executable).with_name("tocsin")
_TAIL = 4_000


def free_port() -> int:
    """A port on which nothing listens, for TCP and UDP.

    Below those that the kernel gives to outgoing connections (32768 on Linux), any of which could take it
    while its program is dead for a moment.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        with (
            socket.socket() as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            contextlib.suppress(OSError),
        ):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port


class Program:
    """A process that serves HTTP on a port of its own, ready once `ready` (a path) is answered with 200."""

    def __init__(self, folder: Path, name: str, command: list[str], port: int, ready: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._ready = ready
        self._command = command
        self._log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start, also once more, and wait until it is ready."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                env={k: v for k, v in os.environ.items() if not k.startswith("TOCSIN")},
            )
        await until(self.ready, f"{self._command[0]} to be ready", self.tail)

    async def ready(self) -> bool:
        """Whether it says that it is."""
        assert self.process is not None
        assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.tail()}"
        return self._ready == "" or await status_of(self.url + self._ready) == 200

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; its exit code."""
        process = self.process
        assert process is not None
        if process.poll() is None:
            process.send_signal(number)
        await until(lambda: process.poll() is not None, f"{self._command[0]} to end", self.tail, within=20)
        return process.returncode

    async def kill(self) -> None:
        """SIGKILL: it has no time to write or to say anything."""
        await self.stop(signal.SIGKILL)

    async def finish(self) -> None:
        """At the end of a test, whatever became of it: it need not say good-bye (Alertmanager takes 10 s)."""
        if self.process is not None and self.process.poll() is None:
            await self.kill()

    @property
    def log(self) -> str:
        """All that it wrote."""
        return self._log.read_text(errors="replace")

    def tail(self) -> str:
        """The end of what it wrote."""
        return self.log[-_TAIL:]


class Tocsin(Program):
    """`tocsin serve` with a configuration of the test, on its embedded store unless another is given."""

    def __init__(self, folder: Path, config: str, *options: str, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "tocsin.yaml"
        self.config.write_text(config)
        port = port or free_port()
        where = ["--listen", f"127.0.0.1:{port}", "--data-dir", str(folder / "data"), "--log-format", "json"]
        command = [str(COMMAND), "serve", str(self.config), *where, *options]
        super().__init__(folder, "tocsin", command, port, "/-/ready")

    async def finish(self) -> None:
        """As a service is ended: with SIGTERM, in peace. Nothing unforeseen may have happened in it."""
        if self.process is not None and self.process.poll() is None:
            assert await self.stop() == 0, self.tail()
        unforeseen = [event for event in self.events() if "exception" in event]
        assert unforeseen == [], unforeseen[0]["exception"]
        assert "Traceback" not in self.log, self.tail()

    async def api(self, path: str) -> dict[str, Any]:
        """The document at `path` below `/api/v1`."""
        status, text = await ask(f"{self.url}/api/v1{path}")
        assert status == 200, text
        document: dict[str, Any] = json.loads(text)
        return document

    def events(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def troubles(self) -> list[dict[str, Any]]:
        """What it logged as an error: there is none in a good story."""
        return [event for event in self.events() if event.get("level") in ("error", "critical")]


class RedisServer(Program):
    """A redis-server that syncs every write, on TCP."""

    def __init__(self, program: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), *durable]
        super().__init__(folder, "redis", command, port, "")
        self.url = f"redis://127.0.0.1:{port}/0"

    async def ready(self) -> bool:
        """Whether it answers."""
        client = redis.asyncio.Redis(port=self.port)
        try:
            return bool(await client.ping())
        except redis.RedisError:
            return False
        finally:
            await client.aclose()


async def status_of(url: str, method: str = "GET", **options: Any) -> int:
    """The status with which `url` answers, 0 if nothing does."""
    return (await ask(url, method, **options))[0]


async def ask(url: str, method: str = "GET", **options: Any) -> tuple[int, str]:
    """The status and text of an answer; (0, why) if there is none."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.request(method, url, **options) as answer,
        ):
            return answer.status, await answer.text()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return 0, f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class Ended:
    """A command's exit code, and what it wrote."""

    code: int
    out: str
    err: str


async def tocsin_command(*words: str, server: Tocsin | None = None, token: str = "") -> Ended:
    """Runs the command as a user does."""
    env = {
        "PATH": "/usr/bin:/bin",
        "COLUMNS": "160",
        "TOCSIN_SERVER": server.url if server else "",
        "TOCSIN_TOKEN": token,
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        COMMAND, *words, stdout=pipe, stderr=pipe, env={name: value for name, value in env.items() if value}
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    ended = Ended(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in ended.out + ended.err
    return ended
