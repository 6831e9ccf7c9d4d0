"""Overrides in Redis: who is on call instead, for all schedules and all processes.

One is written whole and later only cut short: what has begun ends now, so that who was on call can still be
told; what has not begun never comes. Every change raises a version, by which the others know to load anew.
Whether the names in it mean somebody is not decided here. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import orjson
import structlog

from gateway.store import keys
from gateway.store.unavailable import StoreUnavailableError
from routing.oncall import Override

if TYPE_CHECKING:
    from gateway.store.store import Store

log = structlog.get_logger()

MOST: Final = 5_000
TRIES: Final = 10


class UnknownOverrideError(LookupError):
    """There is no override with this id, or it ended so long ago that it was removed."""


class TooManyOverridesError(Exception):
    """So many overrides have not ended yet that no more are taken."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An override, and when it was made (of two at the same time the later one counts)."""

    override: Override
    made_at: int


class OverrideStore:
    """The overrides of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def version(self) -> int:
        """Raised by every change; 0 while there has been none. Raises `StoreUnavailableError`."""
        return int(await self._store.read("GET", keys.version(keys.OVERRIDES)) or 0)

    async def load(self) -> tuple[Kept, ...]:
        """All of them, in the order in which they were made. Raises `StoreUnavailableError`."""
        texts = await self._store.read("HGETALL", keys.shared(keys.OVERRIDES))
        found = [one for text in texts.values() if (one := _read(text)) is not None]
        return tuple(sorted(found, key=lambda one: (one.made_at, one.override.id)))

    async def add(self, override: Override) -> Kept:
        """Keeps an override; its id is made here.

        Raises:
            TooManyOverridesError: there is no room for another one.
            StoreUnavailableError: Redis cannot be asked now.
        """
        now = await self._store.now()
        made = Kept(replace(override, id=uuid4().hex[:8]), now)
        if not await self._write(now, made, ""):
            raise _contended()
        return made

    async def remove(self, identity: str) -> Kept:
        """Ends it now; one that has not begun never comes, and one that has ended stays as it is.

        Raises:
            UnknownOverrideError: there is none with this id.
            StoreUnavailableError: Redis cannot be asked now.
        """
        for _ in range(TRIES):
            text = await self._store.read("HGET", keys.shared(keys.OVERRIDES), identity) or ""
            known = _read(text) if text else None
            if known is None:
                raise UnknownOverrideError(identity)
            now = await self._store.now()
            end = max(known.override.start, min(known.override.end, now))
            cut = replace(known, override=replace(known.override, end=end))
            if cut == known or await self._write(now, cut, text):
                return cut
        raise _contended()

    async def _write(self, now: int, kept: Kept, before: str) -> bool:
        """False where the record is no longer what it was."""
        one = kept.override
        text = orjson.dumps(asdict(one) | {"made_at": kept.made_at}).decode()
        row = (one.id, before, text, min(one.end, now) if one.end <= one.start else one.end)
        forget = now - self._store.timing.retention
        outcome, _ = await self._store.keep(keys.OVERRIDES, now, forget, MOST, [row])
        if outcome == "full":
            raise TooManyOverridesError(f"{MOST} overrides have not ended yet; remove some")
        return outcome == "ok"


def _read(text: str) -> Kept | None:
    """None for a record that cannot be read: it counts for nothing, and the others still do."""
    try:
        record: dict[str, Any] = orjson.loads(text)
        made_at = int(record.pop("made_at"))
        return Kept(Override(**record | {"people": tuple(record["people"])}), made_at)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("override.unreadable", record=text[:200], error=repr(error))
        return None


def _contended() -> StoreUnavailableError:
    return StoreUnavailableError("others change the same override again and again", 1)
