"""A group in memory: what the scripts of the store do to one, for a simulation.

The contracts are those of group.lua, ingest.lua and claim.lua; here are no leases, since nobody else works
beside a simulation. What a copy of an alert means decides `alerts.py`. Times and durations are milliseconds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil, inf
from typing import TYPE_CHECKING, Final, NamedTuple

from routing.alerts import Dedup, Known, News, Status, arrive, expire, next_deadline
from routing.deadlines import Deadlines
from routing.records import replace
from routing.stored import StoredAlert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routing.alerts import Arrival
    from routing.incident_records import Incident
    from routing.stored import GroupMeta

REMEMBER: Final = 24 * 3_600_000
"""How long an ended alert is remembered, so that late copies and returns of it are known as such."""
FOR_EVER: Final = 2**53


@dataclass(slots=True)
class SimulatedAlert:
    """What is kept of one alert; `fired` and `ended` are the revisions since which it fires and of its end.

    `shown`: where a hold of it has ended, the `fired` that somebody may have seen before. `copy` has its
    labels and texts, None once everybody has seen its end. `stays`: its sender keeps repeating it.
    """

    known: Known
    rank: int
    fired: int = 0
    ended: int = 0
    shown: int | None = None
    copy: Arrival | None = None
    stays: bool = False


class Row(NamedTuple):
    """A copy that arrives, and what the plan says of it; `patience`: for how long a rule could inhibit it."""

    copy: Arrival
    rank: int
    patience: int
    source: bool


@dataclass(slots=True)
class SimulatedGroup:
    """One group: `firing` alerts that nothing holds, `over` ones whose end is to be shown (by revision).

    `held`: by what; `waits`: until when a hold lasts, where that is known. Other names as in group.lua.
    """

    gid: str
    meta: GroupMeta
    interval: int = 0
    seq: int = 0
    shown: int = 0
    left: int = 0
    opened: int = 0
    before: int = 0
    resumed: bool = False
    tick: int = 0
    next: float = inf
    latest: float = 0
    patient: float = 0
    marks: int = 0
    judged: int = 0
    look: float = 0
    weighed: int = 0
    by: int = 0
    rung: int = 0
    clocked: int = 0
    worst: int = 0
    climbs: int = 0
    died: bool = False
    incident: Incident | None = None
    alerts: dict[str, SimulatedAlert] = field(default_factory=dict)
    firing: dict[str, int] = field(default_factory=dict)
    over: dict[str, int] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)
    timers: Deadlines = field(default_factory=Deadlines)
    ranks: Counter[int] = field(default_factory=Counter)
    deliveries: dict[str, None] = field(default_factory=dict)
    body: tuple[list[tuple[object, ...]], int] = field(default_factory=lambda: ([], 0))
    body_at: int = 0
    # what is changed by the step that is under way
    changed: bool = False
    opens: str = ""
    unjudged: float = 0

    # --- alerts ---

    def take(
        self, rows: Iterable[Row], now: int, dedup: Dedup, meta: GroupMeta, *, stays: bool
    ) -> tuple[list[str], list[str]]:
        """Copies arrive (ingest.lua). Of the sources among them: those that fire now, those that ended."""
        rows = tuple(rows)
        # The same body again, and nothing has changed since: the usual case.
        body: list[tuple[object, ...]] = [copy[2:] + copy[:1] for copy, *_ in rows]
        same = self.body == (body, self.seq) and now - self.body_at < dedup.stale_after // 72
        if same:
            return [], []
        overdue = worse = False
        settled = True
        grace, beginners = 0, list[str]()
        fire, end = list[str](), list[str]()
        for copy, rank, patience, source in rows:
            alert = self.alerts.get(copy.key)
            before = alert.known if alert else None
            known, news = arrive(before, copy, now, dedup)
            begins = news in (News.NEW, News.CONTINUED)
            if alert is None:
                alert = self.alerts[copy.key] = SimulatedAlert(known, rank)
            alert.stays = stays and copy.status == "firing"
            if alert.stays and known.status is Status.FIRING:
                known = replace(known, seen=FOR_EVER)
            fresh = before is not None and now - before.seen < dedup.stale_after // 72
            if news is not News.REPEATED or before is None or not fresh or _moved(before, known):
                alert.known = known
                if begins:
                    alert.rank = rank
                if self._apply(copy.key, alert, news, dedup):
                    end.append(copy.key)
            alert.copy = copy
            settled = settled and news in (News.REPEATED, News.RECORDED)
            if begins:
                overdue = overdue or copy.starts_at + meta.group_wait < now
                worse = worse or (self.clocked == 1 and rank < self.worst)
                if source:
                    fire.append(copy.key)
                if patience > 0:
                    grace = patience
                    beginners.append(copy.key)
        self.save(now, meta, overdue=overdue, worse=worse, grace=grace, beginners=beginners)
        self.body, self.body_at = (body if settled else [], self.seq), now
        return fire, end

    def _apply(self, key: str, alert: SimulatedAlert, news: News, dedup: Dedup) -> bool:
        """Brings the news of one alert into the group; whether it has ended, as a source too."""
        ends = news is News.ENDED or (news is News.RECORDED and alert.known.status is Status.RESOLVED)
        if news in (News.NEW, News.CONTINUED):
            self._fires(key, alert)
            if self.opened == 0:
                if news is News.CONTINUED:
                    self.opens = "resumed"  # whatever else begins with it joins the same incident
                elif not self.opens:
                    self.opens = "new"
        elif news is News.ENDED:
            self.firing.pop(key, None)
            self.changed = True
            if key in self.held:
                del self.held[key]
                self.waits.pop(key, None)
            else:
                self.ranks[alert.rank] -= 1
            if alert.fired > 0:  # what was held from its beginning nobody has seen
                alert.ended = self.over[key] = self.seq + 1
        self.timers.put(key, self._deadline(alert, dedup))
        return ends

    def fires(self, key: str) -> bool:
        """Whether the alert fires, held or not."""
        return key in self.firing or key in self.held

    def _fires(self, key: str, alert: SimulatedAlert) -> None:
        """An end that no tick has weighed and no target can have seen is as if it had not been."""
        if self.opened > 0 and alert.ended > self.shown and alert.fired > 0:
            self.unjudged = self.unjudged or inf
        else:
            alert.fired, alert.shown = self.seq + 1, None
        alert.ended = 0
        self.firing[key] = alert.fired
        self.over.pop(key, None)
        self.ranks[alert.rank] += 1
        self.changed = True

    def _deadline(self, alert: SimulatedAlert, dedup: Dedup) -> float:
        at = next_deadline(alert.known, dedup)
        at = alert.known.seen + REMEMBER if at is None else at
        return inf if at >= FOR_EVER else at

    def expire(self, now: int, dedup: Dedup) -> list[str]:
        """What an absence makes of alerts whose deadline has passed (claim.lua); those that have ended."""
        ended = []
        while (key := self.timers.pop(now)) is not None:
            alert = self.alerts[key]
            if alert.known.status is Status.RESOLVED:
                if alert.ended > self.left:
                    self.timers.put(key, now + REMEMBER)
                else:
                    del self.alerts[key]
            elif self.climbs and alert.known.status is Status.FIRING and not alert.known.until:
                self.timers.put(key, now + dedup.stale_after)
            elif (at := self._deadline(alert, dedup)) > now:
                self.timers.put(key, at)
            else:
                alert.known, news = expire(alert.known, now, dedup)
                if alert.stays and alert.known.status is Status.FIRING and not alert.known.until:
                    alert.known = replace(alert.known, seen=FOR_EVER)
                if self._apply(key, alert, news, dedup):
                    ended.append(key)
                if news is News.CONTINUED:
                    self.unjudged = now  # it may be a source, which is not known here
        return ended

    # --- when it is looked at ---

    def save(
        self,
        now: int,
        meta: GroupMeta | None = None,
        *,
        overdue: bool = False,
        worse: bool = False,
        grace: int = 0,
        beginners: Sequence[str] = (),
    ) -> None:
        """The end of a step that has changed alerts (group.lua, `save_group`)."""
        if self.changed:
            self.seq += 1
        if self.opens == "resumed" and self.incident is None:
            self.opens = "new"
        wait = meta.group_wait if meta else 0
        if self.opens:
            self.opened, self.tick = now, 0
            self.next = now if overdue or self.opens == "resumed" else now + wait
            self.latest = 0
            if self.opens == "new":
                self.rung = self.clocked = 0
            self.before, self.resumed = self.seq - 1, self.opens == "resumed"
        elif self.changed and self.opened > 0:
            if self.tick > 0:  # a worse alert is no news that waits for a tick
                self.hurry(now if worse else self.next_tick(now))
            elif overdue:
                self.hurry(now)
        if self.unjudged:
            look = min(self.unjudged, self.next_tick(now) if self.tick > 0 else self.next)
            self.mark(look)
        if self.changed and grace and beginners:
            self._give_grace(now + grace, grace, beginners)
        if meta and (self.opens == "new" or self.interval == 0):
            self.meta, self.interval = meta, meta.group_interval
        self.changed, self.opens, self.unjudged = False, "", 0

    def next_tick(self, now: int) -> int:
        """A change of an open group is looked at at its next tick."""
        if self.tick >= now:
            return self.tick
        return self.tick + ceil((now - self.tick) / self.interval) * self.interval

    def hurry(self, at: float) -> None:
        """It is looked at earlier, though that takes no grace from those who have come before."""
        self.next = min(self.next, max(at, self.patient))

    def mark(self, look: float) -> None:
        """What may hold its alerts has changed: it is to be judged anew by then."""
        if self.marks == self.judged or self.look > look:
            self.look = look
        self.marks += 1

    def _give_grace(self, until: int, grace: int, beginners: Sequence[str]) -> None:
        self.patient = until
        if self.next >= until:
            return
        if self.latest == 0:
            self.latest = self.next + 2 * grace
        self.next = min(until, self.latest)
        if self.next < until:
            self.waits.update(dict.fromkeys(beginners, until))

    def first_look(self) -> float:
        """When a hold has to be looked at again."""
        return min(min(self.waits.values(), default=inf), self.look if self.marked else inf)

    @property
    def marked(self) -> bool:
        """What may hold its alerts has changed since they were judged."""
        return self.marks != self.judged

    def stored(self, keys: Iterable[str]) -> tuple[StoredAlert, ...]:
        """Alerts as a message needs them."""
        found = []
        for key in keys:
            alert = self.alerts[key]
            if copy := alert.copy:
                found.append(
                    StoredAlert(
                        copy.labels,
                        copy.annotations,
                        copy.generator_url,
                        alert.known.starts_at,
                        alert.known.ended_at,
                        alert.known.expired,
                        max(alert.fired, alert.ended),
                    )
                )
        return tuple(found)


def _moved(before: Known, after: Known) -> bool:
    """It is known otherwise than before, but for when it was seen last."""
    return (before.status, before.starts_at, before.latest_start, before.ended_at, before.until) != (
        after.status,
        after.starts_at,
        after.latest_start,
        after.ended_at,
        after.until,
    )
