"""An alert is its label set: its identity, its episodes, and what an arriving copy of it means.

This module decides whether a copy that arrives is news, a repeat, late news or a suspect one. It does
not store anything and does not know groups. `gateway/store/alert.lua` states the same table for the
atomic step inside Redis; `tests/store/test_alert_lua.py` holds the two together.

Sources: the table "Identity" of the design; Alertmanager's `alert/alert.go` for the fingerprint and the
limits of a label set. All times are integers in milliseconds since the epoch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from routing.records import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LABELS: Final = 128
MAX_NAME_BYTES: Final = 1_024
MAX_VALUE_BYTES: Final = 16_384

_MEMO_SIZE: Final = 200_000
_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class InvalidAlertError(ValueError):
    """One alert can never be valid. `field` is its path inside the alert, such as `labels.team`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Arrival(NamedTuple):
    """One alert as it was just received, already validated.

    `ends_at` is None where the sender gave none (Alertmanager's year 1). `status` is what the copy says
    at the moment of its arrival; `until` is a deadline in the future by which the sender will repeat it
    (Prometheus' own posts), else None.
    """

    key: str
    labels: dict[str, str]
    annotations: dict[str, str]
    status: Literal["firing", "resolved"]
    starts_at: int
    ends_at: int | None
    until: int | None
    generator_url: str


def fingerprint(labels: Mapping[str, str]) -> str:
    """Alertmanager's fingerprint, 16 hex digits: FNV-1a over name, 0xFF, value, 0xFF of the sorted labels.

    Only shown and compared by people and tools; our own key is `alert_key`.
    """
    value = _FNV_OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), 0xFF, *labels[name].encode(), 0xFF):
            value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def alert_key(labels: Mapping[str, str]) -> str:
    """The alert's identity: 16 hex digits, BLAKE2b over the sorted, non-empty labels.

    An empty value is the same as no label (Prometheus' data model).

    Raises:
        InvalidAlertError: the label set can never be valid; the message says what was expected.
    """
    # The memo keeps the hash of a label set and not the labels, which would cost kilobytes for each. Two sets
    # are as unlikely to share Python's keyed 64-bit hash as to share the 64-bit key itself.
    try:
        memo = hash(tuple(labels.items()))
    except TypeError:  # a value that cannot be hashed, such as a list, is no string either
        _refuse_types(labels)
        raise
    if (key := _memo.get(memo)) is None:
        key = _key_of(labels)
        if len(_memo) >= _MEMO_SIZE:
            _memo.clear()
        _memo[memo] = key
    return key


_memo: dict[int, str] = {}


def _key_of(labels: Mapping[str, str]) -> str:
    _refuse_types(labels)
    present = sorted((name, value) for name, value in labels.items() if value)
    if not present:
        raise InvalidAlertError("labels", "an alert needs at least one label with a value")
    if len(present) > MAX_LABELS:
        raise InvalidAlertError(
            "labels", f"at most {MAX_LABELS} labels are taken; this alert has {len(present)}"
        )
    text = "".join([f"{len(name)}:{name}{len(value)}:{value}" for name, value in present])
    encoded = text.encode()
    if len(encoded) > MAX_NAME_BYTES or not present[0][0] or not text.isprintable():
        for name, value in present:
            _refuse_label(name, value)
    return blake2b(encoded, digest_size=8).hexdigest()


def _refuse_types(labels: Mapping[str, object]) -> None:
    for name, value in labels.items():
        if not isinstance(value, str):
            found = "null" if value is None else type(value).__name__
            raise InvalidAlertError(f"labels.{name}", f"a label's value is a string; this one is {found}")


def _refuse_label(name: str, value: str) -> None:
    if not name:
        raise InvalidAlertError("labels", "a label's name cannot be empty")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidAlertError("labels", f"a label's name has at most {MAX_NAME_BYTES} bytes: {name[:40]}…")
    if len(value.encode()) > MAX_VALUE_BYTES:
        raise InvalidAlertError(f"labels.{name}", f"a label's value has at most {MAX_VALUE_BYTES} bytes")
    if _CONTROL.search(name):
        raise InvalidAlertError("labels", f"a label's name has no control characters: {name!r}")


class Status(StrEnum):
    """What is known of an alert in a group."""

    FIRING = "firing"
    RESOLVED = "resolved"
    SUSPECT = "suspect"
    DISMISSED = "dismissed"


