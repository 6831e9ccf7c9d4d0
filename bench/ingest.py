"""How many alerts a second are taken in, as a ratio to Alertmanager's in the same run.

For each case: five rounds, in each of which every peer is started fresh, is sent the same alerts and is
stopped, one peer after the other. The ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.alerts import Shape
from bench.load import Load, send
from bench.peers import Peer, StoreKind, alertmanager, tocsin
from bench.sink import sink

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from bench.alerts import Form

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Case:
    """`least`: the ratio that is asked for, by kind of store ("" for all others)."""

    shape: Shape
    repeats: int  # 0: every alert is new
    workers: int
    least: dict[str, float]

    @property
    def name(self) -> str:
        """As the tables have it."""
        workers = f", {self.workers} workers" if self.workers > 1 else ""
        return f"{self.shape.name}, {'repeated' if self.repeats else 'new'}{workers}"


def cases(*, quick: bool) -> list[Case]:
    """What is asked for. Quick: the same with a fifth of the load."""
    part = 5 if quick else 1
    one, many, single = "100 alerts of 1 group", "100 alerts of 100 groups", "1 alert"
    return [
        Case(Shape(one, 1, 100, 20), 30 // part, 1, {"": 1.5}),
        Case(Shape(one, 1, 100, 400 // part), 0, 1, {"": 0.8}),
        Case(Shape(one, 1, 100, 20), 30 // part, 2, {"": 2.0}),
        Case(Shape(one, 1, 100, 400 // part), 0, 2, {"": 1.0}),
        Case(Shape(many, 100, 1, 20), 15 // part, 1, {"": 1.0}),
        Case(Shape(many, 100, 1, 150 // part), 0, 1, {"": 0.6}),
        Case(Shape(single, 1, 1, 200), 50 // part, 1, {"": 0.3, "everysec": 0.4}),
        Case(Shape(single, 1, 1, 6000 // part), 0, 1, {"": 0.3, "everysec": 0.4}),
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """One peer's round: alerts a second, and microseconds of CPU for each alert, by role."""

    rate: float
    cpu_us: dict[str, float]
    p99_ms: float


async def measure(peer: Peer, case: Case, form: Form, run: str) -> Run:
    """Sends a case to a peer that has just been started."""
    requests = case.shape.requests(form, run)
    if case.repeats:
        await send(peer.port, requests, CONNECTIONS)
        await send(peer.port, requests, CONNECTIONS)  # memos are warm, as they are in service
        requests *= case.repeats
    else:
        await send(peer.port, Shape(case.shape.name, case.shape.groups, case.shape.members, 20).requests(form, f"w{run}"), CONNECTIONS)
    before = peer.cpu()
    load = await send(peer.port, requests, CONNECTIONS)
    after = peer.cpu()
    alerts = len(requests) * case.shape.groups * case.shape.members
    cpu = {role: (after[role] - before[role]) / alerts * 1e6 for role in after}
    return Run(alerts / load.seconds, cpu | {"load": load.own_cpu / alerts * 1e6}, _p99(load))


def _p99(load: Load) -> float:
    return statistics.quantiles(load.answers_ms, n=100)[98]


async def compare(case: Case, stores: tuple[StoreKind, ...], rounds: int) -> dict[str, Any]:
    """One case, all peers interleaved: medians, and each store's ratio to Alertmanager."""
    runs: dict[str, list[Run]] = {}
    async with sink() as port:

        def of_tocsin(store: StoreKind) -> Callable[[], AbstractAsyncContextManager[Peer]]:
            return lambda: tocsin(port, store, case.workers)

        peers: dict[str, tuple[Callable[[], AbstractAsyncContextManager[Peer]], Form]] = {
            "alertmanager": (lambda: alertmanager(port), "posted"),
            **{store: (of_tocsin(store), "webhook") for store in stores},
        }
        for number in range(rounds):
            for name, (start, form) in peers.items():
                async with start() as peer:
                    runs.setdefault(name, []).append(await measure(peer, case, form, f"r{number}"))
                await asyncio.sleep(0.2)
    return summary(case, runs)


def summary(case: Case, runs: dict[str, list[Run]]) -> dict[str, Any]:
    """The figures of one case, ready for JSON."""
    peer = runs["alertmanager"]
    figures: dict[str, Any] = {"case": case.name, "peers": {}, "ratios": {}}
    for name, own in runs.items():
        figures["peers"][name] = {
            "alerts_per_s": round(statistics.median(run.rate for run in own)),
            "cpu_us_per_alert": {
                role: round(statistics.median(run.cpu_us[role] for run in own), 2) for role in own[0].cpu_us
            },
            "answer_p99_ms": round(statistics.median(run.p99_ms for run in own), 1),
        }
        if name != "alertmanager":
            ratios = [mine.rate / theirs.rate for mine, theirs in zip(own, peer, strict=True)]
            least = case.least.get(name, case.least[""])
            ratio = round(statistics.median(ratios), 2)
            figures["ratios"][name] = {
                "ratio": ratio,
                "rounds": [round(one, 2) for one in ratios],
                "least": least,
                "reached": ratio >= least,
            }
    return figures
