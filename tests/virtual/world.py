"""A Tocsin in virtual time: the real store on a real server, the real engine and sender, a clock of its own.

Scripts run behind a guard that refuses one whose keys span shards. The receiver is a recorder: it speaks the
receivers' protocol, takes everything and remembers when, unless it is told to do otherwise.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from redis.asyncio import Redis

from config.load import load
from gateway.answers import Answered, Answers
from gateway.engine import Engine
from gateway.holds import Holds
from gateway.intake import Intake, Receipt
from gateway.leases import Leases
from gateway.oncall import OnCall
from gateway.plan import PlanInForce, timing_of
from gateway.sender import Sender
from gateway.store import keys, reading
from gateway.store.store import Store
from receivers.base import Message, Outcome, Sent
from routing.alerts import Arrival, alert_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gateway.store.records import Claim
    from routing.events import Answer

CLOCK_AND_GUARD = """
local real = redis
local redis = setmetatable({ call = function(command, ...)
  for _, argument in ipairs({ ... }) do
    if type(argument) == 'string' and string.sub(argument, 1, 3) == 't:{'
      and string.sub(argument, 1, #KEYS[1] + 1) ~= KEYS[1] .. ':' then
      error('this script of ' .. KEYS[1] .. ' reaches for ' .. argument)
    end
  end
  return real.call(command, ...)
end }, { __index = real })
local function now() return tonumber(redis.call('GET', KEYS[1] .. ':clock')) end
"""

START = 1_700_000_000_000
ROOM = dict.fromkeys(("pagerduty", "slack", "email", "webhook"), 64)
# What the store is told of an attempt that arrived, showing revision 1.
SENT = {
    "state": "open", "sent": 1, "ring_sent": 1, "rung": 1, "memory": "", "unknown": False, "tries": 0,
    "failing_since": 0, "retry_in": 0, "closed_for": 0, "error": "", "told": True, "answered": True,
    "lines": [],
}  # fmt: skip
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@dataclass
class Note:
    """What a receiver was handed: when (ms since the world's start), which integration, and the message."""

    at: int
    receiver: str
    kind: str
    message: Message
    integration: str = ""
    memory: Mapping[str, Any] = field(default_factory=dict)
    config: Any = None

    @property
    def firing(self) -> set[str]:
        return {alert.labels["alertname"] for alert in self.message.alerts if alert.status == "firing"}

    @property
    def ended(self) -> set[str]:
        return {alert.labels["alertname"] for alert in self.message.alerts if alert.status == "resolved"}


@dataclass
class Recorder:
    """Takes everything at once, or answers what `answer` says, `after` ms."""

    world: World
    answer: Callable[[Message], Outcome] = lambda _: Sent()
    after: int = 0
    notes: list[Note] = field(default_factory=list)

    async def send(self, config: Any, message: Message, memory: Mapping[str, Any]) -> Outcome:
        if self.after:
            await self.world.pass_to(self.world.now - START + self.after)
        outcome = self.answer(message)
        if isinstance(outcome, Sent):
            integration = type(config).__name__.removesuffix("Config").lower()
            at = self.world.now - START
            self.notes.append(Note(at, message.receiver, message.kind, message, integration, memory, config))
        return outcome

    async def close(self) -> None:
        pass


class World:
    store_of: ClassVar[type[Store]] = Store

    def __init__(self, redis: Redis, path: Path, shards: int) -> None:
        self.redis = redis
        self.path = path
        self.now = self.began = START
        config = load(path, {})
        self.listening = True  # somebody claims all the time, also between the deadlines that we stop at
        self.store = self.store_of(redis, shards, timing_of(config), CLOCK_AND_GUARD)
        self.plan = PlanInForce(path, config, self.store)
        self.leases = Leases(self.store)
        self.holds = Holds(self.store, self.plan)
        self.sender = Sender(self.store, self.leases, lambda: "http://tocsin.test", self.plan, self.holds)
        self.recorder = Recorder(self)
        for kind in ("pagerduty", "slack", "email", "webhook"):
            self.sender._receivers[kind] = self.recorder
        self.engine = Engine(self.store, self.plan, self.sender, self.leases, self.holds)
        self.oncall = OnCall(self.store, self.plan)
        self.plan.rota = self.oncall
        self.answers = Answers(self.store, self.plan, self.sender)
        self.intake = Intake(
            self.store, self.plan, self.engine.accept, self.engine.room, self.engine.sources_moved
        )

    @classmethod
    async def make(cls, url: str, folder: Path, config: str, shards: int = 3) -> World:
        path = folder / "tocsin.yaml"
        path.write_text(config)
        world = cls(Redis.from_url(url, decode_responses=True), path, shards)
        for shard in range(shards):
            await world.redis.hset(f"{keys.prefix(shard)}:heard", mapping={"since": START - HOUR})
        await world._set_clock()
        await world.plan.start()
        await world.holds.keep_up(0)
        return world

    async def _set_clock(self) -> None:
        async with self.redis.pipeline(transaction=False) as pipe:
            for shard in range(self.store.shards):
                pipe.set(f"{keys.prefix(shard)}:clock", self.now)
                if self.listening:
                    pipe.hset(f"{keys.prefix(shard)}:heard", "alive", self.now)
            await pipe.execute()

    async def pass_to(self, at: int) -> None:
        """The time is `at` (ms since the start), and nobody works."""
        self.now = START + at
        await self._set_clock()

    async def claims(self, groups: int = 99, sends: int = 99) -> list[Claim]:
        """What is due in each shard, claimed for somebody who does not work on it (yet)."""
        generation = self.plan.current.generation
        room = dict.fromkeys(ROOM, sends)
        return [await self.store.claim(n, generation, groups, room) for n in range(self.store.shards)]

    async def due(self) -> dict[str, int]:
        """Every deadline: member -> ms since the start; `l:` are groups to be judged anew."""
        found: dict[str, int] = {}
        for shard in range(self.store.shards):
            members = await self.redis.zrange(f"{keys.prefix(shard)}:due", 0, -1, withscores=True)
            found |= {member: int(score) - START for member, score in members}
            looks = await self.redis.zrange(f"{keys.prefix(shard)}:looks", 0, -1, withscores=True)
            found |= {f"l:{gid}": int(score) - START for gid, score in looks}
        return found

    async def settle(self) -> int:
        """Everything that is due now is done; the deadline that comes next, 0 for none."""
        while True:
            await self.engine.settle()
            await self.sender.settle()
            claims = [await self.engine.claim(shard) for shard in range(self.store.shards)]
            if not any(c.groups or c.deliveries or c.wait == 0 or c.moved or c.walk for c in claims):
                waits = [claim.wait for claim in claims if claim.wait is not None]
                return self.now + min(waits) if waits else 0

    async def until(self, at: int) -> None:
        """Lets time pass up to `at` (ms since the start), stopping at every deadline."""
        end = START + at
        while True:
            upcoming = await self.settle()
            if not upcoming or upcoming > end:
                break
            self.now = upcoming
            await self._set_clock()
        self.now = end
        await self._set_clock()
        await self.settle()

    async def take(self, *arrivals: Arrival) -> Receipt:
        receipt = await self.intake.take(arrivals)
        await self.settle()
        return receipt

    async def answer(self, number: int, answer: Answer) -> Answered:
        """Somebody answers, and what follows from it at once is done."""
        answered = await self.answers.give(number, answer)
        await self.settle()
        return answered

    def fires(
        self, name: str = "A", at: int | None = None, until: int | None = None, **labels: str
    ) -> Arrival:
        """A copy that fires; `at` is its start, by default now (ms since the start)."""
        all_labels = {"alertname": name, **labels}
        start = self.now if at is None else START + at
        return Arrival(
            alert_key(all_labels), all_labels, {}, "firing", start, None, until and START + until, ""
        )

    def ends(self, name: str = "A", at: int = 0, ended: int | None = None, **labels: str) -> Arrival:
        """A copy that says that the alert which fired at `at` has ended, by default now."""
        all_labels = {"alertname": name, **labels}
        end = self.now if ended is None else START + ended
        return Arrival(alert_key(all_labels), all_labels, {}, "resolved", START + at, end, None, "")

    @property
    def notes(self) -> list[Note]:
        return self.recorder.notes

    def story(self) -> list[tuple[float, str, str, str]]:
        """(seconds, kind, firing, ended) of every message, for comparisons in one look."""
        return [
            (n.at / 1000, n.kind, "".join(sorted(n.firing)), "".join(sorted(n.ended))) for n in self.notes
        ]

    async def timeline(self, number: int) -> list[str]:
        found = await reading.incident(self.store, number)
        assert found
        return [line["text"] for line in await reading.timeline(self.store, found[0], number)]

    async def close(self) -> None:
        await asyncio.gather(self.engine.stop(1), self.sender.stop(1))
        await self.redis.aclose()
