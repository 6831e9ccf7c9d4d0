"""How many alerts a second are taken in, as a ratio to Alertmanager's in the same run.

Each case starts all peers, then goes round them five times; in each round every peer is sent the same
alerts for about a second, one peer after the other. Of each round the ratio of neighbours is taken, and of
these the median: what else the machine does meanwhile hits neighbours alike.

Groups wait five minutes here, for both, so that taking in is measured and not telling; `storm` measures both.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.alerts import Shape, config
from bench.load import Load, send
from bench.peers import Peer, StoreKind, alertmanager, tocsin
from bench.sink import sink

if TYPE_CHECKING:
    from bench.alerts import Form

CONNECTIONS = 16
WAIT = "5m"
PEER = "alertmanager"


@dataclass(frozen=True, slots=True)
class Case:
    """`repeats`: how often each body is sent, 0: once. `least`: the ratio asked for, by store, "" else."""

    name: str
    shape: Shape
    repeats: int
    workers: int
    least: dict[str, float]


def cases(*, quick: bool) -> list[Case]:
    """What is asked for. Quick: the same with a quarter of the load."""
    part = 4 if quick else 1
    one, many, single = Shape(1, 100, 20), Shape(100, 1, 20), Shape(1, 1, 200)
    one_new, many_new, single_new = (
        Shape(1, 100, 240 // part),
        Shape(100, 1, 120 // part),
        Shape(1, 1, 4000 // part),
    )
    alone = {"": 0.3, "everysec": 0.4}
    return [
        Case("100 alerts of 1 group, repeated", one, 28 // part, 1, {"": 1.5}),
        Case("100 alerts of 1 group, new", one_new, 0, 1, {"": 0.8}),
        Case("100 alerts of 1 group, repeated, 2 workers", one, 28 // part, 2, {"": 2.0}),
        Case("100 alerts of 1 group, new, 2 workers", one_new, 0, 2, {"": 1.0}),
        Case("100 alerts of 100 groups, repeated", many, 20 // part, 1, {"": 1.0}),
        Case("100 alerts of 100 groups, new", many_new, 0, 1, {"": 0.6}),
        Case("1 alert, repeated", single, 40 // part, 1, alone),
        Case("1 alert, new", single_new, 0, 1, alone),
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """One peer's turn: alerts a second, CPU microseconds for each alert by role, the slowest answers."""

    rate: float
    cpu_us: dict[str, float]
    p99_ms: float


async def warm(peer: Peer, case: Case, form: Form) -> None:
    """What is repeated is known to the peer beforehand; what is new meets a peer that has run a little."""
    shape = case.shape if case.repeats else Shape(case.shape.groups, case.shape.members, 20)
    requests = shape.requests(form, "w")
    for _ in range(3):
        await send(peer.port, requests, CONNECTIONS)


async def measure(peer: Peer, case: Case, form: Form, run: str) -> Run:
    """One turn."""
    run = "w" if case.repeats else run
    requests = case.shape.requests(form, run) * max(case.repeats, 1)
    before = peer.cpu()
    load = await send(peer.port, requests, CONNECTIONS)
    after = peer.cpu()
    alerts = len(requests) * case.shape.alerts
    cpu = {role: (after[role] - before[role]) / alerts * 1e6 for role in after}
    return Run(alerts / load.seconds, cpu | {"load": load.own_cpu / alerts * 1e6}, _p99(load))


def _p99(load: Load) -> float:
    return statistics.quantiles(load.answers_ms, n=100)[98]


async def compare(case: Case, stores: tuple[StoreKind, ...], rounds: int) -> dict[str, Any]:
    """One case, all peers in turn: medians, and each store's ratio to Alertmanager."""
    runs: dict[str, list[Run]] = {}
    async with contextlib.AsyncExitStack() as stack:
        text = config(await stack.enter_async_context(sink()), WAIT)
        peers: dict[str, tuple[Peer, Form]] = {
            PEER: (await stack.enter_async_context(alertmanager(text)), "posted")
        }
        for store in stores:
            service = await stack.enter_async_context(tocsin(text, store, case.workers))
            peers[store] = (service, "webhook")
        for peer, form in peers.values():
            await warm(peer, case, form)
        for number in range(rounds):
            for name, (peer, form) in peers.items():
                runs.setdefault(name, []).append(await measure(peer, case, form, f"r{number}"))
                await asyncio.sleep(0.05)
    return summary(case, runs)


def summary(case: Case, runs: dict[str, list[Run]]) -> dict[str, Any]:
    """The figures of one case, ready for JSON."""
    figures: dict[str, Any] = {"case": case.name, "peers": {}, "ratios": {}}
    for name, own in runs.items():
        roles = own[0].cpu_us
        figures["peers"][name] = {
            "alerts_per_s": round(statistics.median(run.rate for run in own)),
            "cpu_us_per_alert": {
                role: round(statistics.median(run.cpu_us[role] for run in own), 1) for role in roles
            },
            "answer_p99_ms": round(statistics.median(run.p99_ms for run in own), 1),
        }
        if name != PEER:
            ratios = [mine.rate / theirs.rate for mine, theirs in zip(own, runs[PEER], strict=True)]
            ratio, least = round(statistics.median(ratios), 2), case.least.get(name, case.least[""])
            figures["ratios"][name] = {
                "ratio": ratio,
                "rounds": [round(one, 2) for one in ratios],
                "least": least,
                "reached": ratio >= least,
            }
    return figures


async def storm(store: StoreKind, *, quick: bool) -> dict[str, Any]:
    """New groups with `group_wait: 1s`, until the last of them has been told: alerts a second, both peers."""
    shape = Shape(1, 100, 100 if quick else 1000)
    rates: dict[str, float] = {}
    for name in (PEER, store):
        told: dict[bytes, float] = {}

        def arrived(at: float, body: bytes, told: dict[bytes, float] = told) -> None:
            told.setdefault(body[body.find(b'"groupLabels"') :][:80], at)

        async with sink(arrived) as port:
            text = config(port, "1s")
            starting = alertmanager(text) if name == PEER else tocsin(text, store)
            async with starting as peer:
                requests = shape.requests("posted" if name == PEER else "webhook", "s")
                began = time.perf_counter()
                await send(peer.port, requests, CONNECTIONS)
                async with asyncio.timeout(120):
                    while len(told) < shape.bodies:
                        await asyncio.sleep(0.01)
                rates[name] = shape.bodies * shape.alerts / (max(told.values()) - began)
    return {"store": store, "alerts_per_s": {name: round(rate) for name, rate in rates.items()}}
