"""Prometheus' `ALERTS` series become arrivals: each alert fires, is repeated and ends as it did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulation.replay import ReplayError, happenings
from gateway.simulation.series import STEP, TooMuchError, from_prometheus

if TYPE_CHECKING:
    from pathlib import Path

AT = 1_795_424_000_000
HOUR = 3_600_000


def answer(**fires: list[int]) -> dict[str, Any]:
    """What Prometheus says if these alerts fired at these times (ms)."""
    result = [
        {
            "metric": {"__name__": "ALERTS", "alertname": name, "alertstate": "firing", "team": "db"},
            "values": [[at / 1000, "1"] for at in times],
        }
        for name, times in fires.items()
        if times
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def told(happened) -> list[tuple[int, str, str]]:
    """Minutes since `AT`, the alert and its status."""
    return [
        ((one.at - AT) // STEP, each.labels["alertname"], each.status)
        for one in happened
        for each in one.arrivals
    ]


def minutes(*at: int) -> list[int]:
    return [AT + one * STEP for one in at]


@pytest.fixture
def read(tmp_path: Path):
    def read(document: object) -> list[Any]:
        path = tmp_path / "answer.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return list(happenings(path))

    return read


def test_an_alert_fires_at_its_first_step_and_ends_one_after_its_last(read):
    found = read(answer(Down=minutes(0, 1, 2, 7, 8), Slow=minutes(1, 2, 3, 4, 5, 6, 7, 8, 9)))
    assert told(found) == [
        (0, "Down", "firing"),
        (1, "Slow", "firing"),
        (3, "Down", "resolved"),
        (7, "Down", "firing"),
        (9, "Down", "resolved"),
    ]
    first = found[0].arrivals[0]
    assert first.labels == {"alertname": "Down", "team": "db"}
    assert (first.starts_at, first.ends_at, found[0].stays) == (AT, None, True)
    assert found[2].arrivals[0].ends_at == AT + 3 * STEP


def test_what_fires_for_long_is_repeated(read):
    found = read(answer(Down=minutes(*range(601))))
    assert told(found) == [(0, "Down", "firing"), (240, "Down", "firing"), (480, "Down", "firing")]
    assert {one.arrivals[0].starts_at for one in found} == {AT}


def test_pending_alerts_do_not_fire(read):
    document = answer(Down=minutes(0), Slow=minutes(0))
    document["data"]["result"][1]["metric"]["alertstate"] = "pending"
    assert told(read(document)) == [(0, "Down", "firing")]


TIMES = st.lists(st.integers(0, 3_000), unique=True).map(sorted)


@given(down=TIMES, slow=TIMES, limit=st.integers(10, 400))
def test_asked_in_parts_the_story_is_the_same_as_in_one(down, slow, limit):
    fires = {"Down": minutes(*down), "Slow": minutes(*slow)}

    def ask(start: int, end: int, step: int) -> dict[str, Any]:
        if (end - start) // step > limit:
            raise TooMuchError("too many samples")
        return answer(**{name: [at for at in times if start <= at <= end] for name, times in fires.items()})

    found = told(from_prometheus(ask, AT, AT + 3_002 * STEP))
    for name, times in (("Down", down), ("Slow", slow)):
        firing = [at for at, who, status in found if (who, status) == (name, "firing")]
        begins = [at for at in times if at - 1 not in times]
        assert set(begins) <= set(firing) <= set(times)
        ends = [at for at, who, status in found if (who, status) == (name, "resolved")]
        assert ends == [at + 1 for at in times if at + 1 not in times]
    assert [at for at, _, _ in found] == sorted(at for at, _, _ in found)


def test_a_prometheus_that_can_answer_about_nothing_is_given_up():
    def ask(*_: int) -> dict[str, Any]:
        raise TooMuchError("too many samples")

    with pytest.raises(TooMuchError):
        list(from_prometheus(ask, AT, AT + 30 * 24 * HOUR))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"status": "error", "error": "bad query"}, "answer.json: is an error of Prometheus: bad query"),
        (answer(), "answer.json: holds no alert that fires; expected the answer to ALERTS{"),
        ({"status": "success", "data": {"resultType": "vector", "result": []}}, "this is a vector"),
        ({"status": "success", "data": {"resultType": "matrix", "result": [{}]}}, "this is something else"),
        ({"status": "success", "data": 3}, "expected an answer of Prometheus' query_range"),
        (json.dumps(answer(Down=[AT]))[:-9], "answer.json:1:"),
        (
            {"status": "success", "data": {"resultType": "matrix", "result": [
                {"metric": {"__name__": "up", "job": "x"}, "values": [[1, "1"]]}]}},
            "expected the series ALERTS; this is up",
        ),
    ],
)  # fmt: skip
def test_what_is_no_such_answer_is_named(read, document, said):
    with pytest.raises(ReplayError) as caught:
        read(document)
    assert said in str(caught.value)
