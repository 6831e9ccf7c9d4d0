"""A record that cannot be read is set aside, and holds up nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, SECOND, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOOK = """
route: {receiver: hook, group_by: [cluster]}
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world(HOOK, shards=1)


async def spoil(world: World, field: str, value: str, cluster: str = "spoilt") -> None:
    for gid in await world.redis.smembers("t:{0}:groups"):
        meta = json.loads(await world.redis.hget(f"t:{{0}}:g:{gid}", "meta"))
        if meta["labels"] == {"cluster": cluster}:
            await world.redis.hset(f"t:{{0}}:g:{gid}", field, value)


def told(world: World) -> list[str]:
    return [note.message.group_labels["cluster"] for note in world.notes]


SPOILT = {
    "what the plan said, by a newer version": (
        "meta",
        '{"route": "{}", "receiver": "hook", "policy": "page"}',
    ),
    "what the plan said, cut off": ("meta", '{"route": "{}", "rece'),
    "an incident of another schema": ("doc", '{"schema": 99}'),
    "an incident, cut off": ("doc", '{"schema": 1, "num'),
    "an incident with a field too many": ("doc", '{"schema": 1, "status": "triggered", "mood": "bad"}'),
}


@pytest.mark.parametrize(("field", "value"), SPOILT.values(), ids=list(SPOILT))
async def test_others_are_told_of_all_the_same(world: World, field: str, value: str) -> None:
    await world.intake.take([world.fires("A", cluster="spoilt"), world.fires("A", cluster="well")])
    await spoil(world, field, value)
    await world.until(5 * MINUTE)
    assert told(world) == ["well"]
    assert 9 * MINUTE in (await world.due()).values()  # 30 s, and 2 s, 4 s, ... 256 s


async def test_it_is_tried_again_less_and_less_often_and_told_of_when_it_can_be_read(world: World) -> None:
    await world.intake.take([world.fires("A", cluster="spoilt")])
    await spoil(world, "doc", '{"schema": 99}')
    tries: list[int] = []
    while (upcoming := await world.settle()) < world.began + HOUR:
        tries.append((upcoming - world.began) // SECOND)
        await world.pass_to(upcoming - world.began)
    assert tries[:6] == [30, 32, 36, 44, 60, 92]
    assert 10 < len(tries) < 20
    (gid,) = await world.redis.smembers("t:{0}:groups")
    await world.redis.hdel(f"t:{{0}}:g:{gid}", "doc")
    await world.until(HOUR + 10 * MINUTE)
    assert told(world) == ["spoilt"]


async def test_the_engine_itself_goes_on(world: World) -> None:
    await world.intake.take([world.fires("A", cluster="spoilt"), world.fires("A", cluster="well")])
    await spoil(world, "meta", "null")
    await world.pass_to(31 * SECOND)
    engine = asyncio.create_task(world.engine.run())
    async with asyncio.timeout(5):
        while not world.notes:
            await asyncio.sleep(0.01)
    assert not engine.done()
    engine.cancel()


async def test_a_delivery_whose_incident_cannot_be_read_is_tried_again_after_a_minute(world: World) -> None:
    await world.intake.take([world.fires("A", cluster="spoilt"), world.fires("A", cluster="well")])
    await world.pass_to(30 * SECOND)
    world.sender._closing = True
    await world.engine.claim(0)
    await world.engine.settle()
    world.sender._closing = False
    docs = {number: await world.redis.get(f"t:{{0}}:i:{number}") for number in (1, 2)}
    spoilt = next(n for n, doc in docs.items() if json.loads(doc)["labels"] == {"cluster": "spoilt"})
    await world.redis.set(f"t:{{0}}:i:{spoilt}", '{"schema": 99}')
    await world.until(MINUTE)
    assert told(world) == ["well"]
    await world.redis.set(f"t:{{0}}:i:{spoilt}", docs[spoilt])
    await world.until(2 * MINUTE)
    assert [(note.at, note.message.group_labels["cluster"]) for note in world.notes[1:]] == [
        (90 * SECOND, "spoilt")
    ]
