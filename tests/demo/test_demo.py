"""The demo as a user meets it: the command in a process of its own, its output, its end.

The story takes 35 s; so it runs once in each of its two forms, side by side, for all tests of this file.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.e2e

STORY_S, END_S = 60, 10


@dataclass
class Demo:
    """A running demo; `text` grows as it writes."""

    process: subprocess.Popen[str]
    folder: Path
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def wait_for(self, wanted: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while wanted not in self.text:
            assert time.monotonic() < end, f"{wanted!r} did not come:\n{self.text}"
            assert self.process.poll() is None or wanted in self.text, f"it ended:\n{self.text}"
            time.sleep(0.05)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(END_S)

    def left_behind(self) -> list[str]:
        """Files, and processes that were started with the folder in their command line."""
        found = [str(path) for path in self.folder.iterdir()]
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                said = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            found += [said] if str(self.folder) in said else []
        return found


def spawn(
    folder: Path, *arguments: str, listen: str = "127.0.0.1:0", **environment: str
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gateway.cli", "demo", "--listen", listen, *arguments]
    env = {**os.environ, "TMPDIR": str(folder), "COLUMNS": "80", **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=env)


def start(folder: Path, *arguments: str, **options: str) -> Demo:
    demo = Demo(spawn(folder, *arguments, **options), folder)

    def read() -> None:
        with demo.process.stdout as output:
            demo.lines.extend(output)

    threading.Thread(target=read, daemon=True).start()
    return demo


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Demo, Demo]]:
    """One that stays up and one `--once`, where only ASCII can be shown; both have told the story."""
    with (
        tempfile.TemporaryDirectory(prefix="demo-") as one,
        tempfile.TemporaryDirectory(prefix="demo-") as two,
    ):
        demos = start(Path(one)), start(Path(two), "--once", PYTHONIOENCODING="ascii", NO_COLOR="1")
        try:
            demos[1].process.wait(STORY_S)
            demos[0].wait_for("tocsin incidents list", END_S)
            yield demos
        finally:
            for demo in demos:
                demo.process.kill()
                demo.process.wait()


def test_once_ends_by_itself_with_a_summary_of_what_everybody_got(both: tuple[Demo, Demo]) -> None:
    demo = both[1]
    said = " ".join(demo.text.split())
    assert demo.process.returncode == 0, demo.text
    assert "23 webhooks from alertmanager-a and alertmanager-b reported alerts 1,237 times" in said
    assert "With the checkout they became 7 incidents, of which 3 are over" in said
    assert "PagerDuty 3 pages, 2 resolves" in said
    assert "#backend 2 messages, 1 reply, 3 edits" in said
    assert "backend@example.com 4 mails" in said
    assert "nobody was told anything twice" in said


def test_nobody_answers_the_next_is_told_and_everybody_hears_who_has_it(both: tuple[Demo, Demo]) -> None:
    said = " ".join(both[1].text.split("A pair of Alertmanagers")[0].split())
    name = re.search(r"(dana|sam) -> presses Acknowledge in Slack", said)
    assert name, said
    before, after = said.split("presses Acknowledge in Slack")
    assert "PagerDuty page CheckoutDown" in before
    assert f"@U0{name[1].upper()} post" in before
    assert "managers@example.com" not in before
    assert "PagerDuty ack CheckoutDown" in after
    assert "#payments edit" in after
    assert f"(acknowledged by {name[1]})" in after
    assert re.search(r"managers@example.com mail \[FIRING:1\].*PagerDuty resolve CheckoutDown", after)


def test_the_other_of_the_pair_makes_nobody_be_told_again(both: tuple[Demo, Demo]) -> None:
    from_b = re.findall(r"alertmanager-b -> (.*)", both[1].text)
    assert from_b == ["already known, nobody is told: HighAPIResponseTime"] * 4


@pytest.mark.parametrize("which", [0, 1])
def test_the_output_fits_eighty_columns_without_colour_when_piped(
    both: tuple[Demo, Demo], which: int
) -> None:
    story = both[which].text.split("It goes on")[0]
    assert max(map(len, story.splitlines())) <= 80
    assert "\x1b" not in story
    assert "Traceback" not in story


def test_a_terminal_that_knows_only_ascii_gets_only_that(both: tuple[Demo, Demo]) -> None:
    assert both[1].text.isascii()
    assert "\\u" not in both[1].text
    assert "Anomalie detectee" in both[1].text


def test_once_leaves_nothing_behind(both: tuple[Demo, Demo]) -> None:
    assert both[1].left_behind() == []


def test_the_printed_lines_fire_an_alert_and_end_it_and_ctrl_c_ends_the_demo(
    both: tuple[Demo, Demo], require_peer: Callable[[str], str]
) -> None:
    demo = both[0]
    require_peer("curl")
    fire, end = re.findall(r"^  curl .*?\]'$", demo.text, re.MULTILINE | re.DOTALL)
    subprocess.run(fire, shell=True, check=True, capture_output=True)
    demo.wait_for("page    CoffeeIsOut", END_S)
    time.sleep(1)  # the printed line ends it at a whole second, which must not lie before its beginning
    subprocess.run(end, shell=True, check=True, capture_output=True)
    demo.wait_for("resolve CoffeeIsOut", END_S)
    assert demo.interrupt() == 0
    assert "Traceback" not in demo.text
    assert demo.left_behind() == []


def test_ctrl_c_in_the_middle_of_the_story_ends_it_and_leaves_nothing_behind(folder: Path) -> None:
    demo = start(folder)
    demo.wait_for("#database", STORY_S)
    assert demo.interrupt() == 130
    assert "Traceback" not in demo.text
    assert demo.left_behind() == []


def test_a_reader_that_goes_away_ends_it(folder: Path) -> None:
    demo = Demo(spawn(folder), folder)
    assert demo.process.stdout is not None
    demo.process.stdout.readline()
    demo.process.stdout.close()
    assert demo.process.wait(END_S) == 141
    assert demo.left_behind() == []


def test_a_port_that_is_taken_is_said_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = start(folder, "--once", listen=f"127.0.0.1:{port}")
        assert demo.process.wait(STORY_S) == 1
    assert f"Error: cannot listen on 127.0.0.1:{port}: address already in use" in demo.text
    assert "--listen" in demo.text
    assert demo.left_behind() == []


def test_it_never_listens_where_others_can_reach_it(folder: Path) -> None:
    demo = start(folder, "--once", listen="0.0.0.0:0")
    assert demo.process.wait(STORY_S) == 1
    assert "does not listen on 0.0.0.0" in demo.text
