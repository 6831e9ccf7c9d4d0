"""A town in which much is held: rules with sources, targets and a circle, silences that come and go, a mute.

What goes in, and the rules as they are documented: who inhibits whom, by a plain walk over all that fires.
The alerts of a group have one part in the rules and stand at one of three sites, the `equal` of all rules.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
from traffic import Alert, Span, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SITES = ("north", "south", "west")
PARTS = ("source", "source", "target", "target", "red", "green", "blue", "plain", "muted")  # of Group0, ...
RULES = (
    ("source", "target"),
    ("red", "green"),
    ("green", "red"),
    ("green", "blue"),
    ("blue", "red"),
    ("source", "red"),
)
CIRCLE = {"red", "green", "blue"}
GRACE_S, RELEASE_S = 1.0, 2.0
RANKS = ("critical", "high", "low")

CONFIG = """
route:
  receiver: people
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  routes:
    - matchers: [part="muted"]
      mute_time_intervals: [{mute}]
receivers:
  - name: people
    pagerduty_configs:
      - routing_key: {key}
        url: {url}
severities: {ranks}
inhibit_grace: {grace:.0f}s
inhibit_release: {release:.0f}s
inhibit_rules:
{rules}
time_intervals:
  - name: always
    time_intervals: [{{times: [{{start_time: "00:00", end_time: "24:00"}}]}}]
  - name: never
    time_intervals: [{{years: ["1999"]}}]
