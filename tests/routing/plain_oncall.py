"""A second opinion on schedules: minute by minute, from a list of what the clock on the wall showed at each.

It knows no offsets and no folds: when a clock shows something first or last is looked up in that list. It
reads the schedule, and shares no decision with `routing/`.
"""

from bisect import bisect_right
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60_000
DAY = 1440  # minutes that a clock shows
HOURS = {"elapsed_hours": 60, "wall_hours": 60, "days": DAY, "weeks": 7 * DAY}
_BEGIN = datetime(1970, 1, 1)  # noqa: DTZ001 - what clocks on walls show has no zone


def shown(wall):
    """Minutes that a clock counts."""
    return (wall - _BEGIN) // timedelta(minutes=1)


class Clock:
    """Each minute from one moment to another, at one place."""

    def __init__(self, location, since, until):
        zone, self.first, self.last = ZoneInfo(location), {}, {}
        for at in range(since, until, MINUTE):
            minute = shown(datetime.fromtimestamp(at // 1000, zone).replace(tzinfo=None))
            self.first.setdefault(minute, at)
            self.last[minute] = at
        self.begin, self.end = min(self.first), max(self.first)
        for minute in range(self.end, self.begin, -1):  # what was skipped comes with what is shown next
            if minute - 1 not in self.first:
                self.first[minute - 1] = self.last[minute - 1] = self.first[minute]


class PlainRotation:
    def __init__(self, rotation, clock, until):
        self.people, start = rotation.people, shown(rotation.start)
        length = rotation.every * HOURS[rotation.unit]
        if start > clock.end:
            self.changes = []
        elif rotation.unit == "elapsed_hours":
            self.changes = list(range(clock.first[start], until, length * MINUTE))
        else:
            self.changes = [clock.first[minute] for minute in range(start, clock.end + 1, length)]
        self.open = self._open(rotation.restrictions, clock) if rotation.restrictions else None

    def _open(self, restrictions, clock):
        minutes = set()
        for day in range(-(-clock.begin // DAY), clock.end // DAY - 1):
            weekday = (_BEGIN + timedelta(days=day)).isoweekday() % 7
            for one in restrictions:
                if one.weekdays and not any(weekday in range(a, b + 1) for a, b in one.weekdays):
                    continue
                end = one.end if one.end > one.start else one.end + DAY
                span = clock.first[day * DAY + one.start], clock.last[day * DAY + end]
                minutes.update(range(*span, MINUTE))
        return minutes

    def at(self, at):
        turn = bisect_right(self.changes, at)
        if not turn or not self.people or (self.open is not None and at not in self.open):
            return ()
        return self.people[(turn - 1) % len(self.people)]


class PlainSchedule:
    """`clocks(location)` is a `Clock` for each place, from well before what is asked about to well after."""

    def __init__(self, schedule, overrides, clocks, until):
        self.overrides = [*schedule.overrides, *(one for one in overrides if one.schedule == schedule.name)]
        self.layers = [
            (
                layer,
                [
                    PlainRotation(one, clocks(layer.time_zone or schedule.time_zone), until)
                    for one in layer.rotations
                ],
            )
            for layer in reversed(schedule.layers)
        ]

    def at(self, at):
        people = next((on for on in (self._layer(*one, at) for one in self.layers) if on), [])
        for one in self.overrides:
            if one.start <= at < one.end:
                if one.instead_of == "":
                    people = list(one.people)
                elif one.instead_of in people:
                    people = [
                        new for old in people for new in (one.people if old == one.instead_of else [old])
                    ]
        return tuple(sorted(set(people), key=people.index))

    def _layer(self, layer, rotations, at):
        if (layer.valid_from or 0) > at or (layer.valid_until is not None and at >= layer.valid_until):
            return []
        holidays = [one for one in layer.holidays if one.start <= at < one.end]
        if holidays:
            return [person for one in holidays for person in one.people]
        people = [person for one in rotations for person in one.at(at)]
        return people + [person for one in layer.spans if one.start <= at < one.end for person in one.people]
