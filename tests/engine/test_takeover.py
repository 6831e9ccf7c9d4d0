"""The next incident of a group takes over what the last one left unfinished, and starts afresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from world import HOUR, MINUTE, SECOND, START, World

from gateway.store import reading
from receivers.base import Message, Outcome, Refused, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "fedcba9876543210fedcba9876543210"


def pager(*keys: str) -> str:
    configs = "".join(f"      - {{routing_key: {key}}}\n" for key in keys)
    return (
        "route: {receiver: pager, group_by: [cluster]}\n"
        f"receivers:\n  - name: pager\n    pagerduty_configs:\n{configs}"
    )


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """One shard. The first incident was told of; its end waits, since the service is down."""
    world = await make_world(pager(KEY), shards=1)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    world.recorder.answer = lambda _: Retry("no answer")
    await world.take(world.ends("A"))
    await world.until(6 * MINUTE)
    return world


def told(world: World) -> list[tuple[float, str, int, str]]:
    return [(n.at / 1000, n.kind, n.message.incident, n.message.delivery.split("-")[0]) for n in world.notes]


async def states(world: World) -> dict[str, str]:
    return {d["id"]: d["state"] for d in await reading.deliveries(world.store, "all", 9)}


async def fields(world: World, *names: str) -> list[int]:
    return [int(value) for value in await world.redis.hmget("t:{0}:d:1.0", *names)]


async def test_the_next_incident_has_a_delivery_of_its_own_if_the_last_one_died_meanwhile(
    world: World,
) -> None:
    await world.take(world.fires("A"))
    claims = await decided_at(world, 390 * SECOND)
    world.recorder.answer = lambda _: Refused("HTTP 400")
    await world.pass_to(390 * SECOND + 1)
    await attempt(world, "1.0")
    world.recorder.answer = lambda _: Sent()
    for claim in claims:
        world.engine.accept(claim.groups)
    await world.until(HOUR)
    assert told(world)[1:] == [(390.001, "ring", 2, "2.0")]
    assert await states(world) == {"1.0": "dead", "2.0": "open"}


async def decided_at(world: World, at: int) -> list[Any]:
    """The group is claimed, but what is decided about it is not written yet."""
    await world.until(at - 1)
    await world.pass_to(at)
    claims = await world.claims(sends=0)
    assert [len(claim.groups) for claim in claims] == [1]
    return claims


async def attempt(world: World, delivery: str) -> None:
    """Its next attempt, as if its time had come."""
    await world.redis.hset(f"t:{{0}}:d:{delivery}", "next_at", 0)
    await world.redis.zadd("t:{0}:due", {f"d:{delivery}": world.now})
    (claim,) = await world.claims()
    world.sender.accept(claim.deliveries)
    await world.sender.settle()
    assert claim.deliveries


async def test_what_is_taken_over_is_tried_at_once_and_for_24_hours_more(world: World) -> None:
    await world.until(23 * HOUR)
    tries, since, waits_until = await fields(world, "tries", "failing_since", "next_at")
    assert tries > 200
    opened = waits_until - START - 250 * SECOND  # its pause is longer than the wait of the group
    await world.until(opened)
    await world.take(world.fires("A"))
    world.recorder.answer = lambda _: Sent()
    await world.until(opened + 31 * SECOND)
    assert told(world)[-1] == ((opened + 30 * SECOND) / 1000, "ring", 2, "1.0")
    assert (await fields(world, "tries", "failing_since"), since < START + HOUR) == ([0, 0], True)


async def test_a_page_is_not_given_up_for_the_hours_in_which_the_last_end_was_not_told(world: World) -> None:
    await world.until(24 * HOUR)
    await world.take(world.fires("A"))
    await world.until(24 * HOUR + 20 * MINUTE)  # the 24 h of the end are over
    world.recorder.answer = lambda _: Sent()
    await world.until(25 * HOUR)
    assert [(kind, number) for _, kind, number, _ in told(world)] == [("ring", 1), ("ring", 2)]


class DuringAnAttempt:
    """Answers the old end only after the next incident has taken its delivery over."""

    def __init__(self, world: World, answer: Outcome) -> None:
        self._world, self._answer = world, answer

    async def send(self, config: Any, message: Message, memory: Any) -> Outcome:
        if message.kind == "end" and message.incident == 1:
            await self._world.pass_to(390 * SECOND)
            for claim in await self._world.claims(sends=0):
                self._world.engine.accept(claim.groups)
            await self._world.engine.settle()
            return self._answer
        return await self._world.recorder.send(config, message, memory)

    async def close(self) -> None:
        pass


async def taken_over_during_an_attempt(world: World, answer: Outcome) -> None:
    await world.take(world.fires("A"))
    await world.until(388 * SECOND)
    world.recorder.answer = lambda _: Sent()
    world.sender._receivers["pagerduty"] = DuringAnAttempt(world, answer)
    await attempt(world, "1.0")
    assert await fields(world, "incident") == [2]


@pytest.mark.parametrize(
    "answer",
    [Refused("HTTP 400"), Retry("no answer"), Retry("no answer", unknown=True), Sent()],
    ids=["refused", "failed", "nobody knows", "sent"],
)
async def test_what_becomes_of_the_old_end_is_not_held_against_the_page_that_took_over(
    world: World, answer: Outcome
) -> None:
    await taken_over_during_an_attempt(world, answer)
    assert await fields(world, "tries", "failing_since", "next_at") == [0, 0, 0]
    await world.until(391 * SECOND)
    assert told(world)[1:] == [(390.0, "ring", 2, "1.0")]
    assert await states(world) == {"1.0": "open"}
    assert not [line for line in await world.timeline(2) if "400" in line or "end" in line]


async def test_what_closes_the_door_to_the_old_end_closes_it_to_the_page_too(world: World) -> None:
    await taken_over_during_an_attempt(world, Retry("slow down", after=20 * SECOND, closes_target=True))
    await world.until(HOUR)
    assert told(world)[1:] == [(410.0, "ring", 2, "1.0")]


async def test_a_page_that_took_over_and_is_refused_itself_is_dead(world: World) -> None:
    await world.take(world.fires("A"))
    await world.until(388 * SECOND)
    world.recorder.answer = lambda _: Refused("HTTP 400")
    world.sender._receivers["pagerduty"] = DuringAnAttempt(world, Refused("HTTP 400"))
    await attempt(world, "1.0")
    await world.until(HOUR)
    assert (len(world.notes), await states(world)) == (1, {"1.0": "dead"})


async def test_a_delivery_is_taken_over_although_a_reload_has_moved_its_integration(world: World) -> None:
    world.path.write_text(pager(OTHER_KEY, KEY))
    await world.plan.reload()
    await world.take(world.fires("A"))
    await world.until(8 * MINUTE)
    world.recorder.answer = lambda _: Sent()
    await world.until(HOUR)
    rings = {(n.config.routing_key.get_secret_value(), n.kind, n.message.incident) for n in world.notes[1:]}
    assert rings == {(OTHER_KEY, "ring", 2), (KEY, "ring", 2)}
    assert await states(world) == {"1.0": "open", "2.0": "open"}


async def test_who_rings_after_a_dead_end_knows_that_the_last_incident_may_be_open_there(
    make_world: MakeWorld,
) -> None:
    world = await make_world(pager(KEY), shards=1)
    world.recorder.answer = lambda message: Sent({"incident": message.incident})
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    world.recorder.answer = lambda _: Refused("HTTP 400")
    await world.take(world.ends("A"))
    await world.until(10 * MINUTE)
    world.recorder.answer = lambda _: Sent()
    await world.take(world.fires("A"))
    await world.until(HOUR)
    assert [(note.message.incident, note.memory["incident"]) for note in world.notes[1:2]] == [(2, 1)]


async def test_of_two_unfinished_deliveries_with_one_key_each_is_taken_over_once(
    make_world: MakeWorld,
) -> None:
    world = await make_world(pager(KEY, KEY), shards=1)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    world.recorder.answer = lambda _: Retry("no answer")
    await world.take(world.ends("A"))
    await world.until(6 * MINUTE)
    await world.take(world.fires("A"))
    await world.until(7 * MINUTE)
    world.recorder.answer = lambda _: Sent()
    await world.until(HOUR)
    assert sorted(delivery for _, _, number, delivery in told(world) if number == 2) == ["1.0", "1.1"]
