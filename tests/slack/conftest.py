"""Towns for the tests of what people do in Slack: see `slack_town.py`."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from slack_town import CONFIG, Town

from gateway.standins.slack import SlackStandin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def make_town(redis_server: str, tmp_path: Path) -> Any:
    """`async with make_town("signing_secret: ..."[, socket=True]) as town`."""

    @asynccontextmanager
    async def made(slack: str = "", *, socket: bool = False) -> AsyncIterator[Town]:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
        standin = SlackStandin()
        await standin.start()
        way = f"signing_secret: {standin.app.signing_secret}"
        if socket:
            way = f"socket_mode: true, app_token: {standin.app.connections.app_token}"
        path = tmp_path / "tocsin.yaml"
        keys = ", ".join(filter(None, (way, slack)))
        path.write_text(CONFIG.format(token=standin.token, api=standin.api_url, slack=keys))
        town = Town(standin, path, redis_server)
        standin.on_arrival = lambda _: town.arrived.set()
        try:
            await town.start()
            if socket:
                await standin.app.connections.connected(1)
            else:
                standin.app.address = town.url
            yield town
        finally:
            for service in town.services:
                await service.stop()
            await standin.stop()
            structlog.reset_defaults()

    return made


@pytest.fixture(params=["http", "socket"])
async def town(make_town: Any, request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    """Presses and commands come by HTTP, or by Socket Mode: it must not matter."""
    async with make_town(socket=request.param == "socket") as made:
        yield made
