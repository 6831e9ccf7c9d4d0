"""Heartbeats that will be missing although all is well, or that swallow alerts somebody should hear of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from config.findings.alerts import named
from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.front import receivers_of
from config.values import show_duration
from routing.partial import all_fit
from routing.satisfiable import can_hold, implies, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.alertmanager import FrontRoute
    from config.findings.finding import Finding
    from config.findings.subject import Subject
    from config.problems import Path
    from routing.heartbeats import Heartbeat
    from routing.matchers import Matcher

USUAL_REPEAT: Final = 310_000
"""Of an Alertmanager in front as we advise it: `repeat_interval`, and a `group_interval` until it looks."""

_RULES: Final = """
    groups:
      - name: meta
        rules:
          - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
          - {alert: BackupIdle, expr: time() - backup_end > 86400, labels: {severity: none}}
    """


def _example(matchers: str = 'alertname="Watchdog"', timeout: str = "10m", **files: Any) -> Example:
    return Example(
        f"heartbeats:\n  - name: prometheus\n    matchers: [{matchers}]\n    timeout: {timeout}\n", **files
    )


SHORT: Final = Code(
    "TOC901",
    "heartbeat-too-short",
    "warning",
    "A heartbeat that is missing before it can come",
    found="A heartbeat by an alert whose `timeout` is shorter than the time after which the Alertmanager "
    "in front repeats that alert: `repeat_interval`, and one `group_interval` until it looks again. Without "
    "`--alertmanager`, the 5m and 10s of the recommended one count.",
    bad="It is missing again and again although all is well, until nobody believes it.",
    example=_example(timeout="5m"),
    instead=_example(timeout="10m"),
)


def _short(subject: Subject) -> Iterator[Finding]:
    for path, heartbeat in _by_alert(subject):
        if subject.stands_in((*path, "timeout")):
            continue
        repeat = _repeat(subject, heartbeat)
        if heartbeat.timeout >= repeat:
            continue
        who = "the Alertmanager in front repeats it"
        who += " after up to" if subject.front else ", where it is set up as recommended, after up to"
        yield subject.finding(
            SHORT,
            (*path, "timeout"),
            f"{who} {show_duration(repeat)}, which is longer than this",
            f"Write a timeout of more than {show_duration(repeat)}, best twice that: one repeat may be lost.",
        )


def _repeat(subject: Subject, heartbeat: Heartbeat) -> int:
    """How long the longest pause between two repeats can be; 0 where no route in front brings the alert."""
    front, ours = subject.front, receivers_of(subject)
    if front is None or not ours:
        return USUAL_REPEAT
    told = (route for route in _told(front.root, heartbeat.matchers) if route.receiver in ours)
    pauses = (route.timers["repeat_interval"].value + route.timers["group_interval"].value for route in told)
    return max(pauses, default=0)


def _told(route: FrontRoute, asked: Sequence[Matcher]) -> list[FrontRoute]:
    """The routes below, or this one itself, that alerts which meet what is asked may be told by."""
    found: list[FrontRoute] = []
    taken = False
    for child in route.children:
        below = (*asked, *child.matchers)
        if not can_hold(below):
            continue
        found += _told(child, below)
        if implies(asked, child.matchers):
            if not child.continue_:
                return found
            taken = True
    return found if taken else [*found, route]


SWALLOWS: Final = Code(
    "TOC902",
    "heartbeat-swallows",
    "warning",
    "A heartbeat that swallows alerts",
    found="A heartbeat whose matchers are met by alerts of several names: they name no `alertname`, or "
    "several; with `--rules`, several rules certainly meet them.",
    bad="An alert that a heartbeat's matchers meet is a beat. It is not routed, and nobody hears of it.",
    example=_example('severity="none"', rules=_RULES),
    instead=_example(rules=_RULES),
)


def _swallows(subject: Subject) -> Iterator[Finding]:
    for path, heartbeat in _by_alert(subject):
        if subject.rule_alerts and subject.rule_alerts.all:
            met = [one for one in subject.rule_alerts.all if all_fit(heartbeat.matchers, one.labels)]
            if len({one.name for one in met}) < 2:
                continue
            reason = f"{named(met)} are beats of this heartbeat, so that nobody hears of them"
        else:
            names = [len(values) for one in heartbeat.matchers if (values := _names(one)) is not None]
            if 1 in names:
                continue
            reason = "alerts of any name are beats of this heartbeat" if not names else "several alerts are"
            reason += ", so that nobody hears of them"
        advice = 'Name the one alert that always fires: alertname="Watchdog".'
        yield subject.finding(SWALLOWS, (*path, "matchers"), reason, advice)


def _names(matcher: Matcher) -> tuple[str, ...] | None:
    """The only values of `alertname` that meet the matcher, None where it leaves any."""
    if matcher.name != "alertname" or matcher.op not in ("=", "=~"):
        return None
    return listed(matcher)


WITHOUT: Final = Code(
    "TOC903",
    "heartbeat-without-alert",
    "warning",
    "A heartbeat of an alert that there is not",
    found="With `--rules`: a heartbeat whose matchers no alert of any rule can meet.",
    bad="No beat ever comes, and it is missing as long as it is configured.",
    example=_example('alertname="WatchDog"', rules=_RULES),
    instead=_example(rules=_RULES),
)


def _without(subject: Subject) -> Iterator[Finding]:
    alerts = subject.rule_alerts
    if alerts is None or not alerts.all:
        return
    for path, heartbeat in _by_alert(subject):
        if all(all_fit(heartbeat.matchers, one.labels) is False for one in alerts.all):
            yield subject.finding(
                WITHOUT,
                (*path, "matchers"),
                "no rule makes an alert that meets this: no beat will come",
                "Correct it, or add the rule: alert: Watchdog, expr: vector(1).",
            )


def _by_alert(subject: Subject) -> Iterator[tuple[Path, Heartbeat]]:
    """The heartbeats with matchers that are known, and where each stands."""
    for at, heartbeat in enumerate(subject.plan.heartbeats):
        path: Path = ("heartbeats", at)
        if heartbeat.matchers and not subject.stands_in((*path, "matchers")):
            yield path, heartbeat


CHECKS: Final = (Check(SHORT, _short), Check(SWALLOWS, _swallows), Check(WITHOUT, _without))
