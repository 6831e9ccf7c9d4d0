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
        print(json.dumps(figures, indent=1), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", default="")
    parser.add_argument("--stores", default=",".join(STORES))
    args = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        asyncio.run(run(args))
    else:
        uvloop.run(run(args))


main()
