"""One Alertmanager that tells more often, less, or with other words than a reader would like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertmanagers import Rules
from programs import ask, status_of
from stage import BEGINS, ONLY_A_ENDS
from waiting import stays, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audience import Audience
    from programs import Program, RedisServer, Tocsin
    from stage import Story

ROUTE = "  group_by: [cluster]\n  group_wait: 0s\n  group_interval: 1s"
TOKENS = "auth: {tokens: [{name: alertmanager, token: let-me-in, scopes: [ingest, read]}]}\n"
TWO_WAYS = """\
global: {{http_config: {{authorization: {{credentials: let-me-in}}}}}}
route:
  receiver: by-cluster
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1s
  routes:
    - {{matchers: [severity="critical"], receiver: by-name, group_by: [alertname], continue: true}}
    - {{matchers: [cluster="eu1"], receiver: by-cluster, group_by: [cluster]}}
receivers:
  - name: by-cluster
    webhook_configs: [{{url: "{url}/webhook"}}]
  - name: by-name
    webhook_configs:
      - url: {url}/webhook
        http_config: {{basic_auth: {{username: am, password: let-me-in}}}}
"""
CUT = """\
route: {{receiver: all, group_by: [cluster], group_wait: 0s, group_interval: 1s}}
receivers: [{{name: all, webhook_configs: [{{url: "{url}/webhook", max_alerts: 1}}]}}]
"""


async def test_an_alert_that_arrives_on_two_ways_with_two_credentials_is_told_once(
    audience: Audience,
    serve: Callable[..., Awaitable[Tocsin]],
    start_alertmanager: Callable[[str], Awaitable[Program]],
) -> None:
    tocsin = await serve(audience.config(ROUTE, more=TOKENS))
    sender = await start_alertmanager(TWO_WAYS.format(url=tocsin.url))

    async def posts() -> int:
        metrics = (await ask(f"{tocsin.url}/metrics", headers={"Authorization": "Bearer let-me-in"}))[1]
        return counter(metrics, 'tocsin_ingest_requests_total{endpoint="webhook",status="200"}')

    story = {name: [*BEGINS[name]] for name in BEGINS}
    async with Rules([sender.url]) as rules:
        rules.fire("A")
        await until(lambda: audience.everything() == story, "all to hear of A", audience.everything)
        so_far = await posts()

        async def four_more() -> bool:
            return await posts() >= so_far + 4

        await until(four_more, "repeats on both ways", sender.tail)
        rules.end("A")
        story = {name: [*BEGINS[name], *ONLY_A_ENDS[name]] for name in BEGINS}
        await until(lambda: audience.everything() == story, "all to hear of its end", audience.everything)
        await stays(lambda: not_more_than(story, audience), 1.5)
    assert await status_of(f"{tocsin.url}/webhook", "POST", json={}) == 401


def not_more_than(story: Story, audience: Audience) -> None:
    assert audience.everything() == story


def counter(metrics: str, series: str) -> int:
    """The value of a series, 0 if it is not there."""
    values = [line.rpartition(" ")[2] for line in metrics.splitlines() if line.startswith(series)]
    return int(float(values[0])) if values else 0


async def test_what_max_alerts_hides_goes_on_although_the_body_says_resolved(
    audience: Audience,
    serve: Callable[..., Awaitable[Tocsin]],
    start_alertmanager: Callable[[str], Awaitable[Program]],
) -> None:
    tocsin = await serve(audience.config(ROUTE))
    sender = await start_alertmanager(CUT.format(url=tocsin.url))
    rules = Rules([sender.url])
    rules.fire("Z")
    await rules.post()
    story = [("ring", "#1", "Z", "")]
    await until(lambda: audience.at_machine() == story, "Z", audience.everything)
    rules.fire("A")
    await rules.post()
    story.append(("ring", "#1", "AZ", ""))
    await until(lambda: audience.at_machine() == story, "A, which hides Z", audience.everything)
    rules.end("A")
    await rules.post("A")
    story.append(("update", "#1", "Z", "A"))
    await until(lambda: audience.at_machine() == story, "A's end, which is not Z's", audience.everything)
    assert (await tocsin.api("/incidents/1"))["status"] == "triggered"
    rules.end("Z")
    await rules.post("Z")
    story.append(("end", "#1", "", "Z"))
    await until(lambda: audience.at_machine() == story, "the end of all", audience.everything)
    assert any(event["event"] == "ingest.truncated" for event in tocsin.events())


async def test_what_comes_while_redis_is_dead_is_sent_again_and_told_when_it_is_back(
    audience: Audience,
    redis: RedisServer,
    start: Callable[..., Awaitable[None]],
    serve: Callable[..., Awaitable[Tocsin]],
    start_alertmanager: Callable[[str], Awaitable[Program]],
) -> None:
    await start(redis)
    tocsin = await serve(audience.config(ROUTE), "--redis", redis.url)
    sender = await start_alertmanager(CUT.format(url=tocsin.url))
    rules = Rules([sender.url])
    rules.fire("A")
    await rules.post()
    await until(lambda: audience.everything() == BEGINS, "A", audience.everything)
    await redis.kill()
    rules.end("A")
    await rules.post()

    async def put_off() -> int:
        metrics = (await ask(f"{tocsin.url}/metrics"))[1]
        return counter(metrics, 'tocsin_ingest_requests_total{endpoint="webhook",status="503"}')

    await until(put_off, "Alertmanager to be put off", tocsin.tail)
    await redis.start()
    story = {name: [*BEGINS[name], *ONLY_A_ENDS[name]] for name in BEGINS}
    await until(lambda: audience.everything() == story, "A's end", audience.everything)
    await stays(lambda: not_more_than(story, audience), 1)
