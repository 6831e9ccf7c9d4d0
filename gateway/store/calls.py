"""Calls to Redis that share round trips: what is asked in the same moment travels together.

Redis answers a batch with one flush to its log, so with `appendfsync always` a batch waits for the disk
once; and most of what a call costs us is per round trip. A few trips may be under way at a time, each on a
connection of its own; what is asked while all are goes with the next one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from redis.asyncio import Redis

TRIPS: Final = 8
CALLS_A_TRIP: Final = 128

Argument = str | bytes | float


class _Call(NamedTuple):
    command: tuple[Argument, ...]
    answer: asyncio.Future[Any]


class Calls:
    """One for each store and process: `await calls("GET", key)`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[_Call] = []
        self._trips: set[asyncio.Task[None]] = set()

    async def __call__(self, *command: Argument) -> Any:
        """The answer to one command.

        Raises:
            RedisError, OSError: it failed, or its whole trip did.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(command, answer))
        if len(self._trips) < TRIPS:
            # It starts when those who run in this turn of the loop have asked too.
            trip = asyncio.create_task(self._travel())
            self._trips.add(trip)
            trip.add_done_callback(self._trips.discard)
        return await answer

    async def all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """The answers to many commands, in a trip of their own.

        Raises:
            RedisError, OSError: one of them failed, or the trip did.
        """
        answers = await self._exchange([tuple(command) for command in commands])
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def _travel(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:CALLS_A_TRIP], self._waiting[CALLS_A_TRIP:]
            try:
                answers = await self._exchange([call.command for call in batch])
            except Exception as error:  # noqa: BLE001 - it is theirs who asked
                answers = [error] * len(batch)
            except BaseException as error:
                _hand_out(batch, [ConnectionError("broken off")] * len(batch))
                raise error from None
            _hand_out(batch, answers)

    async def _exchange(self, commands: list[tuple[Argument, ...]]) -> list[Any]:
        if len(commands) == 1:
            execute: Callable[..., Awaitable[Any]] = self._redis.execute_command
            return [await execute(*commands[0])]
        async with self._redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return list(await pipe.execute(raise_on_error=False))


def _hand_out(batch: list[_Call], answers: list[Any]) -> None:
    for call, answer in zip(batch, answers, strict=True):
        if call.answer.done():  # who asked has gone
            continue
        if isinstance(answer, Exception):
            call.answer.set_exception(answer)
        else:
            call.answer.set_result(answer)
