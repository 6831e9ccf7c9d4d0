"""The HTTP edge on a real server, and a plain intake that keeps what it takes in a list."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web
from multidict import CIMultiDict

from config.schema import AuthConfig
from gateway.auth import Auth
from gateway.problem import problems
from gateway.store.unavailable import StoreUnavailableError
from gateway.webhook import Limits, routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from routing.alerts import Arrival

NOW = 1_795_424_000_000  # 2026-11-23T08:53:20Z


@dataclass(frozen=True)
class Counts:
    accepted: int
    repeated: int
    suspect: int = 0
    recorded: int = 0


class MemoryIntake:
    """An alert is accepted the first time and a repeat ever after."""

    def __init__(self) -> None:
        self.taken: list[Arrival] = []
        self.unavailable = False
        self.broken: Exception | None = None

    async def take(self, arrivals: Sequence[Arrival]) -> Counts:
        await asyncio.sleep(0)
        if self.unavailable:
            raise StoreUnavailableError("it is away", 7)
        if self.broken:
            raise self.broken
        known = {arrival.key for arrival in self.taken}
        self.taken += arrivals
        new = sum(arrival.key not in known for arrival in arrivals)
        return Counts(accepted=new, repeated=len(arrivals) - new)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: CIMultiDict[str]
    document: Any

    @property
    def detail(self) -> str:
        return self.document["detail"]


@dataclass
class Edge:
    """The running server. `limits` and `auth` may be changed while it runs."""

    intake: MemoryIntake = field(default_factory=MemoryIntake)
    limits: Limits = field(default_factory=Limits)
    auth: Auth = field(default_factory=lambda: Auth(AuthConfig()))
    port: int = 0
    now: int = NOW

    def require(self, **scopes: str) -> None:
        """`require(prom="ingest")`: now there is a token called prom, `prom-secret`, with that scope."""
        given = [
            {"name": name, "token": f"{name}-secret", "scopes": [scope]} for name, scope in scopes.items()
        ]
        self.auth.use(AuthConfig.model_validate({"tokens": given}))

    async def post(self, path: str, body: bytes, **headers: str) -> Answer:
        """Post with a real client; `content_type="text/plain"` is the header Content-Type, "" sends none."""
        sent = {"Content-Type": "application/json"}
        sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        skipped = [name for name, value in sent.items() if not value]
        sent = {name: value for name, value in sent.items() if value}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with (
            ClientSession() as client,
            client.post(url, data=BytesIO(body), headers=sent, skip_auto_headers=skipped) as response,
        ):
            return Answer(response.status, CIMultiDict(response.headers), json.loads(await response.read()))

    async def raw(self, request: bytes, *, hang_up: bool = False) -> Answer | None:
        """Write `request` as it stands, and hang up or wait; None where no answer comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            if hang_up:
                writer.write_eof()
            async with asyncio.timeout(5):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = CIMultiDict(line.split(": ", 1) for line in head[1:-2])
                body = await reader.readexactly(int(headers["Content-Length"]))
        except asyncio.IncompleteReadError:
            return None
        finally:
            writer.close()
        is_json = headers["Content-Type"].partition(";")[0].endswith("json")
        return Answer(int(head[0].split()[1]), headers, json.loads(body) if is_json else body.decode())


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    """The two endpoints over real HTTP, open, with the clock at `NOW`."""
    edge = Edge()
    app = web.Application(middlewares=[problems])
    app.add_routes(routes(edge.intake, lambda: edge.limits, edge.auth, lambda: edge.now))
    runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    edge.port = runner.addresses[0][1]
    yield edge
    await runner.cleanup()
