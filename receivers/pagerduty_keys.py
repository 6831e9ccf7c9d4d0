"""Which events a message takes, and under which keys: what PagerDuty has open for a delivery.

PagerDuty makes no sound for a trigger under the key of an open incident, still less of an acknowledged one,
and its Events API can neither take an acknowledgement back nor reopen. So a ring that must be heard has a key
of its own: it is triggered first, and what was open under older keys is resolved after that; somebody always
has the incident on the phone. A plain receiver's repeats keep their key, as Alertmanager's do, unless what is
open was acknowledged and is so no more.

Whatever breaks off in between is harmless when repeated: a trigger under its key adds a line to the log, a
resolve of what is not open is dropped (PagerDuty: "Send an alert event"). Keys that an attempt of unknown
outcome may have opened are made from the numbers of the rings, so they are found again after a crash.

Pure: `pagerduty.py` sends. Times are milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from receivers.base import Message

MAX_DEDUP_KEY: Final = 255
_ROOM_FOR_RING: Final = 12
_RINGS_BACK: Final = 20  # of so many rings of unknown outcome the keys are resolved

Action = Literal["trigger", "acknowledge", "resolve"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What is open over there for a delivery, as far as we know: the receiver's memory.

    Attributes:
        incident: the number of the incident of ours that it is, 0 for none.
        key: the key of the newest ring that has arrived, "" for none.
        ring: the number of that ring.
        since: from when on an event about this key is about this incident.
        acked: when the acknowledgement was given that has been sent under this key, 0 for none.
        shown: tells the last event under this key from one that shows something else.
        old: keys that have still to be resolved.
        tried, tried_at: a ring whose trigger may have arrived, and when it was first sent; 0 for none.
    """

    incident: int = 0
    key: str = ""
    ring: int = 0
    since: int = 0
    acked: int = 0
    shown: str = ""
    old: tuple[str, ...] = ()
    tried: int = 0
    tried_at: int = 0

    @classmethod
    def remembered(cls, memory: Mapping[str, Any], base: str = "") -> Opened:
        """From a delivery's memory; `base` is the key of memories from before there were several keys."""
        known = {name: memory[name] for name in cls.__slots__ if name in memory}
        if "incident" in known and "key" not in known:
            known["key"] = base
        return cls(**known | {"old": tuple(known.get("old", ()))})

    def memory(self) -> dict[str, Any]:
        """What is to be remembered of it: all that is not empty."""
        kept = {name: value for name, value in asdict(self).items() if value}
        return kept | {"key": self.key}

    def after_unknown(self, message: Message) -> Opened:
        """The trigger of this ring may have arrived."""
        if message.kind != "ring" or self.tried == message.ring:
            return self
        return replace(self, tried=message.ring, tried_at=message.now)


class Step(NamedTuple):
    """One event, and what is open once it has been accepted."""

    action: Action
    key: str
    then: Opened


def ring_key(base: str, ring: int) -> str:
    """The key of a delivery's ring number `ring`, from 1."""
    return base[:MAX_DEDUP_KEY] if ring < 2 else f"{base[: MAX_DEDUP_KEY - _ROOM_FOR_RING]}:{ring}"


def ring_of(key: str) -> tuple[str, int]:
    """The base and the ring of a key that `ring_key` made."""
    base, colon, ring = key.rpartition(":")
    return (base, int(ring)) if colon and ring.isdecimal() and len(ring) < _ROOM_FOR_RING else (key, 1)


def digest(event: Mapping[str, Any]) -> str:
    """Tells events that show something else from each other."""
    return blake2b(json.dumps(event, sort_keys=True).encode(), digest_size=8).hexdigest()


