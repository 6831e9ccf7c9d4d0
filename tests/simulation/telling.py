"""Short words for what happens in simulated worlds, and for what was told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from config.compile import compile_plan
from config.load import load_text
from gateway.simulation.run import simulate
from routing.alerts import Arrival, alert_key
from routing.story import Arrived

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.compile import Plan
    from routing.story import Happening, Story

START = 1_700_000_000_000
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def plan_of(text: str) -> Plan:
    """The plan of a configuration."""
    return compile_plan(load_text(text, "tocsin.yaml", {}))


def fires(
    at: int, name: str = "A", *, since: int | None = None, stays: bool = True, **labels: str
) -> Arrived:
    """An alert fires at that time (ms since the start)."""
    copy = _copy("firing", at if since is None else since, None, {"alertname": name, **labels})
    return Arrived(START + at, (copy,), stays=True)


def ends(at: int, name: str = "A", *, since: int = 0, **labels: str) -> Arrived:
    """It is said to have ended."""
    return Arrived(START + at, (_copy("resolved", since, at, {"alertname": name, **labels}),), stays=True)


def _copy(status: str, since: int, ended: int | None, labels: dict[str, str]) -> Arrival:
    end = None if ended is None else START + ended
    return Arrival(alert_key(labels), labels, {}, status, START + since, end, None, "")  # type: ignore[arg-type]  # a literal


def story(config: str, happenings: Iterable[Happening], until: int | None = None, **how: object) -> Story:
    """What follows; `until` in ms since the start."""
    end = None if until is None else START + until
    return simulate(plan_of(config), happenings, began=START, until=end, **how)  # type: ignore[arg-type]  # passed on


def posted(told: Story) -> list[tuple[float, str, str, str]]:
    """(seconds, kind, firing, ended) of each webhook's body."""
    rows = []
    for one in told.notifications:
        names = {"firing": "", "resolved": ""}
        for alert in json.loads(one.text)["alerts"]:
            names[alert["status"]] += alert["labels"]["alertname"]
        rows.append(((one.at - START) / 1000, one.kind, names["firing"], names["resolved"]))
    return rows


def told(of: Story) -> list[tuple[float, str, str]]:
    """(seconds, kind, target) of everything that was told."""
    return [((one.at - START) / 1000, one.kind, one.target) for one in of.notifications]
