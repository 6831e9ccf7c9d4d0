"""What is said again is asked of the store by its digest; it means the same as if it were said whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world import HOUR, MINUTE, START

from gateway.intake import Receipt
from routing.alerts import Arrival, alert_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from world import World

NEWS, REPEAT = Receipt(2, 0, 0, 0), Receipt(0, 2, 0, 0)


def copies(summary: str = "full", status: Any = "firing", ended: int | None = None) -> list[Arrival]:
    """Two alerts of one group, as the same body brings them each time."""
    sets = [{"alertname": "DiskFull", "cluster": "eu", "instance": name} for name in ("a", "b")]
    told = {"summary": summary}
    return [
        Arrival(alert_key(labels), labels, told, status, START, ended, None, "http://p/") for labels in sets
    ]


@pytest.fixture
def sent(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many contents each call to the store carried."""
    counts: list[int] = []
    ingest = world.store.ingest

    async def counting(shard: int, gens: Any, units: Sequence[Any], room: int, asked: Any = ()) -> Any:
        counts.append(sum(len(unit.contents) for at, unit in enumerate(units) if at not in asked))
        return await ingest(shard, gens, units, room, asked)

    monkeypatch.setattr(world.store, "ingest", counting)
    return counts


async def test_what_has_changed_nothing_is_not_sent_whole_again(world: World, sent: list[int]) -> None:
    receipts = [await world.intake.take(copies()) for _ in range(4)]
    assert receipts == [NEWS, REPEAT, REPEAT, REPEAT]
    assert sent == [2, 2, 0, 0]


async def test_a_changed_annotation_is_sent_and_kept(world: World, sent: list[int]) -> None:
    for summary in ("full", "full", "fuller", "fuller"):
        await world.intake.take(copies(summary))
    assert sent == [2, 2, 2, 0]
    contents = [await world.redis.hvals(key) for key in await world.redis.keys("t:*:c:*")]
    assert all("fuller" in content for content in contents[0])


async def test_what_the_store_has_forgotten_is_sent_whole(world: World, sent: list[int]) -> None:
    for _ in range(3):
        await world.intake.take(copies())
    await world.pass_to(HOUR)  # longer than a repeat is believed without a look
    assert await world.intake.take(copies()) == REPEAT
    assert sent == [2, 2, 0, 0, 2]


async def test_what_another_process_has_changed_is_sent_whole(world: World, sent: list[int]) -> None:
    for _ in range(3):
        await world.intake.take(copies())
    other = type(world.intake)(
        world.store, world.plan, world.engine.accept, world.engine.room, world.engine.sources_moved
    )
    await world.pass_to(MINUTE)
    assert await other.take(copies(status="resolved", ended=START + MINUTE)) == NEWS
    await world.pass_to(2 * MINUTE)  # past the time in which a copy would be suspect
    assert await world.intake.take(copies()) == NEWS
    assert sent == [2, 2, 0, 2, 0, 2]
