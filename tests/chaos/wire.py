"""The wire between a gateway and its Redis: who sends a chosen step is killed before or after Redis did it.

A process that is killed at a random moment is nearly always idle or waits for the network. Between "Redis
has it" and "the gateway knows" lie microseconds; here they can be hit on purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gateway.store import scripts

if TYPE_CHECKING:
    from pathlib import Path

_SHA = re.compile(rb"(?i)EVALSHA\r\n\$40\r\n([0-9a-f]{40})")
_NUMBER = re.compile(rb"(?i)INCR(BY)?\r\n\$\d+\r\nt:number\r\n")
_NAMES = {script.sha.encode(): name for name, script in scripts.load_all().items()}
STEPS = ("ingest", "claim", "number", "commit", "begin", "sent", "renew")
STEPS_OF_HOLDING = ("weigh", "mark", "sources", "walk", "kept")


@dataclass
class Trap:
    """The next `step` kills who takes it. `sprung` is the process that was killed."""

    step: str
    when: Literal["before", "after"]
    sprung: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


async def sprung(trap: Trap) -> None:
    """Waits until the trap has killed somebody."""
    done, _ = await asyncio.wait({trap.sprung}, timeout=15)
    assert done, f"nobody took the step {trap.step} within 15 s"


class Wire:
    """A unix socket that passes everything on to Redis, with one trap at a time."""

    def __init__(self, path: Path, redis: Path) -> None:
        self.url = f"unix://{path}"
        self._path, self._redis = path, redis
        self._server: asyncio.Server | None = None
        self._trap: Trap | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._connected, str(self._path))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def set(self, step: str, when: Literal["before", "after"]) -> Trap:
        self._trap = Trap(step, when)
        return self._trap

    def clear(self) -> None:
        self._trap = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        process = _who(writer)
        there, back = await asyncio.open_unix_connection(str(self._redis))
        waiting: list[Trap] = []

        async def up() -> None:
            while data := await reader.read(1 << 16):
                trap = self._trap
                if trap is not None and trap.step in _steps(data):
                    self._trap = None
                    if trap.when == "before":
                        _spring(trap, process)
                        return
                    waiting.append(trap)
                back.write(data)
                await back.drain()

        async def down() -> None:
            while data := await there.read(1 << 16):
                # A script that Redis does not know yet is sent again in full: then it counts.
                if waiting and b"-NOSCRIPT" not in data:
                    _spring(waiting.pop(), process)
                    return
                writer.write(data)
                await writer.drain()

        both = [asyncio.create_task(up()), asyncio.create_task(down())]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            back.close()


def _steps(data: bytes) -> set[str]:
    """The steps of one batch: what is asked in the same moment travels together."""
    found = {_NAMES.get(sha, "") for sha in _SHA.findall(data)}
    return found | {"number"} if _NUMBER.search(data) else found


def _who(writer: asyncio.StreamWriter) -> int:
    raw = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return struct.unpack("3i", raw)[0]


def _spring(trap: Trap, process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    if not trap.sprung.done():
        trap.sprung.set_result(process)
