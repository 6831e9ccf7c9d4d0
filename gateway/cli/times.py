"""How the command line says when something was: times in UTC, and distances a person can take in.

The API gives RFC 3339 strings in UTC; "now" is the server's clock (its `Date` header), so that "5m ago" is
right on a laptop whose clock is not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def parse(value: object) -> datetime | None:
    """A time of the API as an aware UTC `datetime`; None for null or what is no time."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def stamp(value: object) -> str:
    """`2025-11-24 08:02:11 UTC`, or `-` where there is no time."""
    moment = parse(value)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"


def distance(value: object, now: datetime) -> str:
    """`5m ago`, `in 30s`, `now`; `-` where there is no time."""
    moment = parse(value)
    if moment is None:
        return "-"
    if abs(moment - now) < timedelta(seconds=1):
        return "now"
    if moment > now:
        return f"in {length(moment - now)}"
    return f"{length(now - moment)} ago"


def length(span: timedelta) -> str:
    """The two largest units of a span, smaller ones cut off: `45s`, `5m`, `2h 5m`, `3d 4h`."""
    seconds = int(span.total_seconds())
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    for index, (unit, size) in enumerate(units):
        if seconds < size and unit != "s":
            continue
        whole, rest = divmod(seconds, size)
        small, small_size = units[index + 1] if unit in "dh" else ("", 1)
        minor = rest // small_size if small else 0
        return f"{whole}{unit} {minor}{small}" if minor else f"{whole}{unit}"
    return "0s"