"""


def config(key: str, url: str, *, mute: str) -> str:
    """The configuration; `mute` is the interval in which the muted ones are: `always` or `never`."""
    rules = "\n".join(
        f'  - {{source_matchers: [part="{source}"], target_matchers: [part="{target}"], equal: [site]}}'
        for source, target in RULES
    )
    ranks = f"[{', '.join(RANKS)}]"
    return CONFIG.format(
        key=key, url=url, mute=mute, rules=rules, ranks=ranks, grace=GRACE_S, release=RELEASE_S
    )


@dataclass
class Silence:
    """One silence. Its comment is its own, so it can be found again where the answer was lost."""

    matchers: dict[str, str]
    comment: str
    span: Span
    id: str = ""
    ends_by_itself: bool = False

    def holds(self, alert: Alert) -> bool:
        labels = alert.as_json()["labels"]
        return all(labels.get(name) == value for name, value in self.matchers.items())


@dataclass
class TrafficWithHolds(Traffic):
    """Stories whose alerts hold each other, and silences put and ended meanwhile."""

    groups: int = len(PARTS)
    pause: tuple[float, float] = (0.4, 3.0)
    silences: list[Silence] = field(default_factory=list)

    async def run(self) -> None:
        """Until `stopping` is set. Nothing comes to an end: what fires then fires on, and so do silences."""
        async with self._client() as client:
            stories = [self._goes_on(client, f"Group{number}") for number in range(self.groups)]
            await asyncio.gather(*stories, self._silencing(client))

    async def _goes_on(self, client: aiohttp.ClientSession, group: str) -> None:
        mine = self.alerts.setdefault(group, [])
        while not self.stopping.is_set():
            await self._change(client, mine, [self._one_change(group, mine)])
            await self._wait(*self.pause)

    def _one_change(self, group: str, mine: list[Alert]) -> Alert:
        """More begins than ends, until many fire."""
        firing = [alert for alert in mine if alert.firing]
        over = [alert for alert in mine if not alert.firing]
        if len(firing) > 4 or (firing and self.random.random() < 0.35):
            return self.random.choice(firing)
        return self.random.choice(over) if over and self.random.random() < 0.4 else self._new(group, mine)

    async def _silencing(self, client: aiohttp.ClientSession) -> None:
        while not self.stopping.is_set():
            mine = [one for one in self.active() if not one.ends_by_itself]
            if len(mine) > 3 or (mine and self.random.random() < 0.5):
                await self._expire(client, self.random.choice(mine))
            else:
                await self._put(client)
            await self._wait(0.5, 2.0)

    async def _wait(self, shortest: float, longest: float) -> None:
        try:
            async with asyncio.timeout(self.random.uniform(shortest, longest)):
                await self.stopping.wait()
        except TimeoutError:
            pass

    def _new(self, group: str, mine: list[Alert]) -> Alert:
        part = PARTS[int(group.removeprefix("Group"))]
        labels = {"part": part, "site": self.random.choice(SITES), "severity": self.random.choice(RANKS)}
        mine.append(Alert(group, f"{group.lower()}-{len(mine)}", labels=labels))
        return mine[-1]

    # --- silences ---------------------------------------------------------------------------------------

    def active(self) -> list[Silence]:
        """Those that hold now, for sure or perhaps."""
        now = time.monotonic()
        return [one for one in self.silences if one.span.maybe(now, now)]

    async def _put(self, client: aiohttp.ClientSession) -> None:
        firing = self.firing()
        dice = self.random.random()
        matchers = {"site": self.random.choice(SITES)}
        if firing and dice < 0.4:
            matchers = {"instance": self.random.choice(firing).id}
        elif dice < 0.8:
            matchers["part"] = self.random.choice(PARTS)
        now, wall = time.monotonic(), datetime.now(UTC)
        lasts = self.random.uniform(1.0, 5.0) if self.random.random() < 0.4 else 3_600.0
        one = Silence(matchers, f"chaos {len(self.silences)}", Span(now), ends_by_itself=lasts < 3_600)
        if one.ends_by_itself:
            one.span.surely_until, one.span.maybe_until = now + lasts - 0.1, now + lasts + 0.1
        body: dict[str, Any] = {
            "matchers": [{"name": name, "value": value} for name, value in matchers.items()],
            "ends_at": (wall + timedelta(seconds=lasts)).isoformat(),
            "comment": one.comment,
            "force": True,
        }
        self.silences.append(one)
        while not one.id:
            if time.monotonic() > now + lasts - 0.2:
                return  # it would be refused: its end is past
            status, answer = await self._ask(client, "POST", "", json=body)
            if status == 200:
                one.id = answer["silence"]["id"]
                one.span.surely_from = time.monotonic()
            else:  # it may have been written
                await self._find(client, one)

    async def _find(self, client: aiohttp.ClientSession, lost: Silence) -> None:
        """Asks until it is known whether a silence is there whose answer was lost."""
        while True:
            status, answer = await self._ask(client, "GET", "?state=all&limit=1000")
            if status == 200:
                for found in answer["silences"]:
                    if found["comment"] == lost.comment:
                        lost.id, lost.span.surely_from = found["id"], time.monotonic()
                return

    async def _expire(self, client: aiohttp.ClientSession, one: Silence) -> None:
        one.span.surely_until = time.monotonic()
        while (await self._ask(client, "DELETE", f"/{one.id}"))[0] != 200:
            pass
        one.span.maybe_until = time.monotonic()

    async def _ask(
        self, client: aiohttp.ClientSession, method: str, path: str, **how: Any
    ) -> tuple[int, Any]:
        """Status and document; after a pause (0, None) or what was said where it was not answered 200."""
        said = None
        try:
            async with client.request(method, f"{self._url()}/api/v1/silences{path}", **how) as answer:
                status, said = answer.status, await answer.json(content_type=None)
            assert status in (200, 503), f"{method} of a silence is answered {status}: {said}"
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = 0
        if status != 200:
            await asyncio.sleep(self.random.uniform(0.05, 0.3))
        return status, said

    # --- what is ended on purpose -----------------------------------------------------------------------

    def _client(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    def firing(self, *parts: str) -> list[Alert]:
        every = (alert for mine in self.alerts.values() for alert in mine if alert.firing)
        return [alert for alert in every if not parts or alert.labels["part"] in parts]

    async def expire_all(self) -> None:
        async with self._client() as client:
            await asyncio.gather(*(self._expire(client, s) for s in self.active() if s.id))

    async def end(self, alerts: Iterable[Alert]) -> None:
        """They end, each group in one body."""
        chosen = list(alerts)
        async with self._client() as client:
            for group in sorted({alert.group for alert in chosen}):
                ending = [alert for alert in chosen if alert.group == group]
                await self._change(client, self.alerts[group], ending)


# --- the rules, walked plainly ------------------------------------------------------------------------------


def inhibits(source: Alert, target: Alert) -> bool:
    """Whether a rule says so, if both fire."""
    parts = source.labels["part"], target.labels["part"]
    return parts in RULES and source.labels["site"] == target.labels["site"]


def held(firing: Sequence[Alert], silences: Sequence[Silence]) -> dict[str, str]:
    """By what each alert that fires is held: `silence`, `inhibition` or nothing."""
    silenced = {alert.id for alert in firing if any(one.holds(alert) for one in silences)}
    above = {alert.id: _above(alert, firing) for alert in firing}
    found = {}
    for alert in firing:
        by = "silence" if alert.id in silenced else "inhibition" if above[alert.id] else ""
        circle = {one for one in above[alert.id] if alert.id in above[one]}
        if by == "inhibition" and circle == above[alert.id]:
            loud = [one for one in firing if one.id in circle and one.id not in silenced]
            by = "" if min(loud, key=_order) is alert else by
        found[alert.id] = by
    return found


def _above(alert: Alert, firing: Sequence[Alert]) -> set[str]:
    """All that inhibit it, directly or through others."""
    found: dict[str, Alert] = {}
    todo = [alert]
    while todo:
        target = todo.pop()
        new = [one for one in firing if one.id not in found and inhibits(one, target)]
        found |= {one.id: one for one in new}
        todo += new
    return set(found)


def _order(alert: Alert) -> tuple[int, str]:
    """Whom the guard tells: the worst, then the oldest."""
    return RANKS.index(alert.labels["severity"]), alert.starts_at
