"""A request that names itself is answered once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from config.schema import Config
from gateway.plan import timing_of
from gateway.store import keys
from gateway.store.once import KEPT_MS, UNDER_WAY_MS, Once, OtherRequestError, UnderWayError
from gateway.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.store

CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


@pytest.fixture
async def store(redis_server: str) -> AsyncIterator[Store]:
    redis = Redis.from_url(redis_server, decode_responses=True)
    yield Store(redis, 1, timing_of(Config.model_validate(CONFIG)))
    await redis.aclose()


async def test_the_first_is_answered_and_the_same_again_is_given_the_same_answer(store):
    assert await Once(store, "dana", "k1", "ack 42").before() is None
    await Once(store, "dana", "k1", "ack 42").keep({"said": "yes"})
    assert await Once(store, "dana", "k1", "ack 42").before() == {"said": "yes"}


async def test_while_it_is_answered_the_same_has_to_wait(store):
    first = Once(store, "dana", "k1", "ack 42")
    assert await first.before() is None
    with pytest.raises(UnderWayError):
        await Once(store, "dana", "k1", "ack 42").before()
    await first.drop()
    assert await Once(store, "dana", "k1", "ack 42").before() is None


async def test_a_key_is_for_one_request_of_one_sender(store):
    await Once(store, "dana", "k1", "ack 42").before()
    with pytest.raises(OtherRequestError):
        await Once(store, "dana", "k1", "ack 43").before()
    assert await Once(store, "kim", "k1", "ack 43").before() is None


async def test_what_is_kept_is_forgotten_in_time(store):
    once = Once(store, "dana", "k1", "ack 42")
    name = keys.answered("") + "*"

    async def left() -> int:
        (key,) = await store.read("KEYS", name)
        return await store.read("PTTL", key)

    await once.before()
    assert UNDER_WAY_MS - 5_000 < await left() <= UNDER_WAY_MS
    await once.keep("yes")
    assert KEPT_MS - 5_000 < await left() <= KEPT_MS
