"""Starts that cannot succeed say why and harm nobody; what a killed run leaves is no obstacle."""

from __future__ import annotations

import asyncio
import signal

import pytest
from processes import RedisServer, alive, until
from traffic import Traffic

pytestmark = pytest.mark.chaos


async def refusal(gateway):
    """The exit status and what was said, of a start that fails."""
    await gateway.start(ready=False)
    code = await asyncio.to_thread(gateway.process.wait, 20)
    return code, gateway.log.read_text()


async def fires(gateway, random, groups=1):
    """One alert of each group, answered 200."""
    traffic = Traffic(gateway.url, random, groups=groups)
    traffic.stopping.set()
    await traffic.run()
    return traffic


async def two_workers(town):
    both = town.gateway("--workers", "2")
    await both.start()
    await until(lambda: len(both.said("serve.ready")) == 2, 15, "both workers are ready")
    return both


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_that_is_taken(town, workers):
    first = town.gateway()
    await first.start()
    second = town.gateway("--workers", workers, "--data-dir", str(town.folder / "other"), port=first.port)
    second.log = town.folder / "second.log"
    code, said = await refusal(second)
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{first.port}" in said
    assert "Traceback" not in said
    assert await first.is_ready()


async def test_a_start_that_fails_does_not_put_its_configuration_in_force(town, redis):
    first = town.gateway("--redis", redis.url)
    await first.start()
    other = town.folder / "other.yaml"
    other.write_text(town.config.read_text().replace("repeat_interval: 1h", "repeat_interval: 2h"))
    second = town.gateway("--redis", redis.url, config=other, port=first.port)
    second.log = town.folder / "second.log"
    code, _ = await refusal(second)
    assert code == 1
    traffic = await asyncio.wait_for(fires(first, town.random), 10)
    assert (traffic.refused, first.said("engine.plan_differs")) == ({}, [])


async def test_a_data_directory_that_is_in_use(town):
    first = town.gateway()
    await first.start()
    second = town.gateway()
    second.log = town.folder / "second.log"
    code, said = await refusal(second)
    assert code == 1
    assert f"another Tocsin (pid {first.pid}) is running" in said
    assert "--data-dir" in said
    assert await first.is_ready()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://127.0.0.1:1/0", "Redis cannot be reached"),
        ("unix:///nowhere/redis.sock", "Redis cannot be reached"),
        ("redis://:secret-password@127.0.0.1:1", "Redis cannot be reached"),
        ("http://127.0.0.1:1", "this is no URL of a Redis"),
        ("redis://:secret-password@127.0.0.1:port", "Write redis://HOST:PORT"),
    ],
)
async def test_a_redis_that_is_wrong_or_away(town, url, says):
    code, said = await refusal(town.gateway("--redis", url))
    assert code in (1, 2)
    assert says in said
    assert "Traceback" not in said
    assert "not foreseen" not in said
    assert "secret-password" not in said


async def test_a_redis_that_would_throw_keys_away(town, require_peer):
    server = RedisServer(require_peer("redis-server"), town.folder, **{"maxmemory-policy": "allkeys-lru"})
    await server.start()
    code, said = await refusal(town.gateway("--redis", server.url))
    server.end()
    assert code == 1
    assert "maxmemory-policy is allkeys-lru" in said
    assert "noeviction" in said


async def test_a_killed_worker_is_started_again(town):
    both = await two_workers(town)
    before = set(both.workers())
    both.kill(next(iter(before)))
    await until(lambda: len(set(both.workers()) - before) == 1, 15, "another worker runs")
    assert (await fires(both, town.random)).accepted
    assert await both.terminate() < 10


async def test_all_ends_with_the_first_process_and_the_next_start_is_clean(town):
    one = town.gateway("--workers", "2")
    await one.start()
    hang_on_it = [*one.workers(), one.store()]
    traffic = await fires(one, town.random, groups=4)
    one.kill()
    await until(lambda: not any(map(alive, hang_on_it)), 12, "workers and store end with it")
    await one.start()
    await town.judge("first process killed", one, traffic)


async def test_a_bad_file_changes_nothing(town):
    both = await two_workers(town)
    good = town.config.read_text()
    town.config.write_text(good.replace("receiver: people", "receiver: nobody"))
    both.signal(signal.SIGHUP)
    await until(lambda: len(both.said("config.refused")) == 2, 5, "both workers refuse it")
    traffic = await fires(both, town.random, groups=4)
    assert traffic.refused == {}
    await town.judge("bad file", both, traffic)


async def test_both_workers_follow_a_good_file(town):
    both = await two_workers(town)
    town.config.write_text(town.config.read_text().replace("1h", "2h"))
    both.signal(signal.SIGHUP)
    await until(lambda: len(both.said("config.reloaded")) == 2, 5, "both workers follow")
    digests = {line["digest"] for line in both.said("config.loaded")[-2:]}
    traffic = await fires(both, town.random, groups=8)
    assert (len(digests), traffic.refused) == (1, {})
    await town.judge("good file", both, traffic)
