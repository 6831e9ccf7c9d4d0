"""Two stories of the same happenings beside each other: what is the same, in one only, or at another time.

Two messages are the same one if they tell the same target by the same way, as loudly, for the same group of
alerts; whose step it was does not matter, as people do not notice it. Among those, what comes at the same
time is paired first, and what is left in the order of time. Updates, which make no sound, are only counted:
they follow from what else happens. Times count from each story's beginning.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Literal

from gateway.cli.output import plain
from gateway.simulation.timeline import local, offset, runs, spaced, who
from routing.telling import spoken

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from datetime import tzinfo

    from gateway.simulation.timeline import Run
    from routing.incident_records import Incident
    from routing.story import Notification, Story

    Timed = tuple[int, Notification]
    Sort = Literal["same", "at another time", "with another text", "only in the first", "only in the second"]

_MARKS: Final[dict[Sort, str]] = {
    "same": " ",
    "at another time": "~",
    "with another text": "*",
    "only in the first": "-",
    "only in the second": "+",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A message in one story, in the other, or in both; times since each story's beginning (ms)."""

    one: Notification | None
    other: Notification | None
    one_at: int | None
    other_at: int | None

    @property
    def shown(self) -> Notification:
        """The message, as the one story has it or, if it has not, the other."""
        shown = self.one or self.other
        assert shown is not None  # noqa: S101 - a pair of nothing is never made
        return shown

    @property
    def sort(self) -> Sort:
        """How the two differ."""
        if self.other is None:
            return "only in the first"
        if self.one is None:
            return "only in the second"
        if self.one_at != self.other_at:
            return "at another time"
        return "with another text" if self.one.text != self.other.text else "same"

    @property
    def at(self) -> int:
        """When it comes, in whichever it comes first (ms)."""
        return min(at for at in (self.one_at, self.other_at) if at is not None)


def pairs(one: Story, other: Story) -> list[Pair]:
    """All messages of both that are heard or say the end, in order."""
    shared = _groups(one) & _groups(other)
    left, right = _by_what(one, shared), _by_what(other, shared)
    found = [pair for what in {**left, **right} for pair in _paired(left.get(what, []), right.get(what, []))]
    return sorted(found, key=lambda pair: pair.at)


def side_by_side(one: Story, other: Story, names: Sequence[str], zone: tzinfo = UTC) -> Iterator[str]:
    """The lines of the comparison, `names` being those of the two, by the clock at `zone`.

    Marks are those of a diff, `~` for another time and `*` for another text.
    """
    found = pairs(one, other)
    rows = [(_MARKS[run.first.sort], *_times(run), _said(run)) for run in _runs(found)]
    heads = [plain(name, 40) for name in names]
    widths = [max([len(head), *(len(row[place + 1]) for row in rows)]) for place, head in enumerate(heads)]
    if rows:
        yield f"Times count from {local(one.began, zone):%A, %-d %B %Y, %H:%M:%S %Z}."
        yield f"  {heads[0].ljust(widths[0])}  {heads[1].ljust(widths[1])}"
    for mark, first, second, said in rows:
        yield f"{mark} {first.ljust(widths[0])}  {second.ljust(widths[1])}  {said}"
    if rows:
        yield ""
    yield from _in_all(found, heads)
    updates = [sum(told.kind == "update" for told in story.notifications) for story in (one, other)]
    if any(updates):
        counts = ", ".join(f"{count} by {name}" for count, name in zip(updates, heads, strict=True))
        yield f"Updates, which make no sound, are left out: {counts}."
    for name, story in zip(heads, (one, other), strict=True):
        if story.cut:
            ends = offset(story.ended - story.began)
            yield f"More would follow by {name}: the simulation ends at {ends}."


# --- pairing --------------------------------------------------------------------------------------------

Group = tuple[tuple[str, str], ...]


def _group(incident: Incident | None) -> Group:
    return tuple(sorted(incident.labels.items())) if incident else ()


def _groups(story: Story) -> set[Group]:
    return set(map(_group, story.incidents.values()))


def _by_what(story: Story, shared: set[Group]) -> dict[Hashable, list[Timed]]:
    """What makes messages the same -> when each comes, and which it is.

    A group that only one of the stories has, as the other puts alerts together differently, tells nothing.
    """
    found: dict[Hashable, list[Timed]] = defaultdict(list)
    for told in story.notifications:
        if told.kind == "update":
            continue
        group = _group(story.incidents.get(told.incident))
        what = (
            told.target_kind,
            told.target,
            told.by,
            told.where,
            told.kind,
            group if group in shared else None,
        )
        found[what].append((told.at - story.began, told))
    return found


def _paired(left: Sequence[Timed], right: Sequence[Timed]) -> Iterator[Pair]:
    """First what comes at the same time, then the rest in its order."""
    waiting: dict[int, list[Notification]] = defaultdict(list)
    for at, told in right:
        waiting[at].append(told)
    alone: list[Timed] = []
    for at, told in left:
        if waiting[at]:
            yield Pair(told, waiting[at].pop(0), at, at)
        else:
            alone.append((at, told))
    rest = [(at, told) for at, some in sorted(waiting.items()) for told in some]
    for (one_at, one), (other_at, other) in zip_longest(alone, rest, fillvalue=(None, None)):
        yield Pair(one, other, one_at, other_at)


# --- words ----------------------------------------------------------------------------------------------


def _runs(found: Sequence[Pair]) -> list[Run[Pair]]:
    """Repeats that fare alike, as one row."""
    return runs(
        (pair.at, (pair.sort, who(pair.shown), pair.shown.kind, _moved(pair)), pair) for pair in found
    )


def _moved(pair: Pair) -> int:
    return 0 if pair.one_at is None or pair.other_at is None else pair.other_at - pair.one_at


def _times(run: Run[Pair]) -> tuple[str, str]:
    one, other = run.first.one_at, run.first.other_at
    return "-" if one is None else offset(one), "-" if other is None else offset(other)


def _said(run: Run[Pair]) -> str:
    pair = run.first
    said = f"{pair.shown.kind:<6}  {who(pair.shown)}"
    if pair.sort == "at another time":
        said += f"  ({spoken(abs(_moved(pair)))} {'later' if _moved(pair) > 0 else 'earlier'})"
    elif pair.sort == "with another text":
        said += "  (with another text)"
    if run.more:
        said += f"; repeated every {spaced(run.every)}, {run.more} times more"
    return plain(said, 2_000)


def _in_all(found: Sequence[Pair], heads: Sequence[str]) -> Iterator[str]:
    """The sum of it, in one line."""
    if not found:
        yield f"Nobody is told, neither by {heads[0]} nor by {heads[1]}."
        return
    counts = Counter(pair.sort for pair in found)
    if set(counts) == {"same"}:
        yield f"Both tell the same: {len(found)} messages at the same times."
        return
    words: dict[Sort, str] = {
        "same": "the same",
        "at another time": "at another time (~)",
        "with another text": "with another text (*)",
        "only in the first": f"only by {heads[0]} (-)",
        "only in the second": f"only by {heads[1]} (+)",
    }
    said = ", ".join(f"{counts[sort]} {shown}" for sort, shown in words.items() if counts[sort])
    yield f"Of {len(found)} messages: {said}."
