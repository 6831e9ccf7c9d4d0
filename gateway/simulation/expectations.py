"""Does a story show what a test expects of it, and if not, why not?

Pure: a case and its story in, what is wrong out. Names are matched by `told_names.py`; how a failure looks is
`test_report.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from config.values import quote, show_duration
from gateway.simulation.told_names import is_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.simulation.test_file import Case, Expectation, Name, Names, Silent, Spot
    from routing.story import Line, Notification, Story

MAX_REASONS: Final = 4
_STATES: Final = frozenset(
    (
        *("suppressed", "held", "guard", "closed", "resolved", "dismissed"),
        *("reopened", "acknowledged", "unacknowledged", "ack_ended"),
    )
)
"""Kinds of lines that say how things stand from then on."""
_PASSED: Final = frozenset(("passed", "skipped", "not_told", "instead"))
"""Kinds of lines that say why somebody is not told just now."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Who should have been told from `since` to `until` (ms after the first firing; None: the end)."""

    name: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Failed:
    """One thing that was expected in vain.

    Attributes:
        spot: of the expectation in the test file.
        message: what is wrong, in one line.
        reasons: lines of the story that say why, each with its time.
        missing: who was not told.
        unwanted: who was, against the expectation.
    """

    spot: Spot
    message: str
    reasons: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    unwanted: tuple[Notification, ...] = ()


def judge(case: Case, story: Story, called: Callable[[int], str]) -> tuple[Failed, ...]:
    """What the case expects and its story does not show; `called` names an inhibition rule by its number."""
    failed = [one for expected in case.expect if (one := _expected(expected, story))]
    failed += [one for expected in case.expect_not if (one := _not_expected(expected, story))]
    if case.silent:
        failed += _silent(case.silent, story)
    if case.route:
        failed += _exactly(case.route, story.reached.routes, "went to", "no route", story)
    if case.inhibited_by:
        rules = [called(place) for place in sorted(story.reached.rules)]
        failed += _exactly(case.inhibited_by, rules, "were inhibited by", "no rule", story)
    if failed:
        late = tuple(_line(line, story) for line in story.lines if line.kind == "late")
        failed[0] = replace(failed[0], reasons=(*failed[0].reasons, *late[:MAX_REASONS]))
    return tuple(failed)


# --- who is told -----------------------------------------------------------------------------------------


def _expected(expected: Expectation, story: Story) -> Failed | None:
    inside = [
        one for one in story.notifications if one.kind == expected.kind and _within(expected, one, story)
    ]
    missing: list[Name] = []
    reasons: list[str] = []
    for name in expected.told:
        told = [one for one in inside if is_told(name, one)]
        if not any(expected.text in one.text for one in told):
            missing.append(name)
            reasons += _other_words(told, expected, story) or _why_not(name, expected, story)
    if not missing:
        return None
    names = " and ".join(name.written for name in missing)
    message = f"{names} {'was' if len(missing) == 1 else 'were'} not told{_by(expected)} {_when(expected)}"
    since, until = expected.since, expected.until
    return Failed(
        expected.spot,
        message,
        tuple(dict.fromkeys(reasons))[:MAX_REASONS],
        missing=tuple(Missing(name.written, since, until) for name in missing),
    )


def _not_expected(expected: Expectation, story: Story) -> Failed | None:
    found: dict[str, list[Notification]] = {}
    for one in story.notifications:
        if one.kind != expected.kind or expected.text not in one.text or not _within(expected, one, story):
            continue
        for name in expected.told:
            if is_told(name, one):
                found.setdefault(name.written, []).append(one)
    if not found:
        return None
    parts = [f"{name} was told{_by(expected)} at {_first(told, story)}" for name, told in found.items()]
    unwanted = [one for told in found.values() for one in told]
    reasons = dict.fromkeys(f"{_after(one.at, story)}: {one.why}" for one in unwanted)
    return Failed(expected.spot, ", ".join(parts), tuple(reasons)[:MAX_REASONS], unwanted=tuple(unwanted))


