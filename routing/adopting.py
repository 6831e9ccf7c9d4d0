"""Adoption: an open incident comes under another route, since the configuration has changed under it.

Its number, who has it in hand and whom it told stay. Under a policy of the same name the clocks stay as well.
Under another policy or receiver that is told now, unless somebody has it in hand, or was told already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from routing.clocks import begin, caught_up
from routing.escalation import Telling, ring
from routing.incident_records import FIRST, Decision, Status
from routing.policies import Target

if TYPE_CHECKING:
    from routing.clocks import Book
    from routing.incident_records import Adopted, Group, Incident, Told


def adopted(
    incident: Incident, event: Adopted, now: int, group: Group, told: tuple[Told, ...], *, book: Book
) -> Decision:
    """What the change means for the incident; what is due by it comes at once, by itself."""
    telling = Telling(now, group.seq, told, book)
    new = replace(
        incident,
        route=event.route,
        receiver=event.receiver,
        policy=event.policy,
        team=event.team,
        group_interval=event.group_interval,
        repeat_interval=event.repeat_interval,
    )
    if not incident.open:
        return Decision(new, deadline=now)
    new = caught_up(new, now)
    telling.say("adopted", f"the configuration has changed: it goes on under {event.route}, {event.receiver}")
    if event.policy != incident.policy:
        # Where somebody has it in hand its clock only says what comes when that ends.
        new = replace(new, clocks=(begin(event.policy, now, book),) if event.policy else (), later=())
    if not event.policy and event.receiver != incident.receiver:
        new = _tell_receiver(new, telling)
    return Decision(
        new,
        tuple(telling.orders.values()),
        rings=tuple(telling.rings.values()),
        deadline=now,
        lines=tuple(telling.lines),
    )


def _tell_receiver(incident: Incident, telling: Telling) -> Incident:
    """Whoever is new is told, unless somebody has it in hand, or nobody is to be told now."""
    if incident.status is Status.ACKNOWLEDGED or incident.suppressed or not incident.rung:
        return incident
    known = {one.place for one in telling.told if one.knows}
    found = telling.book.reach((Target("receiver", incident.receiver),), incident, telling.now).ways
    fresh = [way for way in found if way.place not in known]
    return ring(incident, fresh, telling, FIRST, unless="acknowledged", by="")
