"""What goes in: groups whose alerts fire, end and fire again, posted as Alertmanager posts them.

Each body is repeated until it is answered 200, as Alertmanager repeats it; what stands in `Alert` is what was
answered so. Now and then a body comes twice at once, as from an HA pair.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from random import Random

NEVER = "0001-01-01T00:00:00Z"


@dataclass
class Span:
    """A time in which something was so: for sure between the inner bounds, perhaps up to the outer ones.

    Monotonic seconds: a change is under way from when it is posted until it is answered 200.
    """

    maybe_from: float
    surely_from: float = math.inf
    surely_until: float = math.inf
    maybe_until: float = math.inf

    def surely(self, begin: float, end: float) -> bool:
        return self.surely_from <= begin and end <= self.surely_until

    def maybe(self, begin: float, end: float) -> bool:
        return self.maybe_from <= end and begin <= self.maybe_until


@dataclass
class Alert:
    """One alert. `since`: when its present status was answered 200 (monotonic seconds).

    `spans`: its episodes. `labels`: more of them than its group, its name and its severity.
    """

    group: str
    id: str
    firing: bool = False
    starts_at: str = NEVER
    ends_at: str = NEVER
    since: float = 0.0
    fired_for: float = 0.0  # the longest time for which it fired
    episodes: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        labels = {"alertname": self.group, "instance": self.id, "severity": "critical"} | self.labels
        return {
            "status": "firing" if self.firing else "resolved",
            "labels": labels,
            "annotations": {"summary": f"{self.id} of {self.group}"},
            "startsAt": self.starts_at,
            "endsAt": NEVER if self.firing else self.ends_at,
            "generatorURL": "",
            "fingerprint": "",
        }


@dataclass
class Traffic:
    """Stories of several groups against one gateway.

    Attributes:
        accepted: bodies answered 200; `refused`: other answers and broken connections, by kind.
    """

    url: str
    random: Random
    groups: int = 16
    pause: tuple[float, float] = (0.2, 1.2)
    again: bool = True  # ended alerts fire again
    others: tuple[str, ...] = ()  # gateways that are posted to as well
    alerts: dict[str, list[Alert]] = field(default_factory=dict)
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until `stopping` is set; then each group comes to its end: half of them fire, half are over."""
        names = [f"Group{number}" for number in range(self.groups)]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client:
            await asyncio.gather(
                *(self._story(client, name, fires_at_the_end=at % 2 == 0) for at, name in enumerate(names))
            )

    async def _story(self, client: aiohttp.ClientSession, group: str, *, fires_at_the_end: bool) -> None:
        mine = self.alerts.setdefault(group, [])
        while not self.stopping.is_set():
            await self._change(client, mine, [self._one_change(group, mine)])
            try:
                async with asyncio.timeout(self.random.uniform(*self.pause)):
                    await self.stopping.wait()
            except TimeoutError:
                pass
        await asyncio.sleep(0.02)  # an end is later than its beginning
        firing = [alert for alert in mine if alert.firing]
        if not fires_at_the_end and firing:
            await self._change(client, mine, firing)
        elif fires_at_the_end and not firing:
            await self._change(client, mine, [self._new(group, mine)])

    def _one_change(self, group: str, mine: list[Alert]) -> Alert:
        firing = [alert for alert in mine if alert.firing]
        over = [alert for alert in mine if not alert.firing]
        dice = self.random.random()
        if firing and (dice < 0.55 or len(firing) > 5):
            return self.random.choice(firing)
        if over and self.again and dice < 0.75:
            return self.random.choice(over)
        return self._new(group, mine)

    def _new(self, group: str, mine: list[Alert]) -> Alert:
        mine.append(Alert(group, f"{group.lower()}-{len(mine)}"))
        return mine[-1]

    async def _change(self, client: aiohttp.ClientSession, mine: list[Alert], changed: list[Alert]) -> None:
        began = time.monotonic()
        for alert in changed:
            alert.firing = not alert.firing
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            if alert.firing:
                alert.starts_at = now
                alert.episodes += 1
                alert.spans.append(Span(began))
            else:
                alert.ends_at = now
                alert.spans[-1].surely_until = began
                alert.fired_for = max(alert.fired_for, began - alert.since)
        body = _body(changed[0].group, [alert for alert in mine if alert.firing or alert in changed])
        posts = 2 if self.random.random() < 0.15 else 1
        await asyncio.gather(*(self._post(client, body) for _ in range(posts)))
        for alert in changed:
            alert.since = time.monotonic()
            if alert.firing:
                alert.spans[-1].surely_from = alert.since
            else:
                alert.spans[-1].maybe_until = alert.since

    def _url(self) -> str:
        """Whom the next body is posted to."""
        return self.random.choice((self.url, *self.others)) if self.others else self.url

    async def _post(self, client: aiohttp.ClientSession, body: dict[str, Any]) -> None:
        while True:
            try:
                async with client.post(f"{self._url()}/webhook", json=body) as answer:
                    await answer.read()
                    if answer.status == 200:
                        self.accepted += 1
                        return
                    kind = str(answer.status)
                    assert answer.status != 503 or answer.headers["Retry-After"], "503 without Retry-After"
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                kind = type(error).__name__
            self.refused[kind] = self.refused.get(kind, 0) + 1
            await asyncio.sleep(self.random.uniform(0.05, 0.3))


def _body(group: str, alerts: list[Alert]) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{group}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if any(alert.firing for alert in alerts) else "resolved",
        "receiver": "tocsin",
        "groupLabels": {"alertname": group},
        "commonLabels": {"alertname": group},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.test",
        "alerts": [alert.as_json() for alert in alerts],
    }
