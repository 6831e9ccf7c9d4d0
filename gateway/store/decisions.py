"""The decisions that were recorded of an incident, oldest first, at most the newest 200 (commit.lua).

What a record holds says `routing/recorded.py`. One that cannot be read, since a newer version wrote it, is
left out and counted: it must not keep the others from being shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson
import structlog

from gateway.store import keys
from routing.recorded import from_json, to_json

if TYPE_CHECKING:
    from gateway.store.store import Store
    from routing.recorded import Recorded

log = structlog.get_logger()

KEPT = 200
"""As commit.lua has it: so many are kept of an incident."""


class Kept(NamedTuple):
    """What is there of an incident; `unreadable` counts records that this version cannot read."""

    decisions: list[Recorded]
    unreadable: int


def text(one: Recorded) -> str:
    """The record as commit.lua keeps it."""
    return orjson.dumps(to_json(one)).decode()


async def decisions(store: Store, shard: int, number: int) -> Kept:
    """Raises `StoreUnavailableError`."""
    found: list[Recorded] = []
    unreadable = 0
    for record in await store.read("LRANGE", f"{keys.prefix(shard)}:w:{number}", 0, -1):
        try:
            found.append(from_json(orjson.loads(record)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            unreadable += 1
            log.warning("decision.unreadable", incident=number, error=repr(error))
    return Kept(found, unreadable)
