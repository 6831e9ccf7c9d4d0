"""Moments at which something counts that does not always: a layer of a schedule, a time interval.

They are looked for from a given moment on, about a year ahead. All moments are milliseconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from routing.calendar import HORIZON, quiet
from routing.oncall import layer_on_call, on_call, shifts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routing.calendar import TimeInterval
    from routing.oncall import Schedule

_MINUTE: Final = 60_000
_QUARTER: Final = 15 * _MINUTE
_HOUR: Final = 60 * _MINUTE
_WEEK: Final = 7 * 24 * _HOUR
_MONTH: Final = 35 * 24 * _HOUR


def layer_of(schedule: Schedule, at: int) -> int:
    """The layer, from 0, by which somebody is on call; -1 where nobody is, or only by overrides."""
    position, people = layer_on_call(schedule, at)
    return position if set(people) & set(on_call(schedule, at)) else -1


def when_layer(schedule: Schedule, position: int, since: int) -> int | None:
    """A moment at which somebody is on call by this layer, a minute after it begins to; None for none."""
    for until in (since + _MONTH, since + HORIZON):
        for at in sorted(set(_changes(schedule, since, until))):
            if layer_of(schedule, at + _MINUTE) == position:
                return at + _MINUTE
    return None


def _changes(schedule: Schedule, since: int, until: int) -> Iterator[int]:
    """When any layer of it, or an override, begins or ceases to have somebody."""
    for layer in schedule.layers:
        yield from (one.start for one in shifts(replace(schedule, layers=(layer,)), since, until))


def when_quiet(mute: tuple[TimeInterval, ...], active: tuple[TimeInterval, ...], since: int) -> int | None:
    """A moment at which these keep a route quiet; None for none."""
    for step, until in ((_QUARTER, since + _WEEK), (_HOUR, since + HORIZON)):
        for at in range(since, until, step):
            if quiet(mute, active, at):
                return at
    return None


def when_not_quiet(
    mute: tuple[TimeInterval, ...], active: tuple[TimeInterval, ...], since: int
) -> int | None:
    """The first moment at which they do not; None for none."""
    found = quiet(mute, active, since)
    return found.until if found else since
