"""Messages as their services show them, in plain text: made by the receivers' own functions, sent nowhere."""

from __future__ import annotations

import json
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP
from typing import TYPE_CHECKING, Any, Final, cast

from config.integrations import EmailConfig, PagerDutyConfig, SlackConfig, WebhookConfig
from receivers.render import Renderer

if TYPE_CHECKING:
    from config.integrations import IntegrationConfig
    from receivers.base import Message

NOBODY: Final = "tocsin@localhost"
LINK: Final = "/link/..."
"""Nobody signs one in a simulation: whoever had it could answer."""


class Texts:
    """Renders messages; one for a simulation."""

    def __init__(self) -> None:
        self._renderer = Renderer()

    def of(self, config: IntegrationConfig, message: Message, *, new: bool) -> str:
        """What whoever is told reads; `new`: this delivery has posted nothing yet that could be changed."""
        match config:
            case PagerDutyConfig():
                return self.events(config, message, "{}")[0]
            case SlackConfig():
                return self._post(config, message, new=new or not config.has_token)
            case EmailConfig():
                return self._mail(config, message)
            case WebhookConfig():
                from receivers.webhook_body import body_of_shown  # noqa: PLC0415 - where there are webhooks

                return body_of_shown(message, config.max_alerts).decode()

    def events(
        self, config: IntegrationConfig, message: Message, memory: str
    ) -> tuple[str, str, tuple[str, ...]]:
        """PagerDuty's: what it shows then, what is remembered of it, and the events that this takes."""
        from receivers.pagerduty_event import build_event  # noqa: PLC0415 - where there is PagerDuty
        from receivers.pagerduty_keys import Opened, digest, ring_key, steps  # noqa: PLC0415 - likewise

        known = json.loads(memory)
        event, _ = build_event(cast("PagerDutyConfig", config), message, self._renderer)
        payload: dict[str, Any] = event.get("payload", {})
        taken = list(steps(message, digest(event), known))
        opened = taken[-1].then if taken else Opened.remembered(known, ring_key(message.dedup_key, 1))
        text = str(payload.get("summary", event["event_action"]))
        return text, json.dumps(opened.memory()), tuple(step.action for step in taken)

    def _post(self, config: SlackConfig, message: Message, *, new: bool) -> str:
        """The message as it is then; before it what is said in its thread, where that must be heard again."""
        from receivers.slack_message import thread_line, whole_message  # noqa: PLC0415 - where there is Slack

        whole = slack_text(whole_message(config, message, self._renderer, new=new).arguments())
        if new or message.kind != "ring":
            return whole
        return f"{slack_text(thread_line(config, message, self._renderer).arguments())}\n{whole}"

    def _mail(self, config: EmailConfig, message: Message) -> str:
        from receivers.mail_addresses import addresses  # noqa: PLC0415 - where there is mail
        from receivers.mail_message import compose  # noqa: PLC0415 - likewise

        if message.answerable and message.status == "firing":
            message = replace(message, answer_url=f"{message.external_url.rstrip('/')}{LINK}")
        sender = addresses(config.from_ or NOBODY, "from")[0]
        to = addresses(config.to or NOBODY, "to")
        mail, _ = compose(config, message, self._renderer, sender, to=to, first="")
        return mail_text(mail)


def mail_text(mail: bytes) -> str:
    """A mail's subject, an empty line, and its text."""
    parsed = message_from_bytes(mail, policy=SMTP)
    part = parsed.get_body(("plain", "html"))
    body = part.get_content() if part else ""
    return f"{parsed['Subject']}\n\n{body.strip()}".replace("\r\n", "\n")


def slack_text(arguments: dict[str, Any]) -> str:
    """What a post says: the text that a phone shows, then its sections."""
    lines = [str(arguments.get("text", ""))]
    blocks = list(arguments.get("blocks") or [])
    for attachment in arguments.get("attachments") or []:
        blocks += attachment.get("blocks") or []
    for block in blocks:
        parts = [block.get("text"), *(block.get("fields") or []), *(block.get("elements") or [])]
        lines += [str(part["text"]) for part in parts if isinstance(part, dict) and _said(part)]
    return "\n".join(line for line in lines if line)


def _said(part: dict[str, Any]) -> bool:
    return isinstance(part.get("text"), str)
