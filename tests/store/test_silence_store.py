"""Silences on a real server: written whole, by many at once, seen by all, forgotten in time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest
from redis.asyncio import Redis
from world import CLOCK_AND_GUARD, HOUR, MINUTE, START

from gateway.store import keys, silences
from gateway.store.arguments import Timing
from gateway.store.silences import SilenceStore, TooManySilencesError, UnknownSilenceError
from gateway.store.store import Store
from routing.matchers import parse_matchers
from routing.silence_changes import InvalidSilenceError, Wanted
from routing.silences import State, state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LABELS = {"alertname": "A", "cluster": "eu"}


class Shared:
    """One Redis with a clock that stands, and as many processes as are asked for."""

    def __init__(self, url: str) -> None:
        self.redis = Redis.from_url(url, decode_responses=True)
        self.store = Store(self.redis, 3, Timing(), CLOCK_AND_GUARD)

    async def at(self, after: int) -> int:
        await self.redis.set(f"{keys.prefix(0)}:clock", START + after)
        return START + after

    def process(self) -> SilenceStore:
        return SilenceStore(self.store)


@pytest.fixture
async def shared(redis_server: str) -> AsyncIterator[Shared]:
    made = Shared(redis_server)
    await made.at(0)
    yield made
    await made.redis.aclose()


def wanted(matchers='alertname="A"', lasts=HOUR, **more):
    return Wanted(parse_matchers(matchers), START + lasts, "dana", "we know", **more)


async def test_what_one_process_writes_another_finds(shared):
    ours, theirs = shared.process(), shared.process()
    assert (await theirs.load())[1].all == ()
    made = (await ours.put(wanted())).silence
    version, found = await theirs.load()
    assert version == await ours.version() > 0
    assert found.matching(LABELS, START) == (made,)
    assert made.starts_at == made.updated_at == START


async def test_what_has_not_changed_is_not_loaded_again(shared):
    ours = shared.process()
    await ours.put(wanted())
    first = await ours.load()
    assert (await ours.load())[1] is first[1]
    await ours.put(wanted('cluster="eu"'))
    version, found = await ours.load()
    assert version > first[0]
    assert len(found.all) == 2
    assert found.all[0] is first[1].all[0] or found.all[1] is first[1].all[0]


async def test_a_change_that_cannot_keep_its_id_ends_the_old_one_in_the_same_step(shared):
    ours = shared.process()
    old = (await ours.put(wanted())).silence
    now = await shared.at(MINUTE)
    change = await ours.put(wanted('cluster="eu"', id=old.id))
    _, found = await ours.load()
    assert found.matching(LABELS, now) == (change.silence,)
    assert found.find(old.id) == change.ended
    assert state(found.find(old.id), now) is State.EXPIRED


async def test_a_change_that_keeps_its_id_leaves_one(shared):
    ours = shared.process()
    old = (await ours.put(wanted())).silence
    await shared.at(MINUTE)
    longer = (await ours.put(wanted(lasts=2 * HOUR, id=old.id))).silence
    assert longer == replace(old, ends_at=START + 2 * HOUR, updated_at=START + MINUTE)
    assert (await ours.load())[1].all == (longer,)


async def test_ending_ends_now_and_once(shared):
    ours = shared.process()
    made = (await ours.put(wanted())).silence
    now = await shared.at(MINUTE)
    ended = await ours.expire(made.id)
    assert ended.ends_at == now
    version = await ours.version()
    await shared.at(2 * MINUTE)
    assert await ours.expire(made.id) == ended
    assert await ours.version() == version
    (kept,) = (await ours.load())[1].all
    assert state(kept, now) is State.EXPIRED


async def test_an_id_that_nobody_has_is_said_so(shared):
    ours = shared.process()
    for attempt in (ours.expire("nobody"), ours.expire(""), ours.put(wanted(id="nobody"))):
        with pytest.raises(UnknownSilenceError):
            await attempt
    with pytest.raises(InvalidSilenceError):
        await ours.put(wanted(lasts=-1))
    assert await ours.version() == 0


async def test_of_many_changes_at_once_none_is_lost(shared):
    processes = [shared.process() for _ in range(4)]
    made = (await processes[0].put(wanted())).silence
    await shared.at(MINUTE)
    changes = await asyncio.gather(
        *(
            one.put(wanted(f'alertname="A",n="{n}"', id=made.id))
            for n, one in enumerate(processes)
        )
    )  # fmt: skip
    _, found = await processes[0].load()
    assert sum(change.ended is not None for change in changes) == 1  # the others find it ended
    assert len(found.all) == 5
    assert {change.silence.id for change in changes} == {one.id for one in found.all} - {made.id}


async def test_a_record_that_has_changed_meanwhile_is_not_written_over(shared):
    made = (await shared.process().put(wanted())).silence
    before = await shared.redis.hget(keys.SILENCES, made.id)
    other = ("other", "", "{}", START)
    both = [other, (made.id, before + " ", "{}", 1)]
    assert (await shared.store.keep("silences", START, 0, 10, both))[0] == "changed"
    assert await shared.redis.hgetall(keys.SILENCES) == {made.id: before}
    assert (await shared.store.keep("silences", START, 0, 10, [(made.id, "", "{}", 1)]))[0] == "changed"


async def test_ended_ones_are_kept_for_the_retention_and_then_removed(shared):
    ours = shared.process()
    ended = (await ours.put(wanted())).silence
    retention = Timing().silence_retention
    await shared.at(HOUR + retention)
    await ours.forget()
    assert (await ours.load())[1].find(ended.id)
    await shared.at(HOUR + retention + 1)
    await ours.forget()
    assert (await ours.load())[1].all == ()
    assert await shared.redis.zcard(f"{keys.SILENCES}:ends") == 0
    version = await ours.version()
    await ours.forget()
    assert await ours.version() == version


async def test_where_there_is_no_room_the_oldest_ended_ones_go_and_what_lasts_stays(shared, monkeypatch):
    monkeypatch.setattr(silences, "MAX_SILENCES", 3)
    ours = shared.process()
    first, _, third = [(await ours.put(wanted(lasts=MINUTE * n))).silence for n in (2, 1, 60)]
    await shared.at(3 * MINUTE)
    fourth = (await ours.put(wanted())).silence
    assert {one.id for one in (await ours.load())[1].all} == {first.id, third.id, fourth.id}
    fifth = (await ours.put(wanted())).silence
    with pytest.raises(TooManySilencesError, match="3 silences"):
        await ours.put(wanted())
    assert {one.id for one in (await ours.load())[1].all} == {third.id, fourth.id, fifth.id}


async def test_a_record_that_cannot_be_read_takes_nothing_else_along(shared):
    ours = shared.process()
    made = (await ours.put(wanted())).silence
    await shared.redis.hset(keys.SILENCES, mapping={"broken": "{", "old": orjson.dumps({"id": "x"}).decode()})
    await shared.redis.incr(keys.SILENCES_VERSION)
    assert (await ours.load())[1].all == (made,)
    with pytest.raises(UnknownSilenceError):
        await ours.expire("broken")


async def test_a_store_that_lost_everything_does_not_come_to_a_known_version_again(shared):
    ours = shared.process()
    await ours.put(wanted())
    await ours.load()
    await shared.redis.flushall()
    await shared.at(1)
    assert (await ours.load())[1].all == ()
    remade = (await shared.process().put(wanted())).silence
    assert (await ours.load())[1].all == (remade,)
