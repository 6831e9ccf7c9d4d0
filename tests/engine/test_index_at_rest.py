"""What the store holds back, once nothing is left to do, is what a plain walk over all firing alerts says.

Whatever came before: reloads with other rules, silences, processes that died between any two of their calls,
two that did the same work at the same time, their calls in any order. What is drawn is a story of such
things; the walk knows no slots, index or shortcuts (`plain_inhibition.py`).
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plain_inhibition import plain_walk, released
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from world import SECOND, START, World

from gateway.store import keys, reading
from gateway.store.unavailable import StoreUnavailableError
from routing.alerts import Arrival, alert_key
from routing.inhibition import Source
from routing.matchers import parse_matchers
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEAD = """
route:
  receiver: hook
  group_by: [node]
  group_wait: 10s
  group_interval: 1m
  routes:
    - matchers: [kind="both"]
      group_by: [alertname]
      group_wait: 0s
      continue: true
    - matchers: [node="2"]
      group_by: [alertname]
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""
RULES = {
    "none": "",
    "tree": """
inhibit_rules:
  - {source_matchers: [alertname="A"], target_matchers: [alertname=~"B|C|D"], equal: [node]}
  - {source_matchers: [kind="both"], target_matchers: [severity="low"]}
""",
    "circle": """
inhibit_rules:
  - {source_matchers: [alertname="A"], target_matchers: [alertname!="A"], equal: [node]}
  - {source_matchers: [alertname="B"], target_matchers: [alertname=~"A|D"], equal: [node]}
  - {source_matchers: [alertname="C"], target_matchers: [alertname="A"]}
""",
    "both sides": """
inhibit_rules:
  - {source_matchers: [alertname=~"A|B"], target_matchers: [alertname=~"B|C"], equal: [node]}
  - {source_matchers: [severity="high"], target_matchers: [kind="both"], equal: [rack]}
""",
}
ALERTS = [
    {"alertname": "A", "node": "1", "severity": "high"},
    {"alertname": "A", "node": "2", "severity": "low", "kind": "both"},
    {"alertname": "B", "node": "1", "severity": "high"},
    {"alertname": "B", "node": "2", "severity": "critical", "rack": "x"},
    {"alertname": "C", "node": "1", "severity": "low"},
    {"alertname": "C", "node": "2", "kind": "both", "rack": "x"},
    {"alertname": "D", "node": "1", "severity": "low", "kind": "both"},
]
MATCHERS = ['alertname="A"', 'alertname=~"B|C"', 'node="1"', 'kind="both"']


class News(NamedTuple):
    """One body: which of the alerts begin (or go on) and which end."""

    fires: tuple[int, ...]
    ends: tuple[int, ...]


class Silence(NamedTuple):
    matchers: str
    after: int
    lasts: int


class Reload(NamedTuple):
    rules: str


class Pass(NamedTuple):
    seconds: int


class Step(NamedTuple):
    """`lives`: how many calls the process makes before it dies; `two`: of them, with calls in any order."""

    what: News | Silence | Reload | Pass
    lives: int | None
    two: int | None


