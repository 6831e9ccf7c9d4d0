"""The reference deployment in time: who is told of an alert, and of an outage that has many alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reference import APP, BY_NAME, CASES, NAIVE, address, text
from world import HOUR, MINUTE, SECOND, World

from routing.decisions import FIRST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from routing.alerts import Arrival

    MakeWorld = Callable[..., Awaitable[World]]

SOME = ["FreeAgenticsSystemDown", "SecurityAnomalyDetected", "HighDatabaseConnections", "FreeEnergyAnomaly",
        "LowInferenceOperationRate", "ResponseQualityDegradation", "SlowBeliefConvergence"]  # fmt: skip


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(text())


def alert(world: World, name: str) -> Arrival:
    labels = dict(BY_NAME[name].labels)
    return world.fires(labels.pop("alertname"), **labels)


def told(world: World, name: str) -> list[tuple[str, str]]:
    """Who is told first; who else, if nobody answers, is tested beside this."""
    first = [note for note in world.notes if note.kind == "ring" and note.message.reason == FIRST]
    return sorted((n.integration, address(n.config)) for n in first if name in n.firing)


@pytest.mark.parametrize("name", SOME)
async def test_those_are_told_whom_the_guide_promises_and_in_its_time(world: World, name: str) -> None:
    await world.take(alert(world, name))
    await world.until(29 * SECOND if BY_NAME[name].labels["severity"] == "medium" else 16 * SECOND)
    assert told(world, name) == ([] if BY_NAME[name].labels["severity"] == "medium" else BY_NAME[name].told)
    await world.until(31 * SECOND)
    assert told(world, name) == BY_NAME[name].told


async def test_a_critical_alert_that_nothing_inhibits_is_told_in_the_same_second(world: World) -> None:
    await world.take(alert(world, "FreeAgenticsSystemDown"))
    assert {note.at for note in world.notes} == {0}


async def test_of_an_outage_with_all_its_alerts_only_the_outage_itself_is_told(world: World) -> None:
    app = [case.name for case in CASES if case.labels["job"] == APP]
    await world.take(*(alert(world, name) for name in reversed(app)))
    await world.until(HOUR)
    assert {name for note in world.notes for name in note.firing} == {"FreeAgenticsSystemDown"}
    assert told(world, "FreeAgenticsSystemDown") == BY_NAME["FreeAgenticsSystemDown"].told


@pytest.mark.parametrize(
    "order",
    [
        ("FreeAgenticsSystemDown", "AgentCoordinationFailure"),
        ("AgentCoordinationFailure", "FreeAgenticsSystemDown"),
    ],
)
@pytest.mark.parametrize("apart", [0, SECOND, MINUTE])
async def test_an_outage_and_the_failure_it_causes_never_silence_each_other(
    world: World, order: tuple[str, str], apart: int
) -> None:
    for at, name in enumerate(order):
        await world.until(at * apart)
        await world.take(alert(world, name))
    await world.until(2 * MINUTE)
    assert told(world, "FreeAgenticsSystemDown") == BY_NAME["FreeAgenticsSystemDown"].told


async def test_what_is_not_of_the_job_that_is_down_is_told_beside_the_outage(world: World) -> None:
    await world.take(alert(world, "FreeAgenticsSystemDown"), alert(world, "HighDiskUsage"))
    await world.until(MINUTE)
    assert told(world, "HighDiskUsage") == BY_NAME["HighDiskUsage"].told


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("HighSystemErrorRate", "HighAPIResponseTime"),
        ("SystemMemoryUsageCritical", "AgentMemoryUsageWarning"),
        ("AgentCoordinationFailure", "HighAgentErrorRate"),
        ("FreeEnergyAnomaly", "SlowBeliefConvergence"),
    ],
)
async def test_what_another_alert_explains_is_not_told_until_that_has_ended(
    world: World, source: str, target: str
) -> None:
    await world.take(alert(world, source), alert(world, target))
    await world.until(10 * MINUTE)
    assert (told(world, source), told(world, target)) == (BY_NAME[source].told, [])
    labels = dict(BY_NAME[source].labels)
    await world.take(world.ends(labels.pop("alertname"), **labels))
    await world.until(20 * MINUTE)
    assert told(world, target) == BY_NAME[target].told


async def test_even_as_people_write_it_in_a_hurry_an_outage_is_told(make_world: MakeWorld) -> None:
    """Alertmanager tells nobody then: of the two, each is a target of the other."""
    world = await make_world(text(NAIVE))
    await world.take(alert(world, "AgentCoordinationFailure"), alert(world, "FreeAgenticsSystemDown"))
    await world.until(MINUTE)
    assert len({name for note in world.notes for name in note.firing}) == 1
    lines = [line for number in (1, 2, 3) for line in await world.timeline(number)]
    assert any("in a circle with" in line for line in lines)
