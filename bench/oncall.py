"""What it costs to ask who is on call, and where nobody is in a year.

A schedule has 50 people in 10 layers, twenty overrides, and clocks that change. Four kinds: `turns` are
rotations of days and weeks; `hours of duty` are the same within working hours and nights, so that lower
layers count where higher ones have nobody; `hourly` rotations within such hours change as often as anybody
may want; `calendars` have 700 fixed spans in each layer. Times are of the processor. The first question about
a schedule is not counted, as the service keeps it; gaps are found with nothing remembered of the days.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from routing.oncall import Layer, Override, Schedule, Span, gaps, on_call
from routing.rotation import Restriction, Rotation, windows
from routing.wall_clock import moment, start_at

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: Final = ("turns", "hours of duty", "hourly", "calendars")
PEOPLE: Final = 50
LAYERS: Final = 10
ZONES: Final = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
HOUR: Final = 3_600_000
YEAR: Final = 365 * 24 * HOUR
ASK_LIMIT_US: Final = 1_000.0
GAPS_LIMIT_MS: Final = 200.0
PER_YEAR: Final = 2.5  # two years against one
LEAST_MS: Final = 20.0  # less than that is not told apart
BEGIN: Final = start_at(datetime.fromisoformat("2026-01-01T00:00"), "UTC")
WORK: Final = Restriction(((1, 5),), 9 * 60, 17 * 60)
NIGHT: Final = Restriction((), 22 * 60, 6 * 60)


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """A row for each kind: µs a question, ms for the gaps of one year and of two."""
    return [_measure(kind, 1_000 if quick else 10_000) for kind in KINDS]


def _measure(kind: str, count: int) -> dict[str, Any]:
    schedule, overrides = make_schedule(kind), make_overrides()
    on_call(schedule, BEGIN, overrides)
    ask = _seconds(
        lambda: [on_call(schedule, BEGIN + number * 7 * HOUR, overrides) for number in range(count)]
    )
    year, two = (_gaps_ms(schedule, overrides, BEGIN + years * YEAR) for years in (1, 2))
    return {
        "kind": kind,
        "ask_us": round(ask / count * 1e6, 1),
        "gaps_ms": round(year, 1),
        "two_years_ms": round(two, 1),
        "gaps": len(gaps(schedule, BEGIN, BEGIN + YEAR, overrides)),
        "reached": ask / count * 1e6 <= ASK_LIMIT_US
        and year <= GAPS_LIMIT_MS
        and two <= PER_YEAR * max(year, LEAST_MS),
    }


def _gaps_ms(schedule: Schedule, overrides: list[Override], until: int) -> float:
    times = []
    for _ in range(3):
        moment.cache_clear()
        windows.cache_clear()
        times.append(_seconds(lambda: gaps(schedule, BEGIN, until, overrides)))
    return min(times) * 1_000


def make_schedule(kind: str) -> Schedule:
    """One of each kind."""
    return Schedule("bench", ZONES[0], tuple(_layer(kind, number) for number in range(LAYERS)))


def make_overrides() -> list[Override]:
    """One of a day every two weeks, every second of them for a single person."""
    return [
        Override(
            str(number),
            "bench",
            BEGIN + number * 14 * 24 * HOUR,
            BEGIN + (number * 14 + 1) * 24 * HOUR,
            (f"person-{number}",),
            f"person-{number + 1}" if number % 2 else "",
        )
        for number in range(20)
    ]


def _layer(kind: str, number: int) -> Layer:
    people = [f"person-{(number * 5 + at) % PEOPLE}" for at in range(PEOPLE)]
    if kind == "calendars":
        starts = (BEGIN + (at * 13 + number) * HOUR for at in range(700))
        return Layer(spans=tuple(Span(at, at + 8 * HOUR, (people[at // HOUR % PEOPLE],)) for at in starts))
    start = datetime.fromisoformat("2025-01-06T09:00") + timedelta(hours=number)
    restrictions = () if kind == "turns" else ((WORK,), (NIGHT,), (WORK, NIGHT))[number % 3]
    turns = tuple((person,) for person in people)
    rotation = (
        Rotation(turns, start, 1, "wall_hours", restrictions)
        if kind == "hourly"
        else Rotation(turns, start, 1 + number % 3, "weeks" if number % 2 else "days", restrictions)
    )
    return Layer(rotations=(rotation,), time_zone=ZONES[number % 3])


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
