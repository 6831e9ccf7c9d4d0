"""Worker processes that end or cannot be started: the others go on. Real processes, but not real workers."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from gateway import workers as module
from gateway.serve_options import ServeOptions
from gateway.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

WORKER = """#!/bin/sh
trap 'echo reload >> {folder}/heard' HUP
if mkdir {folder}/first 2>/dev/null; then exit 1; fi
echo started >> {folder}/started
while :; do sleep 0.05; done
"""


@pytest.fixture(autouse=True)
def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started as a worker; the first that starts ends at once, all others stay."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "program"))
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.05)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Workers]:
    """Two workers."""
    options = ServeOptions(folder / "tocsin.yaml", "127.0.0.1", 0, None, folder, 2, "error", "json")
    stopping, workers = asyncio.Event(), Workers(options, "redis://nowhere.test")
    task = asyncio.create_task(workers.run(stopping))
    try:
        yield workers
    finally:
        stopping.set()
        await task


def ended(workers: Workers) -> bool:
    return any(process.returncode is not None for process in workers._running.values())


def install(folder: Path) -> None:
    program = folder / "program.new"
    program.write_text(WORKER.format(folder=folder))
    program.chmod(0o755)
    program.rename(folder / "program")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


async def test_a_reload_reaches_the_others_while_one_worker_is_in_its_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.5)
    install(tmp_path)
    async with running(tmp_path) as workers:
        await until(lambda: lines(tmp_path / "started") == 1 and ended(workers))
        await workers.reload()
        await until(lambda: lines(tmp_path / "heard") == 1)
        assert lines(tmp_path / "started") == 1
        await until(lambda: lines(tmp_path / "started") == 2)  # the other one, after its pause


async def test_workers_that_cannot_be_started_are_started_when_they_can_be(tmp_path: Path) -> None:
    async with running(tmp_path) as workers:
        await asyncio.sleep(0.3)  # there is no such program
        assert not workers._running
        install(tmp_path)
        await until(lambda: lines(tmp_path / "started") == 2)
