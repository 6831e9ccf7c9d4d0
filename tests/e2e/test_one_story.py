"""Two Alertmanagers say everything twice, late and from the grave; people hear one story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertmanagers import Rules
from stage import AGAIN, AGAIN_ENDS, BEGINS, ENDS, GROWS, ONLY_A_ENDS, SHRINKS
from waiting import stays, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from programs import RedisServer
    from stage import Stage


async def test_a_pair_of_alertmanagers_is_heard_as_one(
    make_stage: Callable[..., Awaitable[Stage]], redis: RedisServer, start: Callable[..., Awaitable[None]]
) -> None:
    await start(redis)
    stage = await make_stage(embedded=(), redis=("--redis", redis.url))
    async with Rules([stage.pair.a.url, stage.pair.b.url]) as rules:
        async with stage.both_sending():
            rules.fire("A")
            await stage.all_hear(BEGINS)
        rules.fire("B")
        await stage.all_hear(GROWS)
        await stage.pair.a.kill()
        rules.end("A")
        await stage.all_hear(SHRINKS)
        await stage.pair.a.start()
        await until(stage.pair.settled, "the pair to be whole again")
        async with stage.both_sending():
            rules.end("B")
            await stage.all_hear(ENDS)
        async with stage.both_sending():
            rules.fire("A")
            await stage.all_hear(AGAIN)
        rules.end("A")
        await stage.all_hear(AGAIN_ENDS)
        await stays(stage.nothing_else, seconds=3)
    stage.nothing_is_wrong()


async def test_a_late_copy_from_the_other_alertmanager_pages_nobody(
    make_stage: Callable[..., Awaitable[Stage]],
) -> None:
    stage = await make_stage(embedded=())
    wire = stage.wires[0]
    async with Rules([stage.pair.a.url, stage.pair.b.url]) as rules:
        wire.close("answers")
        wire.close("b")
        rules.fire("A")
        await stage.all_hear(BEGINS)
        await until(lambda: wire.held, "b to send the same", lambda: wire.carried)
        wire.open("answers")
        rules.end("A")
        await stage.all_hear(ONLY_A_ENDS)
        assert [body["status"] for body in wire.held] == ["firing"]
        wire.open("b")
        # One of them says once more that it is over: b's late copy was the last that the cluster knew of.
        await until(
            lambda: wire.senders() == {"a", "b"} and wire.last == "resolved", "the end again", stage.seen
        )
        stage.nothing_else()
        rules.fire("A")
        await stage.all_hear(AGAIN)
    assert 'tocsin_ingest_alerts_total{result="suspect"} 1.0' in await stage.metrics("embedded")
    stage.nothing_is_wrong()
