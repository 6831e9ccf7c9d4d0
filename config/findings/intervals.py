"""Time intervals that never come, never end, or are used by nobody; and routes that they silence for good."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.intervals import interval
from routing.calendar import Period, holds_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path
    from routing.calendar import TimeInterval

YEARS: Final = 28  # in which each date has fallen on each weekday
WHOLE_DAY: Final = (1 << 1440) - 1  # a bit for each minute

NEVER: Final = Code(
    "TOC406",
    "interval-never-holds",
    "warning",
    "A time interval that never comes",
    found="A time interval that contains no moment from now on: its fields exclude each other, such as "
    "the 31st in April, or its years are over, or it has no periods.",
    bad="Who is muted in it never is; who is active only in it is never told.",
    example=Example("""\
        time_intervals:
          - name: month-end
            time_intervals: [{days_of_month: ['31'], months: [april, june]}]
        """),
    instead=Example("""\
        time_intervals:
          - name: month-end
            time_intervals: [{days_of_month: ['-1'], months: [april, june]}]
        """),
)


def _never(subject: Subject) -> Iterator[Finding]:
    for path, one in _placed(subject):
        if not one.periods:
            reason, advice = "has no periods", "Write when it holds, below time_intervals."
        elif no_moment((), (one.periods,), today(subject)):
            reason = "contains no moment, from now on"
            advice = "A period contains what all of its fields do; for what else it should, write another."
        else:
            continue
        yield subject.finding(NEVER, path, f"the time interval {subject.name(path)} {reason}", advice)


ALWAYS: Final = Code(
    "TOC407",
    "interval-always-holds",
    "warning",
    "A time interval that always holds",
    found="A time interval that contains every moment: its periods leave nothing out.",
    bad="Who is muted in it is muted for ever; for who is active in it, it says nothing.",
    example=Example("""\
        time_intervals:
          - name: nights
            time_intervals:
              - times: [{start_time: '20:00', end_time: '24:00'}]
              - times: [{start_time: '00:00', end_time: '20:00'}]
        """),
    instead=Example("""\
        time_intervals:
          - name: nights
            time_intervals:
              - times: [{start_time: '20:00', end_time: '24:00'}]
              - times: [{start_time: '00:00', end_time: '06:00'}]
        """),
)


def _always(subject: Subject) -> Iterator[Finding]:
    for path, one in _placed(subject):
        if no_moment(one.periods, ((Period(),),), today(subject)):
            yield subject.finding(
                ALWAYS,
                path,
                f"the time interval {subject.name(path)} contains every moment",
                "Say what it should leave out; a period without fields contains everything.",
            )


SILENCED: Final = Code(
    "TOC408",
    "route-always-quiet",
    "error",
    "A route that its time intervals silence for good",
    found="A route that is mute in some intervals and active only in others, with no moment left in "
    "which it may tell anybody.",
    bad="Its alerts are held back and never told.",
    example=Example("""\
        time_intervals:
          - name: office
            time_intervals: [{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}]
          - name: weekdays
            time_intervals: [{weekdays: ['monday:friday']}]
        route:
          receiver: default
          routes:
            - matchers: [severity="low"]
              active_time_intervals: [office]
              mute_time_intervals: [weekdays]
        """),
    instead=Example("""\
        time_intervals:
          - name: office
            time_intervals: [{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}]
        route:
          receiver: default
          routes:
            - matchers: [severity="low"]
              active_time_intervals: [office]
        """),
)


def _silenced(subject: Subject) -> Iterator[Finding]:
    for placed in subject.routes:
        route = placed.route
        if not route.mute and not route.active:
            continue
        mute = tuple(chain.from_iterable(interval.periods for interval in route.mute))
        active = tuple(chain.from_iterable(interval.periods for interval in route.active))
        if no_moment(mute, (active if route.active else (Period(),),), today(subject)):
            key = "mute_time_intervals" if route.mute else "active_time_intervals"
            yield subject.finding(
                SILENCED,
                (*placed.path, key),
                "this route may never tell anybody: its intervals leave no moment for it",
                "Leave out one of them, or correct the interval.",
            )


UNUSED: Final = Code(
    "TOC409",
    "interval-unused",
    "warning",
    "A time interval that nothing names",
    found="A time interval that stands in no `mute_time_intervals`, no `active_time_intervals`, and no "
    "`during` of a step.",
    bad="It has no effect: the route or step that it was made for tells people at any time.",
    example=Example("""\
        time_intervals:
          - name: nights
            time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]
        """),
    instead=Example("""\
        time_intervals:
          - name: nights
            time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]
        route:
          receiver: default
          routes:
            - matchers: [severity="low"]
              mute_time_intervals: [nights]
        """),
)


def _unused(subject: Subject) -> Iterator[Finding]:
    named = {
        name
        for route in subject.routes
        for name in (*route.section.mute_time_intervals, *route.section.active_time_intervals)
    }
    policies = subject.config.escalation_policies
    named |= {name for policy in policies for step in policy.steps for name in step.during}
    for path, one in _placed(subject):
        if one.name not in named:
            reason = f"no route and no policy names the time interval {subject.name(path)}"
            advice = "Name it in mute_time_intervals or active_time_intervals of a route, or take it out."
            yield subject.finding(UNUSED, path, reason, advice)


def _placed(subject: Subject) -> Iterator[tuple[Path, TimeInterval]]:
    """Every interval whose times are known, with the place of its name."""
    for key in ("time_intervals", "mute_time_intervals"):
        for position, section in enumerate(getattr(subject.config, key)):
            if not subject.stands_in((key, position)):
                yield (key, position, "name"), interval(section)


def today(subject: Subject) -> date:
    """The day by which it is judged what is over."""
    return datetime.fromtimestamp(subject.now / 1000, UTC).date()


@lru_cache(maxsize=1_024)
def no_moment(mute: tuple[Period, ...], active: tuple[tuple[Period, ...], ...], start: date) -> bool:
    """Whether it is certain that from this day on no moment lies in each of `active` and is not mute."""
    asked = tuple(chain.from_iterable(active))
    places = {period.location for period in (*mute, *asked) if period != Period()}
    end = start.replace(year=start.year + YEARS, day=1)
    later = any(last >= end.year for period in asked for _, last in period.years)
    if (len(places) > 1 and (mute or len(active) > 1)) or later:
        return False
    lasting = [period for period in mute if not period.years]
    days = (start + timedelta(days=number) for number in range((end - start).days))
    return not any(_all_of(active, day) & ~_minutes(lasting, day) for day in days)


def _all_of(active: tuple[tuple[Period, ...], ...], day: date) -> int:
    found = WHOLE_DAY
    for periods in active:
        found &= _minutes(periods, day)
    return found


def _minutes(periods: Iterable[Period], day: date) -> int:
    """The minutes of a day that lie in one of the periods, as bits."""
    found = 0
    for period in periods:
        if holds_on(period, day):
            found |= _bits(period.times) if period.times else WHOLE_DAY
    return found


@lru_cache(maxsize=1_024)
def _bits(times: tuple[tuple[int, int], ...]) -> int:
    found = 0
    for begin, end in times:
        found |= (1 << end) - (1 << begin)
    return found


CHECKS: Final = (
    Check(NEVER, _never),
    Check(ALWAYS, _always),
    Check(SILENCED, _silenced),
    Check(UNUSED, _unused),
)
