"""The services that a Tocsin tells, as real servers: PagerDuty, Slack, mail, and a sink for webhooks.

They live as long as a test session and forget between worlds. `away` makes the next attempt fail, as each
service would say it; what they took since `begin` is put in words as a reader sees it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web
from drawn_names import CHANNELS, SLACK_IDS

from gateway.standins.http import HttpStandin
from gateway.standins.pagerduty import PagerDutyStandin
from gateway.standins.slack import SlackStandin
from gateway.standins.smtp import SmtpStandin
from receivers import kinds
from receivers.base import Sent

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

    from receivers.base import Outcome, Receiver


class Away:
    """How the service fails now: `later`, `never`, `busy` (for `wait` seconds), or "" for not at all."""

    away = ""
    wait = 0

    def refusal(self, later: int) -> web.Response | None:
        """By a status alone; `later`: the one that means so."""
        headers = {"Retry-After": str(self.wait)} if self.away == "busy" else {}
        status = {"later": later, "never": 400, "busy": 429}.get(self.away)
        return web.Response(status=status, text="away", headers=headers) if status else None


class Hooks(Away, HttpStandin):
    """Takes every post; `bodies` are what came, with the path."""

    def __init__(self) -> None:
        super().__init__([web.post("/{name}", self._take)])
        self.bodies: list[tuple[str, dict[str, Any]]] = []

    async def _take(self, request: web.Request) -> web.Response:
        self.bodies.append((request.match_info["name"], json.loads(await request.read())))
        return web.Response()

    async def _misbehave(self, request: web.Request, handler: Any) -> web.StreamResponse:
        return self.refusal(503) or await super()._misbehave(request, handler)


class Pager(Away, PagerDutyStandin):
    async def _misbehave(self, request: web.Request, handler: Any) -> web.StreamResponse:
        return self.refusal(408) or await super()._misbehave(request, handler)


class Chat(Away, SlackStandin):
    async def _misbehave(self, request: web.Request, handler: Any) -> web.StreamResponse:
        error = {"later": "service_unavailable", "never": "invalid_auth", "busy": "ratelimited"}.get(
            self.away
        )
        if error is None:
            return await super()._misbehave(request, handler)
        headers = {"Retry-After": str(self.wait)} if self.away == "busy" else {}
        if "/services/" in request.path:
            status = {"later": 503, "never": 403, "busy": 429}[self.away]
            return web.Response(status=status, text=error, headers=headers)
        status = 429 if self.away == "busy" else 200
        return web.json_response({"ok": False, "error": error}, status=status, headers=headers)


class Post(Away, SmtpStandin):
    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.away:
            return "550 5.1.1 away" if self.away == "never" else "451 4.7.1 away"
        return await super().handle_RCPT(server, session, envelope, address, options)


class Services:
    """All of them, and the receivers that talk to them, as a process has them."""

    def __init__(self) -> None:
        self.now = 0
        self.hooks, self.pager, self.post = Hooks(), Pager(), Post(tls="none")
        self.chat = Chat(CHANNELS, now=lambda: self.now / 1_000)
        for ident in SLACK_IDS.values():
            self.chat.add_person(ident)
        self.pager.now = lambda: self.now
        self.of_kind: dict[str, Any] = {
            "webhook": self.hooks, "pagerduty": self.pager, "slack": self.chat, "email": self.post
        }  # fmt: skip
        self.receivers: dict[str, Receiver] = {}
        self._shown: list[dict[str, Any]] = []

    async def start(self) -> None:
        for service in self.of_kind.values():
            await service.start()
        self.chat.on_arrival = lambda what: self._shown.append(what | {"look": _look(what["message"])})
        self.receivers = {kind: kinds.module(kind).create() for kind in kinds.MODULES}

    async def stop(self) -> None:
        for receiver in self.receivers.values():
            await receiver.close()
        for service in self.of_kind.values():
            await service.stop()

    @property
    def addresses(self) -> dict[str, str]:
        return {
            "webhook": self.hooks.url,
            "pagerduty": self.pager.enqueue_url,
            "slack": self.chat.api_url,
            "slack-webhook": self.chat.webhook_url("ops"),
            "smtp": f"{self.post.host}:{self.post.port}",
        }

    def forget(self) -> None:
        """For a new world."""
        self.begin()
        self.pager.incidents.clear()
        self.pager.closed.clear()
        self.chat.messages.clear()
        self.chat._clock_us = 0

    def begin(self) -> None:
        """An attempt begins."""
        self.hooks.bodies.clear()
        self.pager.events.clear()
        self.post.mails.clear()
        self._shown.clear()

    def took(self, kind: str, config: Any, outcome: Outcome) -> Arrival | None:
        """What came of the attempt, as people see it; None where nothing came.

        An update that PagerDuty would show as it is already takes no event: then what it shows.
        """
        match kind:
            case "webhook" if self.hooks.bodies:
                ((name, body),) = self.hooks.bodies
                return name, body
            case "pagerduty" if isinstance(outcome, Sent):
                which = (config.routing_key.get_secret_value(), outcome.memory["key"])
                open_now = self.pager.incidents.get(which)
                return "", (list(self.pager.events), open_now.summary if open_now else "")
            case "slack" if self._shown:
                message = self._shown[0]["message"]
                person = message.channel.startswith("@")
                return message.channel.removeprefix("@") if person else f"#{message.channel}", list(
                    self._shown
                )
            case "email" if self.post.mails:
                (mail,) = self.post.mails
                return ", ".join(mail.recipients), mail
        return None


Arrival = tuple[str, Any]


def _look(message: Any) -> dict[str, Any]:
    return {"text": message.text, "blocks": message.blocks, "attachments": message.attachments}
