"""The judge: compares what went in with what came out. It knows nothing of what lies between.

What went in: `traffic.Alert`, as answered 200. What came out: what PagerDuty took, and what the API tells of
incidents, deliveries and timelines. Two questions alone are put to Redis itself: has everything that is
unfinished a deadline, and is nobody's lease left behind.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ears import shown
from redis.asyncio import Redis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ears import Heard, SlowPagerDuty
    from processes import Gateway
    from traffic import Traffic

# An alert that fired for longer than this must have been shown while it fired: an interval and a start,
# and for each death a lease, for which its target has a place less.
MUST_BE_SHOWN_S = 8.0
LEASE_S = 4.0


@dataclass
class Finding:
    """What the judge saw; `wrong` is empty where every promise was kept."""

    wrong: list[str] = field(default_factory=list)
    incidents: int = 0
    numbers_missing: int = 0
    extra_pages: int = 0
    repeated_events: int = 0  # sent by who died before it was written down, and sent again

    def __str__(self) -> str:
        seen = f"{self.incidents} incidents, {self.numbers_missing} numbers missing, "
        repeats = f"{self.repeated_events} events repeated, {self.extra_pages} extra pages"
        return f"{seen}{repeats}, {len(self.wrong)} wrong"


async def judge(
    gateway: Gateway,
    traffic: Traffic,
    pagerduty: SlowPagerDuty,
    *,
    redis_url: str,
    deaths: Sequence[float],
    store_killed: bool = False,
    within_s: float = 25.0,
) -> Finding:
    """Waits until everything is as it must be, at most `within_s`; what is wrong then stays wrong.

    A number is lost with a process that took it, or with the store that was killed before its commit.
    """
    end = time.monotonic() + within_s
    while True:
        finding = await _look(
            gateway, traffic, pagerduty, redis_url, deaths, gaps=store_killed or bool(deaths)
        )
        if not finding.wrong or time.monotonic() > end:
            finding.wrong += gateway.complaints()
            return finding
        await asyncio.sleep(0.5)


async def _look(
    gateway: Gateway,
    traffic: Traffic,
    pagerduty: SlowPagerDuty,
    redis_url: str,
    deaths: Sequence[float],
    *,
    gaps: bool,
) -> Finding:
    status, listed = await gateway.get("/api/v1/incidents?status=all&limit=1000")
    if status != 200:
        return Finding([f"the list of incidents is answered {status}"])
    details = {}
    for one in listed["incidents"]:
        status, details[one["number"]] = await gateway.get(f"/api/v1/incidents/{one['number']}")
        if status != 200:
            return Finding([f"incident {one['number']} is answered {status}"])
    _, activity = await gateway.get("/api/v1/activity?limit=1000")
    finding = Finding(incidents=len(details))
    of_group: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for detail in details.values():
        of_group[detail["labels"]["alertname"]].append(detail)
    closed = sum(line["kind"] == "closed" for line in activity["activity"])  # before they had a number
    heard = told_by_group(pagerduty.heard, finding.wrong)
    patience = MUST_BE_SHOWN_S + LEASE_S * len(deaths)
    for group, alerts in traffic.alerts.items():
        told = heard.get(group, [])
        finding.wrong += _state_is_right(group, alerts, of_group[group], told, pagerduty)
        finding.wrong += _everybody_was_told(
            group, alerts, traces=len(of_group[group]) + closed, heard=told, patience=patience
        )
        finding.extra_pages += _extra_pages(group, of_group[group], told, deaths, finding.wrong)
        finding.repeated_events += sent_twice(group, of_group[group], told, deaths, finding.wrong)
    finding.wrong += [complaint for detail in details.values() for complaint in _says_why(detail)]
    finding.numbers_missing = numbers(sorted(details), finding.wrong, gaps=gaps)
    finding.wrong += await nothing_is_forgotten(redis_url)
    return finding


def told_by_group(heard: Sequence[Heard], wrong: list[str]) -> dict[str, list[Heard]]:
    """What PagerDuty took, by group: one key for each group, always the same."""
    names: dict[str, str] = {}
    for one in heard:
        if one.event["event_action"] == "trigger":
            name = one.event["payload"]["custom_details"]["labels"]["alertname"]
            if names.setdefault(one.key, name) != name:
                wrong.append(f"the key {one.key} is used for {name} and {names[one.key]}")
    by_group: dict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        by_group[names.get(one.key, f"(no trigger of {one.key})")].append(one)
    if len(set(names.values())) != len(names):
        wrong.append(f"a group has more than one key: {names}")
    wrong += [f"resolved, never triggered: {name}" for name in by_group if name.startswith("(")]
    return by_group


def _state_is_right(
    group: str, alerts: Sequence[Any], incidents: Sequence[Any], heard: Sequence[Heard], pd: SlowPagerDuty
) -> list[str]:
    """Firing ones fire, ended ones ended, in the API and at PagerDuty."""
    fires = {alert.id for alert in alerts if alert.firing}
    open_ = [detail for detail in incidents if detail["status"] != "resolved"]
    wrong = []
    if len(open_) != (1 if fires else 0):
        wrong.append(f"{group}: {sorted(fires)} fire, open are {[(d['number'], d['status']) for d in open_]}")
    for detail in open_:
        listed = {a["labels"]["instance"] for a in detail["alerts"] if a["status"] == "firing"}
        if listed != fires:
            wrong.append(f"{group}: {sorted(fires)} fire, incident #{detail['number']} has {sorted(listed)}")
    state = pd.incidents[heard[-1].event["routing_key"], heard[-1].key].state if heard else "resolved"
    if state != ("triggered" if fires else "resolved"):
        wrong.append(f"{group}: {sorted(fires)} fire, PagerDuty shows {state}")
    elif fires:
        last = [one for one in heard if one.event["event_action"] == "trigger"][-1]
        if last.firing != fires:
            wrong.append(f"{group}: {sorted(fires)} fire, PagerDuty was last told {sorted(last.firing)}")
    return wrong


def _extra_pages(
    group: str, incidents: Sequence[Any], heard: Sequence[Heard], deaths: Sequence[float], wrong: list[str]
) -> int:
    """PagerDuty opens no more incidents than there are of ours.

    With one exception, which needs a death each: an incident that takes over resolves the one before and
    then triggers; who repeats both after a death resolves what the dead one had triggered.
    """
    extra = max(0, openings(heard) - len(incidents))
    if extra > len(deaths):
        wrong.append(f"{group}: PagerDuty opened {extra} incidents more than there were")
    return extra


def openings(heard: Sequence[Heard]) -> int:
    """How often a phone rang."""
    count, is_open = 0, False
    for one in heard:
        if one.event["event_action"] == "trigger" and not is_open:
            count, is_open = count + 1, True
        elif one.event["event_action"] == "resolve":
            is_open = False
    return count


def _everybody_was_told(
    group: str, alerts: Sequence[Any], *, traces: int, heard: Sequence[Heard], patience: float
) -> list[str]:
    """An alert was shown, or ended before it could be: within an interval, which its timeline says."""
    known = {name for one in heard for name in shown(one.event)}
    wrong = []
    for alert in alerts:
        if alert.id in known:
            continue
        if alert.fired_for > patience:
            wrong.append(f"{group}: {alert.id} fired for {alert.fired_for:.1f} s and nobody was told")
        elif not traces:
            wrong.append(f"{group}: {alert.id} was answered 200 and left no trace")
    return wrong


def sent_twice(
    group: str, incidents: Sequence[Any], heard: Sequence[Heard], deaths: Sequence[float], wrong: list[str]
) -> int:
    """Triggers more than the timelines know of: each was sent by somebody who died before he could say so.

    Resolves are not counted: one more of them precedes the first trigger of an incident that takes over.
    """
    lines = [line for detail in incidents for line in detail["timeline"] if line["kind"] == "told"]
    told = sum(not line["text"].startswith("told of the end") for line in lines)
    triggers = sum(one.event["event_action"] == "trigger" for one in heard)
    if triggers < told:
        wrong.append(f"{group}: told {told} times, PagerDuty heard {triggers}")
    if triggers - told > len(deaths):
        wrong.append(f"{group}: told {told} times, PagerDuty heard {triggers}, and {len(deaths)} died")
    return triggers - told


def _says_why(detail: dict[str, Any]) -> list[str]:
    """Each incident's timeline says what became of telling it."""
    kinds = {line["kind"] for line in detail["timeline"]}
    if not kinds & {"told", "not_told", "skipped"}:
        lines = [line["text"] for line in detail["timeline"]]
        return [f"#{detail['number']} ({detail['labels']['alertname']}): nothing says who was told: {lines}"]
    if detail["status"] == "resolved" and "resolved" not in kinds:
        return [f"#{detail['number']} is resolved, and its timeline does not say so"]
    return []


