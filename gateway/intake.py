"""From arrivals to the store: which groups each alert belongs to, and one shared call for all who wait.

While one call to a shard is in flight the next one collects, so that however many requests wait, each shard
has one call at a time. Who calls `take` goes on when all of it is durable. A body that has changed nothing
before is handed over as its digest; only where the store does not know it any more do its alerts follow.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from gateway.listeners import Listeners
from gateway.store.arguments import Unit
from gateway.store.store import MAX_ALERTS_A_CALL, Store
from gateway.store.unavailable import PlanChangedError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.placing import Placement, Placing
    from gateway.plan import PlanInForce
    from gateway.store.records import ClaimedGroup, Counts
    from routing.alerts import Arrival


MAX_WAITING: Final = 20_000
"""Units of groups that may wait for a call; beyond, the sender is told to come again."""

MAX_SETTLED: Final = 200_000
"""Groups whose last digest is remembered."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many alerts were news, repeats, suspect or merely recorded. Durable when it is handed out."""

    accepted: int
    repeated: int
    suspect: int
    recorded: int


class _Waiting(NamedTuple):
    unit: Unit
    placing: Placing
    answer: asyncio.Future[Counts]


class Intake:
    """Takes arrivals in. `claimed` is called with groups that are due at once and were claimed with them."""

    def __init__(
        self,
        store: Store,
        plan: PlanInForce,
        claimed: Callable[[Sequence[ClaimedGroup]], None],
        room: Callable[[], int],
        moved: Callable[[int], None],
    ) -> None:
        """`room`: how many groups may be claimed now for this process.

        `moved` is called with a shard in which sources of inhibition have moved.
        """
        self._store = store
        self._plan = plan
        self._claimed = claimed
        self._room = room
        self._moved = moved
        self.listeners = Listeners()
        self._waiting: list[list[_Waiting]] = [[] for _ in range(store.shards)]
        self._calls: list[asyncio.Task[None] | None] = [None] * store.shards
        self._settled: dict[str, str] = {}  # group -> digest of its last body that changed nothing

    async def take(self, arrivals: Sequence[Arrival]) -> Receipt:
        """Stores them all.

        Raises:
            StoreUnavailableError: some may be stored, some are not; the sender must repeat all of them,
                which does no harm.
        """
        try:
            receipt = await self._take(arrivals)
        except PlanChangedError:
            await self._plan.catch_up()
            receipt = await self._take(arrivals)
        if self.listeners.ears:
            self.listeners.tell(arrivals)
        return receipt

    async def _take(self, arrivals: Sequence[Arrival]) -> Receipt:
        placing = self._plan.current
        if sum(map(len, self._waiting)) > MAX_WAITING:
            raise StoreUnavailableError("too many requests wait to be stored", 1)
        counted, uncounted = _units(arrivals, placing)
        answers = [self._put(shard, unit, placing) for shard, unit in counted]
        extra = [self._put(shard, unit, placing) for shard, unit in uncounted]
        counts = [await answer for answer in answers]
        for answer in extra:
            await answer
        return Receipt(*map(sum, zip(*counts, (0, 0, 0, 0), strict=True)))

    def _put(self, shard: int, unit: Unit, placing: Placing) -> asyncio.Future[Counts]:
        answer: asyncio.Future[Counts] = asyncio.get_running_loop().create_future()
        self._waiting[shard].append(_Waiting(unit, placing, answer))
        if self._calls[shard] is None:
            self._calls[shard] = asyncio.create_task(self._call(shard))
        return answer

    async def _call(self, shard: int) -> None:
        """Hands over what waits, call by call, until nothing does."""
        try:
            while waiting := self._next_batch(shard):
                await self._hand_over(shard, waiting)
        finally:
            self._calls[shard] = None

    def _next_batch(self, shard: int) -> list[_Waiting]:
        queue, size, taken = self._waiting[shard], 0, 0
        while taken < len(queue) and queue[taken].placing is queue[0].placing:
            size += len(queue[taken].unit.alerts)
            if size > MAX_ALERTS_A_CALL and taken:
                break
            taken += 1
        self._waiting[shard] = queue[taken:]
        return queue[:taken]

    async def _hand_over(self, shard: int, waiting: list[_Waiting]) -> None:
        try:
            units = [one.unit for one in waiting]
            asked = {at for at, unit in enumerate(units) if self._settled.get(unit.gid) == unit.digest}
            generation = waiting[0].placing.generation
            counts, claimed, moved = await self._store.ingest(shard, generation, units, self._room(), asked)
        except StoreUnavailableError as error:
            if not isinstance(error, PlanChangedError):  # the store is away for all who wait
                waiting = waiting + self._waiting[shard]
                self._waiting[shard] = []
            _fail(waiting, error)
            return
        except BaseException:
            _fail(waiting, StoreUnavailableError("the request was broken off"))
            raise
        if claimed:
            self._claimed(claimed)
        if moved:
            self._moved(shard)
        whole = []
        for one, count in zip(waiting, counts, strict=True):
            self._learn(one.unit, count)
            if count is None:
                whole.append(one)
            elif not one.answer.done():
                one.answer.set_result(count)
        if whole:
            await self._hand_over(shard, whole)

    def _learn(self, unit: Unit, count: Counts | None) -> None:
        """A body that changed nothing comes again as it is, most likely: then its digest is enough."""
        if count is None or count[0] or count[2]:
            self._settled.pop(unit.gid, None)
            return
        if len(self._settled) >= MAX_SETTLED:
            self._settled.clear()
        self._settled[unit.gid] = unit.digest

    async def close(self) -> None:
        """Waits for the calls in flight."""
        await asyncio.gather(*(call for call in self._calls if call), return_exceptions=True)


