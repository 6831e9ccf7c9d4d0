"""A webhook receiver that answers 200 and remembers when it was told of what."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class _Receiving(asyncio.Protocol):
    def __init__(self, arrived: Callable[[float, bytes], None]) -> None:
        self._arrived = arrived
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            at = time.perf_counter()
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]  # uvloop's is not of asyncio's family
            self._arrived(at, body)


@contextlib.asynccontextmanager
async def sink(arrived: Callable[[float, bytes], None] = lambda _at, _body: None) -> AsyncIterator[int]:
    """Listens on a free port of loopback, and gives it; `arrived` is called with the moment and the body."""
    server = await asyncio.get_running_loop().create_server(lambda: _Receiving(arrived), "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