class News(StrEnum):
    """What a copy that arrived, or a deadline that passed, means for the group."""

    NEW = "new"  # a new episode begins
    CONTINUED = "continued"  # an ended episode goes on: believed again
    ENDED = "ended"
    REPEATED = "repeated"
    SUSPECTED = "suspected"
    RECORDED = "recorded"  # late or unknown news: kept, nobody told


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of one alert of one group between its copies.

    Attributes:
        status: see `Status`.
        starts_at: earliest start of the present episode.
        latest_start: latest start that any copy of the present episode gave.
        ended_at: when the last episode ended, 0 if none has.
        ended_seen: when the news of that end arrived, 0 if none has.
        until: a deadline by which the sender (Prometheus itself) repeats the alert, 0 if none.
        seen: when a copy last arrived; kept to within a seventy-second of `stale_after`.
        expired: the last end was an absence (a deadline passed), not a message.
    """

    status: Status
    starts_at: int
    latest_start: int
    ended_at: int = 0
    ended_seen: int = 0
    until: int = 0
    seen: int = 0
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Dedup:
    """The durations of `dedup:`, in milliseconds."""

    reorder: int = 45_000
    confirm: int = 330_000
    stale_after: int = 43_200_000
    dismissed_for: int = 14_400_000


def arrive(known: Known | None, copy: Arrival, now: int, dedup: Dedup) -> tuple[Known, News]:
    """What `copy`, arriving at `now`, makes of what is `known`: one row of the table each."""
    if copy.status == "firing":
        if known is None:
            return _begin(copy, now), News.NEW
        return _FIRING[known.status](known, copy, now, dedup)
    if known is None:
        ended = copy.ends_at or now
        return Known(Status.RESOLVED, copy.starts_at, copy.starts_at, ended, now, seen=now), News.RECORDED
    return _resolve(known, copy, now)


def _begin(copy: Arrival, now: int, before: Known | None = None) -> Known:
    return Known(
        Status.FIRING,
        copy.starts_at,
        copy.starts_at,
        ended_at=before.ended_at if before else 0,
        ended_seen=before.ended_seen if before else 0,
        until=copy.until or 0,
        seen=now,
    )


def _firing_again(known: Known, copy: Arrival, now: int, _dedup: Dedup) -> tuple[Known, News]:
    again = replace(
        known,
        starts_at=min(known.starts_at, copy.starts_at),
        latest_start=max(known.latest_start, copy.starts_at),
        until=_later(known, copy),
        seen=now,
    )
    return again, News.REPEATED


def _later(known: Known, copy: Arrival) -> int:
    """The deadline that counts, 0 for none: of several who post the same alert, whoever posts most seldom."""
    return max(known.until, copy.until) if copy.until else 0


def _fired_after_end(known: Known, copy: Arrival, now: int, dedup: Dedup) -> tuple[Known, News]:
    if copy.starts_at > known.ended_at:
        return _begin(copy, now, known), News.NEW
    if copy.until is None and now - known.ended_seen <= dedup.reorder:
        return replace(known, status=Status.SUSPECT, seen=now), News.SUSPECTED
    return believe(known, copy.until or 0, now), News.CONTINUED


def _suspect_again(known: Known, copy: Arrival, now: int, dedup: Dedup) -> tuple[Known, News]:
    if copy.starts_at > known.ended_at:
        return _begin(copy, now, known), News.NEW
    if copy.until is None and now - known.ended_seen <= dedup.reorder:
        return replace(known, seen=now), News.SUSPECTED
    return believe(known, copy.until or 0, now), News.CONTINUED


def _dismissed_again(known: Known, copy: Arrival, now: int, _dedup: Dedup) -> tuple[Known, News]:
    if known.ended_at and copy.starts_at > known.ended_at:
        return _begin(copy, now, known), News.NEW
    return replace(known, seen=now, until=_later(known, copy)), News.REPEATED


_FIRING: Final = {
    Status.FIRING: _firing_again,
    Status.RESOLVED: _fired_after_end,
    Status.SUSPECT: _suspect_again,
    Status.DISMISSED: _dismissed_again,
}


def believe(known: Known, until: int, now: int) -> Known:
    """The episode that had ended goes on: it was not over."""
    return replace(known, status=Status.FIRING, until=until, seen=now, expired=False)


def _resolve(known: Known, copy: Arrival, now: int) -> tuple[Known, News]:
    ended = copy.ends_at or now
    if known.status in (Status.FIRING, Status.DISMISSED):
        late = ended < known.latest_start
        disputed = known.until > now and ended <= known.ended_at
        if late or disputed:
            return replace(known, seen=now), News.RECORDED
        # That one which was dismissed is over has been told.
        news = News.RECORDED if known.status is Status.DISMISSED else News.ENDED
        return replace(known, status=Status.RESOLVED, ended_at=ended, ended_seen=now, until=0, seen=now), news
    # resolved: nothing new, a later end is kept. suspect: the end stands.
    stands = replace(known, status=Status.RESOLVED, ended_at=max(known.ended_at, ended), seen=now)
    return stands, News.REPEATED


def next_deadline(known: Known, dedup: Dedup) -> int | None:
    """When an absence would mean something: the sender's own deadline, the suspect's, staleness."""
    match known.status:
        case Status.FIRING:
            return known.until or known.seen + dedup.stale_after
        case Status.SUSPECT:
            return known.ended_seen + dedup.confirm
        case Status.DISMISSED:
            return known.ended_seen + dedup.dismissed_for
        case _:
            return None


def expire(known: Known, now: int, dedup: Dedup) -> tuple[Known, News]:
    """What it means that `next_deadline` has passed without a word (while we listened)."""
    if known.status is Status.SUSPECT:
        return believe(known, 0, now), News.CONTINUED
    if known.status is Status.DISMISSED:  # it may not be over after all
        if not known.until or known.until > now:
            return believe(known, known.until, now), News.CONTINUED
        over = replace(
            known, status=Status.RESOLVED, ended_at=known.until, ended_seen=now, until=0, expired=True
        )
        return over, News.RECORDED
    ended_at = known.until or known.seen + dedup.stale_after
    ended = replace(known, status=Status.RESOLVED, ended_at=ended_at, ended_seen=now, until=0, expired=True)
    return ended, News.ENDED


def counted(count: int) -> str:
    """How many alerts, for people: `1 alert`, `2 alerts`."""
    return f"{count} alert" if count == 1 else f"{count} alerts"
