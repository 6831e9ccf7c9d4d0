"""Resident memory: of an idle gateway, and of gateway and store with 100,000 open alerts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bench.alerts import Shape, config
from bench.load import send
from bench.peers import alertmanager, tocsin
from bench.sink import sink

if TYPE_CHECKING:
    from bench.peers import StoreKind

IDLE_MB = 90.0


async def measure(store: StoreKind, *, quick: bool) -> dict[str, Any]:
    """Megabytes, by process; Alertmanager with the same alerts beside it."""
    shape = Shape(1, 100, 100 if quick else 1000)
    async with sink() as port:
        text = config(port, "5m")
        async with tocsin(text, store) as peer:
            await asyncio.sleep(2)
            idle = peer.rss()
            await send(peer.port, shape.requests("webhook", "m"), 8)
            await send(peer.port, shape.requests("webhook", "m"), 8)
            await asyncio.sleep(2)
            full = peer.rss()
        async with alertmanager(text) as peer:
            await send(peer.port, shape.requests("posted", "m"), 8)
            await asyncio.sleep(2)
            other = peer.rss()["peer"]
    return {
        "store": store,
        "idle_mb": _round(idle),
        "open_alerts": shape.bodies * shape.alerts,
        "full_mb": _round(full),
        "alertmanager_mb": round(other, 1),
        "reached": idle["gateway"] <= IDLE_MB,
    }


def _round(figures: dict[str, float]) -> dict[str, float]:
    return {role: round(figure, 1) for role, figure in figures.items()}
