"""Who reads Alertmanager's webhooks can read Tocsin's: bodies are compared, another Tocsin reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alertmanagers import Rules, alertmanager
from audience import Machine
from waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from audience import Audience
    from programs import Program, Tocsin

# The same for both, and a name that has to be quoted.
ROUTE = "route: {receiver: 'ops.hook+1', group_by: [cluster], group_wait: 1s, group_interval: 1s}\n"
HOOKS = """\
receivers:
  - name: ops.hook+1
    webhook_configs: [{{url: "{0}"}}, {{url: "{0}?two", max_alerts: 2}}{1}]
"""
NOT_COMPARED = {"externalURL", "notification_reason", "routeLabels", "tocsin"}
"""Whose address it is, what Alertmanager says only from 0.32 and 0.34 on, and what is ours."""


@pytest.fixture
async def machines() -> AsyncIterator[tuple[Machine, Machine]]:
    """One that Alertmanager posts to, and one that Tocsin does."""
    both = Machine(), Machine()
    for machine in both:
        await machine.start()
    yield both
    for machine in both:
        await machine.stop()


@pytest.fixture
async def lone_alertmanager(
    machines: tuple[Machine, Machine],
    stack: AsyncExitStack,
    require_peer: Callable[[str], str],
    tmp_path: Path,
) -> Program:
    config = ROUTE + HOOKS.format(machines[0].hook, "")
    program = alertmanager(require_peer("prometheus-alertmanager"), tmp_path, "alone", config)
    stack.push_async_callback(program.finish)
    await program.start()
    return program


async def test_a_webhook_is_what_alertmanager_would_have_posted(
    machines: tuple[Machine, Machine],
    lone_alertmanager: Program,
    audience: Audience,
    serve: Callable[..., Awaitable[Tocsin]],
) -> None:
    to_all = "  group_by: [cluster]\n  group_wait: 0s\n  group_interval: 1s"
    second = await serve(audience.config(to_all), name="second")
    hooks = HOOKS.format(machines[1].hook, f", {{url: '{second.url}/webhook'}}")
    first = await serve(ROUTE + hooks, name="first")
    rules = Rules([first.url, lone_alertmanager.url])
    for name in "ABC":
        rules.fire(name, job="node", instance=f"{name}:9100")
    await rules.post()
    await same(machines, 1)
    rules.end("A")
    await rules.post("A")
    await same(machines, 2)
    rules.end("B")
    rules.end("C")
    await rules.post("B", "C")
    await same(machines, 3)
    assert [body["truncatedAlerts"] for body in bodies(machines[1], "two")] == [1, 1, 0]
    assert bodies(machines[1])[0]["receiver"] == r"ops\.hook\+1"
    posted = [("ring", "#1", "ABC", ""), ("update", "#1", "BC", "A"), ("end", "#1", "", "BC")]
    await until(
        lambda: audience.at_machine() == posted, "the second Tocsin to tell it on", audience.everything
    )
    story = [("ring", "#1"), ("update", "#1"), ("resolve", "#1")]
    await until(lambda: audience.on_phone() == story, "the phone to hear of it", audience.everything)


async def same(machines: tuple[Machine, Machine], number: int) -> None:
    """The post of that number is the same from both, to either of the two hooks."""
    theirs, ours = machines
    await until(
        lambda: all(len(bodies(m, hook)) >= number for m in machines for hook in ("", "two")),
        f"post {number} from both",
        lambda: [[shown(body) for body in machine.bodies] for machine in machines],
    )
    for hook in ("", "two"):
        expected, found = bodies(theirs, hook)[number - 1], bodies(ours, hook)[number - 1]
        assert shown(found) == shown(expected)
        assert expected.keys() <= found.keys()


def bodies(machine: Machine, hook: str = "") -> list[dict[str, Any]]:
    """What was posted to one of the two hooks."""
    return [body for body, query in zip(machine.bodies, machine.queries, strict=True) if query == hook]


def shown(body: dict[str, Any]) -> dict[str, Any]:
    """What is compared of a body."""
    return {name: value for name, value in body.items() if name not in NOT_COMPARED}
