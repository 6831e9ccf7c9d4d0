"""`serve`: from the options of the command line to a running service, and to its end.

One process, or several that share a port and a store (`workers.py`). The embedded store belongs to the
first process: it is started first and stopped last.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import tempfile
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from config.load import ConfigError, load
from gateway import logs
from gateway.auth import Auth, OpenListenError, refuse_open_listen
from gateway.serve_options import StartError
from gateway.store import connect
from gateway.store.data_dir import EmbeddedStoreError
from gateway.store.embedded import EmbeddedStore
from gateway.store.unavailable import SchemaError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from config.schema import Config
    from gateway.serve_options import ServeOptions

log = structlog.get_logger()


def serve(options: ServeOptions) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises:
        ConfigError: the configuration has errors.
        StartError: the service cannot start as it was asked to.
    """
    logs.configure(options.log_level, options.log_format)
    config = load(options.config)
    auth = Auth(config.auth)
    try:
        refuse_open_listen(options.host, auth)
    except OpenListenError as error:
        raise StartError(str(error)) from None
    if auth.open:
        log.warning(
            "serve.no_tokens", advice="without auth.tokens it listens on loopback only", host=options.host
        )
    if config.external_url is None:
        log.warning(
            "serve.no_external_url",
            links=listen_url(options),
            advice="links in messages lead to this address, where most who read them find nothing; "
            "set external_url to the address under which people reach this service",
        )
    run_loop(_serve_many(options, config) if options.workers > 1 else _serve_one(options, config))


def listen_url(options: ServeOptions) -> str:
    """Where links start if `external_url` does not say."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{options.port}"


def run_loop(work: Coroutine[None, None, None]) -> None:
    """Runs `work` on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - it is not there on every platform
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


async def _serve_one(options: ServeOptions, config: Config) -> None:
    async with store_url(options, config) as url:
        await run(options, config, url)


async def _serve_many(options: ServeOptions, config: Config) -> None:
    with tempfile.TemporaryDirectory(prefix="tocsin-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from gateway.workers import Workers  # noqa: PLC0415 - it takes in the metrics, which look at the folder

        async with store_url(options, config) as url:
            workers = Workers(options, url)
            stopping = asyncio.Event()
            _on_signals(stopping, workers.reload)
            await workers.run(stopping)


async def run(options: ServeOptions, config: Config, url: str, *, share_port: bool = False) -> None:
    """One process's service on a store that is there, until it is told to stop."""
    from gateway import metrics  # noqa: PLC0415 - after the directory for several processes is set
    from gateway.service import Service  # noqa: PLC0415 - as above
    from gateway.version import VERSION  # noqa: PLC0415 - as above

    metrics.announce(VERSION)
    service = Service(
        options.config,
        config,
        connect.connect(url),
        listens=listen_url(options),
        processes=options.workers if share_port else 1,
    )
    stopping = asyncio.Event()
    _on_signals(stopping, lambda: _reload(service.reload("SIGHUP")))
    try:
        try:
            await service.start(options.host, options.port, share_port=share_port)
        except OSError as error:
            raise StartError(f"cannot listen on {options.host}:{options.port}: {_why(error)}") from None
        except StoreUnavailableError as error:
            raise StartError(f"the store is away: {error}") from None
        except SchemaError as error:
            raise StartError(
                str(error), "Run the version that wrote it, or start with an empty store."
            ) from None
        # What was made up to here stays; the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        log.info("serve.ready", host=options.host, port=service.port, pid=os.getpid())
        await stopping.wait()
        log.info("serve.stopping")
    finally:
        await service.stop()
    log.info("serve.stopped")


def _why(error: OSError) -> str:
    """The system's own words; asyncio's repeat the address."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


async def _reload(reload: Coroutine[None, None, None]) -> None:
    # What is wrong with the file is in the log already, and the running configuration stays.
    with contextlib.suppress(ConfigError):
        try:
            await reload
        except StoreUnavailableError as error:
            log.warning("config.not_reloaded", error=str(error))


def _on_signals(stopping: asyncio.Event, reload: Callable[[], Coroutine[None, None, None]]) -> None:
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def begin_reload() -> None:
        task = loop.create_task(reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, begin_reload)


@contextlib.asynccontextmanager
async def store_url(options: ServeOptions, config: Config) -> AsyncIterator[str]:
    """The URL of the store that the options or the configuration name, else of one of our own, checked.

    Raises:
        StartError: it cannot be reached, or must not be used.
    """
    if given := options.redis or config.redis.url:
        await _check(given.get_secret_value())
        yield given.get_secret_value()
        return
    embedded = EmbeddedStore(options.data_dir)
    try:
        url = await embedded.start()
        await _check(url)
        await free_leases(url, config)
        yield url
    except EmbeddedStoreError as error:
        raise StartError(str(error)) from None
    finally:
        await embedded.stop()


async def _check(url: str) -> None:
    try:
        redis = connect.connect(url)
    except ValueError:  # its text may show a part of the URL, which may hold a password
        raise StartError(
            "this is no URL of a Redis",
            "Write redis://HOST:PORT, rediss://HOST:PORT (TLS) or unix:///PATH, with redis://:PASSWORD@HOST:PORT.",
        ) from None
    try:
        await connect.check(redis)
    except connect.StoreRefusedError as error:
        raise StartError(f"this Redis cannot be used: {error}") from None
    except (RedisError, OSError) as error:
        raise StartError(
            f"Redis cannot be reached: {error}", "Is the address right, and is it running?"
        ) from None
    finally:
        await redis.aclose()


async def free_leases(url: str, config: Config) -> None:
    """At a start on the embedded store: its lock proves that whoever held a lease is gone."""
    from gateway.plan import timing_of  # noqa: PLC0415 - imports the metrics
    from gateway.store.store import Store  # noqa: PLC0415 - as above

    redis = connect.connect(url)
    store = Store(redis, config.redis.shards, timing_of(config))
    for shard in range(store.shards):
        await store.sweep(shard, free_leases=True)
    await redis.aclose()
