"""The load: a few keep-alive connections that send requests made beforehand, each as soon as it is answered.

The same client for both peers. What it costs itself is measured and stated, since it shares the processors
with what it measures.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: wall-clock seconds, seconds of this process' CPU, each answer's milliseconds."""

    seconds: float
    own_cpu: float
    answers_ms: list[float]


class LoadError(Exception):
    """A peer did not answer 200."""


class OpenLoad:
    """Sends each request at once, on an idle connection or a new one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Idle] = []
        self._all: list[_Idle] = []
        self._refused: list[bytes] = []

    async def __aenter__(self) -> Self:
        for _ in range(16):
            await self._connect()
        return self

    async def _connect(self) -> _Idle:
        loop = asyncio.get_running_loop()
        _, one = await loop.create_connection(
            lambda: _Idle(self._idle, self._refused), "127.0.0.1", self._port
        )
        self._all.append(one)
        return one

    async def send(self, request: bytes) -> None:
        if not self._idle:
            await self._connect()
        self._idle.pop().send(request)

    async def __aexit__(self, *_: object) -> None:
        for one in self._all:
            one.close()
        if self._refused:
            raise LoadError(self._refused[0].decode(errors="replace"))


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way."""

    def __init__(self, requests: Iterator[bytes], answers_ms: list[float]) -> None:
        self._requests = requests
        self._answers_ms = answers_ms
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's is not of asyncio's family
        self._next()

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        if head[9:12] != b"200":
            self._fail(LoadError(self._buffer[:600].decode(errors="replace")))
            return
        self._buffer = self._buffer[end + 4 + length :]
        self._answers_ms.append((time.perf_counter() - self._sent_at) * 1000)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(LoadError(f"the connection was closed ({error})"))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class _Idle(asyncio.Protocol):
    """A connection that goes back to the idle ones when its request is answered."""

    def __init__(self, idle: list[_Idle], refused: list[bytes]) -> None:
        self._idle = idle
        self._refused = refused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._idle.append(self)

    def send(self, request: bytes) -> None:
        self._transport.write(request)  # type: ignore[attr-defined]  # uvloop's is not of asyncio's family

    def data_received(self, data: bytes) -> None:
        if data[9:12] != b"200":  # answers are short: they come in one piece
            self._refused.append(data[:600])
        self._idle.append(self)

    def close(self) -> None:
        self._transport.close()


async def send(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Sends all of them, over so many connections, one at a time on each.

    Raises:
        LoadError: a request was not answered 200.
    """
    loop = asyncio.get_running_loop()
    waiting, answers_ms = iter(requests), list[float]()
    cpu, began = time.process_time(), time.perf_counter()
    made = [
        await loop.create_connection(lambda: Connection(waiting, answers_ms), "127.0.0.1", port)
        for _ in range(min(connections, len(requests)))
    ]
    async with asyncio.timeout(TIMEOUT_S):
        await asyncio.gather(*(connection.done for _, connection in made))
    return Load(time.perf_counter() - began, time.process_time() - cpu, answers_ms)
