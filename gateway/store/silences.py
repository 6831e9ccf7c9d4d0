"""Silences in Redis: one place for all shards and all processes, written without losing anybody's change.

A change is decided by `routing/silence_changes.py` from the record as it was read, and written only if that
still stands; else it is decided again. Every change raises a version, by which the others know to load anew.
What silences hold back is not decided here. Times are milliseconds.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import orjson
import structlog

from gateway.store import keys
from gateway.store.unavailable import StoreUnavailableError
from routing import silence_changes
from routing.silences import Silence, Silences, from_record, to_record

if TYPE_CHECKING:
    from gateway.store.arguments import KeptRow
    from gateway.store.store import Store
    from routing.silence_changes import Change, Wanted

log = structlog.get_logger()

MAX_SILENCES: Final = 20_000
TRIES: Final = 10
PARSED_A_TURN: Final = 200


class UnknownSilenceError(LookupError):
    """There is no silence with this id, or it ended so long ago that it was removed."""


class TooManySilencesError(Exception):
    """So many silences have not ended yet that no more are taken."""


class SilenceStore:
    """The silences of one store, and a memory of those that were loaded last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaded = (0, Silences())
        self._parsed: dict[str, tuple[str, Silence | None]] = {}
        self._loading = asyncio.Lock()

    async def version(self) -> int:
        """Raised by every change; 0 while there has been none. Raises `StoreUnavailableError`."""
        return int(await self._store.read("GET", keys.SILENCES_VERSION) or 0)

    async def load(self) -> tuple[int, Silences]:
        """All silences, and a version that they are not older than; from memory while that is the newest.

        Raises:
            StoreUnavailableError: Redis cannot be asked now.
        """
        async with self._loading:
            version = await self.version()
            if version != self._loaded[0]:
                texts = await self._store.read("HGETALL", keys.SILENCES)
                await self._parse(texts)
                readable = [one for _, one in self._parsed.values() if one is not None]
                # In a thread: of ten thousand the index takes a tenth of a second.
                self._loaded = version, await asyncio.to_thread(Silences, readable)
            return self._loaded

    async def _parse(self, texts: dict[str, str]) -> None:
        """Only what is new is read: thousands of regular expressions take their time."""
        parsed: dict[str, tuple[str, Silence | None]] = {}
        new = 0
        for identity, text in texts.items():
            known = self._parsed.get(identity)
            if known is None or known[0] != text:
                known = text, _read(text)
                new += 1
                if new % PARSED_A_TURN == 0:
                    await asyncio.sleep(0)
            parsed[identity] = known
        self._parsed = parsed

    async def now(self) -> int:
        """The store's clock, by which silences start and end."""
        return await self._store.now()

    async def put(self, wanted: Wanted) -> Change:
        """Makes the silence, or changes the one that it names; all processes know it within a second.

        Raises:
            InvalidSilenceError: it can be no silence.
            UnknownSilenceError: it names one that is not there.
            TooManySilencesError: there is no room for another one.
            StoreUnavailableError: Redis cannot be asked now.
        """
        for _ in range(TRIES):
            text, now = await asyncio.gather(self._text(wanted.id), self.now())
            known = _read(text) if text else None
            if wanted.id and known is None:
                raise UnknownSilenceError(wanted.id)
            change = silence_changes.put(wanted, known, now, str(uuid4()))
            rows = [_row(change.silence, text if change.silence.id == wanted.id else "")]
            if change.ended:
                rows.append(_row(change.ended, text))
            if await self._write(now, rows):
                return change
        raise _contended()

    async def expire(self, identity: str) -> Silence:
        """Ends a silence now; one that has ended stays as it is.

        Raises:
            UnknownSilenceError: there is none with this id.
            StoreUnavailableError: Redis cannot be asked now.
        """
        for _ in range(TRIES):
            text, now = await asyncio.gather(self._text(identity), self.now())
            known = _read(text) if text else None
            if known is None:
                raise UnknownSilenceError(identity)
            ended = silence_changes.expire(known, now)
            if ended is known or await self._write(now, [_row(ended, text)]):
                return ended
        raise _contended()

    async def forget(self) -> None:
        """Removes what ended longer ago than `silences.retention`; every change does that too."""
        await self._write(await self.now(), [])

    async def _text(self, identity: str) -> str:
        return await self._store.read("HGET", keys.SILENCES, identity) or "" if identity else ""

    async def _write(self, now: int, rows: list[KeptRow]) -> bool:
        """False where a record is no longer what it was."""
        forget = now - self._store.timing.silence_retention
        outcome, version = await self._store.keep("silences", now, forget, MAX_SILENCES, rows)
        if outcome == "full":
            raise TooManySilencesError(
                f"{MAX_SILENCES} silences have not ended yet; expire some, or widen one instead of adding one"
            )
        if outcome == "ok" and rows:
            await self._store.wake_walk(version)
        return outcome == "ok"


def _row(silence: Silence, before: str) -> KeptRow:
    return silence.id, before, orjson.dumps(to_record(silence)).decode(), silence.ends_at


def _read(text: str) -> Silence | None:
    """None for a record that cannot be read: it holds nothing back, and the others still do."""
    try:
        return from_record(orjson.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        log.warning("silence.unreadable", record=text[:200], error=repr(error))
        return None


def _contended() -> StoreUnavailableError:
    return StoreUnavailableError("others change the same silence again and again", 1)
