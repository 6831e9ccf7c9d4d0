"""One target's copy of an incident: what its next attempt must be, and what follows from an attempt.

Deliveries are levels, not edges: an attempt always shows the newest revision, so after an outage one
up-to-date message goes out and not a backlog, and a trigger never arrives after its resolve. This module
decides; `gateway/sender.py` sends. All times and durations are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal

GIVE_UP_AFTER: Final = 24 * 3_600_000
FIRST_BACKOFF: Final = 1_000
LONGEST_BACKOFF: Final = 300_000
JITTER: Final = 0.2
# A service that closes its door without saying for how long.
CLOSED_FOR: Final = 30_000

Kind = Literal["ring", "update", "end"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The levels of a delivery.

    Attributes:
        wanted, sent: revisions of the content; `ring_wanted`, `ring_sent`: how often it must be heard.
        final: the closing revision once the incident is resolved, else 0.
        unknown: an earlier attempt may have arrived although nobody said so.
        ends: an end is shown here (`send_resolved`, or the message is edited).
        updates: changes that are not the end are shown here (mail: no).
        notice: a revision that is shown even so, without a sound, 0 for none.
        attempt: the number of the attempt under way, from 1.
        tries: failed attempts in a row; `failing_since`: the first of them, 0 for none.
    """

    id: str
    wanted: int
    sent: int
    ring_wanted: int
    ring_sent: int
    final: int
    unknown: bool
    ends: bool
    updates: bool
    attempt: int = 0
    notice: int = 0
    tries: int = 0
    failing_since: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    """There is nothing to send. `why` is for the timeline, "" where nobody misses anything."""

    why: str = ""


def next_attempt(delivery: Delivery) -> Kind | Skip:
    """What an attempt that starts now must be."""
    never = not delivery.sent and not delivery.unknown
    rings = delivery.ring_wanted > delivery.ring_sent
    if delivery.final:
        if never:  # whose ring was dropped, since somebody had acknowledged, misses nothing
            return Skip("not told: it ended before the first message could be delivered" if rings else "")
        return "end" if delivery.ends and delivery.sent < delivery.final else Skip()
    if rings:
        return "ring"
    shown = delivery.updates or delivery.notice > delivery.sent
    return "update" if shown and delivery.wanted > delivery.sent and not never else Skip()


@dataclass(frozen=True, slots=True)
class Told:
    """It arrived, showing `revision`. `note` is for the timeline; `memory` for the next attempt."""

    revision: int
    note: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not arrive, or nobody knows. `after` is what the service asked to wait, None for nothing.

    `memory` is for the next attempt, "" for what there was.
    """

    reason: str
    after: int | None = None
    closes_target: bool = False
    unknown: bool = False
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """It can never arrive as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt.

    Attributes:
        state: `open` while there may be more to tell; `done` after the end; `dead`: nobody tries any more.
        retry_at: when to try again, None if nothing failed.
        target_closed_until: the whole target is left alone until then, None if it is open.
        line: for the timeline, "" for nothing.
    """

    state: Literal["open", "done", "dead"]
    retry_at: int | None = None
    target_closed_until: int | None = None
    line: str = ""


def decide_delivery(delivery: Delivery, outcome: Told | Failed | Rejected, now: int) -> Verdict:
    """What `outcome` of the present attempt means for the delivery."""
    match outcome:
        case Told(revision):
            return Verdict("done" if delivery.final and revision >= delivery.final else "open")
        case Rejected(reason):
            return Verdict("dead", line=f"refused for good: {reason}")
        case Failed(reason, after, closes_target):
            since = delivery.failing_since or now
            if now - since >= GIVE_UP_AFTER:
                return Verdict(
                    "dead", line=f"given up after 24 h and {delivery.tries + 1} attempts: {reason}"
                )
            # A door that closes for no time at all (`Retry-After: 0`) would be knocked at without a pause.
            shortest = 0 if not closes_target else CLOSED_FOR if after is None else FIRST_BACKOFF
            wait = max(after or 0, shortest)
            retry_at = now + max(wait, backoff(delivery.id, delivery.attempt, delivery.tries))
            closed_until = now + wait if closes_target else None
            # Said once: the timeline is for people, and the log has every attempt.
            line = f"attempt failed, will be repeated: {reason}" if delivery.tries == 0 else ""
            # While a target is closed its deliveries queue by severity; none keeps a time of its own.
            return Verdict("open", closed_until or retry_at, closed_until, line)


def backoff(delivery: str, attempt: int, tries: int) -> int:
    """1 s, doubled with each failure up to 5 min, less or more by up to a fifth.

    The jitter is a hash, so that a simulation equals the service to the millisecond.
    """
    step = min(FIRST_BACKOFF << min(tries, 16), LONGEST_BACKOFF)
    digest = blake2b(f"{delivery}/{attempt}".encode(), digest_size=4).digest()
    share = int.from_bytes(digest, "big") / 0xFFFFFFFF  # 0..1
    return round(step * (1 - JITTER + 2 * JITTER * share))
