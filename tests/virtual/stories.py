"""Incidents under random policies in a town of mortal processes: what happens to each, and what was heard.

Each story is an alert that fires, some answers, and an end, all at random times; whoever takes an answer may
die of it. What was said, and when, stands in `plain_policies.Story`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from judge_of_steps import Heard
from plain_policies import Answer, Span, Story
from world import START

from routing.alerts import Arrival, alert_key
from routing.events import Acknowledged, Escalated, Resolved, Unacknowledged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from mortal import Town

    from routing.events import Answer as Event

VERBS = ("acknowledge", "acknowledge", "acknowledge", "unacknowledge", "unacknowledge", "snooze", "escalate")
GRID = 250  # ms: what happens in the same moment is done at once


class Told:
    """One story in its town."""

    def __init__(self, town: Town, random: Random, name: str, policy: str, unit: int) -> None:
        self.town, self.random, self.unit = town, random, unit
        self.story = Story(name, policy, Span(0, 0))
        labels = {"alertname": name, "policy": policy, "severity": "high"}
        self.alert = Arrival(alert_key(labels), labels, {}, "firing", 0, None, None, "")
        self.left = random.choice((0, 1, 2, 2, 3, 5))
        self.resolves = random.random() < 0.2
        self.tried = 0  # when it was first posted that it fires, or has ended

    async def fires(self) -> None:
        if not self.tried and self.town.anybody():  # whoever died of an earlier try may have taken it
            self.tried = self.town.now
            self.alert = self.alert._replace(starts_at=START + self.tried)
        if not await self._post(self.alert):
            self.town.plan(self.town.now + 1_000, self.fires)
            return
        self.story.fired = Span(self.tried, self.town.now)
        self.tried = 0
        self._next()

    def _next(self) -> None:
        """When the next thing is said: often just when a step is due."""
        after = self.random.choice((self.unit, GRID)) * self.random.randint(1, 6)
        self.town.plan(self.town.now + after, self._says if self.left else self._ends)

    async def _post(self, alert: Arrival) -> bool:
        """Until somebody has taken it, as Alertmanager does; False where nobody is there."""
        while one := self.town.anybody():
            if await one.unless_fallen(one.intake.take([alert])) is not None:
                return True
        return False

    async def _ends(self) -> None:
        since = self.town.now
        if self.resolves:
            if not await self._give("resolve"):
                self.town.plan(since + 1_000, self._ends)
            elif self.story.answers[-1].lost:
                self.resolves = False
                self.town.plan(self.story.answers[-1].at.hi + GRID, self._ends)
            else:
                await self._post(self.alert._replace(status="resolved", ends_at=START + since))
        else:
            if not self.tried and self.town.anybody():
                self.tried = since
            if await self._post(self.alert._replace(status="resolved", ends_at=START + self.tried)):
                self.story.answers.append(Answer("end", Span(self.tried, since)))
            else:
                self.town.plan(since + 1_000, self._ends)

    async def _says(self) -> None:
        if not await self._give(self.random.choice(VERBS)):
            self.town.plan(self.town.now + 1_000, self._says)
            return
        self.left -= 1
        if self.story.answers[-1].at.hi > self.town.now:  # nobody knows what came of it before
            self.town.plan(self.story.answers[-1].at.hi + GRID, self._says if self.left else self._ends)
        else:
            self._next()

    async def _number(self) -> int:
        watcher = self.town.watcher
        place = watcher.plan.current.placed(self.alert.key, self.alert.labels).places[0]
        incident = (await watcher.store.view(place.shard, place.gid)).incident
        return incident.number if incident else 0

    async def _give(self, verb: str) -> bool:
        """False where nobody is there, or the incident has no number yet."""
        number, one, since = await self._number(), self.town.anybody(), self.town.now
        if one is None or not number:
            return False
        by = self.random.choice(("dana", "kim"))
        lasts = self.random.randint(1, 4) * self.unit if verb == "snooze" else 0
        events: dict[str, Event] = {
            "acknowledge": Acknowledged(by, "HTTP"),
            "snooze": Acknowledged(by, "HTTP", until=START + since + lasts),
            "unacknowledge": Unacknowledged(by, "HTTP"),
            "escalate": Escalated(by, "HTTP"),
            "resolve": Resolved(by, "HTTP"),
        }
        answered = await one.unless_fallen(one.answers.give(number, events[verb]))
        until = since + one.stalls_for if answered is None and one.stalls_for else self.town.now
        changed = answered.changed if answered else None
        self.story.answers.append(
            Answer(verb, Span(since, until), by, lasts, changed, lost=answered is None)  # type: ignore[arg-type]
        )
        return True


def heard(town: Town) -> Mapping[str, list[Heard]]:
    """All messages, by story."""
    found: dict[str, list[Heard]] = defaultdict(list)
    for note in town.notes:
        url = note.config.url.get_secret_value()
        began = note.message.now - START
        found[note.message.group_labels["alertname"]].append(
            Heard(note.at, url.partition("?")[2], note.kind, began)
        )
    return found
