"""amtool, Alertmanager's own judge of configurations and routes."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from routing.matchers import Matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

QUICK = os.environ | {"GOMAXPROCS": "1", "GOGC": "off"}  # a third less for each start


class Amtool:
    """Each question is a start of the program, so many are asked two at a time."""

    def __init__(self, program: str) -> None:
        self.program = program

    def takes(self, file: Path) -> bool:
        """Whether it calls the configuration valid."""
        return self._run("check-config", str(file)).returncode == 0

    def receivers(self, file: Path, labels: Mapping[str, str]) -> list[str]:
        """Who is told of an alert with these labels, in its order."""
        arguments = [str(Matcher(name, "=", value)) for name, value in labels.items()]
        done = self._run("config", "routes", "test", f"--config.file={file}", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().split(",")

    def each(self, ask: Callable[..., object], *questions: Iterable[object]) -> list[object]:
        """`map`, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(ask, *questions))

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, timeout=30, env=QUICK, check=False
        )


@pytest.fixture(scope="session")
def amtool(require_peer) -> Amtool:
    return Amtool(require_peer("amtool"))
