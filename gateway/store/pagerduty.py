"""Events of PagerDuty in Redis: each is taken once, and kept until it has been worked on.

What an event means is not decided here. Times and durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import orjson
import structlog

if TYPE_CHECKING:
    from gateway.store.store import Store

log = structlog.get_logger()

SHARD: Final = 0  # that keeps them, whatever they are about
MOST: Final = 10_000  # kept at once
RETENTION: Final = 24 * 3_600_000  # for so long an id is known, at least; and so long an event is tried
LEASE: Final = 12_000
FIRST_PAUSE: Final = 1_000
LONGEST_PAUSE: Final = 60_000

Taken = Literal["kept", "known", "stale", "full"]


@dataclass(frozen=True, slots=True)
class Event:
    """What PagerDuty said has happened over there.

    Attributes:
        id: of the event; a repeated delivery has the same.
        kind: `acknowledged`, `resolved` or `unacknowledged`.
        at: when it happened, by PagerDuty's clock.
        incident: PagerDuty's id of the incident.
        key: the key under which it was triggered, "" where the webhook does not say.
        person: PagerDuty's id of who did it, "" for nobody.
        name: how PagerDuty calls them.
        tries: how often it was worked on in vain.
    """

    id: str
    kind: Literal["acknowledged", "resolved", "unacknowledged"]
    at: int
    incident: str
    key: str = ""
    person: str = ""
    name: str = ""
    tries: int = 0


class Events:
    """The events of one store. Every method raises `StoreUnavailableError` where Redis cannot be asked."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, event: Event, window: int) -> Taken:
        """Makes it durable, unless it is known, older than `window` or from the future, or too many wait."""
        retention = max(RETENTION, 2 * window)
        answer = await self._store.pagerduty(
            SHARD, "take", event.id, event.at, window, retention, MOST, _text(event)
        )
        taken: Taken = answer
        return taken

    async def claim(self, count: int) -> list[Event]:
        """At most `count` that are due, leased to the caller for `LEASE`."""
        found: list[Event] = []
        for identity, text in await self._store.pagerduty(SHARD, "claim", count, LEASE):
            try:
                found.append(Event(**orjson.loads(text)))
            except (ValueError, TypeError) as error:  # it must not keep the others waiting
                log.error("pagerduty.unreadable", record=text[:200], error=repr(error))  # noqa: TRY400
                await self._store.pagerduty(SHARD, "done", identity)
        return found

    async def done(self, event: Event) -> None:
        """Nothing more is to be done about it."""
        await self._store.pagerduty(SHARD, "done", event.id)

    async def again(self, event: Event) -> None:
        """It is tried again later, each time a little later."""
        pause = min(FIRST_PAUSE << min(event.tries, 16), LONGEST_PAUSE)
        later = replace(event, tries=event.tries + 1)
        await self._store.pagerduty(SHARD, "again", event.id, pause, _text(later))

    async def theirs(self, shard: int, delivery: str, key: str) -> None:
        """Somebody over there has acknowledged what is open under this key of a delivery; "" for nobody."""
        await self._store.pagerduty(shard, "theirs", delivery, key)


def _text(event: Event) -> str:
    return orjson.dumps(asdict(event)).decode()
