"""The same alerts, silences and rules, given to a real Alertmanager and to Tocsin: what webhooks both send.

Both run with one configuration file, at the same time; every story has a route and alerts of its own, so
all are told at once. A story's alerts and silences come on beats; ticks of its groups lie between two beats.
What is compared is the sequence of webhooks of each group, with who fires and who has ended in each; not
their times. Where the two are meant to differ, both sequences stand here, and the number of the difference
in docs/decisions/differences.md.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from aiohttp import ClientSession, web
from alertmanagers import alertmanager
from audience import names
from programs import Program, Tocsin
from waiting import until

from gateway.standins.http import HttpStandin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence

pytestmark = pytest.mark.e2e

BEAT_S = 2.0  # of the groups' ticks too, which come half a beat later
LATE_S = BEAT_S / 4
DIFFERENCES = Path(__file__).parents[2] / "docs/decisions/differences.md"


class Fire(NamedTuple):
    """Alerts begin, one for each letter; `g` is the group, `labels` are written as `a=1 b=2`."""

    beat: float
    letters: str
    g: str = "g"
    labels: str = ""


class End(NamedTuple):
    beat: float
    letters: str


class Silence(NamedTuple):
    """Of the story's alerts with these letters, from so many beats later on, for so many beats."""

    beat: float
    letters: str
    lasts: float
    after: float = 0


class Expire(NamedTuple):
    """The story's silence ends by hand."""

    beat: float


class Reload(NamedTuple):
    """Both load a configuration in which the story's route has this."""

    beat: float
    route: str


Event = Fire | End | Silence | Expire | Reload


@dataclass
class Story:
    """What happens, and what both tell: for each group who fires, and after a `-` who has ended.

    `tocsin` and `differs` only where it is not what Alertmanager tells: the numbers of the meant differences.
    """

    name: str
    events: Sequence[Event]
    told: dict[str, list[str]]
    tocsin: dict[str, list[str]] = field(default_factory=dict)
    differs: Sequence[int] = ()
    route: str = ""
    rules: Sequence[
        tuple[str, str, str]
    ] = ()  # letters that inhibit, letters that are, labels that are equal

    @property
    def expected(self) -> dict[str, list[str]]:
        return self.tocsin if self.differs else self.told


