"""Who works by a configuration that is no longer in force is turned away until it has caught up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError
from world import CLOCK_AND_GUARD, MINUTE, ROOM, SECOND, World

from config.load import ConfigError, load
from gateway.plan import PlanInForce
from gateway.store.unavailable import PlanChangedError

if TYPE_CHECKING:
    from pathlib import Path

OTHER = """
route:
  receiver: other
receivers:
  - name: other
    webhook_configs: [{url: "http://other.test/"}]
"""


async def second_process(world: World, folder: Path, config: str) -> World:
    """Another process on the same store, with a file of its own, which is in force from then on."""
    folder.mkdir(exist_ok=True)
    path = folder / "tocsin.yaml"
    path.write_text(config)
    other = World(world.redis, path, world.store.shards)
    other.now = world.now
    await other.plan.start()
    return other


async def test_who_holds_an_older_plan_neither_claims_nor_takes_in(world: World, tmp_path: Path) -> None:
    old = world.plan.current
    await second_process(world, tmp_path / "b", OTHER)
    with pytest.raises(PlanChangedError):
        await world.store.claim(0, old.generation, 9, ROOM)
    with pytest.raises(PlanChangedError):
        await world.store.ingest(0, old.generation, [], 9)


async def test_an_alert_is_not_taken_until_the_file_here_is_the_one_in_force(
    world: World, tmp_path: Path
) -> None:
    await second_process(world, tmp_path / "b", OTHER)
    with pytest.raises(PlanChangedError):
        await world.intake.take([world.fires("A")])
    world.path.write_text(OTHER)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    assert [note.receiver for note in world.notes] == ["other"]


async def test_a_plan_that_is_loaded_again_unchanged_stays_in_force(world: World, tmp_path: Path) -> None:
    before = world.plan.current.generation
    other = await second_process(world, tmp_path / "b", world.path.read_text())
    assert other.plan.current.generation == before
    await world.take(world.fires("A"))


async def test_going_back_to_an_older_file_is_a_new_generation(world: World, tmp_path: Path) -> None:
    first = world.plan.current.generation.split()
    await second_process(world, tmp_path / "b", OTHER)
    await world.plan.start()
    now = world.plan.current.generation.split()
    assert (int(now[0]), now[1]) == (int(first[0]) + 2, first[1])
    await world.take(world.fires("A"))


async def test_a_bad_file_changes_nothing_for_anybody(world: World) -> None:
    before = world.plan.current
    world.path.write_text("route: {receiver: nobody}\nreceivers: []\n")
    with pytest.raises(ConfigError):
        await world.plan.reload()
    assert world.plan.current is before
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    assert world.story() == [(30.0, "ring", "A", "")]


async def test_scripts_that_redis_has_forgotten_are_loaded_again(world: World) -> None:
    await world.take(world.fires("A"))
    await world.redis.script_flush()
    await world.until(30 * SECOND)
    await world.redis.script_flush()
    await world.take(world.ends("A"))
    await world.redis.script_flush()
    for shard in range(world.store.shards):
        await world.store.sweep(shard)
    await world.until(6 * MINUTE)
    assert [kind for _, kind, *_ in world.story()] == ["ring", "end"]


async def test_the_guard_of_these_tests_refuses_a_script_that_reaches_into_another_shard(
    world: World,
) -> None:
    text = CLOCK_AND_GUARD + "return redis.call('ZCARD', ARGV[1])"
    assert await world.redis.eval(text, 1, "t:{0}", "t:{0}:due") == 0
    with pytest.raises(ResponseError, match=r"reaches for t:.1.:due"):
        await world.redis.eval(text, 1, "t:{0}", "t:{1}:due")


async def test_a_start_puts_in_force_what_the_file_says_then_and_not_when_it_was_first_read(
    world: World,
) -> None:
    late = PlanInForce(world.path, load(world.path, {}), world.store)
    world.path.write_text(world.path.read_text().replace("cluster", "team"))
    await world.plan.reload()
    newer = world.plan.current.generation
    await late.start()
    assert late.current.generation == newer
