"""An attempt: what is decided right before sending, and what its outcome changes of a delivery.

`delivery.py` decides what an attempt must be and when the next one is; here stands which levels of the
delivery that changes, and what the timeline says of it. Times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from routing.decisions import FIRST, GROWN, HELD, PARTLY, RELEASED
from routing.delivery import Delivery, Failed, Rejected, Told
from routing.whom import BROUGHT_UP_TO_DATE, whom

if TYPE_CHECKING:
    from routing.calendar import Quiet
    from routing.delivery import Kind, Skip, Verdict
    from routing.stored import Begun

LOOK_AGAIN: Final = 60_000


def levels(did: str, attempt: int, begun: Begun) -> Delivery:
    """The delivery as a decision sees it."""
    fields = begun.fields

    def level(name: str) -> int:
        return int(float(fields.get(name) or 0))

    return Delivery(
        id=did,
        wanted=level("wanted"),
        sent=level("sent"),
        ring_wanted=level("ring_wanted"),
        ring_sent=level("ring_sent"),
        final=level("final"),
        unknown=level("unknown") == 1,
        ends=fields.get("ends") == "1",
        updates=fields.get("updates") == "1",
        notice=level("notice"),
        attempt=attempt,
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


def held_back(begun: Begun, quiet: Quiet | None) -> int:
    """For how long a ring has to wait, by what is true now (ms), 0 for not at all.

    `quiet`: the time intervals that keep its route from ringing now. Whoever lets the alerts go rings at
    once (commit.lua); the wait is only for a quiet time's end.
    """
    nothing_new = begun.unheard == 0 and begun.fields.get("reason") in (FIRST, GROWN, RELEASED)
    if begun.held and (begun.firing == 0 or nothing_new):
        return LOOK_AGAIN
    if quiet is None:
        return 0
    return max(1, min((quiet.until or begun.now + LOOK_AGAIN) - begun.now, LOOK_AGAIN))


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


def sent(
    delivery: Delivery, begun: Begun, what: Kind, outcome: Told | Failed | Rejected, verdict: Verdict
) -> dict[str, Any]:
    """The receiver has answered."""
    # Counted from when the store learns of it: an attempt that took its whole time limit is no pause.
    closed_for = (verdict.target_closed_until or begun.now) - begun.now
    fields: dict[str, Any] = {"state": verdict.state, "closed_for": closed_for}
    line = verdict.line
    match outcome:
        case Told(_, note, memory):
            heard = delivery.ring_wanted if what in ("ring", "end") else 0
            fields |= {"sent": begun.revision, "ring_sent": heard, "told": True, "answered": True}
            fields["memory"] = memory
            fields |= {"rung": begun.revision if what == "ring" else 0}
            reason = begun.fields.get("reason", "")
            line = f"{_SAID[what]} ({reason})" + (f"; {note}" if note else "")
        case Failed(reason, _, _, unknown, memory):
            fields |= {
                "tries": delivery.tries + 1,
                "failing_since": delivery.failing_since or begun.now,
                "retry_in": (verdict.retry_at or begun.now) - begun.now,
                "unknown": unknown or delivery.unknown,
                "error": reason,
                "memory": memory,
            }
        case Rejected(reason):
            fields |= {
                "error": reason,
                "tries": delivery.tries + 1,
                "unknown": delivery.unknown,
                "answered": True,
            }
    kind = "told" if isinstance(outcome, Told) else "not_told"
    return _UNCHANGED | fields | {"lines": [[kind, line, _where(begun)]] if line else []}


_SAID: Final = {"ring": "told", "update": BROUGHT_UP_TO_DATE, "end": "told of the end"}


def rang(kind: str, text: str) -> bool:
    """Whether a line of a timeline says that somebody was told so that it could be heard."""
    return kind == "told" and text.startswith(f"{_SAID['ring']} (")


def _where(begun: Begun) -> str:
    """Whom a line is about."""
    fields = begun.fields
    return whom(fields["kind"], fields["receiver"], fields["where"], fields.get("person", ""))
