"""Policies while processes die in virtual time: nobody is missed, nobody is rung whom an answer spared.

Random policies, answers and ends; processes are killed or stall before and after each step, claims are lost,
now and then nobody is there for a while. Prints its seed and what the judge saw; `-m long` tells thousands.
"""

from __future__ import annotations

import os
import secrets
import time
from random import Random
from typing import TYPE_CHECKING

import pytest
from judge_of_steps import Judge
from mortal import Town
from plain_policies import Lateness
from random_policies import config, some_policies
from stories import Told, heard
from world import START

from gateway.store import reading

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = [f"t{number}" for number in range(9)]
STORIES = int(os.environ.get("TOCSIN_STORIES", "2000"))  # of each long test


async def tell(url: str, folder: Path, stories: int, *, seconds: int, deaths: bool = True) -> None:
    """Stories that begin within so many seconds (of virtual time)."""
    seed = int(os.environ.get("TOCSIN_SEED") or secrets.randbelow(1_000_000))
    random, began = Random(seed), time.monotonic()
    names = [f"p{number}" for number in range(10)]
    quick = some_policies(random, names[:5], TARGETS, 1_000)
    slow = some_policies(random, names[5:], TARGETS, 20_000)
    policies = quick | slow
    path = folder / "tocsin.yaml"
    path.write_text(config(policies, TARGETS, "http://hook.test/"))
    town = Town(url, path, random)
    await town.begin()
    told = []
    for number in range(stories):
        name = random.choice(names)
        told.append(Told(town, Random(seed + number), f"S{number}", name, 1_000 if name in quick else 20_000))
        town.plan(random.randrange(seconds) * 1_000, told[-1].fires)
    if deaths:
        plan_deaths(town, random, seconds + 120)
    await town.run()
    lateness = Lateness(town.deaths, town.nobody)
    finding = Judge(policies, lateness).all([one.story for one in told], heard(town))
    for one in told:
        if any(line.startswith(f"{one.story.name} ") for line in finding.wrong):
            print("\n", *(line for line in finding.wrong if line.startswith(f"{one.story.name} ")), sep="\n")
            await show(town, one)
            break
    left = await unfinished(town)
    await town.close()
    took = time.monotonic() - began
    died = f"{len(town.deaths)} deaths and stalls, {len(town.nobody)} times nobody there"
    print(f"\nTOCSIN_SEED={seed}: {died}, {town.now / 1000:.0f} s of virtual time in {took:.1f} s")
    print(f"    {finding}")
    assert not finding.wrong, "\n".join([f"TOCSIN_SEED={seed}", *finding.wrong[:20]])
    assert not left, left


async def show(town: Town, one: Told) -> None:
    """All that is known of a story that went wrong."""
    zero, about = one.story.fired.lo, heard(town)[one.story.name]
    print(f"\n{one.story}\n{town.watcher.plan.current.plan.policies[one.story.policy]}")
    print("heard:", [(m.at - zero, m.who, m.kind, m.began - zero) for m in about])
    print("nobody:", [(since - zero, until - zero) for since, until in town.nobody])
    print("deaths:", [(since - zero, until - zero) for since, until in town.deaths])
    number = next(
        note.message.incident for note in town.notes if one.alert.labels == note.message.common_labels
    )
    found = await reading.incident(town.watcher.store, number)
    for line in await reading.timeline(town.watcher.store, found[0], number) if found else ():
        print("   ", line["at"] - START - zero, line["kind"], line["text"], line["target"])


def plan_deaths(town: Town, random: Random, seconds: int) -> None:
    """Somebody falls every few seconds, and seldom everybody."""
    at = 0
    while (at := at + random.choice((3, 8, 9, 15)) * 1_000) < seconds * 1_000:
        if random.random() < 0.05:
            town.plan(at, lambda: town.all_die(random.randint(12, 40) * 1_000))
            at += 60_000
        else:
            town.plan(at, town.somebody_trips)


async def unfinished(town: Town) -> list[str]:
    """Incidents that are not resolved and deliveries that have more to tell, when all is over."""
    found = []
    for shard in range(town.shards):
        at = f"t:{{{shard}}}"
        found += [f"#{one} is open" for one in await town.watcher.redis.zrange(f"{at}:unresolved", 0, -1)]
        found += [f"delivery {one} is open" for one in await town.watcher.redis.smembers(f"{at}:open")]
    return found


async def test_policies_are_kept_while_nobody_dies(redis_server: str, tmp_path: Path) -> None:
    await tell(redis_server, tmp_path, 80, seconds=40, deaths=False)


async def test_policies_are_kept_while_processes_die(redis_server: str, tmp_path: Path) -> None:
    await tell(redis_server, tmp_path, 200, seconds=60)


@pytest.mark.long
async def test_thousands_of_incidents_while_processes_die(redis_server: str, tmp_path: Path) -> None:
    await tell(redis_server, tmp_path, STORIES, seconds=600)
