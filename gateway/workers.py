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
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from pydantic import SecretStr

from gateway import metrics
from gateway.serve_options import ServeOptions, StartError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Iterator

log = structlog.get_logger()

STOP_S: Final = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S: Final = 30.0
PARENT: Final = "TOCSIN_PARENT"
_PR_SET_PDEATHSIG: Final = 1


class Workers:
    """The worker processes of one service."""

    def __init__(self, options: ServeOptions, url: str) -> None:
        """`url` is the store's. What the workers measure is added up where the environment says."""
        self._options = options
        self._url = url
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
            with suppress(ProcessLookupError):  # it has ended: what starts in its place loads anew
                process.send_signal(signal.SIGHUP)

    async def _keep(self, number: int, options: ServeOptions) -> None:
        """Starts a worker, and again whenever it ends, slower and slower where it ends at once."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_S
        while True:
            began = loop.time()
            try:
                process = await self._spawn(options)
            except OSError as error:  # no memory or no processes left: later, perhaps
                code: object = str(error)
            else:
                self._running[number] = process
                code = await process.wait()
                metrics.forget(process.pid)
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
            env={**os.environ, PARENT: str(os.getpid())},
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


@contextmanager
def _reserved(options: ServeOptions) -> Iterator[int]:
    """Holds the port without listening, so that all workers find it free and it is theirs.

    Raises:
        StartError: somebody listens there, or nobody may.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    where = (options.host, options.port)
    with socket.socket(family) as probe, socket.socket(family) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            # Sharing a port would also share it with the workers of another Tocsin: it must be free first.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            port = int(probe.getsockname()[1])
            probe.close()
            held.bind((options.host, port))
        except OSError as error:
            text = f"cannot listen on {options.host}:{options.port}: {error.strerror or error}"
            raise StartError(text) from None
        yield port


def main() -> None:
    """The life of one worker; its options come on standard input."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it can reload: it reads the file later than this
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
        if os.getppid() != int(os.environ.get(PARENT, "0")):
            sys.exit("the first process is gone already")
