"""How recorded alerts are written: one JSON object a line, as `tocsin record` gives them out.

A line has `at` (when it arrived), `status`, `labels`, and where they are known `annotations`, `startsAt`,
`endsAt` and `body`, a number: neighbours with the same `at` and `body` arrived together. Times are RFC 3339
in UTC. For an alert that fires, `endsAt` is the time by which its sender repeats it. A line with a `notice`
says something about the recording itself, such as how many alerts are missing, and is no alert.
`gateway/simulation/replay.py` reads it.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from routing.alerts import Arrival

Notice = Literal["listening", "alive", "missed", "gap", "end"]


def alert_line(arrival: Arrival, at: int, body: int) -> bytes:
    """The line of an alert that arrived at `at`, with its line break."""
    return as_line(alert(arrival, at, body))


def alert(arrival: Arrival, at: int, body: int) -> dict[str, Any]:
    """The same before it is JSON."""
    found: dict[str, Any] = {
        "at": moment(at),
        "body": body,
        "status": arrival.status,
        "labels": arrival.labels,
        "startsAt": moment(arrival.starts_at),
    }
    if arrival.annotations:
        found["annotations"] = arrival.annotations
    if end := arrival.ends_at if arrival.status == "resolved" else arrival.until:
        found["endsAt"] = moment(end)
    return found


def notice_line(notice: Notice, at: int, **more: object) -> bytes:
    """A line about the recording."""
    return as_line({"notice": notice, "at": moment(at), **more})


def as_line(document: Mapping[str, object]) -> bytes:
    """JSON and a line break."""
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def moment(at: int) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


class Redaction:
    """Hides the values of labels: equal values become equal hashes, by a key that nobody keeps.

    So two recordings cannot be compared, and no value can be found by trying out what it may have been.
    Annotations are free text, in which values come again: they are left out.
    """

    def __init__(self, labels: Collection[str] = (), keep: Collection[str] = ()) -> None:
        """Hides these `labels`, or where there are none all but those to `keep`."""
        self._labels = labels
        self._keep = keep
        self._key = secrets.token_bytes(32)

    def hide(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """An alert as `alert` gives it, without what is to be hidden."""
        labels = {
            name: self._hash(value) if self._hides(name) else value
            for name, value in document["labels"].items()
        }
        shown = {name: value for name, value in document.items() if name != "annotations"}
        return shown | {"labels": labels}

    def _hides(self, name: str) -> bool:
        return name in self._labels if self._labels else name not in self._keep

    def _hash(self, value: str) -> str:
        return blake2b(value.encode(), key=self._key, digest_size=8).hexdigest()
