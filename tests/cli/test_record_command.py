"""`tocsin record` against the real endpoint: it hears all processes, hides what it shall, ends in peace."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import web

from config.schema import AuthConfig
from gateway.api import arrivals
from gateway.auth import Auth
from gateway.listeners import MAX_WAITING, Listeners
from gateway.problem import problems
from gateway.simulation.replay import happenings
from routing.alerts import Arrival, alert_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).resolve().parents[2]


def alert(name: str, **labels: str) -> Arrival:
    given = {"alertname": name, **labels}
    return Arrival(alert_key(given), given, {"summary": "it is down"}, "firing", 1_000, None, None, "")


class Crowd:
    """Three processes behind one port: whoever connects meets one after the other."""

    def __init__(self) -> None:
        self.url = ""
        self.port = 0

    async def start(self) -> None:
        self.processes = [Listeners() for _ in range(3)]
        self._handlers: list[Any] = [
            arrivals.routes(one, Auth(AuthConfig()), 3)[0].handler for one in self.processes
        ]
        self._turn = cycle([0, 0, 1, 1, 0, 2])
        app = web.Application(middlewares=[problems])
        app.router.add_get("/api/v1/arrivals", self._meet)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        for one in self.processes:
            one.close()
        await self._runner.cleanup()

    async def _meet(self, request: web.Request) -> web.StreamResponse:
        answer: web.StreamResponse = await self._handlers[next(self._turn)](request)
        return answer

    async def all_hear(self) -> None:
        async with asyncio.timeout(10):
            while not all(one.ears for one in self.processes):
                await asyncio.sleep(0.02)


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    crowd = Crowd()
    await crowd.start()
    yield crowd
    await crowd.stop()
    structlog.reset_defaults()


class Running:
    """`tocsin record`, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def end(self, number: signal.Signals | None = None) -> tuple[int, list[dict[str, Any]], str]:
        """Its exit code, the lines and stderr, by a signal or when it is time."""
        if number:
            self._process.send_signal(number)
        out, err = await asyncio.wait_for(self._process.communicate(), 20)
        assert self._process.returncode is not None
        return self._process.returncode, [json.loads(line) for line in out.splitlines()], err.decode()


@pytest.fixture
async def record(crowd: Crowd, tmp_path: Path):
    """`await record(*options)`: the command, once it hears all processes."""
    started = []

    async def start(*options: str) -> Running:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "record", "--server", crowd.url, *options),
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        await crowd.all_hear()
        return Running(process)

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_all_processes_are_heard_in_the_order_of_time_until_ctrl_c(crowd, record, tmp_path):
    running = await record("-o", "week.jsonl")
    for number in range(30):
        crowd.processes[number % 3].tell((alert(f"A{number}"), alert(f"B{number}")))
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.3)
    code, _, err = await running.end(signal.SIGINT)
    assert (code, err) == (0, "Recorded 60 alerts in 30 arrivals to week.jsonl.\n")
    found = list(happenings(tmp_path / "week.jsonl"))
    assert [one.arrivals[0].labels["alertname"] for one in found] == [f"A{number}" for number in range(30)]
    assert {len(one.arrivals) for one in found} == {2}


async def test_after_a_time_it_ends_by_itself(crowd, record):
    running = await record("--for", "1500ms")
    crowd.processes[0].tell((alert("Down"),))
    code, lines, err = await running.end()
    assert (code, len(lines), err) == (0, 1, "Recorded 1 alert in 1 arrival.\n")
    assert lines[0] | {"at": ""} == {
        "at": "", "body": 1, "status": "firing", "labels": {"alertname": "Down"},
        "startsAt": "1970-01-01T00:00:01.000Z", "annotations": {"summary": "it is down"},
    }  # fmt: skip


async def test_values_are_hidden_and_equal_ones_stay_equal(crowd, record):
    running = await record("--redact")
    crowd.processes[0].tell(
        (alert("Down", severity="high", instance="a", peer="a"), alert("Up", instance="b"))
    )
    await asyncio.sleep(0.3)
    _, (down, up), _ = await running.end(signal.SIGTERM)
    assert "annotations" not in down
    labels = down["labels"]
    assert (labels["alertname"], labels["severity"], up["labels"]["alertname"]) == ("Down", "high", "Up")
    assert labels["instance"] == labels["peer"] != up["labels"]["instance"]
    assert len(labels["instance"]) == 16