STORIES = [
    Story(
        "silenced before it begins",
        [Silence(0, "A", 20), Fire(0.2, "A"), Expire(3), End(5, "A")],
        {"g": ["A", "-A"]},
    ),
    Story("silenced from beginning to end", [Silence(0, "A", 20), Fire(0.2, "A"), End(3, "A")], {"g": []}),
    Story(
        "silenced for a time",
        [Fire(0, "A"), Silence(1, "A", 3), End(6, "A")],
        {"g": ["A", "-A"]},
        {"g": ["A", "A", "-A"]},
        [23],
    ),
    Story(
        "silenced until it was expired",
        [Fire(0, "A"), Silence(1, "A", 20), Expire(4), End(6, "A")],
        {"g": ["A", "-A"]},
        {"g": ["A", "A", "-A"]},
        [23],
    ),
    Story(
        "ends under a silence",
        [Fire(0, "A"), Silence(1, "A", 20), End(3, "A")],
        {"g": ["A"]},
        {"g": ["A", "-A"]},
        [22],
    ),
    Story(
        "one of two ends under a silence",
        [Fire(0, "AB"), Silence(1, "A", 20), End(3, "A"), End(5, "B")],
        {"g": ["AB", "-B"]},
        {"g": ["AB", "B-A", "-B"]},
        [22],
    ),
    Story(
        "one of two silenced from the beginning",
        [Silence(0, "A", 20), Fire(0.2, "AB"), Expire(3), End(5, "AB")],
        {"g": ["B", "AB", "-AB"]},
    ),
    Story(
        "one of two silenced, and never told",
        [Silence(0, "A", 20), Fire(0.2, "AB"), End(3, "A"), End(5, "B")],
        {"g": ["B", "-B"]},
    ),
    Story(
        "the one that is not silenced ends",
        [Silence(0, "A", 20), Fire(0.2, "AB"), End(2, "B"), End(4, "A")],
        {"g": ["B", "-B"]},
        {"g": ["B", "A-B", "-A"]},
        [27],
    ),
    Story(
        "another one joins under a silence that begins later",
        [Silence(0, "AB", 4, after=2), Fire(0, "A"), Fire(3, "B"), End(8, "AB")],
        {"g": ["A", "AB", "-AB"]},
    ),
    Story(
        "two sources of which one ends",
        [Fire(0, "AB", "s"), Fire(1, "T", "t"), End(2, "A"), End(5, "B"), End(9, "T")],
        {"s": ["AB", "B-A", "-B"], "t": ["T", "-T"]},
        rules=[("AB", "T", "")],
    ),
    Story(
        "targets that end soon after their source",
        [Fire(0, "S", "s"), Fire(0.2, "TU", "t"), End(3, "S"), End(4, "TU")],
        {"s": ["S", "-S"], "t": ["TU", "-TU"]},
        {"s": ["S", "-S"], "t": []},
        [25],
        rules=[("S", "TU", "")],
    ),
    Story(
        "a source that comes a moment after its target",
        [Fire(0, "T", "t"), Fire(0.2, "S", "s"), End(3, "T"), End(5, "S")],
        {"s": ["S", "-S"], "t": ["T"]},
        {"s": ["S", "-S"], "t": []},
        [24],
        route="group_wait: 0s",
        rules=[("S", "T", "")],
    ),
    Story(
        "inhibited from the beginning to the end",
        [Fire(0, "S", "s"), Fire(0.2, "T", "t"), End(3, "T"), End(5, "S")],
        {"s": ["S", "-S"], "t": []},
        rules=[("S", "T", "")],
    ),
    Story(
        "ends while it is inhibited",
        [Fire(0, "T", "t"), Fire(3, "S", "s"), End(5, "T"), End(7, "S")],
        {"s": ["S", "-S"], "t": ["T"]},
        {"s": ["S", "-S"], "t": ["T", "-T"]},
        [22],
        rules=[("S", "T", "")],
    ),
    Story(
        "inhibited for a time",
        [Fire(0, "T", "t"), Fire(3, "S", "s"), End(5, "S"), End(9, "T")],
        {"s": ["S", "-S"], "t": ["T", "-T"]},
        {"s": ["S", "-S"], "t": ["T", "T", "-T"]},
        [23],
        rules=[("S", "T", "")],
    ),
    Story(
        "in one group with its source",
        [Fire(0, "ST"), End(3, "S"), End(7, "T")],
        {"g": ["S", "T-S", "-T"]},
        {"g": ["S", "T-S", "T", "-T"]},
        [25, 27],
        rules=[("S", "T", "")],
    ),
    Story(
        "a rule whose sides overlap",
        [Fire(0, "B", "b"), Fire(0, "C", "c"), Fire(3, "A", "a"), End(6, "B"), End(9, "AC")],
        {"a": ["A", "-A"], "b": ["B"], "c": []},
        {"a": ["A", "-A"], "b": ["B", "-B"], "c": []},
        [22],
        rules=[("AB", "BC", "")],
    ),
    Story(
        "two that both meet both sides",
        [Fire(0, "A", "a"), Fire(0, "B", "b"), End(3, "AB")],
        {"a": ["A", "-A"], "b": ["B", "-B"]},
        rules=[("AB", "AB", "")],
    ),
    Story(
        "labels that both lack are equal",
        [Fire(0, "S", "s"), Fire(0.2, "T", "t"), Fire(0.2, "U", "u", "zone=1"), End(3, "TU"), End(5, "S")],
        {"s": ["S", "-S"], "t": [], "u": ["U", "-U"]},
        rules=[("S", "TU", "zone")],
    ),
    Story(
        "a label that is empty is as one that lacks",
        [Fire(0, "S", "s", "zone="), Fire(0.2, "T", "t"), End(3, "T"), End(5, "S")],
        {"s": ["S", "-S"], "t": []},
        rules=[("S", "T", "zone")],
    ),
    Story(
        "only where all of them are equal",
        [
            Fire(0, "S", "s", "zone=1 rack=1"),
            Fire(0.2, "T", "t", "zone=1 rack=1"),
            Fire(0.2, "U", "u", "zone=1 rack=2"),
            End(3, "TU"),
            End(5, "S"),
        ],
        {"s": ["S", "-S"], "t": [], "u": ["U", "-U"]},
        rules=[("S", "TU", "zone, rack")],
    ),
    Story(
        "a silenced source inhibits all the same",
        [Silence(0, "S", 20), Fire(0.2, "S", "s"), Fire(0.3, "T", "t"), End(3, "T"), End(5, "S")],
        {"s": [], "t": []},
        rules=[("S", "T", "")],
    ),
    Story(
        "an inhibited source inhibits all the same",
        [Fire(0, "R", "r"), Fire(0.1, "S", "s"), Fire(0.2, "T", "t"), End(3, "T"), End(5, "S"), End(7, "R")],
        {"r": ["R", "-R"], "s": [], "t": []},
        rules=[("R", "S", ""), ("S", "T", "")],
    ),
    Story(
        "silenced and inhibited, and the silence ends first",
        [Silence(0, "T", 3), Fire(0, "S", "s"), Fire(0.2, "T", "t"), End(5, "T"), End(7, "S")],
        {"s": ["S", "-S"], "t": []},
        rules=[("S", "T", "")],
    ),
    Story(
        "two that inhibit each other by two rules",
        [Fire(0, "A", "a", "severity=critical"), Fire(0, "B", "b"), End(5, "AB")],
        {"a": [], "b": []},
        {"a": ["A", "-A"], "b": []},
        [26],
        rules=[("A", "B", ""), ("B", "A", "")],
    ),
    Story(
        "three that inhibit each other in a ring, of which the worst is silenced",
        [
            Silence(0, "A", 20),
            *(
                Fire(0.2, x, x.lower(), f"severity={y}")
                for x, y in zip("ABC", ("critical", "high", "low"), strict=True)
            ),
            End(6, "ABC"),
        ],
        {"a": [], "b": [], "c": []},
        {"a": [], "b": ["B", "-B"], "c": []},
        [26],
        rules=[("A", "B", ""), ("B", "C", ""), ("C", "A", "")],
    ),
    Story(
        "muted all the time",
        [Fire(0, "A"), End(3, "A")],
        {"g": []},
        route="mute_time_intervals: [always]",
    ),
    Story(
        "muted, but not in this century",
        [Fire(0, "A"), End(3, "A")],
        {"g": ["A", "-A"]},
        route="mute_time_intervals: [long ago]",
    ),
    Story(
        "active, but not in this century",
        [Fire(0, "A"), End(3, "A")],
        {"g": []},
        route="active_time_intervals: [long ago]",
    ),
    Story(
        "active all the time",
        [Fire(0, "A"), End(3, "A")],
        {"g": ["A", "-A"]},
        route="active_time_intervals: [long ago, always]",
    ),
    Story(
        "a muted source inhibits all the same",
        [Fire(0, "S", "s", "quiet=1"), Fire(0.2, "T", "t"), End(3, "T"), End(5, "S")],
        {"s": [], "t": []},
        route='routes: [{matchers: [quiet="1"], mute_time_intervals: [always]}]',
        rules=[("S", "T", "")],
    ),
]
# A reload begins the groups of Alertmanager anew, so these have the two for themselves.
WITH_RELOADS = [
    Story(
        "ends in a muted time that began later",
        [Fire(0, "A"), Reload(1, "mute_time_intervals: [always]"), End(4, "A")],
        {"g": ["A"]},
        {"g": ["A", "-A"]},
        [22],
    ),
    Story(
        "a muted time ends",
        [Fire(0, "A"), Reload(2, ""), End(5, "A")],
        {"g": ["A", "-A"]},
        route="mute_time_intervals: [always]",
    ),
]


