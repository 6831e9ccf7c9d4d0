"""Hears what arrives at a running Tocsin, at all processes that share its port, in the order of time.

Each process is listened to by a thread of its own, which connects again whenever its connection ends. A line
is handed on once every process has said that it has nothing older. What is missing, because we were too slow
or were not connected, is handed on as a `notice` in its place. Lines: `gateway/simulation/recording.py`.
"""

from __future__ import annotations

import heapq
import json
import threading
import time
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.cli import times
from gateway.cli.client import ProblemError
from gateway.cli.errors import CommandError
from gateway.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.cli.client import Client

PATH: Final = "/arrivals"
MAX_PROCESSES: Final = 64

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_TRIES: Final = 16  # for each process: which one answers is chance
_WAITING: Final = 10_000  # lines; with more of them, the service counts what we miss
_NEVER_MENDS: Final = (400, 401, 403, 404)


class _News(NamedTuple):
    """From one thread: a line, the first of a connection (`up`), or why it is not connected any more."""

    slot: int
    line: dict[str, Any] | None = None
    up: bool = False
    error: CommandError | None = None


class Listening:
    """What arrives from now on."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._news: Queue[_News] = Queue(_WAITING)
        self._lock = threading.Lock()
        self._heard: set[str] = set()  # processes that are listened to
        self._processes = 1
        self._started = 0
        self._order = 0
        self._held: list[tuple[str, int, dict[str, Any]]] = []  # a heap: not handed on yet
        self._told: dict[int, str] = {}  # connected thread -> up to when it has told all
        self._lost: dict[int, str] = {}  # thread that was connected -> up to when
        self._silent = False

    def lines(self, for_s: float | None) -> Iterator[dict[str, Any] | None]:
        """Each line, an alert or a notice, and None at least each second; for so many seconds.

        Raises:
            CommandError: nothing answers to begin with, or we may not listen.
        """
        self._start_threads()
        ends = time.monotonic() + for_s if for_s is not None else float("inf")
        while (left := ends - time.monotonic()) > 0:
            try:
                news = self._news.get(timeout=min(1.0, left))
            except Empty:
                yield None
                continue
            self._take(news)
            yield from self._ready()
            yield None
        yield from self.rest()

    def rest(self) -> Iterator[dict[str, Any]]:
        """What was not handed on yet."""
        while self._held:
            yield heapq.heappop(self._held)[2]

    def _take(self, news: _News) -> None:
        slot, line = news.slot, news.line
        if news.error is not None:
            self._not_connected(slot, news.error)
        elif line is not None and news.up:
            self._connected(slot, line)
        elif line is not None and slot in self._told:
            self._told[slot] = line["at"]
            if "notice" not in line:
                self._hold({**line, "body": (slot, line.get("body"))})
            elif line["notice"] not in {"alive", "end"}:
                self._hold(line)

    def _connected(self, slot: int, line: dict[str, Any]) -> None:
        self._told[slot] = line["at"]
        if self._silent:
            say(f"Connected to {self._client.server} again.")
            self._silent = False
        if since := self._lost.pop(slot, ""):
            self._hold({"notice": "gap", "at": line["at"], "since": since})
        self._processes = max(line["processes"], 1)
        self._start_threads()

    def _not_connected(self, slot: int, error: CommandError) -> None:
        if since := self._told.pop(slot, ""):
            self._lost[slot] = since
        never = isinstance(error, ProblemError) and error.status in _NEVER_MENDS
        if never or not (self._told or self._lost):
            raise error
        if not self._told and not self._silent:
            say(f"{error.message}; trying again.")
            self._silent = True

    def _hold(self, line: dict[str, Any]) -> None:
        self._order += 1
        heapq.heappush(self._held, (line["at"], self._order, line))

    def _ready(self) -> Iterator[dict[str, Any]]:
        """What nothing older can come before."""
        until = min(self._told.values(), default="")
        while self._held and (not until or self._held[0][0] <= until):
            yield heapq.heappop(self._held)[2]

    def _start_threads(self) -> None:
        while self._started < min(self._processes, MAX_PROCESSES):
            threading.Thread(target=self._listen, args=(self._started,), daemon=True).start()
            self._started += 1

    def _listen(self, slot: int) -> None:
        """Connects, again and again, for as long as there are that many processes."""
        pause, tries = _FIRST_PAUSE_S, 0
        while slot < self._processes:
            try:
                heard = self._hear(slot)
            except CommandError as error:
                self._news.put(_News(slot, error=error))
                heard = False
            if heard is None and tries < _TRIES * self._processes:
                tries += 1
                continue
            pause = _FIRST_PAUSE_S if heard else min(pause * 2, _LONGEST_PAUSE_S)
            tries = 0
            time.sleep(pause)
        with self._lock:
            self._started = min(self._started, slot)

    def _hear(self, slot: int) -> bool | None:
        """Hands on what one process says, to the end of it; None where another thread hears it already."""
        with self._lock:
            known = sorted(self._heard)
        process = ""
        try:
            with self._client.stream(PATH, {"except": known}) as lines:
                for raw in lines:
                    line = _line(raw, self._client.server)
                    if process:
                        self._news.put(_News(slot, line))
                        continue
                    with self._lock:
                        if (process := _process(line, self._client.server)) in self._heard:
                            process = ""
                            return None
                        self._heard.add(process)
                    self._news.put(_News(slot, line, up=True))
        except ProblemError as error:
            if error.status == 409:
                return None
            raise
        finally:
            with self._lock:
                self._heard.discard(process)
        self._news.put(_News(slot, error=CommandError(f"{self._client.server} has ended the connection")))
        return True


def _line(raw: bytes, server: str) -> dict[str, Any]:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or times.parse(line.get("at")) is None:
        raise CommandError(f"{server} broke off in the middle of a line")
    return line


def _process(line: dict[str, Any], server: str) -> str:
    """Who speaks, by the first line of a stream."""
    process, processes = line.get("process"), line.get("processes")
    if line.get("notice") != "listening" or not isinstance(process, str) or not isinstance(processes, int):
        raise CommandError(f"what answers at {server} is not Tocsin: its stream begins otherwise")
    return process
