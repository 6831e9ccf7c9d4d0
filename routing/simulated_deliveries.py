"""Deliveries in memory: what the scripts of the store do to them, for a simulation.

The contracts are those of delivery.lua, begin.lua and sent.lua, and of commit.lua for what a decision orders.
A target's deliveries queue, the worst first, and as many are under way as it has slots; a target that has
closed its door is left alone. Times are milliseconds.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any, Final

from routing.deadlines import Deadlines
from routing.stored import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routing.simulated_group import SimulatedGroup

Delivery = dict[str, Any]
"""A delivery's fields, as in keys.py: levels are numbers, what is set once for its place is text."""

_EMPTY: Final = {
    "state": "open", "wanted": 0, "sent": 0, "ring_wanted": 0, "ring_sent": 0, "rung": 0, "sent_at": 0,
    "ring_at": 0, "rung_by": "", "final": 0, "attempt": 0, "tries": 0, "failing_since": 0, "next_at": 0,
    "unknown": 0, "notice": 0, "memory": "", "step": 0, "begun_for": "", "reason": "", "unless": "",
}  # fmt: skip


class SimulatedDeliveries:
    """All deliveries of a simulation, and who waits at which target."""

    def __init__(self) -> None:
        self.all: dict[str, Delivery] = {}
        self._of: dict[int, dict[str, None]] = {}  # incident -> its deliveries
        self.due = Deadlines()
        """`d:` and a delivery's id: it is tried again; `t:` and a target: its door is open again."""
        self._ready: dict[str, dict[str, float]] = {}
        self._unsent: dict[str, int] = {}
        self._closed: dict[str, int] = {}
        self._failing: set[str] = set()
        self._busy: dict[str, set[str]] = {}
        self._touched: dict[str, None] = {}
        self.claimed: deque[str] = deque()
        """Those that can be begun, in their order."""

    def states(self, ids: Iterable[str]) -> list[DeliveryState]:
        """As a decision sees them."""
        return [_state(did, self.all[did]) for did in ids]

    def rests(self, group: SimulatedGroup) -> bool:
        """Nothing more is to be told in the group."""
        return all(self.all[did]["state"] != "open" for did in group.deliveries)

    # --- what a decision orders (commit.lua) ---

    def quiet(self, group: SimulatedGroup, incident: int) -> None:
        """What an acknowledgement makes unnecessary is not heard any more."""
        for did in group.deliveries:
            one = self.all[did]
            mine = one["incident"] == incident and one["state"] == "open"
            if mine and one["ring_wanted"] > one["ring_sent"] and one["unless"] != "resolved":
                one["ring_sent"], one["ring_at"] = one["ring_wanted"], 0
                if not (one["sent"] or one["unknown"]):
                    one["wanted"] = 0

    def order(
        self,
        group: SimulatedGroup,
        orders: Iterable[dict[str, Any]],
        incident: int,
        now: int,
        *,
        claims: bool = True,
    ) -> list[tuple[str, int]]:
        """Carries out orders; the deliveries that were taken over from an earlier incident, and which.

        `claims`: who decided it has room to begin what it orders.
        """
        taken = []
        for order in orders:
            takes: str | None = order.get("takes")
            did: str = order["id"]
            taken_over = takes is not None and self.all[takes]["state"] == "open"
            if takes is not None and taken_over:
                did = takes
                self.all[did] |= {"tries": 0, "failing_since": 0, "next_at": 0}
            if (fields := order.get("new")) and not taken_over:
                self._make(did, fields, takes)
                group.deliveries[did] = None
            one = self.all.get(did)
            if one is None or one["state"] == "dead":
                continue
            if one["incident"] not in (0, incident):
                taken.append((did, one["incident"]))
                self._of[one["incident"]].pop(did, None)
            self._of.setdefault(incident, {})[did] = None
            one |= {
                "state": "open",
                "wanted": order["wanted"],
                "final": order["final"],
                "rank": order["rank"],
                "incident": incident,
            }
            self._ring(one, order, now)
            if order["notice"]:
                one["notice"] = order["wanted"]
            if one["tries"] == 0:
                one["next_at"] = 0
            self.enqueue(did, now)
        if claims:
            self._drain_touched(now)
        return taken

    def _make(self, did: str, fields: dict[str, Any], takes: str | None) -> None:
        # As they would come back from the store.
        new = {name: str(value) if isinstance(value, int) else value for name, value in fields.items()}
        new["base"] = fields["base"]
        old = self.all.get(did)
        if old is not None:  # it has died, and is tried anew
            old |= new | {"state": "open", "ring_sent": old["ring_wanted"], "tries": 0}
            old |= {"failing_since": 0, "next_at": 0}
            if takes is None:
                old["memory"] = ""
        else:
            self.all[did] = {**_EMPTY, "incident": 0, **new}
        if takes is not None and (memory := self.all[takes]["memory"]):
            self.all[did]["memory"] = memory

    def _ring(self, one: Delivery, order: dict[str, Any], now: int) -> None:
        on_its_way = one["ring_wanted"] > one["ring_sent"]
        if order["rings"] > 0 or order["final"] > 0 or not on_its_way:
            one["reason"] = order["reason"]
        if order["rings"] > 0:
            waits = on_its_way and one["unless"] == "resolved"
            one["unless"] = "resolved" if waits else order["unless"]
            one["ring_at"], one["rung_by"], one["step"] = now, order["by"], order["step"]
            one["ring_wanted"] += order["rings"]
            if order["by"]:
                one["escalates"] = one["ends"] = "1"
        elif order["unless"] == "resolved" and on_its_way:
            one["unless"] = "resolved"

    def let_out(self, group: SimulatedGroup, now: int) -> None:
        """A ring that only waits for a hold to end waits no longer (weigh.lua)."""
        for did in group.deliveries:
            one = self.all[did]
            waits = one["state"] == "open" and one["ring_wanted"] > one["ring_sent"]
            if waits and one["tries"] == 0:
                one["next_at"] = 0
                self.due.put(f"d:{did}", now)

    def forget_finished(self, group: SimulatedGroup, incident: int) -> set[int]:
        """Finished deliveries of earlier incidents are the group's no longer; of which incidents."""
        gone = set()
        for did in list(group.deliveries):
            if self.all[did]["state"] != "open" and self.all[did]["incident"] != incident:
                gone.add(self.all[did]["incident"])
                del group.deliveries[did]
        return gone

    def of(self, incident: int, group: SimulatedGroup) -> bool:
        """Whether the group still has deliveries of this incident."""
        return any(did in group.deliveries for did in self._of.get(incident, ()))

    def drop_all_of(self, incident: int) -> None:
        """Nobody will ask for those of this incident any more."""
        for did in self._of.pop(incident, ()):
            del self.all[did]

    # --- queues (delivery.lua) ---

    def enqueue(self, did: str, now: int) -> None:
        """Puts one with something to say into its target's queue; who ends its attempt looks again."""
        one = self.all[did]
        rings = one["ring_wanted"] > one["ring_sent"]
        if one["state"] != "open" or (not rings and one["wanted"] <= one["sent"]):
            self._unsent.pop(did, None)
            return
        since = self._unsent.setdefault(did, now)
        if one["next_at"] > now or did in self._busy.get(one["target"], ()):
            return
        self.due.drop(f"d:{did}")
        priority = (one["rank"] * 2 + (0 if rings else 1)) * 1e13 + since
        self._ready.setdefault(one["target"], {})[did] = priority
        self._touched[one["target"]] = None

    def claim(self, now: int) -> None:
        """What is due now can be begun, as far as its target has room."""
        while (name := self.due.pop(now)) is not None:
            kind, rest = name[0], name[2:]
            if kind == "d":
                self.enqueue(rest, now)
            else:
                self._touched[rest] = None
        self._drain_touched(now)

    def _drain_touched(self, now: int) -> None:
        # As in delivery.lua, the target with the worst to say comes first.
        for target in sorted(self._touched, key=lambda one: (self._worst(one), one)):
            self._drain(target, now)
        self._touched.clear()

    def _worst(self, target: str) -> float:
        return min(self._ready.get(target, {}).values(), default=inf)

    def _drain(self, target: str, now: int) -> None:
        ready = self._ready.get(target)
        if not ready:
            return
        if (closed := self._closed.get(target, 0)) > now:
            self.due.put(f"t:{target}", closed)
            return
        self._closed.pop(target, None)
        busy = self._busy.setdefault(target, set())
        slots = 1 if target in self._failing else int(self.all[next(iter(ready))]["slots"])
        first = sorted(ready, key=lambda did: (ready[did], did))[: max(0, slots - len(busy))]
        for did in first:
            del ready[did]
            busy.add(did)
            self.all[did]["attempt"] += 1
            self.all[did]["next_at"] = 0
            self.claimed.append(did)

    def sent(self, did: str, verdict: dict[str, Any], now: int) -> None:
        """Writes what became of an attempt (sent.lua), and gives its place to who waits for it."""
        one = self.all[did]
        target, failed = one["target"], verdict["tries"] > 0
        state = verdict["state"]
        shown = max(verdict["sent"], one["sent"])
        if state == "done" and (one["final"] == 0 or shown < one["final"]):
            state = "open"
        retry_at = now + verdict["retry_in"] if verdict["retry_in"] > 0 else 0
        one |= {
            "state": state,
            "unknown": int(verdict["unknown"]),
            "tries": verdict["tries"],
            "failing_since": verdict["failing_since"],
            "next_at": retry_at,
        }
        one["sent"] = verdict["sent"] or one["sent"]
        one["ring_sent"] = max(one["ring_sent"], verdict["ring_sent"])
        if verdict["rung"] > 0:
            one["rung"] = verdict["rung"]
            if one["wanted"] <= verdict["rung"]:
                one["ring_sent"] = one["ring_wanted"]
        if verdict["told"]:
            one["sent_at"] = now
        one["memory"] = verdict["memory"] or one["memory"]
        if not (one["sent"] or one["unknown"] or one["final"]) and one["ring_wanted"] <= one["ring_sent"]:
            one["wanted"] = 0
        self._busy[target].discard(did)
        self._touched[target] = None
        if state != "open":
            self._unsent.pop(did, None)
        elif retry_at > 0 and verdict["closed_for"] == 0:
            self.due.put(f"d:{did}", retry_at)
        else:
            one["next_at"] = 0
            self.enqueue(did, now)
        if verdict["answered"]:
            self._failing.discard(target)
        elif failed:
            self._failing.add(target)
        if verdict["closed_for"] > 0:
            self._closed[target] = now + verdict["closed_for"]
        self._drain_touched(now)


def _state(did: str, one: Delivery) -> DeliveryState:
    return DeliveryState(
        did,
        one["incident"],
        one["kind"],
        one["place"],
        one["ends"] == "1",
        one["updates"] == "1",
        one["edits"] == "1",
        one["state"],
        one["wanted"],
        one["sent"],
        one["ring_wanted"],
        one["ring_sent"],
        one["rung"],
        one["sent_at"],
        one["ring_at"],
        one["rung_by"],
        one["person"],
    )