def config(stories: Sequence[Story], hook: str, reloads: dict[str, str]) -> str:
    """The file that both are started with."""
    routes = [
        f"""\
    - matchers: ['story="{story.name}"']
      {reloads.get(story.name, story.route) or "group_wait: 1s"}
"""
        for story in stories
    ]
    rules = [
        f"""\
  - source_matchers: ['story="{story.name}"', 'alertname=~"[{source}]"']
    target_matchers: ['story="{story.name}"', 'alertname=~"[{target}]"']
    equal: [{equal}]
"""
        for story in stories
        for source, target, equal in story.rules
    ]
    return f"""\
route:
  receiver: hook
  group_by: [story, g]
  group_wait: 1s
  group_interval: {BEAT_S:.0f}s
  repeat_interval: 1h
  routes:
{"".join(routes)}
inhibit_rules:{"" if rules else " []"}
{"".join(rules)}
time_intervals:
  - name: always
    time_intervals: [{{years: ["2000:2999"]}}]
  - name: long ago
    time_intervals: [{{years: ["1900:1999"]}}]
receivers:
  - name: hook
    webhook_configs: [{{url: "{hook}"}}]
"""


class Ear(HttpStandin):
    """Takes the webhooks of both, and keeps who sent them."""

    def __init__(self) -> None:
        super().__init__([web.post("/hook", self._take)])
        self.heard: dict[tuple[str, str, str], list[str]] = defaultdict(list)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        firing, ended = names(body, "firing"), names(body, "resolved")
        assert body["status"] == ("firing" if firing else "resolved")
        sender = request.headers["User-Agent"].partition("/")[0].lower()
        labels = body["groupLabels"]
        self.heard[sender, labels["story"], labels["g"]].append(f"{firing}-{ended}".removesuffix("-"))
        return web.Response()

    def of(self, sender: str, stories: Iterable[Story]) -> dict[str, dict[str, list[str]]]:
        return {
            story.name: {g: self.heard.get((sender, story.name, g), []) for g in story.told}
            for story in stories
        }


