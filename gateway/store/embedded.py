"""The embedded store: a Valkey (or Redis) server as our child, private to one data directory.

It starts the server on a unix socket, restarts it when it dies and stops it last. It does not know what
is stored. Durability is the server's: append-only, one fsync before each answer (`appendfsync always`), so
killing it at any moment loses nothing that was answered. The directory and its locks are `data_dir.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError

from gateway.store.binaries import OLDEST, installed_servers
from gateway.store.data_dir import DataDir, EmbeddedStoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger()

_ANSWER: Final = 2.0  # seconds: one question to the server
_READY: Final = 15.0  # seconds: a server that is not loading must answer by then
_STOP: Final = 5.0  # seconds: SHUTDOWN, then SIGKILL
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds before a restart, doubled while it keeps dying
_STEADY: Final = 30.0  # seconds after which a server counts as having run well
_LOOK: Final = 60.0  # seconds between two looks at the size of its log

# The kernel kills the server when we die (Linux). A small program sets that and becomes the server:
# our own code between fork and exec would not be safe beside threads.
_DIES_WITH_PARENT: Final = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone already")
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class _Server:
    pid: int
    process: asyncio.subprocess.Process | None  # None: adopted, not our child

    async def gone(self) -> None:
        if self.process is not None:
            await self.process.wait()
            return
        while _alive(self.pid):  # noqa: ASYNC110 - only a child's end is reported to us
            await asyncio.sleep(0.2)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class EmbeddedStore:
    """A store in `data_dir`. One `start`, one `stop`."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir
        self._dir: DataDir | None = None
        self._server: _Server | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._restarts = 0
        self._adopted = False

    @property
    def pid(self) -> int | None:
        """The server's process, None while there is none."""
        return self._server.pid if self._server else None

    @property
    def restarts(self) -> int:
        """How often the server died and was started again."""
        return self._restarts

    @property
    def adopted(self) -> bool:
        """Whether the server was found running: its Tocsin had died and it had survived."""
        return self._adopted

    async def start(self) -> str:
        """Start the server, or adopt one that survived; return its `unix://` URL when it answers.

        Raises:
            EmbeddedStoreError: the directory is in use or unusable, no server is installed, or it ends.
        """
        self._dir = DataDir(self._path)
        try:
            self._server, self._adopted = await self._launch(self._dir)
        except BaseException:
            self._dir.free()
            raise
        self._supervisor = asyncio.create_task(self._supervise(self._dir), name="embedded-store")
        log.info("store.started", pid=self.pid, adopted=self._adopted, data_dir=str(self._dir.path))
        return "unix://" + quote(str(self._dir.socket))

    async def stop(self) -> None:
        """Stop the server cleanly, killing it after 5 s, and free the directory. May be called twice."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor})
            self._supervisor = None
        if self._dir is None:
            return
        if self._server is not None:
            await _shut_down(self._server, self._dir.socket)
            self._server = None
        self._dir.free()

    async def _supervise(self, where: DataDir) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            if self._server is not None:
                await _watch(self._server, where)
                log.error("store.died", **_obituary(self._server), last_lines=where.last_lines())
                self._server = None
            steady = time.monotonic() - began > _STEADY
            pause = _FIRST_PAUSE if steady else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)
            try:
                self._server, _ = await self._launch(where)
            except (EmbeddedStoreError, OSError) as error:
                log.error("store.restart_failed", reason=str(error))  # noqa: TRY400 - the reason says it all
                continue
            self._restarts += 1
            log.info("store.restarted", pid=self.pid, restarts=self._restarts)

    async def _launch(self, where: DataDir) -> tuple[_Server, bool]:
        """A server that answers, and whether it was found running."""
        deadline = time.monotonic() + _READY
        while True:
            if (survivor := await _survivor(where)) is not None:
                return survivor, True
            if (lock := where.server_lock()) is not None:
                break
            # One that was just killed, or a child of it that still writes, lets go in a moment.
            if time.monotonic() > deadline:
                raise EmbeddedStoreError(
                    f"a server of an earlier run still uses {where.path} and does not answer on "
                    f"{where.socket}. `fuser {where.path / 'store.lock'}` names it; stop it and start again."
                )
            await asyncio.sleep(0.1)
        try:
            return await _start_one(await installed_servers(), where, lock), False
        finally:
            os.close(lock)  # the server has its own handle of it


async def _start_one(binaries: list[Path], where: DataDir, lock: int) -> _Server:
    failures = []
    for binary in binaries:
        try:
            return await _spawn(binary, where, lock)
        except EmbeddedStoreError as error:
            failures.append(str(error))
    raise EmbeddedStoreError(
        "\n".join(failures)
        or f"no Valkey or Redis server of version {OLDEST[0]}.{OLDEST[1]} or newer was found for the "
        "embedded store. Install one (Debian, Ubuntu: `apt install valkey-server` or `redis-server`; macOS: "
        "`brew install valkey`), or name one that runs elsewhere with --redis or `redis.url`."
    )


async def _spawn(binary: Path, where: DataDir, lock: int) -> _Server:
    """Start `binary` and wait until it answers; one that does not is killed and its log quoted."""
    where.bound_log()
    command = [str(binary), *_settings(where)]
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _DIES_WITH_PARENT, str(os.getpid()), *command]
    with where.log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C is for us; the server is stopped last
        )
    server = _Server(process.pid, process)
    end = asyncio.ensure_future(server.gone())
    ready = asyncio.ensure_future(_ready(where.socket))
    try:
        await asyncio.wait({end, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not end.done() and ready.result() is not None:
            return server
        what = "ended at once" if end.done() else f"did not answer within {_READY:.0f} s"
    except BaseException:
        server.kill()
        raise
    finally:
        end.cancel()
        ready.cancel()
    server.kill()
    await process.wait()
    raise EmbeddedStoreError(f"{binary} {what}; the end of {where.log}:\n{where.last_lines()}")


def _settings(where: DataDir) -> list[str]:
    """The server's command line. What is not said here is the server's default."""
    settings = {
        "port": "0",
        "unixsocket": str(where.socket),
        "unixsocketperm": "700",
        "dir": str(where.files),
        "logfile": str(where.log),
        "daemonize": "no",
        "databases": "1",
        "appendonly": "yes",
        "appendfsync": "always",
        "aof-use-rdb-preamble": "no",  # plain commands: any server that is installed later can read them
        "save": "",
        "maxmemory": "0",
        "maxmemory-policy": "noeviction",
    }
    return [part for name, value in settings.items() for part in (f"--{name}", value)]


async def _survivor(where: DataDir) -> _Server | None:
    """The server that an earlier, killed Tocsin left running on our socket, if there is one."""
    try:
        await _ask(where.socket)
    except BusyLoadingError:
        pass
    except (RedisError, OSError):
        return None
    facts = await _ready(where.socket)
    if facts is None:
        return None
    if Path(facts["dir"]) != where.files:
        raise EmbeddedStoreError(
            f"another server (pid {facts['pid']}) answers on {where.socket}, for {facts['dir']}. "
            "Stop it, or give another directory with --data-dir."
        )
    return _Server(int(facts["pid"]), None)


async def _ready(socket: Path) -> Mapping[str, str] | None:
    """What the server says of itself once it has loaded its data; None if it never answers."""
    deadline = time.monotonic() + _READY
    while time.monotonic() < deadline:
        try:
            return await _ask(socket)
        except BusyLoadingError:  # a long file takes its time
            deadline = time.monotonic() + _READY
        except (RedisError, OSError):
            pass
        await asyncio.sleep(0.02)
    return None


async def _ask(socket: Path) -> Mapping[str, str]:
    async with _client(socket) as client:
        await client.ping()  # what follows is answered also by a server that still loads its data
        info: Mapping[str, Any] = await client.info("server")
        config: Mapping[Any, Any] = await client.config_get("dir")
        return {"pid": str(info["process_id"]), "dir": str(config["dir"])}


def _client(socket: Path) -> Redis:
    return Redis(
        unix_socket_path=str(socket),
        socket_timeout=_ANSWER,
        socket_connect_timeout=_ANSWER,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


async def _watch(server: _Server, where: DataDir) -> None:
    """Wait for the server's end; meanwhile its log is kept small."""
    end = asyncio.ensure_future(server.gone())
    try:
        while not end.done():
            await asyncio.wait({end}, timeout=_LOOK)
            where.bound_log()
    finally:
        end.cancel()


async def _shut_down(server: _Server, socket: Path) -> None:
    try:
        async with asyncio.timeout(_STOP):
            with contextlib.suppress(RedisError, OSError):
                async with _client(socket) as client:
                    await client.shutdown(nosave=True)  # the append-only file is complete as it is
            await server.gone()
    except TimeoutError:
        log.warning("store.killed", pid=server.pid, reason="it did not stop in time")
        server.kill()
        await server.gone()


def _obituary(server: _Server) -> dict[str, Any]:
    status = server.process.returncode if server.process else None
    return {"pid": server.pid, "exit_status": status}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
