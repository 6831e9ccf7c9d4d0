"""Holds as they are stored, and in words: what holds one alert, and what one weighing tells the timeline.

A hold is JSON that says by what (`by`) and what people want to know of that; "" stands for none.
``weighing.py` judges, whoever keeps them writes them, whoever shows an alert asks here what to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import orjson

from routing.alerts import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.inhibition import Source
    from routing.silences import Silence

SAID: Final = 10  # lines of one kind

Lines = Sequence[tuple[str, str]]
"""For the timeline: kind and text."""


def by_silence(silence: Silence) -> str:
    """Held by a silence."""
    return _hold("silence", id=silence.id, until=silence.ends_at, author=silence.created_by)


def by_inhibition(rule: str, source: Source) -> str:
    """Held by a firing alert; `rule` as people know it."""
    return _hold("inhibition", rule=rule, source=_shown(source.labels), alert=source.alert)


def _hold(by: str, **more: str | int) -> str:
    return orjson.dumps({"by": by, **more}).decode()


RELEASE: Final = _hold("release")
"""Its source has ended: targets usually end with it, in another body a little later."""
GRACE: Final = _hold("grace")
"""A rule could inhibit it, and its source may come a little later."""


def kind(hold: str) -> str:
    """`silence`, `inhibition`, `release` or `grace`; "" where nothing holds."""
    return str(orjson.loads(hold)["by"]) if hold else ""


def said(hold: str) -> str:
    """What holds an alert, in words."""
    if not hold:
        return ""
    held = orjson.loads(hold)
    match held["by"]:
        case "silence":
            until = datetime.fromtimestamp(held["until"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            author = f" by {held['author']}" if held["author"] else ""
            return f"silence {held['id']}{author}, until {until}"
        case "inhibition":
            return f"inhibited by {held['source']} ({held['rule']})"
        case "release":
            return "its source has ended; it is told of if it goes on firing"
        case _:
            return "waits for alerts that could inhibit it"


def _shown(labels: Mapping[str, str]) -> str:
    """`NodeDown{instance="a"}`, as people write it; of very many labels the first."""
    name = labels.get("alertname", "")
    others = [f'{key}="{labels[key]}"' for key in sorted(labels) if key != "alertname"]
    return f"{name}{{{', '.join(others[:6])}}}"[:300]


class HoldNews:
    """What one weighing has to say, many alerts to a line."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._newly: Counter[str] = Counter()
        self._free = 0
        self._guarded: dict[str, bool] = {}  # text -> it is news

    def guarded(self, labels: Mapping[str, str], why: str, *, news: bool) -> None:
        """The guard lets an alert through that is inhibited."""
        self._guarded[f"{_shown(labels)} is told all the same: {why}"] = news

    @property
    def guarded_anew(self) -> int:
        """How many it lets through that it did not before."""
        return sum(self._guarded.values())

    def held(self, was: str, hold: str) -> None:
        """An alert was held by `was` and is by `hold`."""
        if kind(hold) not in ("", "grace"):
            self._held[said(hold)] += 1
            if hold != was:
                self._newly[said(hold)] += 1
        elif not hold and kind(was) not in ("", "grace"):
            self._free += 1

    def all(self) -> Lines:
        """All that is held and all that is let through."""
        return [*_lines(self._held), *(("guard", text) for text in list(self._guarded)[:SAID])]

    def news(self) -> Lines:
        """What is held or let through otherwise than before."""
        free = [("released", f"no longer held: {counted(self._free)}")] if self._free else []
        guarded = [("guard", text) for text, new in self._guarded.items() if new]
        return [*_lines(self._newly), *free, *guarded[:SAID]]


def _lines(counts: Counter[str]) -> Lines:
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:SAID]
    return [("held", f"held: {counted(count)}, {why}") for why, count in most]