class Both:
    """Alertmanager and Tocsin, given the same at the same time."""

    def __init__(
        self, stories: Sequence[Story], ear: Ear, am: Program, tocsin: Tocsin, client: ClientSession
    ) -> None:
        self.stories = stories
        self.ear = ear
        self.am = am
        self.tocsin = tocsin
        self._client = client
        self._alerts: dict[tuple[str, str], dict[str, Any]] = {}
        self._silences: dict[str, tuple[str, str]] = {}
        self._reloads: dict[str, str] = {}
        self._began = 0.0
        self.late = 0.0

    async def play(self) -> None:
        self._began = time.monotonic()
        beats: dict[float, list[Coroutine[Any, Any, None]]] = defaultdict(list)
        for story in self.stories:
            for event in story.events:
                beats[event.beat].append(self._do(story, event))
        for beat, done in sorted(beats.items()):
            await asyncio.sleep(max(0.0, self._began + beat * BEAT_S - time.monotonic()))
            await asyncio.gather(*done)
            late = time.monotonic() - self._began - beat * BEAT_S
            self.late = max(late, self.late)

    async def _do(self, story: Story, event: Event) -> None:
        match event:
            case Fire(_, letters, g, labels):
                await self._post([self._fires(story, letter, g, labels) for letter in letters])
            case End(_, letters):
                await self._post(
                    [self._alerts[story.name, letter] | {"endsAt": moment()} for letter in letters]
                )
            case Silence(_, letters, lasts, after):
                await self._silence(story, letters, after * BEAT_S, lasts * BEAT_S)
            case Expire():
                theirs, ours = self._silences[story.name]
                await asyncio.gather(
                    self._ask("DELETE", f"{self.am.url}/api/v2/silence/{theirs}"),
                    self._ask("DELETE", f"{self.tocsin.url}/api/v1/silences/{ours}"),
                )
            case Reload(_, route):
                self._reloads[story.name] = route
                text = config(self.stories, f"{self.ear.url}/hook", self._reloads)
                (self.tocsin.config.parent.parent / "am.yml").write_text(text)
                self.tocsin.config.write_text(text + OURS)
                await asyncio.gather(
                    *(self._ask("POST", f"{one.url}/-/reload") for one in (self.am, self.tocsin))
                )

    def _fires(self, story: Story, letter: str, g: str, labels: str) -> dict[str, Any]:
        more = dict(pair.split("=") for pair in labels.split())
        alert = {
            "labels": {"alertname": letter, "story": story.name, "g": g, **more},
            "startsAt": moment(),
            "endsAt": moment(in_s=600),
        }
        self._alerts[story.name, letter] = alert
        return alert

    async def _post(self, alerts: list[dict[str, Any]]) -> None:
        both = (f"{one.url}/api/v2/alerts" for one in (self.am, self.tocsin))
        await asyncio.gather(*(self._ask("POST", url, alerts) for url in both))

    async def _silence(self, story: Story, letters: str, after: float, lasts: float) -> None:
        matchers = [
            {"name": "story", "value": story.name, "isRegex": False, "isEqual": True},
            {"name": "alertname", "value": f"[{letters}]", "isRegex": True, "isEqual": True},
        ]
        starts, ends = moment(after), moment(after + lasts)
        theirs = {
            "startsAt": starts,
            "endsAt": ends,
            "createdBy": "dana",
            "comment": "x",
            "matchers": matchers,
        }
        ours = {
            "starts_at": starts,
            "ends_at": ends,
            "created_by": "dana",
            "comment": "x",
            "matchers": matchers,
            "force": True,
        }
        made = await asyncio.gather(
            self._ask("POST", f"{self.am.url}/api/v2/silences", theirs),
            self._ask("POST", f"{self.tocsin.url}/api/v1/silences", ours),
        )
        self._silences[story.name] = made[0]["silenceID"], made[1]["silence"]["id"]

    async def _ask(self, method: str, url: str, body: Any = None) -> Any:
        async with self._client.request(method, url, json=body) as answer:
            text = await answer.text()
            assert answer.status == 200, f"{method} {url}: {answer.status} {text}"
            return await answer.json() if text and answer.content_type == "application/json" else None

    async def heard_out(self) -> None:
        """All that is expected has come, and two ticks later nothing else."""
        wanted = [{s.name: s.told for s in self.stories}, {s.name: s.expected for s in self.stories}]

        def heard() -> list[dict[str, dict[str, list[str]]]]:
            return [self.ear.of(sender, self.stories) for sender in ("alertmanager", "tocsin")]

        await until(lambda: _as_many(heard(), wanted), "all webhooks", heard, within=10)
        await asyncio.sleep(2 * BEAT_S)
        for story in self.stories:
            for sender, expected in (("alertmanager", story.told), ("tocsin", story.expected)):
                found = self.ear.of(sender, [story])[story.name]
                assert found == expected, f"{sender}, {story.name}: {found}, not {expected}"


