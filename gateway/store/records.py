"""What the scripts hand out, as typed records: what was claimed, an attempt begun, an alert as it is stored.

Pure translation from Redis' answers; it decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from routing.incident_records import Group, Incident, from_record
from routing.stored import Begun, DeliveryState, GroupMeta, StoredAlert
from routing.whom import is_news, said_when

if TYPE_CHECKING:
    from collections.abc import Sequence

Counts = tuple[int, int, int, int]
"""Accepted, repeated, suspected, recorded."""


@dataclass(frozen=True, slots=True)
class ClaimedGroup:
    """A group that is ours until `lease`: everything a decision about it is made from."""

    shard: int
    gid: str
    version: int
    lease: int
    doc: str
    meta_text: str
    opened: int
    before: int
    resumed: bool
    due: int
    counted: Group
    deliveries: tuple[DeliveryState, ...]
    marks: int
    judged: int
    weighed: int
    first_look: int
    now: int

    @property
    def unjudged(self) -> bool:
        """Something fires that nobody has judged: at a quiet time, when nobody is to be rung."""
        return self.counted.fired_rev > self.weighed

    @property
    def marked(self) -> bool:
        """What may hold its alerts has changed since they were judged."""
        return self.marks != self.judged

    @property
    def member(self) -> str:
        """Its name among the deadlines."""
        return f"g:{self.gid}"

    @property
    def incident(self) -> Incident | None:
        """Its present or last incident. Raises ValueError where the record cannot be read."""
        return from_record(orjson.loads(self.doc)) if self.doc else None

    @property
    def meta(self) -> GroupMeta:
        """What the plan said of it. Raises ValueError or TypeError where the record cannot be read."""
        return group_meta(self.meta_text)


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery whose attempt number `attempt` is ours until `lease`."""

    shard: int
    id: str
    attempt: int
    lease: int
    kind: str

    @property
    def member(self) -> str:
        """Its name among the deadlines."""
        return f"d:{self.id}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought; `wait` is how long until the next deadline, None if there is none.

    `moved`: sources of inhibition of which the index has not been told; `walk`: the silences have changed and
    the shard is to be walked through; `version`: of the silences by which it was walked last.
    """

    groups: tuple[ClaimedGroup, ...]
    deliveries: tuple[ClaimedDelivery, ...]
    wait: int | None
    lateness: tuple[int, ...]
    moved: int
    walk: bool
    version: int


def claimed_group(shard: int, row: Sequence[Any]) -> ClaimedGroup:
    """From `view` in group.lua."""
    gid, seq, version, lease, doc, meta, opened, before, resumed, due, marks, judged, weighed = row[:13]
    ranks = [int(count or 0) for count in row[13:21]]
    firing, ended, fired_rev, ended_rev, held, first_look, now, deliveries = row[21:]
    worst = next((rank for rank, count in enumerate(ranks) if count > 0), len(ranks) - 1)
    return ClaimedGroup(
        shard=shard,
        gid=gid,
        version=int(version or 0),
        lease=_int(lease),
        doc=doc,
        meta_text=meta,
        opened=_int(opened),
        before=_int(before),
        resumed=resumed == "1",
        due=_int(due),
        counted=Group(_int(seq), firing, ended, fired_rev, ended_rev, worst, held=held),
        deliveries=tuple(_delivery_state(fields) for fields in deliveries),
        marks=_int(marks),
        judged=_int(judged),
        weighed=_int(weighed),
        first_look=_int(first_look),
        now=_int(now),
    )


def _int(value: str | float | None) -> int:
    return int(float(value)) if value else 0


def _delivery_state(row: Sequence[str]) -> DeliveryState:
    did, incident, kind, place, ends, updates, edits, state, *levels, rung_by, person = row
    wanted, sent, ring_wanted, ring_sent, rung, sent_at, ring_at = map(_int, levels)
    return DeliveryState(
        id=did,
        incident=_int(incident),
        kind=kind,
        place=place,
        ends=ends == "1",
        updates=updates == "1",
        edits=edits == "1",
        state=state,
        wanted=wanted,
        sent=sent,
        ring_wanted=ring_wanted,
        ring_sent=ring_sent,
        rung=rung,
        sent_at=sent_at,
        ring_at=ring_at,
        rung_by=rung_by,
        person=person,
    )


def group_meta(text: str) -> GroupMeta:
    """A group's pinned part of the plan."""
    return GroupMeta(**orjson.loads(text)) if text else GroupMeta("", "", {}, 0, 60_000, 60_000)


def begun(row: Sequence[Any]) -> Begun:
    """From begin.lua."""
    _, flat, (revision, lease, now, meta), counts, firing_rows, ended_rows, doc, waited, history = row
    fired, ended, unseen, unheard, held, held_by = counts
    fields = flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
    return Begun(
        fields=fields,
        revision=int(revision),
        lease=int(lease),
        now=int(now),
        waited=int(waited),
        incident=from_record(orjson.loads(doc)),
        meta=group_meta(meta),
        firing=fired,
        ended=ended,
        new_firing=unseen,
        unheard=unheard,
        held=held,
        held_by=tuple(held_by),
        firing_alerts=stored_alerts(firing_rows[1], firing_rows[2]),
        ended_alerts=stored_alerts(ended_rows[1], ended_rows[2]),
        history=tuple(said_when(line) for line in map(orjson.loads, history) if is_news(line)),
    )


def stored_alerts(states: Sequence[str | None], contents: Sequence[str | None]) -> tuple[StoredAlert, ...]:
    """From the arrays of alert.lua and the contents beside them; one that left meanwhile is passed over."""
    return tuple(
        _stored_alert(orjson.loads(state), orjson.loads(content))
        for state, content in zip(states, contents, strict=True)
        if state and content
    )


def _stored_alert(state: Sequence[Any], content: Sequence[Any]) -> StoredAlert:
    labels, annotations, generator_url = content
    _, starts_at, _, ended_at, _, _, _, expired, _, fired_rev, ended_rev, *_ = state
    return StoredAlert(
        labels, annotations, generator_url, starts_at, ended_at, bool(expired), max(fired_rev, ended_rev)
    )
