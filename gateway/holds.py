"""What holds alerts back in this service: silences and inhibition, judged for a group's alerts.

`routing/weighing.py` decides; here it is asked, and the answer is written down. A
group is weighed by whoever is about to ring for it, and where news of a silence or of a source has marked it.
`weigh.lua` refuses an answer from before the newest mark, so what stands in the store is never older than the
news. Firing alerts that nothing holds are `f` there, the others `h`, with by what.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from gateway import metrics, to_weigh
from gateway.sources import Sources, written
from gateway.store import keys, reading
from gateway.store.arguments import Judged
from gateway.store.silences import SilenceStore
from gateway.store.unavailable import StoreUnavailableError
from routing import hold_texts
from routing.silences import Silences
from routing.weighing import Scales, Weighed, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.placing import Placing
    from gateway.plan import PlanInForce
    from gateway.store.records import ClaimedGroup
    from gateway.store.store import Store
    from gateway.to_weigh import Group
    from routing.hold_texts import Lines
    from routing.weighing import Change

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
            weighed = await self._judge(gid, group, placing)
            changes, news = weighed.changes, weighed.news
            lines = news.all() if beginning else news.news()
            if weighed.filed:
                filed = [(gid, alert, written(found)) for alert, found in weighed.filed]
                await self._store.place_sources(shard, placing.generation, filed)
            if tried == TRIES:
                # News keeps coming: what was true a moment ago is better than nothing, and is judged again.
                metrics.weighings.labels("given_up").inc()
                log.warning("group.not_settled", group=gid, reason="news kept coming")
                group = replace(group, marks=-1, whole=False)
            told = () if beginning else lines
            if (view := await self._write(shard, gid, group, changes, told, release=release)) is not None:
                _count(weighed)
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
            judged = Judged(
                marks=group.marks,
                version=group.version,
                upto=group.seq if last else 0,
                all=last and group.whole,
                looked=group.now,
                changes=changes[start : start + PAGE],
                lines=lines if last else (),
            )
            view = await self._store.weigh(shard, group.generation, gid, judged, release=release and last)
            if view is None:
                break
        return view

    async def _judge(self, gid: str, group: Group, placing: Placing) -> Weighed:
        plan, weighed = placing.plan, Weighed()
        scales = Scales(plan.inhibition, plan.inhibit_release, group.silences, placing, group.now)
        for start in range(0, len(group.alerts), AT_ONCE):  # others have their turn in between
            asking = weigh(gid, group.alerts[start : start + AT_ONCE], weighed, scales, group.weighed)
            asks = next(asking, None)
            while asks is not None:
                # What the guard looks at further up a circle decides too, so its news concerns this group.
                await self.sources.register(gid, group.opened, {ask.key for ask in asks})
                try:
                    asks = asking.send(await self.sources.ask(asks))
                except StopIteration:
                    asks = None
        return weighed

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


def _count(weighed: Weighed) -> None:
    """For `/metrics`, once it is written."""
    metrics.weighings.labels("written").inc()
    metrics.alerts_guarded.inc(weighed.news.guarded_anew)
    for _, was, hold, _ in weighed.changes:
        if hold and (by := hold_texts.kind(hold)) != hold_texts.kind(was):
            metrics.alerts_held.labels(by).inc()
