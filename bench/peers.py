"""The processes that are measured: Alertmanager, Tocsin, the stores; each is stopped by its own id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

StoreKind = Literal["everysec", "always", "embedded"]
STORES: tuple[StoreKind, ...] = ("everysec", "always", "embedded")
START_S, STOP_S = 30.0, 15.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Peer:
    """A running service: where it listens, the processes it is made of, by role, and its Redis' port."""

    port: int
    pids: dict[str, list[int]] = field(default_factory=dict)
    redis: int | None = None

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU used so far, by role."""
        return {role: sum(map(cpu_seconds, pids)) for role, pids in self.pids.items()}

    def rss(self) -> dict[str, float]:
        """Resident memory in MB, by role."""
        return {role: sum(map(rss_mb, pids)) for role, pids in self.pids.items()}


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def children(pid: int) -> list[int]:
    """The processes that `pid` has started and that live."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def process(folder: Path, name: str, *command: str) -> AsyncIterator[int]:
    """A process whose output goes to a file; terminated at the end, killed if it does not stop."""
    with (folder / f"{name}.log").open("ab") as log:
        child = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, cwd=folder)
    try:
        yield child.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


async def get(port: int, path: str) -> str:
    """The body of a GET.

    Raises:
        OSError: nobody listens, or the answer is not 200.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    if " 200 " not in answer.partition("\r\n")[0]:
        raise OSError(answer[:300])
    return answer.partition("\r\n\r\n")[2]


async def answers(port: int, path: str, folder: Path) -> None:
    """Waits until a GET of `path` is answered 200; where that takes too long, shows the logs."""
    try:
        async with asyncio.timeout(START_S):
            while True:
                with contextlib.suppress(OSError):
                    await get(port, path)
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        logs = "\n".join(log.read_text(errors="replace")[-2000:] for log in folder.glob("*.log"))
        raise RuntimeError(f"nothing answers on port {port}:\n{logs}") from None


@contextlib.asynccontextmanager
async def alertmanager(text: str) -> AsyncIterator[Peer]:
    """Debian's Alertmanager, alone, with the configuration `text`."""
    with tempfile.TemporaryDirectory(prefix="bench-am-") as name:
        folder, port = Path(name), free_port()
        (folder / "alertmanager.yml").write_text(text)
        command = (
            "prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        )
        async with process(folder, "alertmanager", *command) as pid:
            await answers(port, "/-/ready", folder)
            yield Peer(port, {"peer": [pid]})


@contextlib.asynccontextmanager
async def redis_server(appendfsync: str) -> AsyncIterator[tuple[int, int]]:
    """Debian's redis-server with an append-only file: its port and its process."""
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as name:
        folder, port = Path(name), free_port()
        options = {
            "port": str(port), "bind": "127.0.0.1", "dir": name, "appendonly": "yes",
            "appendfsync": appendfsync, "save": "", "loglevel": "warning",
        }  # fmt: skip
        flat = [part for option, value in options.items() for part in (f"--{option}", value)]
        async with process(folder, "redis", "redis-server", *flat) as pid:
            async with asyncio.timeout(START_S):
                while True:
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                        writer.close()
                        break
                    await asyncio.sleep(0.02)
            yield port, pid


@contextlib.asynccontextmanager
async def tocsin(text: str, store: StoreKind, workers: int = 1) -> AsyncIterator[Peer]:
    """Tocsin as `tocsin serve` starts it, with the configuration `text`, on a store of the kind asked for."""
    async with contextlib.AsyncExitStack() as stack:
        folder, port = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-to-"))), free_port()
        (folder / "tocsin.yaml").write_text(text)
        command = [
            *(str(Path(sys.executable).parent / "tocsin"), "serve", str(folder / "tocsin.yaml")),
            *("--listen", f"127.0.0.1:{port}", "--log-format", "json", "--workers", str(workers)),
            *("--data-dir", str(folder / "data")),
        ]
        redis: list[int] = []
        redis_port = None
        if store != "embedded":
            redis_port, redis_pid = await stack.enter_async_context(redis_server(store))
            command += ["--redis", f"redis://127.0.0.1:{redis_port}/0"]
            redis = [redis_pid]
        pid = await stack.enter_async_context(process(folder, "tocsin", *command))
        await answers(port, "/-/ready", folder)
        others = children(pid)
        stores = [one for one in others if store == "embedded" and _is_store(one)]
        gateway = [pid, *(one for one in others if one not in stores)]
        yield Peer(port, {"gateway": gateway, "store": redis or stores}, redis_port)


def _is_store(pid: int) -> bool:
    return Path(f"/proc/{pid}/exe").readlink().name.startswith(("redis", "valkey"))
