"""Heartbeats in Redis: when each was last heard, and what was found missing; one place for all processes.

Beats are written as they come. Whatever is decided from a record is written only if that still stands, so
that two processes which look at the same moment find one thing missing, since the same moment. Times are
milliseconds of Redis' clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from gateway.store import keys
from routing.heartbeats import Pulse, from_record, to_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.store.arguments import Generation
    from gateway.store.store import Store

_SHARD: Final = 0
"""They are few, and stand with the plan and with what was heard, of which they want to know."""


class Kept(NamedTuple):
    """A record as it was read, and what it says."""

    text: str
    pulse: Pulse


class Look(NamedTuple):
    """All records at one moment; `listening_since` is since when somebody has listened without a gap."""

    now: int
    listening_since: int
    kept: dict[str, Kept]


class HeartbeatStore:
    """The heartbeats of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def beat(self, names: Sequence[str]) -> int:
        """They have beaten now: durable, at the time that is answered. Raises `StoreUnavailableError`."""
        return int(await self._store.heartbeats(_SHARD, "beat", *names))

    async def look(self, generation: Generation, names: Sequence[str]) -> Look:
        """All of them. `names`, those of the plan of that generation, are known from now on.

        Others are forgotten unless they are missing.

        Raises:
            PlanChangedError: another plan is in force.
            StoreUnavailableError: Redis cannot be asked now.
        """
        answer = await self._store.look_at_heartbeats(_SHARD, generation, names)
        now, since, *rows = answer
        return Look(int(now), int(since), _kept(dict(zip(rows[::2], rows[1::2], strict=True))))

    async def all(self) -> dict[str, Kept]:
        """All records, of which nothing is changed. Raises `StoreUnavailableError`."""
        return _kept(await self._store.read("HGETALL", f"{keys.prefix(_SHARD)}:heartbeats"))

    async def firing(self, alerts: Sequence[tuple[int, str, str]]) -> list[int]:
        """When each alert (shard, group, alert) began, the latest that a copy said; 0 for those that ended.

        Raises:
            StoreUnavailableError: Redis cannot be asked now.
        """
        states = await self._store.together(
            ("HGET", f"{keys.prefix(shard)}:s:{gid}", key) for shard, gid, key in alerts
        )
        known = [orjson.loads(state) if state else ("resolved", 0, 0) for state in states]
        return [0 if status == "resolved" else int(latest) for status, _, latest, *_ in known]

    async def change(self, changes: Mapping[str, tuple[Kept, Pulse]]) -> set[str]:
        """Writes each pulse unless its record is another one by now; the names of those written.

        Raises:
            StoreUnavailableError: Redis cannot be asked now.
        """
        if not changes:
            return set()
        rows = [part for name, (kept, pulse) in changes.items() for part in (name, kept.text, _text(pulse))]
        written = await self._store.heartbeats(_SHARD, "change", *rows)
        return {name for name, done in zip(changes, written, strict=True) if done}


def _kept(records: Mapping[str, str]) -> dict[str, Kept]:
    return {name: Kept(text, _read(text)) for name, text in records.items()}


def _text(pulse: Pulse) -> str:
    missing = orjson.dumps(to_record(pulse.missing)).decode() if pulse.missing else ""
    return orjson.dumps([pulse.known, pulse.last, missing]).decode()


def _read(text: str) -> Pulse:
    known, last, missing = orjson.loads(text)
    return Pulse(int(known), int(last), from_record(orjson.loads(missing)) if missing else None)
