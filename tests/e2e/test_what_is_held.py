"""Silences and inhibition in a service as it runs: nobody is told while something holds, then somebody is."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from alertmanagers import Rules, rfc3339
from programs import ask, tocsin_command
from stage import BEGINS, ONLY_A_ENDS
from waiting import stays, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audience import Audience
    from programs import Program, RedisServer, Tocsin
    from stage import Story

    Serve = Callable[..., Awaitable[Tocsin]]

BY_CLUSTER = "  group_by: [cluster]\n  group_wait: 0s\n  group_interval: 1s"
BY_NAME = "  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1s"
NODE = """\
inhibit_grace: 1s
inhibit_release: 5s
inhibit_rules:
  - {source_matchers: [alertname="NodeDown"], target_matchers: [severity="low"], equal: [node]}
"""
CIRCLE = """\
inhibit_grace: 1s
inhibit_release: 1s
inhibit_rules:
  - {name: total, source_matchers: [alertname="SystemDown"], target_matchers: [alertname=~".*"]}
  - {name: agents, source_matchers: [alertname="AgentFailure"], target_matchers: [alertname=~".*System.*"]}
"""
SOONER_S = 1.0  # within which another process obeys
FORWARD = """\
route: {{receiver: tocsin, group_by: [...], group_wait: 0s, group_interval: 1s}}
receivers: [{{name: tocsin, webhook_configs: [{{url: "{url}/webhook"}}]}}]
"""


def nobody_is_told(audience: Audience) -> None:
    assert not any(audience.everything().values()), audience.everything()


async def story_is(audience: Audience, *turns: Story) -> None:
    """The audience has heard these turns, and nothing else."""
    story = {who: [line for turn in turns for line in turn[who]] for who in turns[0]}
    await until(lambda: audience.everything() == story, f"{turns[-1]}", audience.everything)


async def held_by(tocsin: Tocsin, number: int) -> dict[str, str]:
    """By what each firing alert of an incident is held, "" for nothing; {} before it is there."""
    status, text = await ask(f"{tocsin.url}/api/v1/incidents/{number}")
    alerts = json.loads(text)["alerts"] if status == 200 else []
    return {
        one["labels"]["alertname"]: (one["held_by"] or {"kind": ""})["kind"]
        for one in alerts
        if one["status"] == "firing"
    }


async def obeys(tocsin: Tocsin, number: int, kind: str) -> float:
    """How many seconds it takes until all firing alerts of the incident are held so."""
    began = time.monotonic()

    async def done() -> bool:
        return set((await held_by(tocsin, number)).values()) == {kind}

    await until(done, f"#{number} to be held by {kind!r}", tocsin.tail)
    return time.monotonic() - began


async def put_silence(tocsin: Tocsin, **matchers: str) -> str:
    """The id of an hour's silence that is put through this process."""
    body = {
        "matchers": [{"name": name, "value": value} for name, value in matchers.items()],
        "ends_at": rfc3339(in_s=3600),
        "comment": "a test",
    }
    status, text = await ask(f"{tocsin.url}/api/v1/silences", "POST", json=body)
    assert status == 200, text
    return str(json.loads(text)["silence"]["id"])


async def test_what_is_silenced_is_told_when_the_silence_is_expired(audience: Audience, serve: Serve) -> None:
    tocsin = await serve(audience.config(BY_CLUSTER))
    added = await tocsin_command(
        "silences", "add", "alertname=A", "--for", "1h", "--comment", "disks are swapped", server=tocsin
    )
    assert added.code == 0, added
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    await obeys(tocsin, 1, "silence")
    await stays(lambda: nobody_is_told(audience), 2.5)
    shown = await tocsin_command("incidents", "show", "1", server=tocsin)
    assert f"silence {added.out.strip()}" in shown.out
    expired = await tocsin_command("silences", "expire", added.out.strip(), server=tocsin)
    assert expired.code == 0, expired
    await story_is(audience, BEGINS)
    rules.end("A")
    await rules.post()
    await story_is(audience, BEGINS, ONLY_A_ENDS)


async def test_who_was_told_before_the_silence_is_told_of_the_end(audience: Audience, serve: Serve) -> None:
    tocsin = await serve(audience.config(BY_CLUSTER))
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    await story_is(audience, BEGINS)
    await put_silence(tocsin, alertname="A")
    await obeys(tocsin, 1, "silence")
    rules.end("A")
    await rules.post()
    await until(
        lambda: audience.on_phone()[-1:] == [("resolve", "#1")] and len(audience.in_mailbox()) == 2,
        "the end",
        audience.everything,
    )
    assert [kind for kind, *_ in audience.at_machine() if kind == "ring"] == ["ring"]


@pytest.fixture
async def two(
    audience: Audience, redis: RedisServer, start: Callable[..., Awaitable[None]], serve: Serve
) -> tuple[Tocsin, Tocsin]:
    """Two processes of one configuration on one Redis."""
    await start(redis)
    config = audience.config(BY_NAME)
    one = await serve(config, "--redis", redis.url, name="one")
    return one, await serve(config, "--redis", redis.url, name="other")


