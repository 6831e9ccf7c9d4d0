"""Tocsin and a plain model of Alertmanager, given the same alerts at the same times, tell the same.

Tocsin is the real one: store, engine and sender on three shards, behind a guard, in virtual time. What they
are given is drawn by hypothesis: episodes that begin, repeat, end and return, late and doubled copies,
several to a body, in groups of three routes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import pytest
from alertmanager_model import Copy, Integration, Model, Route
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from side_by_side import as_arrival, shown, told_in
from world import MINUTE, SECOND, START, World

if TYPE_CHECKING:
    from pathlib import Path

    from alertmanager_model import Told

CONFIG = """
route:
  receiver: hook
  group_by: [cluster]
  group_interval: 5m
  repeat_interval: 37m
  routes:
    - matchers: [team="a"]
      receiver: quiet
      continue: true
      group_by: [alertname]
      group_wait: 0s
      group_interval: 1m
      repeat_interval: 1h
    - matchers: [team=~"a|b"]
      receiver: people
      group_by: [team]
      group_wait: 10s
      group_interval: 40s
receivers:
  - name: hook
    webhook_configs: [{url: "http://hook.test/"}]
  - name: quiet
    webhook_configs: [{url: "http://quiet.test/", send_resolved: false}]
  - name: people
    email_configs: [{to: a@example.com, from: b@example.com, smarthost: "mail.test:25", send_resolved: true}]
    pagerduty_configs: [{routing_key: "0123456789abcdef0123456789abcdef"}]
"""
HOOK = Integration("hook/webhook", ends=True, updates=True)
QUIET = Integration("quiet/webhook", ends=False, updates=True)
MAIL = Integration("people/email", ends=True, updates=False)
PAGER = Integration("people/pagerduty", ends=True, updates=True)
ROOT = Route("root", ("cluster",), 30 * SECOND, 5 * MINUTE, 37 * MINUTE, (HOOK,))
FAST = Route("quiet", ("alertname",), 0, MINUTE, 60 * MINUTE, (QUIET,))
PEOPLE = Route("people", ("team",), 10 * SECOND, 40 * SECOND, 37 * MINUTE, (MAIL, PAGER))
NAMES = {"A": ("1", ""), "B": ("1", ""), "C": ("2", ""), "D": ("1", "a"), "E": ("2", "b"), "F": ("2", "a")}


def routes(labels: dict[str, str]) -> list[Route]:
    found = [FAST] if labels.get("team") == "a" else []
    return [*found, PEOPLE] if labels.get("team") in ("a", "b") else [ROOT]


class News(NamedTuple):
    """One copy. `what`: it begins, fires (the same episode), ends, or tells the end of the one before."""

    name: str
    what: str
    shift: int  # how much earlier than now, or than what is known, its time is


Body = tuple[int, tuple[News, ...]]
Timed = tuple[int, list[Copy]]
gaps = st.sampled_from([1, 7, 20, 44, 46, 100, 290, 400, 2_300]).map(lambda s: s * SECOND)
shifts = st.sampled_from([0, 0, 0, 5, 40, 400]).map(lambda s: s * SECOND)


def news(whats: tuple[str, ...]) -> st.SearchStrategy[News]:
    return st.builds(News, st.sampled_from(sorted(NAMES)), st.sampled_from(whats), shifts)


def bodies(*whats: str, longest: int) -> st.SearchStrategy[list[Body]]:
    body = st.tuples(gaps, st.lists(news(whats), min_size=1, max_size=3).map(tuple))
    return st.lists(body, min_size=1, max_size=longest)


def copies(story: list[Body]) -> list[Timed]:
    """The bodies with their times. No two arrive on one grid of ticks: each has milliseconds of its own."""
    now: int = START
    found: list[Timed] = []
    started: dict[str, list[int]] = {}
    for i, (gap, batch) in enumerate(story, 1):
        now += gap
        at, body = now + i, []
        for name, what, shift in batch:
            cluster, team = NAMES[name]
            labels = tuple(
                {"alertname": name, "cluster": cluster, **({"team": team} if team else {})}.items()
            )
            episodes = started.setdefault(name, [])
            if what == "begins" or not episodes:
                episodes.append(at - shift)
            start = episodes[-1]
            if what == "old end":
                body.append(Copy(name, labels, episodes[0], max(start - 1, 1)))
            elif what == "ends":
                body.append(Copy(name, labels, start, max(at - shift, start)))
            else:
                body.append(Copy(name, labels, start - (shift if what == "fires" else 0), 0))
        found.append((at, body))
    return found


def said_twice(story: list[Body], delays: list[int]) -> list[Timed]:
    """Each body from both of a pair: one sender is late by the first delay, the other by the second."""
    said = copies(story)
    both = [
        (at + delay * SECOND + sender * 300, body) for sender, delay in enumerate(delays) for at, body in said
    ]
    return sorted(both, key=lambda one: one[0])


async def told_by_tocsin(url: str, folder: Path, bodies: list[Timed], rest: int) -> list[Told]:
    async with Redis.from_url(url) as redis:
        await redis.flushall()
    world = await World.make(url, folder, CONFIG)
    try:
        for at, body in bodies:
            await world.until(at - START)
            await world.take(*map(as_arrival, body))
        await world.until(world.now - START + rest)
        return told_in(world)
    finally:
        await world.close()


def told_by_model(bodies: list[Timed], rest: int) -> list[Told]:
    model, at = Model(routes), START
    for at, body in bodies:
        model.receive(body, at)
    model.run(at + rest)
    return model.told


def agree(url: str, folder: Path, bodies: list[Timed], rest: int = 100 * MINUTE) -> None:
    real = asyncio.run(told_by_tocsin(url, folder, bodies, rest))
    assert shown(real) == shown(told_by_model(bodies, rest))


# In CI always the same stories, so that a failure is its change's; by hand (`-m long`) always others.
profile = settings(
    max_examples=50,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
long = settings(profile, max_examples=1_000, derandomize=False)
plain = given(story=bodies("begins", "ends", longest=8))
all_kinds = given(story=bodies("begins", "fires", "ends", "old end", longest=14))
pair = given(
    story=bodies("begins", "fires", "ends", longest=8),
    delays=st.lists(st.sampled_from([0, 1, 15, 30, 44, 60]), min_size=2, max_size=2),
)


@profile
@plain
def test_episodes_begin_and_end(redis_server: str, tmp_path: Path, story: list[Body]) -> None:
    agree(redis_server, tmp_path, copies(story))


@profile
@all_kinds
def test_copies_come_again_and_late(redis_server: str, tmp_path: Path, story: list[Body]) -> None:
    agree(redis_server, tmp_path, copies(story))


@profile
@pair
def test_two_alertmanagers_say_the_same_at_different_times(
    redis_server: str, tmp_path: Path, story: list[Body], delays: list[int]
) -> None:
    agree(redis_server, tmp_path, said_twice(story, delays))


@pytest.mark.long
@long
@plain
def test_many_episodes_begin_and_end(redis_server: str, tmp_path: Path, story: list[Body]) -> None:
    agree(redis_server, tmp_path, copies(story))


@pytest.mark.long
@long
@all_kinds
def test_many_copies_come_again_and_late(redis_server: str, tmp_path: Path, story: list[Body]) -> None:
    agree(redis_server, tmp_path, copies(story))


@pytest.mark.long
@long
@pair
def test_two_alertmanagers_say_much_at_different_times(
    redis_server: str, tmp_path: Path, story: list[Body], delays: list[int]
) -> None:
    agree(redis_server, tmp_path, said_twice(story, delays))
