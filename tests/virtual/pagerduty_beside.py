"""PagerDuty beside a Tocsin in virtual time: the real receiver and the real way back, over the stand-in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from world import MINUTE, World

from config.load import load_text
from gateway.pagerduty_answers import PagerDutyAnswers
from gateway.pagerduty_in import event_of
from gateway.standins.pagerduty import PagerDutyStandin
from gateway.store import reading
from receivers import pagerduty

if TYPE_CHECKING:
    from pathlib import Path

    from routing.incident_records import Incident

KEY = "0123456789abcdef0123456789abcdef"
CONFIG = """
route:
  receiver: root
  group_by: [cluster]
  group_wait: 0s
  routes:
    - matchers: [severity="critical"]
      policy: page
    - matchers: [severity="plain"]
      receiver: pager
receivers:
  - name: root
  - name: pager
    pagerduty_configs: [{routing_key: KEY, url: "URL"}]
escalation_policies:
  - name: page
    repeat: 9
    steps:
      - notify: [{receiver: pager}]
      - after: 5m
        notify: [{receiver: pager}]
      - after: 15m
        unless: resolved
        notify: [{receiver: pager}]
users:
  - {name: dana, email: Dana@Example.com}
pagerduty: {webhook_secret: s, api_token: t, api_url: "API"}
"""


class Both:
    """Tocsin and PagerDuty, with the same clock. Webhooks come when a test says so."""

    def __init__(self, world: World, standin: PagerDutyStandin) -> None:
        self.world = world
        self.there = standin
        self.subscription = standin.subscribe("", "s", hold=True)
        standin.now = lambda: world.now
        standin.api_token = "t"
        world.sender._receivers["pagerduty"] = pagerduty.create()
        config = load_text(world.path.read_text(), "tocsin.yaml", {})
        self.answers = PagerDutyAnswers(world.store, world.answers, lambda: config)
        self.posted = 0

    @classmethod
    async def make(cls, url: str, folder: Path, config: str = CONFIG) -> Both:
        standin = PagerDutyStandin()
        await standin.start()
        text = config.replace("KEY", KEY).replace("URL", standin.enqueue_url).replace("API", standin.url)
        return cls(await World.make(url, folder, text, shards=1), standin)

    async def fires(self, severity: str = "critical") -> None:
        await self.world.take(self.world.fires("A", severity=severity))

    async def ends(self, severity: str = "critical") -> None:
        await self.world.take(self.world.ends("A", severity=severity))

    async def webhooks(self, *, again: bool = False) -> None:
        """What happened there comes here; with `again`, all of it that ever came, once more."""
        for raw in self.subscription.sent[0 if again else self.posted :]:
            if event := event_of(json.loads(raw)["event"]):
                await self.answers.events.take(event, 60 * MINUTE)
        self.posted = len(self.subscription.sent)
        while await self.answers.work():
            pass
        await self.world.settle()

    @property
    def open(self) -> dict[str, str]:
        """Key (without its group) -> state, of what is not resolved there."""
        found = {key: one.state for (_, key), one in self.there.incidents.items()}
        return {_short(key): state for key, state in found.items() if state != "resolved"}

    def key(self, short: str) -> str:
        return next(key for _, key in self.there.incidents if _short(key) == short)

    @property
    def sent(self) -> list[str]:
        return [f"{one['event_action']} {_short(one['dedup_key'])}" for one in self.there.events]

    async def incident(self, number: int = 1) -> Incident:
        found = await reading.incident(self.world.store, number)
        assert found
        return found[1]

    async def status(self, number: int = 1) -> str:
        return (await self.incident(number)).status.value

    async def close(self) -> None:
        await self.world.sender._receivers["pagerduty"].close()
        await self.answers._rest.close()
        await self.there.stop()
        await self.world.close()


def _short(key: str) -> str:
    return "".join(key.partition(":")[1:]) or "first"