async def test_only_the_labels_that_are_named_are_hidden(crowd, record):
    running = await record("--redact", "instance", "alertname")
    crowd.processes[0].tell((alert("Down", instance="a", team="db"),))
    await asyncio.sleep(0.3)
    _, (line,), _ = await running.end(signal.SIGINT)
    assert line["labels"]["team"] == "db"
    assert len(line["labels"]["alertname"]) == len(line["labels"]["instance"]) == 16


async def test_where_it_was_not_connected_the_recording_says_so_and_goes_on(crowd, record):
    running = await record()
    crowd.processes[0].tell((alert("Before"),))
    await asyncio.sleep(0.3)
    await crowd.stop()
    await asyncio.sleep(0.5)
    await crowd.start()
    await crowd.all_hear()
    crowd.processes[1].tell((alert("After"),))
    await asyncio.sleep(0.3)
    code, lines, err = await running.end(signal.SIGINT)
    kinds = [line.get("notice") or line["labels"]["alertname"] for line in lines]
    assert (code, kinds) == (0, ["Before", "gap", "gap", "gap", "After"])
    assert all(line["since"] < line["at"] for line in lines if "since" in line)
    assert err.splitlines()[-2:] == [f"Connected to {crowd.url} again.", "Recorded 2 alerts in 2 arrivals."]


async def test_what_is_missed_is_said_in_its_place_and_at_the_end(crowd, record):
    running = await record()
    crowd.processes[0].tell((alert("Lost"),) * (MAX_WAITING + 1))
    crowd.processes[0].tell((alert("After"),))
    await asyncio.sleep(0.3)
    _, lines, err = await running.end(signal.SIGINT)
    assert [(line.get("notice"), line.get("count")) for line in lines] == [
        ("missed", MAX_WAITING + 1),
        (None, None),
    ]
    assert err == "Recorded 1 alert in 1 arrival, 100001 missed.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["instance"], "'instance' is given, but not --redact"),
        (["--keep", "alertname"], "'--keep': says nothing without --redact"),
        (["--prometheus", "x.json", "--step", "1m"], "'--step': a file has all its times"),
        (["--for", "soon"], "'soon' is no duration"),
        (["--for", "0s"], "expected more than nothing"),
        (["--since", "7d"], "is only of use with --prometheus"),
        (["--for", "1h", "--prometheus", "http://x"], "does not go with --prometheus"),
        (["--prometheus", "http://x", "--since", "2999-01-01"], "expected a time before now"),
        (["--prometheus", "http://x", "--since", "lately"], "'lately' is no duration"),
        (["--prometheus", "http://x", "--step", "1ms"], "expected one second or more"),
        (["--prometheus", "none.json"], "none.json cannot be read: No such file"),
        (["--prometheus", "none.json", "--since", "7d"], "a file has all its times"),
        (["--prometheus", "http://me:secret@x"], "without a user and password"),
        (["-o", "/nowhere/at/all"], "/nowhere/at/all cannot be written: No such file"),
    ],
)
def test_what_cannot_be_is_refused_with_exit_code_2(here, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    ended = here("record", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "secret" not in ended.err


def test_a_recording_that_is_there_is_not_written_over(here, tmp_path):
    path = tmp_path / "week.jsonl"
    path.write_text("precious")
    ended = here("record", "-o", str(path))
    assert ended.code == 2
    assert "is there already" in ended.err
    assert path.read_text() == "precious"


def test_without_a_service_it_ends_at_once_and_leaves_no_file(here, tmp_path):
    path = tmp_path / "week.jsonl"
    ended = here("record", "--server", "http://127.0.0.1:1", "-o", str(path))
    assert ended.code == 1
    assert ended.err.startswith("Error: no Tocsin answers at http://127.0.0.1:1: ")
    assert not path.exists()
