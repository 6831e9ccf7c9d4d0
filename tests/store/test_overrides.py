"""Overrides on a real server: kept whole, cut short, seen by all, forgotten in time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest
from redis.asyncio import Redis
from world import CLOCK_AND_GUARD, HOUR, START

from gateway.store import keys, overrides
from gateway.store.arguments import Timing
from gateway.store.overrides import OverrideStore, TooManyOverridesError, UnknownOverrideError
from gateway.store.store import Store
from routing.oncall import Override

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WANTED = Override("", "s", START, START + HOUR, ("dana", "eli"), "fay", "gus", "we swap: ä")
RECORDS = "t:{s}:overrides"


class Shared:
    """One Redis with a clock that stands, and as many processes as are asked for."""

    def __init__(self, url: str) -> None:
        self.redis = Redis.from_url(url, decode_responses=True)
        self.store = Store(self.redis, 3, Timing(retention=24 * HOUR), CLOCK_AND_GUARD)

    async def at(self, after: int) -> None:
        await self.redis.set(f"{keys.prefix(0)}:clock", START + after)

    def process(self) -> OverrideStore:
        return OverrideStore(self.store)


@pytest.fixture
async def shared(redis_server: str) -> AsyncIterator[Shared]:
    made = Shared(redis_server)
    await made.at(0)
    yield made
    await made.redis.aclose()


async def test_what_one_process_writes_another_reads_whole(shared):
    made = await shared.process().add(WANTED)
    assert replace(made.override, id="") == WANTED
    assert await shared.process().load() == (made,)
    assert await shared.process().version() > 0


async def test_they_come_in_the_order_in_which_they_were_made(shared):
    made = []
    for after in (2, 0, 1):
        await shared.at(after)
        made.append(await shared.process().add(WANTED))
    assert await shared.process().load() == (made[1], made[2], made[0])


@pytest.mark.parametrize(
    ("removed_at", "end"),
    [(-HOUR, START), (0, START), (HOUR // 2, START + HOUR // 2), (2 * HOUR, START + HOUR)],
)
async def test_one_that_is_removed_ends_then_or_never_comes(shared, removed_at, end):
    await shared.at(-HOUR)
    made = (await shared.process().add(WANTED)).override
    await shared.at(removed_at)
    cut = (await shared.process().remove(made.id)).override
    assert cut == replace(made, end=end)
    assert [one.override for one in await shared.process().load()] == [cut]


async def test_removing_raises_the_version_once(shared):
    made = (await shared.process().add(WANTED)).override
    await shared.at(HOUR // 2)
    await shared.process().remove(made.id)
    version = await shared.process().version()
    await shared.process().remove(made.id)
    assert await shared.process().version() == version
    with pytest.raises(UnknownOverrideError):
        await shared.process().remove("x")


async def test_many_at_once_lose_nothing(shared):
    made = (await shared.process().add(WANTED)).override
    await shared.at(HOUR // 2)
    await asyncio.gather(
        *(shared.process().add(WANTED) for _ in range(20)),
        *(shared.process().remove(made.id) for _ in range(5)),
    )
    found = {one.override.id: one.override for one in await shared.process().load()}
    assert len(found) == 21
    assert found[made.id].end == START + HOUR // 2


async def test_a_record_that_cannot_be_read_hides_no_other(shared):
    made = await shared.process().add(WANTED)
    broken = {"a": "{", "b": "[]", "c": orjson.dumps({"id": "c", "made_at": 1}).decode(), "d": "null"}
    await shared.redis.hset(RECORDS, mapping=broken)
    assert await shared.process().load() == (made,)
    with pytest.raises(UnknownOverrideError):
        await shared.process().remove("a")


async def test_what_ended_is_forgotten_after_the_retention(shared):
    await shared.process().add(WANTED)
    await shared.at(26 * HOUR)
    later = await shared.process().add(replace(WANTED, end=START + 30 * HOUR))
    assert await shared.process().load() == (later,)


async def test_there_is_an_end_to_how_many_there_are(shared, monkeypatch):
    monkeypatch.setattr(overrides, "MOST", 2)
    ended = await shared.process().add(WANTED)
    await shared.process().add(replace(WANTED, end=START + 9 * HOUR))
    with pytest.raises(TooManyOverridesError):
        await shared.process().add(WANTED)
    await shared.at(2 * HOUR)
    await shared.process().add(replace(WANTED, end=START + 9 * HOUR))  # what has ended makes room
    assert ended not in await shared.process().load()
