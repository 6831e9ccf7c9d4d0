"""`python -m bench`: measures, writes JSON, prints the tables of docs/performance.md.

`make bench` takes about ten minutes; `make bench ARGS=--quick` a fifth of it, for development. It exits 1
where a figure that is asked for was not reached. Needs Debian's `prometheus-alertmanager` and `redis-server`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from bench import (
    check,
    deadlines,
    escalation,
    ingest,
    inhibition,
    latency,
    memory,
    oncall,
    report,
    routing,
    rules,
    silences,
    simulation,
)
from bench.peers import STORES

PARTS = (
    "ingest",
    "storm",
    "latency",
    "deadlines",
    "memory",
    "routing",
    "rules",
    "silences",
    "inhibition",
    "check",
    "oncall",
    "escalation",
    "simulation",
)
OUTPUT = Path("bench/results/latest.json")


async def run(parts: list[str], cases: str, rounds: int, *, quick: bool) -> dict[str, Any]:
    """The figures of all parts asked for; what is done is said on stderr."""
    figures: dict[str, Any] = {"machine": machine(), "quick": quick, "rounds": rounds}
    if "ingest" in parts:
        figures["ingest"] = []
        for case in ingest.cases(quick=quick):
            if cases in case.name:
                _say(f"ingest: {case.name}")
                figures["ingest"].append(await ingest.compare(case, STORES, rounds))
    if "storm" in parts:
        _say("storm")
        figures["storm"] = [await ingest.storm(store, quick=quick) for store in STORES]
    if "latency" in parts:
        _say("latency")
        figures["latency"] = await latency.measure(STORES, quick=quick)
    if "deadlines" in parts:
        _say("deadlines")
        figures["deadlines"] = await deadlines.measure("everysec", quick=quick)
    if "memory" in parts:
        _say("memory")
        figures["memory"] = [await memory.measure(store, quick=quick) for store in STORES]
    if "routing" in parts:
        _say("routing")
        figures["routing"] = routing.measure(quick=quick)
    if "rules" in parts:
        figures["rules"] = []
        for case in rules.cases(quick=quick):
            if cases in case.name:
                _say(f"rules: {case.name}")
                figures["rules"].append(await rules.compare(case, "everysec", rounds))
    if "silences" in parts:
        _say("silences")
        figures["silences"] = silences.measure(quick=quick)
    if "inhibition" in parts:
        _say("inhibition")
        figures["inhibition"] = await inhibition.measure(quick=quick)
    if "check" in parts:
        _say("check")
        figures["check"] = check.measure(quick=quick)
    if "oncall" in parts:
        _say("oncall")
        figures["oncall"] = oncall.measure(quick=quick)
    if "simulation" in parts:
        _say("simulation")
        figures["simulation"] = simulation.measure(quick=quick)
    if "escalation" in parts:
        _say("escalation")
        figures["escalation"] = await escalation.measure("everysec", quick=quick)
    figures["machine"]["load_at_end"] = round(os.getloadavg()[0], 2)
    return figures


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    names = [
        line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": names[0] if names else platform.machine(),
        "cpus": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Tocsin beside Alertmanager."
    )
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all where none is given")
    parser.add_argument("--quick", action="store_true", help="a fifth of the work, for development")
    parser.add_argument("--case", default="", help="only ingest cases with this in their name")
    parser.add_argument("--rounds", type=int, default=5, help="how often peers take turns (5)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"where the JSON goes ({OUTPUT})")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for program in ("prometheus-alertmanager", "redis-server"):
        if shutil.which(program) is None:
            parser.error(f"{program} is not installed; on Debian: apt install {program}")
    work = run(args.parts or list(PARTS), args.case, args.rounds, quick=args.quick)
    try:
        import uvloop  # noqa: PLC0415 - it is not there on every platform
    except ImportError:
        figures = asyncio.run(work)
    else:
        figures = uvloop.run(work)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    print(report.tables(figures))
    sys.exit(0 if report.all_reached(figures) else 1)


main()
