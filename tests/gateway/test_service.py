"""A whole service in one process, on a real store: how it ends."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from config.load import load
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.store

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


async def test_a_service_that_is_stopped_while_its_parts_still_connect_ends_at_once(
    redis_server: str, tmp_path: Path
) -> None:
    path = tmp_path / "tocsin.yaml"
    path.write_text(CONFIG)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
        with pytest.raises(OSError, match="in use"):
            await service.start("127.0.0.1", taken.getsockname()[1])
        began = time.monotonic()
        await service.stop()
    assert time.monotonic() - began < 3
