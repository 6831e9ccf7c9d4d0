"""Tocsin and a plain model of escalation, given the same, ring the same people at the same moments.

Tocsin is the real one: store, engine, sender and answers on three shards, in virtual time. Policies, people,
alerts and answers are drawn by hypothesis (`escalation_stories.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from escalation_model import Model, Silence, Told
from escalation_stories import ALERTS, Happens, answered, asked, houses, stories, yaml_of
from hypothesis import HealthCheck, Phase, assume, given, settings
from redis.asyncio import Redis
from world import HOUR, START, World

from gateway.answers import AnswerError, NoSuchIncidentError
from receivers.base import Refused, Sent
from routing.events import Acknowledged, Escalated, Reassigned, Resolved, ResponderAdded, Unacknowledged
from routing.matchers import parse_matchers
from routing.policies import Target
from routing.silence_changes import Wanted

if TYPE_CHECKING:
    from pathlib import Path

    from escalation_model import House

    from routing.events import Answer

REST = HOUR


def timed(story: list[Happens]) -> list[tuple[int, Happens]]:
    """Each happening with its moment, which has milliseconds of its own; an outage passes before the next."""
    now, found = 0, []
    for i, happens in enumerate(story, 1):
        now += happens.gap
        found.append((now + i, happens))
        now += happens.lasts if happens.what == "skip" else 0
    return found


def told_by_model(house: House, story: list[Happens]) -> Model:
    model = Model(house)
    for at, (_, what, who, number, target, lasts) in timed(story):
        model.run(at)
        if what == "fires":
            model.fires(ALERTS[who])
        elif what == "ends":
            model.ends(who)
        elif what == "silence":
            model.silence(Silence(who, at, at + lasts))
        elif what == "skip":
            model.skip(at + lasts)
        elif what == "snooze":
            model.answer(number, "acknowledge", who, at + lasts)
        else:
            model.answer(number, what, who, target=target)
        model.run(at)
    model.run(model.now + REST)
    return model


async def told_by_tocsin(url: str, folder: Path, house: House, story: list[Happens]) -> list[Told]:
    async with Redis.from_url(url) as redis:
        await redis.flushall()
    world = await World.make(url, folder, yaml_of(house))
    world.recorder.answer = lambda m: Refused("no such key") if m.receiver in house.refuses else Sent()
    try:
        started: dict[str, int] = {}
        for at, happens in timed(story):
            await world.until(at)
            await happen(world, at, happens, started)
        await world.until(world.now - START + REST)
        return [
            Told(note.at, note.kind, note.receiver, note.message.incident)
            for note in world.notes
            if note.kind != "update"
        ]
    finally:
        await world.close()


async def happen(world: World, at: int, happens: Happens, started: dict[str, int]) -> None:
    _, what, who, number, target, lasts = happens
    if what == "fires":
        start = started.setdefault(who, at)
        await world.take(world.fires(who, start, **labels(who)))
    elif what == "ends":
        if who in started:
            await world.take(world.ends(who, started.pop(who), **labels(who)))
    elif what == "silence":
        wanted = Wanted(
            matchers=parse_matchers(f'alertname=~"[{who}]"'),
            starts_at=START + at,
            ends_at=START + at + lasts,
            created_by="dana",
            comment="x",
        )
        await world.holds.silence_store.put(wanted)
        await world.settle()
    elif what == "skip":
        world.listening = False
        await world.pass_to(at + lasts)
        world.listening = True
        await world.until(at + lasts)
    else:
        with contextlib.suppress(NoSuchIncidentError, AnswerError):
            await world.answer(number, as_answer(what, who, target, START + at + lasts))


def labels(name: str) -> dict[str, str]:
    return {"cluster": ALERTS[name].group, "severity": ALERTS[name].severity}


def as_answer(what: str, who: str, target: str, until: int) -> Answer:
    kind, _, name = target.partition(":")
    via = "HTTP"
    match what:
        case "acknowledge":
            return Acknowledged(who, via)
        case "snooze":
            return Acknowledged(who, via, until)
        case "unacknowledge":
            return Unacknowledged(who, via)
        case "resolve":
            return Resolved(who, via)
        case "escalate":
            return Escalated(who, via)
        case "reassign" if kind == "policy":
            return Reassigned(who, via, policy=name)
        case "reassign":
            return Reassigned(who, via, Target(kind, name))  # type: ignore[arg-type]  # one of the kinds
        case _:
            return ResponderAdded(who, via, Target(kind, name))  # type: ignore[arg-type]  # as above


def shown(told: list[Told]) -> list[str]:
    return [f"{at / 1000:.3f} {kind} {place} #{number}" for at, kind, place, number in sorted(told)]


def agree(url: str, folder: Path, house: House, story: list[Happens]) -> None:
    model = told_by_model(house, story)
    assume(not model.unsaid)
    real = asyncio.run(told_by_tocsin(url, folder, house, story))
    assert shown(real) == shown(model.told)


# In CI always the same stories, so that a failure is its change's; by hand (`-m long`) always others.
profile = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    phases={Phase.generate},  # a story that differs is soon found, and long in the shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
long = settings(profile, max_examples=1_000, derandomize=False)


@profile
@given(house=houses(), story=stories(answered, asked))
def test_people_are_rung_as_the_model_says(
    redis_server: str, tmp_path: Path, house: House, story: list[Happens]
) -> None:
    agree(redis_server, tmp_path, house, story)


@pytest.mark.long
@long
@given(house=houses(), story=stories(answered, asked))
def test_many_are_rung_as_the_model_says(
    redis_server: str, tmp_path: Path, house: House, story: list[Happens]
) -> None:
    agree(redis_server, tmp_path, house, story)
