"""The leases that this process holds: prolonged each second while it works, given back when it stops.

A lease is a deadline pushed into the future. Who holds one keeps its score; a score that is another by now
belongs to somebody else, and the work behind it is fenced off when it is committed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
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


class Leases:
    """What is held, by shard: member -> score."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[int, dict[str, int]] = defaultdict(dict)

    def hold(self, claimed: Claimed) -> None:
        """It was claimed for us."""
        self._held[claimed.shard][claimed.member] = claimed.lease

    def renewed(self, claimed: Claimed, lease: int) -> None:
        """Somebody else prolonged it: the call before sending."""
        self._held[claimed.shard][claimed.member] = lease

    def drop(self, claimed: Claimed) -> None:
        """The work is committed, or lost."""
        self._held[claimed.shard].pop(claimed.member, None)

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    async def run(self) -> None:
        """Renews until cancelled. A store that is away is no reason to stop: the fences hold."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            for shard, held in list(self._held.items()):
                try:
                    await self._renew(shard, dict(held))
                except StoreUnavailableError as error:
                    log.warning("leases.not_renewed", shard=shard, held=len(held), error=str(error))

    async def _renew(self, shard: int, held: dict[str, int]) -> None:
        if not held:
            return
        scores = await self._store.renew(shard, list(held.items()))
        for (member, before), score in zip(held.items(), scores, strict=True):
            if self._held[shard].get(member) != before:
                continue  # dropped, or prolonged by the call before sending, while we asked
            if score:
                self._held[shard][member] = score
            else:
                del self._held[shard][member]
                metrics.leases_lost.inc()

    async def give_back(self) -> None:
        """At shutdown: what we still hold is due again at once, for whoever comes next."""
        for shard, held in self._held.items():
            members = list(held)
            held.clear()
            await self._store.release(shard, members)
