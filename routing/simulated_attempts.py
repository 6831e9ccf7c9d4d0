"""Attempts in a simulation: what is sent, what comes back, and what is told of it.

As `gateway/sender.py` with begin.lua and sent.lua. What an attempt is and what follows from it decide
`delivery.py` and `attempts.py`. Times are milliseconds.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final

from routing import attempts
from routing.delivery import Skip, Told, decide_delivery, next_attempt
from routing.records import replace
from routing.stored import Begun
from routing.story import Notification
from routing.whom import is_news, said_when

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from routing.delivery import Kind
    from routing.simulated_group import SimulatedGroup
    from routing.simulator import Simulator

SHOWN: Final = 50
WEIGHED_AT_MOST: Final = 3
HISTORY: Final = 20


class SimulatedAttempts:
    """The sender of a simulation."""

    def __init__(self, world: Simulator, tell: Callable[[Notification], None]) -> None:
        self._world = world
        self._tell = tell
        self._history: dict[int, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=HISTORY))

    def history(self, incident: int, line: Sequence[str]) -> None:
        """A line of a timeline, which messages may show."""
        if incident and self._world.town.shows:
            kind, text, *target = line
            entry = {"at": self._world.now, "kind": kind, "text": text, "target": target[0] if target else ""}
            self._history[incident].append(entry)

    def forget(self, incident: int) -> None:
        """Nobody will be told of it any more."""
        self._history.pop(incident, None)

    def attempt(self, did: str) -> None:
        """One attempt of a delivery that has been claimed."""
        world, fields = self._world, self._world.deliveries.all[did]
        group = world.groups[fields["gid"]]
        for _ in range(WEIGHED_AT_MOST):
            if fields["final"] or not world.holds.to_be_weighed(group):
                break
            world.holds.weigh(group)
        begun = self._begin(fields, group)
        delivery = attempts.levels(did, fields["attempt"], begun)
        what = next_attempt(delivery)
        if isinstance(what, Skip):
            self._sent(did, group, attempts.skipped(delivery, begun, what))
            return
        quiet = world.placing.quiet(begun.incident.route, world.now)
        if what == "ring" and (wait := attempts.held_back(begun, quiet)):
            if quiet:
                world.reached.intervals.add(begun.incident.route)
            if (reason := attempts.quiet_news(delivery, begun)) is None:
                self._sent(did, group, attempts.waiting(delivery, wait))
                return
            what, begun = "update", replace(begun, fields={**begun.fields, "reason": reason})
        outcome, text = world.town.send(what, did, begun, world.placing, world.book)
        verdict = decide_delivery(delivery, outcome, world.now)
        self._sent(did, group, attempts.sent(delivery, begun, what, outcome, verdict))
        if isinstance(outcome, Told):
            self._tell(self._notification(what, begun, text))

    def _begin(self, one: dict[str, Any], group: SimulatedGroup) -> Begun:
        """The newest revision, as begin.lua reads it."""
        world = self._world
        number, final = one["incident"], one["final"]
        revision = final or group.seq
        group.shown = max(group.shown, revision)
        seen = max(one["sent"], int(one["base"]))
        ended = [key for key, at in group.over.items() if seen < at <= revision]
        firing: list[str] = []
        held_by: tuple[str, ...] = ()
        fired = unseen = unheard = held = 0
        if not final:
            fired, held = len(group.firing), len(group.held)
            unseen = sum(1 for at in group.firing.values() if at > seen)
            unheard = sum(1 for at in group.firing.values() if at > one["rung"])
            firing = sorted(group.firing, key=lambda key: (group.firing[key], key))[:SHOWN]
            if not fired and held:
                firing = sorted(group.held)[:SHOWN]
                held_by = tuple(dict.fromkeys(group.held[key] for key in firing))
                for key in firing:  # somebody sees now that it fires, so its end is shown too
                    if group.alerts[key].fired == 0:
                        group.alerts[key].fired = revision
        # This attempt shows the last ends without being the end, which has something left to show.
        counted = revision
        if not final and fired + held == 0 and group.over:
            counted = max(one["wanted"], min(revision, max(group.over.values()) - 1))
        shows = world.town.shows  # else nobody asks for what stands in the message
        fields = dict(one)
        if shows and one["kind"] == "webhook" and len(group.firing) + len(ended) > SHOWN:
            every = sorted(group.firing, key=lambda key: (group.firing[key], key)) if not final else []
            fields["all"] = group.stored(every), group.stored(ended)
        ended.sort(key=lambda key: (group.over[key], key))
        lines = [entry for entry in self._history.get(number, ()) if is_news(entry)] if shows else []
        return Begun(
            fields=fields,
            revision=counted,
            lease=0,
            now=world.now,
            waited=0,
            incident=world.incidents[number],
            meta=group.meta,
            firing=fired,
            ended=len(ended),
            new_firing=unseen,
            unheard=unheard,
            held=held,
            held_by=held_by,
            firing_alerts=group.stored(firing) if shows else (),
            ended_alerts=group.stored(ended[:SHOWN]) if shows else (),
            history=tuple(map(said_when, lines)),
        )

    def _sent(self, did: str, group: SimulatedGroup, verdict: dict[str, Any]) -> None:
        world = self._world
        number = world.deliveries.all[did]["incident"]
        world.tell(number, verdict["lines"])
        world.deliveries.sent(did, verdict, world.now)
        state = world.deliveries.all[did]["state"]
        if state == "dead" and group.clocked:  # the next step may have to come earlier for it
            group.next, group.died = min(group.next, world.now), True
            world.schedule(group)
        if state != "open" and (group.incident is None or group.incident.number != number):
            group.deliveries.pop(did, None)
            world.let_go(group, number)

    def taken_over(self, did: str, before: int, incident: int) -> None:
        """The next incident took the delivery of the one before over, whose end nobody is told."""
        fields = self._world.deliveries.all[did]
        text = f"its end was not told: it fired again first, as #{incident}"
        self._world.tell(before, [("not_told", text, f"{fields['receiver']}, {fields['target']}")])

    def _notification(self, what: Kind, begun: Begun, text: str) -> Notification:
        fields, incident = begun.fields, begun.incident
        kind, name = self._world.town.target(fields)
        rings = what == "ring"
        return Notification(
            at=begun.now,
            target=name,
            target_kind=kind,
            by=fields["kind"],
            where=fields["where"].removeprefix("slack:").removeprefix("#" if fields["person"] else ""),
            kind=what,
            incident=incident.number,
            route=incident.route,
            team=incident.team,
            severity=incident.severity,
            policy=fields["rung_by"] if rings else "",
            step=fields["step"] if rings else 0,
            why=fields["reason"],
            firing=begun.firing,
            ended=begun.ended if fields["ends"] == "1" else 0,  # as `gateway/message.py` counts
            text=text,
        )
