"""How late what is due begins, with 100,000 deadlines pending and 500 of them due each second.

Most groups wait an hour, and ten thousand wait 40 s; those were posted at 500 a second, so they fall due so.
Lateness is what Tocsin measures of itself (`tocsin_deadline_lateness_seconds`: how long after its deadline a
group was claimed, by Redis' clock); that no group is told twice or never is seen at the receiver. Once with a
receiver that tells nobody, which is the deadlines alone, and once with a webhook for each group, which is
500 messages a second besides.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from bench.alerts import alert, body, request
from bench.load import OpenLoad, send
from bench.peers import get, tocsin
from bench.sink import sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.peers import Peer, StoreKind

PENDING, PER_SECOND, WAIT_S, IN_A_BODY = 100_000, 500, 40, 50
P99_MS = 100.0

CONFIG = """\
route:
  receiver: {receiver}
  group_by: [alertname]
  group_wait: {wait}s
  routes:
    - matchers: [alertname=~"Long.*"]
      group_wait: 1h
receivers:
  - name: nobody
  - name: sink
    webhook_configs:
      - url: http://127.0.0.1:{sink}/
"""


async def measure(store: StoreKind, *, quick: bool) -> list[dict[str, Any]]:
    """A row without messages, a row with them."""
    pending, seconds = (10_000, 4) if quick else (PENDING, 20)
    wait = 10 if quick else WAIT_S
    return [await _one(store, receiver, pending, seconds, wait) for receiver in ("nobody", "sink")]


async def _one(store: StoreKind, receiver: str, pending: int, seconds: int, wait: int) -> dict[str, Any]:
    told: Counter[str] = Counter()

    def note(_at: float, body: bytes) -> None:
        told[orjson.loads(body)["groupLabels"]["alertname"]] += 1

    due = seconds * PER_SECOND
    async with contextlib.AsyncExitStack() as stack:
        text = CONFIG.format(receiver=receiver, sink=await stack.enter_async_context(sink(note)), wait=wait)
        peer = await stack.enter_async_context(tocsin(text, store))
        await send(peer.port, list(_requests("Long", pending - due)), 4)
        before, cpu = await lateness(peer), peer.cpu()
        began = time.perf_counter()
        async with OpenLoad(peer.port) as load:
            for number, posted in enumerate(_requests("Due", due)):
                await asyncio.sleep(began + number * IN_A_BODY / PER_SECOND - time.perf_counter())
                await load.send(posted)
        await asyncio.sleep(began + seconds + wait + 2 - time.perf_counter())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while receiver == "sink" and len(told) < due:
                    await asyncio.sleep(0.2)
                await asyncio.sleep(3)  # a second message to anybody would come by then
        after, cpu_after = await lateness(peer), peer.cpu()
    counts = {bucket: count - before.get(bucket, 0) for bucket, count in after.items()}
    p50, p99 = quantile(counts, 0.5), quantile(counts, 0.99)
    once = sum(count == 1 for count in told.values())
    row = {
        "store": store,
        "messages": receiver == "sink",
        "pending": pending,
        "due_per_s": PER_SECOND,
        "begun": counts[float("inf")],
        "p50_ms_at_most": p50,
        "p99_ms_at_most": p99,
        "told_once": once,
        "told_twice": sum(count > 1 for count in told.values()),
        "cpu_ms_per_group": {role: round((cpu_after[role] - cpu[role]) / due * 1000, 2) for role in cpu},
    }
    whole = counts[float("inf")] == due and row["told_twice"] == 0 and (receiver == "nobody" or once == due)
    return row | {"reached": whole and p99 <= P99_MS}


def _requests(name: str, groups: int) -> Iterator[bytes]:
    now = int(time.time() * 1000)
    for at in range(0, groups, IN_A_BODY):
        alerts = [alert(f"{name}{number}", 0, now) for number in range(at, min(at + IN_A_BODY, groups))]
        yield request(body(alerts, "webhook"), "webhook")


async def lateness(peer: Peer) -> dict[float, int]:
    """Groups begun so far by the buckets of their lateness: upper bound in ms -> how many up to it."""
    counts: dict[float, int] = {}
    for line in (await get(peer.port, "/metrics")).splitlines():
        if line.startswith("tocsin_deadline_lateness_seconds_bucket{") and 'what="group"' in line:
            bound = line.split('le="')[1].split('"')[0]
            counts[float(bound) * 1000] = int(float(line.rsplit(" ", 1)[1]))
    return counts


def quantile(counts: dict[float, int], share: float) -> float:
    """The smallest bound under which `share` of them lie: what the histogram can say for certain."""
    whole = counts[float("inf")]
    return next(bound for bound, count in sorted(counts.items()) if count >= share * whole)