async def test_a_silence_through_one_process_is_obeyed_by_the_other_within_a_second(
    two: tuple[Tocsin, Tocsin], audience: Audience
) -> None:
    one, other = two
    rules, took, rang = Rules([other.url]), [], []
    for turn in range(1, 6):
        rules.fire(f"T{turn}")
        await rules.post(f"T{turn}")
        await obeys(other, turn, "")
        silence = await put_silence(one, alertname=f"T{turn}")
        took.append(await obeys(other, turn, "silence"))
        await ask(f"{one.url}/api/v1/silences/{silence}", "DELETE")
        rang.append(await rings(audience, f"T{turn}", 2))
    print(f"\nobeyed after {seconds(took)} s; after its end rung after {seconds(rang)} s")
    assert max(took) < SOONER_S


async def rings(audience: Audience, name: str, times: int) -> float:
    """How many seconds it takes until the machine has been rung so often for the alert."""
    began = time.monotonic()

    def heard() -> bool:
        rung = [one for one in audience.at_machine() if one[0] == "ring" and one[2] == name]
        assert len(rung) <= times, rung
        return len(rung) == times

    await until(heard, f"{times} rings for {name}", audience.everything)
    return time.monotonic() - began


def seconds(found: list[float]) -> str:
    return ", ".join(f"{one:.2f}" for one in sorted(found))


async def test_who_alone_goes_on_obeys_a_silence_that_the_other_has_just_answered(
    two: tuple[Tocsin, Tocsin], audience: Audience
) -> None:
    one, other = two
    await put_silence(one, alertname="A")
    assert one.process is not None
    os.kill(one.process.pid, signal.SIGSTOP)  # it cannot tell anybody any more
    try:
        rules = Rules([other.url])
        rules.fire("A")
        await rules.post()
        await obeys(other, 1, "silence")
        await stays(lambda: nobody_is_told(audience), 2)
    finally:
        os.kill(one.process.pid, signal.SIGCONT)


async def test_forty_targets_that_end_a_little_after_their_source_page_nobody(
    audience: Audience, serve: Serve
) -> None:
    tocsin = await serve(audience.config(BY_NAME, more=NODE))
    rules = Rules([tocsin.url])
    targets = [f"Slow{number}" for number in range(40)]
    for name in targets:
        rules.fire(name, node="a", severity="low")
    await rules.post()
    rules.fire("NodeDown", node="a")  # a moment later than its targets
    rules.fire("Outlives", node="a", severity="low")
    await rules.post()
    await rings(audience, "NodeDown", 1)
    await stays(lambda: only(audience, "NodeDown"), 2.5)
    rules.end("NodeDown")
    await rules.post()
    await stays(lambda: only(audience, "NodeDown"), 2)
    for name in targets:
        rules.end(name)
    await rules.post()
    assert 2 < await rings(audience, "Outlives", 1) < 5
    await stays(lambda: only(audience, "NodeDown", "Outlives"), 2)


def only(audience: Audience, *named: str) -> None:
    """Nobody has heard of other alerts than these."""
    heard = {one["labels"]["alertname"] for body in audience.machine.bodies for one in body["alerts"]}
    assert heard <= set(named)
    assert len([1 for what, _ in audience.on_phone() if what == "ring"]) <= len(named)


async def test_two_that_inhibit_each_other_make_one_page_and_the_other_one_later(
    audience: Audience, serve: Serve
) -> None:
    tocsin = await serve(audience.config(BY_NAME, more=CIRCLE))
    rules = Rules([tocsin.url])
    rules.fire("SystemDown", severity="critical")
    rules.fire("AgentFailure", severity="high")
    await rules.post()
    await rings(audience, "SystemDown", 1)
    await stays(lambda: only(audience, "SystemDown"), 3)
    lines = [await tocsin_command("incidents", "show", str(number), server=tocsin) for number in (1, 2)]
    assert any("told all the same: inhibited in a circle with AgentFailure" in one.out for one in lines)
    assert any("inhibited by SystemDown" in one.out for one in lines)
    rules.end("SystemDown")
    await rules.post()
    await rings(audience, "AgentFailure", 1)
    await stays(lambda: only(audience, "SystemDown", "AgentFailure"), 1.5)


async def test_only_tocsin_inhibits_behind_a_real_alertmanager(
    audience: Audience, serve: Serve, start_alertmanager: Callable[[str], Awaitable[Program]]
) -> None:
    tocsin = await serve(audience.config(BY_NAME, more=NODE.replace("5s", "2s")))
    sender = await start_alertmanager(FORWARD.format(url=tocsin.url))
    async with Rules([sender.url]) as rules:
        rules.fire("Early", node="a", severity="low")
        await rings(audience, "Early", 1)
        rules.fire("NodeDown", node="a")
        await rings(audience, "NodeDown", 1)
        rules.fire("Late", node="a", severity="low")
        await until(lambda: inhibited(tocsin, 1, 3), "Early and Late to be held", tocsin.tail)
        rules.end("Early")
        await until(lambda: ended(audience, "Early"), "the end of who was told", audience.everything)
        rules.end("Late")
        rules.end("NodeDown")
        await until(lambda: ended(audience, "NodeDown"), "the end of the source", audience.everything)
        await stays(lambda: only(audience, "Early", "NodeDown"), 3)
    assert tocsin.troubles() == []


async def inhibited(tocsin: Tocsin, *numbers: int) -> bool:
    return all([set((await held_by(tocsin, n)).values()) == {"inhibition"} for n in numbers])


def ended(audience: Audience, name: str) -> list[Any]:
    return [one for one in audience.at_machine() if one[0] == "end" and one[3] == name]
