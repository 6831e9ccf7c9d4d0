"""Alerts and when they fire, one JSON object a line: storms, and alerts that come one after the other.

    {"at": "10m", "labels": {"alertname": "DiskFull", "severity": "high"}, "fires": "30m"}

`at` counts from the beginning, which it is if not given, or is a moment (RFC 3339); without `fires` an alert
fires for ever, or as long as is said for all. `annotations` may be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from config.problems import did_you_mean
from gateway.simulation.given import Given, GivenError, contents, gathered, one_alert, shown, together
from gateway.simulation.replay import no_json
from gateway.simulation.times import TimeError, duration, moment

if TYPE_CHECKING:
    from routing.story import Arrived

MAX_LINE: Final = 1024 * 1024
MAX_ALERTS: Final = 100_000

_KEYS: Final = ("at", "labels", "annotations", "fires")
_RECORDED: Final = frozenset({"status", "startsAt", "body", "notice"})
_EXPECTED: Final = 'expected an alert such as {"at": "10m", "labels": {"alertname": "DiskFull"}}'


def alert_lines(file: str, at: int | None, now: int, fires: int | None, location: str = "UTC") -> Given:
    """The alerts of a file. `at` (ms) is its beginning; None: the first moment in it, or else `now`.

    Raises:
        GivenError: with the file and the line.
    """
    lines = contents(file).split(b"\n")
    name = shown(file)
    read = [
        _line(line, f"{name}:{number}", location, last=number == len(lines))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if len(read) > MAX_ALERTS:
        raise GivenError(f"{name} has {len(read):,} alerts; expected at most {MAX_ALERTS:,}")
    moments = [one["moment"] for one in read if "moment" in one]
    if at is None:
        at = min(moments) if moments else now
        if moments and len(moments) < len(read):
            raise GivenError(
                f"{name}: some alerts have a moment and others count from the beginning, which is not given",
                "Say when it begins with --at, or write all times in one of the two ways.",
            )
    arrived: list[Arrived] = []
    for one in read:
        when = one.get("moment", at + one["after"])
        if when < at:
            raise GivenError(f"{one['where']}: at: this is before the beginning that --at gives")
        try:
            arrived += one_alert(one["labels"], when, one["fires"] or fires, one["annotations"])
        except GivenError as error:
            raise GivenError(f"{one['where']}: {error}") from None
    return gathered(together(arrived))


def _line(line: bytes, where: str, location: str, *, last: bool) -> dict[str, Any]:
    """What a line says: `labels`, `annotations`, `fires` (ms), `where`, and `moment` or `after` (ms)."""
    document = _document(line, where, last=last)
    for key in document:
        if key in _RECORDED:
            raise GivenError(f"{where}: {key!r} stands in recorded alerts; read these with --replay")
        if key not in _KEYS:
            raise GivenError(f"{where}: there is no {key!r}; {_EXPECTED}{did_you_mean(key, _KEYS)}")
    found: dict[str, Any] = {
        "where": where,
        "labels": _texts(document, "labels", where),
        "annotations": _texts(document, "annotations", where),
        "after": 0,
        "fires": None,
    }
    if not found["labels"]:
        raise GivenError(f"{where}: this alert has no labels; {_EXPECTED}")
    if "fires" in document:
        found["fires"] = _duration(document, "fires", where)
        if not found["fires"]:
            raise GivenError(f"{where}: fires: expected longer than 0s, or no such key for ever")
    if "at" in document:
        found |= _when(document, where, location)
    return found


def _document(line: bytes, where: str, *, last: bool) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise GivenError(f"{where}: longer than {MAX_LINE >> 20} MiB; {_EXPECTED}")
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if last:
            raise GivenError(
                f"{where}: the file ends in the middle of this line, so it was cut off; complete or remove it"
            ) from None
        raise GivenError(f"{where}: {no_json(error)}; {_EXPECTED}") from None
    if not isinstance(document, dict):
        raise GivenError(f"{where}: {_EXPECTED}")
    return document


def _texts(document: dict[str, Any], key: str, where: str) -> dict[str, str]:
    given = document.get(key) or {}
    if not isinstance(given, dict):
        raise GivenError(f'{where}: {key}: expected an object, such as {{"alertname": "DiskFull"}}')
    for name, value in given.items():
        if not isinstance(value, str):
            raise GivenError(f"{where}: {key}.{name}: expected text in quotes; this is {value!r:.40}")
    return given


def _when(document: dict[str, Any], where: str, location: str) -> dict[str, int]:
    given = document["at"]
    expected = 'expected how long after the beginning, such as "10m", or a moment, "2026-12-24T03:00:00Z"'
    if not isinstance(given, str):
        raise GivenError(f"{where}: at: {expected}; this is {given!r:.40}")
    try:
        if "-" in given.strip()[1:]:
            return {"moment": moment(given, location)}
        return {"after": duration(given)}
    except TimeError as error:
        said = error if "-" in given else f"{given[:40]!r} is no time; {expected}"
        raise GivenError(f"{where}: at: {said}") from None


def _duration(document: dict[str, Any], key: str, where: str) -> int:
    given = document[key]
    try:
        return duration(given if isinstance(given, str) else repr(given))
    except TimeError as error:
        raise GivenError(f"{where}: {key}: {error}") from None
