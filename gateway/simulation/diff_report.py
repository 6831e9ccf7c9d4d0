"""What a change of the configuration does, for people, for a merge request, and for programs.

Effects come first, each with the alerts that it concerns, said by as few labels as may be; below stands what
was compared, and what that cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from gateway.simulation import effect_words as words
from gateway.simulation.affected import Affected
from gateway.simulation.effects import OWN
from gateway.simulation.label_words import described
from routing.telling import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.simulation.differences import Differences, Group
    from gateway.simulation.effects import Change, Effect, Way
    from gateway.simulation.label_sets import ChangedRule
    from gateway.simulation.summary import Summary

VERSION: Final = 1
MAX_LINES: Final = 6  # ways to say of which alerts an effect is, in text
MAX_NAMES: Final = 12  # alerts of rules, in text


@dataclass(frozen=True)
class Report:
    """What there is to tell.

    Attributes:
        names: of the old and the new configuration.
        ruled: rules were given; `recorded`: what a recording comes to, by the old and the new.
        timed: schedules or time intervals differ: what they say at other times is not compared.
    """

    names: tuple[str, str]
    found: Differences
    affected: Affected = field(default_factory=Affected)
    ruled: bool = False
    recorded: tuple[Summary, Summary] | None = None
    timed: bool = False

    @property
    def lost(self) -> bool:
        """Somebody who was told of some alerts is told of them no longer, by any way."""
        return any(group.effect.lost or group.effect.missing for group in self.found.groups)

    @property
    def complete(self) -> bool:
        """Every alert is treated as one of those that were compared."""
        return not (self.found.cut or self.found.derived.sampled or self.found.derived.most is not None)


# --- text and markdown ---------------------------------------------------------------------------------


def text(report: Report) -> Iterator[str]:
    """For people; what stands in it of a configuration is not made safe for a terminal."""
    for number, group in enumerate(report.found.groups):
        first, *more = _alerts(group)
        yield first
        yield from (f"or    {line}" for line in more)
        yield from (f"    {line}" for line in (*_lines(group), *_concerned(report, number)))
        yield ""
    yield _total(report)
    yield from _people(report)
    yield from _notes(report)


def markdown(report: Report) -> Iterator[str]:
    """For a merge request."""
    yield f"### {_total(report)}"
    yield ""
    for number, group in enumerate(report.found.groups):
        first, *more = _alerts(group)
        lost = "❗ " if group.effect.lost else ""
        yield f"- {lost}{_code(first)}"
        yield from (f"  <br>or {_code(line)}" for line in more)
        yield from (f"  - {_escaped(line)}" for line in (*_lines(group), *_concerned(report, number)))
    if report.recorded:
        yield ""
        yield "| by the recording | before | after |"
        yield "|---|---:|---:|"
        yield from (f"| {_escaped(who)} | {old} | {new} |" for who, old, new in _rows(report.recorded))
    yield ""
    yield from (f"<sub>{_escaped(note)}</sub><br>" for note in _notes(report))


def _alerts(group: Group) -> list[str]:
    lines = described(group.diagram, group.answer)
    shown = [f"alerts with {line}" if line else "all alerts" for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        shown.append(f"{len(lines) - MAX_LINES} more kinds of alerts (--output json names them)")
    return shown


def _lines(group: Group) -> Iterator[str]:
    if group.rule:
        yield words.beside(group.rule)
    yield from words.sentences(group.effect)


def _concerned(report: Report, number: int) -> Iterator[str]:
    affected = report.affected
    for label, names in (
        ("alerts of the rules", affected.certain.get(number)),
        ("perhaps, as their labels are", affected.perhaps.get(number)),
    ):
        if names:
            more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
            yield f"{label}: {', '.join(names[:MAX_NAMES])}{more}"
    if report.recorded:
        count = affected.recorded[number]
        yield f"recorded alerts: {count}"


def _total(report: Report) -> str:
    groups = report.found.groups
    if not groups:
        return f"No difference between {report.names[0]} and {report.names[1]}: the same people are told."
    lost = sum(group.effect.lost for group in groups)
    which = "one difference" if len(groups) == 1 else f"{len(groups)} differences"
    last = f"; in {lost} of them nobody is told any more" if lost else ""
    return f"{which[0].upper()}{which[1:]} between {report.names[0]} and {report.names[1]}{last}"


def _people(report: Report) -> Iterator[str]:
    if report.recorded:
        yield ""
        rows = [("By the recording", "before", "after"), *_rows(report.recorded)]
        width = max(len(row[0]) for row in rows)
        yield from (f"{who:<{width}}  {old:>6}  {new:>6}" for who, old, new in rows)


def _rows(recorded: tuple[Summary, Summary]) -> Iterator[tuple[str, int, int]]:
    old, new = recorded
    yield "pages", old.pages, new.pages
    yield "pages at night", old.at_night, new.at_night
    yield "woken", old.woken, new.woken
    yield "all that is heard", old.rings, new.rings
    for who in sorted({*old.people, *new.people}):
        before, after = old.people.get(who), new.people.get(who)
        yield f"{who}: pages", before.pages if before else 0, after.pages if after else 0
        yield f"{who}: woken", before.woken if before else 0, after.woken if after else 0


def _notes(report: Report) -> Iterator[str]:
    found = report.found
    at = datetime.fromtimestamp(found.at / 1000, UTC)
    if found.cases:
        kinds = "one kind of alert" if found.cases == 1 else f"{found.cases} kinds of alerts"
        yield (
            f"Compared: {kinds} that the two treat differently, firing for "
            f"{spoken(found.span)} from {at:%Y-%m-%d %H:%M:%S} UTC, unanswered."
        )
    if found.unheard:
        yield (
            f"For {found.unheard} of them nobody hears a difference: what differs are texts, connections, or "
            "times that do not come then."
        )
    if found.derived.sampled:
        shown = ", ".join(map(str, found.derived.sampled[:MAX_NAMES]))
        more = len(found.derived.sampled) - MAX_NAMES
        shown += f" and {more} more" if more > 0 else ""
        yield (
            f"Samples only, for these expressions: {shown}. An alert that they tell from all samples may be "
            "treated differently."
        )
    if found.derived.most is not None:
        yield (
            "There are more kinds of alerts than can be compared: only those were in which at most "
            f"{found.derived.most} labels have values that a matcher names."
        )
    if found.cut:
        yield "Not every kind of alert was tried beside the sources of inhibition rules: there are too many."
    if report.complete:
        yield "Complete: any other alert is treated alike by both, or as one of these."
    if report.timed:
        yield "Schedules or time intervals differ, too: compare at other times with --at."


def _code(line: str) -> str:
    """As code, so that nothing in it is markup."""
    return "`" + line.replace("`", "'") + "`"


def _escaped(line: str) -> str:
    escaped = "".join(f"\\{char}" if char in r"\`*_{}[]()#+!|~<>" else char for char in line)
    return escaped.replace("@", "@\u200b")  # nobody is to be called by a name in it


# --- JSON ----------------------------------------------------------------------------------------------


def document(report: Report) -> dict[str, Any]:
    """For programs. Times are seconds since the alert fires."""
    found = report.found
    return {
        "version": VERSION,
        "old": report.names[0],
        "new": report.names[1],
        "at": datetime.fromtimestamp(found.at / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "fires_s": found.span / 1000,
        "different": bool(found.groups),
        "lost": report.lost,
        "compared": found.cases,
        "unheard": found.unheard,
        "complete": report.complete,
        "sampled": [str(one) for one in found.derived.sampled],
        "most_labels": found.derived.most,
        "cut": found.cut,
        "times_differ": report.timed,
        "differences": [_group(report, *one) for one in enumerate(found.groups)],
        "recorded": _recorded(report.recorded),
    }


def _group(report: Report, number: int, group: Group) -> dict[str, Any]:
    return {
        "alerts": list(described(group.diagram, group.answer)),
        "examples": [dict(labels) for labels in group.examples[:MAX_LINES]],
        "beside": _beside(group.rule) if group.rule else None,
        **_effect(group.effect),
        **_named(report, number),
    }


def _beside(changed: ChangedRule) -> dict[str, Any]:
    return {
        "rule": changed.rule.name,
        "of": "new" if changed.new else "old",
        "source": [str(one) for one in changed.rule.source],
        "equal": sorted(set(changed.rule.equal)),
    }


def _named(report: Report, number: int) -> dict[str, Any]:
    affected = report.affected
    found: dict[str, Any] = {}
    if report.ruled:
        found["rules"] = affected.certain.get(number, [])
        found["perhaps"] = affected.perhaps.get(number, [])
    if report.recorded:
        found["recorded"] = affected.recorded[number]
    return found


def _effect(effect: Effect) -> dict[str, Any]:
    grouping = {"old": effect.grouping[0], "new": effect.grouping[1]} if effect.grouping else None
    changes = [_change(one) for one in effect.changes]
    return {
        "lost": effect.lost,
        "held": effect.held,
        "freed": effect.freed,
        "changes": changes,
        "grouping": grouping,
    }


def _change(change: Change) -> dict[str, Any]:
    own = change.who.target == OWN
    return {
        "kind": change.kind,
        "target": None if own else change.who.target,
        "target_kind": change.who.target_kind,
        "ways": _ways(change.ways),
        "new_ways": _ways(change.new_ways),
        "old_s": [at / 1000 for at in change.old],
        "new_s": [at / 1000 for at in change.new],
        "again": change.again,
        "text": words.sentence(change),
    }


def _ways(ways: Sequence[Way]) -> list[Mapping[str, str]]:
    return [{"by": way.by, "where": way.where} for way in ways]


def _recorded(recorded: tuple[Summary, Summary] | None) -> dict[str, Any] | None:
    if recorded is None:
        return None
    old, new = recorded
    return {"alerts": new.alerts, "old": _summed(old), "new": _summed(new)}


def _summed(summary: Summary) -> dict[str, Any]:
    people: Iterable[tuple[str, Any]] = sorted(summary.people.items())
    return {
        "pages": summary.pages,
        "at_night": summary.at_night,
        "woken": summary.woken,
        "rings": summary.rings,
        "people": {who: {"pages": one.pages, "woken": one.woken} for who, one in people},
    }
