"""What the chaos tests start and kill: `tocsin serve` as a user runs it, and Debian's redis-server.

Nothing of the project is imported: what is tested is what runs.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

# What a log must never say: a part ended, a decision or an attempt raised, a deadline was lost.
NEVER_SAID = (
    "engine.work_failed",
    "incident.set_aside",
    "sender.attempt_failed",
    "receiver.failed",
    "service.part_died",
    "sweep.repaired",
    "worker.cannot_start",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid: int) -> dict[int, str]:
    """Living children of a process and their command lines."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return {}
    return {int(child): _command(int(child)) for child in found if alive(int(child))}


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def until(true: Any, seconds: float, what: str) -> None:
    """Waits for what another process does."""
    end = time.monotonic() + seconds
    while not (await true() if asyncio.iscoroutinefunction(true) else true()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.02)


class Gateway:
    """`tocsin serve`, started as often as it is killed; `kills` holds when each of its processes was."""

    def __init__(self, folder: Path, config: Path, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.log = folder / "gateway.log"
        self.kills: list[float] = []
        self._command = [
            *(sys.executable, "-m", "gateway.cli", "serve", str(config)),
            *("--listen", f"127.0.0.1:{self.port}", "--log-format", "json", *options),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self, *, ready: bool = True) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        if ready:
            await self.wait_ready()

    async def wait_ready(self) -> None:
        await until(self.is_ready, 20, "the gateway is ready")

    async def is_ready(self) -> bool:
        assert self.process is None or self.process.poll() is None, f"it ended: {self.tail()}"
        status, _ = await self.get("/-/ready")
        return status == 200

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON body; 0 where nobody answers."""
        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.get(self.url + path) as answer,
            ):
                text = await answer.text()
                return answer.status, json.loads(text) if "json" in answer.content_type else text
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def workers(self) -> list[int]:
        return [pid for pid, command in children(self.pid).items() if "gateway.workers" in command]

    def store(self) -> int | None:
        """The embedded store's process."""
        servers = [pid for pid, command in children(self.pid).items() if "store.sock" in command]
        return servers[0] if servers else None

    async def store_is_there(self) -> None:
        await until(lambda: self.store() is not None, 10, "the store was started again")

    def store_url(self) -> str:
        return f"unix://{self.folder}/data/store.sock"

    def kill(self, pid: int | None = None) -> None:
        """SIGKILL to its first process, or to one of its workers."""
        self.kills.append(time.monotonic())
        os.kill(pid or self.pid, signal.SIGKILL)
        if pid in (None, self.pid) and self.process is not None:
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def terminate(self) -> float:
        """SIGTERM; how many seconds it took to end."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        await until(lambda: self.process is not None and self.process.poll() is not None, 30, "it ends")
        return time.monotonic() - began

    def lines(self) -> list[dict[str, Any]]:
        """Its log."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:  # a line that a kill cut off, or a traceback
                found.append({"event": line})
        return found

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("event") == event]

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def complaints(self) -> list[str]:
        return [
            f"the log says {line}"[:2000]
            for line in self.lines()
            if line.get("event") in NEVER_SAID or "Traceback" in str(line.get("event"))
        ]

    def end(self) -> None:
        """After a test: nothing of it stays."""
        if self.process is not None and self.process.poll() is None:
            left = list(children(self.pid))
            self.process.kill()
            self.process.wait()
            for pid in left:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)


class RedisServer:
    """Debian's redis-server on a unix socket, each answer behind an fsync."""

    def __init__(self, program: str, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.kills: list[float] = []
        chosen = {"appendonly": "yes", "appendfsync": "always", "save": ""} | settings
        self._command = [program, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder)]
        for name, value in chosen.items():
            self._command += [f"--{name}", value]
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True)
        await until(self._answers, 10, "redis-server answers")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                probe.settimeout(1)
                return probe.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def kill(self) -> None:
        assert self.process is not None
        self.kills.append(time.monotonic())
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
