"""Stopping in peace: what cannot be finished is given back, and goes out after the next start, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from alertmanagers import Rules
from waiting import stays, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audience import Audience
    from programs import Tocsin

ROUTE = "  group_by: [cluster]\n  group_wait: 0s\n  group_interval: 1s"


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
async def test_it_stops_behind_a_service_that_never_answers_and_others_have_been_told(
    workers: str, audience: Audience, serve: Callable[..., Awaitable[Tocsin]]
) -> None:
    audience.phone.delay = 3600
    tocsin = await serve(audience.config(ROUTE), "--workers", workers)
    rules = Rules([tocsin.url])
    rules.fire("A")
    await rules.post()
    others = {
        "channel": [("post", "🔴 A")],
        "mailbox": [("firing", "#1")],
        "machine": [("ring", "#1", "A", "")],
    }
    await until(lambda: audience.everything() == {"phone": [], **others}, "the others", audience.everything)
    await until(lambda: audience.phone.requests, "a call to the one that does not answer")
    began = time.monotonic()
    assert await tocsin.stop() == 0, tocsin.tail()
    assert time.monotonic() - began < 10
    audience.phone.delay = 0
    await tocsin.start()
    expected = {"phone": [("ring", "#1")], **others}
    await until(lambda: audience.everything() == expected, "the phone", audience.everything)

    def nothing_more() -> None:
        assert audience.everything() == expected

    await stays(nothing_more, 1.5)