class Mortal(Redis):
    """A connection whose process dies after so many calls, or is slow at random moments."""

    lives: int | None = None
    chance: random.Random | None = None

    async def slow(self) -> None:
        if self.chance:
            for _ in range(self.chance.choice([0, 0, 1, 3, 9])):
                await asyncio.sleep(0)

    def take(self, wanted: int) -> int:
        if self.lives is None:
            return wanted
        taken = min(self.lives, wanted)
        self.lives -= taken
        return taken

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        await self.slow()
        if not self.take(1):
            raise ConnectionError("dead")
        return await super().execute_command(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - as Redis has it
        pipe = _Pipeline(self.connection_pool, self.response_callbacks, transaction, None)
        pipe.owner = self
        return pipe


class _Pipeline(Pipeline):
    owner: Mortal

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as Redis has it
        await self.owner.slow()
        wanted = len(self.command_stack)
        taken = self.owner.take(wanted)
        del self.command_stack[taken:]
        answers: list[Any] = await super().execute(raise_on_error) if taken else []
        if taken < wanted:
            raise ConnectionError("dead")
        return answers


class Story:
    """Processes on one store, one after the other and two at a time."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.path = folder / "tocsin.yaml"
        self.path.write_text(HEAD + RULES["tree"])
        self.now = START
        self.started: dict[int, int] = {}
        self.all: list[World] = []

    async def process(self) -> World:
        redis = Mortal.from_url(self.url, decode_responses=True)
        world = World(redis, self.path, 3)
        self.all.append(world)
        world.now = self.now
        await world._set_clock()
        await world.plan.start()
        await world.holds.keep_up(0)
        return world

    async def close(self) -> None:
        for world in self.all:
            world.redis.lives = None
            await world.close()

    async def run(self, steps: Sequence[Step]) -> None:
        world = await self.process()
        for step in steps:
            world = await self.step(world, step)
            agree(await standing(world), world)
        await self.wait(world, 1_200)
        agree(await standing(world), world, judged=True)

    async def step(self, world: World, step: Step) -> World:
        world.redis.lives = step.lives
        if step.two is None:
            with suppress(StoreUnavailableError, ConnectionError):
                await self.do(world, step.what)
        else:
            other = await self.process()
            world.redis.chance = other.redis.chance = random.Random(step.two)
            await asyncio.gather(self.do(world, step.what), self.work(other), return_exceptions=True)
            world.redis.chance = None
            await other.close()
            self.all.remove(other)
        if step.lives is not None:  # whoever died is followed by another, once its leases have ended
            await asyncio.gather(world.engine.stop(0), world.sender.stop(0))
            self.now = max(self.now, world.now) + 5 * SECOND
            world = await self.process()
        await self.wait(world, 1)
        return world

    async def work(self, world: World) -> None:
        for _ in range(3):
            await world.settle()
            await asyncio.sleep(0)

    async def wait(self, world: World, seconds: int) -> None:
        await world.holds.watch()  # as the service does each second
        await world.until(self.now - START + seconds * SECOND)
        self.now = world.now

    async def do(self, world: World, what: News | Silence | Reload | Pass) -> None:
        match what:
            case News(fires, ends):
                arrivals = [self.arrival(n, "firing") for n in fires]
                arrivals += [
                    self.arrival(n, "resolved") for n in ends if n in self.started and n not in fires
                ]
                await world.intake.take(arrivals)
            case Silence(matchers, after, lasts):
                start = self.now + after * SECOND
                await world.holds.silence_store.put(
                    Wanted(
                        matchers=parse_matchers(matchers),
                        starts_at=start,
                        ends_at=start + lasts * SECOND,
                        created_by="dana",
                        comment="x",
                    )
                )
            case Reload(rules):
                self.path.write_text(HEAD + RULES[rules])
                await world.plan.reload()
            case Pass(seconds):
                await self.wait(world, seconds)
        await world.settle()

    def arrival(self, number: int, status: str) -> Arrival:
        labels = ALERTS[number]
        if status == "firing":
            self.started.setdefault(number, self.now - number)
            return Arrival(alert_key(labels), labels, {}, "firing", self.started[number], None, None, "")
        started = self.started.pop(number)
        return Arrival(alert_key(labels), labels, {}, "resolved", started, self.now, None, "")


class Standing(NamedTuple):
    """One alert in one group, as the store has it."""

    source: Source
    held: dict[str, Any]
    judged: bool
    wait: int


async def standing(world: World) -> list[Standing]:
    found = []
    store = world.store
    async for alert in reading.firing_alerts(store):
        at = keys.prefix(keys.shard_of(alert.gid, store.shards))
        state = orjson.loads(await store.read("HGET", f"{at}:s:{alert.gid}", alert.key))
        revision = await store.read("ZSCORE", f"{at}:f:{alert.gid}", alert.key)
        head = await store.read("HMGET", f"{at}:g:{alert.gid}", "weighed", "marks", "judged", "look")
        weighed, marks, answered, look = (int(value or 0) for value in head)
        judged = (revision is None or int(revision) <= weighed) and (marks == answered or look <= world.now)
        wait = await store.read("ZSCORE", f"{at}:y:{alert.gid}", alert.key)
        source = Source(alert.key, f"{alert.key}.{alert.gid}", int(state[8]), int(state[1]), alert.labels)
        held = orjson.loads(alert.held) if alert.held else {}
        found.append(Standing(source, held, judged, int(wait or 0)))
    return found


def agree(found: Sequence[Standing], world: World, *, judged: bool = False) -> None:
    """`judged`: there was time enough, so nobody waits any more, and all that matter have been judged."""
    rules = world.plan.current.plan.inhibition.rules
    silences = world.holds.silences
    sources = {one.source.alert: one.source for one in found}

    def silenced(labels: dict[str, str]) -> bool:
        return bool(silences.matching(labels, world.now))

    free = released(rules, list(sources.values()), silenced)
    for one in found:
        by = one.held.get("by", "")
        if not one.judged and not judged:
            continue
        if silenced(one.source.labels):
            wanted = {"silence"}
        elif one.source.alert not in free and plain_walk(rules, one.source, sources.values()):
            wanted = {"inhibition"}
        else:
            waits = one.wait > world.now and not judged
            wanted = {"", "release", "grace"} if waits else {""}
        assert by in wanted, f"{one} is held by {by!r}, not {wanted}; of\n" + "\n".join(map(str, found))


numbers = st.lists(st.integers(0, len(ALERTS) - 1), max_size=4, unique=True).map(tuple)
news = st.builds(News, numbers, numbers)
silences = st.builds(Silence, st.sampled_from(MATCHERS), st.sampled_from([0, 20]), st.sampled_from([15, 90]))
reloads = st.builds(Reload, st.sampled_from(sorted(RULES)))
passes = st.builds(Pass, st.sampled_from([1, 5, 35, 61]))
whats = news | news | silences | reloads | passes
alone = st.builds(Step, whats, st.none(), st.none())
dying = st.builds(Step, whats, st.integers(0, 60), st.none())
doubled = st.builds(Step, whats, st.none(), st.integers(0, 99))


def stories(steps: st.SearchStrategy[Step]) -> Any:
    return given(steps=st.lists(steps, min_size=2, max_size=10))


profile = settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
long = settings(profile, max_examples=600, derandomize=False)


def run(url: str, folder: Path, steps: Sequence[Step]) -> None:
    async def all_of_it() -> None:
        async with Redis.from_url(url) as redis:
            await redis.flushall()
        story = Story(url, folder)
        try:
            await story.run(steps)
        finally:
            await story.close()

    asyncio.run(all_of_it())


@profile
@stories(alone)
def test_what_is_held_is_what_the_plain_walk_says(redis_server, tmp_path, steps):
    run(redis_server, tmp_path, steps)


@profile
@stories(alone | dying)
def test_it_is_so_after_processes_died_between_their_calls(redis_server, tmp_path, steps):
    run(redis_server, tmp_path, steps)


@profile
@stories(alone | doubled)
def test_it_is_so_where_two_processes_do_the_same_work(redis_server, tmp_path, steps):
    run(redis_server, tmp_path, steps)


@pytest.mark.long
@long
@stories(alone | dying | doubled)
def test_it_is_so_in_many_stories(redis_server, tmp_path, steps):
    run(redis_server, tmp_path, steps)
