"""A minute of chance: alerts come and go while Alertmanagers die, answers are late and posts are held up.

Whatever the order of things, each page belongs to a group that really began to fire, every beginning has one
end, and in the end nothing is open. The seed of a run is in its name.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from alertmanagers import Rules
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from alertmanagers import Wire
    from audience import Audience
    from programs import Program, RedisServer, Tocsin
    from stage import Stage

SECONDS = 60
CLUSTERS = {"A": "eu1", "B": "eu1", "C": "us1", "D": "us1"}


class Chance:
    """What happens next, from a seed; and how often each group has begun to fire."""

    def __init__(self, seed: int, stage: Stage, rules: Rules) -> None:
        self.began: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._stage = stage
        self._rules = rules
        self._firing: set[str] = set()

    async def play(self) -> None:
        """For `SECONDS` something happens, then everything is over and whole."""
        helpers = [asyncio.create_task(self._late(wire)) for wire in self._stage.wires]
        helpers.append(asyncio.create_task(self._deaths()))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self._change(self._random.choice("ABCD"))
            await asyncio.sleep(self._random.uniform(0.2, 3))
        await asyncio.gather(*helpers)
        for name in sorted(self._firing):
            self._change(name)

    def _change(self, name: str) -> None:
        if name in self._firing:
            self._firing.discard(name)
            self._rules.end(name)
            return
        if not any(CLUSTERS[other] == CLUSTERS[name] for other in self._firing):
            self.began[CLUSTERS[name]] += 1
        self._firing.add(name)
        self._rules.fire(name, cluster=CLUSTERS[name])

    async def _late(self, wire: Wire) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            gate = self._random.choice(["answers", "a", "b"])
            wire.close(gate)
            await asyncio.sleep(self._random.uniform(0.5, 6))
            wire.open(gate)
            await asyncio.sleep(self._random.uniform(0.5, 6))

    async def _deaths(self) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            await asyncio.sleep(self._random.uniform(5, 12))
            victim: Program = self._random.choice([self._stage.pair.a, self._stage.pair.b])
            await victim.kill()
            await asyncio.sleep(self._random.uniform(0, 4))
            await victim.start()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_each_beginning_is_told_once_and_has_its_end(
    seed: int,
    make_stage: Callable[..., Awaitable[Stage]],
    redis: RedisServer,
    start: Callable[..., Awaitable[None]],
) -> None:
    await start(redis)
    stage = await make_stage(embedded=(), redis=("--redis", redis.url, "--workers", "2"))
    async with Rules([stage.pair.a.url, stage.pair.b.url]) as rules:
        chance = Chance(seed, stage, rules)
        await chance.play()
        for tocsin in stage.tocsins.values():
            await until(lambda t=tocsin: nothing_open(t), "everything to be over", tocsin.tail, within=60)
        await asyncio.sleep(3)
    for name, audience in stage.audiences.items():
        judge(audience, sum(chance.began.values()), await stage.tocsins[name].api("/incidents?status=all"))


async def nothing_open(tocsin: Tocsin) -> bool:
    return not (await tocsin.api("/incidents?status=open"))["incidents"]


def judge(audience: Audience, began: int, incidents: dict[str, list[dict[str, int]]]) -> None:
    numbers = sorted(f"#{incident['number']}" for incident in incidents["incidents"])
    assert len(numbers) <= began, incidents
    on_the_phone(audience.on_phone(), numbers)
    machine = audience.at_machine()
    for number in numbers:
        kinds = [kind for kind, of, _, _ in machine if of == number]
        assert (kinds[0], kinds[-1], kinds.count("end")) == ("ring", "end", 1), machine
        mails = [status for status, of in audience.in_mailbox() if of == number]
        assert (mails[0], mails[-1], mails.count("resolved")) == ("firing", "resolved", 1), (
            audience.in_mailbox()
        )
    assert [what for what, _ in audience.in_channel()].count("post") == len(numbers), audience.in_channel()


def on_the_phone(heard: list[tuple[str, str]], numbers: list[str]) -> None:
    """Each incident rang and ended there; or took over what the one before it had not finished there."""
    rang = [number for what, number in heard if what == "ring"]
    ended = [number for what, number in heard if what == "resolve"]
    taken_over = {number for what, number in heard if what == "update"} - set(rang)
    assert sorted([*rang, *taken_over]) == numbers, heard
    assert len(rang) == len(set(rang)), heard
    assert len(ended) == len(set(ended)) == len(rang), heard
