"""What it costs to ask whether an alert is inhibited, with 100 to 100,000 alerts open: it should be flat.

Twenty rules. A tenth of the open alerts are sources, each for one host; as many are sources of one slot, and
as many again are in one circle, with a single other alert. Asked about are alerts whose host is well, alerts
whose host is down, targets of the crowded slot, members of the circle, and the one of them that is told.

Once with the index in memory: what the decision itself costs, in time of the processor. Once as the service
does it, one alert at a time, by asking Redis, after Tocsin has taken the alerts in: time that passes, most of
it on the way to Redis and back. (The service asks for all alerts of a group together.)
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

import orjson

from bench.alerts import body, request, rfc3339
from bench.load import send
from bench.peers import tocsin
from config.compile import compile_plan
from config.load import load_text
from gateway.plan import timing_of
from gateway.sources import Sources
from gateway.store import keys
from gateway.store.connect import connect
from gateway.store.store import Store
from routing.alerts import alert_key
from routing.inhibition import Inhibited, Released, Source
from routing.inhibition_index import Index
from routing.judge import judge, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.peers import Peer
    from routing.inhibition import Rules

    Rows = list[dict[str, Any]]

SIZES: Final = (100, 1_000, 10_000, 100_000)
IN_A_BODY: Final = 100
ROLES_LIMIT_US: Final = 2.0
FLAT: Final = 2.0  # a size against the smallest: caches of the processor are all that may be felt
LEAST_US: Final = {"memory": 20.0, "redis": 500.0}  # less than that is not told apart
RELEASED_US: Final = {"memory": 5_000.0, "redis": 50_000.0}  # looks at up to 200 alerts, once for a circle
FIRST: Final = "SystemDown"
EXPECTED: Final[dict[str, type]] = {
    "free": type(None),  # its host is well
    "inhibited": Inhibited,  # its host is down
    "crowded": Inhibited,  # by any of a tenth of all alerts
    "circle": Inhibited,  # a tenth of all alerts, and one that comes first
    "released": Released,  # that one
}


async def measure(*, quick: bool) -> Rows:
    """A row for each index and number of open alerts; times in µs a check."""
    rows = [_in_memory(size, 2_000 if quick else 20_000) for size in SIZES]
    through = [await _through_redis(size, 200 if quick else 1_000) for size in SIZES[: 3 if quick else 4]]
    for of_index in (rows, through):
        for row in of_index:
            done = all(kind in row for kind in EXPECTED)
            row["reached"] = done and _flat(row, of_index[0]) and row.get("roles", 0) <= ROLES_LIMIT_US
    return rows + through


def _flat(row: dict[str, Any], smallest: dict[str, Any]) -> bool:
    limits = {kind: FLAT * max(smallest[kind], LEAST_US[row["index"]]) for kind in EXPECTED}
    limits["released"] = RELEASED_US[row["index"]]
    return all(row[kind] <= limit for kind, limit in limits.items())


def _in_memory(size: int, count: int) -> dict[str, Any]:
    rules, alerts, index = make_rules(), make_alerts(size), Index()
    filing = _each(alerts, lambda one: index.add(rules.roles(one.labels).sources, one))
    row: dict[str, Any] = {"index": "memory", "open_alerts": size, "filing": filing}
    for kind, asked in questions(size, count).items():
        verdicts = {type(run(judge(rules, one, _loud), index.answer)) for one in asked}
        assert verdicts == {EXPECTED[kind]}, (kind, verdicts)
        row[kind] = _each(asked, lambda one: run(judge(rules, one, _loud), index.answer))
    rules, some = make_rules(), alerts[:10_000]
    _each(some, lambda one: rules.roles(one.labels))
    row["roles"] = _each(some, lambda one: rules.roles(one.labels))
    return row


async def _through_redis(size: int, count: int) -> dict[str, Any]:
    config = load_text(make_config(), "tocsin.yaml", {})
    rules = compile_plan(config).inhibition
    row: dict[str, Any] = {"index": "redis", "open_alerts": size}
    async with tocsin(make_config(), "everysec") as peer, connect(_url(peer)) as redis:
        began = time.perf_counter()
        try:
            await send(peer.port, _bodies(make_alerts(size)), 8)
            await _until_filed(redis, size // 10)
        except TimeoutError:
            return row  # not taken in or not filed in two minutes each: no figures
        row["filing"] = round((time.perf_counter() - began) / size * 1e6, 1)  # all that intake does, too
        sources = Sources(Store(redis, 1, timing_of(config)))
        for kind, asked in questions(size, count).items():
            times, verdicts = [], set()
            for one in asked:
                start = time.perf_counter()
                verdicts.add(type(await _ask(rules, one, sources)))
                times.append(time.perf_counter() - start)
            assert verdicts == {EXPECTED[kind]}, (kind, verdicts)
            row[kind] = round(statistics.median(times) * 1e6, 1)
    return row


def _url(peer: Peer) -> str:
    return f"redis://127.0.0.1:{peer.redis}/0"


async def _ask(rules: Rules, alert: Source, sources: Sources) -> object:
    asking = judge(rules, alert, _loud)
    try:
        asks = next(asking)
        while True:
            asks = asking.send(await sources.ask(asks))
    except StopIteration as end:
        return end.value


async def _until_filed(redis: Any, crowd: int) -> None:
    """Until the index has heard of all sources."""
    (slot,) = make_rules().roles({"alertname": "Maintenance", "cluster": "eu-1"}).sources
    crowded, moved = f"{keys.slot(slot.key)}:1", f"{keys.prefix(0)}:moved"
    async with asyncio.timeout(120):
        while await redis.zcard(crowded) < crowd or await redis.scard(moved):
            await asyncio.sleep(0.1)


def _bodies(alerts: Sequence[Source]) -> list[bytes]:
    def form(one: Source) -> dict[str, Any]:
        at = rfc3339(one.starts_at)
        return {"labels": dict(one.labels), "annotations": {}, "startsAt": at, "generatorURL": ""}

    return [
        request(body([form(one) for one in alerts[at : at + IN_A_BODY]], "webhook"), "webhook")
        for at in range(0, len(alerts), IN_A_BODY)
    ]


def _loud(_labels: object) -> bool:
    return False


def _each(alerts: Sequence[Source], work: Callable[[Source], object]) -> float:
    """Processor time in µs for each."""
    gc.collect()
    start = time.process_time()
    for one in alerts:
        work(one)
    return round((time.process_time() - start) / len(alerts) * 1e6, 2)


def make_config() -> str:
    """Eight rules that matter here, and twelve that are only there; nobody is told, so nothing is held."""
    host, cause = ["host"], ["alertname", "host"]
    rules: list[tuple[str, str, list[str]]] = [
        ('alertname="HostDown"', 'severity=~"warning|info"', host),
        ('alertname="Maintenance"', 'alertname="Nuisance"', ["cluster"]),
        (f'alertname="{FIRST}"', 'alertname="AgentFailure"', ["job"]),
        ('alertname="AgentFailure"', f'alertname="{FIRST}"', ["job"]),
        ('severity="critical"', 'severity="warning"', cause),
        ('severity="critical"', 'severity="info"', cause),
        ('severity="warning"', 'severity="info"', cause),
        ('alertname="RackDown"', 'alertname="HostDown"', ["rack"]),
        *((f'alertname="Cause{n}"', f'alertname=~"Effect{n}.*"', host) for n in range(12)),
    ]
    config = {
        "route": {"receiver": "nobody", "group_by": ["alertname"], "group_wait": "1h"},
        "receivers": [{"name": "nobody"}],
        "inhibit_rules": [
            {"source_matchers": [source], "target_matchers": [target], "equal": equal}
            for source, target, equal in rules
        ],
    }
    return orjson.dumps(config).decode()


def make_rules() -> Rules:
    return compile_plan(load_text(make_config(), "tocsin.yaml", {})).inhibition


def make_alerts(size: int) -> list[Source]:
    """So many open alerts: one outage of the system, and of the others a tenth of each kind."""
    names = {0: "HostDown", 1: "Maintenance", 2: "AgentFailure"}
    others = [_alert(names.get(n % 10, f"Trouble{n % 10}"), n) for n in range(1, size)]
    return [_alert(FIRST, 0), *others]


def questions(size: int, count: int) -> dict[str, list[Source]]:
    """What is asked about, by kind."""

    def many(name: str, first: int) -> list[Source]:
        return [_alert(name, n) for n in itertools.islice(itertools.cycle(range(first, size, 10)), count)]

    return {
        "free": many("Disk", 3),
        "inhibited": many("Disk", 10),
        "crowded": many("Nuisance", 5),
        "circle": many("AgentFailure", 2),
        "released": [_alert(FIRST, 0)] * (count // 20),
    }


_SEVERITIES: Final = {"HostDown": "critical", FIRST: "critical", "AgentFailure": "high", "Nuisance": "low"}
_RANKS: Final = {"critical": 0, "high": 1, "warning": 2, "low": 3}


def _alert(name: str, number: int) -> Source:
    severity = _SEVERITIES.get(name, "warning")
    labels = {
        "alertname": name,
        "severity": severity,
        "host": f"host-{number}",
        "cluster": "eu-1",
        "job": "app",
    }
    labels |= {"instance": f"host-{number}:9100", "env": "prod"}
    key = alert_key(labels)
    return Source(key, f"{key}.group", _RANKS[severity], 1_700_000_000_000 + number, labels)
