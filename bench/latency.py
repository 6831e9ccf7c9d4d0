"""From the moment at which a new group is posted to the moment at which a webhook receiver has it.

200 new groups a second with `group_wait: 0s`, sent when their time has come, whatever is still under way: who
is slow is measured as slow. Beside it, what an fsync costs on this disk, since each group takes two.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Any

import orjson

from bench.alerts import Shape, config
from bench.load import LoadError, OpenLoad
from bench.peers import alertmanager, tocsin
from bench.sink import sink

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from bench.alerts import Form
    from bench.peers import Peer, StoreKind

PER_SECOND = 200
P50_MS, P99_MS = 10.0, 50.0
GIVE_UP_S = 20


async def measure(stores: tuple[StoreKind, ...], *, quick: bool) -> list[dict[str, Any]]:
    """One row for Alertmanager and for each store."""
    seconds = 3 if quick else 15
    rows = []
    for name in ("alertmanager", *stores):
        arrived: dict[str, float] = {}

        def note(at: float, body: bytes, arrived: dict[str, float] = arrived) -> None:
            arrived.setdefault(orjson.loads(body)["groupLabels"]["alertname"], at)

        async with sink(note) as port:
            text = config(port, "0s")
            form: Form = "posted" if name == "alertmanager" else "webhook"
            starting: AbstractAsyncContextManager[Peer] = (
                alertmanager(text) if name == "alertmanager" else tocsin(text, name)  # type: ignore[arg-type]
            )
            async with starting as peer:
                await _drive(peer, form, "w", 1, arrived)
                fsync = fsync_ms()
                row = await _drive(peer, form, "m", seconds, arrived)
        rows.append({"peer": name, **row, "fsync_p50_ms": fsync[0], "fsync_p99_ms": fsync[1]})
        if name != "alertmanager":
            allowed = P99_MS + 2 * fsync[1]
            rows[-1]["reached"] = row["p50_ms"] <= P50_MS and row["p99_ms"] <= allowed and not row["lost"]
    return rows


async def _drive(peer: Peer, form: Form, run: str, seconds: int, arrived: dict[str, float]) -> dict[str, Any]:
    count = seconds * PER_SECOND
    requests = Shape(1, 1, count).requests(form, run)
    async with OpenLoad(peer.port) as load:
        began = time.perf_counter() + 0.05
        for number, request in enumerate(requests):
            await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            await load.send(request)
        due = {f"PodCrashLooping{run}n{number}g0": began + number / PER_SECOND for number in range(count)}
        deadline = time.perf_counter() + GIVE_UP_S
        while len(arrived.keys() & due.keys()) < count and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
    took = sorted((arrived[name] - at) * 1000 for name, at in due.items() if name in arrived)
    if len(took) < 2:
        raise LoadError(f"of {count} groups that were posted, {len(took)} were told within {GIVE_UP_S} s")
    quantiles = statistics.quantiles(took, n=100)
    return {
        "groups": count,
        "lost": count - len(took),
        "p50_ms": round(quantiles[49], 1),
        "p99_ms": round(quantiles[98], 1),
        "max_ms": round(took[-1], 1),
    }


def fsync_ms() -> tuple[float, float]:
    """p50 and p99 of appending a kilobyte and fsyncing it, here and now."""
    took = []
    with tempfile.NamedTemporaryFile(prefix="bench-fsync-") as file:
        for _ in range(300):
            began = time.perf_counter()
            file.write(b"x" * 1024)
            file.flush()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    quantiles = statistics.quantiles(took, n=100)
    return round(quantiles[49], 2), round(quantiles[98], 2)
