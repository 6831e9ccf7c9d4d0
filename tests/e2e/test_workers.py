"""`serve --workers 2`: two processes on one port and one store tell one story and count together."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from alertmanagers import Rules
from prometheus_client.parser import text_string_to_metric_families
from stage import AGAIN, AGAIN_ENDS, BEGINS, ENDS, GROWS, SHRINKS
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from programs import RedisServer, Tocsin
    from stage import Stage


async def test_two_workers_tell_one_story_and_count_together(
    make_stage: Callable[..., Awaitable[Stage]], redis: RedisServer, start: Callable[..., Awaitable[None]]
) -> None:
    await start(redis)
    stage = await make_stage(two=("--redis", redis.url, "--workers", "2"))
    async with Rules([stage.pair.a.url, stage.pair.b.url]) as rules:
        async with stage.both_sending():
            rules.fire("A")
            await stage.all_hear(BEGINS)
        rules.fire("B")
        await stage.all_hear(GROWS)
        rules.end("A")
        await stage.all_hear(SHRINKS)
        await until(lambda: all_is_committed(stage.tocsins["two"]), "what was sent to be known as sent")
        one, _ = workers(stage.tocsins["two"])
        os.kill(one, signal.SIGKILL)
        rules.end("B")
        await stage.all_hear(ENDS)
        async with stage.both_sending():
            rules.fire("A")
            await stage.all_hear(AGAIN)
        rules.end("A")
        await stage.all_hear(AGAIN_ENDS)
    counts = [counted(await stage.metrics("two")) for _ in range(6)]
    assert counts == [expected(stage)] * 6, stage.wires[0].statuses


async def all_is_committed(tocsin: Tocsin) -> bool:
    """Whether nothing would be sent twice if a worker died now."""
    deliveries = (await tocsin.api("/deliveries?state=open"))["deliveries"]
    return all(d["wanted"] == d["sent"] and d["ring_wanted"] == d["ring_sent"] for d in deliveries)


def workers(tocsin: Tocsin) -> list[int]:
    """The processes that the first one started."""
    assert tocsin.process is not None
    pid = tocsin.process.pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(found) == 2, found
    return [int(child) for child in found]


def counted(text: str) -> dict[str, float]:
    """Alerts that came in and messages that went out, by kind."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "tocsin_ingest_alerts_total":
                found["alerts"] = found.get("alerts", 0) + sample.value
            if sample.name == "tocsin_deliveries_total" and sample.labels["outcome"] == "sent":
                found[sample.labels["kind"]] = sample.value
    return found


def expected(stage: Stage) -> dict[str, float]:
    """The same, as the wire and the audience have seen it."""
    return {
        "alerts": sum(len(body["alerts"]) for _, body in stage.wires[0].carried),
        "pagerduty": 6,
        "slack": 6,
        "email": 5,
        "webhook": 6,
    }
