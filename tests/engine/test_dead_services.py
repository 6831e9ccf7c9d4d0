"""Many services that do not answer: whoever does answer is told all the same, and the worst first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from world import MINUTE, SECOND, World

from receivers.base import Message, Outcome, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    MakeWorld = Callable[..., Awaitable[World]]

DEAD = 100
CONFIG = (
    "route:\n  receiver: pager\n  group_by: [cluster]\n  group_wait: 0s\n  routes:\n"
    + "".join(f"    - {{matchers: ['team={n}'], receiver: hook {n}}}\n" for n in range(DEAD))
    + "    - {matchers: ['team=well'], receiver: well}\n"
    + "receivers:\n"
    + "  - name: pager\n    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]\n"
    + "  - name: well\n    webhook_configs: [{url: 'http://well.test/'}]\n"
    + "".join(
        f"  - name: hook {n}\n    webhook_configs: [{{url: 'http://h{n}.test/'}}]\n" for n in range(DEAD)
    )
)


class Hanging:
    """Services that take everything at once, but for the hooks: those do not answer until they are let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.hangs, self.told = 0, list[str]()

    async def send(self, _config: Any, message: Message, _memory: Mapping[str, Any]) -> Outcome:
        if message.receiver.startswith("hook"):
            self.hangs += 1
            await self.let.wait()
        else:
            self.told.append(message.receiver)
        return Sent()

    async def close(self) -> None:
        pass


@pytest.fixture
def services() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.let.set()


def hang(world: World, services: Hanging) -> None:
    for kind in ("pagerduty", "webhook"):
        world.sender._receivers[kind] = services


async def work(world: World, rounds: int = 20) -> None:
    """Claims as the engine does, without waiting for what hangs."""
    for _ in range(rounds):
        await world.engine.claim(0)
        await asyncio.sleep(0.005)


async def all_dead(world: World, each: int = 1, teams: int = DEAD) -> None:
    for number in range(each):
        fired = (world.fires("A", cluster=str(number), team=str(n), severity="info") for n in range(teams))
        await world.intake.take([*fired])


async def test_services_that_hang_fill_the_room_of_their_kind_only(
    make_world: MakeWorld, services: Hanging
) -> None:
    world = await make_world(CONFIG, shards=1)
    hang(world, services)
    await all_dead(world)
    await work(world)
    assert services.hangs == 64
    await world.intake.take([world.fires("A", severity="critical")])
    await work(world)
    assert services.told == ["pager"]


async def failed(make_world: MakeWorld, each: int = 1, teams: int = DEAD) -> World:
    """Every hook's last attempt has failed, and all would be tried again."""
    world = await make_world(CONFIG, shards=1)
    world.recorder.answer = lambda _: Retry("no answer", after=MINUTE)
    await all_dead(world, each, teams)
    await world.until(SECOND)
    await world.pass_to(3 * MINUTE)
    return world


async def test_targets_that_failed_leave_room_to_others_of_their_kind(
    make_world: MakeWorld, services: Hanging
) -> None:
    world = await failed(make_world)
    hang(world, services)
    await work(world)
    assert services.hangs == 32
    await world.intake.take([world.fires("A", team="well")])
    await work(world)
    assert services.told == ["well"]


async def test_nobody_asks_all_the_time_for_targets_that_failed_and_have_to_wait(
    make_world: MakeWorld, services: Hanging
) -> None:
    world = await failed(make_world)
    hang(world, services)
    await work(world)
    assert (await world.engine.claim(0)).wait == 250


async def test_a_target_that_failed_is_tried_one_delivery_at_a_time(
    make_world: MakeWorld, services: Hanging
) -> None:
    world = await failed(make_world, each=8, teams=1)
    hang(world, services)
    await work(world)
    assert services.hangs == 1


async def test_a_target_that_answers_again_has_all_its_slots(
    make_world: MakeWorld, services: Hanging
) -> None:
    world = await failed(make_world, each=20, teams=1)
    world.recorder.answer = lambda _: Sent()
    await world.until(3 * MINUTE)
    assert len(world.notes) == 20
    hang(world, services)
    await world.intake.take([world.fires("A", cluster=f"{n} more", team="0") for n in range(20)])
    await work(world)
    assert services.hangs == 8


@pytest.mark.parametrize("room", [1, 7])
async def test_where_room_is_short_the_worst_goes_first_among_targets_too(
    make_world: MakeWorld, room: int
) -> None:
    world = await make_world(CONFIG, shards=1)
    world.sender._closing = True  # it has no room: all of them wait
    words = ("info", "low", "critical", "medium", "high")
    for n in range(25):
        await world.intake.take([world.fires("A", team=str(n), severity=words[n % 5])])
    await world.engine.settle()
    order: list[str] = []
    while claimed := [d for claim in await world.claims(sends=room) for d in claim.deliveries]:
        ranks = [await world.redis.hget(f"t:{{0}}:d:{delivery.id}", "rank") for delivery in claimed]
        order += ranks
    assert order == [rank for rank in "01234" for _ in range(5)]
