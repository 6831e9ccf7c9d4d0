"""What holds alerts back in this service: silences and inhibition, judged for a group's alerts.

`routing/silences.py` and `routing/judge.py` decide; here they are asked, and the answer is written down. A
group is weighed by whoever is about to ring for it, and where news of a silence or of a source has marked it.
`weigh.lua` refuses an answer from before the newest mark, so what stands in the store is never older than the
news. Firing alerts that nothing holds are `f` there, the others `h`, with by what.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from gateway import hold_texts, metrics, to_weigh
from gateway.hold_texts import GRACE, RELEASE, Story
from gateway.sources import Sources, slots
from gateway.store import keys, reading
from gateway.store.arguments import Weighed
from gateway.store.silences import SilenceStore
from gateway.store.unavailable import StoreUnavailableError
from routing.inhibition import Inhibited, Released, Roles, Source
from routing.judge import judge
from routing.silences import Silences

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from gateway.hold_texts import Lines
    from gateway.placing import Placing
    from gateway.plan import PlanInForce
    from gateway.store.arguments import Change
    from gateway.store.records import ClaimedGroup
    from gateway.store.store import Store
    from gateway.to_weigh import Alert, Group
    from routing.inhibition import Ask, Verdict

log = structlog.get_logger()

PAGE: Final = 500
AT_ONCE: Final = 200  # alerts judged without a pause
TRIES: Final = 8


class Holds:
    """One process's judge of what is held."""

    def __init__(self, store: Store, plan: PlanInForce) -> None:
        self._store = store
        self._plan = plan
        self.silence_store = SilenceStore(store)
        self._silences = Silences(())
        self._version = -1
        self.sources = Sources(store)

    @property
    def silences(self) -> Silences:
        """The silences as last read."""
        return self._silences

    def matter(self) -> bool:
        """Whether anything could hold an alert now: a ring asks first only then."""
        rules = self._plan.placing.plan.inhibition.any if self._plan.placing else True
        return rules or bool(self._silences.all) or self._version < 0

    async def keep_up(self, version: int) -> None:
        """Reads the silences anew if those here are older than `version`, which others judge by."""
        if version > self._version:
            self._version, self._silences = await self.silence_store.load()

    async def _newest(self) -> tuple[int, Silences]:
        """The silences as they are now, and their version; none where the store has lost them."""
        if await self.silence_store.version() != self._version:
            self._version, self._silences = await self.silence_store.load()
        return self._version, self._silences

    async def weigh(
        self, shard: int, gid: str, *, release: bool = False, beginning: bool = False
    ) -> tuple[ClaimedGroup, Lines] | None:
        """Judges the group's alerts by what is true now and writes it down: the group as it is then.

        `release`: its lease is given back with it. `beginning`: the incident has no timeline yet, so the
        lines for it come back; else they have been written. None where that failed: then what is not judged
        is told.
        """
        try:
            with metrics.weigh_duration.time():
                return await self._weigh(shard, gid, release=release, beginning=beginning)
        except StoreUnavailableError:
            raise
        except Exception:  # a fault of ours in judging must not keep a page back
            metrics.weighings.labels("failed").inc()
            log.exception("group.not_weighed", group=gid)
            return None

    async def _weigh(
        self, shard: int, gid: str, *, release: bool, beginning: bool
    ) -> tuple[ClaimedGroup, Lines] | None:
        for tried in range(1, TRIES + 1):
            placing = self._plan.current
            group = await to_weigh.read(self._store, shard, gid, placing.generation, self._newest())
            changes, story, filed = await self._judge(gid, group, placing)
            lines = story.all() if beginning else story.news()
            if filed:
                await self._store.place_sources(shard, placing.generation, filed)
            if tried == TRIES:
                # News keeps coming: what was true a moment ago is better than nothing, and is judged again.
                metrics.weighings.labels("given_up").inc()
                log.warning("group.not_settled", group=gid, reason="news kept coming")
                group = replace(group, marks=-1, whole=False)
            written = () if beginning else lines
            if (view := await self._write(shard, gid, group, changes, written, release=release)) is not None:
                _count(changes, story)
                return view, lines
            metrics.weighings.labels("again").inc()
        return None

    async def _write(
        self,
        shard: int,
        gid: str,
        group: Group,
        changes: Sequence[Change],
        lines: Lines,
        *,
        release: bool,
    ) -> ClaimedGroup | None:
        """In pages; only the last one says that all has been judged. None where an answer came too late."""
        view: ClaimedGroup | None = None
        for start in range(0, max(len(changes), 1), PAGE):
            last = start + PAGE >= len(changes)
            weighed = Weighed(
                marks=group.marks,
                version=group.version,
                upto=group.seq if last else 0,
                all=last and group.whole,
                looked=group.now,
                changes=changes[start : start + PAGE],
                lines=lines if last else (),
            )
            view = await self._store.weigh(shard, group.generation, gid, weighed, release=release and last)
            if view is None:
                break
        return view

    async def _judge(
        self, gid: str, group: Group, placing: Placing
    ) -> tuple[list[Change], Story, list[tuple[str, str, str]]]:
        rules = placing.plan.inhibition
        story = Story()
        changes: list[Change] = []
        filed: list[tuple[str, str, str]] = []
        for start in range(0, len(group.alerts), AT_ONCE):  # others have their turn in between
            alerts = group.alerts[start : start + AT_ONCE]
            roles = [rules.roles(alert.labels) if rules.any else Roles() for alert in alerts]
            verdicts = await self._verdicts(gid, group, placing, list(zip(alerts, roles, strict=True)))
            for alert, one, verdict in zip(alerts, roles, verdicts, strict=True):
                hold, until = self._hold(alert, verdict, group.now, placing)
                if hold != alert.was or until:
                    changes.append((alert.key, alert.was, hold, until))
                if isinstance(verdict, Released):
                    news = alert.revision > group.weighed or hold_texts.kind(alert.was) == "inhibition"
                    story.guarded(alert.labels, verdict.why, news=news)
                story.held(alert.was, hold)
                if one.sources:
                    filed.append((gid, alert.key, slots(one)))
        return changes, story, filed

    async def _verdicts(
        self, gid: str, group: Group, placing: Placing, alerts: Sequence[tuple[Alert, Roles]]
    ) -> list[str | Verdict | None]:
        """For each alert the hold by a silence, else what inhibition says."""
        verdicts: list[str | Verdict | None] = []
        walks: dict[int, Generator[tuple[Ask, ...], Mapping[Ask, tuple[Source, ...]], Verdict | None]] = {}
        asked: dict[int, tuple[Ask, ...]] = {}

        def silenced(labels: Mapping[str, str]) -> bool:
            return bool(group.silences.matching(labels, group.now)) or placing.muted(labels, group.now)

        for place, (alert, one) in enumerate(alerts):
            silences = group.silences.matching(alert.labels, group.now)
            verdicts.append(hold_texts.by_silence(silences[0]) if silences else None)
            if not silences and one.targets:
                source = Source(alert.key, f"{alert.key}.{gid}", alert.rank, alert.starts_at, alert.labels)
                walk = judge(placing.plan.inhibition, source, silenced)
                try:
                    asked[place] = next(walk)
                    walks[place] = walk
                except StopIteration as end:
                    verdicts[place] = end.value
        while asked:
            asks = {ask for one in asked.values() for ask in one}
            # What the guard looks at further up a circle decides too, so its news concerns this group.
            await self.sources.register(gid, group.opened, {ask.key for ask in asks})
            answers = await self.sources.ask(asks)
            for place in list(asked):
                try:
                    asked[place] = walks[place].send(answers)
                except StopIteration as end:
                    verdicts[place] = end.value
                    del asked[place]
        return verdicts

    def _hold(
        self, alert: Alert, verdict: str | Verdict | None, now: int, placing: Placing
    ) -> tuple[str, int]:
        """By what the alert is held from now on, and until when if that is sure: the text that is stored."""
        plan = placing.plan
        if isinstance(verdict, str):
            return verdict, 0
        if isinstance(verdict, Inhibited):
            hold = hold_texts.by_inhibition(plan.inhibition.called(verdict.rule), verdict.source)
            # In a circle it depends on intervals too who can be told, and nobody brings news of those.
            circular = plan.inhibition.circle_of[verdict.rule] is not None
            return hold, placing.quiet_until(now) if circular else 0
        was = hold_texts.kind(alert.was)
        if was == "inhibition":
            # Targets usually end with their source, in another body a little later: they are given that time.
            return RELEASE, now + plan.inhibit_release
        if was in ("", "grace", "release") and alert.wait > now:
            # A grace that runs: it was too late for the look that was put off.
            return (alert.was, 0) if was else (GRACE, alert.wait)
        return "", 0

    async def watch(self) -> None:
        """Wakes a walk where the silences have changed and nobody came to say so."""
        version = await self.silence_store.version()
        shards = range(self._store.shards)
        found = await self._store.together(("HGET", f"{keys.prefix(n)}:holds", "version") for n in shards)
        newest = max(int(one or 0) for one in found)
        if newest > version:  # the silences' last change is lost: it must not keep others from judging
            await self._store.together([("SET", keys.SILENCES_VERSION, newest + 1)])
        if min(int(one or 0) for one in found) != version:
            await self._store.wake_walk(max(version, newest + (newest > version)))

    async def walk(self, shard: int) -> None:
        """After silences have changed, begun or ended: marks the groups in which that makes a difference.

        Where they change meanwhile it begins again.
        """
        walked = -1
        while True:
            version, silences = await self._newest()
            if version == walked or await self._walk(shard, version, silences):
                return
            walked = version

    async def _walk(self, shard: int, version: int, silences: Silences) -> bool:
        rules = self._plan.current.plan.inhibition
        now = await self._store.now(shard)
        await self._store.walk_on(shard, version)
        differ: set[str] = set()
        seen = 0
        async for page in reading.firing_pages(self._store, shard):
            differ.update(
                alert.gid
                for alert in page
                if bool(silences.matching(alert.labels, now)) != (alert.held_by == "silence")
                or rules.in_a_circle(alert.labels)  # the guard may have to choose anew
            )
            seen += len(page)
            if seen >= AT_ONCE:
                await self.sources.mark(sorted(differ))
                await self._store.walk_on(shard, version)
                differ, seen = set(), 0
        await self.sources.mark(sorted(differ))
        return await self._store.walk_ended(shard, version, silences.next_change(now) or 0)


def _count(changes: Sequence[Change], story: Story) -> None:
    """For `/metrics`, once it is written."""
    metrics.weighings.labels("written").inc()
    metrics.alerts_guarded.inc(story.guarded_anew)
    for _, was, hold, _ in changes:
        if hold and (by := hold_texts.kind(hold)) != hold_texts.kind(was):
            metrics.alerts_held.labels(by).inc()
