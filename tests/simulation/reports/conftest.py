"""Stories as the simulator tells them, made by hand."""

import pytest

from routing.incident_records import Ack, Incident, Status
from routing.story import Line, Notification, Story

BEGAN = 1_798_077_600_000  # 2026-12-24T02:00:00Z
MINUTE = 60_000


def told(minute, target, by="slack", kind="ring", **more):
    given = {
        "target_kind": "user",
        "where": "",
        "incident": 1,
        "route": "critical",
        "team": "backend",
        "severity": "critical",
        "policy": "page",
        "step": 1,
        "why": "first notification",
        "firing": 1,
        "ended": 0,
        **more,
    }
    return Notification(at=BEGAN + int(minute * MINUTE), target=target, by=by, kind=kind, **given)


def line(minute, kind, text, incident=1, target=""):
    return Line(BEGAN + int(minute * MINUTE), incident, kind, text, target)


def incident(number=1, status="resolved", **more):
    given = {
        "route": "critical",
        "receiver": "",
        "labels": {"alertname": "ApiDown"},
        "group_interval": 5 * MINUTE,
        "repeat_interval": 240 * MINUTE,
        "opened_at": BEGAN,
        "opened_rev": 0,
        "triggered_at": BEGAN,
        "severity": "critical",
        "policy": "page",
        "team": "backend",
        **more,
    }
    return Incident(number=number, status=Status(status), **given)


@pytest.fixture
def night():
    """An alert at three in the morning in Berlin: somebody answers after 8 minutes, and it ends after 40."""
    channel = {"target_kind": "team", "where": "#backend"}
    return Story(
        BEGAN,
        BEGAN + 40 * MINUTE,
        [
            told(0, "pagerduty", "pagerduty", target_kind="receiver", text="ApiDown\nis down"),
            told(0, "backend", **channel, text="*ApiDown* <down>"),
            told(5, "dana", step=2, why="step 2: nobody has acknowledged for 5 min"),
            told(5, "lee", "email", where="lee@example.com", step=2, why="step 2: nobody has acknowledged"),
            told(8, "backend", kind="update", **channel, step=0, why="acknowledged"),
            told(40, "backend", kind="end", **channel, step=0, why="all alerts resolved"),
        ],
        [
            line(0, "triggered", "triggered: 1 alert firing, worst severity critical"),
            line(0, "step", "step 1: telling receiver pagerduty: first notification"),
            line(0, "told", "told (first notification)", target="pagerduty by PagerDuty"),
            line(5, "passed", "step 3 is passed: it is outside of its time intervals"),
            line(8, "acknowledged", "dana has it (simulation)"),
            line(40, "resolved", "resolved: all alerts resolved"),
        ],
        {1: incident(ack=Ack("dana", "simulation", BEGAN + 8 * MINUTE), resolved_at=BEGAN + 40 * MINUTE)},
    )


@pytest.fixture
def repeats():
    """A receiver that is told every 4 hours and 5 minutes, 42 times; then the time is over."""
    ops = {"target_kind": "receiver", "where": "#ops", "policy": "", "step": 0}
    every = 245
    found = [told(0.5 + every * n, "ops", **ops, why="repeat interval elapsed") for n in range(42)]
    lines = [line(0.5, "triggered", "triggered: 1 alert firing")]
    lines += [
        line(one.at / MINUTE - BEGAN / MINUTE, "repeated", "repeat interval elapsed") for one in found[1:]
    ]
    open_one = incident(status="triggered", policy="", receiver="ops")
    return Story(BEGAN, BEGAN + 7 * 1440 * MINUTE, found, lines, {1: open_one}, cut=True)


@pytest.fixture
def silent():
    """Nobody is told: one alert is silenced, one ends too soon."""
    lines = [
        line(0, "triggered", "triggered: 1 alert firing"),
        line(0, "held", "held: 1 alert, silence s1 by kim, until 2026-12-24 08:00:00 UTC"),
        line(0, "suppressed", "nobody is told: 1 alert firing, all held"),
        line(0.3, "closed", "ended before its time: nobody was told", incident=0),
    ]
    return Story(BEGAN, BEGAN + 60 * MINUTE, [], lines, {1: incident(status="triggered")})


@pytest.fixture
def hostile():
    """Whoever writes labels and names would like to speak to the terminal, or to a browser."""
    bad = '<script>alert("x")</script>\x1b[31m\u202eend;#quot;\n--> x'
    return Story(
        BEGAN,
        BEGAN + MINUTE,
        [told(0, bad, where=bad, target_kind="team", why=bad, text=bad, policy=bad, by="email")],
        [line(0, "triggered", bad), line(0, "not_told", bad, target=bad)],
        {1: incident(labels={bad: bad}, team=bad, route=bad, policy=bad)},
    )