def _fail(waiting: Sequence[_Waiting], error: Exception) -> None:
    for one in waiting:
        if not one.answer.done():
            one.answer.set_exception(error)
            one.answer.exception()  # its request may be gone: then nobody else asks


_Units = list[tuple[int, Unit]]


def _units(arrivals: Sequence[Arrival], placing: Placing) -> tuple[_Units, _Units]:
    """One unit for each group; an alert of several groups counts in its first one only."""
    counted: dict[str, tuple[Placement, list[Any], list[bytes]]] = {}
    uncounted: dict[str, tuple[Placement, list[Any], list[bytes]]] = {}
    for arrival in arrivals:
        content = orjson.dumps((arrival.labels, arrival.annotations, arrival.generator_url))
        firing = arrival.status == "firing"
        places, rank, patience, filed = placing.placed(arrival.key, arrival.labels)
        row = (
            arrival.key,
            int(firing),
            arrival.starts_at,
            arrival.ends_at or 0,
            arrival.until or 0,
            rank,
            patience,
            filed,
        )
        into = counted
        for place in places if firing else places + placing.strays(arrival.key):
            if place.gid not in into:
                into[place.gid] = (place, [], [])
            _, rows, contents = into[place.gid]
            rows.append(row)
            contents.append(content)
            into = uncounted
    return _chunks(counted), _chunks(uncounted)


def _chunks(by_group: dict[str, tuple[Placement, list[Any], list[bytes]]]) -> _Units:
    return [
        (place.shard, _unit(place, rows[at : at + MAX_ALERTS_A_CALL], contents[at : at + MAX_ALERTS_A_CALL]))
        for place, rows, contents in by_group.values()
        for at in range(0, len(rows), MAX_ALERTS_A_CALL)
    ]


def _unit(place: Placement, rows: Sequence[Any], contents: Sequence[bytes]) -> Unit:
    digest = blake2b(orjson.dumps(rows), digest_size=8)
    for content in contents:
        digest.update(content)
    return Unit(
        place.gid, digest.hexdigest(), place.meta, place.group_wait, place.group_interval, rows, contents
    )
