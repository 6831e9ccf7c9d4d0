"""What simulations cost: one alert as a whole process, a day of alerts, a month of records, changes, tests.

Each figure is of a whole command, in seconds from its start to its end, except for the day of alerts, which
is simulated in this process with a plan that is compiled already. The record is what groups of alerts send:
most lines repeat what is known.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import orjson

import config
from gateway.simulation.planned import planned
from gateway.simulation.run import simulate
from routing.alerts import Arrival, alert_key
from routing.story import Arrived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.compile import Plan

REFERENCE: Final = Path(config.__path__[0]) / "examples" / "reference"
BEGIN: Final = 1_767_225_600_000
HOUR: Final = 3_600_000
SEVERITIES: Final = ("critical", "high", "medium", "low")
TEAMS: Final = ("backend", "security", "agents")
GROUPS: Final = 500
BODY: Final = 50

ONE_S: Final = 0.6
DAY_S: Final = 2.0
RECORD_S: Final = 60.0
RECORD_MB: Final = 400
DIFF_S: Final = 10.0
TESTS_A_SECOND: Final = 500.0


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """A row for each figure: what, how much, the limit, whether it was reached."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        return [
            _row("one alert, the whole process (s)", _one_alert(), ONE_S),
            _row("1,000 alerts with policies in 24 h (s)", _a_day(), DAY_S),
            *_a_record(folder, 100_000 if quick else 1_000_000),
            _row("diff of two configurations with 1,000 routes (s)", _difference(folder), DIFF_S),
            _tests(folder, 500 if quick else 2_000),
        ]


def _row(what: str, value: float, limit: float) -> dict[str, Any]:
    return {"what": what, "value": round(value, 2), "limit": limit, "reached": value <= limit}


