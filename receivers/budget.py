"""What a template may use up: time, and room for what it makes.

Loops, calls and filters of a template look at the clock with `tick`; every value that they make goes over
the scales with `weigh`. Which steps these are is decided in `sandbox.py`. Between two looks a template can
do only what is small, so that the limit of time holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, MappingView
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any, ClassVar, Final, cast

MAX_TEXT: Final = 262_144
"""Characters that a template may print, and that one value in it may have."""

_MAX_WEIGHT: Final = 4 * MAX_TEXT
_ITEM: Final = 64  # of a list, beside its text: some steps take the square of their number
MAX_ITEMS: Final = 10_000

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


class LimitError(Exception):
    """The template wanted more time or room than it gets."""


class Weighed:
    """Something of ours that a template may hold: it knows how many characters printing it could take."""

    fields: ClassVar[frozenset[str]] = frozenset()
    weight: int = 0


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Within this block every template must be done in `seconds` of wall time."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def tick() -> None:
    """One step of a template. Raises `LimitError` when its time is over."""
    if time.monotonic() > _deadline.get():
        raise LimitError("it took too long; is there a loop in a loop?")


def weigh(value: Any) -> Any:
    """`value` itself, if printing it would stay small; shared parts count as often as they are printed."""
    total, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            total += len(item) + 4
        elif isinstance(item, Weighed):
            total += item.weight
        elif isinstance(item, Mapping):
            total += _ITEM * len(item) + _ITEM
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple | set | frozenset | MappingView):
            total += _ITEM * len(item) + _ITEM
            waiting.extend(cast("Iterable[Any]", item))
        else:
            total += 16
        if total > _MAX_WEIGHT:
            raise LimitError("a value in it grew too large")
    return value


def printed(pieces: Iterable[str]) -> str:
    """What a template prints, piece by piece, until it is too much."""
    taken, room = [], MAX_TEXT
    for piece in pieces:
        tick()
        room -= len(piece)
        if room < 0:
            raise LimitError(f"it prints more than {MAX_TEXT:,} characters")
        taken.append(piece)
    return "".join(taken)


def take(items: Iterable[Any]) -> list[Any]:
    """All items, at most `MAX_ITEMS` of them, with a look at the clock for each."""
    taken = []
    for item in islice(items, MAX_ITEMS + 1):
        tick()
        taken.append(item)
    if len(taken) > MAX_ITEMS:
        raise LimitError(f"a list in it has more than {MAX_ITEMS:,} items")
    return taken
