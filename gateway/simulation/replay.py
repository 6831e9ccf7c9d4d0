"""Reads recorded alerts as what happens in a story: line by line, in memory that does not grow with the file.

What is wrong is refused with the file and the line: a recording of which a part is left out unsaid would
prove nothing. What Prometheus answers about its `ALERTS` series is read as well
(`gateway/simulation/series.py`). The format of lines: `gateway/simulation/recording.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import orjson

from gateway.payload import read_time
from routing.alerts import Arrival, InvalidAlertError, alert_key
from routing.story import Arrived

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from routing.story import Happening

MAX_LINE: Final = 4 * 1024 * 1024
"""Bytes of one line: the largest alert that is taken in has less."""

MAX_TOGETHER: Final = 50_000
"""Alerts of one body, as many as the service takes in one; more are parted."""

_MEMO_SIZE: Final = 100_000
_LAST_MOMENT: Final = 253_402_300_800_000  # the year 10000
_SERIES: Final = re.compile(rb'\s*\{\s*"status"\s*:\s*"(?:success|error)"')


class ReplayError(ValueError):
    """A recording that cannot be read. The text says where (`file:line`), what was expected and what came."""


def no_json(error: orjson.JSONDecodeError) -> str:
    """What is wrong with a line that is no JSON."""
    if "UTF-8" in error.msg:
        return "this is not UTF-8, so it is no text"
    return f"no JSON at column {error.colno}: {error.msg}"


def happenings(path: Path) -> Iterator[Happening]:
    """What arrived, in the order of time: one `Arrived` for each body.

    Raises:
        ReplayError: while it is read, at the first line that is wrong.
    """
    try:
        with path.open("rb") as file:
            if _SERIES.match(file.peek(64)[:64]):
                from gateway.simulation.series import from_file  # noqa: PLC0415 - it raises our error

                yield from from_file(path, file)
                return
            yield from _together(_Reader(path, file).arrivals())
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror}") from None


def _together(arrivals: Iterator[tuple[int, int | None, Arrival]]) -> Iterator[Happening]:
    """Neighbours with the same time and body as one."""
    now, group, together = 0, None, list[Arrival]()
    for at, body, arrival in arrivals:
        if together and (at != now or body != group or len(together) == MAX_TOGETHER):
            yield Arrived(now, tuple(together))
            together = []
        now, group = at, body
        together.append(arrival)
    if together:
        yield Arrived(now, tuple(together))


class _Reader:
    """Reads one file; `number` is the line that it is at."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._number = 0
        self._known: dict[str, dict[str, str]] = {}  # the labels of a key: equal ones are kept once

    def arrivals(self) -> Iterator[tuple[int, int | None, Arrival]]:
        """Each alert with its time and its body."""
        last, empty = 0, True
        readline = self._file.readline
        while line := readline(MAX_LINE + 1):
            self._number += 1
            document = self._document(line)
            if document is None:
                continue
            try:
                at = _at(document, last)
                arrival = self._arrival(document, at)
            except InvalidAlertError as error:
                raise self._wrong(f"{error.field}: {error}") from None
            body = document.get("body")
            last, empty = at, False
            yield at, body if type(body) is int else None, arrival
        if empty:
            what = "holds no alert" if self._number else "is empty"
            raise ReplayError(f"{self._path}: {what}; expected one alert as JSON on each line")

    def _document(self, line: bytes) -> dict[str, Any] | None:
        """The line's object; None for what is no alert."""
        if len(line) > MAX_LINE:
            raise self._wrong(f"the line is longer than {MAX_LINE // 1024**2} MiB; expected one alert")
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if not line.strip():
                return None
            if not line.endswith(b"\n"):
                raise self._wrong(
                    "the file ends in the middle of this line: it was cut off; remove the line to go on"
                ) from None
            raise self._wrong(no_json(error)) from None
        if not isinstance(document, dict):
            raise self._wrong("expected an alert, a JSON object")
        if "notice" in document:
            return None
        return document

    def _arrival(self, document: dict[str, Any], at: int) -> Arrival:
        labels = document.get("labels")
        if not isinstance(labels, dict):
            raise InvalidAlertError("labels", "expected an object of labels")
        key = alert_key(labels)
        if (known := self._known.get(key)) is None:
            if len(self._known) >= _MEMO_SIZE:
                self._known.clear()
            known = self._known[key] = {name: value for name, value in labels.items() if value}
        status, ends_at = _status(document), _moment(document, "endsAt")
        starts_at, until = _moment(document, "startsAt"), None
        if status == "firing":  # an end to come is when its sender repeats it at the latest
            until, ends_at = ends_at if ends_at and ends_at > at else None, None
        elif ends_at is None:
            ends_at = at
        if starts_at is None:
            starts_at = ends_at or at
        elif ends_at is not None and ends_at < starts_at:
            raise InvalidAlertError("endsAt", "an alert cannot end before it starts")
        return Arrival(key, known, _annotations(document), status, starts_at, ends_at, until, "")

    def _wrong(self, what: str) -> ReplayError:
        return ReplayError(f"{self._path}:{self._number}: {what}")


def _at(document: dict[str, Any], last: int) -> int:
    at = _moment(document, "at")
    if at is None:
        raise InvalidAlertError("at", "expected when the alert arrived; there is no such field")
    if at < last:
        raise InvalidAlertError("at", "is earlier than the line before; expected the order of time")
    return at


def _moment(document: dict[str, Any], name: str) -> int | None:
    given = document.get(name)
    if type(given) is str:
        try:
            return read_time(given) if given else None
        except ValueError as error:
            raise InvalidAlertError(name, str(error)) from None
    if given is None:
        return None
    if type(given) is int and 0 <= given < _LAST_MOMENT:
        return given
    expected = "expected a time such as 2026-11-23T08:48:35.382Z, or milliseconds since 1970"
    raise InvalidAlertError(name, f"{expected}; this is {str(given)[:40]}")


def _status(document: dict[str, Any]) -> Literal["firing", "resolved"]:
    status = document.get("status")
    if status == "firing":
        return "firing"
    if status == "resolved":
        return "resolved"
    raise InvalidAlertError("status", f'expected "firing" or "resolved"; this is {str(status)[:40]!r}')


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    given = document.get("annotations")
    if not given:
        return {}
    if not isinstance(given, dict) or not all(type(value) is str for value in given.values()):
        raise InvalidAlertError("annotations", "expected an object of texts")
    return given
