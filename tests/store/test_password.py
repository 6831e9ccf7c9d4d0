"""A Redis that wants a password, as somebody who starts Tocsin meets it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from config.load import load_text
from gateway.app import store_url
from gateway.serve_options import ServeOptions, StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.store

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
PASSWORD = "hunter2"


@pytest.fixture(scope="module")
def locked(require_peer: Callable[[str], str]) -> Iterator[str]:
    """The socket of a server that wants a password."""
    with tempfile.TemporaryDirectory(prefix="tocsin-redis-") as folder:
        socket = f"{folder}/redis.sock"
        command = [require_peer("redis-server"), "--port", "0", "--unixsocket", socket, "--dir", folder]
        command += ["--save", "", "--requirepass", PASSWORD]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not Path(socket).exists():
            assert process.poll() is None, "the server ended at once"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.02)  # a process that starts tells nobody when it listens
        yield socket
        process.terminate()
        process.wait(10)


async def start(url: str) -> str:
    """What a start with this URL comes to: the URL in use, or why it is refused."""
    options = ServeOptions(
        config=Path("tocsin.yaml"),
        host="127.0.0.1",
        port=0,
        redis=SecretStr(url),
        data_dir=Path("unused"),
        workers=1,
        log_level="error",
        log_format="json",
    )
    try:
        async with store_url(options, load_text(CONFIG, "tocsin.yaml", {})) as used:
            return used
    except StartError as error:
        return f"{error.message} {error.hint}"


@pytest.mark.parametrize("protocol", ["", "?protocol=2", "?protocol=3"])
async def test_without_a_password_it_is_said_that_one_is_wanted(locked: str, protocol: str):
    said = await start(f"unix://{locked}{protocol}")
    assert "this Redis cannot be used: it wants a password" in said
    assert "redis://:PASSWORD@HOST:PORT" in said
    assert "HELLO" not in said


@pytest.mark.parametrize(("user", "what"), [("", "the password"), ("somebody", "the user and password")])
async def test_a_wrong_password_is_said_to_be_refused_and_is_not_shown(locked: str, user: str, what: str):
    said = await start(f"unix://{user}:sesame@{locked}")
    assert f"it refuses {what} in the URL" in said
    assert "sesame" not in said


async def test_the_right_password_opens_it(locked: str):
    url = f"unix://:{PASSWORD}@{locked}"
    assert await start(url) == url
