"""Everybody who is told: a phone (PagerDuty), a channel (Slack), a mailbox and a machine (webhook).

Each keeps what it got, in order, as short tuples that a test can hold against the story it expects.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from gateway.standins.http import HttpStandin
from gateway.standins.pagerduty import PagerDutyStandin
from gateway.standins.slack import SlackStandin
from gateway.standins.smtp import SmtpStandin

ROUTING_KEY = "0123456789abcdef0123456789abcdef"


class Machine(HttpStandin):
    """Takes webhooks and keeps their bodies, and what stood behind the `?` of their addresses."""

    def __init__(self) -> None:
        super().__init__([web.post("/hook", self._take)])
        self.bodies: list[dict[str, Any]] = []
        self.queries: list[str] = []

    async def _take(self, request: web.Request) -> web.Response:
        self.queries.append(request.query_string)
        self.bodies.append(json.loads(await request.read()))
        return web.Response(text="ok")

    @property
    def hook(self) -> str:
        """The address to post to."""
        return f"{self.url}/hook"


class Audience:
    """The four, on loopback. `phone`, `channel`, `mailbox` and `machine` are the stand-ins themselves."""

    def __init__(self) -> None:
        self.phone = PagerDutyStandin()
        self.channel = SlackStandin()
        self.mailbox = SmtpStandin()
        self.machine = Machine()
        self._slack: list[tuple[str, str]] = []
        self.channel.on_arrival = self._note_slack

    async def start(self) -> None:
        """All of them listen."""
        for standin in (self.phone, self.channel, self.mailbox, self.machine):
            await standin.start()

    async def stop(self) -> None:
        """None of them listens any more."""
        for standin in (self.phone, self.channel, self.mailbox, self.machine):
            await standin.stop()

    def config(self, route: str, *, glob: str = "", more: str = "") -> str:
        """A configuration whose receiver `everybody` tells all four; the rest is given as YAML."""
        return f"""\
global:
  pagerduty_url: {self.phone.enqueue_url}
  slack_app_token: {self.channel.token}
  slack_app_url: {self.channel.api_url}
  smtp_smarthost: localhost:{self.mailbox.port}
  smtp_from: tocsin@example.com
  smtp_tls_config: {{ca_file: {self.mailbox.ca_file}}}
  {glob}
route:
  receiver: everybody
{route}
receivers:
  - name: everybody
    pagerduty_configs: [{{routing_key: "{ROUTING_KEY}"}}]
    slack_configs: [{{channel: "#alerts"}}]
    email_configs: [{{to: oncall@example.com, send_resolved: true}}]
    webhook_configs: [{{url: "{self.machine.hook}"}}]
{more}"""

    def _note_slack(self, arrived: dict[str, Any]) -> None:
        self._slack.append((arrived["what"], arrived["message"].text.partition(" ·")[0]))

    def on_phone(self) -> list[tuple[str, str]]:
        """(action, incident) of each event; a trigger that rang is a "ring"."""
        heard: list[tuple[str, str]] = []
        open_: dict[str, str] = {}
        for event in self.phone.events:
            action, key = event["event_action"], event["dedup_key"]
            if action == "trigger":
                heard.append(("update" if key in open_ else "ring", incident_in(json.dumps(event))))
                open_[key] = heard[-1][1]
            else:
                heard.append((action, open_.pop(key, "?")))
        return heard

    def in_channel(self) -> list[tuple[str, str]]:
        """("post" | "reply" | "edit", its first words: a lamp and names) of each change."""
        return list(self._slack)

    def in_mailbox(self) -> list[tuple[str, str]]:
        """(status, incident) of each mail."""
        return [
            (str(m.message["X-Tocsin-Status"]), f"#{m.message['X-Tocsin-Incident']}")
            for m in self.mailbox.mails
        ]

    def at_machine(self) -> list[tuple[str, str, str, str]]:
        """(kind, incident, names that fire, names that ended) of each webhook."""
        return [
            (
                body["tocsin"]["kind"],
                f"#{body['tocsin']['incident']}",
                names(body, "firing"),
                names(body, "resolved"),
            )
            for body in self.machine.bodies
        ]

    def everything(self) -> dict[str, list[Any]]:
        """What all of them got."""
        return {
            "phone": self.on_phone(),
            "channel": self.in_channel(),
            "mailbox": self.in_mailbox(),
            "machine": self.at_machine(),
        }


def names(body: dict[str, Any], status: str) -> str:
    """The names of the alerts with that status, in order, in one word."""
    return "".join(sorted(a["labels"]["alertname"] for a in body["alerts"] if a["status"] == status))


def incident_in(text: str) -> str:
    """`#7`, the first number of an incident that a text names; "" if it names none."""
    found = re.search(r"#\d+", text)
    return found[0] if found else ""
