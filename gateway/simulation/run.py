"""A story by a configuration: `routing/simulator.py` with the plan, people and texts of this service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.simulation.town import PlanTown
from routing.delivery import Failed, Rejected
from routing.simulator import Simulator
from routing.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from config.compile import Plan
    from gateway.simulation.town import Answer
    from receivers.base import Kind
    from routing.oncall import Override
    from routing.story import Happening, Notification

LONGEST: Final = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Failure:
    """A service does not take what it is sent, from `since` up to `until` (ms since the epoch).

    `what` is a kind (`slack`), a receiver's name, or a user's. `refused`: it says that it never will; else
    that it may later.
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
    answer: Answer | None = None,
    overrides: Sequence[Override] = (),
    texts: bool = False,
    tell: Callable[[Notification], None] | None = None,
    watch: Callable[[Story], None] = lambda _: None,
) -> Story:
    """The story from `began` on, up to `until` or until nothing follows any more, at most `LONGEST`.

    `happenings` are read lazily, in the order of their times. `texts`: notifications carry their message.
    With `tell`, notifications are handed over one by one, lines are dropped, and nothing that is over is
    kept: so a story of any length takes bounded memory. `answer` says what receivers answer, instead of
    `failures`. `watch` sees the story before each decision; what it raises ends it.
    """
    story = Story(began)
    town = PlanTown(overrides, answer or _answer(failures), texts=texts, heed=lambda: watch(story))
    say = None if tell else story.lines.append
    world = Simulator(town, plan, began, tell=tell or story.notifications.append, say=say)
    end = began + LONGEST if until is None else until
    story.cut = world.run(happenings, end)
    story.reached = world.reached
    story.incidents = world.incidents
    ends = [one.at for one in story.notifications[-1:]] + [one.at for one in story.lines[-1:]]
    last = max(ends, default=began)
    story.ended = end if until is not None or story.cut else last
    return story


def _answer(failures: Sequence[Failure]) -> Answer:
    def answer(what: Kind, fields: Mapping[str, Any], now: int) -> Failed | Rejected | None:
        del what
        names = (fields["kind"], fields["receiver"], fields["person"])
        for one in failures:
            if one.what in names and one.since <= now < one.until:
                if one.refused:
                    return Rejected("it refuses everything (as was asked for)")
                return Failed("it is away (as was asked for)")
        return None

    return answer
