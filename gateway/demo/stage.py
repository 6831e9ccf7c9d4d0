"""Where the demo plays: a gateway on a store of its own, and stand-ins for PagerDuty, Slack and mail.

Everything lies in a temporary directory and listens on this machine only; when the stage is left, nothing
stays. The gateway is the real one, with the real receivers; it does not know that it is a demo.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import config as config_package
from config.compile import compile_plan
from config.load import load
from config.schema import SlackConfig
from gateway import app, logs
from gateway.auth import Auth, OpenListenError, refuse_open_listen
from gateway.serve_options import ServeOptions, StartError
from gateway.service import Service
from gateway.standins.pagerduty import KEY_LENGTH, PagerDutyStandin
from gateway.standins.slack import SlackStandin
from gateway.standins.smtp import SmtpStandin
from gateway.store import connect
from gateway.store.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from config.compile import Plan

CONFIGURATION: Final = Path(config_package.__file__).parent / "examples" / "demo.yaml"


@dataclass(frozen=True, slots=True)
class Standins:
    """The three services that people are told through."""

    pagerduty: PagerDutyStandin
    slack: SlackStandin
    smtp: SmtpStandin


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway that runs at `url` by `plan`, and the stand-ins that it tells."""

    url: str
    plan: Plan
    standins: Standins


@contextlib.asynccontextmanager
async def stage(host: str, port: int) -> AsyncIterator[Stage]:
    """Everything up and listening; port 0 takes a free one.

    Raises:
        StartError: the port is taken, or there is no store.
    """
    async with contextlib.AsyncExitStack() as stack:
        standins = Standins(PagerDutyStandin(), SlackStandin(channels=()), SmtpStandin(tls="none"))
        for standin in (standins.pagerduty, standins.slack, standins.smtp):
            await standin.start()
            stack.push_async_callback(standin.stop)
        _name_in_environment(standins)
        config = load(CONFIGURATION)
        try:
            refuse_open_listen(host, Auth(config.auth))
        except OpenListenError:
            raise StartError(
                f"the demo takes alerts from everybody, so it does not listen on {host}",
                "Give it an address of this machine only, such as 127.0.0.1:9300.",
            ) from None
        plan = compile_plan(config)
        for integrations in plan.receivers.values():
            for one in integrations:
                if isinstance(one.config, SlackConfig):
                    standins.slack.add_channel(one.config.channel.lstrip("#"))
        for user in config.users:
            if user.slack_id:
                standins.slack.add_person(user.slack_id)
        port = port or _free_port(host)
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-demo-"))
        options = ServeOptions(CONFIGURATION, host, port, None, Path(folder), 1, "info", "json")
        store = await stack.enter_async_context(app.store_url(options, config))
        service = Service(CONFIGURATION, config, connect.connect(store), listens=url)
        stack.push_async_callback(service.stop)
        try:
            await service.start(host, port)
        except OSError as error:
            why = os.strerror(error.errno).lower() if error.errno else str(error)
            raise StartError(
                f"cannot listen on {host}:{port}: {why}",
                "Give the demo another port: `tocsin demo --listen 127.0.0.1:9300`.",
            ) from None
        except StoreUnavailableError as error:
            raise StartError(f"the store is away: {error}") from None
        standins.slack.app.address = url
        yield Stage(url, plan, standins)


def _name_in_environment(standins: Standins) -> None:
    """The addresses that `demo.yaml` asks for, where a reload finds them too."""
    os.environ |= {
        "PAGERDUTY_URL": standins.pagerduty.enqueue_url,
        "PAGERDUTY_KEY": secrets.token_hex(KEY_LENGTH // 2),
        "SLACK_URL": standins.slack.api_url,
        "SLACK_TOKEN": standins.slack.token,
        "SLACK_SIGNING_SECRET": standins.slack.app.signing_secret,
        "SMTP_HOST": f"{standins.smtp.host}:{standins.smtp.port}",
        "SMTP_TLS": "false",  # a certificate would need the openssl command
        # A proxy of the user's must not be asked for what is on this machine.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def log_file() -> Iterator[Path]:
    """A file that takes all that the gateway logs; whoever asked for it removes it."""
    logs.configure("info", "json")
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="tocsin-demo-", suffix=".log", delete=False
    ) as file:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(file)
        try:
            yield Path(file.name)
        finally:
            logging.getLogger().handlers.clear()
