"""The judge of holds: who had to be told was told, and nobody was paged for what was held all the while.

It knows what went in (`town_of_holds.py`) and what came out, and walks the rules plainly itself. Two kinds
of questions: what must be so while nothing changes (`at_rest`), and what happened meanwhile (`of_all`).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ears import shown
from judge import nothing_is_forgotten, numbers, openings, sent_twice, told_by_group
from town_of_holds import CIRCLE, RELEASE_S, held, inhibits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ears import Heard, SlowPagerDuty
    from processes import Gateway
    from town_of_holds import TrafficWithHolds
    from traffic import Alert, Span

LEASE_S = 4.0
# From when nothing can hold an alert until it must have been told: a release, an interval and a start.
MUST_BE_TOLD_S = RELEASE_S + 4.0
# Who has held for so long before a request came was known when its message was made.
KNOWN_S = 1.0


@dataclass
class Finding:
    """What was seen; `wrong` is empty where every promise was kept."""

    wrong: list[str] = field(default_factory=list)
    fire: int = 0
    held: int = 0
    incidents: int = 0

    def __str__(self) -> str:
        counts = {name: value for name, value in vars(self).items() if name != "wrong"} | {
            "wrong": len(self.wrong)
        }
        return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counts.items())


@dataclass
class Whole(Finding):
    """The same, of the whole story."""

    episodes: int = 0
    long_enough: int = 0  # times in which nothing held an alert, and after which it must have been told
    pages: int = 0  # alerts shown to somebody as firing, each time
    held_all_the_while: int = 0  # times in which an alert was held so that nobody may have been told
    sent_twice: int = 0


class Judge:
    """Of one town: its gateways share a store, `deaths` is when processes of it were killed."""

    def __init__(
        self, gateways: Sequence[Gateway], traffic: TrafficWithHolds, pagerduty: SlowPagerDuty, redis_url: str
    ) -> None:
        self.gateways = gateways
        self.traffic = traffic
        self.pagerduty = pagerduty
        self.redis_url = redis_url
        self.store_kills: list[float] = []
        self.muted_until = float("inf")

    @property
    def deaths(self) -> list[float]:
        kills = [kill for gateway in self.gateways for kill in gateway.kills]
        return sorted([*kills, *self.store_kills])

    async def at_rest(self, *, within_s: float = 30.0) -> Finding:
        """Waits until everything is as it must be, at most so long; what is wrong then stays wrong."""
        end = time.monotonic() + within_s
        while True:
            finding = await self._look()
            if not finding.wrong or time.monotonic() > end:
                return finding
            await asyncio.sleep(0.5)

    async def _look(self) -> Finding:
        firing, silences = self.traffic.firing(), self.traffic.active()
        by = held(firing, silences)
        finding = Finding(fire=len(firing), held=sum(map(bool, by.values())))
        incidents = await self._incidents(finding)
        told = self._told(finding)
        for group, alerts in self.traffic.alerts.items():
            fires = {alert.id: by[alert.id] for alert in alerts if alert.firing}
            loud = {name for name, why in fires.items() if not why} if self._may_ring(alerts) else set()
            wrong = _api(fires, incidents[group])
            if loud or not fires or _known_as_told(incidents[group]):
                wrong += self._phone(fires, loud, told.get(group, []))
            finding.wrong += [f"{group}: {line}" for line in wrong]
        finding.wrong += await nothing_is_forgotten(self.redis_url)
        return finding

    def _told(self, finding: Finding) -> dict[str, list[Heard]]:
        """What PagerDuty took, by group.

        Who died may have sent it or not: where it may not be sent again, its end is told all the same.
        """
        wrong: list[str] = []
        told = told_by_group(self.pagerduty.heard, wrong)
        untold = [line for line in wrong if line.startswith("resolved, never triggered")]
        finding.wrong += [line for line in wrong if line not in untold or len(untold) > len(self.deaths)]
        return told

    def _may_ring(self, alerts: Sequence[Alert]) -> bool:
        return not alerts or alerts[0].labels["part"] != "muted" or time.monotonic() > self.muted_until

    async def _incidents(self, finding: Finding) -> dict[str, list[dict[str, Any]]]:
        status, listed = await self.gateways[0].get("/api/v1/incidents?status=all&limit=1000")
        if status != 200:
            finding.wrong.append(f"the list of incidents is answered {status}")
            return defaultdict(list)
        finding.incidents = len(listed["incidents"])
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in listed["incidents"]:
            whole = one
            if one["status"] != "resolved":
                _, whole = await self.gateways[0].get(f"/api/v1/incidents/{one['number']}")
            found[one["labels"]["alertname"]].append(whole or one)
        return found

    def _phone(self, fires: dict[str, str], loud: set[str], heard: Sequence[Heard]) -> list[str]:
        """What PagerDuty shows now."""
        state = "resolved"
        if heard:
            state = self.pagerduty.incidents[heard[-1].event["routing_key"], heard[-1].key].state
        if not fires:
            return [f"all is over, PagerDuty shows {state}"] if state != "resolved" else []
        if not loud:
            if state != "resolved" and not heard[-1].held:
                return [f"all of {fires} is held, PagerDuty was last told {sorted(heard[-1].firing)}"]
            return _untold_ends(fires, heard)
        if state != "triggered":
            return [f"{sorted(loud)} must be told, PagerDuty shows {state}"]
        # Beside those it may show some who fire and were told before they were held.
        if heard[-1].held or not loud <= heard[-1].firing <= set(fires):
            return [f"{sorted(loud)} must be told, PagerDuty was last told {sorted(heard[-1].firing)}"]
        return _untold_ends(fires, heard)

    async def of_all(self) -> Whole:
        """Of the whole story, once it is at rest."""
        finding = Whole(**vars(await self._look()))
        told = self._told(finding)
        numbered = await self._numbered(finding, told)
        finding.wrong += [line for one in numbered.values() for line in _says_why(one)]
        numbers(sorted(numbered), finding.wrong, gaps=bool(self.deaths))
        for alerts in self.traffic.alerts.values():
            for alert in alerts:
                heard = told.get(alert.group, [])
                self._was_told(
                    alert, [one for one in heard if not one.held and alert.id in one.firing], finding
                )
                self._was_not_paged(alert, heard, finding)
        for line in (line for gateway in self.gateways for line in gateway.complaints()):
            # A worker that is killed begins again, perhaps while the store does: that is said and mended.
            if not (self.store_kills and "worker.cannot_start" in line and "the store is away" in line):
                finding.wrong.append(line)
        return finding

    async def _numbered(self, finding: Whole, told: dict[str, list[Heard]]) -> dict[int, dict[str, Any]]:
        _, listed = await self.gateways[0].get("/api/v1/incidents?status=all&limit=1000")
        found: dict[int, dict[str, Any]] = {}
        of_group: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in listed["incidents"]:
            _, found[one["number"]] = await self.gateways[0].get(f"/api/v1/incidents/{one['number']}")
            of_group[one["labels"]["alertname"]].append(found[one["number"]])
        for group, heard in told.items():
            finding.sent_twice += sent_twice(group, of_group[group], heard, self.deaths, finding.wrong)
            if openings(heard) - len(of_group[group]) > len(self.deaths):
                finding.wrong.append(f"{group}: the phone rang more often than there were incidents")
        return found

    def _was_told(self, alert: Alert, shows: Sequence[Heard], finding: Whole) -> None:
        """Each time in which nothing can have held it for long enough, it was told in its episode."""
        for span in alert.spans:
            finding.episodes += 1
            for begin, end in self._free(alert, span):
                if self._patient_until(begin) > end:
                    continue
                finding.long_enough += 1
                if not any(span.maybe_from <= one.came <= end for one in shows):
                    finding.wrong.append(
                        f"{alert.group}: {alert.id} ({alert.labels}) was free for {end - begin:.1f} s "
                        f"and nobody was told"
                    )

    def _free(self, alert: Alert, span: Span) -> Iterator[tuple[float, float]]:
        """When it fires for sure and nothing can hold it."""
        begin, end = span.surely_from, min(span.surely_until, time.monotonic())
        if alert.labels["part"] == "muted":
            begin = max(begin, self.muted_until)
        for hold in sorted(self._holds(alert), key=lambda one: one.maybe_from):
            if hold.maybe_from > begin:
                yield begin, min(hold.maybe_from, end)
            begin = max(begin, hold.maybe_until)
        yield begin, end

    def _holds(self, alert: Alert) -> list[Span]:
        """Whatever can hold it, at any time."""
        return self._silences(alert) + [span for one in self._sources(alert) for span in one.spans]

    def _silences(self, alert: Alert) -> list[Span]:
        return [one.span for one in self.traffic.silences if one.holds(alert)]

    def _sources(self, alert: Alert, *, outside: bool = False) -> list[Alert]:
        """Alerts that inhibit it when they fire; `outside`: of no circle, so that they do for sure."""
        every = (one for mine in self.traffic.alerts.values() for one in mine if inhibits(one, alert))
        return [one for one in every if not outside or one.labels["part"] not in CIRCLE]

    def _patient_until(self, begin: float) -> float:
        """By then all must be done that could be done from `begin` on, whoever died meanwhile."""
        end = begin + MUST_BE_TOLD_S
        for death in self.deaths:
            if begin - LEASE_S < death < end:
                end = death + LEASE_S + MUST_BE_TOLD_S
        return end

    def _known_since(self, came: float) -> float:
        """What has been so since then was known to who sent what came; who died takes time with him."""
        begin = came - KNOWN_S
        for death in reversed(self.deaths):
            if begin - LEASE_S < death < came:
                begin = death - LEASE_S - KNOWN_S
        return begin

    def _was_not_paged(self, alert: Alert, heard: Sequence[Heard], finding: Whole) -> None:
        """Where something held it for sure, and long since, it was shown to nobody as one that fires."""
        silences = self._silences(alert)
        sources = [span for one in self._sources(alert, outside=True) for span in one.spans]
        finding.held_all_the_while += sum(
            hold.surely(span.surely_from, min(span.maybe_until, time.monotonic()))
            for span in alert.spans
            for hold in silences + sources
        )
        for one in heard:
            if alert.id not in one.firing or one.held:
                continue
            finding.pages += 1
            since = self._known_since(one.came)
            holds = [hold for hold in silences + sources if hold.surely(since, one.came)]
            muted = alert.labels["part"] == "muted" and one.came < self.muted_until
            if (holds or muted) and any(span.maybe(since, one.came) for span in alert.spans):
                why = "muted" if muted else "silenced" if holds[0] in silences else "inhibited"
                finding.wrong.append(
                    f"{alert.group}: {alert.id} was {why} since {since:.1f} and told at {one.came:.1f}"
                )


def _api(fires: dict[str, str], incidents: Sequence[dict[str, Any]]) -> list[str]:
    """What the API shows of a group now: its open incident, who fires in it, and by what each is held."""
    open_ = [one for one in incidents if one["status"] != "resolved"]
    if len(open_) != (1 if fires else 0):
        return [f"{sorted(fires)} fire, open are {[(one['number'], one['status']) for one in open_]}"]
    for one in open_:
        listed = {
            alert["labels"]["instance"]: (alert["held_by"] or {"kind": ""})["kind"]
            for alert in one.get("alerts", ())
            if alert["status"] == "firing"
        }
        if listed != fires:
            return [f"must be held {fires}, are {listed} in #{one['number']}"]
    return []


def _known_as_told(incidents: Sequence[dict[str, Any]]) -> bool:
    """Whether it stands written that somebody was told of the open incident.

    Who told it first may have died before that. Then nothing more is told while all is held: if it has not
    arrived, that would be a page. The next ring or the end clears it up.
    """
    told = [d for one in incidents if one["status"] != "resolved" for d in one.get("deliveries", ())]
    return not told or any(d["sent"] for d in told)


def _untold_ends(fires: dict[str, str], heard: Sequence[Heard]) -> list[str]:
    """Who has been shown as firing, in what is still open, and fires no more, has been shown as ended."""
    state: dict[str, str] = {}
    for one in heard:
        state = {} if one.event["event_action"] == "resolve" else state | shown(one.event)
    return [
        f"{name} has ended, and nobody was told"
        for name, was in state.items()
        if was == "firing" and name not in fires
    ]


def _says_why(detail: dict[str, Any]) -> list[str]:
    """Each incident's timeline says what became of telling it."""
    kinds = {line["kind"] for line in detail["timeline"]}
    if kinds & {"told", "not_told", "skipped", "suppressed", "held"}:
        return []
    return [
        f"#{detail['number']}: nothing says who was told: {[line['text'] for line in detail['timeline']]}"
    ]