def steps(message: Message, shown: str, memory: Mapping[str, Any]) -> Iterator[Step]:
    """The events that `message` takes now, in order.

    `shown` is the `digest` of its trigger. `memory` is the delivery's, with `unknown` (an earlier attempt may
    have arrived) and `theirs`, the key that somebody has acknowledged over there.
    """
    opened = Opened.remembered(memory, ring_key(message.dedup_key, 1))
    theirs = opened.key != "" and memory.get("theirs") == opened.key
    unsure = _maybe_opened(opened, message, apart=theirs) if memory.get("unknown") else ()
    match message.kind:
        case "end":
            last = opened.key or _new_key(message, apart=False)
            yield from _resolved(opened, (last, *opened.old, *unsure))
        case "ring":
            yield from _ring(message, shown, opened, unsure, theirs=theirs)
        case "update":
            yield from _update(message, shown, opened, unsure, theirs=theirs)


def _ring(
    message: Message, shown: str, opened: Opened, unsure: Sequence[str], *, theirs: bool
) -> Iterator[Step]:
    ours = opened.incident in (0, message.incident)
    acked = ours and (opened.acked > 0 or theirs)
    heard = ours and opened.key != "" and opened.ring == message.ring  # only older keys are left to resolve
    stays = heard or (ours and opened.key != "" and not acked and not message.escalates)
    key = opened.key if stays else _new_key(message, apart=acked)
    older = tuple(dict.fromkeys(one for one in (*opened.old, opened.key, *unsure) if one and one != key))
    if not ours and opened.key == key:  # under this key it would make no sound
        opened = replace(opened, incident=message.incident, key="", ring=0, acked=0, shown="", old=older)
        yield Step("resolve", key, opened)
    if not heard or shown != opened.shown:
        same = ours and opened.key == key
        opened = Opened(
            message.incident,
            key,
            message.ring,
            since=opened.since if same else _first_sent(message, opened),
            acked=opened.acked if same else 0,
            shown=shown,
            old=older,
        )
        yield Step("trigger", key, opened)
    yield from _resolved(opened, older)


def _update(
    message: Message, shown: str, opened: Opened, unsure: Sequence[str], *, theirs: bool
) -> Iterator[Step]:
    if opened.incident not in (0, message.incident):  # that one is over, and of this one nobody was rung
        yield from _resolved(Opened(message.incident), (opened.key, *opened.old, *unsure))
        return
    ack = message.acknowledged
    key = opened.key or _new_key(message, apart=False)
    if ack and ack.at > opened.acked and ack.at >= opened.since and not theirs:
        opened = replace(opened, acked=ack.at)
        yield Step("acknowledge", key, opened)
    for step in _resolved(opened, [one for one in (*opened.old, *unsure) if one != key]):
        yield step
        opened = step.then
    if opened.key and shown != opened.shown:  # without a ring that was heard, a trigger would be one
        yield Step("trigger", key, replace(opened, shown=shown))


def _resolved(opened: Opened, keys: Sequence[str]) -> Iterator[Step]:
    left = tuple(dict.fromkeys(key for key in keys if key))
    while left:
        key, left = left[0], left[1:]
        opened = replace(opened, old=left)
        yield Step("resolve", key, opened)


def _new_key(message: Message, *, apart: bool) -> str:
    return ring_key(message.dedup_key, message.ring if message.escalates or apart else 1)


def _first_sent(message: Message, opened: Opened) -> int:
    """When the trigger of this ring was first sent: somebody may have answered it before it was repeated."""
    return opened.tried_at if opened.tried == message.ring and opened.tried_at else message.now


def _maybe_opened(opened: Opened, message: Message, *, apart: bool) -> tuple[str, ...]:
    """Keys of rings after the last that is known to have arrived, the newest first."""
    if not (message.escalates or apart or opened.acked):
        return (ring_key(message.dedup_key, 1),)
    known = opened.ring if opened.incident == message.incident else 0
    first = max(known + 1, message.ring - _RINGS_BACK + 1)
    return tuple(ring_key(message.dedup_key, ring) for ring in range(message.ring, first - 1, -1))
