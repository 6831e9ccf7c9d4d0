"""Decisions are recorded with their incident: in order, the newest two hundred, and forgotten with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import HOUR, MINUTE, World

from gateway.orders import to_write
from gateway.store import keys, reading
from gateway.store.decisions import KEPT, decisions, text
from routing.decisions import Decision, Line
from routing.events import Due, Noted
from routing.recorded import Recorded, decided

if TYPE_CHECKING:
    from routing.events import Event

pytestmark = pytest.mark.store


async def commit(world: World, said: str, event: Event | None = None) -> bool:
    """Something is decided about incident 1, and recorded; `said` is a line, "" where nothing follows."""
    found = await reading.incident(world.store, 1)
    assert found
    shard, incident = found
    group = await world.store.view(shard, incident.gid)
    lines = (Line("note", said),) if said else ()
    decision = Decision(incident, lines=lines, deadline=world.now + HOUR)
    why = text(Recorded(world.now, event or Due(), incident, group.counted, (), "plan", decided(decision)))
    written = to_write(group, decision, [], fresh=False) | {"why": why}
    return await world.store.commit(shard, incident.gid, written, {}) is not None


async def kept(world: World) -> list[str]:
    """What the records say, "-" for a look after which nothing followed."""
    shard = (await reading.incident(world.store, 1) or (0,))[0]
    found = await decisions(world.store, shard, 1)
    return [one.decided.lines[0].text if one.decided.lines else "-" for one in found.decisions]


async def one_incident(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    for shard in range(world.store.shards):
        await world.redis.delete(f"{keys.prefix(shard)}:w:1")


async def test_decisions_are_kept_in_their_order(world):
    await one_incident(world)
    for said in ("one", "two", "three"):
        assert await commit(world, said, Noted("dana", "HTTP", said))
    assert await kept(world) == ["one", "two", "three"]


async def test_of_looks_in_a_row_after_which_nothing_followed_the_newest_is_kept(world):
    await one_incident(world)
    for said in ("", "", "one", "", "", "", "two", ""):
        await commit(world, said)
    assert await kept(world) == ["-", "one", "-", "two", "-"]


async def test_the_oldest_go_when_there_are_too_many(world):
    await one_incident(world)
    for number in range(KEPT + 5):
        await commit(world, str(number))
    assert await kept(world) == [str(number) for number in range(5, KEPT + 5)]


async def test_what_was_decided_from_an_older_version_leaves_no_record(world):
    await one_incident(world)
    shard, incident = await reading.incident(world.store, 1)
    group = await world.store.view(shard, incident.gid)
    assert await commit(world, "one")
    written = to_write(group, Decision(incident), [], fresh=False) | {"why": '{"of": "the past"}'}
    assert await world.store.commit(shard, incident.gid, written, {}) is None
    assert await kept(world) == ["one"]


async def test_a_record_that_cannot_be_read_keeps_no_other_from_being_shown(world):
    await one_incident(world)
    await commit(world, "one")
    shard, _ = await reading.incident(world.store, 1)
    for broken in ("{", "7", '{"schema": 2}', "[]"):
        await world.redis.rpush(f"{keys.prefix(shard)}:w:1", broken)
    await commit(world, "two")
    found = await decisions(world.store, shard, 1)
    assert (await kept(world), found.unreadable) == (["one", "two"], 4)


async def test_they_are_forgotten_with_their_incident(world):
    await one_incident(world)
    await commit(world, "one")
    await world.take(world.ends("A"))
    await world.until(20 * MINUTE)
    await world.pass_to(20 * MINUTE + world.store.timing.retention)
    for shard in range(world.store.shards):
        await world.store.sweep(shard)
    assert await reading.incident(world.store, 1) is None
    assert await world.redis.keys("t:{*}:w:*") == []
