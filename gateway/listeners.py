"""Who listens to the alerts that this process takes in: each has a queue of its own, which is bounded.

Listening never holds anything up: what finds a queue full is counted as missed, and whoever listens is told
how many. While nobody listens there is nothing to do. How it is sent: `gateway/api/arrivals.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from routing.alerts import Arrival

MAX_LISTENERS: Final = 8
MAX_WAITING: Final = 100_000
"""Alerts that may wait for one listener; a single body larger than this is missed by all."""


class Heard(NamedTuple):
    """Alerts of one body, when they were durable (ms), and how many were missed before them."""

    at: int
    arrivals: Sequence[Arrival]
    missed: int


class Ear:
    """The queue of one who listens."""

    def __init__(self) -> None:
        self._queue: deque[Heard] = deque()
        self._waiting = 0
        self._missed = 0
        self._missed_at = 0
        self._news = asyncio.Event()
        self.closed = False

    def hear(self, at: int, arrivals: Sequence[Arrival]) -> None:
        """Put in, or counted as missed."""
        if self._waiting + len(arrivals) > MAX_WAITING:
            self._missed += len(arrivals)
            self._missed_at = at
            self._news.set()
            return
        self._queue.append(Heard(at, arrivals, self._missed))
        self._waiting += len(arrivals)
        self._missed = 0
        self._news.set()

    async def next(self, within: float) -> Heard | None:
        """What was heard next; None if there is nothing for so many seconds, or at once when it is closed."""
        if not self._queue and not self._missed and not self.closed:
            self._news.clear()
            try:
                async with asyncio.timeout(within):
                    await self._news.wait()
            except TimeoutError:
                return None
        if not self._queue:
            missed, self._missed = self._missed, 0
            return Heard(self._missed_at, (), missed) if missed else None
        heard = self._queue.popleft()
        self._waiting -= len(heard.arrivals)
        return heard

    def close(self) -> None:
        """Nothing more will be heard."""
        self.closed = True
        self._news.set()


class Listeners:
    """All who listen to one process."""

    def __init__(self) -> None:
        self.ears: set[Ear] = set()
        self._closed = False

    def tell(self, arrivals: Sequence[Arrival]) -> None:
        """These have just been taken in. Ask whether there are `ears` before."""
        at = time.time_ns() // 1_000_000
        for ear in self.ears:
            ear.hear(at, arrivals)

    @contextmanager
    def listen(self) -> Iterator[Ear]:
        """An ear, for as long as it is needed.

        Raises:
            ProblemError: 503, too many listen, or the service stops.
        """
        if self._closed or len(self.ears) >= MAX_LISTENERS:
            why = (
                "The service stops."
                if self._closed
                else f"{MAX_LISTENERS} listen already, which is the most."
            )
            raise ProblemError(503, f"{why} Try again later.", headers={"Retry-After": "5"})
        ear = Ear()
        self.ears.add(ear)
        try:
            yield ear
        finally:
            self.ears.discard(ear)

    def close(self) -> None:
        """The service stops: each hears what waits for it, and no more."""
        self._closed = True
        for ear in self.ears:
            ear.close()
