"""The reference deployment's escalation table to the minute: every row, answered and not, at each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reference import BY_NAME, text
from world import MINUTE, SECOND, Note, World

from routing.events import Acknowledged

if TYPE_CHECKING:
    from conftest import MakeWorld

CRITICAL, HIGH, MEDIUM = "HighSystemErrorRate", "HighAPIResponseTime", "KnowledgeGraphGrowthRate"
SECURITY, DOWN = "HighAuthenticationFailures", "FreeAgenticsSystemDown"
WAIT = {CRITICAL: 0, DOWN: 0, HIGH: 15 * SECOND, SECURITY: 15 * SECOND, MEDIUM: 30 * SECOND}

PAGED = "critical-escalation, pagerduty, slack"
AS_CRITICAL = [(120, PAGED), (125, "management"), (135, "c-level")]
AS_HIGH = [(120, "slack"), (135, "lead"), (180, "manager"), (240, PAGED.replace(", ", ", management, ", 1))]
TABLE = [
    # alert, acknowledged at (minute), ended at, who is rung at which minute
    (CRITICAL, None, 300, [(0, PAGED), (5, "management"), (15, "c-level")]),
    (CRITICAL, 3, 300, [(0, PAGED), (15, "c-level")]),
    (CRITICAL, 7, 300, [(0, PAGED), (5, "management"), (15, "c-level")]),
    (CRITICAL, 3, 12, [(0, PAGED)]),
    (CRITICAL, None, 4, [(0, PAGED)]),
    (CRITICAL, None, 12, [(0, PAGED), (5, "management")]),
    (DOWN, None, 300, [(0, "system-down-escalation"), (5, "management"), (15, "c-level")]),
    (DOWN, 4, 300, [(0, "system-down-escalation"), (15, "c-level")]),
    (HIGH, None, 300, [(0, "slack"), (15, "lead"), (60, "manager"), *AS_CRITICAL]),
    (HIGH, 10, 300, [(0, "slack"), (60, "manager"), *AS_CRITICAL]),
    (HIGH, 20, 300, [(0, "slack"), (15, "lead"), (60, "manager"), *AS_CRITICAL]),
    (HIGH, 121, 300, [(0, "slack"), (15, "lead"), (60, "manager"), (120, PAGED), (135, "c-level")]),
    (HIGH, 10, 59, [(0, "slack")]),
    (HIGH, None, 119, [(0, "slack"), (15, "lead"), (60, "manager")]),
    (SECURITY, None, 59, [(0, "slack"), (10, "lead")]),
    (SECURITY, 9, 300, [(0, "slack"), (60, "manager"), *AS_CRITICAL]),
    (MEDIUM, None, 119, [(0, "slack"), (30, "slack")]),
    (MEDIUM, 20, 119, [(0, "slack")]),
    (MEDIUM, 20, 239, [(0, "slack"), (120, "slack"), (135, "lead"), (180, "manager")]),
    (MEDIUM, None, 300, [(0, "slack"), (30, "slack"), *AS_HIGH, (245, "management"), (255, "c-level")]),
    (MEDIUM, 130, 300, [(0, "slack"), (30, "slack"), (120, "slack"), (180, "manager"), AS_HIGH[-1],
                        (245, "management"), (255, "c-level")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "acknowledged", "ended", "expected"), TABLE, ids=[f"{row[0]} {row[1]} {row[2]}" for row in TABLE]
)
async def test_those_are_rung_whom_the_guide_promises_and_at_their_minute(
    make_world: MakeWorld, name: str, acknowledged: int | None, ended: int, expected: list[tuple[int, str]]
) -> None:
    world = await make_world(text())
    labels = dict(BY_NAME[name].labels)
    alert = labels.pop("alertname")
    await world.take(world.fires(alert, **labels))
    if acknowledged is not None:
        await world.until(WAIT[name] + acknowledged * MINUTE)
        await world.answer(escalated(world)[0].message.incident, Acknowledged("dana", "command line"))
    await world.until(WAIT[name] + ended * MINUTE)
    await world.take(world.ends(alert, **labels))
    await world.until(600 * MINUTE)
    assert rung(world, WAIT[name]) == expected
    told, ended_for = ({n.receiver for n in world.notes if n.kind == kind} for kind in ("ring", "end"))
    assert told == ended_for


def escalated(world: World) -> list[Note]:
    """Without the channels that some alerts are told in besides, by plain receivers."""
    return [note for note in world.notes if note.message.escalates]


def rung(world: World, wait: int) -> list[tuple[int, str]]:
    """(minute, who), a team's ways without the team."""
    minutes: dict[int, set[str]] = {}
    for note in escalated(world):
        if note.kind == "ring":
            minutes.setdefault(round((note.at - wait) / MINUTE), set()).add(note.receiver.split(": ")[-1])
    return [(minute, ", ".join(sorted(who))) for minute, who in sorted(minutes.items())]
