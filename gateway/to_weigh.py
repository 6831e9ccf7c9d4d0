"""A group as it is read to be weighed: its alerts at one moment, and by what each is held so far."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from gateway.store import keys, reading
from routing.weighing import ToWeigh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from gateway.store.arguments import Generation
    from gateway.store.store import Store
    from routing.silences import Silences

PAGE: Final = 500
WHOLE: Final = 1_000  # alerts up to which a group is always weighed as a whole


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it was read, at one moment, before anything was asked."""

    generation: Generation  # of the plan by which it is judged
    marks: int
    seq: int
    weighed: int
    opened: int
    whole: bool
    version: int
    silences: Silences
    now: int
    alerts: Sequence[ToWeigh]


async def read(
    store: Store, shard: int, gid: str, generation: Generation, newest: Awaitable[tuple[int, Silences]]
) -> Group:
    """What is to be judged of a group, by the newest silences: all of it, or what is new since it was last.

    `newest` is asked for at the same time: the silences and their version.
    """
    at = keys.prefix(shard)
    now, (version, silences), head, firing, held, waits = await asyncio.gather(
        store.now(shard),
        newest,
        store.read("HMGET", f"{at}:g:{gid}", "marks", "judged", "weighed", "seq", "by", "opened"),
        store.read("ZRANGE", f"{at}:f:{gid}", 0, -1, "WITHSCORES"),
        store.read("HGETALL", f"{at}:h:{gid}"),
        store.read("ZRANGE", f"{at}:y:{gid}", 0, -1, "WITHSCORES"),
    )
    marks, judged, weighed, seq, version_then, opened = (int(value or 0) for value in head)
    waiting = {key: int(score) for key, score in waits}
    held = held if isinstance(held, dict) else dict(zip(held[::2], held[1::2], strict=True))
    # The silences may have changed since, and nobody has walked by here yet.
    whole = marks != judged or version_then < version or len(firing) + len(held) <= WHOLE
    wanted = [(key, int(rev), "") for key, rev in firing if whole or int(rev) > weighed]
    wanted += [(key, 0, by) for key, by in held.items() if whole or 0 < waiting.get(key, 0) <= now]
    alerts = [
        alert
        for start in range(0, len(wanted), PAGE)
        for alert in await _alerts(store, at, gid, wanted[start : start + PAGE], waiting)
    ]
    return Group(generation, marks, seq, weighed, opened, whole, version, silences, now, alerts)


async def _alerts(
    store: Store, at: str, gid: str, wanted: Sequence[tuple[str, int, str]], waiting: Mapping[str, int]
) -> list[ToWeigh]:
    named = [key for key, _, _ in wanted]
    states, contents = await store.together(
        [("HMGET", f"{at}:s:{gid}", *named), ("HMGET", f"{at}:c:{gid}", *named)]
    )
    found = []
    for (key, revision, was), state, content in zip(wanted, states, contents, strict=True):
        if state and (labels := reading.labels_of(content)) is not None:
            _, starts_at, _, _, _, _, _, _, rank, *_ = orjson.loads(state)
            found.append(ToWeigh(key, labels, int(rank), int(starts_at), revision, was, waiting.get(key, 0)))
    return found
