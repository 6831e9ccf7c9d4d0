"""Adoption: an open incident comes under another route, since the configuration has changed under it.

Its number, who has it in hand and whom it told stay. Under a policy of the same name the clocks stay as well,
and so does another policy that somebody has reassigned it to.
Under another policy or receiver that is told now, unless somebody has it in hand, or was told already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.clocks import begin, caught_up, moments
from routing.decisions import FIRST, Decision
from routing.incident_records import Status
from routing.policies import Target
from routing.records import replace
from routing.telling import Telling, ring

if TYPE_CHECKING:
    from routing.clocks import Book
    from routing.events import Adopted
    from routing.incident_records import Group, Incident, Told


def adopted(
    incident: Incident, event: Adopted, now: int, group: Group, told: tuple[Told, ...], *, book: Book
) -> Decision:
    """What the change means for the incident; what is due by it comes at once, by itself."""
    telling = Telling(now, group.seq, told, book)
    moved = event.receiver != incident.receiver
    new = replace(
        incident,
        route=event.route,
        receiver=event.receiver,
        policy=event.policy if moved or not incident.policy else incident.policy,
        team=event.team,
        group_interval=event.group_interval,
        repeat_interval=event.repeat_interval,
    )
    if not incident.open:
        return Decision(new, deadline=now)
    new = caught_up(new, now)
    telling.say("adopted", f"the configuration has changed: it goes on under {event.route}, {event.receiver}")
    if not moved and event.policy and not incident.policy:  # by a version that knew first steps only
        first = begin(event.policy, incident.triggered_at, book)
        new = replace(new, clocks=(replace(first, digest=""),))
    elif moved:
        # Where somebody has it in hand its clock only says what comes when that ends.
        new = replace(new, clocks=(begin(event.policy, now, book),) if event.policy else (), later=())
    if not event.policy and moved:
        new = _tell_receiver(new, telling)
    return Decision(
        new,
        tuple(telling.orders.values()),
        rings=tuple(telling.rings.values()),
        deadline=now,
        lines=tuple(telling.lines),
    )


def _tell_receiver(incident: Incident, telling: Telling) -> Incident:
    """Whoever is new is told, unless somebody has it in hand; where it is held, when that is over."""
    if incident.status is Status.ACKNOWLEDGED or not incident.rung:
        return incident
    known = {one.place for one in telling.told if one.knows}
    found = telling.book.reach((Target("receiver", incident.receiver),), incident, telling.now).ways
    fresh = [way for way in found if way.place not in known]
    return ring(incident, fresh, telling, FIRST, unless="acknowledged", by="")


def without_what_is_gone(incident: Incident, telling: Telling) -> Incident:
    """A policy is gone from the configuration, and no route led elsewhere: somebody is told all the same."""
    gone = [clock.policy for clock in incident.clocks if telling.book.policy(clock.policy) is None]
    if not gone or incident.suppressed or incident.status is not Status.TRIGGERED:
        return incident
    left = tuple(clock for clock in incident.clocks if clock.policy not in gone)
    incident = replace(incident, clocks=left)
    why = f"the configuration has no policy {gone[-1]} any more"
    if moments(incident, telling.book):
        telling.say("adopted", why)
        return incident
    ways = telling.book.last_resort(incident, telling.now).ways
    telling.say("instead", f"telling {', '.join(way.who for way in ways) or 'nobody'}: {why}")
    return ring(incident, ways, telling, why, unless="acknowledged", by="")
