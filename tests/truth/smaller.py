"""The smallest world that still differs: whatever can be left out of a drawn one is left out."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

Path = tuple[Any, ...]
_NEEDED = frozenset({"began", "config", "happens", "ends", "later", "failures", "overrides"})
_KEPT = frozenset({"global", "external_url", "auth"})  # who is told where, which decides nothing


async def smallest(drawn: Drawn, differs: Callable[[Drawn], Awaitable[bool]], seconds: float = 60) -> Drawn:
    """Leaves out parts, the largest first, as long as the rest `differs` and there is time."""
    kept = asdict(drawn)
    end = time.monotonic() + seconds
    size = 0
    while size != (size := len(json.dumps(kept))):
        for path in sorted(_parts(kept), key=lambda one: -one[0]):
            if time.monotonic() > end:
                return Drawn(**kept)
            smaller = _without(kept, path[1])
            if smaller is not None and await differs(Drawn(**deepcopy(smaller))):
                kept = smaller
    return Drawn(**kept)


def _parts(world: dict[str, Any]) -> Iterator[tuple[int, Path]]:
    """What can be left out, with its size. Of a list the last first, so that the others keep their places."""

    def walk(value: Any, path: Path) -> Iterator[tuple[int, Path]]:
        items: list[tuple[Any, Any]] = []
        if isinstance(value, dict):
            items = list(value.items())
        elif isinstance(value, list):
            items = list(reversed(list(enumerate(value))))
        for key, child in items:
            here = (*path, key)
            if key in _KEPT:
                continue
            if not (len(here) == 1 and key in _NEEDED):
                yield len(json.dumps(child)), here
            yield from walk(child, here)

    yield from walk(world, ())


def _without(world: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """None where something around it has gone already."""
    smaller = deepcopy(world)
    inside: Any = smaller
    try:
        for key in path[:-1]:
            inside = inside[key]
        del inside[path[-1]]
    except (KeyError, IndexError, TypeError):
        return None
    return smaller
