"""What happens by chance: alerts with their copies and flaps, answers, silences, reloads, services away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drawn import Drawn
from drawn_configurations import another, configuration
from drawn_names import NAMES, POLICIES, RECEIVERS, SCHEDULES, SEVERITIES, TEAMS, USERS, chance, some

if TYPE_CHECKING:
    from random import Random

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
MOMENTS = (
    1_795_509_600_000,  # 2026-11-24 08:40, a Tuesday
    1_774_731_540_000,  # 2026-03-28 20:59, the night in which Berlin's clocks go on
    1_792_879_200_000,  # 2026-10-24 22:00, the night in which they go back
    1_798_153_200_000,  # 2026-12-24 23:00
    1_835_388_000_000,  # 2028-02-28 22:00, of a leap year
    1_790_348_400_000,  # 2026-09-25 15:00, before a weekend
)
GAPS = (1, 3, 20, 45, 70, 200, 400, 900)


def world(random: Random) -> Drawn:
    """A world of some hours."""
    began = random.choice(MOMENTS) + random.randint(0, 59) * MINUTE + random.choice((0, 7, 31)) * SECOND
    config = configuration(random, began)
    drawn = Drawn(began, config)
    _Life(random, drawn).lead()
    last = drawn.happens[-1]["at"]
    drawn.ends = last + random.choice((20 * MINUTE, HOUR, 2 * HOUR))
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        drawn.failures.append(_failure(random, last, len(drawn.failures)))
    if chance(random, 0.2):
        drawn.overrides.append(_override(random, began))
    return drawn


def _failure(random: Random, last: int, number: int) -> dict[str, Any]:
    what = random.choice(("slack", "pagerduty", "email", "webhook", *RECEIVERS[:-1], *USERS))
    since = random.randint(0, max(1, last // SECOND)) * SECOND + 500 + number
    lasts = random.choice((2, 30, 300, 1_500)) * SECOND
    how = random.choice(("later", "later", "never", "busy"))
    wait = random.choice((0, 20, 200)) if how == "busy" else 0
    return {"what": what, "since": since, "until": since + lasts, "how": how, "wait": wait}


def _override(random: Random, began: int) -> dict[str, Any]:
    start = began + random.randint(-30, 60) * MINUTE
    return {
        "schedule": random.choice(SCHEDULES), "start": start, "end": start + random.choice((10, 90)) * MINUTE,
        "people": some(random, USERS), "instead_of": random.choice(("", "", *USERS)),
    }  # fmt: skip


class _Life:
    """No two things happen at one moment: mostly each has its own milliseconds, which its clocks keep."""

    def __init__(self, random: Random, drawn: Drawn) -> None:
        self.random = random
        self.drawn = drawn
        self.now = 0
        self.count = 0
        self.firing: dict[int, int] = {}  # alert -> its start
        self.ended: dict[int, tuple[int, int]] = {}  # alert -> start and end
        self.silences = 0
        self.round = chance(random, 0.2)  # by whole seconds, as deadlines come: then they meet
        self.stays = drawn.config["dedup"]["stale_after"] == "12h" and chance(random, 0.5)
        self.pool = [self._labels() for _ in range(random.randint(2, 6))]
        for labels in random.sample(self.pool, 2):  # what may rise
            self.pool.append(labels | {"severity": "critical", "instance": "risen"})
        self.pool = list(
            {str(sorted(labels.items())): labels for labels in self.pool}.values()
        )  # each once in a body
        self.risen = len(self.pool) - 1
        if chance(random, 0.04):  # a storm
            self.pool += [self.pool[0] | {"instance": f"node-{number}"} for number in range(70)]
        self.notes = [self._annotations(number) for number in range(len(self.pool))]

    def _labels(self) -> dict[str, str]:
        random = self.random
        labels = {"alertname": random.choice(NAMES), "cluster": random.choice(("1", "2"))}
        if chance(random, 0.8):
            labels["team"] = random.choice(TEAMS)
        if chance(random, 0.9):
            labels["severity"] = random.choice((*SEVERITIES, *SEVERITIES, "page"))
        if chance(random, 0.3):
            labels["instance"] = f"db-{random.randint(1, 9)}"
        return labels

    def _annotations(self, number: int) -> dict[str, str]:
        found = {}
        if chance(self.random, 0.7):
            found["summary"] = f"number {number} <is> *on* & off"
        if chance(self.random, 0.3):
            found["description"] = f"It has lasted.\nSince {number}."
        if chance(self.random, 0.2):
            found["runbook_url"] = f"https://runbooks.test/{number}"
        return found

    def _moment(self) -> int:
        """When the next thing happens."""
        return self.now + (self.count + 1) * (SECOND if self.round else 1)

    def _do(self, what: str, **more: Any) -> None:
        self.drawn.happens.append({"at": self._moment(), "do": what, **more})
        self.count += 1

    def lead(self) -> None:
        self._fires()
        kinds = ("fires", "fires", "rises", "ends", "ends", "copy", "late", "flap", "all", "answer", "answer",
                 "answer", "silence", "unsilence", "reload", "prometheus")  # fmt: skip
        for _ in range(self.random.choice((3, 6, 10, 16, 24))):
            self.now += self.random.choice(GAPS) * SECOND
            getattr(self, f"_{self.random.choice(kinds)}")()

    def _alert(self, number: int, *, start: int, end: int = 0, until: int = 0) -> dict[str, Any]:
        return {
            "labels": self.pool[number], "annotations": self.notes[number], "start": start, "end": end,
            "until": until,
        }  # fmt: skip

    def _body(self, firing: list[int], ended: list[int] | None = None, until: int = 0) -> None:
        at = self._moment()
        alerts = []
        for number in firing:
            start = self.firing.setdefault(number, at - self.random.choice((0, 0, 1_500, 30_000)))
            alerts.append(self._alert(number, start=start, until=at + until if until else 0))
        for number in ended or ():
            start = self.firing.pop(number)
            end = at - self.random.choice((0, 0, 800))
            self.ended[number] = (start, max(end, start + 1))
            alerts.append(self._alert(number, start=start, end=self.ended[number][1]))
        self._do("alerts", alerts=alerts, stays=self.stays)

    def _fires(self) -> None:
        if len(self.pool) > 50 and chance(self.random, 0.5):
            self._body(list(range(len(self.pool))))
        else:
            self._body(some(self.random, tuple(range(len(self.pool))), 4))

    def _rises(self) -> None:
        """What has fired for a while gets worse."""
        self._body([self.risen - self.random.choice((0, 1))])

    def _ends(self) -> None:
        if self.firing:
            gone = some(self.random, tuple(sorted(self.firing)), 3)
            self._body(sorted(set(self.firing) - set(gone)) if chance(self.random, 0.5) else [], gone)

    def _all(self) -> None:
        """All that fires ends."""
        if self.firing:
            self._body([], sorted(self.firing))

    def _copy(self) -> None:
        """What the other Alertmanager of a pair says of the same, a little later."""
        alerts = [one for one in reversed(self.drawn.happens) if one["do"] == "alerts"]
        self._do("alerts", alerts=alerts[0]["alerts"], stays=self.stays)

    def _late(self) -> None:
        """A copy that says an alert fires which has ended."""
        for number in sorted(self.ended):
            if number not in self.firing:
                self._do(
                    "alerts", alerts=[self._alert(number, start=self.ended[number][0])], stays=self.stays
                )
                return

    def _flap(self) -> None:
        if self.firing:
            number = self.random.choice(sorted(self.firing))
            self._body([], [number])
            self.now += self.random.choice((2, 15, 50, 130)) * SECOND
            self._body([number])

    def _prometheus(self) -> None:
        """Posts of Prometheus itself, repeated for a while, end by themselves."""
        posted = some(self.random, tuple(range(len(self.pool))))
        for _ in range(self.random.randint(1, 4)):
            self._body(posted, until=4 * MINUTE)
            self.now += self.random.choice((70, 100, 200)) * SECOND
        for number in posted:
            del self.firing[number]

    def _answer(self) -> None:
        random = self.random
        by = random.choice(("dana", "sam", "somebody else"))
        number = random.choice((0, 0, 1, 1, 2, 3))
        what = random.choice(
            ("ack", "ack", "ack", "snooze", "unack", "resolve", "escalate", "reassign", "responder", "note")
        )
        more: dict[str, Any] = {}
        if what == "snooze":
            more["until"] = self.now + random.choice((3, 9, 40)) * MINUTE
        elif what == "reassign" and chance(random, 0.4):
            more["policy"] = random.choice(POLICIES)
        elif what in ("reassign", "responder"):
            kind = random.choice(("user", "schedule"))
            more["to"] = [kind, random.choice(USERS if kind == "user" else SCHEDULES)]
        self._do("answer", says=what, by=by, number=number, **more)
        if chance(random, 0.1):  # somebody else says so too
            self.now += random.choice((1, 4)) * SECOND
            self._do("answer", says=what, by="lee", number=number, **more)

    def _silence(self) -> None:
        random = self.random
        matcher = random.choice(
            (f'alertname=~"{"|".join(some(random, NAMES, 3))}"', f'team="{random.choice(TEAMS)}"',
             f'cluster="{random.choice("12")}"', 'severity!="critical"')
        )  # fmt: skip
        start = self._moment() + random.choice((0, 0, 90_000))
        self._do(
            "silence", matchers=matcher, start=start, end=start + random.choice((50, 200, 1_200)) * SECOND
        )
        self.silences += 1

    def _unsilence(self) -> None:
        if self.silences:
            self._do("unsilence", which=self.random.randrange(self.silences))

    def _reload(self) -> None:
        if len(self.drawn.later) < 2:
            before = self.drawn.later[-1] if self.drawn.later else self.drawn.config
            self.drawn.later.append(another(self.random, before, self.drawn.began))
            self._do("reload", config=len(self.drawn.later) - 1)
