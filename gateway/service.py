"""One process of the service: the parts, how they hold together, how they start and how they stop.

It stops from the outside in: no new requests, then what is claimed is finished or given back, then the
connections are closed; within ten seconds, also behind a receiver that never answers.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import web

from config.problems import ConfigError, Problem
from gateway import metrics, pagerduty_in, webhook
from gateway.answers import Answers
from gateway.api import (
    answers,
    arrivals,
    deliveries,
    feeds,
    heartbeats,
    incidents,
    oncall,
    openapi,
    overrides,
    receivers,
    silence_shapes,
    silences,
    simulate,
    stats,
    why,
)
from gateway.auth import Auth, OpenListenError, refuse_open_listen
from gateway.beats import Beats
from gateway.counts import count
from gateway.engine import Engine
from gateway.feeds import Feeds
from gateway.heartbeats import HeartbeatWatch
from gateway.holds import Holds
from gateway.intake import Intake
from gateway.leases import Leases
from gateway.links import Links
from gateway.oncall import OnCall
from gateway.pagerduty_answers import PagerDutyAnswers
from gateway.parts import Parts
from gateway.plan import PlanInForce, timing_of
from gateway.problem import ProblemError, problems
from gateway.sender import Sender
from gateway.shift_notices import ShiftNotices
from gateway.slack import SlackBack
from gateway.store.store import Store
from gateway.store.unavailable import StoreUnavailableError
from gateway.web import incident as page
from gateway.web import link
from gateway.web.desk import Desk
from gateway.webhook import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from config.schema import Config

log = structlog.get_logger()

LINGER_S: Final = 2.0  # for the rest of a body that was refused
REQUESTS_S: Final = 2.0  # for requests under way when we stop
STOP_S: Final = 9.0
WORK_S: Final = 4.0  # for decisions and attempts under way
AT_WORK_WITHIN_S: Final = 10.0


class Service:
    """Everything that one process runs."""

    def __init__(self, path: Path, config: Config, redis: Redis, *, listens: str, processes: int = 1) -> None:
        """`listens` is the URL at which we listen, for links where `external_url` says nothing else.

        `processes` is how many share the port, with this one.
        """
        self._listens = listens
        self._processes = processes
        self._config = config
        self._redis = redis
        self._path = path
        self._host = ""
        self.store = Store(redis, config.redis.shards, timing_of(config))
        self.plan = PlanInForce(path, config, self.store, self._refuse_if_open, self._use)
        self._leases = Leases(self.store)
        self.holds = Holds(self.store, self.plan)
        self.oncall = OnCall(self.store, self.plan)
        self.plan.rota = self.oncall
        self.sender = Sender(self.store, self._leases, self.external_url, self.plan, self.holds)
        self.engine = Engine(self.store, self.plan, self.sender, self._leases, self.holds)
        self.answers = Answers(self.store, self.plan, self.sender, self.engine.wake)
        self._pagerduty = PagerDutyAnswers(self.store, self.answers, lambda: self._config)
        self._slack = SlackBack(self.store, self.plan, self.answers, self.oncall, self.external_url)
        self._intake = Intake(
            self.store, self.plan, self.engine.accept, self.engine.room, self.engine.sources_moved
        )
        self.heartbeats = HeartbeatWatch(self.store, self.plan, self._intake)
        self._beats = Beats(lambda: self._config.beats, self.why_not_working)
        self._shifts = ShiftNotices(
            self.store, self.plan, self.oncall, self.sender.receiver, self.external_url
        )
        self.auth = Auth(config.auth, str(config.external_url or ""))
        self._parts = Parts()
        self._runner: web.AppRunner | None = None

    def external_url(self) -> str:
        """Where links in messages start."""
        return str(self._config.external_url or self._listens)

    def limits(self) -> Limits:
        """What a request may be, by the configuration in force."""
        return Limits(
            body_bytes=self._config.limits.body, resolve_timeout=self._config.global_.resolve_timeout
        )

    async def start(self, host: str, port: int, *, share_port: bool = False) -> None:
        """Listens, puts the configuration in force, begins to work.

        It listens first (and answers 503 until it works): a start that fails must not have put its
        configuration in force for others. A worker listens last: its port is kept for it, and another may
        be there who answers better.

        Raises:
            StoreUnavailableError: the store is away.
            OSError: the address cannot be listened on.
        """
        self._host = host
        app = web.Application(middlewares=[problems], client_max_size=1 << 20)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(
            app, auto_decompress=False, access_log=None, shutdown_timeout=REQUESTS_S, lingering_time=LINGER_S
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, reuse_port=share_port or None)
        if not share_port:
            await site.start()
        await self.plan.start()
        await self.holds.keep_up(0)
        await self.oncall.keep_up()
        if self.holds.silences.all:  # should nobody have been there when one began or ended
            await self.store.wake_walk(await self.holds.silence_store.version())
        self._parts.start("engine", self.engine.run)
        self._parts.start("sweep", self.engine.sweep)
        self._parts.start("leases", self._leases.run)
        self._parts.start("heartbeats", self.heartbeats.run)
        self._parts.start("pagerduty", self._pagerduty.run)
        self._parts.start("slack", self._slack.socket.run)
        self._parts.start("beats", self._beats.run)
        self._parts.start("count", lambda: count(self.store, self.holds))
        self._parts.start("oncall", self.oncall.run)
        self._parts.start("calendars", self.oncall.calendars.run)
        self._parts.start("shifts", self._shifts.run)
        if share_port:
            await site.start()

    @property
    def port(self) -> int:
        """The port that we listen on, 0 before `start`."""
        return int(self._runner.addresses[0][1]) if self._runner else 0

    def _routes(self) -> list[web.RouteDef]:
        desk = Desk(self.store, self.answers, self.plan, self.external_url)
        links = Links(self.store, lambda: self.plan.config)
        return [
            *webhook.routes(self.heartbeats, self.limits, self.auth, lambda: time.time_ns() // 1_000_000),
            *incidents.routes(self.store, self.plan, self.auth, self.external_url),
            *why.routes(self.store, self.plan, self.auth, self.external_url),
            *answers.routes(self.answers, self.store, self.plan, self.auth, self.external_url),
            *page.routes(self.store, self.auth, self.plan, desk, self.external_url),
            *link.routes(self.store, links, desk),
            *deliveries.routes(self.store, self.auth),
            *arrivals.routes(self._intake.listeners, self.auth, self._processes),
            *self._slack.routes(),
            *pagerduty_in.routes(
                self._pagerduty.events, lambda: self._config.pagerduty, self._pagerduty.wake
            ),
            *silences.routes(self.store, self.holds.silence_store, self.auth, self.external_url),
            *receivers.routes(self.plan, self.auth, self.sender.receiver, self.external_url),
            *heartbeats.routes(self.heartbeats, self.plan, self.auth),
            *stats.routes(self.store, self.plan, self.auth),
            *simulate.routes(self.plan, self.oncall, self.holds.silence_store, self.auth),
            *oncall.routes(self.oncall, self.plan, self.store, self.auth),
            *overrides.routes(self.oncall, self.plan, self.store, self.auth),
            *feeds.routes(Feeds(links, self.oncall), self.plan, self.store, self.auth, self.external_url),
            *openapi.routes(
                incidents.OPERATIONS
                + why.OPERATIONS
                + answers.OPERATIONS
                + deliveries.OPERATIONS
                + arrivals.OPERATIONS
                + silence_shapes.OPERATIONS
                + receivers.OPERATIONS
                + heartbeats.OPERATIONS
                + stats.OPERATIONS
                + simulate.OPERATIONS
                + oncall.OPERATIONS
                + overrides.OPERATIONS
                + feeds.OPERATIONS
            ),
            web.get("/-/healthy", self._healthy),
            web.get("/-/ready", self._ready),
            web.get("/metrics", self._metrics),
            web.post("/-/reload", self._reload),
        ]

    async def _healthy(self, _request: web.Request) -> web.Response:
        return web.Response(text="Tocsin is healthy.\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        if why := await self.why_not_working():
            raise ProblemError(503, f"Not ready: {why}.")
        return web.Response(text="Tocsin is ready.\n")

    async def why_not_working(self) -> str:
        """Why we do not really work now, "" if we do.

        Working means: the engine has claimed and swept in the last seconds, and Redis answers now.
        """
        try:
            await self.store.ping()
            self.plan.current  # noqa: B018 - raises where nothing is in force
        except StoreUnavailableError as error:
            return str(error)
        last = min(self.engine.swept_at, self.engine.claimed_at)
        if not last or asyncio.get_running_loop().time() - last > AT_WORK_WITHIN_S:
            return "the engine has not claimed or swept in the last seconds"
        return ""

    async def _metrics(self, request: web.Request) -> web.Response:
        self.auth.allow(request, "read")
        return web.Response(body=metrics.render(), headers={"Content-Type": metrics.CONTENT_TYPE})

    async def _reload(self, request: web.Request) -> web.Response:
        who = self.auth.allow(request, "admin")
        try:
            await self.reload(f"{who or 'somebody'} by HTTP")
        except ConfigError as error:
            found = [str(problem) for problem in error.problems]
            raise ProblemError(
                400,
                "The configuration was refused as a whole; the one before stays in force.",
                problems=found,
            ) from None
        return web.json_response({"digest": self.plan.current.plan.digest})

    async def reload(self, why: str) -> None:
        """Loads the configuration anew.

        Raises:
            ConfigError: it has errors; the running one stays.
            StoreUnavailableError: the store is away; the running one stays.
        """
        try:
            await self.plan.reload()
        except ConfigError as error:
            log.error("config.refused", why=why, problems=[str(problem) for problem in error.problems])  # noqa: TRY400 - no traceback: the file is wrong, not we
            raise
        log.info("config.reloaded", why=why)

    def _refuse_if_open(self, config: Config) -> None:
        """A reload that takes the last token away must not open a service that others can reach."""
        try:
            refuse_open_listen(self._host, Auth(config.auth))
        except OpenListenError as error:
            raise ConfigError((Problem(str(self._path), 1, 1, "auth.tokens", str(error)),)) from None

    def _use(self, config: Config) -> None:
        self._config = config
        self.auth.use(config.auth, self.external_url())
        self.store.timing = timing_of(config)
        self._slack.socket.changed()

    async def stop(self) -> None:
        """Finishes or gives back what is claimed; then everything is closed. Takes `STOP_S` at most."""
        try:
            async with asyncio.timeout(STOP_S):
                await self._stop()
        except TimeoutError:
            log.warning(
                "service.stopped_late", advice="leases that are still held end by themselves within 4 s"
            )

    async def _stop(self) -> None:
        self._intake.listeners.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._parts.stop("slack")
        await self._slack.stop(WORK_S / 4)
        await self._intake.close()
        await self._parts.stop("engine")  # nothing new is claimed
        await self.engine.stop(WORK_S / 2)
        await self.sender.stop(WORK_S)
        await self._parts.stop()
        try:
            await self._leases.give_back()
        except StoreUnavailableError as error:
            log.warning("leases.not_given_back", error=str(error))
        await self._redis.aclose()
