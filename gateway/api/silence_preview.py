"""What a silence would hide of what fires now, and whether that is everything.

It reads all alerts that fire, whether something holds them already or not. Nothing is changed here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from gateway.api import shapes, silence_shapes
from gateway.store import keys, reading
from receivers.base import SHOWN_ALERTS
from routing.alerts import fingerprint
from routing.incident_records import Incident, from_record
from routing.matchers import matches_all, show
from routing.silence_changes import hides_everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.store import Store
    from routing.matchers import Matcher

WITHIN_S: Final = 8.0  # less than the command line waits for an answer
A_FEW: Final = 5
"""From so many firing alerts on, hiding all of them is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be hidden now.

    Attributes:
        firing: how many alerts fire; one that is in several groups counts once.
        hidden: how many of them meet the matchers; `alerts` has the labels of the first 50.
        incidents: the first 50 incidents that hold some of them, with how many of theirs are hidden.
        complete: all alerts were looked at; else there were too many for the time.
        refusal: why such a silence is refused unless it is forced, "" if it is not.
    """

    firing: int
    hidden: int
    alerts: tuple[dict[str, str], ...]
    incidents: tuple[tuple[Incident, int, int], ...]
    complete: bool
    refusal: str

    def shape(self, external_url: str) -> silence_shapes.Preview:
        """As the API shows it."""
        return {
            "firing": self.firing,
            "hidden": self.hidden,
            "complete": self.complete,
            "refusal": self.refusal or None,
            "alerts": [{"labels": labels, "fingerprint": fingerprint(labels)} for labels in self.alerts],
            "incidents": [
                {
                    **shapes.incident(incident, external_url),
                    "number": incident.number or None,
                    "hidden": hidden,
                    "firing": firing,
                }
                for incident, hidden, firing in self.incidents
            ],
        }


async def preview(store: Store, matchers: Sequence[Matcher]) -> Preview:
    """What a silence with these matchers would hide of what fires now. Raises `StoreUnavailableError`."""
    seen: dict[str, bool] = {}
    alerts: list[dict[str, str]] = []
    firing: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    try:
        async with asyncio.timeout(WITHIN_S):
            async for gid, key, labels, *_ in reading.firing_alerts(store):
                if (met := seen.get(key)) is None:
                    met = seen[key] = matches_all(matchers, labels)
                    if met and len(alerts) < SHOWN_ALERTS:
                        alerts.append(labels)
                firing[gid] += 1
                hidden[gid] += met
            complete = True
    except TimeoutError:
        complete = False
    gids = sorted(gid for gid, count in hidden.items() if count)
    incidents = sorted(await _incidents(store, gids), key=lambda pair: pair[1].number)
    count = sum(seen.values())
    return Preview(
        firing=len(seen),
        hidden=count,
        alerts=tuple(alerts),
        incidents=tuple((one, hidden[gid], firing[gid]) for gid, one in incidents[:SHOWN_ALERTS]),
        complete=complete,
        refusal=_refusal(matchers, len(seen), count, complete=complete),
    )


def _refusal(matchers: Sequence[Matcher], firing: int, hidden: int, *, complete: bool) -> str:
    if hides_everything(matchers):
        return f"It would hide everything: any alert meets {show(matchers)}."
    if complete and firing >= A_FEW and hidden == firing:
        return f"It would hide everything that fires now: all {firing} alerts meet {show(matchers)}."
    return ""


async def _incidents(store: Store, gids: Sequence[str]) -> list[tuple[str, Incident]]:
    """The present incident of each of the groups; a group that has just begun has none yet."""
    docs = await asyncio.gather(
        *(
            store.read("HGET", f"{keys.prefix(keys.shard_of(gid, store.shards))}:g:{gid}", "doc")
            for gid in gids
        )
    )
    return [(gid, from_record(orjson.loads(doc))) for gid, doc in zip(gids, docs, strict=True) if doc]
