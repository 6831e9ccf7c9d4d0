"""Heartbeats while processes break and stall at any step: what is missing is told, nothing stays for ever."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from world import MINUTE, SECOND, World

from gateway.heartbeats import HeartbeatWatch
from gateway.store import reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeWorld = Callable[..., Awaitable[World]]

TIMEOUT = 3 * MINUTE
CONFIG = """
global: {resolve_timeout: 1s}
route: {receiver: hook, group_by: [heartbeat], group_wait: 0s}
receivers: [{name: hook, webhook_configs: [{url: "http://hook.test/"}]}]
heartbeats:
  - {name: a, token: not-so-secret-a, timeout: 3m}
  - {name: b, token: not-so-secret-b, timeout: 3m}
"""


class Breaks:
    """Hands calls on to `inner`; now and then one breaks, before or after, or others work before it."""

    def __init__(self, story: Story, inner: Any) -> None:
        self.story = story
        self.inner = inner

    async def take(self, arrivals: Any) -> Any:
        return await self._maybe(self.inner.take, arrivals)

    async def change(self, changes: Any) -> Any:
        return await self._maybe(self.inner.change, changes)

    async def _maybe(self, call: Callable[..., Awaitable[Any]], argument: Any) -> Any:
        story = self.story
        if story.rolls(0.15):
            raise ConnectionError
        if not story.stalls and story.rolls(0.3):
            story.stalls = True
            for _ in range(3):
                await story.goes_on()
            story.stalls = False
        answer = await call(argument)
        if story.rolls(0.15):
            raise ConnectionError
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Story:
    """Two processes, two heartbeats, and dice."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.stalls = False
        self.last = {"a": world.now, "b": world.now}
        self.pauses = 0
        self.watches = [self.started(), self.started()]

    def rolls(self, chance: float) -> bool:
        return self.dice.random() < chance

    def started(self) -> HeartbeatWatch:
        watch = HeartbeatWatch(self.world.store, self.world.plan, Breaks(self, self.world.intake))  # type: ignore[arg-type]  # as much of it as is used
        watch._records = Breaks(self, watch._records)  # type: ignore[assignment]  # as above
        return watch

    async def goes_on(self) -> None:
        """Somebody beats, or looks, or is started again; time passes."""
        world, at = self.world, self.dice.randrange(2)
        if self.rolls(0.1):
            self.watches[at] = self.started()  # what it has told is forgotten
        if self.rolls(0.3):
            name = self.dice.choice("ab")
            self.pauses += world.now - self.last[name] >= TIMEOUT
            await self.watches[at].beat(name)
            self.last[name] = world.now
        await look(self.watches[at])
        await world.until(world.now - world.began + self.dice.choice([0, SECOND, 20 * SECOND, MINUTE]))

    async def heals(self) -> None:
        """Nothing breaks any more, and everybody looks."""
        for watch in self.watches:
            watch._intake, watch._records = watch._intake.inner, watch._records.inner  # type: ignore[attr-defined]  # ours
            await watch.look()
            await self.world.settle()


async def look(watch: HeartbeatWatch) -> None:
    with suppress(ConnectionError):
        await watch.look()


async def firing(world: World) -> set[str]:
    return {one.labels["heartbeat"] async for one in reading.firing_alerts(world.store)}


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_breaks_each_pause_is_told_once_and_ends_with_the_next_beat(
    make_world: MakeWorld, seed: int
) -> None:
    world = await make_world(CONFIG)
    story = Story(world, seed)
    for _ in range(50):
        await story.goes_on()
    await story.heals()
    missing = {name for name, at in story.last.items() if world.now - at >= TIMEOUT}
    assert await firing(world) == missing
    incidents = await reading.incidents(world.store, "all", 100)
    assert {one.labels["heartbeat"] for one in incidents if one.open} >= missing
    assert len(incidents) <= story.pauses + len(missing)
