"""How late steps begin with 10,000 open incidents and 500 steps due each second, and what a decision costs.

Alerts of their own groups are posted at 500 a second; their second step is due 30 s after the first, so
steps fall due at that rate. Lateness is what Tocsin measures of itself, as in `deadlines.py`. Once the second
step is for other incidents (`when`), which is the decisions alone, and once it tells a webhook, which is 500
messages a second besides. A decision's cost is that of `decide` by itself: the processor's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import orjson

from bench.alerts import alert, body, request
from bench.deadlines import lateness, quantile
from bench.load import OpenLoad
from bench.peers import tocsin
from bench.sink import sink
from gateway.store.decisions import text
from routing.clocks import Reached, Way, begin
from routing.events import Due
from routing.incident import decide
from routing.incident_records import Group, Incident, Status, Told
from routing.policies import Policy, Step, Target
from routing.recorded import made

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.peers import StoreKind

PER_SECOND, WAIT_S, IN_A_BODY = 500, 30, 50
INCIDENTS: Final = 10_000
P99_MS: Final = 200.0

CONFIG = """\
route:
  receiver: sink
  group_by: [alertname]
  group_wait: 0s
  group_interval: 5m
  routes: [{{matchers: ['alertname=~".+"'], policy: page}}]
receivers:
  - name: sink
    webhook_configs: [{{url: "http://127.0.0.1:{sink}/"}}]
escalation_policies:
  - name: page
    steps:
      - notify: [{{receiver: sink}}]
      - after: {wait}s
        when: ['alertname{sign}"other"']
        notify: [{{receiver: sink}}]
"""


async def measure(store: StoreKind, *, quick: bool) -> list[dict[str, Any]]:
    """A row without messages, a row with them, a row for each kind of decision."""
    incidents, wait = (2_000, 8) if quick else (INCIDENTS, WAIT_S)
    late = [await _one(store, incidents, wait, messages=messages) for messages in (False, True)]
    return [*late, *_decisions(2_000 if quick else 20_000)]


async def _one(store: StoreKind, incidents: int, wait: int, *, messages: bool) -> dict[str, Any]:
    rung: Counter[str] = Counter()

    def note(_at: float, posted: bytes) -> None:
        said = orjson.loads(posted)
        rung[said["groupLabels"]["alertname"]] += said["tocsin"]["kind"] == "ring"

    seconds, rings = incidents / PER_SECOND, 2 if messages else 1
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(sink(note))
        text = CONFIG.format(sink=port, wait=wait, sign="!=" if messages else "=")
        peer = await stack.enter_async_context(tocsin(text, store))
        began = time.perf_counter()
        async with OpenLoad(peer.port) as load:
            for number, posted in enumerate(_requests(incidents)):
                await asyncio.sleep(began + number * IN_A_BODY / PER_SECOND - time.perf_counter())
                await load.send(posted)
        await asyncio.sleep(began + wait - 1 - time.perf_counter())  # the first steps are over
        before, cpu = await lateness(peer), peer.cpu()
        await asyncio.sleep(began + wait + seconds + 2 - time.perf_counter())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while sum(rung.values()) < rings * incidents:
                    await asyncio.sleep(0.2)
        await asyncio.sleep(2)  # a ring too many would come by then
        after, cpu_after = await lateness(peer), peer.cpu()
    counts = {bucket: count - before.get(bucket, 0) for bucket, count in after.items()}
    right = sum(count == rings for count in rung.values())
    row = {
        "what": "a webhook each" if messages else "decisions alone",
        "incidents": incidents,
        "due_per_s": PER_SECOND,
        "steps": counts[float("inf")],
        "p50_ms_at_most": quantile(counts, 0.5),
        "p99_ms_at_most": quantile(counts, 0.99),
        "rung_right": right,
        "cpu_ms": {role: round((cpu_after[role] - cpu[role]) / incidents * 1000, 2) for role in cpu},
    }
    whole = counts[float("inf")] >= incidents and right == incidents
    return row | {"reached": whole and row["p99_ms_at_most"] <= P99_MS}


def _requests(incidents: int) -> Iterator[bytes]:
    now = int(time.time() * 1000)
    for at in range(0, incidents, IN_A_BODY):
        alerts = [alert(f"Step{number}", 0, now) for number in range(at, min(at + IN_A_BODY, incidents))]
        yield request(body(alerts, "webhook"), "webhook")


# --- one decision --------------------------------------------------------------------------------------

MINUTE: Final = 60_000
T: Final = 1_700_000_000_000
PAGE: Final = Policy(
    "page",
    tuple(
        Step((Target("receiver", f"r{at}"),), at * 5 * MINUTE, "resolved" if at % 2 else "acknowledged")
        for at in range(5)
    ),
)


class _Book:
    """Everybody is reached at a place of their own."""

    def policy(self, name: str) -> Policy | None:
        return PAGE if name == "page" else None

    def reach(self, targets: Iterable[Target], incident: Incident, at: int) -> Reached:
        del incident, at
        return Reached(tuple(Way(str(target), str(target), target) for target in targets))

    def last_resort(self, incident: Incident, at: int) -> Reached:
        return self.reach((), incident, at)

    def severity(self, name: str) -> int:
        del name
        return 0


def _decisions(rounds: int) -> list[dict[str, Any]]:
    book = _Book()
    incident = Incident(
        number=1, status=Status.TRIGGERED, route="{}", receiver="policy:page", labels={"alertname": "A"},
        group_interval=5 * MINUTE, repeat_interval=60 * MINUTE, opened_at=T, opened_rev=0, triggered_at=T,
        tick=T + 60 * MINUTE, considered=1, firing=1, policy="page", clocks=(begin("page", T, book),),
    )  # fmt: skip
    told = tuple(
        Told(
            f"1.{at}",
            ends=True,
            wanted=1,
            sent=1,
            ring_wanted=1,
            ring_sent=1,
            rung=1,
            place=f"receiver: r{at}",
        )
        for at in range(5)
    )
    group = Group(1, 1, 0, 1, 0, 7)
    rows = []
    for what, at in (
        ("a step is due", T),
        ("five steps are due", T + 20 * MINUTE),
        ("nothing is due", T - 1),
    ):
        began = time.process_time()
        for _ in range(rounds):
            decide(incident, Due(), at, group, told, book=book)
        rows.append({"what": what, "us": round((time.process_time() - began) / rounds * 1e6, 1)})
    _, record = made(incident, Due(), T + 20 * MINUTE, group, told, book=book, plan="0123456789ab")
    began = time.process_time()
    for _ in range(rounds):
        text(record)
    spent = (time.process_time() - began) / rounds
    rows.append({"what": f"the record of one, {len(text(record))} bytes", "us": round(spent * 1e6, 1)})
    return rows
