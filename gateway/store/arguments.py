"""What the store's steps are handed, as typed records; what they answer is in `records.py`.

All times and durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.weighing import Change

REMEMBER: Final = 24 * 3_600_000
"""How long an ended alert is remembered, so that late copies and returns of it are known as such."""

Generation = str
"""Of the plan in force, with its digest: handed to what may only be done under that plan."""

Room = dict[str, int]
"""Kind of receiver -> how many more deliveries of it the caller can begin."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The durations that scripts are handed: `dedup:` of the configuration, and two of its neighbours."""

    reorder: int = 45_000
    confirm: int = 330_000
    stale_after: int = 43_200_000
    resolve_timeout: int = 300_000
    retention: int = 30 * 24 * 3_600_000
    dismissed_for: int = 14_400_000
    silence_retention: int = 120 * 3_600_000

    @property
    def as_json(self) -> str:
        """For the scripts. What is fresher than a seventy-second of `stale_after` is not written again."""
        return orjson.dumps(
            {
                "reorder": self.reorder,
                "confirm": self.confirm,
                "stale_after": self.stale_after,
                "dismissed_for": self.dismissed_for,
                "remember": REMEMBER,
                "fresh": max(self.stale_after // 72, 1),
            }
        ).decode()


@dataclass(frozen=True, slots=True)
class Unit:
    """Alerts of one request for one group: `alerts` are rows of ingest.lua, `contents` go beside them."""

    gid: str
    digest: str
    meta: str
    group_wait: int
    group_interval: int
    alerts: Sequence[Sequence[Any]]
    contents: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a group's alerts are held by, as judged at one moment: the arguments of weigh.lua."""

    marks: int
    version: int
    upto: int
    all: bool
    looked: int
    changes: Sequence[Change]
    lines: Sequence[tuple[str, str]]


KeptRow = tuple[str, str, str, int]
"""Id, record as it was read ("" for none), record as it shall be, when it ends."""
