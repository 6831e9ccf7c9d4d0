"""From the bytes of a request to arrivals: Alertmanager's webhook (version 4), Prometheus' own posts.

Decides what in a body can be believed. One alert that can never be valid is named and left out, and the
others go on; what only decorates an alert (annotations, its link) is cut to size and never loses it. Does
no I/O and reads no clock, and does not decide what an arrival means: `routing/alerts.py` does.

Sources: Alertmanager's `notify/webhook/webhook.go` (the payload) and `api/v2/api.go` (how a posted alert
without times is completed). All times are integers in milliseconds since the epoch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import orjson

from routing.alerts import Arrival, InvalidAlertError, alert_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    # One alert's fields, checked: key, labels, annotations, starts_at, ends_at (both None where the sender
    # gave none), generator_url, and whether something was cut. A bare tuple: it is made for every alert.
    _Parts = tuple[str, dict[str, str], dict[str, str], int | None, int | None, str, bool]

MAX_ANNOTATION_BYTES: Final = 65_536
MAX_ANNOTATIONS_BYTES: Final = 262_144  # of one alert, names and values together
MAX_URL_BYTES: Final = 16_384
SHOWN_PROBLEMS: Final = 20

_ELLIPSIS: Final = "…"
_EXPECTED_TIME: Final = "expected a time such as 2026-11-23T08:48:35.382Z"
_YEAR_10000: Final = 253_402_300_800_000
_MEMO_SIZE: Final = 16_384
_TIME: Final = re.compile(
    "([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})([.][0-9]{1,20})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
# Go's zero time, and what it becomes west of Greenwich: no time was given.
_NO_TIME: Final = ("0001-", "0000-12-31")


class PayloadError(ValueError):
    """The whole body can never be valid. `field` is a path, "" where there is none (broken JSON)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class AlertProblem:
    """Why one alert was left out: its index in the body, the path inside it, and what was expected."""

    index: int
    field: str
    message: str


@dataclass(slots=True)
class Harvest:
    """What one body gave.

    Attributes:
        arrivals: the valid alerts, in the body's order.
        invalid: how many alerts were left out; `problems` names the first `SHOWN_PROBLEMS` of them.
        cut: how many alerts had annotations or a link cut to size.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    problems: list[AlertProblem] = field(default_factory=list)
    invalid: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a webhook says about itself. Shown, never relied on; anything odd in it reads as empty.

    `receiver` is the sender's receiver by its real name (Alertmanager sends it quoted as a regular
    expression); `hidden` is how many alerts the sender's `max_alerts` kept back.
    """

    receiver: str
    status: str
    group_key: str
    reason: str
    external_url: str
    hidden: int


