"""Persons and schedules that a policy counts on, and times at which nobody answers for them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.followed import steps
from config.people import ANY_SEVERITY
from config.schedules import calendars
from config.values import show_duration
from routing.calendar import zone
from routing.oncall import gaps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.findings.finding import Finding
    from config.findings.followed import PlacedStep
    from config.findings.subject import Subject
    from routing.oncall import Schedule, Shift

AHEAD: Final = 30 * 86_400_000  # milliseconds that are looked at

_POLICY: Final = """\
        global:
          slack_app_token: ${SLACK_TOKEN}
        users:
          - {name: dana, slack_id: U024BE7LH}
          - {name: mia, slack_id: U024BE7LJ}
        route:
          receiver: default
          routes:
            - matchers: [severity="critical"]
              policy: page
        escalation_policies:
          - name: page
            steps:
              - notify: [{schedule: weekly}]
              - {after: 15m, notify: [{receiver: default}]}
"""

GAP: Final = Code(
    "TOC321",
    "on-call-gap",
    "warning",
    "A step for whoever is on call, at a time when nobody is",
    found="A step that tells only the on-call of a schedule which has nobody for a while within the next 30 "
    "days, and that does not say what happens then: `uncovered` is not given.",
    bad="The step is passed at such a time, and the next one comes at once, to people who expected to be the "
    "last. Schedules with a calendar are not looked at: `tocsin oncall gaps` does it, and knows overrides.",
    example=Example(
        _POLICY
        + """\
        schedules:
          - name: weekly
            layers:
              - people: [dana, mia]
                start: 2026-11-02 09:00
                restrictions: [{weekdays: ['monday:friday']}]
"""
    ),
    instead=Example(
        _POLICY
        + """\
        schedules:
          - name: weekly
            layers:
              - people: [dana, mia]
                start: 2026-11-02 09:00
"""
    ),
)


def _gaps(subject: Subject) -> Iterator[Finding]:
    open_ = _uncovered(subject)
    for placed in steps(subject):
        if "uncovered" in placed.section.model_fields_set:
            continue
        asked = _schedules(subject, placed)
        for name, gap in open_.items():
            if name in asked:
                when = _spoken(subject.plan.schedules[name], gap)
                yield subject.finding(
                    GAP,
                    (*placed.path, "notify"),
                    f"{when} nobody is on call in {_name(subject, name)}, and this step tells nobody else",
                    "Cover the time, or say uncovered: wait, fallback or next, or name somebody besides.",
                    key=True,
                )


def _uncovered(subject: Subject) -> Mapping[str, Shift]:
    """Schedule -> the first time in which it has nobody, if there is one."""
    found = {}
    for at, section in enumerate(subject.config.schedules):
        if calendars(section) or subject.stands_in(("schedules", at)):
            continue
        schedule = subject.plan.schedules[section.name]
        if open_ := gaps(schedule, subject.now, subject.now + AHEAD):
            found[section.name] = open_[0]
    return found


def _schedules(subject: Subject, placed: PlacedStep) -> frozenset[str]:
    """The schedules whose on-call a step tells, for some team, if it tells nobody else."""
    directory = subject.plan.directory
    teams = {directory.on_call_of(team) for team in ("", *directory.teams)}
    found: set[str] = set()
    for target in placed.step.notify:
        if target.kind == "schedule":
            found.add(target.name)
        elif target.kind == "team" and target.name == "on_call":
            found |= teams
        else:
            return frozenset()
    return frozenset(found)


def _spoken(schedule: Schedule, gap: Shift) -> str:
    """From when to when, by the schedule's clock."""
    place = zone(schedule.time_zone)
    start, end = (datetime.fromtimestamp(at / 1000, place) for at in (gap.start, gap.end))
    return f"from {start:%a %Y-%m-%d %H:%M} to {end:%a %Y-%m-%d %H:%M} ({schedule.time_zone})"


def _name(subject: Subject, schedule: str) -> str:
    names = [section.name for section in subject.config.schedules]
    return subject.name(("schedules", names.index(schedule), "name"))


LATE: Final = Code(
    "TOC322",
    "person-told-late",
    "warning",
    "A person who is told nothing at once, however bad it is",
    found="A user whose contact rules for the worst severity have no way without a delay.",
    bad="The delays count from when a policy tells the person. Nothing at all happens until the first is "
    "over, and the policy's next step may come before it.",
    example=Example("""\
        users:
          - name: dana
            slack_id: U024BE7LH
            email: dana@example.com
            contact: [{slack: 5m}, {email: 10m}]
        """),
    instead=Example("""\
        users:
          - name: dana
            slack_id: U024BE7LH
            email: dana@example.com
            contact: [slack, {email: 10m}]
        """),
)


def _late(subject: Subject) -> Iterator[Finding]:
    severity = subject.plan.severities.names[0]
    for at, user in enumerate(subject.config.users):
        lowered = {name.lower(): name for name in user.contact}
        key = lowered.get(severity, lowered.get(ANY_SEVERITY))
        path = ("users", at, "contact")
        if key is None or subject.stands_in(path):
            continue
        earliest = min(delay for way in user.contact[key] for delay in way.values())
        if earliest:
            yield subject.finding(
                LATE,
                subject.under(path, key),
                f"of what is {severity} this user hears after {show_duration(earliest)}, and not at once",
                "Write one of the ways without a delay.",
                key=True,
            )


CHECKS: Final = (Check(GAP, _gaps), Check(LATE, _late))
