"""PagerDuty's way back on real processes: a webhook that was answered counts, whoever dies after that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from alertmanagers import Rules
from waiting import until

from gateway.standins.pagerduty import PagerDutyStandin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from programs import Tocsin

KEY = "0123456789abcdef0123456789abcdef"
CONFIG = """
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes: [{{policy: page}}]
receivers:
  - name: nobody
  - name: pager
    pagerduty_configs: [{{routing_key: {key}, url: "{url}/v2/enqueue"}}]
escalation_policies:
  - name: page
    steps:
      - notify: [{{receiver: pager}}]
      - after: {after}
        notify: [{{receiver: pager}}]
users: [{{name: dana, email: dana@example.com}}]
pagerduty: {{webhook_secret: s, api_token: "{token}", api_url: "{url}"}}
"""


@pytest.fixture
async def there() -> AsyncIterator[PagerDutyStandin]:
    there = PagerDutyStandin()
    await there.start()
    yield there
    await there.stop()


def config(there: PagerDutyStandin, after: str) -> str:
    return CONFIG.format(key=KEY, url=there.url, token=there.api_token, after=after)


async def status(tocsin: Tocsin) -> list[str]:
    return [one["status"] for one in (await tocsin.api("/incidents?status=all"))["incidents"]]


async def rings(there: PagerDutyStandin, tocsin: Tocsin, secret: str = "s") -> str:
    """The first alert fires and rings; the key under which it does."""
    there.subscribe(f"{tocsin.url}/pagerduty/webhook", secret)
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    await until(lambda: there.rings == 1, "the first ring", lambda: there.events)
    return next(key for _, key in there.incidents)


async def test_who_acknowledges_there_keeps_the_next_step_from_ringing(
    there: PagerDutyStandin, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    tocsin = await serve(config(there, "2s"))
    key = await rings(there, tocsin)
    there.acknowledge(KEY, key)
    await until(lambda: there.subscriptions[0].answers == [202, 202], "the answers", tocsin.tail)
    await asyncio.sleep(3)
    assert there.rings == 1
    assert await status(tocsin) == ["acknowledged"]
    there.resolve(KEY, key)
    await there.subscriptions[0].settle()
    await until(lambda: there.events[-1]["event_action"] == "resolve", "the end", lambda: there.events)
    assert await status(tocsin) == ["resolved"]
    assert [event["event_action"] for event in there.events] == ["trigger", "resolve"]


async def test_what_was_answered_is_worked_on_after_a_crash(
    there: PagerDutyStandin, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    there.shows_keys = False
    tocsin = await serve(config(there, "1h"))
    key = await rings(there, tocsin)
    there.fail_next(500, 503)  # so that nobody can know yet which incident it is
    there.acknowledge(KEY, key)
    await until(lambda: there.subscriptions[0].answers == [202, 202], "the answers", tocsin.tail)
    await tocsin.kill()
    there._failures.clear()
    await tocsin.start()

    async def acknowledged() -> bool:
        return await status(tocsin) == ["acknowledged"]

    await until(acknowledged, "the acknowledgement", tocsin.tail, within=60)  # once its lease has ended


async def test_a_webhook_with_another_secret_changes_nothing(
    there: PagerDutyStandin, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    tocsin = await serve(config(there, "1h"))
    key = await rings(there, tocsin, secret="wrong")
    there.acknowledge(KEY, key)
    await there.subscriptions[0].settle()
    assert there.subscriptions[0].answers == [401, 401]
    assert await status(tocsin) == ["triggered"]
