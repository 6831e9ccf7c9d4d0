"""What Tocsin told beside what a model of Alertmanager told: both in the same form, to be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertmanager_model import Copy, Told
from world import START

from routing.alerts import Arrival, alert_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from world import World


def as_arrival(copy: Copy) -> Arrival:
    """What the model is given, for Tocsin."""
    labels = dict(copy.labels)
    status = "resolved" if copy.ended else "firing"
    return Arrival(alert_key(labels), labels, {}, status, copy.start, copy.ended or None, None, "")


def told_in(world: World) -> list[Told]:
    """What Tocsin told, as the model says it."""
    return [
        Told(
            START + n.at,
            f"{n.receiver}/{n.integration}",
            n.kind,
            (n.receiver, n.message.incident),
            frozenset(n.firing),
            frozenset(n.ended),
        )
        for n in world.notes
    ]


def shown(told: Iterable[Told]) -> list[str]:
    """One line each, in the order of time; incidents by the order in which each integration saw them."""
    order: dict[str, list[tuple[str, int]]] = {}
    lines = []
    for one in sorted(told, key=lambda t: (t.at, t.integration, sorted(t.firing | t.ended))):
        seen = order.setdefault(one.integration, [])
        if one.incident not in seen:
            seen.append(one.incident)
        firing, ended = "".join(sorted(one.firing)), "".join(sorted(one.ended))
        number = seen.index(one.incident) + 1
        seconds = (one.at - START) / 1000
        lines.append(f"{seconds:.3f} {one.integration} {one.kind} #{number} firing={firing} ended={ended}")
    return lines
