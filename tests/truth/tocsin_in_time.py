"""The real Tocsin in virtual time, with its real receivers: store, engine, sender, intake, answers, reloads.

What runs at once in a process runs in turn here, as one of the orders that are possible, so that two runs are
the same: first all decisions, as they were claimed, then all attempts.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from drawn import written
from timelines import Told, text_of, whom
from world import CLOCK_AND_GUARD, HOUR

from config.load import load
from gateway.answers import AnswerError, Answers, NoSuchIncidentError
from gateway.engine import Engine
from gateway.holds import Holds
from gateway.intake import Intake
from gateway.leases import Leases
from gateway.oncall import OnCall
from gateway.plan import PlanInForce, timing_of
from gateway.sender import Sender
from gateway.store import keys, reading
from gateway.store.store import Store
from receivers import kinds
from receivers.base import Sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drawn import Drawn
    from redis.asyncio import Redis
    from services import Services

    from gateway.store.records import ClaimedDelivery, ClaimedGroup
    from receivers.base import Message, Outcome
    from routing.alerts import Arrival
    from routing.events import Answer
    from routing.silence_changes import Wanted
    from routing.silences import Silence

PREFIX = keys.prefix(0)


class InTurnEngine(Engine):
    """Decisions wait for their turn, in the order of their deadlines."""

    waiting: dict[str, tuple[int, asyncio.Event]]

    def room(self) -> int:
        return 10_000

    async def _work(self, group: ClaimedGroup) -> None:
        turn = asyncio.Event()
        self.waiting[group.gid] = (group.due, turn)
        await turn.wait()
        await super()._work(group)

    async def in_turn(self) -> None:
        """All decisions that wait, one after the other, then what was to be done beside them."""
        await asyncio.sleep(0)
        while self.waiting:
            gid = min(self.waiting, key=lambda one: (self.waiting[one][0], one))
            before = set(self._working)
            self.waiting.pop(gid)[1].set()
            while before <= self._working:
                await asyncio.wait(before, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(0)
        await self.settle()


class InTurnSender(Sender):
    """Attempts wait until all that is due is decided; then they have their turn, as they were claimed."""

    waiting: dict[str, asyncio.Event]

    async def _attempt(self, claimed: ClaimedDelivery) -> None:
        turn = self.waiting[claimed.id] = asyncio.Event()
        await turn.wait()
        await super()._attempt(claimed)

    async def in_turn(self) -> bool:
        """All that wait, one after the other; False if none does."""
        await asyncio.sleep(0)
        any_waits = bool(self.waiting)
        while self.waiting:
            did = next(iter(self.waiting))
            task = next(task for task, claimed in self._working.items() if claimed.id == did)
            self.waiting.pop(did).set()
            await task
            await asyncio.sleep(0)
        return any_waits


class Ear:
    """A receiver as the sender sees it: the real one, and note is taken of what its service took."""

    def __init__(self, tocsin: Tocsin, kind: str) -> None:
        self.tocsin = tocsin
        self.kind = kind

    async def send(self, config: Any, message: Message, memory: Mapping[str, Any]) -> Outcome:
        services = self.tocsin.services
        service = services.of_kind[self.kind]
        services.begin()
        services.now = self.tocsin.now
        service.away, service.wait = self.tocsin.away(self.kind, message)
        outcome = await services.receivers[self.kind].send(config, message, memory)
        try:
            came = services.took(self.kind, config, outcome)
        except Exception as error:  # the sender would call it a failure of the receiver
            self.tocsin.fault = error
            raise
        if isinstance(outcome, Sent) and came is not None:
            self.tocsin.told.append(
                Told(
                    self.tocsin.now - self.tocsin.began,
                    whom(message.receiver, message.person),
                    self.kind,
                    came[0] if self.kind in ("slack", "email") else "",
                    message.kind,
                    message.incident,
                    message.reason,
                    f"{0 if message.held_by else message.firing}/{message.resolved}",
                    text_of(self.kind, message.kind, came[1]),
                )
            )
        return outcome

    async def close(self) -> None:
        """The receiver lives on for the next world."""


class Tocsin:
    """One process that works when it is let, by a clock that stands still meanwhile."""

    def __init__(self, redis: Redis, path: Path, services: Services, drawn: Drawn) -> None:
        self.redis, self.path, self.services, self.drawn = redis, path, services, drawn
        self.now = self.began = drawn.began
        self.told: list[Told] = []
        self.fault: Exception | None = None  # of these tests, not of a receiver
        self.put_in_place(drawn.config)
        config = load(path, {})
        self.store = Store(redis, 1, timing_of(config), CLOCK_AND_GUARD)
        self.plan = PlanInForce(path, config, self.store, adopted=self._adopted)
        leases = Leases(self.store)
        self.holds = Holds(self.store, self.plan)
        self.oncall = OnCall(self.store, self.plan)
        self.plan.rota = self.oncall
        self.sender = InTurnSender(self.store, leases, lambda: "http://tocsin.test", self.plan, self.holds)
        self.sender._receivers = {kind: Ear(self, kind) for kind in kinds.MODULES}
        self.engine = InTurnEngine(self.store, self.plan, self.sender, leases, self.holds)
        self.engine.waiting, self.sender.waiting = {}, {}
        self.answers = Answers(self.store, self.plan, self.sender)
        self.intake = Intake(
            self.store, self.plan, self.engine.accept, self.engine.room, self.engine.sources_moved
        )

    def _adopted(self, config: Any) -> None:
        self.store.timing = timing_of(config)

    def put_in_place(self, config: Mapping[str, Any]) -> None:
        self.path.write_text(written(config, self.services.addresses))

    async def start(self) -> None:
        self.services.forget()
        await self.redis.hset(f"{PREFIX}:heard", mapping={"since": self.began - HOUR})
        await self._set_clock()
        await self.plan.start()
        await self.holds.keep_up(0)
        await self.oncall.keep_up()

    async def close(self) -> None:
        await asyncio.gather(self.engine.stop(1), self.sender.stop(1))

    async def _set_clock(self) -> None:
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.set(f"{PREFIX}:clock", self.now)
            pipe.hset(f"{PREFIX}:heard", "alive", self.now)
            await pipe.execute()

    def away(self, kind: str, message: Message) -> tuple[str, int]:
        """How the service fails at this attempt, "" if it does not, and how long it asks to wait (s)."""
        names = {kind, message.receiver, *([message.person] if message.person else [])}
        since = self.now - self.began
        for one in self.drawn.failures:
            if one["what"] in names and one["since"] <= since < one["until"]:
                return one["how"], one["wait"]
        return "", 0

    async def settle(self) -> int:
        """Everything that is due now is done; the deadline that comes next, 0 for none."""
        while True:
            await self.engine.in_turn()
            claim = await self.engine.claim(0)
            if claim.groups or claim.moved or claim.walk:
                continue
            if not await self.sender.in_turn() and claim.wait != 0:
                return self.now + claim.wait if claim.wait is not None else 0

    async def until(self, at: int) -> None:
        """Lets time pass up to `at` (ms since it began), stopping at every deadline."""
        end = self.began + at
        while (upcoming := await self.settle()) and upcoming <= end:
            self.now = upcoming
            await self._set_clock()
        self.now = end
        await self._set_clock()
        await self.settle()

    async def take(self, arrivals: Sequence[Arrival]) -> None:
        await self.intake.take(arrivals)
        await self.settle()

    async def answer(self, number: int, answer: Answer) -> None:
        """To one incident, or with 0 to all that are open."""
        numbers = [number]
        if not number:
            numbers = sorted(one.number for one in await reading.incidents(self.store, "open", 1_000))
        for one in numbers:
            with contextlib.suppress(NoSuchIncidentError, AnswerError):
                await self.answers.give(one, answer)
            await self.settle()

    async def silence(self, wanted: Wanted) -> str:
        change = await self.holds.silence_store.put(wanted)
        await self.settle()
        return change.silence.id

    async def unsilence(self, identity: str) -> None:
        await self.holds.silence_store.expire(identity)
        await self.settle()

    async def silences(self) -> tuple[Silence, ...]:
        """All that there are."""
        _, found = await self.holds.silence_store.load()
        return tuple(found.all)

    async def reload(self, config: Mapping[str, Any]) -> None:
        self.put_in_place(config)
        await self.plan.reload()
        await self.settle()
