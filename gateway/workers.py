"""`serve --workers N`: several processes on one port and one store, each with an engine of its own.

The first process starts them, passes signals on, starts a dead one again and stops them all. It takes no
requests itself. Nothing is elected: the workers share the work by claiming it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from pydantic import SecretStr

from gateway.serve_options import ServeOptions, StartError

if TYPE_CHECKING:
    from asyncio.subprocess import Process

log = structlog.get_logger()

STOP_S: Final = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S: Final = 30.0
METRICS_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_PR_SET_PDEATHSIG: Final = 1


class Workers:
    """The worker processes of one service."""

    def __init__(self, options: ServeOptions, url: str, folder: str) -> None:
        """`url` is the store's; `folder`, empty, is where the workers put what they measure."""
        self._options = options
        self._url = url
        self._folder = folder
        self._running: dict[int, Process] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Keeps all of them running until `stopping` is set; then stops them.

        Raises:
            StartError: the port cannot be listened on.
        """
        with _reserved(self._options) as port:
            options = replace(self._options, port=port)
            keepers = [
                asyncio.create_task(self._keep(number, options), name=f"worker {number}")
                for number in range(self._options.workers)
            ]
            await stopping.wait()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await self._stop()

    async def reload(self) -> None:
        """Passes SIGHUP on. The first to load puts the configuration in force, the others follow."""
        for process in self._running.values():
            process.send_signal(signal.SIGHUP)

    async def _keep(self, number: int, options: ServeOptions) -> None:
        """Starts a worker, and again whenever it ends, slower and slower where it ends at once."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_S
        while True:
            began = loop.time()
            process = await self._spawn(options)
            self._running[number] = process
            code = await process.wait()
            metrics_of_dead(process.pid, self._folder)
            pause = FIRST_PAUSE_S if loop.time() - began > STEADY_S else min(pause * 2, LONGEST_PAUSE_S)
            log.error("worker.ended", worker=number, code=code, again_in_s=pause)
            await asyncio.sleep(pause)

    async def _spawn(self, options: ServeOptions) -> Process:
        told = {
            **asdict(options),
            "config": str(options.config),
            "data_dir": str(options.data_dir),
            "redis": self._url,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from gateway.workers import main; main()",
            stdin=asyncio.subprocess.PIPE,
            env={**os.environ, METRICS_FOLDER: self._folder, "TOCSIN_PARENT": str(os.getpid())},
        )
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write(orjson.dumps(told))  # the URL may hold a password: not for the command line
        process.stdin.close()
        return process

    async def _stop(self) -> None:
        waits = []
        for process in self._running.values():
            if process.returncode is None:
                process.terminate()
                waits.append(asyncio.create_task(process.wait()))
        if not waits:
            return
        _, late = await asyncio.wait(waits, timeout=STOP_S)
        if late:
            log.error("worker.killed", late=len(late))
            for process in self._running.values():
                if process.returncode is None:
                    process.kill()
            await asyncio.wait(late)


def metrics_of_dead(pid: int, folder: str) -> None:
    """A dead worker's gauges end with it; its counters are kept."""
    for path in Path(folder).glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)


class _reserved:  # noqa: N801 - used as a context manager, like a function
    """Holds the port without listening, so that all workers find it free and it is theirs."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)

    def __enter__(self) -> int:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            self._socket.bind((self._options.host, self._options.port))
        except OSError as error:
            self._socket.close()
            where = f"{self._options.host}:{self._options.port}"
            raise StartError(f"cannot listen on {where}: {error.strerror or error}") from None
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def main() -> None:
    """The life of one worker; its options come on standard input."""
    _die_with_parent()
    told: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    url = told["redis"]
    options = ServeOptions(
        **{
            **told,
            "config": Path(told["config"]),
            "data_dir": Path(told["data_dir"]),
            "redis": SecretStr(url),
        }
    )
    from config.load import ConfigError, load  # noqa: PLC0415 - after the parent is known to live
    from gateway import app, logs  # noqa: PLC0415

    logs.configure(options.log_level, options.log_format)
    try:
        app.run_loop(app.run(options, load(options.config), url, share_port=True))
    except (StartError, ConfigError) as error:
        log.error("worker.cannot_start", error=str(error))  # noqa: TRY400 - it is said in full
        sys.exit(1)


def _die_with_parent() -> None:
    """SIGTERM when the first process is gone (Linux; elsewhere a worker of a killed parent stays)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
        if os.getppid() != int(os.environ.get("TOCSIN_PARENT", "0")):
            sys.exit("the first process is gone already")