def numbers(given: Sequence[int], wrong: list[str], *, gaps: bool) -> int:
    missing = set(range(1, max(given, default=0) + 1)) - set(given)
    if missing and not gaps:
        wrong.append(f"numbers are missing though nobody was killed: {sorted(missing)}")
    return len(missing)


async def nothing_is_forgotten(url: str) -> list[str]:
    """Whatever is unfinished stands among the deadlines, or in a queue that does."""
    wrong = []
    async with Redis.from_url(url, decode_responses=True) as redis:
        at = "t:{0}"
        due = dict(await redis.zrange(f"{at}:due", 0, -1, withscores=True))
        for number in await redis.zrange(f"{at}:unresolved", 0, -1):
            gids = {
                await redis.hget(f"{at}:d:{did}", "gid") for did in await redis.smembers(f"{at}:id:{number}")
            }
            wrong += [f"unresolved #{number} has no deadline" for gid in gids if f"g:{gid}" not in due]
        for did in await redis.smembers(f"{at}:open"):
            d = await redis.hgetall(f"{at}:d:{did}")
            behind = any(int(d.get(w) or 0) > int(d.get(s) or 0) for w, s in _LEVELS)
            queued = await redis.zscore(f"{at}:ready:{d['target']}", did) is not None
            if queued and f"t:{d['target']}" not in due:
                wrong.append(f"delivery {did} waits for {d['target']}, which has no deadline")
            if behind and not queued and f"d:{did}" not in due:
                wrong.append(f"delivery {did} is behind and has no deadline")
    return wrong


_LEVELS = (("wanted", "sent"), ("ring_wanted", "ring_sent"))
