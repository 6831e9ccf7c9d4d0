"""The leases that this process holds: prolonged each second while it works, given back when it stops.

A lease is a deadline pushed into the future. Who holds one keeps its score; a score that is another by now
belongs to somebody else, and the work behind it is fenced off when it is committed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from gateway import metrics
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from gateway.store.store import Store

log = structlog.get_logger()

RENEW_EVERY_S: Final = 1.0


class Claimed(Protocol):
    """What can be held: a claimed group or delivery."""

    @property
    def shard(self) -> int: ...
    @property
    def member(self) -> str: ...
    @property
    def lease(self) -> int: ...


@dataclass(slots=True)
class _Held:
    claimed: Claimed
    score: int


class Leases:
    """What is held, by shard and member: the claim and its score.

    A member may be claimed for us anew while we still work by an earlier claim (its lease ended while the
    store stalled): what the earlier one does then no longer touches the entry.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[int, dict[str, _Held]] = defaultdict(dict)

    def hold(self, claimed: Claimed) -> None:
        """It was claimed for us."""
        self._held[claimed.shard][claimed.member] = _Held(claimed, claimed.lease)

    def renewed(self, claimed: Claimed, lease: int) -> None:
        """Somebody else prolonged it: the call before sending, or a claim of what we work on already."""
        self._held[claimed.shard][claimed.member] = _Held(claimed, lease)

    def drop(self, claimed: Claimed) -> None:
        """The work is committed, or lost."""
        held = self._held[claimed.shard]
        if claimed.member in held and held[claimed.member].claimed is claimed:
            del held[claimed.member]

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    async def run(self) -> None:
        """Renews until cancelled. A store that is away is no reason to stop: the fences hold."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            for shard, held in list(self._held.items()):
                try:
                    await self._renew(shard, {member: one.score for member, one in held.items()})
                except StoreUnavailableError as error:
                    log.warning("leases.not_renewed", shard=shard, held=len(held), error=str(error))

    async def _renew(self, shard: int, scores: dict[str, int]) -> None:
        if not scores:
            return
        renewed = await self._store.renew(shard, list(scores.items()))
        held = self._held[shard]
        for (member, before), score in zip(scores.items(), renewed, strict=True):
            if member not in held or held[member].score != before:
                continue  # dropped, or prolonged by the call before sending, while we asked
            if score:
                held[member].score = score
            else:
                del held[member]
                metrics.leases_lost.inc()

    async def give_back(self) -> None:
        """At shutdown: what we still hold is due again at once, for whoever comes next."""
        for shard, held in self._held.items():
            members = list(held)
            held.clear()
            await self._store.release(shard, members)
