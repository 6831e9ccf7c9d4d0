"""Weighing: by what each firing alert of a group is held, judged by what is true now.

Silences come first, then inhibition (`judge.py`); an alert whose source has ended is released a little later,
and one that a rule could inhibit waits a little for its source. The questions to the index of sources are
yielded, so that whoever keeps it answers as it can. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from routing import hold_texts
from routing.hold_texts import GRACE, RELEASE, HoldNews
from routing.inhibition import Inhibited, Released, Roles, Source
from routing.judge import judge

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from routing.inhibition import Ask, Rules, Slot, Verdict
    from routing.silences import Silences

    Answers = Mapping[Ask, tuple[Source, ...]]

NOTHING: Final = Roles()

Change = tuple[str, str, str, int]
"""Alert key, by what it was held ("" for nothing), by what it is, and until when (ms, 0 for not known)."""


@dataclass(frozen=True, slots=True)
class ToWeigh:
    """One alert to be judged: by what it is held so far ("" for nothing), and until when it has to wait."""

    key: str
    labels: dict[str, str]
    rank: int
    starts_at: int
    revision: int  # since which it fires here; 0 where it is held
    was: str
    wait: int


@dataclass(slots=True)
class Weighed:
    """What has been judged: `changes` are to be written, `news` told, `filed` are sources: (alert, slots)."""

    changes: list[Change] = field(default_factory=list)
    news: HoldNews = field(default_factory=HoldNews)
    filed: list[tuple[str, tuple[Slot, ...]]] = field(default_factory=list)
    rules: set[int] = field(default_factory=set)


class Intervals(Protocol):
    """What time intervals keep whom from being told."""

    def muted(self, labels: Mapping[str, str], at: int) -> bool:
        """Whether everybody who would be told of the alert is kept from it."""
        ...

    def quiet_until(self, at: int) -> int:
        """When the first of the routes that are quiet now may speak again; 0 where none is."""
        ...


@dataclass(frozen=True, slots=True)
class Scales:
    """What alerts are weighed by at one moment."""

    rules: Rules
    release: int
    silences: Silences
    intervals: Intervals
    now: int


def weigh(
    gid: str, alerts: Sequence[ToWeigh], weighed: Weighed, scales: Scales, weighed_up_to: int
) -> Generator[set[Ask], Answers, None]:
    """Judges these alerts of a group and adds to `weighed`; yields what is asked of the index of sources.

    `weighed_up_to`: firing alerts up to this revision have been judged before.
    """
    rules = scales.rules
    roles = [rules.roles(alert.labels) if rules.any else NOTHING for alert in alerts]
    verdicts = yield from _verdicts(gid, list(zip(alerts, roles, strict=True)), scales)
    for alert, one, verdict in zip(alerts, roles, verdicts, strict=True):
        hold, until = _hold(alert, verdict, scales)
        if hold != alert.was or until:
            weighed.changes.append((alert.key, alert.was, hold, until))
        if isinstance(verdict, Released):
            news = alert.revision > weighed_up_to or hold_texts.kind(alert.was) == "inhibition"
            weighed.news.guarded(alert.labels, verdict.why, news=news)
        elif isinstance(verdict, Inhibited):
            weighed.rules.add(verdict.rule)
        weighed.news.held(alert.was, hold)
        if one.sources:
            weighed.filed.append((alert.key, one.sources))


def _verdicts(
    gid: str, alerts: Sequence[tuple[ToWeigh, Roles]], scales: Scales
) -> Generator[set[Ask], Answers, list[str | Verdict | None]]:
    """For each alert the hold by a silence, else what inhibition says."""
    verdicts: list[str | Verdict | None] = []
    first: dict[tuple[Slot, ...], int] = {}
    others: list[tuple[int, int]] = []
    for place, (alert, one) in enumerate(alerts):
        silences = scales.silences.matching(alert.labels, scales.now)
        verdicts.append(hold_texts.by_silence(silences[0]) if silences else None)
        if not silences and one.targets:
            scout = first.setdefault(one.targets, place)
            if scout != place:
                others.append((place, scout))
    yield from _inhibited(gid, alerts, list(first.values()), verdicts, scales)
    # Where nothing inhibits the first that looks into these slots, nothing inhibits the others.
    left = [place for place, scout in others if verdicts[scout] is not None]
    yield from _inhibited(gid, alerts, left, verdicts, scales)
    return verdicts


def _inhibited(
    gid: str,
    alerts: Sequence[tuple[ToWeigh, Roles]],
    places: Sequence[int],
    verdicts: list[str | Verdict | None],
    scales: Scales,
) -> Generator[set[Ask], Answers, None]:
    """Judges the alerts at these places, side by side."""

    def silenced(labels: Mapping[str, str]) -> bool:
        silences, now = scales.silences, scales.now
        return bool(silences.matching(labels, now)) or scales.intervals.muted(labels, now)

    walks: dict[int, Generator[tuple[Ask, ...], Answers, Verdict | None]] = {}
    asked: dict[int, tuple[Ask, ...]] = {}
    for place in places:
        alert, one = alerts[place]
        source = Source(alert.key, f"{alert.key}.{gid}", alert.rank, alert.starts_at, alert.labels)
        walk = judge(scales.rules, source, silenced, roles=one)
        try:
            asked[place] = next(walk)
            walks[place] = walk
        except StopIteration as end:
            verdicts[place] = end.value
    while asked:
        answers = yield {ask for one in asked.values() for ask in one}
        for place in list(asked):
            try:
                asked[place] = walks[place].send(answers)
            except StopIteration as end:
                verdicts[place] = end.value
                del asked[place]


def _hold(alert: ToWeigh, verdict: str | Verdict | None, scales: Scales) -> tuple[str, int]:
    """By what the alert is held from now on, and until when if that is sure: the text that is stored."""
    if isinstance(verdict, str):
        return verdict, 0
    if isinstance(verdict, Inhibited):
        hold = hold_texts.by_inhibition(scales.rules.called(verdict.rule), verdict.source)
        # In a circle it depends on intervals too who can be told, and nobody brings news of those.
        circular = scales.rules.circle_of[verdict.rule] is not None
        return hold, scales.intervals.quiet_until(scales.now) if circular else 0
    was = hold_texts.kind(alert.was)
    if was == "inhibition":
        # Targets usually end with their source, in another body a little later: they are given that time.
        return RELEASE, scales.now + scales.release
    if was in ("", "grace", "release") and alert.wait > scales.now:
        # A grace that runs: it was too late for the look that was put off.
        return (alert.was, 0) if was else (GRACE, alert.wait)
    return "", 0
