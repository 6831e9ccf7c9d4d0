"""Worlds by their seeds, each told by both sides; `python tests/truth/worlds.py` tells many of them.

worlds.py [COUNT] [--first SEED] [--processes N]     tells COUNT worlds, prints the count and every difference
worlds.py --seed SEED [--small]                      one world, as it was told, or made as small as it gets
worlds.py --file WORLD.json [--small]                the same, of a world that was kept
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "virtual")]

import structlog  # noqa: E402 - the folders of its neighbours come first
import yaml  # noqa: E402
from both_sides import real, simulated  # noqa: E402
from drawn import Drawn  # noqa: E402
from drawn_happenings import world  # noqa: E402
from redis.asyncio import Redis  # noqa: E402
from services import Services  # noqa: E402
from smaller import smallest  # noqa: E402
from timelines import as_told, differences, first_difference  # noqa: E402

from gateway.store.binaries import installed_servers  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

DEFAULT = 2_000


@dataclass
class Outcome:
    """How many messages there were, of which kinds, and what differs, as a diff."""

    told: int
    ways: Counter[str]
    differs: list[str]
    kind: str = ""


class Judge:
    """Tells drawn worlds by both sides, one after the other."""

    def __init__(self, redis: Redis, folder: Path, services: Services) -> None:
        self._redis, self._folder, self._services = redis, folder, services

    async def judge(self, drawn: Drawn) -> Outcome:
        told, happenings, overrides = await real(self._redis, self._folder, self._services, drawn)
        ways = Counter(f"{one.by} {one.kind}" for one in told)
        try:
            story = simulated(drawn, self._services.addresses, happenings, overrides)
        except Exception as error:  # noqa: BLE001 - that it breaks is a difference too
            return Outcome(len(told), ways, [_where(error)], f"broken: {type(error).__name__}")
        other = as_told(story.notifications, drawn.began)
        return Outcome(len(told), ways, differences(told, other), first_difference(told, other))

    async def differs(self, drawn: Drawn, kind: str) -> bool:
        """In the same way. What can be no world does not."""
        try:
            return (await self.judge(drawn)).kind == kind
        except Exception:  # noqa: BLE001 - what was left out was needed
            return False


def _where(error: Exception) -> str:
    import traceback  # noqa: PLC0415 - only for what is broken

    last = traceback.extract_tb(error.__traceback__)[-4:]
    return f"the simulation is broken: {error!r} at " + " < ".join(
        f"{Path(one.filename).name}:{one.lineno}" for one in reversed(last)
    )


@contextlib.asynccontextmanager
async def a_judge() -> AsyncIterator[Judge]:
    """With a server of Redis or Valkey of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    servers = await installed_servers()
    with tempfile.TemporaryDirectory(prefix="tocsin-truth-") as name:
        folder = Path(name)
        process = await asyncio.create_subprocess_exec(
            str(servers[0]), "--port", "0", "--unixsocket", f"{name}/redis.sock", "--dir", name, "--save", "",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        while not (folder / "redis.sock").exists():
            await asyncio.sleep(0.02)
        services = Services()
        await services.start()
        redis = Redis.from_url(f"unix://{name}/redis.sock", decode_responses=True)
        try:
            yield Judge(redis, folder, services)
        finally:
            await services.stop()
            await redis.aclose()
            process.terminate()
            await process.wait()


def described(drawn: Drawn) -> str:
    """A world as people read it: the configuration as YAML, then what happens, a line each."""
    lines = [
        f"began {drawn.began}, ends {drawn.ends}",
        yaml.safe_dump(drawn.config, sort_keys=False, width=110),
    ]
    for number, config in enumerate(drawn.later):
        lines += [
            f"--- configuration {number}, loaded later",
            yaml.safe_dump(config, sort_keys=False, width=110),
        ]
    for name in ("overrides", "failures", "happens"):
        lines += [f"{name}:", *(f"  {json.dumps(one)}" for one in getattr(drawn, name))]
    return "\n".join(lines)


async def _many(seeds: Sequence[int]) -> list[tuple[int, Outcome]]:
    async with a_judge() as judge:
        return [(seed, await judge.judge(world(Random(seed)))) for seed in seeds]


def many_of(seeds: Sequence[int]) -> list[tuple[int, Outcome]]:
    return asyncio.run(_many(seeds))


async def _one(drawn: Drawn, *, small: bool) -> int:
    async with a_judge() as judge:
        found = await judge.judge(drawn)
        if small and found.differs:
            kind = found.kind
            drawn = await smallest(drawn, lambda one: judge.differs(one, kind))
            found = await judge.judge(drawn)
            print(drawn.to_text())
        print(described(drawn), "", *(found.differs or [f"{found.told} messages, no difference"]), sep="\n")
    return bool(found.differs)


def main() -> int:
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("count", nargs="?", type=int, default=DEFAULT)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--seed", type=int)
    options.add_argument("--file", type=Path)
    options.add_argument("--small", action="store_true")
    given = options.parse_args()
    if given.seed is not None or given.file:
        drawn = world(Random(given.seed)) if given.file is None else Drawn.from_text(given.file.read_text())
        return asyncio.run(_one(drawn, small=given.small))
    return _tell_many(given)


def _tell_many(given: Any) -> int:
    began, messages, ways, differing, done = time.monotonic(), 0, Counter[str](), [], 0
    seeds = range(given.first, given.first + given.count)
    chunks = [seeds[at : at + 25] for at in range(0, len(seeds), 25)]
    with ProcessPoolExecutor(given.processes) as pool:
        for some in pool.map(many_of, chunks):
            for seed, outcome in some:
                done += 1
                messages += outcome.told
                ways += outcome.ways
                if outcome.differs:
                    differing.append(seed)
                    print(f"=== world {seed}: {outcome.kind}", *outcome.differs[:60], sep="\n", flush=True)
            took = time.monotonic() - began
            print(f"{done} worlds, {messages} messages, {len(differing)} differ, {took:.0f} s", flush=True)
    print(", ".join(f"{count} {way}" for way, count in sorted(ways.items())))
    print(f"{done} worlds told by both, {len(differing)} of them otherwise: {differing[:200]}")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
