"""What was answered to a request that names itself (the header `Idempotency-Key`), so that it is done once.

The first that comes takes the key; whoever sends the same again is given the same answer for a day. Of an
answer that was never finished (a crash, the store away) nothing is known after a minute, and it is done anew.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.store import keys
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from gateway.store.store import Store

KEPT_MS: Final = 24 * 3_600_000
UNDER_WAY_MS: Final = 60_000


class OtherRequestError(ValueError):
    """The key was used for something else."""


class UnderWayError(Exception):
    """The same request is being answered at this moment."""


class Once:
    """One request: `asked` is all that it asks for, `key` what its sender calls it."""

    def __init__(self, store: Store, sender: str, key: str, asked: str) -> None:
        self._store = store
        self._name = keys.answered(sha256(f"{sender}\0{key}".encode()).hexdigest())
        self._asked = sha256(asked.encode()).hexdigest()

    async def before(self) -> Any:
        """What was answered to the same request; None where this is the first, which `keep` or `drop` ends.

        Raises:
            OtherRequestError: the key was used for something else.
            UnderWayError: the same is being answered right now.
            StoreUnavailableError: Redis cannot be asked now.
        """
        begun = orjson.dumps([self._asked])
        taken = ("SET", self._name, begun, "NX", "PX", UNDER_WAY_MS)
        if (await self._store.together([taken]))[0]:
            return None
        text = await self._store.read("GET", self._name)
        if text is None:  # it has just been dropped
            raise UnderWayError
        asked, *answer = orjson.loads(text)
        if asked != self._asked:
            raise OtherRequestError
        if not answer:
            raise UnderWayError
        return answer[0]

    async def answer(self) -> Any:
        """What was answered to what was asked under this key, whatever it was; None for nothing (any more).

        Raises:
            UnderWayError: it is being answered right now.
            StoreUnavailableError: Redis cannot be asked now.
        """
        text = await self._store.read("GET", self._name)
        if text is None:
            return None
        _asked, *answer = orjson.loads(text)
        if not answer:
            raise UnderWayError
        return answer[0]

    async def keep(self, answer: Any) -> None:
        """The answer, as JSON can hold it. Raises `StoreUnavailableError`."""
        text = orjson.dumps([self._asked, answer])
        await self._store.together([("SET", self._name, text, "PX", KEPT_MS)])

    async def drop(self) -> None:
        """There is no answer: the same may be asked again at once (or, with the store away, in a minute)."""
        with contextlib.suppress(StoreUnavailableError):
            await self._store.together([("DEL", self._name)])
