"""What puts a configuration in force may be broken off, or lost with the store: it comes right by itself."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from world import MINUTE, ROOM, World

from gateway.store import keys
from gateway.store.unavailable import PlanChangedError, StoreUnavailableError

if TYPE_CHECKING:
    from pathlib import Path


def hook(host: str) -> str:
    receiver = f"  - name: hook\n    webhook_configs: [{{url: 'http://{host}.test/'}}]\n"
    return f"route: {{receiver: hook, group_by: [cluster]}}\nreceivers:\n{receiver}"


async def process(world: World, folder: Path, text: str) -> World:
    """Another process on the same store, with a file of its own; nothing of it is in force yet."""
    folder.mkdir(exist_ok=True)
    path = folder / "tocsin.yaml"
    path.write_text(text)
    other = World(world.redis, path, world.store.shards)
    other.now = world.now
    return other


async def in_force(world: World) -> set[tuple[str, str]]:
    """(generation, digest) of every shard."""
    shards = range(world.store.shards)
    found = [await world.redis.hmget(f"{keys.prefix(shard)}:plan", "gen", "digest") for shard in shards]
    return {(generation, digest) for generation, digest in found}


async def works(world: World) -> None:
    """It takes alerts for every shard and tells of them, after it has caught up if it must."""
    before, clusters = len(world.notes), [f"{world.now} {n}" for n in range(12)]
    try:
        await world.settle()
    except PlanChangedError:
        await world.plan.catch_up()
    await world.take(*(world.fires("A", cluster=cluster) for cluster in clusters))
    await world.until(world.now - world.began + MINUTE)
    assert sorted(n.message.group_labels["cluster"] for n in world.notes[before:]) == sorted(clusters)


async def empty(world: World) -> None:
    await world.redis.flushall()
    await world._set_clock()


async def test_a_store_that_was_emptied_is_used_again_at_once(world: World) -> None:
    await empty(world)
    await works(world)
    assert await in_force(world) == {("1", world.plan.current.plan.digest)}


@pytest.mark.parametrize("text", [hook("not-reloaded-yet"), "route: {receiver: nobody}\n"])
async def test_it_is_used_again_with_what_was_in_force_though_the_file_is_another_by_now(
    world: World, text: str
) -> None:
    text_before, before = world.path.read_text(), world.plan.current.plan.digest
    for loaded in (hook("for-a-while"), text_before):
        world.path.write_text(loaded)
        await world.plan.reload()
    world.path.write_text(text)
    await empty(world)
    await works(world)
    assert world.plan.current.plan.digest == before


async def test_one_shard_that_was_emptied_is_given_what_is_in_force_in_the_others(world: World) -> None:
    await world.redis.delete(f"{keys.prefix(1)}:plan")
    await works(world)
    assert len(await in_force(world)) == 1


async def broken_off(world: World, at: int) -> None:
    """A reload of a changed file that does not reach the shards from `at` on."""
    world.path.write_text(hook("new"))
    real = world.store._run

    async def away(name: str, shard: int, *arguments: Any) -> Any:
        if name == "plan" and arguments[1] and shard >= at:
            raise StoreUnavailableError("no answer")
        return await real(name, shard, *arguments)

    world.store._run = away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        await world.plan.reload()
    world.store._run = real  # type: ignore[method-assign]


@pytest.mark.parametrize("reached", [0, 1, 2])
async def test_a_reload_that_reached_only_some_shards_is_completed(
    world: World, tmp_path: Path, reached: int
) -> None:
    other = await process(world, tmp_path / "b", world.path.read_text())
    await other.plan.start()
    await broken_off(world, reached)
    other.path.write_text(hook("new"))
    await works(other)
    world.now = other.now
    await works(world)
    digests = {digest for _, digest in await in_force(world)}
    assert digests == {world.plan.current.plan.digest} == {other.plan.current.plan.digest}
    assert ("new" in str(world.notes[-1].config.url.get_secret_value())) == (reached > 0)


async def test_who_still_holds_the_older_file_is_told_so_and_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    other = await process(world, tmp_path / "b", hook("new"))
    await other.plan.start()
    before = await in_force(world)
    assert await world.store.adopt_plan(world.plan.current.plan.digest, loaded=False) is None
    with pytest.raises(PlanChangedError):
        await world.plan.catch_up()
    assert await in_force(world) == before
    await works(other)


@pytest.mark.parametrize("order", sorted({"".join(order) for order in permutations("aaabbb")}))
async def test_of_two_files_that_are_loaded_at_once_one_is_in_force(
    world: World, tmp_path: Path, order: str
) -> None:
    pair = [await process(world, tmp_path / name, hook(name)) for name in "ab"]
    turns = list(order)
    for name, each in zip("ab", pair, strict=True):
        in_turn(each, name, turns)
    await asyncio.gather(*map(start, pair))
    ((_, digest),) = await in_force(world)
    assert any([await agrees(each, digest) for each in pair])
    for each in pair:
        each.path.write_text(hook("a" if digest == pair[0].plan._plan.digest else "b"))
        each.now = max(one.now for one in pair)
        await works(each)


def in_turn(world: World, name: str, turns: list[str]) -> None:
    """It asks what is in force at once, but puts its own in force in a shard only when it is its turn."""
    real = world.store._run

    async def run(script: str, shard: int, *arguments: Any) -> Any:
        if script == "plan" and arguments[1] and turns:
            while turns[0] != name:
                await asyncio.sleep(0.001)
            answer = await real(script, shard, *arguments)
            del turns[0]
            return answer
        return await real(script, shard, *arguments)

    world.store._run = run  # type: ignore[method-assign]


async def agrees(world: World, digest: str) -> bool:
    """Whether it works by what is in force; if it does not, it is turned away."""
    if world.plan.placing is None:
        return False
    if world.plan.placing.plan.digest == digest:
        return True
    with pytest.raises(PlanChangedError):
        await world.store.claim(0, world.plan.placing.generation, 9, ROOM)
    return False


async def start(world: World) -> None:
    try:
        await world.plan.start()
    except PlanChangedError:
        assert world.plan.placing is None
