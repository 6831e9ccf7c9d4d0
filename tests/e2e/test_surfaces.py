"""What a platform asks of the service: is it alive, is it at work, what does it count."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from alertmanagers import Rules
from programs import ask, status_of
from prometheus_client.parser import text_string_to_metric_families
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audience import Audience
    from programs import RedisServer, Tocsin

ROUTE = "  group_by: [cluster]\n  group_wait: 0s\n  group_interval: 1s"
FAMILIES = {
    "tocsin_ingest_requests",
    "tocsin_ingest_alerts",
    "tocsin_ingest_bytes",
    "tocsin_ingest_duration_seconds",
    "tocsin_deadline_lateness_seconds",
    "tocsin_decisions",
    "tocsin_deliveries",
    "tocsin_delivery_duration_seconds",
    "tocsin_deliveries_waiting",
    "tocsin_oldest_unsent_seconds",
    "tocsin_store_call_duration_seconds",
    "tocsin_sweep_last_timestamp_seconds",
    "tocsin_config_last_reload_successful",
    "tocsin_build_info",
    "tocsin_alerts_held",
    "tocsin_incidents_suppressed",
    "tocsin_weighings",
    "tocsin_weigh_duration_seconds",
    "tocsin_silences",
    "tocsin_inhibition_sources",
}


async def test_ready_means_that_redis_answers_and_the_engine_works(
    audience: Audience,
    redis: RedisServer,
    serve: Callable[..., Awaitable[Tocsin]],
    start: Callable[..., Awaitable[None]],
) -> None:
    await start(redis)
    tocsin = await serve(audience.config(ROUTE), "--redis", redis.url)
    rules = Rules([tocsin.url])
    rules.fire("A")
    await redis.stop()

    async def unready() -> str:
        status, text = await ask(f"{tocsin.url}/-/ready")
        return text if status == 503 else ""

    said = await until(unready, "/-/ready to say no", tocsin.tail)
    assert "Not ready" in json.loads(said)["detail"]
    assert await status_of(f"{tocsin.url}/-/healthy") == 200
    assert (
        await status_of(f"{tocsin.url}/api/v2/alerts", "POST", json=[{"labels": {"alertname": "A"}}]) == 503
    )
    status, text = await ask(f"{tocsin.url}/api/v1/incidents")
    assert (status, json.loads(text)["title"]) == (503, "Service Unavailable"), text
    await redis.start()
    await until(tocsin.ready, "it to be ready again", tocsin.tail)
    await rules.post()
    await until(lambda: audience.on_phone() == [("ring", "#1")], "the phone", audience.everything)


async def test_metrics_are_what_prometheus_reads_and_promtool_has_no_complaint(
    audience: Audience, serve: Callable[..., Awaitable[Tocsin]], require_peer: Callable[[str], str]
) -> None:
    promtool = require_peer("promtool")
    tocsin = await serve(audience.config(ROUTE))
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    await until(lambda: all(audience.everything().values()), "everybody to be told", audience.everything)
    status, text = await ask(f"{tocsin.url}/metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families.keys() >= FAMILIES
    accepted = [s.value for s in families["tocsin_ingest_alerts"].samples if s.labels["result"] == "accepted"]
    assert accepted == [1]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        promtool, "check", "metrics", stdin=pipe, stdout=pipe, stderr=pipe
    )
    said = b"".join(await process.communicate(text.encode()))
    assert (process.returncode, said.decode()) == (0, "")