def _silent(silent: Silent, story: Story) -> Iterator[Failed]:
    told = [one for one in story.notifications if one.kind == "ring" and _within(silent, one, story)]
    if told:
        who = f"{told[0].target} was rung at {_first(told, story)}"
        others = f", and {len(told) - 1} more" if len(told) > 1 else ""
        reasons = dict.fromkeys(f"{_after(one.at, story)}: {one.why}" for one in told)
        yield Failed(
            silent.spot,
            f"somebody was told: {who}{others}",
            tuple(reasons)[:MAX_REASONS],
            unwanted=tuple(told),
        )


def _exactly(expected: Names, found: Iterable[str], verb: str, none: str, story: Story) -> Iterator[Failed]:
    actual = sorted(found)
    if sorted(set(expected.names)) == actual:
        return
    wanted = ", ".join(expected.names) or none
    reasons = tuple(_line(line, story) for line in story.lines if line.kind in ("held", "guard"))
    yield Failed(
        expected.spot, f"the alerts {verb} {', '.join(actual) or none}, not {wanted}", reasons[:MAX_REASONS]
    )


def _within(window: Expectation | Silent, one: Notification, story: Story) -> bool:
    at = one.at - story.began
    return window.since <= at and (window.until is None or at <= window.until)


# --- why not ---------------------------------------------------------------------------------------------


def _why_not(name: Name, expected: Expectation, story: Story) -> list[str]:
    """When they were told instead, and what the story says about why they were not."""
    reasons = [*_at_other_times(name, expected, story)]
    end = story.ended if expected.until is None else story.began + expected.until
    reasons += [_line(line, story) for line in _lines_about(name, story.began + expected.since, end, story)]
    if not story.incidents:
        reasons.append("no incident came of these alerts")
    elif not reasons:
        routes = ", ".join(sorted(story.reached.routes)) or "no route"
        reasons.append(f"nothing in this story would tell them; the alerts went to {routes}")
    return reasons


def _at_other_times(name: Name, expected: Expectation, story: Story) -> Iterator[str]:
    told = [one for one in story.notifications if is_told(name, one)]
    rung = [one for one in told if one.kind == expected.kind]
    if rung:
        times = ", ".join(dict.fromkeys(_after(one.at, story) for one in rung[:3]))
        more = f" and {len(rung) - 3} more times" if len(rung) > 3 else ""
        yield f"{name.written} was told{_by(expected)} at {times}{more}: {rung[0].why}"
    elif told:
        kinds = " and ".join(dict.fromkeys(_KINDS[one.kind] for one in told))
        yield f"{name.written} was told {kinds} alone, first at {_first(told, story)}"


def _lines_about(name: Name, since: int, end: int, story: Story) -> list[Line]:
    """Lines that say that they are not told; else how things stood, and what was passed in that time."""
    lines = [line for line in story.lines if line.at <= end and line.kind in (_PASSED | _STATES)]
    about = [line for line in lines if name.name in line.target or name.name in line.text]
    if about:
        return about[-2:]
    passed = [line for line in lines if line.kind in _PASSED and line.at >= since]
    return [*[line for line in lines if line.kind in _STATES][-2:], *passed[:2]]


def _other_words(told: list[Notification], expected: Expectation, story: Story) -> list[str]:
    """What they were told instead of the expected text."""
    return [
        f"{_after(one.at, story)}: its text lacks {quote(expected.text)}: {quote(one.text)}"
        for one in told[:2]
    ]


# --- words -----------------------------------------------------------------------------------------------

_KINDS: Final = {"ring": "by a ring", "update": "by an update", "end": "of the end"}


def _by(expected: Expectation) -> str:
    return "" if expected.kind == "ring" else f" {_KINDS[expected.kind]}"


def _when(expected: Expectation) -> str:
    since = show_duration(expected.since)
    if expected.until is None:
        return f"after {since}" if expected.since else "at all"
    if expected.until == expected.since:
        return f"at {since}"
    if expected.until % 1_000 == 999:  # what was written is not counted in
        until = show_duration(expected.until + 1)
        return f"between {since} and {until}" if expected.since else f"before {until}"
    return f"between {since} and {show_duration(expected.until)}"


def _after(at: int, story: Story) -> str:
    return show_duration(at - story.began)


def _first(told: list[Notification], story: Story) -> str:
    return _after(told[0].at, story)


def _line(line: Line, story: Story) -> str:
    target = f" — {line.target}" if line.target and line.target not in line.text else ""
    return f"{_after(line.at, story)}: {line.text}{target}"
