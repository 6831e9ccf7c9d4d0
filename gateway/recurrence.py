"""How often the events of a calendar recur, at most: a few lines of text can ask for millions of them.

Estimated from the rules alone, before anything is made of them; a little too much rather than too little.
Rules: RFC 5545, 3.3.10.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from math import inf
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_EVENTS: Final = 5_000
MOST_A_DAY: Final = 48
MOST_SHOWN: Final = 20_000  # in the time that is asked for
MOST_COUNTED: Final = 500_000  # since they began: a rule is gone through from its start

_DAY_S: Final = 86_400


class TooOftenError(ValueError):
    """The message says what there is too much of."""


def check(events: Sequence[Any], since: datetime, until: datetime) -> None:
    """Refuses what would make too many events between two moments.

    Raises:
        TooOftenError: they do.
    """
    if len(events) > MOST_EVENTS:
        raise TooOftenError(f"{len(events)} events; at most {MOST_EVENTS} are read")
    shown = counted = 0.0
    for event in events:
        rules = listed(event.get("RRULE"))
        start = _moment(event["DTSTART"].dt) if rules else since
        for rule in rules:
            times, days = _times_a_day(rule), _days(rule)
            if times > MOST_A_DAY:
                raise TooOftenError(f"an event recurs more often than {MOST_A_DAY} times a day")
            often = times * days / max(1, int(_first(rule, "INTERVAL", 1)))
            end = min(until, _moment(_first(rule, "UNTIL", until)))
            most = float(_first(rule, "COUNT", inf))
            counted += min(most, often * _span(start, end))
            shown += min(most, often * _span(max(start, since), end))
        if counted > MOST_COUNTED or shown > MOST_SHOWN:
            raise TooOftenError(f"its events recur more than {MOST_SHOWN} times within the time that counts")


def listed(value: Any) -> list[Any]:
    """A property that may stand there several times, once or not at all."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _times_a_day(rule: Any) -> int:
    """On a day on which it happens at all."""
    frequency = str(_first(rule, "FREQ", "")).upper()
    if frequency in ("MINUTELY", "SECONDLY"):
        return _DAY_S
    times = 24 if frequency == "HOURLY" else _count(rule, "BYHOUR")
    return times * _count(rule, "BYMINUTE") * _count(rule, "BYSECOND")


def _days(rule: Any) -> float:
    """Of how many days each, on average, it is one on which it happens: 1 at most."""
    weekdays, days = _count(rule, "BYDAY"), _count(rule, "BYMONTHDAY")
    match str(_first(rule, "FREQ", "")).upper():
        case "WEEKLY":
            return min(1.0, weekdays / 7)
        case "MONTHLY":
            return min(1.0, max(weekdays * 5 if "BYDAY" in rule else 1, days) / 28)
        case "YEARLY":
            in_year = max(days, _count(rule, "BYYEARDAY"), _count(rule, "BYWEEKNO") * 7)
            in_year = max(in_year, weekdays * 53 if "BYDAY" in rule else 1)
            return min(1.0, in_year * _count(rule, "BYMONTH") / 365)
        case _:
            return 1.0


def _count(rule: Any, key: str) -> int:
    return max(1, len(listed(rule.get(key))))


def _first(rule: Any, key: str, otherwise: Any) -> Any:
    return (listed(rule.get(key)) or [otherwise])[0]


def _moment(when: Any) -> datetime:
    """A date or a time of a calendar; without a zone it is near enough."""
    if isinstance(when, datetime):
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    return datetime.combine(when, time(), UTC) if isinstance(when, date) else datetime.max.replace(tzinfo=UTC)


def _span(start: datetime, end: datetime) -> float:
    """Days, and one more: the first belongs to it."""
    return max(0.0, (end - start).total_seconds() / _DAY_S + 1)
