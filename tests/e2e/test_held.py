"""A silence comes over what people know of: what is only shown, and what is heard when it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alertmanagers import Rules
from programs import ask
from waiting import stays, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audience import Audience
    from programs import Tocsin

ROUTE = "  group_by: [cluster]\n  group_wait: 0s\n  group_interval: 1s"
SILENCE = {
    "matchers": ['alertname="A"'],
    "ends_at": "2099-01-01T00:00:00Z",
    "created_by": "dana",
    "comment": "we know",
}
TOLD = {
    "phone": [("ring", "#1")],
    "channel": [("post", "🔴 A")],
    "mailbox": [("firing", "#1")],
    "machine": [("ring", "#1", "A", "")],
}
HELD = TOLD | {
    "phone": [*TOLD["phone"], ("update", "#1")],
    "channel": [*TOLD["channel"], ("edit", "🔕 A")],
}
RELEASED = {
    "phone": [*HELD["phone"], ("update", "#1")],
    "channel": [*HELD["channel"], ("reply", "🔴 A"), ("edit", "🔴 A")],
    "mailbox": TOLD["mailbox"] * 2,
    "machine": TOLD["machine"] * 2,
}


async def test_a_silence_is_seen_where_messages_are_edited_and_its_end_is_heard(
    audience: Audience, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    tocsin = await serve(audience.config(ROUTE))
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    await until(lambda: audience.everything() == TOLD, "everybody to be told", audience.everything)
    status, text = await ask(f"{tocsin.url}/api/v1/silences", "POST", json=SILENCE)
    assert status == 200, text
    silence = json.loads(text)["silence"]["id"]
    await until(lambda: audience.everything() == HELD, "it to be shown as held", audience.everything)
    assert_everybody_says(audience, f"silence {silence} by dana")
    assert (await ask(f"{tocsin.url}/api/v1/silences/{silence}", "DELETE"))[0] == 200
    await until(lambda: audience.everything() == RELEASED, "everybody to be told again", audience.everything)
    await stays(lambda: nothing_but(audience, RELEASED), seconds=1.5)
    assert audience.machine.bodies[-1]["notification_reason"] == "no longer held"
    assert tocsin.troubles() == []


def nothing_but(audience: Audience, story: dict[str, list[Any]]) -> None:
    assert audience.everything() == story


def assert_everybody_says(audience: Audience, why: str) -> None:
    [shown] = audience.channel.shown("alerts")
    event = audience.phone.events[-1]
    assert why in shown.blocks[0]["text"]["text"]
    assert event["payload"]["summary"].startswith("[held] ")
    assert event["payload"]["custom_details"]["held"].startswith(why)
    assert audience.phone.rings == 1