def _as_many(heard: Any, wanted: Any) -> bool:
    """As many webhooks of each group as are expected; which ones, is asserted."""
    if isinstance(wanted, dict):
        return all(_as_many(heard[name], wanted[name]) for name in wanted)
    if wanted and isinstance(wanted[0], dict):
        return all(_as_many(h, w) for h, w in zip(heard, wanted, strict=True))
    return len(heard) >= len(wanted)


def moment(in_s: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=in_s)).isoformat(timespec="milliseconds")


OURS = f"inhibit_release: {2.5 * BEAT_S:.0f}s\n"  # the only line that Alertmanager does not have


@asynccontextmanager
async def both(program: str, folder: Path, stories: Sequence[Story]) -> AsyncIterator[Both]:
    async with AsyncExitStack() as stack:
        ear = Ear()
        await ear.start()
        stack.push_async_callback(ear.stop)
        text = config(stories, f"{ear.url}/hook", {})
        programs = alertmanager(program, folder, "am", text), Tocsin(folder / "tocsin", text + OURS)
        for one in programs:
            stack.push_async_callback(one.finish)
        await asyncio.gather(*(one.start() for one in programs))
        client = await stack.enter_async_context(ClientSession())
        yield Both(stories, ear, *programs, client)


async def told(program: str, folder: Path) -> float:
    """Plays all stories and compares what is told; by how many seconds this machine was late at the worst."""
    async with AsyncExitStack() as stack:
        pairs = await asyncio.gather(
            *(
                stack.enter_async_context(both(program, folder / f"{n}", stories))
                for n, stories in enumerate((STORIES, WITH_RELOADS))
            )
        )
        await asyncio.gather(*(pair.play() for pair in pairs))
        late = max(pair.late for pair in pairs)
        if late < LATE_S:
            await asyncio.gather(*(pair.heard_out() for pair in pairs))
        return late


async def test_all_stories_are_told_alike_but_for_the_meant_differences(
    require_peer: Callable[[str], str], tmp_path: Path
) -> None:
    program = require_peer("prometheus-alertmanager")
    for attempt in range(3):  # beats and ticks of a machine that is too slow meet
        if await told(program, tmp_path / f"{attempt}") < LATE_S:
            return
    pytest.fail(f"this machine is more than {LATE_S} s late each time")


def test_every_difference_is_meant() -> None:
    """It stands in the list, and is one."""
    listed = {int(number) for number in re.findall(r"^(\d+)\. \*\*", DIFFERENCES.read_text(), re.MULTILINE)}
    for story in (*STORIES, *WITH_RELOADS):
        assert set(story.differs) <= listed, story.name
        assert bool(story.differs) == (story.expected != story.told), story.name
