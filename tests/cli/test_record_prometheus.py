"""`tocsin record --prometheus`: what a Prometheus remembers, asked or as a file, and what it may refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from gateway.simulation.replay import happenings
from gateway.simulation.series import QUERY
from gateway.standins.http import HttpStandin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOUR = 3_600


def matrix(*results: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(results)}}


def series(name: str, *times: float) -> dict[str, Any]:
    metric = {"__name__": "ALERTS", "alertname": name, "alertstate": "firing"}
    return {"metric": metric, "values": [[at, "1"] for at in times]}


class Prometheus(HttpStandin):
    """An alert fires in the first and the last half hour of what is asked; at most `longest` s at once."""

    def __init__(self) -> None:
        super().__init__([web.get("/api/v1/query_range", self._answer)])
        self.asked: list[tuple[float, float]] = []
        self.longest = 1e9
        self.says: tuple[int, object] | None = None
        self.token = ""

    async def _answer(self, request: web.Request) -> web.Response:
        start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
        assert request.query["query"] == QUERY
        self.token = request.headers.get("Authorization", "")
        if self.says:
            status, document = self.says
            return web.Response(
                status=status, text=document if isinstance(document, str) else json.dumps(document)
            )
        if end - start > self.longest:
            error = "query processing would load too many samples into memory in query execution"
            return web.json_response({"status": "error", "error": error}, status=422)
        self.asked.append((start, end))
        first = self.asked[0][0]
        times = [start + step * at for at in range(int((end - start) // step) + 1)]
        fires = [at for at in times if at - first < HOUR / 2 or at - first >= 23.5 * HOUR]
        return web.json_response(matrix(series("Down", *fires)) if fires else matrix())


@pytest.fixture
async def prometheus() -> AsyncIterator[Prometheus]:
    standin = Prometheus()
    await standin.start()
    yield standin
    await standin.stop()


async def test_it_is_asked_part_by_part_and_makes_a_recording(prometheus, tocsin, tmp_path):
    prometheus.longest = 2 * HOUR
    ended = await tocsin("record", "--prometheus", prometheus.url, "--since", "1d", "-o", "day.jsonl")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "Recorded 3 alerts in 3 arrivals to day.jsonl.\n"
    found = list(happenings(tmp_path / "day.jsonl"))
    assert [one.arrivals[0].status for one in found] == ["firing", "resolved", "firing"]
    assert found[1].at - found[0].at == HOUR * 500
    ends = [end for _, end in prometheus.asked]
    assert [start for start, _ in prometheus.asked[1:]] == pytest.approx([end + 0.001 for end in ends[:-1]])
    assert prometheus.token == ""


async def test_its_token_is_its_own(prometheus, tocsin):
    env = {"TOCSIN_TOKEN": "ours", "TOCSIN_PROMETHEUS_TOKEN": "theirs"}
    ended = await tocsin("record", "--prometheus", prometheus.url, **env)
    assert (ended.code, prometheus.token) == (0, "Bearer theirs")


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ((401, ""), "wants another token"),
        ((404, "nothing here"), "is not Prometheus: it answered HTTP 404"),
        ((400, {"status": "error", "error": "bad\nstep"}), "refuses: bad\\nstep"),
        (
            (503, {"status": "error", "error": "timed out"}),
            "cannot answer: timed out",
        ),
        ((200, "<html>"), "is not Prometheus: its answer is not a JSON object"),
        ((200, {"data": []}), "Prometheus: expected an answer of Prometheus' query_range"),
    ],
)
async def test_what_it_refuses_is_said_in_clear_words(prometheus, tocsin, tmp_path, says, said):
    prometheus.says = says
    ended = await tocsin("record", "--prometheus", prometheus.url, "-o", "day.jsonl")
    assert ended.code in {1, 2}
    assert said in ended.err
    assert not (tmp_path / "day.jsonl").exists()


def test_an_answer_that_was_kept_is_read_and_hidden_like_any_other(here, tmp_path):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(matrix(series("Down", 60, 120), series("Slow", 120, 180))))
    ended = here("record", "--prometheus", str(path), "--redact", "alertname")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [(line["at"][11:19], line["status"]) for line in lines] == [
        ("00:01:00", "firing"),
        ("00:02:00", "firing"),
        ("00:03:00", "resolved"),
    ]
    down, slow, end = (line["labels"]["alertname"] for line in lines)
    assert down == end != slow
    assert ended.err == "Recorded 3 alerts in 3 arrivals.\n"
