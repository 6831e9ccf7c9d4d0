"""The table of `routing/alerts.py` and the one in `alert.lua` say the same of every copy of every alert."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.scripts import source
from routing.alerts import Arrival, Dedup, Known, News, Status, arrive, expire, next_deadline

NOW = 1_700_000_000_000
DEDUP = Dedup()
SCRIPT = f"""
{source("alert")}
local dedup, k, t = cjson.decode(ARGV[1]), cjson.decode(ARGV[2]), tonumber(ARGV[3])
local copy, said = cjson.decode(ARGV[4]), nil
if copy == cjson.null then
  local at = deadline(k, dedup)
  return {{ expire(k, t, dedup), cjson.encode(k), at }}
end
said = arrive(k, copy.firing, copy.start, copy.ended, copy.till, t, dedup)
return {{ said, cjson.encode(k), 0 }}
"""

# Around now and around each other, on both sides of every boundary of the table.
moments = st.sampled_from(
    [NOW + d for d in (-400_000, -60_001, -60_000, -45_001, -45_000, -44_999, -1, 0, 1, 60_000)]
)
later = st.sampled_from([0, NOW + 1, NOW + 60_000])


@st.composite
def knowns(draw: st.DrawFn) -> Known | None:
    if draw(st.integers(0, 5)) == 0:
        return None
    start, latest = sorted((draw(moments), draw(moments)))
    ended = draw(st.sampled_from([0, NOW - 400_000, NOW - 45_000, NOW - 1, NOW]))
    return Known(
        draw(st.sampled_from(Status)),
        start,
        latest,
        ended,
        draw(moments) if ended else 0,
        draw(later),
        draw(moments),
    )


@st.composite
def copies(draw: st.DrawFn) -> Arrival:
    if draw(st.booleans()):
        return Arrival("k", {}, {}, "firing", draw(moments), None, draw(later) or None, "")
    return Arrival("k", {}, {}, "resolved", draw(moments), draw(st.none() | moments), None, "")


def as_array(known: Known | None) -> list[Any]:
    if known is None:
        return ["", 0, 0, 0, 0, 0, 0, 0, 2, 0, 0]
    status, *numbers = asdict(known).values()
    return [status.value, *map(int, numbers), 2, 0, 0]


def of_array(row: list[Any]) -> Known:
    return Known(Status(row[0]), *row[1:7], bool(row[7]))


def run(url: str, *args: Any) -> tuple[str, Known, int]:
    client = _clients.setdefault(url, redis.Redis.from_url(url))
    said, array, at = client.eval(SCRIPT, 0, *(json.dumps(arg) for arg in args))
    return said.decode(), of_array(json.loads(array)), at


_clients: dict[str, redis.Redis] = {}
once = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@once
@given(known=knowns(), copy=copies())
def test_a_copy_means_the_same_to_both(redis_server: str, known: Known | None, copy: Arrival) -> None:
    expected, news = arrive(known, copy, NOW, DEDUP)
    row = {
        "firing": copy.status == "firing",
        "start": copy.starts_at,
        "ended": copy.ends_at or 0,
        "till": copy.until or 0,
    }
    said, became, _ = run(redis_server, asdict(DEDUP), as_array(known), NOW, row)
    assert (News(said), became) == (news, expected)


@once
@given(known=knowns())
def test_a_deadline_means_the_same_to_both(redis_server: str, known: Known | None) -> None:
    if known is None or (at := next_deadline(known, DEDUP)) is None:
        return
    expected, news = expire(known, NOW, DEDUP)
    said, became, deadline = run(redis_server, asdict(DEDUP) | {"remember": 0}, as_array(known), NOW, None)
    assert (News(said), became, deadline) == (news, expected, at)
