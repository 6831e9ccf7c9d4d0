"""What routes and inhibition rules cost while alerts are taken in: Tocsin with many, beside Tocsin with few.

The same alerts as in `ingest`. Many of the hundred routes and twenty rules ask with regular expressions. Two
rules name these alerts as targets and one as sources, as those about severities usually do (critical inhibits
high, high inhibits medium).
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from typing import TYPE_CHECKING, Any, Final

from bench.alerts import CONFIG, TEAMS, Shape, config
from bench.ingest import WAIT, Case, measure, warm
from bench.peers import tocsin
from bench.sink import sink

if TYPE_CHECKING:
    from bench.ingest import Run
    from bench.peers import StoreKind

LEAST: Final = 0.9
ROUTES: Final = 100
RULES: Final = 20


def crowded(port: int, wait: str) -> str:
    """The configuration of `ingest` with a hundred routes and twenty rules."""
    routes = []
    for number in range(ROUTES // 4):
        team = TEAMS[number % len(TEAMS)]
        service = f'service=~"svc-{number}-.*"' if number % 3 else f'service="svc-{number}"'
        routes.append(
            f'    - matchers: [team="{team}", {service}]\n      receiver: other\n      routes:\n'
            + "".join(f'        - matchers: [severity="{s}"]\n' for s in ("critical", "high", "low"))
        )
    rules = [
        ('severity="critical"', 'severity="high"', "[cluster, namespace]"),
        ('severity="high"', 'severity="medium"', "[cluster, namespace]"),
        ('alertname="ClusterDown"', 'alertname!="ClusterDown"', "[cluster]"),
    ]
    rules += [
        (f'alertname="NodeDown{n}"', f'alertname=~"(Disk|Cpu)Full{n}.*"', "[instance]")
        for n in range(RULES - 3)
    ]
    written = "".join(
        f"  - source_matchers: ['{source}']\n    target_matchers: ['{target}']\n    equal: {equal}\n"
        for source, target, equal in rules
    )
    few = CONFIG.format(sink=port, wait=wait, routes="".join(routes))
    return f"{few}inhibit_rules:\n{written}"


def cases(*, quick: bool) -> list[Case]:
    """The cases of `ingest` with one worker."""
    part = 4 if quick else 1
    return [
        Case("100 alerts of 1 group, repeated", Shape(1, 100, 20), 28 // part, 1, {}),
        Case("100 alerts of 1 group, new", Shape(1, 100, 240 // part), 0, 1, {}),
        Case("100 alerts of 100 groups, new", Shape(100, 1, 120 // part), 0, 1, {}),
        Case("1 alert, repeated", Shape(1, 1, 200), 40 // part, 1, {}),
        Case("1 alert, new", Shape(1, 1, 4000 // part), 0, 1, {}),
    ]


async def compare(case: Case, store: StoreKind, rounds: int) -> dict[str, Any]:
    """One case: the ratio of what is taken in with many routes and rules to what is with few."""
    runs: dict[str, list[Run]] = {"few": [], "many": []}
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(sink())
        peers = {
            "few": await stack.enter_async_context(tocsin(config(port, WAIT), store)),
            "many": await stack.enter_async_context(tocsin(crowded(port, WAIT), store)),
        }
        for peer in peers.values():
            await warm(peer, case, "webhook")
        for number in range(rounds):
            for name, peer in peers.items():
                runs[name].append(await measure(peer, case, "webhook", f"r{number}"))
                await asyncio.sleep(0.05)
    ratios = [many.rate / few.rate for few, many in zip(runs["few"], runs["many"], strict=True)]
    ratio = round(statistics.median(ratios), 2)
    return {
        "case": case.name,
        "ratio": ratio,
        "rounds": [round(one, 2) for one in ratios],
        "least": LEAST,
        "reached": ratio >= LEAST,
        "cpu_us_per_alert": {
            name: {
                role: round(statistics.median(run.cpu_us[role] for run in own), 1) for role in own[0].cpu_us
            }
            for name, own in runs.items()
        },
    }
