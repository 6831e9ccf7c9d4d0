"""How long it takes to find the silences that an alert meets, among 10 to 10,000 of them.

Three kinds of silences: `named` have only equal matchers, as a click on an alert makes them; `patterns` are
told apart by their regular expressions alone (all name the same cluster); `mixed` are eight in ten named, the
others patterns, and ten of them no more than a negative matcher. A label set counts as known once its values
were seen, as new the first time. The plain walk asks every silence; both must give the same. Times are of the
processor.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

from routing.matchers import Matcher, matches_all
from routing.silences import Silence, Silences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Labels = dict[str, str]

SIZES = (10, 100, 1_000, 10_000)
KINDS = ("named", "patterns", "mixed")
LIMIT_US = 50.0
NOW = 1_000
EVER = 1 << 50


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """A row for each kind and size; times in µs a check."""
    return [_measure(kind, size, 2_000 if quick else 20_000) for kind in KINDS for size in SIZES]


def _measure(kind: str, size: int, count: int) -> dict[str, Any]:
    gc.collect()
    silences = make_silences(kind, size)
    start = time.process_time()
    found = Silences(silences)
    building = time.process_time() - start
    alerts = [_labels(number, size) for number in range(min(count, 16_000))]
    new = _per_check(lambda labels: found.matching(labels, NOW), alerts)
    known = _per_check(lambda labels: found.matching(labels, NOW), alerts)
    some = alerts[: max(20, 200_000 // size)]
    plain = _per_check(lambda labels: _plain_walk(silences, labels), some)
    for labels in some:
        assert {one.id for one in found.matching(labels, NOW)} == _plain_walk(silences, labels)
    row: dict[str, Any] = {
        "kind": kind,
        "silences": size,
        "known_us": round(known, 2),
        "new_us": round(new, 2),
        "plain_walk_us": round(plain, 1),
        "build_ms": round(building * 1_000, 1),
    }
    if size == SIZES[-1]:
        row["reached"] = max(known, new) <= LIMIT_US
    return row


def make_silences(kind: str, size: int) -> list[Silence]:
    """So many silences of one kind; every second instance is silenced."""
    return [
        Silence(str(number), _matchers(kind, number, size), 0, EVER, "bench", "", 0) for number in range(size)
    ]


def _matchers(kind: str, number: int, size: int) -> tuple[Matcher, ...]:
    if kind == "mixed" and number % max(1, size // 10) == 0:
        return (Matcher("env", "!=", "prod"),)
    if kind == "patterns" or (kind == "mixed" and number % 5 == 0):
        return (Matcher("cluster", "=", "eu-1"), Matcher("instance", "=~", f"host-{2 * number}(:[0-9]+)?"))
    return (
        Matcher("alertname", "=", f"Alert{2 * number % 50}"),
        Matcher("instance", "=", f"host-{2 * number}:9100"),
    )


def _labels(number: int, size: int) -> Labels:
    instance = number * 7_919 % (4 * size)
    return {
        "alertname": f"Alert{instance % 50}",
        "team": f"team-{number % 10}",
        "severity": "critical",
        "env": "prod",
        "cluster": "eu-1",
        "instance": f"host-{instance}:9100",
        "job": "node",
    }


def _plain_walk(silences: Sequence[Silence], labels: Labels) -> set[str]:
    return {
        one.id for one in silences if one.starts_at <= NOW < one.ends_at and matches_all(one.matchers, labels)
    }


def _per_check(ask: Callable[[Labels], object], alerts: Sequence[Labels]) -> float:
    start = time.process_time()
    for labels in alerts:
        ask(labels)
    return (time.process_time() - start) / len(alerts) * 1e6
