"""What could go wrong with holds while nobody is looking: races, restarts, reloads, news that is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from world import HOUR, MINUTE, SECOND, START, World

from gateway.store import keys
from gateway.store.unavailable import PlanChangedError
from receivers.base import Retry, Sent
from routing.matchers import parse_matchers
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from routing.inhibition import Ask, Source

    MakeWorld = Callable[..., Awaitable[World]]

HEAD = """
route:
  receiver: hook
  group_by: [cluster]
  group_wait: 30s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
"""
CONFIG = (
    HEAD
    + """
inhibit_rules:
  - name: node
    source_matchers: [alertname="NodeDown"]
    target_matchers: [severity="low"]
    equal: [node]
"""
)
AT_ONCE = CONFIG.replace("30s", "0s")
BY_NAME = AT_ONCE.replace("[cluster]", "[alertname]")


async def silence(world: World, matchers: str, end: int, identity: str = "") -> str:
    wanted = Wanted(parse_matchers(matchers), START + end, "dana", "maintenance", id=identity)
    return (await world.holds.silence_store.put(wanted)).silence.id


async def held(world: World) -> dict[str, int]:
    """How many alerts of each group are held."""
    found = {}
    for at in map(keys.prefix, range(world.store.shards)):
        for gid in await world.redis.smembers(f"{at}:groups"):
            found[gid] = await world.redis.hlen(f"{at}:h:{gid}")
    return found


def told_of(world: World, name: str) -> list[int]:
    return [note.at for note in world.notes if name in note.firing]


async def test_who_was_overtaken_while_it_weighed_begins_no_second_incident(make_world: MakeWorld) -> None:
    world = await make_world(AT_ONCE)
    await world.intake.take([world.fires("Slow", severity="low", node="a")])
    await world.pass_to(3 * SECOND)
    (late,) = [group for claim in await world.claims() for group in claim.groups]
    await world.pass_to(8 * SECOND)  # its lease has ended
    await world.settle()
    world.engine.accept([late])
    await world.until(MINUTE)
    assert [note.message.incident for note in world.notes] == [1]


async def test_who_works_by_an_older_configuration_judges_nobody(
    make_world: MakeWorld, redis_server: str
) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    (gid,) = [gid for gid, count in (await held(world)).items() if count]
    old = World(Redis.from_url(redis_server, decode_responses=True), world.path, world.store.shards)
    await old.plan.start()
    world.path.write_text(HEAD)
    await world.plan.reload()
    with pytest.raises(PlanChangedError):
        await old.holds.weigh(keys.shard_of(gid, world.store.shards), gid)
    await world.until(10 * MINUTE)
    assert told_of(world, "Slow")
    await old.close()


async def test_nobody_is_held_for_ever_by_news_that_was_lost(make_world: MakeWorld) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    await world.redis.delete(*await world.redis.keys("t:{*}:w"))  # as they run out after a week
    await world.take(world.ends("NodeDown", node="a"))
    await world.until(HOUR)
    for shard in range(world.store.shards):
        await world.store.sweep(shard)
    await world.until(HOUR + MINUTE)
    assert told_of(world, "Slow") == [HOUR + 30 * SECOND]


async def test_what_was_judged_lately_is_not_judged_at_every_sweep(make_world: MakeWorld) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(20 * MINUTE)
    before = await world.due()
    for shard in range(world.store.shards):
        await world.store.sweep(shard)
    assert await world.due() == before


async def test_a_walk_by_older_silences_that_ends_late_forgets_no_end(make_world: MakeWorld) -> None:
    world = await make_world(HEAD)
    identity = await silence(world, 'alertname="A"', 8 * HOUR)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    older = await world.holds.silence_store.version()
    await silence(world, 'alertname="A"', HOUR, identity)
    await world.settle()
    for shard in range(world.store.shards):
        await world.store.walk_ended(shard, older, START + 8 * HOUR)
    await world.until(2 * HOUR)
    assert told_of(world, "A") == [HOUR]


async def test_two_who_tell_the_index_at_once_leave_no_source_out(make_world: MakeWorld) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(MINUTE)
    sources = {n: await world.redis.hgetall(f"{keys.prefix(n)}:sources") for n in range(world.store.shards)}
    ((shard, member, entry),) = [(n, *pair) for n, found in sources.items() for pair in found.items()]
    (index,) = await world.redis.keys("t:{*:*}:1")
    # Another process read that it had ended, before it began again, and tells so only now.
    await world.redis.zrem(index, member)
    await world.store.settle_sources(shard, [(member, f"0{entry[1:]}")])
    await world.settle()
    assert await world.redis.zrange(index, 0, -1) == [member]


async def test_a_group_that_is_given_back_unjudged_is_not_told_before_its_time(make_world: MakeWorld) -> None:
    world = await make_world(HEAD)
    await world.take(world.fires("A"))
    identity = await silence(world, 'alertname="A"', HOUR)
    await world.settle()
    await world.holds.silence_store.expire(identity)
    for shard in range(world.store.shards):
        await world.holds.walk(shard)
    (group,) = [group for claim in await world.claims() for group in claim.groups]
    await world.store.release(group.shard, [group.member])
    await world.until(MINUTE)
    assert told_of(world, "A") == [30 * SECOND]


async def test_a_silence_counts_in_a_large_group_as_soon_as_it_is_answered(make_world: MakeWorld) -> None:
    world = await make_world(HEAD)
    await world.take(*(world.fires("A", n=str(n)) for n in range(1_001)))
    await world.until(MINUTE)
    await silence(world, 'alertname="A"', 8 * HOUR)  # and nobody has walked yet
    (gid,) = await held(world)
    await world.holds.weigh(keys.shard_of(gid, world.store.shards), gid)
    assert await held(world) == {gid: 1_001}


async def test_what_joins_in_a_quiet_time_says_by_what_it_is_held(make_world: MakeWorld) -> None:
    always = '[{times: [{start_time: "00:00", end_time: "24:00"}]}]'
    muted = AT_ONCE.replace("group_wait: 0s", "group_wait: 0s\n  routes: [{mute_time_intervals: [always]}]")
    world = await make_world(f"{muted}time_intervals: [{{name: always, time_intervals: {always}}}]\n")
    await world.take(world.fires("A"))
    await silence(world, 'alertname="B"', HOUR)
    await world.until(10 * MINUTE)
    await world.take(world.fires("B"))
    await world.until(20 * MINUTE)
    assert (sum((await held(world)).values()), world.notes) == (1, [])


@pytest.mark.parametrize("others", [(), ("C",)], ids=["all others are held", "others fire"])
async def test_an_end_is_shown_while_a_ring_is_held_back_and_makes_no_sound(
    make_world: MakeWorld, others: tuple[str, ...]
) -> None:
    world = await make_world(HEAD.replace("1h", "9h"))
    await world.take(*map(world.fires, ("A", *others)))
    await world.until(MINUTE)
    world.recorder.answer = lambda _: Retry("away")
    await world.take(world.fires("B"))
    await world.until(6 * MINUTE)  # B's ring is under way
    await silence(world, 'alertname="B"', 8 * HOUR)
    world.recorder.answer = lambda _: Sent()
    await world.until(7 * MINUTE)
    await world.take(world.ends("A"))
    await world.until(8 * HOUR - MINUTE)
    assert [(note.kind, note.ended) for note in world.notes] == [("ring", set()), ("update", {"A"})]
    await world.until(9 * HOUR)
    assert world.notes[2].kind == "ring"
    assert "B" in world.notes[2].firing


async def test_what_hurries_a_group_takes_no_grace_from_another(make_world: MakeWorld) -> None:
    world = await make_world(AT_ONCE)
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(1 * SECOND)
    await world.take(world.fires("Other", at=500))
    await world.until(1_900)
    await world.take(world.fires("NodeDown", at=1_800, node="a"))
    await world.until(MINUTE)
    assert world.story() == [(2.0, "ring", "NodeDownOther", "")]


async def test_what_joins_an_open_incident_takes_no_grace_from_another(make_world: MakeWorld) -> None:
    world = await make_world(CONFIG)
    tick = 30 * SECOND + 5 * MINUTE
    await world.take(world.fires("X"))
    await world.until(tick - 500)
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.take(world.fires("Other"))
    await world.until(tick + 500)
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(20 * MINUTE)
    assert told_of(world, "Other")[0] == tick + 1_500
    assert not told_of(world, "Slow")


async def test_a_stream_of_graces_puts_nobody_off_for_long(make_world: MakeWorld) -> None:
    world = await make_world(AT_ONCE)
    for n in range(20):
        await world.take(world.fires(f"T{n}", severity="low", node=str(n)), world.fires(f"Other{n}", at=n))
        await world.until((n + 1) * SECOND)
    assert told_of(world, "Other0")[0] == 4 * SECOND


async def test_what_opens_a_group_anew_while_its_end_is_decided_has_its_grace(make_world: MakeWorld) -> None:
    world = await make_world(AT_ONCE)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await world.intake.take([world.ends("A")])
    await world.pass_to(5 * MINUTE)
    (ending,) = [group for claim in await world.claims() for group in claim.groups]
    await world.intake.take([world.fires("Slow", severity="low", node="a")])
    world.engine.accept([ending])
    await world.until(5 * MINUTE + SECOND)
    await world.take(world.fires("NodeDown", node="a"))
    await world.until(6 * MINUTE)
    assert not told_of(world, "Slow")


async def test_thousands_to_be_judged_keep_no_retry_and_no_page_waiting(make_world: MakeWorld) -> None:
    world = await make_world(AT_ONCE.replace("[cluster]", "[alertname]"), 1)
    await world.take(*(world.fires(f"A{n}") for n in range(700)))
    world.recorder.answer = lambda _: Retry("away")
    await world.take(world.fires("Retried"))
    marked = await held(world)
    await world.store.mark(0, list(marked), 0)
    await world.pass_to(10 * SECOND)
    world.intake._room = lambda: 0  # as where the engine is at work for as many as it can
    await world.intake.take([world.fires("Page", at=1)])
    (page,) = (await held(world)).keys() - marked.keys()
    (claim,) = await world.claims(groups=8)
    assert page in [group.gid for group in claim.groups]
    assert (len(claim.groups), len(claim.deliveries)) == (8, 1)
    (claim,) = await world.claims(groups=0)
    assert not claim.groups


async def test_news_that_never_ends_lets_no_inhibited_alert_through(make_world: MakeWorld) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    ask, gids = world.holds.sources.ask, []

    async def ask_while_news_comes(asks: Collection[Ask]) -> dict[Ask, tuple[Source, ...]]:
        answers = await ask(asks)
        await world.holds.sources.mark(gids)
        return answers

    world.holds.sources.ask = ask_while_news_comes
    await world.intake.take([world.fires("Slow", severity="low", node="a")])
    gids += await held(world)
    await world.pass_to(3 * SECOND)
    await world.engine.claim(0), await world.engine.claim(1), await world.engine.claim(2)
    await world.engine.settle()
    await world.sender.settle()
    world.holds.sources.ask = ask
    await world.until(HOUR)
    assert not told_of(world, "Slow")


async def test_silences_that_change_all_the_time_take_no_room_from_pages(make_world: MakeWorld) -> None:
    world = await make_world(HEAD, shards=70)
    await world.take(world.fires("A"))
    for n in range(5):
        await silence(world, f'alertname="B{n}"', HOUR)
        for shard in range(70):
            await world.engine.claim(shard)
    assert world.engine.room() == 64


async def test_a_silence_that_comes_while_another_is_walked_for_is_heeded(make_world: MakeWorld) -> None:
    world = await make_world(HEAD)
    await world.take(world.fires("A"))
    await world.until(MINUTE)
    await silence(world, 'alertname="B"', HOUR)
    for shard in range(world.store.shards):
        await world.engine.claim(shard)  # the walk begins
    await silence(world, 'alertname="A"', 2 * HOUR)
    await world.settle()
    assert list((await held(world)).values()) == [1]


# The world begins at 22:13:20 UTC.
CIRCLE = """
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  routes:
    - matchers: [alertname="Worst"]
      mute_time_intervals: [nights]
    - matchers: [alertname="Both"]
      mute_time_intervals: [nights]
      continue: true
    - matchers: [alertname="Both"]
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
inhibit_rules:
  - {source_matchers: [alertname=~"Worst|Both"], target_matchers: [alertname="Other"]}
  - {source_matchers: [alertname="Other"], target_matchers: [alertname=~"Worst|Both"]}
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: "20:00", end_time: "24:00"}, {start_time: "00:00", end_time: "06:00"}]
"""
SIX = 7 * HOUR + 46 * MINUTE + 40 * SECOND


async def test_of_a_circle_one_is_told_whose_route_may_speak(make_world: MakeWorld) -> None:
    world = await make_world(CIRCLE)
    await world.take(world.fires("Worst", severity="critical"), world.fires("Other", severity="low"))
    await world.until(MINUTE)
    assert told_of(world, "Other") == [2 * SECOND]
    assert not told_of(world, "Worst")


async def test_of_a_circle_that_is_muted_as_a_whole_one_is_told_in_the_morning(make_world: MakeWorld) -> None:
    text = CIRCLE.replace('    - matchers: [alertname="Worst"]', '    - matchers: [alertname=~"Worst|Other"]')
    world = await make_world(text)
    await world.take(world.fires("Worst", severity="critical"), world.fires("Other", severity="low"))
    await world.until(HOUR)
    assert {at for member, at in (await world.due()).items() if member[0] == "l"} == {SIX}
    await world.until(SIX + MINUTE)
    assert (told_of(world, "Worst"), told_of(world, "Other")) == ([SIX + 30 * SECOND], [])


async def test_who_may_speak_by_another_route_counts_as_heard(make_world: MakeWorld) -> None:
    world = await make_world(CIRCLE)
    await world.take(world.fires("Both", severity="critical"), world.fires("Other", severity="low"))
    await world.until(MINUTE)
    assert (told_of(world, "Both"), told_of(world, "Other")) == ([2 * SECOND], [])


async def test_ends_that_wait_for_the_end_are_told_once_while_a_ring_is_held_back(
    make_world: MakeWorld,
) -> None:
    quiet = CIRCLE.replace('"20:00"', '"22:30"').replace("0s", "30s")  # from 1000 s on
    world = await make_world(quiet)
    await world.take(world.fires("Worst"))
    await world.until(14 * MINUTE)
    world.recorder.answer = lambda _: Retry("away")
    await world.take(world.fires("Worst", node="b"))
    await world.until(17 * MINUTE)
    world.recorder.answer = lambda _: Sent()
    async with asyncio.timeout(10):
        await world.take(world.ends("Worst"), world.ends("Worst", at=14 * MINUTE, node="b"))
        await world.until(HOUR)
    assert [note.kind for note in world.notes] == ["ring", "update", "end"]


async def test_a_first_ring_that_waits_for_a_silence_is_heard_when_it_ends(make_world: MakeWorld) -> None:
    world = await make_world(HEAD)
    world.recorder.answer = lambda _: Retry("away")
    await world.take(world.fires("A"))
    await world.until(40 * SECOND)
    identity = await silence(world, 'alertname="A"', 8 * HOUR)
    await world.settle()
    world.recorder.answer = lambda _: Sent()
    await world.until(30 * MINUTE)
    await world.holds.silence_store.expire(identity)
    await world.settle()
    assert told_of(world, "A") == [30 * MINUTE]


async def test_news_that_may_wait_puts_off_no_release(make_world: MakeWorld) -> None:
    world = await make_world(AT_ONCE)
    await world.take(world.fires("NodeDown", node="a", cluster="x"))
    await world.take(world.fires("Slow", severity="low", node="a"), world.fires("Flaps"))
    await world.until(MINUTE)
    await world.take(world.ends("NodeDown", node="a", cluster="x"))
    await world.until(70 * SECOND)
    await world.take(world.ends("Flaps"))
    await world.until(75 * SECOND)
    await world.take(world.fires("Flaps"))  # to be judged anew at the next tick
    await world.until(91 * SECOND)
    assert set((await held(world)).values()) == {0}


async def test_what_a_store_lost_while_it_was_away_is_registered_again(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(BY_NAME)
    await world.take(world.fires("NodeDown", node="a"))
    await world.take(world.fires("Slow", severity="low", node="a"))
    await world.until(MINUTE)
    await world.redis.delete(*await world.redis.keys("t:{*}:w"))
    monkeypatch.setattr("gateway.engine.AWAY_S", 0)
    await world.engine._store_is_back()
    await world.holds.sources.mark(list(await held(world)))
    await world.until(2 * MINUTE)
    await world.take(world.ends("NodeDown", node="a"))
    await world.until(3 * MINUTE)
    assert told_of(world, "Slow") == [2 * MINUTE + 30 * SECOND]


async def test_an_alert_that_cannot_be_read_keeps_no_other_group_held(make_world: MakeWorld) -> None:
    world = await make_world(HEAD, shards=1)
    await silence(world, 'alertname="A"', HOUR)
    await world.take(world.fires("A"))
    await world.take(world.fires("B", cluster="b"))
    await world.until(MINUTE)
    (gid,) = [gid for gid, count in (await held(world)).items() if not count]
    contents = f"{keys.prefix(0)}:c:{gid}"
    await world.redis.hset(contents, mapping=dict.fromkeys(await world.redis.hkeys(contents), "{cut off"))
    await world.until(HOUR)
    assert told_of(world, "A") == [HOUR]
    await world.plan.reload()
