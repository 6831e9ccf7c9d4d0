"""Silences agree with the real Alertmanager: the same requests, made of its API, step by step.

After each step its answer is what the next one begins from, so that milliseconds between two clocks say
nothing. Times are chosen away from the moments at which they would.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from alertmanagers import alertmanager

from gateway.payload import read_time
from routing.matchers import Matcher, from_json, to_json
from routing.silence_changes import InvalidSilenceError, Wanted, expire, put
from routing.silences import Silence, State, has_all, in_order, state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.e2e

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
STEPS = 150
MATCHERS = [
    (Matcher("a", "=", "b"),),
    (Matcher("a", "=", "b"), Matcher("c", "=~", "d|e")),
    (Matcher("a", "!=", "b"),),
    (Matcher("a", "!~", ".+"), Matcher("b", "=", "")),
    (Matcher("a", "=", ""),),
    (Matcher("a", "=~", ".*"), Matcher("b", "=~", "|c")),
    (Matcher("a", "=~", ".+"), Matcher("b", "=", "")),
]
START_S = [-3_600, -60, 600, 1_200]
END_S = [-60, 300, 900, 1_800, 3_600]


def as_text(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).isoformat()


class Peer:
    """Alertmanager's silences, as ours."""

    def __init__(self, client: ClientSession, url: str) -> None:
        self._client = client
        self._url = f"{url}/api/v2/silence"

    async def post(self, wanted: Wanted) -> str | None:
        """The id that it answers, None where it refuses."""
        assert wanted.starts_at is not None
        body: dict[str, Any] = {
            "matchers": [to_json(one) for one in wanted.matchers],
            "startsAt": as_text(wanted.starts_at),
            "endsAt": as_text(wanted.ends_at),
            "createdBy": wanted.created_by,
            "comment": wanted.comment,
        } | ({"id": wanted.id} if wanted.id else {})
        async with self._client.post(f"{self._url}s", json=body) as response:
            answer = await response.json()
            return answer["silenceID"] if response.status == 200 else None

    async def delete(self, identity: str) -> None:
        async with self._client.delete(f"{self._url}/{identity}") as response:
            assert response.status == 200

    async def all(self, *filters: Matcher) -> list[Silence]:
        """In its order."""
        query = [("filter", str(one)) for one in filters]
        async with self._client.get(f"{self._url}s", params=query) as response:
            return [_silence(one) for one in await response.json()]


def _silence(found: dict[str, Any]) -> Silence:
    starts_at, ends_at, updated_at = (read_time(found[name]) for name in ("startsAt", "endsAt", "updatedAt"))
    matchers = tuple(map(from_json, found["matchers"]))
    return Silence(
        found["id"],
        matchers,
        starts_at or 0,
        ends_at or 0,
        found["createdBy"],
        found["comment"],
        updated_at or 0,
    )


@pytest.fixture
async def peer(require_peer: Callable[[str], str], tmp_path: Path) -> AsyncIterator[Peer]:
    program = alertmanager(require_peer("prometheus-alertmanager"), tmp_path, "am", CONFIG)
    await program.start()
    async with ClientSession() as client:
        yield Peer(client, program.url)
    await program.finish()


def a_wish(chance: random.Random, known: list[Silence], now: int) -> Wanted:
    wanted = Wanted(
        matchers=chance.choice(MATCHERS),
        starts_at=now + 1_000 * chance.choice(START_S),
        ends_at=now + 1_000 * chance.choice(END_S),
        created_by=chance.choice(["dana", "kim"]),
        comment=chance.choice(["this", "that"]),
    )
    if not known or chance.random() < 0.4:
        return wanted
    old = chance.choice(known)
    same = {"matchers": old.matchers, "starts_at": old.starts_at}
    return replace(wanted, id=old.id, **{name: same[name] for name in same if chance.random() < 0.7})


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_change_keeps_replaces_or_refuses_as_alertmanager_does(peer, seed):
    chance = random.Random(seed)
    seen = set()
    for _ in range(STEPS):
        now = time.time_ns() // 1_000_000
        known = await peer.all()
        wanted = a_wish(chance, known, now)
        old = next((one for one in known if one.id == wanted.id), None)
        if old and chance.random() < 0.2:
            await peer.delete(old.id)
            ours = expire(old, now)
            (theirs,) = [one for one in await peer.all() if one.id == old.id]
            close(ours, theirs)
            seen.add("deleted")
            continue
        answer = await peer.post(wanted)
        try:
            change = put(wanted, old, now, answer or "refused")
        except InvalidSilenceError:
            assert answer is None, wanted
            seen.add("refused")
            continue
        assert change.silence.id == answer, (wanted, old)
        found = {one.id: one for one in await peer.all()}
        close(change.silence, found[answer])
        if change.ended:
            close(change.ended, found[change.ended.id])
        seen.add("replaced" if change.ended else "kept" if answer == wanted.id else "made")
        assert len(found) == len(known) + (answer not in {one.id for one in known})
    assert seen == {"made", "kept", "replaced", "deleted", "refused"}


def close(ours: Silence, theirs: Silence) -> None:
    """The same but for the milliseconds between two clocks."""
    same = {"starts_at": 0, "ends_at": 0, "updated_at": 0}
    assert replace(ours, **same) == replace(theirs, **same)
    assert abs(ours.starts_at - theirs.starts_at) < 1_000
    assert abs(ours.ends_at - theirs.ends_at) < 1_000


def place(silence: Silence, now: int) -> tuple[State, int]:
    """By what it is sorted: two may have the same."""
    which = state(silence, now)
    return which, silence.starts_at if which is State.PENDING else silence.ends_at


async def test_the_list_has_alertmanagers_order_and_filter(peer):
    chance = random.Random(3)
    for _ in range(30):
        now = time.time_ns() // 1_000_000
        identity = await peer.post(
            replace(a_wish(chance, [], now), starts_at=now + chance.randrange(-9, 9) * 60_000)
        )
        if identity and chance.random() < 0.3:
            await peer.delete(identity)
    now = time.time_ns() // 1_000_000
    found = await peer.all()
    assert {state(one, now) for one in found} == set(State)
    shuffled = chance.sample(found, len(found))
    assert [place(one, now) for one in in_order(shuffled, now)] == [place(one, now) for one in found]
    for filters in (
        (Matcher("a", "=", "b"),),
        MATCHERS[1],
        (Matcher("b", "=", ""), Matcher("a", "!~", ".+")),
    ):
        ours = {one.id for one in found if has_all(one, filters)}
        assert ours == {one.id for one in await peer.all(*filters)}
