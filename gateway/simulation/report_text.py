"""A story for people, as text: when, what happens, and who is told by which way.

Every line is safe on a terminal. It decides nothing: what is told comes from the story.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Final

from gateway.cli.output import labels, plain
from gateway.simulation.timeline import (
    KEPT_FROM,
    in_several_policies,
    local,
    numbers,
    offset,
    reason,
    rows,
    spaced,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from gateway.simulation.timeline import Row, Run
    from routing.story import Story

_REASONS: Final = 10
_NAMED: Final = 12
_MESSAGE_LINES: Final = 60


def text(
    story: Story,
    zone: tzinfo = UTC,
    explain: bool = False,  # noqa: FBT001, FBT002 - as every report has them
    messages: bool = False,  # noqa: FBT001, FBT002 - likewise
    start: int | None = None,
) -> Iterator[str]:
    """The lines of the story, by the clock at `zone`; times since `start` (ms, by default its beginning).

    `explain`: with why each is told, and with every decision; `messages`: with the text of each message.
    """
    start = story.began if start is None else start
    found = rows(story, explain=explain, messages=messages)
    several = in_several_policies(story)
    width = max((len(numbers(run.first.incidents)) for run in found), default=0)
    wide = max((len(offset(run.at - start)) for run in found), default=0)
    yield from _incidents(story)
    day = ""
    for run in found:
        moment = local(run.at, zone)
        if (today := _day(moment)) != day:
            if day:
                yield ""
            yield today
            day = today
        number = numbers(run.first.incidents).ljust(width)
        lead = f"  {moment:%H:%M:%S}  {offset(run.at - start).rjust(wide)}  {number}"
        named = not several.isdisjoint(run.first.incidents)
        yield f"{lead}  {_row(run, zone, start, explain=explain, named=named)}".rstrip()
        yield from _message(run.first.text, " " * (len(lead) + 4))
    if found:
        yield ""
    yield from _in_all(story, zone, start)


def _incidents(story: Story) -> Iterator[str]:
    """What each is about, and by which route and policy it goes."""
    for number, one in sorted(story.incidents.items())[:_NAMED]:
        how = {"route": one.route, "policy": one.policy, "receiver": one.receiver, "team": one.team}
        if one.policy:
            del how["receiver"]
        said = ", ".join(f"{name} {value}" for name, value in how.items() if value)
        yield f"#{number}  {labels(one.labels) or '(all alerts)'}  {plain(said)}"
    if len(story.incidents) > _NAMED:
        yield f"and {len(story.incidents) - _NAMED} incidents more"
    if story.incidents:
        yield ""


def _day(moment: datetime) -> str:
    """A heading; another one, too, where the clocks change."""
    ahead = moment.strftime("%z")
    name = moment.tzname() or ""
    shown = "" if name == "UTC" else f" (UTC{ahead[:3]}:{ahead[3:5]})"
    return plain(f"{moment:%A, %-d %B %Y}, {name}{shown}")


def _row(run: Run[Row], zone: tzinfo, start: int, *, explain: bool, named: bool) -> str:
    """`named`: with the policy of each step."""
    row = run.first
    said = f"{row.kind:<6}  {row.who}" if row.who else row.words
    if not explain and row.kind == "ring" and row.step:
        said += f"  ({row.step if named else row.step.rpartition(', ')[2]})"
    elif explain and (why := reason(row)):
        said += f"  [{why}]"
    if run.more:
        times = "once" if run.more == 1 else f"{run.more} times"
        last = local(run.last, zone)
        said += (
            f"; repeated every {spaced(run.every)}, {times} more, the last at"
            f" {last:%a %H:%M:%S} ({offset(run.last - start)})"
        )
    return plain(said, 2_000)


def _message(message: str, indent: str) -> Iterator[str]:
    """A message's lines, each safe, below its row."""
    lines = message.splitlines()
    for line in lines[:_MESSAGE_LINES]:
        yield f"{indent}| {plain(line)}".rstrip()
    if len(lines) > _MESSAGE_LINES:
        yield f"{indent}| ... and {len(lines) - _MESSAGE_LINES} lines more"


# --- in all ---------------------------------------------------------------------------------------------


def _in_all(story: Story, zone: tzinfo, start: int) -> Iterator[str]:
    """What it comes to: who is told how often, what is still open; or why nobody is told."""
    if story.notifications:
        yield "Told:"
        yield from _table(_counts(story))
        yield from _missed(story)
    else:
        yield "Nobody is told."
        yield from why_nobody(story)
    yield from _still_open(story)
    if story.cut:
        end = f"{local(story.ended, zone):%Y-%m-%d %H:%M:%S} ({offset(story.ended - start)})"
        yield f"More would follow: the simulation ends at {end}."


def _counts(story: Story) -> list[tuple[str, str]]:
    """Whom, and how often, in the order in which they are first told."""
    told: dict[str, Counter[str]] = {}
    for one in story.notifications:
        told.setdefault(who(one), Counter())[one.kind] += 1
    words = {"ring": ("ring", "rings"), "update": ("update", "updates"), "end": ("end", "ends")}
    return [
        (
            plain(name),
            ", ".join(
                f"{counts[kind]} {said[counts[kind] > 1]}" for kind, said in words.items() if counts[kind]
            ),
        )
        for name, counts in told.items()
    ]


def _missed(story: Story) -> Iterator[str]:
    """Whom a message never reached, as its service did not take it."""
    told = {who(one) for one in story.notifications}
    missed = dict.fromkeys(line.target for line in story.lines if line.kind == "not_told")
    if names := [plain(name) for name in missed if name and name not in told]:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"Never told, as their service takes nothing: {', '.join(names[:_NAMED])}{more}"


def _table(found: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in found)
    yield from (f"  {name.ljust(width)}  {said}" for name, said in found)


def why_nobody(story: Story) -> Iterator[str]:
    """Why nobody is told at all: each reason once, the most frequent first."""
    reasons = Counter(line.text for line in story.lines if line.kind in KEPT_FROM)
    if not story.lines:
        yield "  Nothing happens: no alert fires in this time."
        return
    if not reasons:
        yield "  Nothing is due for what fires: see its route, policy and their times."
    for said, count in reasons.most_common(_REASONS):
        yield f"  {plain(said)}" + (f" ({count} times)" if count > 1 else "")
    if len(reasons) > _REASONS:
        yield f"  and {len(reasons) - _REASONS} other reasons"


def _still_open(story: Story) -> Iterator[str]:
    """What nobody has ended when the story does."""
    left = [(number, one) for number, one in sorted(story.incidents.items()) if one.open]
    for status in ("triggered", "acknowledged"):
        found = [number for number, one in left if one.status == status]
        if found:
            yield f"At the end {_named(found)} {'is' if len(found) == 1 else 'are'} still {status}."


def _named(found: Iterable[int]) -> str:
    some = [f"#{number}" for number in found]
    more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
    return ", ".join(some[:_NAMED]) + more
