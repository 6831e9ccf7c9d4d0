"""How long `tocsin check` takes with 1,000 routes and 1,000 inhibition rules, of different shapes.

Each shape is hard in its own way: routes that a look-up tells apart, routes that are all expressions of one
label, routes that hide each other, and rules that share their source. What is measured is everything from the
text of the file to the list of findings. Times are of the processor.
"""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from config.findings.check import run
from config.findings.subject import Subject
from config.load import examine
from gateway.cli.findings import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable

    Item = dict[str, Any]

LIMIT_S = 2.0
ROUNDS = 3


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """A row for each shape; seconds."""
    count = 200 if quick else 1_000
    return [_measure(name, *shape, count) for name, shape in SHAPES.items()]


def _measure(
    name: str, route: Callable[[int], Item], rule: Callable[[int], Item], count: int
) -> dict[str, Any]:
    config = {
        "route": {"receiver": "r0", "group_by": ["alertname"], "routes": [route(at) for at in range(count)]},
        "receivers": [_receiver(f"r{number}") for number in range(20)],
        "inhibit_rules": [rule(at) for at in range(count)],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tocsin.yaml"
        file.write_bytes(orjson.dumps(config))
        times, findings = zip(*(_once(file) for _ in range(ROUNDS)), strict=True)
    return {
        "shape": name,
        "routes": count,
        "rules": count,
        "findings": findings[0],
        "seconds": round(min(times), 2),
        "first_seconds": round(times[0], 2),  # nothing is remembered yet: what a command takes
        "reached": times[0] <= LIMIT_S,
    }


def _once(file: Path) -> tuple[float, int]:
    gc.collect()
    start = time.process_time()
    document, config, problems = examine(file, {})
    assert document is not None, problems
    assert config is not None, problems
    found = run(CHECKS, Subject(document, config))
    return time.process_time() - start, len(found)


def _receiver(name: str) -> Item:
    return {"name": name, "webhook_configs": [{"url": "http://127.0.0.1:5001/"}]}


def _of_teams(at: int) -> Item:
    return {"matchers": [f'team="team-{at // 4}"', f'severity="s{at % 4}"'], "receiver": f"r{at % 20}"}


def _of_expressions(at: int) -> Item:
    return {"matchers": [f'alertname=~"Service{at}.*|.*Job{at}Down"'], "receiver": f"r{at % 20}"}


def _hidden(at: int) -> Item:
    return {
        "matchers": [f'alertname=~"Service.{{{at % 7}}}{at % 50}.*"', 'env!="dev"'],
        "receiver": f"r{at % 20}",
    }


def _going_on(at: int) -> Item:
    return {"matchers": [f'alertname=~"A{at}.+"'], "continue": True, "receiver": f"r{at % 20}"}


def _one_source(at: int) -> Item:
    return {
        "source_matchers": ['severity="critical"'],
        "target_matchers": [f'team="team-{at}"', 'severity=~"high|medium"'],
        "equal": ["cluster"],
    }


def _pairs(at: int) -> Item:
    source, target = f'alertname="Alert{at}"', f'alertname="Alert{at + 1}"'
    return {"source_matchers": [source], "target_matchers": [target], "equal": ["service"]}


def _expressions(at: int) -> Item:
    source, target = f'alertname=~"Host{at}.*"', f'alertname=~".*OnHost{at}"'
    return {"source_matchers": [source], "target_matchers": [target], "equal": ["instance"]}


SHAPES = {
    "teams, one source": (_of_teams, _one_source),
    "expressions, one source": (_of_expressions, _one_source),
    "hidden by each other, pairs": (_hidden, _pairs),
    "continue, expressions": (_going_on, _expressions),
}
