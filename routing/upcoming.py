"""What comes next in an incident if nobody does anything, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.clocks import moments
from routing.telling import name_of

if TYPE_CHECKING:
    from routing.clocks import Book
    from routing.incident_records import Incident


def coming_next(incident: Incident, book: Book) -> tuple[str, int]:
    """What happens next if nobody does anything, for people, and when; nothing: ("", 0)."""
    coming = next((one for one in moments(incident, book) if one.what not in ("reminder", "later")), None)
    if coming is None:
        return "", 0
    if coming.what == "ack ends":
        return "the acknowledgement ends", coming.at
    policy = book.policy(incident.clocks[coming.clock].policy)
    if coming.what == "round" or policy is None:
        return f"{incident.clocks[coming.clock].policy} begins again", coming.at
    step = policy.steps[coming.step]
    reached = book.reach(step.notify, incident, coming.at)
    instead = policy.fallback if reached.uncovered and step.uncovered == "fallback" else ()
    ways = (*reached.ways, *book.reach(instead, incident, coming.at).ways)
    who = list(dict.fromkeys(way.who for way in ways))
    said = ", ".join(who[:3]) + (f" and {len(who) - 3} more" if len(who) > 3 else "")
    handed = f"handed over to {step.policy}" if step.policy else ""
    nobody = "whoever is on call then" if reached.uncovered and step.uncovered == "wait" else "nobody"
    told = " and ".join(part for part in (said, handed) if part) or nobody
    return f"{name_of(incident, coming.clock, coming.step)}: {told}", coming.at
