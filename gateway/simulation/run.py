"""A story by a configuration: `routing/simulator.py` with the plan, people and texts of this service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from config.compile import Plan
    from routing.oncall import Override
    from routing.story import Happening, Notification, Story

LONGEST: Final = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Failure:
    """A service does not take what it is sent.

    `what` is a kind (`slack`), a receiver's name, or a user's. From `since` up to `until` (ms since the epoch).
    `refused`: it says that it never will; else that it may later.
    """

    what: str
    since: int
    until: int
    refused: bool = False


def simulate(
    plan: Plan,
    happenings: Iterable[Happening],
    *,
    began: int,
    until: int | None = None,
    failures: Sequence[Failure] = (),
    overrides: Sequence[Override] = (),
    texts: bool = False,
    tell: Callable[[Notification], None] | None = None,
) -> Story:
    """The story from `began` on, up to `until` or until nothing follows any more, at most `LONGEST`.

    `happenings` are read lazily, in the order of their times. `texts`: notifications carry their message.
    With `tell`, notifications are handed over one by one, lines are dropped, and nothing that is over is kept:
    so a story of any length takes bounded memory.
    """
    raise NotImplementedError
