"""`python -m bench`: measure, write JSON, print tables."""

from __future__ import annotations

import argparse
import asyncio
import json

from bench import ingest
from bench.peers import STORES


async def run(args: argparse.Namespace) -> None:
    for number, case in enumerate(ingest.cases(quick=args.quick)):
        if args.cases and str(number) not in args.cases.split(","):
            continue
        figures = await ingest.compare(case, tuple(args.stores.split(",")), args.rounds)
        print(figures['case'])
        for n,p in figures['peers'].items(): print('   ',n,p['alerts_per_s'],p['cpu_us_per_alert'],p['answer_p99_ms'],figures['ratios'].get(n), flush=True)
    if not args.cases or 's' in args.cases: print(await ingest.storm('everysec', quick=args.quick))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", default="")
    parser.add_argument("--stores", default=",".join(STORES))
    args = parser.parse_args()
    import uvloop
    uvloop.run(run(args))


main()
