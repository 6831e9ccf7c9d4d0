"""What of a story did not come: steps that were passed, and those that an answer or the end came before.

The first are lines of the story; the others nobody says, as nothing happens: they follow from the clocks of
each incident (`routing/clocks.py`) as the story left it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from routing.clocks import planned
from routing.incident_records import Status
from routing.telling import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from routing.incident_records import Incident
    from routing.policies import Policy, Unless
    from routing.story import Story

_STEP: Final = re.compile(r"(?:.*, )?step (\d+)\b")


class Skipped(NamedTuple):
    """`step` from 1, 0 where none is meant; `at` is when it would have come (ms); `target` may be ""."""

    at: int
    incident: int
    step: int
    target: str
    why: str


def skipped(story: Story, policies: Mapping[str, Policy]) -> list[Skipped]:
    """In the order of time; without `policies`, only what the story itself says."""
    said = (
        Skipped(line.at, line.incident, _step(line.text), line.target, line.text)
        for line in story.lines
        if line.kind in ("passed", "skipped")
    )
    never = (one for incident in story.incidents.values() for one in _never(incident, policies))
    return sorted([*said, *never], key=lambda one: (one.at, one.incident, one.step))


def _step(text: str) -> int:
    found = _STEP.match(text)
    return int(found[1]) if found else 0


def _never(incident: Incident, policies: Mapping[str, Policy]) -> Iterator[Skipped]:
    for number, clock in enumerate(incident.clocks):
        policy = policies.get(clock.policy)
        for position, step in enumerate(policy.steps if policy else ()):
            if position not in clock.done:
                at = planned(clock, step)
                name, because = name_of(incident, number, position), _because(incident, step.unless, at)
                yield Skipped(at, incident.number, position + 1, "", f"{name} does not come: {because}")


def _because(incident: Incident, unless: Unless, at: int) -> str:
    ack = incident.ack
    if ack and unless == "acknowledged" and ack.at <= at and (not ack.until or at < ack.until):
        return f"{ack.by} has it in hand"
    if incident.status is Status.RESOLVED:
        return "it is over"
    return "nobody is told now" if incident.suppressed else "the simulation ends before"
