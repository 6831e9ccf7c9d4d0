"""Between moments and what the clock on a wall shows, where clocks are put forward and back.

In spring a wall clock skips times: such a time counts as the first moment after the gap. In autumn it shows
times twice: what starts then, starts the first time, and what ends then, ends the second time, so that
nothing is left out. Both follow from asking for a start or for an end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from routing.calendar import zone

DAY: Final = 86_400  # seconds, as a clock counts them
FOREVER: Final = 1 << 53  # milliseconds: later than any moment that clocks here can show

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what clocks on walls show has no zone
_LAST: Final = (datetime(9999, 1, 1) - _EPOCH) // timedelta(seconds=1)  # noqa: DTZ001 - as above


def start_at(shown: datetime, location: str) -> int:
    """When the clock there first shows this (a datetime without a zone), milliseconds.

    The location is the IANA name of a time zone, `UTC`, or `Local` for that of this machine.

    Raises:
        LookupError, ValueError, OSError: this machine knows no such zone.
    """
    return moment(location, seconds(shown))


def end_at(shown: datetime, location: str) -> int:
    """When the clock there shows this for the last time, milliseconds; raises as `start_at`."""
    return moment(location, seconds(shown), last=True)


def seconds(shown: datetime) -> int:
    """The same as a number that can be counted with: seconds since the clock showed 1970."""
    return (shown - _EPOCH) // timedelta(seconds=1)


def clock(location: str, at: int) -> int:
    """What the clock there shows at this moment (milliseconds), as `seconds` gives it."""
    at = min(at // 1000, _LAST)
    return at + _ahead(datetime.fromtimestamp(at, zone(location)))


@lru_cache(maxsize=8192)  # what is asked about a day is asked again and again
def moment(location: str, shown: int, *, last: bool = False) -> int:
    """When the clock there shows this (`seconds`): the first or the last time; `FOREVER` from 9999 on."""
    if shown >= _LAST:
        return FOREVER
    wall = (_EPOCH + timedelta(seconds=shown)).replace(tzinfo=zone(location))
    first, second = shown - _ahead(wall), shown - _ahead(wall.replace(fold=1))
    if second < first:  # never shown; the clocks are put forward after `second`, at `first` at the latest
        return _change(location, second, first) * 1000
    return (second if last else first) * 1000


def _ahead(there: datetime) -> int:
    """How far the clock is ahead of UTC, seconds."""
    offset = (there if there.tzinfo else there.astimezone()).utcoffset() or timedelta()
    return offset.days * DAY + offset.seconds


def _change(location: str, before: int, until: int) -> int:
    """When the clocks are put forward between these moments (seconds)."""
    ahead = clock(location, before * 1000) - before
    while until - before > 1:
        middle = (before + until) // 2
        if clock(location, middle * 1000) - middle == ahead:
            before = middle
        else:
            until = middle
    return until
