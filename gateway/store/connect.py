"""The connection to Redis or Valkey, and what must be true of it before anything is entrusted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger()

CONNECTIONS: Final = 32
CONNECT_S: Final = 2.0
ANSWER_S: Final = 5.0
OLDEST: Final = (6, 2)


class StoreRefusedError(Exception):
    """This server cannot be trusted with alerts; the message says why and what to change."""


def connect(url: str) -> Redis:
    """A client of `redis://`, `rediss://` or `unix://`; it connects when it is first used.

    It does not repeat a call by itself: whoever called knows whether that is right.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=ANSWER_S,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


async def check(redis: Redis) -> None:
    """Refuses a server that would lose what it was given.

    Raises:
        StoreRefusedError: it is too old, is set to throw keys away when its memory is full, or wants another
            password.
        RedisError, OSError: it cannot be asked.
    """
    try:
        server: Mapping[str, Any] = await redis.info("server")
    except RedisError as error:
        # On a socket of this machine redis-py wraps it. Its own words are about HELLO and the protocol.
        if any(isinstance(one, AuthenticationError) for one in (error, error.__cause__)):
            raise StoreRefusedError(_about_password(redis)) from None
        raise
    version = str(server.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise StoreRefusedError(f"this is Redis {version}; Tocsin needs {wanted} or newer, or Valkey")
    memory = await redis.info("memory")
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise StoreRefusedError(
            f"its maxmemory-policy is {policy}: with a full memory it would throw away open incidents. "
            "Set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in redis.conf)"
        )
    await _say_how_durable(redis)


def _about_password(redis: Redis) -> str:
    given = redis.connection_pool.connection_kwargs
    if not given.get("password"):
        return "it wants a password. Write it into the URL: redis://:PASSWORD@HOST:PORT"
    who = "user and password" if given.get("username") else "password"
    return (
        f"it refuses the {who} in the URL. Write redis://:PASSWORD@HOST:PORT, or "
        "redis://USER:PASSWORD@HOST:PORT, and %40 for @, %2F for / and so on inside a password"
    )


async def _say_how_durable(redis: Redis) -> None:
    try:
        persistence = await redis.info("persistence")
        sync = (await redis.config_get("appendfsync")).get("appendfsync", "unknown")
    except RedisError:  # a hosted server may not say
        return
    if not persistence.get("aof_enabled") or sync != "always":
        log.warning(
            "store.may_lose_answered_alerts",
            appendonly=bool(persistence.get("aof_enabled")),
            appendfsync=sync,
            advice="with appendonly yes and appendfsync always nothing that was answered is lost",
        )
