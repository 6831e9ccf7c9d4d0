"""Between an attempt and `routing/delivery.py`: what a decision is made from, and what sent.lua is to write.

Translation only: `gateway/sender.py` begins, sends and commits, `routing/delivery.py` decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.told import BROUGHT_UP_TO_DATE, whom
from receivers.base import Refused, Retry, Sent
from routing.decisions import HELD, PARTLY
from routing.delivery import Delivery, Failed, Rejected, Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.store.records import Begun, ClaimedDelivery
    from receivers.base import Outcome
    from routing.delivery import Kind, Skip, Verdict


def levels(claimed: ClaimedDelivery, begun: Begun) -> Delivery:
    """The delivery as a decision sees it."""
    fields = begun.fields

    def level(name: str) -> int:
        return int(float(fields.get(name) or 0))

    return Delivery(
        id=claimed.id,
        wanted=level("wanted"),
        sent=level("sent"),
        ring_wanted=level("ring_wanted"),
        ring_sent=level("ring_sent"),
        final=level("final"),
        unknown=level("unknown") == 1,
        ends=fields.get("ends") == "1",
        updates=fields.get("updates") == "1",
        notice=level("notice"),
        attempt=claimed.attempt,
        tries=level("tries"),
        failing_since=level("failing_since"),
    )


def quiet_news(delivery: Delivery, begun: Begun) -> str | None:
    """What can be told while the sound is held back: the end to who saw it fire, or that all is held."""
    if not delivery.sent or begun.revision <= delivery.sent:
        return None  # the last ends stay for the end itself: they would be told again and again
    if begun.ended and delivery.ends and delivery.updates:
        return PARTLY
    unsaid = begun.held and not begun.firing and delivery.wanted > delivery.sent
    return HELD if unsaid and begun.fields.get("edits") == "1" else None


def plain(outcome: Outcome, revision: int) -> Told | Failed | Rejected:
    """What came back, as a decision sees it."""
    match outcome:
        case Sent():
            return Told(revision)
        case Retry(reason, after, closes_target, unknown, _):
            return Failed(reason, after, closes_target, unknown)
        case Refused(reason):
            return Rejected(reason)


_UNCHANGED: Final = {
    "sent": 0, "ring_sent": 0, "rung": 0, "memory": "", "unknown": False, "tries": 0, "failing_since": 0,
    "retry_in": 0, "closed_for": 0, "error": "", "told": False, "answered": False, "lines": [],
}  # fmt: skip


def waiting(delivery: Delivery, wait: int) -> dict[str, Any]:
    """Nobody is to be rung now; look again in `wait` ms."""
    return _UNCHANGED | {"state": "open", "unknown": delivery.unknown, "retry_in": wait}


def skipped(delivery: Delivery, begun: Begun, skip: Skip) -> dict[str, Any]:
    """Nothing is to be sent."""
    lines = [["skipped", skip.why, _where(begun)]] if skip.why else []
    told = delivery.sent or delivery.unknown or delivery.final
    return _UNCHANGED | {
        "state": "done" if delivery.final else "open",
        "sent": begun.revision if told else 0,  # who was never rung has been shown nothing
        "ring_sent": delivery.ring_wanted,
        "lines": lines,
    }


def sent(delivery: Delivery, begun: Begun, what: Kind, outcome: Outcome, verdict: Verdict) -> dict[str, Any]:
    """The receiver has answered."""
    # Counted from when the store learns of it: an attempt that took its whole time limit is no pause.
    closed_for = (verdict.target_closed_until or begun.now) - begun.now
    fields: dict[str, Any] = {"state": verdict.state, "closed_for": closed_for}
    line = verdict.line
    match outcome:
        case Sent(memory, note):
            heard = delivery.ring_wanted if what in ("ring", "end") else 0
            fields |= {"sent": begun.revision, "ring_sent": heard, "told": True, "answered": True}
            fields["memory"] = _memory(memory)
            fields |= {"rung": begun.revision if what == "ring" else 0}
            reason = begun.fields.get("reason", "")
            line = f"{_SAID[what]} ({reason})" + (f"; {note}" if note else "")
        case Retry(reason, _, _, unknown, memory):
            fields |= {
                "tries": delivery.tries + 1,
                "failing_since": delivery.failing_since or begun.now,
                "retry_in": (verdict.retry_at or begun.now) - begun.now,
                "unknown": unknown or delivery.unknown,
                "error": reason,
                "memory": "" if memory is None else _memory(memory),
            }
        case Refused(reason):
            fields |= {
                "error": reason,
                "tries": delivery.tries + 1,
                "unknown": delivery.unknown,
                "answered": True,
            }
    kind = "told" if isinstance(outcome, Sent) else "not_told"
    return _UNCHANGED | fields | {"lines": [[kind, line, _where(begun)]] if line else []}


_SAID: Final = {"ring": "told", "update": BROUGHT_UP_TO_DATE, "end": "told of the end"}


def rang(kind: str, text: str) -> bool:
    """Whether a line of a timeline says that somebody was told so that it could be heard."""
    return kind == "told" and text.startswith(f"{_SAID['ring']} (")


def _memory(memory: Mapping[str, Any]) -> str:
    return orjson.dumps({name: value for name, value in memory.items() if name != "unknown"}).decode()


def _where(begun: Begun) -> str:
    """Whom a line is about."""
    fields = begun.fields
    return whom(fields["kind"], fields["receiver"], fields["where"], fields.get("person", ""))
