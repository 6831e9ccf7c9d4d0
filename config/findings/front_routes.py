"""Routes of an Alertmanager in front that hide alerts from Tocsin, or bring them late."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from config.findings.check import Check
from config.findings.code import Code, Example
from config.findings.front import GOOD, finding_in, in_front, receivers_of, written
from config.findings.front_reach import FrontReach
from config.values import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.findings.finding import Finding
    from config.findings.subject import Subject


UNROUTED: Final = Code(
    "TOC702",
    "front-route-elsewhere",
    "warning",
    "A route in front whose alerts Tocsin never sees",
    found="A route of the Alertmanager in front that tells another receiver, and whose alerts do not come to "
    "Tocsin by a `continue` either.",
    bad="Tocsin knows nothing of these alerts: it tells nobody of them, and they inhibit nothing.",
    example=Example(
        alertmanager=in_front(routes="    - {matchers: ['severity=\"critical\"'], receiver: chat}\n")
    ),
    instead=Example(
        alertmanager=in_front(
            routes="    - {receiver: tocsin, continue: true}\n"
            "    - {matchers: ['severity=\"critical\"'], receiver: chat}\n"
        )
    ),
)


def _unrouted(subject: Subject) -> Iterator[Finding]:
    front, ours = subject.front, receivers_of(subject)
    if front is None or not ours:
        return
    reach = FrontReach(front.root, ours)
    for route in front.root.walk():
        if route.receiver in ours or not reach.told(route) or reach.comes(route):
            continue
        what = "alerts that no other route takes" if route.parent is None else "alerts of this route"
        yield finding_in(
            front,
            UNROUTED,
            (*route.path, "receiver"),
            f"{what} go to {route.receiver!r} and not to Tocsin",
            f"Send them to {min(ours)!r}; or put before all others a route without matchers, with "
            f"receiver: {min(ours)} and continue: true.",
        )


# --- delays --------------------------------------------------------------------------------------------

WAITS: Final = Code(
    "TOC703",
    "front-group-wait",
    "warning",
    "Alerts that wait in the Alertmanager in front",
    found="`group_wait` longer than 0s on a route to Tocsin; 30s if nothing is written.",
    bad="Tocsin hears of every new group that much later, and its own `group_wait` comes on top.",
    example=Example(alertmanager=in_front().replace("  group_wait: 0s\n", "")),
    instead=GOOD,
)
INTERVAL: Final = Code(
    "TOC704",
    "front-group-interval",
    "warning",
    "News that waits in the Alertmanager in front",
    found="`group_interval` longer than 10s on a route to Tocsin; 5m if nothing is written.",
    bad="New alerts of a known group, and the ends of alerts, come that much later: people are woken late, "
    "or by what is over already.",
    example=Example(alertmanager=in_front().replace("  group_interval: 10s\n", "")),
    instead=GOOD,
)
REPEAT: Final = Code(
    "TOC705",
    "front-repeat-interval",
    "warning",
    "Repeats of the Alertmanager in front that come rarely",
    found="`repeat_interval` longer than 5m on a route to Tocsin; 4h if nothing is written.",
    bad="Repeats tell Tocsin that an alert is still firing, and mend what was missed. Tocsin makes no noise "
    "of them. Rare ones leave it with old news, and an alert without news for `dedup.stale_after` (12h) is "
    "taken for stale.",
    example=Example(alertmanager=in_front().replace("  repeat_interval: 5m\n", "")),
    instead=GOOD,
)

_WAITING: Final = "the waiting is Tocsin's"
_QUIET: Final = "Tocsin makes no noise of repeats"
_LIMITS: Final[Mapping[str, tuple[Code, int, str, str, str]]] = {
    "group_wait": (WAITS, 0, "Tocsin hears of a new group that much later", "0s", _WAITING),
    "group_interval": (
        INTERVAL,
        10_000,
        "news and ends of known groups come that much later",
        "10s",
        _WAITING,
    ),
    "repeat_interval": (REPEAT, 300_000, "Tocsin seldom hears that an alert still fires", "5m", _QUIET),
}


def _late(code: Code, subject: Subject) -> Iterator[Finding]:
    front, ours = subject.front, receivers_of(subject)
    if front is None or not ours:
        return
    reach = FrontReach(front.root, ours)
    for route in front.root.walk():
        if route.receiver not in ours or not reach.told(route):
            continue
        for name, timer in route.timers.items():
            limiting, most, effect, better, why = _LIMITS[name]
            if limiting is not code or timer.value <= most:
                continue
            path = timer.path or ("route",)
            stale = subject.config.dedup.stale_after
            if name == "repeat_interval" and timer.value >= stale:
                effect = "an alert that goes on counts as stale before it is repeated"
            given = "is" if timer.path else "is not set, and then is"
            yield finding_in(
                front,
                code,
                path,
                f"{name} {given} {show_duration(timer.value)}: {effect}",
                f"Set {name}: {better}; {why}.",
            )


# --- what is hidden ------------------------------------------------------------------------------------

MUTES: Final = Code(
    "TOC706",
    "front-mutes",
    "warning",
    "Times in which the Alertmanager in front tells Tocsin nothing",
    found="`mute_time_intervals` or `active_time_intervals` on a route to Tocsin.",
    bad="In these times Tocsin hears of no alert and of no end. What ends meanwhile stays open in Tocsin.",
    example=Example(
        alertmanager=in_front(
            routes="    - {matchers: ['team=\"web\"'], receiver: tocsin, mute_time_intervals: [nights]}\n",
            more="time_intervals: [{name: nights, time_intervals: []}]\n",
        )
    ),
    instead=GOOD,
)


def _mutes(subject: Subject) -> Iterator[Finding]:
    front, ours = subject.front, receivers_of(subject)
    for route in front.root.walk() if front else ():
        if front is None or route.receiver not in ours:
            continue
        for key in ("mute_time_intervals", "active_time_intervals"):
            if written(front, (*route.path, key)):
                yield finding_in(
                    front,
                    MUTES,
                    (*route.path, key),
                    "in these times Tocsin is told nothing, not even that an alert has ended",
                    "Move the interval to the route in tocsin.yaml, which holds back only what is new.",
                )


INHIBITS: Final = Code(
    "TOC707",
    "front-inhibits",
    "warning",
    "Inhibition in the Alertmanager in front",
    found="`inhibit_rules` in the Alertmanager in front.",
    bad="Tocsin sees neither the inhibited alerts nor their ends, cannot say why nobody was told, and "
    "cannot help where rules inhibit each other in a circle.",
    example=Example(
        alertmanager=in_front(
            more="inhibit_rules:\n"
            "  - {source_matchers: ['severity=\"critical\"'], target_matchers: ['severity=\"high\"']}\n"
        )
    ),
    instead=GOOD,
)


def _inhibits(subject: Subject) -> Iterator[Finding]:
    front = subject.front
    rules_there = written(front, ("inhibit_rules",)) if front else None
    count = len(rules_there) if isinstance(rules_there, list) else 0
    if front and count and receivers_of(subject):
        rules = f"{count} rules" if count > 1 else "one rule"
        yield finding_in(
            front,
            INHIBITS,
            ("inhibit_rules",),
            f"what its {rules} inhibit{'s' * (count == 1)} never reaches Tocsin, and neither does its end",
            "Move inhibit_rules to tocsin.yaml, where they mean the same.",
        )


CHECKS: Final = (
    Check(UNROUTED, _unrouted),
    Check(WAITS, partial(_late, WAITS)),
    Check(INTERVAL, partial(_late, INTERVAL)),
    Check(REPEAT, partial(_late, REPEAT)),
    Check(MUTES, _mutes),
    Check(INHIBITS, _inhibits),
)