def _command(*arguments: str, exits: tuple[int, ...] = (0,)) -> tuple[float, str]:
    """How long `tocsin` takes with these arguments, and what it prints."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begun
    if done.returncode not in exits:
        raise RuntimeError(f"tocsin {arguments[0]} exits {done.returncode}: {done.stderr[-500:]}")
    return seconds, done.stdout


def _one_alert() -> float:
    labels = ("alertname=ApiDown", "severity=critical", "team=backend", "component=api")
    command = ("simulate", str(REFERENCE / "tocsin.yaml"), *labels, "--fires", "30m")
    return min(_command(*command)[0] for _ in range(5))


def _a_day() -> float:
    plan, chance = planned(REFERENCE / "tocsin.yaml", BEGIN, BEGIN + 48 * HOUR).plan, random.Random(1)
    happenings: list[Arrived] = []
    for number in range(1_000):
        at = BEGIN + chance.randrange(23 * HOUR)
        labels = _labels(number, chance.choice(SEVERITIES[:3]), chance.choice(TEAMS))
        happenings += [_arrived(at, labels, at), _arrived(at + HOUR, labels, at, at + HOUR)]
    happenings.sort(key=lambda one: one.at)
    return min(_seconds_of(plan, happenings) for _ in range(3))


def _seconds_of(plan: Plan, happenings: list[Arrived]) -> float:
    begun = time.perf_counter()
    simulate(plan, happenings, began=BEGIN, until=BEGIN + 24 * HOUR)
    return time.perf_counter() - begun


def _labels(number: int, severity: str, team: str) -> dict[str, str]:
    return {"alertname": f"Alert{number}", "severity": severity, "team": team, "instance": str(number)}


def _arrived(at: int, labels: dict[str, str], since: int, ended: int | None = None) -> Arrived:
    status = "firing" if ended is None else "resolved"
    return Arrived(at, (Arrival(alert_key(labels), labels, {}, status, since, ended, None, ""),), stays=True)


def _a_record(folder: Path, count: int) -> list[dict[str, Any]]:
    """A record of so many alerts, replayed: seconds for a million, and the memory that it takes."""
    file = folder / "record.jsonl"
    with file.open("wb") as opened:
        opened.writelines(_lines(count))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    seconds, _ = _command("simulate", str(REFERENCE / "tocsin.yaml"), "--replay", str(file))
    most = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
    what = f"replay of {count:,} recorded alerts"
    return [
        _row(f"{what} (s for a million)", seconds * 1_000_000 / count, RECORD_S),
        _row(f"{what} (MB)", most, RECORD_MB),
    ]


def _lines(count: int) -> Iterator[bytes]:
    chance, since, at = random.Random(1), dict[int, int](), BEGIN
    for body in range(count // BODY):
        at += 15_000
        group = chance.randrange(GROUPS)
        ends = group in since and chance.random() < 0.1
        began = since.pop(group) if ends else since.setdefault(group, at)
        row = {"at": at, "status": "resolved" if ends else "firing", "startsAt": _time(began), "body": body}
        row |= {"endsAt": _time(at)} if ends else {}
        labels = _labels(group, SEVERITIES[group % 4], TEAMS[group % 3])
        for number in range(BODY):
            yield orjson.dumps(row | {"labels": labels | {"instance": str(number)}}) + b"\n"


def _time(at: int) -> str:
    seconds, rest = divmod(at, 1_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"


def _difference(folder: Path) -> float:
    old, new = folder / "old.yaml", folder / "new.yaml"
    old.write_text(_routes(1_000, later=()))
    new.write_text(_routes(1_000, later=(77, 500, 923)))
    return _command("diff", str(old), str(new), exits=(1,))[0]


def _routes(count: int, later: tuple[int, ...]) -> str:
    """A configuration with so many routes, a policy for every fourth; those `later` have another one."""
    routes = "\n".join(
        f'    - matchers: [service="s{number}", severity="{SEVERITIES[number % 4]}"]\n      '
        + (f"policy: {'slow' if number in later else 'page'}" if number % 4 == 0 or number in later else
           f"receiver: {'page' if number % 2 else 'chat'}")
        for number in range(count)
    )  # fmt: skip
    step = "      - {after: %s, notify: [{receiver: boss}]}\n"
    return (
        "route:\n  receiver: chat\n  group_by: [alertname]\n  routes:\n" + routes + "\n"
        "escalation_policies:\n"
        "  - name: page\n    steps:\n      - notify: [{receiver: page}]\n" + step % "5m"
        + "  - name: slow\n    steps:\n      - notify: [{receiver: page}]\n" + step % "15m"
        + "receivers:\n" + "".join(
            f'  - {{name: {name}, webhook_configs: [{{url: "http://127.0.0.1:9/{name}"}}]}}\n'
            for name in ("chat", "page", "boss")
        )
    )  # fmt: skip


def _tests(folder: Path, count: int) -> dict[str, Any]:
    """Cases a second of a critical alert that nobody answers for half an hour, the reading not counted."""
    file = folder / "tests.yaml"
    rows = "\n".join(f"      - {{service: s{number}}}" for number in range(count))
    file.write_text(
        f"config: {REFERENCE / 'tocsin.yaml'}\ntests:\n  - name: it pages\n"
        "    alerts:\n"
        "      - labels: {alertname: ApiDown, severity: critical, team: backend, service: <service>}\n"
        "        fires: 30m\n"
        "    expect: [{at: 0s, told: [critical-escalation]}, {at: 5m, told: [management]}]\n"
        f"    examples:\n{rows}\n"
    )
    one = folder / "one.yaml"
    one.write_text(file.read_text().replace(rows, rows.split("\n", 1)[0]))
    empty = min(_command("test", str(one))[0] for _ in range(3))
    a_second = count / max(0.001, _command("test", str(file))[0] - empty)
    return {
        "what": "routing tests a second",
        "value": round(a_second),
        "limit": TESTS_A_SECOND,
        "reached": a_second >= TESTS_A_SECOND,
    }