def read_json(body: bytes | bytearray) -> object:
    """The JSON document in `body`.

    Raises:
        PayloadError: it is none; the message says where it stops being one.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message, line, column = error.msg, error.lineno, error.colno
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise PayloadError("", f"the body is not UTF-8 at byte {error.start}") from None
    raise PayloadError("", f"the body is not JSON at line {line} column {column}: {message}")


def open_webhook(document: object) -> tuple[Envelope, list[object]]:
    """A webhook's envelope, and its alerts as they came.

    Raises:
        PayloadError: it is not Alertmanager's version 4, or has no alerts.
    """
    if not isinstance(document, dict):
        raise PayloadError("", f"expected Alertmanager's webhook object; this is {_kind(document)}")
    version = document.get("version")
    if version != "4":
        shown = _shown(version) if isinstance(version, str) else _kind(version)
        raise PayloadError("version", f'expected "4", Alertmanager\'s webhook version; this is {shown}')
    alerts = document.get("alerts")
    if not isinstance(alerts, list):
        raise PayloadError("alerts", f"expected a list of alerts; this is {_kind(alerts)}")
    if not alerts:
        raise PayloadError("alerts", "expected at least one alert; a webhook without alerts says nothing")
    hidden = document.get("truncatedAlerts")
    envelope = Envelope(
        receiver=_unquoted(_text(document, "receiver")),
        status=_text(document, "status"),
        group_key=_text(document, "groupKey"),
        reason=_text(document, "notification_reason"),
        external_url=_text(document, "externalURL"),
        hidden=hidden if isinstance(hidden, int) and hidden > 0 else 0,
    )
    return envelope, alerts


def _unquoted(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name) if "\\" in name else name


def open_posted(document: object) -> list[object]:
    """The alerts of a body as Prometheus posts it, as they came; the list may be empty.

    Raises:
        PayloadError: it is no list.
    """
    if not isinstance(document, list):
        raise PayloadError("", f"expected a list of alerts; this is {_kind(document)}")
    return document


def add_webhook_alerts(harvest: Harvest, alerts: Iterable[object], first: int, now: int) -> None:
    """Check `alerts`, the first of which has index `first` in its body, and add them to `harvest`."""

    def finish(alert: object, parts: _Parts) -> Arrival:
        key, labels, annotations, starts_at, ends_at, url, _ = parts
        if starts_at is None:
            starts_at = now if ends_at is None else ends_at
        elif ends_at is not None and ends_at < starts_at:
            raise InvalidAlertError("endsAt", "an alert cannot end before it starts")
        return Arrival(key, labels, annotations, _status(alert), starts_at, ends_at, None, url)

    _add(harvest, alerts, first, finish)


def add_posted_alerts(
    harvest: Harvest, alerts: Iterable[object], first: int, now: int, resolve_timeout: int
) -> None:
    """The same for Prometheus' posts, which carry no status: an end that has passed is one.

    An alert without an end is firing until `now + resolve_timeout`; an end still to come is the deadline
    by which the sender repeats the alert.
    """

    def finish(_alert: object, parts: _Parts) -> Arrival:
        key, labels, annotations, starts_at, ends_at, url, _ = parts
        end = now + resolve_timeout if ends_at is None else ends_at
        if starts_at is None:
            starts_at = now if ends_at is None else ends_at
        elif end < starts_at:
            raise InvalidAlertError("endsAt", "an alert cannot end before it starts")
        if end <= now:
            return Arrival(key, labels, annotations, "resolved", starts_at, end, None, url)
        return Arrival(key, labels, annotations, "firing", starts_at, None, end, url)

    _add(harvest, alerts, first, finish)


def _add(
    harvest: Harvest, alerts: Iterable[object], first: int, finish: Callable[[object, _Parts], Arrival]
) -> None:
    arrivals = harvest.arrivals
    for index, alert in enumerate(alerts, first):
        try:
            parts = _plain(alert) or _careful(alert)
            arrivals.append(finish(alert, parts))
        except InvalidAlertError as error:
            harvest.invalid += 1
            if len(harvest.problems) < SHOWN_PROBLEMS:
                harvest.problems.append(AlertProblem(index, _brief(error.field), _brief(str(error))))
        else:
            harvest.cut += parts[-1]


def _plain(alert: object) -> _Parts | None:
    """The parts of an alert as nearly all are, in a fifth of the time; None where `_careful` must look.

    It takes nothing that `_careful` would refuse or change: joining the annotations proves each of them
    a string, and few characters prove few bytes.
    """
    try:
        labels = alert["labels"]  # type: ignore[index]  # what is not so is caught below, and looked at again
        annotations = alert["annotations"]  # type: ignore[index]
        url = alert["generatorURL"]  # type: ignore[index]
        if (
            "" in labels.values()
            or len("".join((*annotations, *annotations.values()))) > MAX_ANNOTATION_BYTES // 4
            or type(url) is not str
            or len(url) > MAX_URL_BYTES // 4
        ):
            return None
        starts_at, ends_at = read_time(alert["startsAt"]), read_time(alert["endsAt"])  # type: ignore[index]
        return alert_key(labels), labels, annotations, starts_at, ends_at, url, False
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def _careful(alert: object) -> _Parts:
    """The same for any alert at all, saying what is wrong with it."""
    if not isinstance(alert, dict):
        raise InvalidAlertError("", f"expected an alert, an object; this is {_kind(alert)}")
    given = alert.get("labels")
    if not isinstance(given, dict):
        raise InvalidAlertError("labels", f"expected an object of labels; this is {_kind(given)}")
    key = alert_key(given)
    labels = {name: value for name, value in given.items() if value}
    annotations, cut = _annotations(alert.get("annotations"))
    url = alert.get("generatorURL") or ""
    if not isinstance(url, str) or len(url.encode()) > MAX_URL_BYTES:
        url, cut = "", True  # half a link leads nowhere
    starts_at, ends_at = _time(alert, "startsAt"), _time(alert, "endsAt")
    return key, labels, annotations, starts_at, ends_at, url, cut


def _status(alert: object) -> Literal["firing", "resolved"]:
    status = alert.get("status") if isinstance(alert, dict) else None
    if status == "firing":
        return "firing"
    if status == "resolved":
        return "resolved"
    shown = _shown(status) if isinstance(status, str) else _kind(status)
    raise InvalidAlertError("status", f'expected "firing" or "resolved"; this is {shown}')


def _annotations(given: object) -> tuple[dict[str, str], bool]:
    """The annotations that fit, and whether anything was cut: nothing in them is worth losing an alert."""
    if given is None:
        return {}, False
    if not isinstance(given, dict):
        return {}, True
    annotations: dict[str, str] = {}
    cut, room = False, MAX_ANNOTATIONS_BYTES
    for name, value in given.items():
        text = value if isinstance(value, str) else _as_text(value)
        room -= len(name.encode())
        if room <= 0:
            return annotations, True
        kept = _fit(text, min(MAX_ANNOTATION_BYTES, room))
        room -= len(kept.encode())
        cut = cut or kept != value
        annotations[name] = kept
    return annotations, cut


def _as_text(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        return ""


def _fit(text: str, limit: int) -> str:
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    mark = _ELLIPSIS.encode()
    return encoded[: max(0, limit - len(mark))].decode(errors="ignore") + _ELLIPSIS[: limit // len(mark)]


def _time(alert: dict[str, object], name: str) -> int | None:
    given = alert.get(name)
    if given is None or given == "":
        return None
    if not isinstance(given, str):
        raise InvalidAlertError(
            name, f"expected a time such as 2026-11-23T08:48:35.382Z; this is {_kind(given)}"
        )
    try:
        return read_time(given)
    except ValueError as error:
        raise InvalidAlertError(name, str(error)) from None


@lru_cache(maxsize=_MEMO_SIZE)
def read_time(text: str) -> int | None:
    """RFC 3339 of any precision and offset to milliseconds, cut, not rounded; None for year 1 ("no time").

    Raises:
        ValueError: it is no such time, or lies outside the years 1970 to 9999.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{_EXPECTED_TIME}; this is {_shown(text)}")
    day, clock, fraction, zone = found.groups()
    if day.startswith(_NO_TIME):  # before anything is computed: year 1 minus an offset is no date
        return None
    try:
        seconds = int(datetime.fromisoformat(f"{day}T{clock}{zone.upper()}").timestamp())
    except (ValueError, OverflowError):
        raise ValueError(f"there is no such time as {_shown(text)}") from None
    at = seconds * 1000 + int((fraction or ".0")[1:4].ljust(3, "0"))
    if not 0 <= at < _YEAR_10000:
        raise ValueError(f"expected a time in the years 1970 to 9999; this is {_shown(text)}")
    return at


def _text(document: dict[str, object], name: str) -> str:
    value = document.get(name)
    return _brief(value) if isinstance(value, str) else ""


def _brief(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + _ELLIPSIS


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + _ELLIPSIS)


def _kind(value: object) -> str:
    if value is None:
        return "missing or null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"
