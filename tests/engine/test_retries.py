"""What becomes of a message that does not arrive, and of those that wait behind it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from world import HOUR, MINUTE, SECOND, START, World

from gateway.store import reading
from receivers.base import Message, Outcome, Refused, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    MakeWorld = Callable[..., Awaitable[World]]

PAGER = """
route:
  receiver: pager
  group_by: [cluster]
  group_wait: 0s
receivers:
  - name: pager
    pagerduty_configs: [{routing_key: "0123456789abcdef0123456789abcdef"}]
"""
MAIL = """
route:
  receiver: mail
  group_by: [cluster]
  group_wait: 0s
receivers:
  - name: mail
    email_configs: [{to: a@b.test, from: t@b.test, smarthost: "mail.test:25"}]
"""
TWO = """
route:
  receiver: slow
  group_by: [cluster]
  group_wait: 0s
  routes: [{receiver: well, matchers: [cluster="well"]}]
receivers:
  - name: slow
    webhook_configs: [{url: "http://slow.test/"}]
  - name: well
    webhook_configs: [{url: "http://well.test/"}]
"""


@pytest.fixture
async def pager(make_world: MakeWorld) -> World:
    """One shard: a target's queue is a shard's."""
    return await make_world(PAGER, shards=1)


class Limited:
    """A service that takes so many a minute, and then says when to come back."""

    def __init__(self, world: World, a_minute: int) -> None:
        self._world, self._limit = world, a_minute
        self._minute, self._taken = 0, 0
        self.refused = 0

    def __call__(self, _: Message) -> Outcome:
        minute, passed = divmod(self._world.now, MINUTE)
        if minute != self._minute:
            self._minute, self._taken = minute, 0
        if self._taken == self._limit:
            self.refused += 1
            return Retry("too many requests", after=MINUTE - passed, closes_target=True)
        self._taken += 1
        return Sent()


async def storm(pager: World, incidents: int) -> None:
    service = pager.recorder.answer = Limited(pager, 120)
    for first in range(0, incidents, 100):
        body = range(first, min(first + 100, incidents))
        await pager.take(*(pager.fires("A", cluster=str(n), severity="warning") for n in body))
    await pager.until(2 * MINUTE + 10 * SECOND)
    taken = len(pager.notes)
    await pager.take(pager.fires("A", cluster="worst", severity="critical"))
    await pager.until((incidents // 120 + 3) * MINUTE)
    at_once = pager.notes[taken : taken + 4]  # the key has four slots, which are all free when it opens
    assert {"cluster": "worst"} in [note.message.group_labels for note in at_once]
    assert {note.at for note in at_once} == {160 * SECOND}
    assert len({note.message.incident for note in pager.notes}) == len(pager.notes) == incidents + 1
    assert service.refused <= 4 * (incidents // 120 + 2)  # nobody knocks at a closed door


async def test_a_critical_page_is_the_next_to_go_out_of_a_storm(pager: World) -> None:
    await storm(pager, 600)


@pytest.mark.long
async def test_a_critical_page_is_the_next_to_go_out_of_a_storm_of_ten_thousand(pager: World) -> None:
    await storm(pager, 10_000)


async def test_a_closed_target_opens_for_rings_before_updates(pager: World) -> None:
    await pager.take(pager.fires("A", cluster="old"), pager.fires("B", cluster="old"))
    await pager.until(MINUTE)
    await pager.take(pager.ends("B", cluster="old"))
    pager.recorder.answer = closed_until(pager, 10 * MINUTE)
    await pager.until(6 * MINUTE)  # the update waits
    await pager.take(pager.fires("A", cluster="new"))
    await pager.until(11 * MINUTE)
    assert [(n.at, n.kind, n.message.group_labels["cluster"]) for n in pager.notes[1:]] == [
        (600_000, "ring", "new"),
        (600_000, "update", "old"),
    ]


async def test_what_changes_while_it_waits_keeps_its_place(make_world: MakeWorld) -> None:
    world = await make_world(MAIL, shards=1)
    world.recorder.answer = closed_until(world, 10 * MINUTE)
    for n, cluster in enumerate("abc"):
        await world.until(n * SECOND)
        await world.take(world.fires("A", cluster=cluster))
    await world.until(2 * MINUTE)
    await world.take(world.fires("B", cluster="a"))
    await world.until(11 * MINUTE)
    assert [note.message.group_labels["cluster"] for note in world.notes] == ["a", "b", "c"]


async def test_a_door_that_closes_for_no_time_is_not_knocked_at_without_a_pause(pager: World) -> None:
    asked: list[int] = []
    pager.recorder.answer = lambda _: asked.append(pager.now) or Retry("later", after=0, closes_target=True)
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    assert 10 <= len(asked) <= 61


def closed_until(world: World, at: int) -> Callable[[Message], Outcome]:
    def answer(_: Message) -> Outcome:
        left = START + at - world.now
        return Retry("too many requests", after=left, closes_target=True) if left > 0 else Sent()

    return answer


async def test_what_fails_is_tried_again_slower_and_slower_and_in_the_end_shows_what_is_true(
    pager: World,
) -> None:
    tried: list[int] = []
    pager.recorder.answer = lambda _: tried.append(pager.now - START) or Retry("no answer")
    await pager.take(pager.fires("A"), pager.fires("B"))
    await pager.until(20 * MINUTE)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    steps = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert all(800 * step <= pause <= 1_200 * step for pause, step in zip(pauses, steps, strict=False)), (
        pauses
    )
    await pager.take(pager.ends("B"))
    pager.recorder.answer = lambda _: Sent()
    await pager.until(HOUR)
    assert [(kind, firing) for _, kind, firing, _ in pager.story()] == [("ring", "A")]


async def test_after_24_hours_nobody_tries_any_more(pager: World) -> None:
    pager.recorder.answer = lambda _: Retry("no answer")
    for hours in (0, 10, 20):  # the alert goes on firing
        await pager.until(hours * HOUR)
        await pager.take(pager.fires("A", at=0))
    await pager.until(25 * HOUR)
    (dead,) = await reading.deliveries(pager.store, "dead", 9)
    assert dead["error"] == "no answer"
    assert any("given up after 24 h" in line for line in await pager.timeline(1))


async def test_a_dead_letter_that_is_revived_tells_what_is_true_now(pager: World) -> None:
    pager.recorder.answer = lambda _: Refused("no such key")
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    assert any("refused for good: no such key" in line for line in await pager.timeline(1))
    await pager.take(pager.fires("B"))
    await pager.until(HOUR)
    pager.recorder.answer = lambda _: Sent()
    assert await pager.store.revive("1.0") == "ok"
    await pager.until(2 * HOUR)
    assert pager.story()[:1] == [(3600.0, "ring", "AB", "")]


async def test_a_dead_letter_of_an_incident_that_is_over_rings_nobody(pager: World) -> None:
    pager.recorder.answer = lambda _: Refused("no such key")
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    await pager.take(pager.ends("A"))
    await pager.until(10 * MINUTE)
    pager.recorder.answer = lambda _: Sent()
    assert await pager.store.revive("1.0") == "ok"
    await pager.until(HOUR)
    assert pager.story() == []
    assert [d["state"] for d in await reading.deliveries(pager.store, "all", 9)] == ["done"]


async def test_a_revived_end_is_told_although_its_group_fires_again(pager: World) -> None:
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    await pager.take(pager.ends("A"))
    pager.recorder.answer = lambda _: Refused("no such key")
    await pager.until(10 * MINUTE)
    pager.recorder.answer = lambda _: Sent()
    await pager.store.revive("1.0")
    await pager.until(11 * MINUTE)
    assert [(kind, firing) for _, kind, firing, _ in pager.story()] == [("ring", "A"), ("end", "")]


async def test_what_is_alive_or_unknown_is_not_revived(pager: World) -> None:
    await pager.take(pager.fires("A"))
    assert await pager.store.revive("1.0") == "alive"
    assert await pager.store.revive("9.9") == "unknown"


async def test_who_was_never_told_that_it_began_is_not_told_that_it_ended(pager: World) -> None:
    pager.recorder.answer = lambda _: Retry("no answer")
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    await pager.take(pager.ends("A"))
    await pager.until(6 * MINUTE)
    pager.recorder.answer = lambda _: Sent()
    await pager.until(HOUR)
    assert pager.story() == []
    assert "not told: it ended before the first message could be delivered" in await pager.timeline(1)


async def test_who_may_have_been_told_is_told_the_end(pager: World) -> None:
    pager.recorder.answer = lambda _: Retry("no answer", unknown=True)
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    await pager.take(pager.ends("A"))
    await pager.until(6 * MINUTE)
    pager.recorder.answer = lambda _: Sent()
    await pager.until(HOUR)
    assert [(kind, ended) for _, kind, _, ended in pager.story()] == [("end", "A")]


async def test_the_receiver_knows_that_an_earlier_attempt_may_have_arrived(pager: World) -> None:
    answers = [Retry("no answer", unknown=True), Retry("refused the connection"), Sent()]
    pager.recorder.answer = lambda _: answers.pop(0) if answers else Sent()
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    await pager.take(pager.fires("B"))
    await pager.until(10 * MINUTE)
    assert [note.memory["unknown"] for note in pager.notes] == [True, False]


async def test_the_next_incident_takes_over_what_the_last_one_left_unfinished(pager: World) -> None:
    await pager.take(pager.fires("A"))
    await pager.until(MINUTE)
    await pager.take(pager.ends("A"))
    pager.recorder.answer = lambda _: Retry("no answer")
    await pager.until(6 * MINUTE)  # its end does not arrive
    await pager.take(pager.fires("A"))
    pager.recorder.answer = lambda _: Sent()
    await pager.until(HOUR)
    await pager.take(pager.ends("A", at=6 * MINUTE))
    await pager.until(2 * HOUR)
    assert [(n.kind, n.message.incident) for n in pager.notes] == [("ring", 1), ("ring", 2), ("end", 2)]
    assert len({note.message.dedup_key for note in pager.notes}) == 1


class Slow:
    """A receiver whose service answers when it is let; it counts how many wait for it at once."""

    def __init__(self) -> None:
        self.let, self.now, self.most = asyncio.Event(), 0, 0
        self.told: list[str] = []

    async def send(self, _config: Any, message: Message, _memory: Mapping[str, Any]) -> Outcome:
        self.now += 1
        self.most = max(self.most, self.now)
        if message.receiver != "well":
            await self.let.wait()
        self.now -= 1
        self.told.append(message.receiver)
        return Sent()

    async def close(self) -> None:
        pass


async def test_one_slow_target_holds_up_no_other(make_world: MakeWorld) -> None:
    world, slow = await make_world(TWO, shards=1), Slow()
    world.sender._receivers["webhook"] = slow
    await world.intake.take([world.fires("A", cluster=str(n)) for n in range(200)])
    await world.intake.take([world.fires("A", cluster="well")])
    async with asyncio.timeout(10):
        while not slow.told:
            await world.engine.claim(0)
            await asyncio.sleep(0.01)
    assert slow.told == ["well"]
    slow.let.set()
    await world.until(MINUTE)
    assert len(slow.told) == 201


async def test_no_more_attempts_are_under_way_at_once_than_a_target_has_slots(make_world: MakeWorld) -> None:
    world, slow = await make_world(PAGER, shards=1), Slow()
    world.sender._receivers["pagerduty"] = slow
    await world.intake.take([world.fires("A", cluster=str(n)) for n in range(50)])
    asyncio.get_running_loop().call_later(0.3, slow.let.set)
    await world.until(MINUTE)
    assert (slow.most, len(slow.told)) == (4, 50)
