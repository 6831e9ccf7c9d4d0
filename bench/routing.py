"""How long it takes to find an alert's routes: trees of 10 to 10,000 routes, known label sets and new ones.

A tree has, for each of its teams, a route with one below for each of four severities; one in a hundred of the
upper routes is a regular expression that must be tried. Label sets differ in their `instance`, which no
matcher names, so that there are many more of them than answers. Times are of the processor, since the tree
waits for nothing. The plain walk is the tests' second implementation; both must give the same.
"""

from __future__ import annotations

import gc
import itertools
import time
from typing import TYPE_CHECKING, Any

import orjson

from config.compile import compile_plan
from config.load import load_text
from gateway.placing import Placing
from routing.tree import Tree, walk
from tests.routing.plain_walk import plain_walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.compile import Plan

    Labels = dict[str, str]

SIZES = (10, 100, 1_000, 10_000)
SEVERITIES = ("critical", "high", "medium", "low")
HIT_LIMIT_US = 5.0
COLD_RATIO = 5.0
CHUNK = 10_000


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """A row for each size of the tree; times in µs a label set."""
    return [_measure(size, 200_000 if quick else 1_000_000) for size in SIZES]


def _measure(size: int, count: int) -> dict[str, Any]:
    gc.collect()
    plan = make_plan(size)
    root = plan.root
    known, new = _placing(plan, size)
    tree = Tree(root)
    start = time.process_time()
    Tree(root)
    compiling = time.process_time() - start

    for labels in _label_sets(size, CHUNK):
        tree.match(labels)
    hits = _per_set(tree.match, _label_sets(size, count))

    some = list(_label_sets(size, min(2_000, 5_000_000 // size)))
    forgetful = Tree(root, remember=0)
    assert all(forgetful.match(labels) == plain_walk(root, labels) for labels in some)
    cold = _per_set(forgetful.match, iter(some))
    plain = _per_set(lambda labels: plain_walk(root, labels), iter(some))

    row = {
        "routes": sum(1 for _ in walk(root)) - 1,
        "label_sets": count,
        "hit_us": round(hits, 2),
        "cold_us": round(cold, 1),
        "plain_walk_us": round(plain, 1),
        "ratio": round(plain / cold, 1),
        "compile_ms": round(compiling * 1_000, 1),
        "place_known_alert_us": round(known, 2),
        "place_new_alert_us": round(new, 2),
    }
    row["reached"] = hits <= HIT_LIMIT_US and (size < SIZES[-1] or plain / cold >= COLD_RATIO)
    return row


def make_plan(size: int) -> Plan:
    """A configuration of about so many routes."""
    below = [{"matchers": [f'severity="{severity}"']} for severity in SEVERITIES]
    routes: list[dict[str, Any]] = []
    for number in range(_teams(size)):
        routes.append({"matchers": [f'team="team-{number}"'], "routes": below, "receiver": f"r{number % 20}"})
        if number % 100 == 0:
            routes.append({"matchers": [f'alertname=~"Special{number}.*"', 'env!="dev"']})
    config = {
        "route": {"receiver": "r0", "group_by": ["alertname", "cluster"], "routes": routes},
        "receivers": [{"name": f"r{number}"} for number in range(20)],
    }
    return compile_plan(load_text(orjson.dumps(config).decode(), "tocsin.yaml", {}))


def _teams(size: int) -> int:
    return max(1, size // 5)


def _label_sets(size: int, count: int) -> Iterator[Labels]:
    """Alerts of all teams alike, at most 4,000 of them with an answer of their own."""
    teams = _teams(size)
    for number in range(count):
        kind = number % 4_000
        yield {
            "alertname": f"Alert{kind % 10}",
            "team": f"team-{kind * 7919 % teams}",
            "severity": SEVERITIES[kind // 10 % 4],
            "env": "prod",
            "cluster": f"eu-{number % 8}",
            "instance": f"host-{number}:9100",
            "job": "node",
        }


def _per_set(ask: Callable[[Labels], object], sets: Iterator[Labels]) -> float:
    """Processor time in µs for each; making the label sets is not counted."""
    spent, count = 0.0, 0
    while chunk := list(itertools.islice(sets, CHUNK)):
        start = time.process_time()
        for labels in chunk:
            ask(labels)
        spent += time.process_time() - start
        count += len(chunk)
    return spent / count * 1e6


def _placing(plan: Plan, size: int) -> tuple[float, float]:
    """µs to place an alert that was placed before (by its key), and one that is new in a known group."""
    placing = Placing(plan, 1, "of-the-bench", {})
    sets = list(_label_sets(size, CHUNK))
    for number, labels in enumerate(sets):
        placing.placed(f"warm-{number}", labels)
    keys = (f"new-{number}" for number in range(CHUNK))
    new = _per_set(lambda labels: placing.placed(next(keys), labels), iter(sets))
    keys = (f"new-{number}" for number in range(CHUNK))
    known = _per_set(lambda labels: placing.placed(next(keys), labels), iter(sets))
    return known, new
